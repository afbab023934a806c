"""Timeline as a service: it hears everything about orders, needs no records, and says nothing."""

from datetime import timedelta

import msgspec

from sagamart.messaging.service import Handler, Service
from sagamart.shop.timeline.decide import write_down
from sagamart.shop.timeline.heard import HEARD
from sagamart.shop.timeline.records import STORY_ENTRIES


class TimelineRules(msgspec.Struct, frozen=True):
    """Whether the shop keeps a timeline, and for how many days."""

    on: bool = True
    days: int = 90


def timeline_service(rules: TimelineRules) -> Service:
    """The timeline of a shop with these rules.  One that is off hears nothing, so that nothing is sent to it."""
    kept = timedelta(days=rules.days)
    return Service(
        "timeline",
        tables=(STORY_ENTRIES,),
        migrations="sagamart.shop.timeline.migrations",
        handlers=tuple(
            Handler(takes=kind, decide=lambda message, _: write_down(message, kept))
            for kind in (HEARD if rules.on else ())
        ),
    )


TIMELINE = timeline_service(TimelineRules())
"""The timeline of a shop that sets nothing."""
