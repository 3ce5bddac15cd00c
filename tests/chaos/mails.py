"""What became of every mail, by the rows of the queue and by what the mail server took; and the clock of due times."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage

from notifications.models import Delivery, DeliveryState
from tests.chaos.mail_server import GONE, MailServer
from tests.database import sql

REFUSALS = ("550 5.1.1", "554 5.6.0")
"""What the server says when it takes a mail never."""

SUBJECTS: Mapping[str, str] = {
    "running": "[cluster] Running",
    "retried": "[cluster] Retried",
    "succeeded": "[cluster] Succeeded",
}
_SEVERAL = re.compile(r"^([0-9]+) notifications, ", re.MULTILINE)

FUTURE_SECONDS = 4
MOVED_AT_ONCE = 20

_MOVE = """
UPDATE notifications_delivery SET due_at = statement_timestamp() + make_interval(secs => %s)
 WHERE id IN (SELECT id FROM notifications_delivery
               WHERE state IN ('pending', 'retry') OR state = 'bundled' AND bundle_id IS NULL
               ORDER BY random() LIMIT %s)
   AND (state IN ('pending', 'retry') OR state = 'bundled' AND bundle_id IS NULL)
RETURNING id, due_at
"""
DAY_SECONDS = 86_400


class Clock:
    """Moves due times, as a clock that jumps does."""

    def __init__(self) -> None:
        self.not_before: dict[int, datetime] = {}
        self.to_past = self.to_future = 0

    def jump(self, dice: random.Random) -> None:
        if dice.random() < 0.5:
            self.to_past += self.make_due(dice.randint(1, MOVED_AT_ONCE))
        else:
            moved = sql(_MOVE, dice.random() * FUTURE_SECONDS, dice.randint(1, MOVED_AT_ONCE))
            self.not_before |= dict(moved)
            self.to_future += len(moved)

    def make_due(self, count: int) -> int:
        """As if they had been due a day ago. Returns how many."""
        moved = sql(_MOVE, -DAY_SECONDS, count)
        for number, _ in moved:
            self.not_before.pop(number, None)
        return len(moved)

    def too_early(self) -> int:
        """How many were sent before they were due."""
        sent = dict(Delivery.objects.filter(state=DeliveryState.SENT).values_list("id", "sent_at"))
        return sum(at is not None and at < self.not_before.get(number, at) for number, at in sent.items())


@dataclass(frozen=True)
class Mails:
    """Numbers of deliveries, and of doubles by their cause."""

    deliveries: int
    sent: int
    in_bundles: int
    """Of those sent, the ones that share a mail with others."""
    refused: int
    given_up: int
    """Dropped, because their address had refused three mails in a row."""
    lost: int
    """Neither sent and taken by the server, nor refused by it, nor given up."""
    misleading: int
    """Mails that came to somebody else, or tell of another job or event, or of another number of them."""
    doubled_at_a_kill: int
    doubled_by_the_server: int
    """It had taken the mail and not said so."""
    doubled_late: int
    """Sent by a worker that had been kept waiting for longer than its lease."""
    doubled_otherwise: int

    @classmethod
    def of(cls, server: MailServer, in_flight: Counter[int], late: Counter[int]) -> Mails:
        arrived, unanswered = _by_delivery(server.counts()), _by_delivery(server.unanswered())
        rows = list(
            Delivery.objects.values_list(
                "id", "bundle_id", "state", "last_error", "notification__user__email"
            )
        )
        sent = [(one, bundle) for one, bundle, state, *_ in rows if state == DeliveryState.SENT]
        refused = [
            one for one, _, state, error, _ in rows
            if state == DeliveryState.FAILED and any(refusal in error for refusal in REFUSALS)
        ]  # fmt: skip
        given_up = [one for one, _, state, _, to in rows if state == DeliveryState.DROPPED and to == GONE]
        taken = [one for one, bundle in sent if (bundle or one) in arrived]
        # What has come with others should not have come by itself too.
        more = arrived - Counter(set(arrived) - {one for one, bundle in sent if bundle})
        at_a_kill = more & in_flight
        by_the_server = (more - at_a_kill) & unanswered
        return cls(
            deliveries=len(rows),
            sent=len(sent),
            in_bundles=sum(bundle is not None for _, bundle in sent),
            refused=len(refused),
            given_up=len(given_up),
            lost=len(rows) - len(taken) - len(refused) - len(given_up),
            misleading=_misleading(server.mails()),
            doubled_at_a_kill=at_a_kill.total(),
            doubled_by_the_server=by_the_server.total(),
            doubled_late=((more - at_a_kill - by_the_server) & late).total(),
            doubled_otherwise=(more - at_a_kill - by_the_server - late).total(),
        )


def _delivery(message_id: str) -> int:
    """<delivery-12-1764163200000000@localhost>; of several that came together the one that stands for them."""
    return int(message_id.split("-")[1])


def _by_delivery(message_ids: Counter[str]) -> Counter[int]:
    counts: Counter[int] = Counter()
    for message_id, times in message_ids.items():
        counts[_delivery(message_id)] += times
    return counts


def _misleading(mails: Sequence[EmailMessage]) -> int:
    rows = Delivery.objects.values_list(
        "id", "bundle_size", "notification__user__email", "notification__event", "notification__job_name"
    )
    expected = {
        one: (to, str(size)) if size > 1 else (to, f"{SUBJECTS[event]}: {job}")
        for one, size, to, event, job in rows
    }
    return sum(_told(mail) != expected[_delivery(str(mail["Message-ID"]))] for mail in mails)


def _told(mail: EmailMessage) -> tuple[str, str]:
    """To whom, and of how many notifications, or of which event of which job."""
    text = mail.get_body(("plain",))
    several = _SEVERAL.search(text.get_content()) if text else None
    return str(mail["To"]), several[1] if several else ": ".join(str(mail["Subject"]).split(": ")[:2])
