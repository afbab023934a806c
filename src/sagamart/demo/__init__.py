"""The demo: data to try the shop with, and orders to watch, all through the public API."""

from sagamart.demo.assortment import ADMIN, PEOPLE, Person
from sagamart.demo.client import DemoError
from sagamart.demo.placing import demonstrate
from sagamart.demo.seeding import log_ins, seed
from sagamart.demo.traffic import Tally, keep_placing

__all__ = ["ADMIN", "PEOPLE", "DemoError", "Person", "Tally", "demonstrate", "keep_placing", "log_ins", "seed"]
