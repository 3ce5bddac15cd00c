"""A mail server that misbehaves now and then, in every way that it can."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from email.message import EmailMessage
from functools import partial

from tests.smtp import HANG_UP, OK, STALL, TAKE_AND_HANG_UP, Programme, SmtpServer

REFUSES_ITSELF = "refuses connections"
REFUSES_GONE = "550 for the address that is gone"
GONE = "gone@example.org"
"""An address that is refused for good, always."""

MAIL: Mapping[str, float] = {"421 4.3.2 shutting down": 0.01, "550 5.7.1 not from you": 0.005}
RCPT: Mapping[str, float] = {
    "451 4.7.1 greylisted, try later": 0.03,
    "421 4.7.0 too many connections": 0.01,
    "550 5.1.1 no such user": 0.01,
    STALL: 0.005,
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

IN_A_MAIL, AFTER_A_MAIL = "DATA", "a mail"
NAMES: Mapping[tuple[str, str], str] = {
    (HANG_UP, IN_A_MAIL): "closes in the middle of a mail",
    (HANG_UP, AFTER_A_MAIL): "takes a mail and dies before it says so",
    (TAKE_AND_HANG_UP, AFTER_A_MAIL): "takes a mail, says so and dies",
    (STALL, AFTER_A_MAIL): "takes a mail and stalls",
}


def fault(answer: str, step: str) -> str:
    return NAMES.get((answer, step), f"{'stalls' if answer == STALL else answer}, at {step}")


STEPS: Mapping[str, Mapping[str, float]] = {
    "MAIL": MAIL,
    "RCPT": RCPT,
    IN_A_MAIL: DATA,
    AFTER_A_MAIL: AFTER_DATA,
}
FAULTS = frozenset(
    {
        REFUSES_ITSELF,
        REFUSES_GONE,
        *(fault(answer, step) for step, chances in STEPS.items() for answer in chances),
    }
)
"""All that a run of some length meets."""


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
        server.programme.mail = partial(self._answer, "MAIL")
        server.programme.rcpt = self._rcpt
        server.programme.data = partial(self._answer, IN_A_MAIL)
        server.programme.after_data = partial(self._answer, AFTER_A_MAIL)
        server.programme.slowness_seconds = SLOWNESS_SECONDS
        self.port = server.port
        self._servers.append(server)
        self.is_listening = True

    @property
    def programme(self) -> Programme:
        """Of the server that listens now."""
        return self._servers[-1].programme

    def refuse(self) -> None:
        """Nobody can connect until it listens again; who was connected is cut off."""
        self.did[REFUSES_ITSELF] += 1
        self.is_listening = False
        self._servers[-1].stop()

    def _rcpt(self, address: str) -> str:
        if address == GONE:
            self.did[REFUSES_GONE] += 1
            return "550 5.1.1 no such user"
        return self._answer("RCPT", address)

    def _answer(self, step: str, _: str) -> str:
        chances = STEPS[step]
        (answer,) = self._dice.choices([OK, *chances], [1 - sum(chances.values()), *chances.values()])
        if answer != OK:
            self.did[fault(answer, step)] += 1
        return answer

    def behave(self) -> None:
        """From now on, but for the address that is gone."""
        if not self.is_listening:
            self.listen()
        self.programme.mail = self.programme.data = self.programme.after_data = lambda _: OK
        self.programme.rcpt = lambda address: "550 5.1.1 no such user" if address == GONE else OK

    def close(self) -> None:
        if self.is_listening:
            self._servers[-1].stop()

    def __len__(self) -> int:
        return sum(len(server.messages) for server in self._servers)

    def counts(self) -> Counter[str]:
        """How often each Message-ID has come."""
        return sum((server.counts() for server in self._servers), Counter())

    def unanswered(self) -> Counter[str]:
        """How often it took each Message-ID and did not say so."""
        return Counter(one for server in self._servers for one in server.unanswered)

    def mails(self) -> list[EmailMessage]:
        return [mail for server in self._servers for mail in server.messages]
