"""A few threads for what sockets ask of the database.

A thread keeps its connection while there is more to ask: when all clients come back at once, opening one for each
question would cost more than all answers.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from django.db import InterfaceError, OperationalError, connections

THREADS = 2
"""More of them let no client in sooner, and others who ask the database wait for them."""

IDLE_SECONDS = 0.2
"""For so long a thread without work keeps its connection."""

LONGEST_USES = 1000
"""Then a connection is opened anew."""

_Job = tuple[Callable[[], Any], asyncio.AbstractEventLoop, asyncio.Future[Any]]

_jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
_start_lock = threading.Lock()
_started: list[threading.Thread] = []


async def in_thread(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """What the function returns or raises; it is called again if a connection that was kept has been lost."""
    _start()
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Any] = loop.create_future()
    _jobs.put((partial(function, *args, **kwargs), loop, answer))
    return await answer


def _start() -> None:
    with _start_lock:
        while len(_started) < THREADS:
            thread = threading.Thread(target=_work, name=f"socket-{len(_started)}", daemon=True)
            _started.append(thread)
            thread.start()


def _work() -> None:
    uses = 0
    while True:
        try:
            function, loop, answer = _jobs.get(timeout=IDLE_SECONDS if uses else None)
        except queue.Empty:
            connections.close_all()
            uses = 0
            continue
        result, error = _call(function, again=uses > 0)
        uses += 1
        if uses >= LONGEST_USES or isinstance(error, OperationalError | InterfaceError):
            connections.close_all()
            uses = 0
        with suppress(RuntimeError):  # the loop has been closed
            loop.call_soon_threadsafe(_settle, answer, result, error)


def _call(function: Callable[[], Any], *, again: bool) -> tuple[Any, Exception | None]:
    try:
        return function(), None
    except (OperationalError, InterfaceError) as error:
        if not again:
            return None, error
        connections.close_all()
        return _call(function, again=False)
    except Exception as error:  # it is the asker's
        return None, error


def _settle(answer: asyncio.Future[Any], result: Any, error: Exception | None) -> None:
    if answer.done():  # the asker has gone
        return
    if error is None:
        answer.set_result(result)
    else:
        answer.set_exception(error)
