"""What has to change here so that it says what the cluster says. Pure.

What a user has chosen here holds for ever; everything else follows the cluster. Rights follow only when the cluster
changes its mind, so that what an administrator gave or took here in between stays. An account that had a password or
rights of its own before the cluster first named it keeps both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from accounts.people import Person
from preferences.kinds import Channel


@dataclass(frozen=True, slots=True)
class Record:
    """What the cluster last said of an account; see the model ClusterAccount."""

    is_local: bool = False
    is_admin: bool = False
    is_gone: bool = False


@dataclass(frozen=True, slots=True)
class Switch:
    """A channel's master switch. `is_own`: set by its user, here."""

    enabled: bool = True
    is_own: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """A user as known here. `record` is None as long as the cluster has not named them."""

    username: str
    address: str = ""
    address_is_own: bool = False
    is_active: bool = True
    is_staff: bool = False
    is_superuser: bool = False
    has_password: bool = False
    switches: Mapping[Channel, Switch] = field(default_factory=dict)
    record: Record | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What is to become of one account. None: stays as it is."""

    username: str
    record: Record
    is_new: bool = False
    address: str | None = None
    keeps_address: bool = False
    is_active: bool | None = None
    is_admin: bool | None = None
    switches: Mapping[Channel, bool] = field(default_factory=dict)

    def describe(self) -> str:
        """One line of plain text."""
        words = ["new"] if self.is_new else []
        if self.address is not None:
            words.append(f"address {self.address}" if self.address else "no address any more")
        if self.is_active is not None:
            words.append("active again" if self.is_active else "gone from the cluster, deactivated")
        if self.is_admin is not None:
            words.append("administrator" if self.is_admin else "no administrator any more")
        words += [f"{channel.value} {'on' if on else 'off'}" for channel, on in self.switches.items()]
        return f"{self.username}: {', '.join(words) or 'known to the cluster'}"


def changes_for(people: Mapping[str, Person], accounts: Iterable[Account]) -> list[Change]:
    """By user name; `accounts` are all that the cluster has ever named, and all of the same names."""
    known = {account.username: account for account in accounts}
    changes = []
    for username in sorted({*people, *known}):
        person, account = people.get(username), known.get(username)
        change = _follow(person, account) if person else _leave(known[username])
        if change:
            changes.append(change)
    return changes


def leaves_too_many(changes: Iterable[Change], accounts: Iterable[Account]) -> bool:
    """Whether more than half of those whom the cluster decides about would go: rather a mistake than a fact."""
    here = sum(1 for one in accounts if one.record and not (one.record.is_local or one.record.is_gone))
    return 2 * sum(1 for change in changes if change.record.is_gone) > here


def _follow(person: Person, account: Account | None) -> Change | None:
    if account is None:
        return Change(
            person.username,
            Record(is_admin=person.is_admin),
            is_new=True,
            address=person.address or None,
            is_admin=person.is_admin or None,
            switches={channel: on for channel, on in person.channels.items() if not on},
        )
    before = account.record
    local = before.is_local if before else _has_own_life(account)
    record = Record(is_local=local, is_admin=person.is_admin)
    said_before = before.is_admin if before else False
    keeps = before is None and bool(account.address) and not account.address_is_own
    follows_address = not (account.address_is_own or keeps) and person.address is not None
    change = Change(
        person.username,
        record,
        address=person.address if follows_address and person.address != account.address else None,
        keeps_address=keeps,
        is_active=True if before and before.is_gone and not account.is_active else None,
        is_admin=person.is_admin if not local and person.is_admin != said_before else None,
        switches={
            channel: on
            for channel, on in person.channels.items()
            if not (present := account.switches.get(channel, Switch())).is_own and present.enabled != on
        },
    )
    nothing = before == record and change == Change(person.username, record, keeps_address=keeps)
    return None if nothing else change


def _leave(account: Account) -> Change | None:
    record = account.record
    if record is None or record.is_local or record.is_gone:
        return None
    gone = Record(is_admin=record.is_admin, is_gone=True)
    return Change(account.username, gone, is_active=False if account.is_active else None)


def _has_own_life(account: Account) -> bool:
    return account.has_password or account.is_staff or account.is_superuser
