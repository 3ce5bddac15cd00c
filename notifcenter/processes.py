"""Runs several programs as one: their output with a prefix, none of them left behind."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

STOP_SECONDS = 10.0
"""How long a program may take to finish its work before it is killed."""

LAST_WORDS_SECONDS = 1.0

ROUTINE = re.compile(r"\S+ \S+ (?:DEBUG|INFO|WARNING django\.request Not Found:) |worker: Warm shutdown|\s*$")
"""What nobody has to see while all is well: such lines of our log format, Celery's farewell, empty lines."""


@dataclass(slots=True)
class Program:
    """A program in a session of its own, so that a Ctrl-C reaches only us, and a kill all that it started."""

    name: str
    process: subprocess.Popen[str]
    reader: threading.Thread

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    def send(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)


class Processes:
    """`show` is called with a program's name and a line, from several threads."""

    def __init__(self, show: Callable[[str, str], None]) -> None:
        self.programs: list[Program] = []
        self._show = show
        self.ended, self._ends = os.pipe()  # `ended` can be read as soon as one has ended

    def start(self, name: str, arguments: Sequence[str]) -> Program:
        process = subprocess.Popen(  # noqa: S603 - our own programs
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        reader = threading.Thread(target=self._relay, args=[name, process], name=name, daemon=True)
        program = Program(name, process, reader)
        self.programs.append(program)
        reader.start()
        threading.Thread(target=self._await_end, args=[process], name=f"{name}-end", daemon=True).start()
        return program

    def dead(self) -> Program | None:
        return next((program for program in self.programs if not program.is_running), None)

    def stop(self) -> None:
        """Asks all to end, kills those that do not. A second Ctrl-C kills at once."""
        try:
            for program in self.programs:
                program.send(signal.SIGTERM)
            deadline = time.monotonic() + STOP_SECONDS
            while any(program.is_running for program in self.programs):
                if not select.select([self.ended], [], [], max(0.0, deadline - time.monotonic()))[0]:
                    break
                os.read(self.ended, 1)
        except KeyboardInterrupt:
            pass
        for program in self.programs:
            program.send(signal.SIGKILL)
        for program in self.programs:
            program.process.wait()
            program.reader.join(LAST_WORDS_SECONDS)

    def _relay(self, name: str, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            if not ROUTINE.match(line):
                self._show(name, line.rstrip())

    def _await_end(self, process: subprocess.Popen[str]) -> None:
        process.wait()
        os.write(self._ends, b"x")
