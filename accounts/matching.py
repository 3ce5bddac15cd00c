"""Which user of the cluster somebody is whom an OpenID Connect provider has signed in.

The provider is trusted to say who somebody is, as the cluster's own portal trusts it. Not trusted is that a name of
there always means the same person: the first sign-in ties the provider's account (issuer and subject, which never
change) to the user of that name, and from then on the tie decides.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from accounts.models import ClusterAccount, ProviderAccount
from accounts.people import USERNAME

logger = logging.getLogger(__name__)

MAX_SUBJECT = 255
"""Characters of a subject, as OpenID Connect Core, section 2 has it."""


class SignInRefusedError(Exception):
    """The sign-in ends here; the message says why and is safe to show."""


def username_of(claims: Mapping[str, Any], *, claim: str, domain: str) -> str:
    """The user name that the provider's claims stand for; with `domain`, only of its accounts. Pure."""
    value = claims.get(claim)
    if not isinstance(value, str) or not value:
        raise SignInRefusedError(f"The provider does not tell your user name (the claim {claim!r}).")
    if claim == "email" and claims.get("email_verified") is not True:
        raise SignInRefusedError("The provider has not verified that the mail address is yours.")
    if domain:
        value, _, theirs = value.rpartition("@")
        if theirs.lower() != domain.lower():
            raise SignInRefusedError(f"Only accounts of {domain} may sign in here.")
    if not USERNAME.fullmatch(value):
        raise SignInRefusedError("What the provider calls you is no user name of this cluster.")
    return value


@transaction.atomic
def user_of(*, issuer: str, subject: object, username: str, create: bool) -> User:
    """The active user of this account at the provider, tied to it now if it was not before.

    With `create`, somebody who is not known here becomes a user without a password.
    """
    if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT or not subject.isprintable():
        raise SignInRefusedError("The provider does not tell who you are (the claim 'sub').")
    tie = ProviderAccount.objects.select_related("user").filter(issuer=issuer, subject=subject).first()
    user = tie.user if tie else _tied(_named(username, create), issuer, subject)
    if not user.is_active:
        raise SignInRefusedError("This user has been deactivated.")
    return user


def _named(username: str, create: bool) -> User:
    """The provider's names know no case; of several users here that differ in it only, it must be the exact one."""
    found = list(User.objects.select_for_update(no_key=True).filter(username__iexact=username).order_by("pk"))
    exact = [user for user in found if user.username == username]
    if exact or len(found) == 1:
        return (exact or found)[0]
    if found:
        raise SignInRefusedError(
            f"There are several users named {username} here, but for upper and lower case."
        )
    if not create:
        raise SignInRefusedError(f"{username} is not known here yet. Submit a job, or ask an administrator.")
    user, is_new = User.objects.get_or_create(username=username)
    if is_new:
        user.set_unusable_password()
        user.save(update_fields=["password"])
        logger.info("user made at sign-in user=%s", user.pk)
    return user


def _tied(user: User, issuer: str, subject: str) -> User:
    """Raises SignInRefusedError when only an administrator may tie this user to an account at the provider."""
    if ProviderAccount.objects.filter(user=user).exists():
        raise SignInRefusedError(
            f"{user.username} belongs to another account of the provider. Ask an administrator."
        )
    if not user.is_active:
        return user
    if user.has_usable_password() or (_has_rights(user) and not _has_them_from_the_cluster(user)):
        raise SignInRefusedError(
            f"{user.username} has a password or rights of this site, and is not handed over by its name alone. "
            "Ask an administrator."
        )
    ProviderAccount.objects.create(user=user, issuer=issuer, subject=subject)
    logger.info("user tied to provider user=%s", user.pk)
    return user


def _has_rights(user: User) -> bool:
    return user.is_staff or user.is_superuser


def _has_them_from_the_cluster(user: User) -> bool:
    return ClusterAccount.objects.filter(user=user, is_local=False, is_admin=True).exists()
