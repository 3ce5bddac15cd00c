"""All checks, in an order in which the first one that fails explains the others."""

from __future__ import annotations

from collections.abc import Iterator

from notifcenter.doctor import inside, outside, proxies
from notifcenter.doctor.finding import Check, Finding, Level, look

OUTSIDE: dict[str, Check] = {
    "broker": outside.broker,
    "worker": outside.worker,
    "mail": outside.mail,
    "REST server": outside.rest,
    "site": outside.site,
}
SLOW = {"mail": 40.0, "REST server": 70.0}
"""Seconds: their own bounds, and some more."""


def examine() -> Iterator[Finding]:
    """Without a database, nothing that stands in it is asked for."""
    for name, check in {**inside.ALONE, "proxies": proxies.trusted}.items():
        yield from look(name, check)
    found = look("database", inside.database)
    yield from found
    if found[0].level is Level.OK:
        yield from look("clock", inside.clock)
        for name, fine in inside.PARTS.items():
            part = look(name, inside.part(name, fine))
            yield from part
            if name == "migrations" and part[0].level is Level.FAIL:
                break
    for name, check in OUTSIDE.items():
        yield from look(name, check, SLOW.get(name, 15.0))
