"""Large data and many clients: `python -m bench scale.inbox scale.poller scale.sockets`.

Not part of `make bench`: making the data takes minutes and some gigabytes. BENCH_SHARE=0.01 makes a hundredth of it.
"""

from __future__ import annotations

import os

SHARE = float(os.environ.get("BENCH_SHARE", "1"))


def share(number: int) -> int:
    """As many of these as this run makes."""
    return max(1, round(number * SHARE))
