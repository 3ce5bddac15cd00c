"""A test mail, sent at once and past the queue: it shows a user whether mail arrives, and lifts what was given up."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto

from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import EmailMessage
from django.utils import translation
from django.utils.translation import gettext, gettext_noop

from notifications.delivery import mail, pausing
from notifications.delivery.base import AddressRefused, ChannelBroken, ChannelDown, DeliveryError
from notifications.delivery.email import EmailTransport
from notifications.delivery.rendering import Message
from notifications.wording import translated, visible
from preferences import addresses
from preferences.kinds import Channel
from preferences.models import ChannelPolicy
from preferences.rules import OwnerWishes, why_not
from preferences.selectors import language_of
from preferences.wishes import site_wishes

logger = logging.getLogger(__name__)

PAUSED = gettext_noop("E-mail is paused at the moment. The administrators know; please try again later.")
TOO_SOON = f"A test mail goes out once in {addresses.TEST_PAUSE_SECONDS} seconds. Please wait a moment."


class Answer(Enum):
    """The mail server has taken or refused it, or was not asked at all."""

    TAKEN = auto()
    REFUSED = auto()
    UNAVAILABLE = auto()
    TOO_SOON = auto()


@dataclass(frozen=True, slots=True)
class Outcome:
    """`detail` is for the user."""

    answer: Answer
    detail: str

    @property
    def accepted(self) -> bool:
        return self.answer is Answer.TAKEN


def send_test_mail(user: User) -> Outcome:
    """Takes as long as one mail may take."""
    problem = _why_not(user)
    if problem:
        return Outcome(Answer.UNAVAILABLE, problem)
    if not addresses.takes_test(user=user):
        return Outcome(Answer.TOO_SOON, TOO_SOON)
    try:
        with EmailTransport() as transport:
            transport.open()
            transport.post(_compose(user))
    except DeliveryError as error:
        logger.info("test mail not taken user=%d error=%r", user.pk, str(error))
        _follow(user, error)
        return Outcome(
            Answer.REFUSED, gettext("The test mail was not taken. %(why)s") % {"why": _for_the_user(error)}
        )
    addresses.arrived(user_id=user.pk, address=user.email)
    logger.info("test mail sent user=%d", user.pk)
    taken = gettext(
        "The mail server has taken a test mail to %(address)s. If it does not show up, look among the junk mail."
    ) % {"address": user.email}
    return Outcome(Answer.TAKEN, taken)


def send_samples(address: str, messages: Iterable[Message]) -> Iterator[str]:
    """Sends them at once, past queue, pauses and preferences; yields the subject of each that the mail server takes.

    Raises DeliveryError.
    """
    with EmailTransport() as transport:
        for one in messages:
            composed = mail.mail_to(address, one, headers={})
            transport.open()
            transport.post(composed)
            yield str(composed.subject)


def _why_not(user: User) -> str:
    paused = ChannelPolicy.objects.filter(channel=Channel.EMAIL, paused=True).exists()
    owner = OwnerWishes(channels={}, has_address=bool(user.email))
    return translated(why_not(Channel.EMAIL, owner=owner, site=site_wishes()) or (PAUSED if paused else ""))


def _follow(user: User, error: DeliveryError) -> None:
    if isinstance(error, AddressRefused):
        addresses.refused(user_id=user.pk, address=user.email, error=str(error))
    elif isinstance(error, ChannelBroken):
        pausing.pause_by_itself(Channel.EMAIL, reason=str(error))


def _for_the_user(error: DeliveryError) -> str:
    """What the server says of a mail or an address is the user's; how the site stands with its server is not."""
    match error:
        case ChannelBroken():
            return gettext("The mail server does not take mail from this site. The administrators know.")
        case ChannelDown():
            return gettext("The mail server cannot be reached at the moment. Please try again later.")
        case _:
            return str(error)


def _compose(user: User) -> EmailMessage:
    with translation.override(language_of(user=user)):
        return mail.mail_to(user.email, message(user), headers={})


def message(user: User) -> Message:
    context = {
        "cluster": visible(settings.CLUSTER_NAME),
        "username": user.get_username(),
        "preferences_url": f"{settings.BASE_URL}/profile/",
    }
    return Message("test", context)
