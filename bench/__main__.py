"""Run all benchmarks, or those that are named: `python -m bench latency drain`; those of LARGE only by name.

The data of large ones are kept: `--make scale.inbox` only makes them, `--forget` removes all of them.
"""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import sys

from bench import database
from bench.scale import kept

NAMES = ("poll", "drain", "latency", "trigger", "mail", "storm", "memory", "retention", "web")
KEPT = ("scale.inbox", "scale.poller")
LARGE = (*KEPT, "scale.sockets")


def main() -> None:
    arguments = _arguments()
    if arguments.forget:
        print("\n".join(kept.forget()) or "nothing was kept")
        return
    if arguments.make:
        for name in arguments.names:
            importlib.import_module(f"bench.{name}").make()
        return
    database.create()
    print(
        f"machine: {os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        flush=True,
    )
    missed = False
    for name in arguments.names or NAMES:
        database.switch(database.NAME)  # the one before may have left for what is kept
        for line in importlib.import_module(f"bench.{name}").run():
            missed |= not line.reached
            print(line, flush=True)
    sys.exit("a target was missed" if missed else 0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=(*NAMES, *LARGE, []), metavar="NAME")
    parser.add_argument("--make", action="store_true", help="only make the data that large ones keep")
    parser.add_argument("--forget", action="store_true", help="remove what is kept")
    arguments = parser.parse_args()
    if arguments.make and not set(arguments.names) & set(KEPT):
        parser.error(f"--make goes with {', '.join(KEPT)}")
    return arguments


if __name__ == "__main__":
    main()
