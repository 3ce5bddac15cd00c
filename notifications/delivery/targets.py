"""What the channels have in common that send to addresses which users have added (`Target`)."""

from __future__ import annotations

import logging
from abc import abstractmethod
from dataclasses import dataclass

from django.db import DatabaseError
from django.utils import timezone

from notifications.delivery.base import DeliveryError, Transport
from notifications.models import Delivery, Notification
from preferences import targets
from preferences.encryption import UnreadableError
from preferences.models import Target

logger = logging.getLogger(__name__)


class TargetGone(DeliveryError):  # noqa: N818 - what has become of the target
    """The other side wants nothing any more."""

    def __init__(self, message: str) -> None:
        super().__init__(message, permanent=True)


@dataclass(frozen=True, slots=True)
class Draft:
    """What a user's address turns out to be. `secret` is stored; `shown_once` is for the user alone, and only now."""

    service: str
    hint: str
    secret: str
    shown_once: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """What is to be sent. `id` is the same at every attempt; a test has no `delivery`."""

    id: str
    notification: Notification
    is_test: bool = False
    delivery: Delivery | None = None


class TargetTransport(Transport):
    @classmethod
    @abstractmethod
    def draft(cls, address: str) -> Draft:
        """Raises TargetRefused for what cannot be used; nothing is sent."""

    @abstractmethod
    def post(self, secret: str, message: Message) -> None:
        """As `Transport.send`; raises TargetGone too."""

    def gone(self, target: Target, reason: str) -> None:
        """The other side wants nothing any more. Noted at once."""
        targets.disable(target.pk, reason)

    def why_not(self, delivery: Delivery) -> str:
        target = self._present(delivery)
        if target is None:
            return "The user has removed the target."
        if target.disabled_at is not None:
            return f"The target has been switched off: {target.last_error}"
        return ""

    def rest_seconds(self, delivery: Delivery) -> float:
        target = self._present(delivery)
        if target is None or target.resting_until is None:
            return 0
        return max(0.0, (target.resting_until - timezone.now()).total_seconds())

    def send(self, delivery: Delivery) -> None:
        target = delivery.target
        assert target is not None  # why_not has let it through
        created = int(delivery.created_at.timestamp() * 1_000_000)  # ids start anew with a new database
        self.send_to(
            target, Message(f"msg_{delivery.id}_{created}", delivery.notification, delivery=delivery)
        )

    def send_to(self, target: Target, message: Message) -> None:
        """Send, and write down at the target how it went."""
        try:
            self.post(self._secret(target), message)
        except TargetGone as gone:
            self.gone(target, str(gone))
            raise
        except DeliveryError as error:
            if error.permanent:
                targets.refused(target.pk, str(error))
            else:
                targets.failing(target.pk, str(error), pause_seconds=error.retry_after_seconds)
            raise
        try:
            targets.arrived(target.pk)
        except DatabaseError as error:  # it was sent, and is not to be sent again for a note
            logger.warning("target not noted target=%d error=%r", target.pk, str(error).strip())

    def _secret(self, target: Target) -> str:
        try:
            return targets.secret_of(target)
        except UnreadableError:
            raise DeliveryError(
                "Its address cannot be read: the site's encryption key has changed.", permanent=False
            ) from None

    def _present(self, delivery: Delivery) -> Target | None:
        """As it is now: what an earlier delivery of the same batch has found out counts."""
        delivery.target = Target.objects.filter(pk=delivery.target_id or 0).first()
        return delivery.target
