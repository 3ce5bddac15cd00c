"""What a run has shown, as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from tests.chaos.run import Run

Row = tuple[str, str]


def line(run: Run) -> str:
    """The short form."""
    told, mails = run.told, run.mails
    clients = _clients(run)
    return (
        f"{run.name}: {run.kills} kills ({_listed(run.site.kills)}) in {run.changes} changes: {told.expected} "
        f"notifications, lost {told.lost}, doubles {told.too_much}; {clients['told']} frames, gaps {clients['gaps']}, "
        f"doubles {clients['doubles']}; {mails.deliveries} mails, lost {mails.lost}, doubles "
        f"{mails.doubled_at_a_kill} in flight at a kill, {mails.doubled_by_the_server} taken without an answer, "
        f"{mails.doubled_otherwise} others; {run.seconds:.0f} s"
    )


def table(runs: Sequence[Run]) -> str:
    """In Markdown, a column for each run."""
    columns = [dict(_rows(run)) for run in runs]
    names = list(columns[0])
    for column in columns[1:]:
        for before, name in pairwise(column):
            if name not in names:
                names.insert(names.index(before) + 1, name)
    rows = [
        ["", *(f"**{run.name}**" for run in runs)],
        ["---"] * (len(runs) + 1),
        *([name, *(column.get(name, "0") for column in columns)] for name in names),
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def _rows(run: Run) -> Iterator[Row]:
    site, told, mails, clock = run.site, run.told, run.mails, run.clock
    yield "**kills**", f"**{run.kills}**"
    yield from ((f"… {what}", str(times)) for what, times in sorted(site.kills.items()))
    emptied = Counter(run.emptied)
    yield "broker emptied", str(emptied.total())
    yield from ((f"… {what}", str(times)) for what, times in sorted(emptied.items()))
    yield "mail server misbehaved", str(run.server.did.total())
    yield from ((f"… {what}", str(times)) for what, times in sorted(run.server.did.items()))
    yield "due times moved into the past, the future", f"{clock.to_past}, {clock.to_future}"
    yield "seconds", f"{run.seconds:.0f}"
    yield "changes of the cluster", f"{run.changes:,}"
    yield "**notifications expected**", f"**{told.expected:,}**"
    yield "… notifications lost", f"**{told.lost}**"
    yield "… notifications doubled", f"**{told.too_much}**"
    yield "… jobs told out of order", f"**{told.out_of_order}**"
    clients = _clients(run)
    yield "**notifications told to websocket clients**", f"**{clients['told']:,}**"
    yield (
        "… connections, lost or refused",
        f"{clients['connections']}, {clients['connections lost or refused']}",
    )
    yield "… resyncs", str(clients["resyncs"])
    yield "… gaps at websocket clients", f"**{clients['gaps']}**"
    yield "… doubles at websocket clients", f"**{clients['doubles']}**"
    yield "**mails expected**", f"**{mails.deliveries:,}**"
    yield "… sent", f"{mails.sent:,}"
    yield "… of them together with others", f"{mails.in_bundles:,}"
    yield "… refused for good by the server (those of one mail together)", str(mails.refused)
    yield "… dropped, as the address refuses everything", str(mails.given_up)
    yield "… sent before they were due", f"**{clock.too_early()}**"
    yield "… mails lost", f"**{mails.lost}**"
    yield "… to somebody else, or about something else", f"**{mails.misleading}**"
    yield "… doubles of what was in flight at a kill", str(mails.doubled_at_a_kill)
    yield "… doubles of what the server took without saying so", str(mails.doubled_by_the_server)
    yield (
        "… doubles of what a worker sent after its lease, as the machine kept it waiting",
        str(mails.doubled_late),
    )
    yield "… other doubles", f"**{mails.doubled_otherwise}**"


def _clients(run: Run) -> Counter[str]:
    did: Counter[str] = sum((one.did for one in run.listeners), Counter())
    did["told"] = sum(len(one.seen) for one in run.listeners)
    did["gaps"] = sum(one.gaps() for one in run.listeners)
    did["doubles"] = sum(one.doubles() for one in run.listeners)
    return did


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{times} {what}" for what, times in sorted(counts.items()))
