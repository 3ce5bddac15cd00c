"""A poll with nothing due must cost the same whatever has accumulated."""

from __future__ import annotations

from collections.abc import Iterator

from bench.database import Line, connect, median, reset

SIZES = (10_000, 1_000_000)
ROUNDS = 200
TARGET_MS = 1.0


def run() -> Iterator[Line]:
    figures = []
    for size in SIZES:
        reset(size, snapshot_bytes=64, state="SUCCEEDED")
        figures.append(_milliseconds())
        yield Line(
            f"poll with nothing due, {size:,} finished jobs",
            f"{figures[-1]:.3f} ms",
            "",
            None,
            f"≤ {TARGET_MS:.0f} ms",
            figures[-1] <= TARGET_MS,
        )
    ratio = figures[1] / figures[0]
    yield Line(
        "… and the same for both",
        f"{figures[1]:.3f} ms",
        f"{figures[0]:.3f} ms",
        ratio,
        "≤ 1.5 ×",
        ratio <= 1.5,
    )


def _milliseconds() -> float:
    """Planning and execution of the two queries, as the database itself measures them."""
    from notifications.sources.frameworks import changes, waiting

    connection = connect()
    totals = []
    with connection.cursor() as cursor:
        for _ in range(ROUNDS):
            total = 0.0
            for statement in (changes.TAKE, waiting.DUE):
                cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + statement.sql, [500])
                plan = cursor.fetchall()[0][0][0]
                total += plan["Planning Time"] + plan["Execution Time"]
            totals.append(total)
    connection.close()
    return median(totals)
