"""Python's collector of cyclic garbage, set for long-lived processes that make many objects at once."""

from __future__ import annotations

import gc

YOUNG_OBJECTS = 50_000
"""How many new objects it waits for: a large batch makes that many, and frees them itself."""


def collect_rarely() -> None:
    """Keep the collector off what was imported, and let it look less often.

    A batch of the poller makes thousands of small objects; looking at all of Django for each of them costs a third of
    the time. A web process looks at all of its sockets each time: with 10,000 of them, a fifth of the time of a frame.
    """
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)
