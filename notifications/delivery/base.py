"""What a channel has to bring along, and how it says that something went wrong."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from notifications.models import Delivery
from notifications.wording import one_line

MAX_ERROR_CHARACTERS = 1000


class DeliveryError(Exception):
    """One delivery failed. `permanent`: trying it again cannot help. `retry_after_seconds`: nor can it before then."""

    def __init__(self, message: str, *, permanent: bool, retry_after_seconds: float = 0) -> None:
        super().__init__(one_line(message)[:MAX_ERROR_CHARACTERS])
        self.permanent = permanent
        self.retry_after_seconds = retry_after_seconds


class AddressRefused(DeliveryError):  # noqa: N818
    """The other side says for good that nothing can be delivered to this address."""

    def __init__(self, message: str) -> None:
        super().__init__(message, permanent=True)


class Stalled(DeliveryError):  # noqa: N818
    """The other side took too long. It counts, since it may be because of this delivery; but the channel rests."""

    def __init__(self, message: str) -> None:
        super().__init__(message, permanent=False)


class ChannelDown(DeliveryError):  # noqa: N818 - a state of the channel rather than an error of a delivery
    """Nothing can be sent through this channel now, so that no delivery's attempt is used up."""

    def __init__(self, message: str) -> None:
        super().__init__(message, permanent=False)


class ChannelBroken(ChannelDown):
    """Nothing can be sent through this channel until somebody mends something: it pauses, and admins are told."""


class Transport(ABC):
    """Sends deliveries of one channel, one after the other; used as a context manager by one thread.

    A delivery comes with its notification, the user and the user's preference already loaded.
    """

    def why_not(self, delivery: Delivery) -> str:
        """Why this delivery has become pointless, such as a user without an address; '' when it has not."""
        return ""

    def announce(self, deliveries: Sequence[Delivery]) -> None:
        """What will be sent next, for a channel that can take several at once."""
        return

    def rest_seconds(self, delivery: Delivery) -> float:
        """How long this one is better left alone; 0 for not at all. It counts as no attempt."""
        return 0

    def open(self) -> None:
        """Get ready to send; called before each one. Raises ChannelDown."""
        return

    @abstractmethod
    def send(self, delivery: Delivery) -> None:
        """Return when the other side has taken responsibility. Raises DeliveryError or ChannelDown."""

    def to_note(self, delivery: Delivery, error: DeliveryError | None) -> Callable[[], None] | None:
        """What is to be done in the transaction that notes the delivery as sent, or as failed because of `error`."""
        return None

    def close(self) -> None:
        """Let go of everything. Never raises."""
        return

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
