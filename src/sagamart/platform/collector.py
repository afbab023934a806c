"""The garbage collector, told what kind of program this is.

A batch makes tens of thousands of structs, none of them in a cycle, and all of them go when it is done.  The default
thresholds look through them, and through everything that lives as long as the program, hundreds of times a second:
that was a sixth of python's time for an order.
"""

import gc

YOUNG_MAX = 100_000
"""Objects that may be made before the young ones are looked at: about a batch's worth."""


def spare_batches() -> None:
    """Leave what has been loaded so far out of all collections, and collect about once a batch."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_MAX, 20, 20)
