"""How long a busy poller leaves the database alone between two batches.

A larger batch costs the database less for each change. The first change after an idle moment waits for no pause, and a
full batch is followed by the next at once.
"""

from __future__ import annotations

SHORTEST_SECONDS = 0.025
LONGEST_SECONDS = 0.1
"""From the beginning of a batch to that of the next, unless it takes longer by itself: what is told waits so long."""

ROOM = 8
"""So many times as long as the batch took: the busier the machine, the more room it gets."""

ROOM_WHEN_TOLD = 2
"""The same after a batch with something to tell: somebody waits for the next one too."""


def pause_seconds(batch_seconds: float, *, told: bool) -> float:
    room = (ROOM_WHEN_TOLD if told else ROOM) * batch_seconds
    return max(SHORTEST_SECONDS, min(room, LONGEST_SECONDS - batch_seconds))
