"""The folder that stands in for a broker, and the hints that go through it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from kombu import Connection
from kombu.simple import SimpleQueue

from notifcenter.celery import app
from notifications.hints import HINTS_PER_SECOND, Hinter
from tests.processes import wait_for


def connect(folder: Path) -> Any:
    for name in ("queue", "control"):
        (folder / name).mkdir(exist_ok=True)
    return Connection(
        "filesystem://localhost",
        transport="notifcenter.broker:Transport",
        transport_options={
            "data_folder_in": str(folder / "queue"),
            "data_folder_out": str(folder / "queue"),
            "control_folder": str(folder / "control"),
        },
    )


def name_of(folder: Path) -> str:
    """kombu remembers for the whole process which queues it has announced, whatever the folder."""
    return folder.name


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[SimpleQueue]:
    with connect(tmp_path) as connection, connection.SimpleQueue(name_of(tmp_path)) as opened:
        yield opened


def take(queue: SimpleQueue) -> Any:
    message = queue.get(block=False)
    message.ack()
    return message.payload


def test_messages_come_out_in_order_and_leave_nothing_behind(queue: SimpleQueue, tmp_path: Path) -> None:
    for number in range(5):
        queue.put({"number": number})
    assert [take(queue)["number"] for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(queue.Empty):
        take(queue)
    assert list((tmp_path / "queue").iterdir()) == []


@pytest.mark.parametrize("content", [b"", b'{"body": "hal', b"\xff\xfe"])
def test_a_half_written_message_is_thrown_away(queue: SimpleQueue, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "queue" / f"0_half.{name_of(tmp_path)}.msg").write_bytes(content)
    queue.put({"number": 1})
    assert take(queue) == {"number": 1}


def test_a_half_written_table_of_queues_is_written_anew(queue: SimpleQueue, tmp_path: Path) -> None:
    (table,) = (tmp_path / "control").iterdir()
    table.write_text("")
    queue.put({"number": 1})  # is lost, and nothing breaks
    name = name_of(tmp_path)
    with connect(tmp_path) as other:  # what a process does when it starts
        other.default_channel._queue_bind(name, name, None, name)
    queue.put({"number": 2})
    assert take(queue) == {"number": 2}


def test_no_message_is_handed_out_twice(queue: SimpleQueue, tmp_path: Path) -> None:
    for number in range(100):
        queue.put({"number": number})
    taken: list[int] = []

    def work() -> None:
        with connect(tmp_path) as connection, connection.SimpleQueue(name_of(tmp_path)) as opened:
            while True:
                try:
                    taken.append(take(opened)["number"])
                except opened.Empty:
                    return

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == list(range(100))


@pytest.fixture
def folder() -> Path:
    """Where this process's own Celery puts its messages, emptied."""
    assert app.conf.broker_transport  # reading the configuration makes the folder
    place = Path(settings.DATA_DIR, "celery", "queue")
    for path in place.iterdir():
        path.unlink()
    return place


def test_a_thousand_hints_become_few_messages_and_never_none(folder: Path) -> None:
    hinter = Hinter()
    began = time.monotonic()
    for _ in range(1000):
        hinter.hint()
    assert time.monotonic() - began < 0.5, "a hint must cost the caller next to nothing"
    hinter.stop()
    assert 1 <= len(list(folder.iterdir())) <= 1 + (time.monotonic() - began) * HINTS_PER_SECOND + 1


def test_a_hint_just_before_the_stop_still_goes_out(folder: Path) -> None:
    hinter = Hinter()
    hinter.hint()
    wait_for(lambda: list(folder.iterdir()), what="the first message")
    hinter.hint()
    hinter.stop()
    assert len(list(folder.iterdir())) == 2


def test_without_a_hint_stopping_says_nothing(folder: Path) -> None:
    Hinter().stop()
    assert list(folder.iterdir()) == []
