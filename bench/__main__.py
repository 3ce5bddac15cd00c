"""Run all benchmarks, or those that are named: `python -m bench latency drain`; those of LARGE only by name."""

from __future__ import annotations

import importlib
import os
import platform
import sys

from bench import database

NAMES = ("poll", "drain", "latency", "trigger", "mail", "storm", "memory", "retention", "web")
LARGE = ("scale.inbox", "scale.poller", "scale.sockets")


def main() -> None:
    wanted = sys.argv[1:] or NAMES
    unknown = [name for name in wanted if name not in (*NAMES, *LARGE)]
    if unknown:
        sys.exit(f"no benchmark {', '.join(unknown)}; there are {', '.join((*NAMES, *LARGE))}")
    database.create()
    print(
        f"machine: {os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        flush=True,
    )
    missed = False
    for name in wanted:
        for line in importlib.import_module(f"bench.{name}").run():
            missed |= not line.reached
            print(line, flush=True)
    sys.exit("a target was missed" if missed else 0)


if __name__ == "__main__":
    main()
