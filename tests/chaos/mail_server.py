"""A mail server that misbehaves now and then, in every way that it can."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from functools import partial

from tests.smtp import HANG_UP, OK, STALL, TAKE_AND_HANG_UP, SmtpServer

REFUSES_ITSELF = "refuses connections"
GONE = "gone@example.org"
"""An address that is refused for good, always."""

MAIL: Mapping[str, float] = {"421 4.3.2 shutting down": 0.01, "550 5.7.1 not from you": 0.002}
RCPT: Mapping[str, float] = {
    "451 4.7.1 greylisted, try later": 0.03,
    "421 4.7.0 too many connections": 0.01,
    "550 5.1.1 no such user": 0.01,
}
DATA: Mapping[str, float] = {
    HANG_UP: 0.01,
    "451 4.3.0 not now": 0.01,
    "554 5.6.0 not this mail": 0.005,
}
AFTER_DATA: Mapping[str, float] = {
    STALL: 0.005,
    HANG_UP: 0.01,
    TAKE_AND_HANG_UP: 0.01,
}
"""How often it says what instead of OK, at which step. With the last it has taken the mail."""

SLOWNESS_SECONDS = 0.03
"""So that a kill finds a mail taken and not yet noted."""

NAMES: Mapping[str, str] = {
    HANG_UP: "hangs up",
    STALL: "stalls",
    TAKE_AND_HANG_UP: "takes the mail, says so and hangs up",
}


class MailServer:
    """On one port, also after it has refused connections for a while; `mails` are all that it has ever taken."""

    def __init__(self, *, seed: int) -> None:
        self._dice = random.Random(seed)
        self.did: Counter[str] = Counter()
        self._servers: list[SmtpServer] = []
        self.is_listening = False
        self.port = 0
        self.listen()
        self.url = f"smtp://127.0.0.1:{self.port}"

    def listen(self) -> None:
        server = SmtpServer(port=self.port)
        server.programme.mail = partial(self._answer, "MAIL", MAIL)
        server.programme.rcpt = self._rcpt
        server.programme.data = partial(self._answer, "DATA", DATA)
        server.programme.after_data = partial(self._answer, "a mail", AFTER_DATA)
        server.programme.slowness_seconds = SLOWNESS_SECONDS
        self.port = server.port
        self._servers.append(server)
        self.is_listening = True

    def refuse(self) -> None:
        """Nobody can connect until it listens again; who was connected is cut off."""
        self.did[REFUSES_ITSELF] += 1
        self.is_listening = False
        self._servers[-1].stop()

    def _rcpt(self, address: str) -> str:
        if address == GONE:
            self.did["550 for the address that is gone"] += 1
            return "550 5.1.1 no such user"
        return self._answer("RCPT", RCPT, address)

    def _answer(self, step: str, chances: Mapping[str, float], _: str) -> str:
        (answer,) = self._dice.choices([OK, *chances], [1 - sum(chances.values()), *chances.values()])
        if answer != OK:
            self.did[f"{NAMES.get(answer, answer)}, at {step}"] += 1
        return answer

    def behave(self) -> None:
        """From now on, but for the address that is gone."""
        if not self.is_listening:
            self.listen()
        server = self._servers[-1]
        server.programme.mail = server.programme.data = server.programme.after_data = lambda _: OK
        server.programme.rcpt = lambda address: "550 5.1.1 no such user" if address == GONE else OK

    def close(self) -> None:
        if self.is_listening:
            self._servers[-1].stop()

    def __len__(self) -> int:
        return sum(len(server.messages) for server in self._servers)

    def counts(self) -> Counter[str]:
        """How often each Message-ID has come."""
        return sum((server.counts() for server in self._servers), Counter())

    def unanswered(self) -> set[str]:
        """The Message-IDs of mails that it took and did not say so."""
        return {one for server in self._servers for one in server.unanswered}
