"""What a sync changes, as a table: what the cluster says, what is here, what becomes of it."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.people import Person
from accounts.planning import Account, Change, Record, Switch, changes_for, leaves_too_many
from preferences.kinds import Channel

OLD, NEW, OWN = "old@example.org", "new@example.org", "own@example.org"
OFF = {Channel.EMAIL: False}
ON = {Channel.EMAIL: True}
KNOWN, ADMIN, LOCAL, GONE = Record(), Record(is_admin=True), Record(is_local=True), Record(is_gone=True)


def says(**more: Any) -> Person:
    return Person("alice", **more)


def here(record: Record | None = KNOWN, **more: Any) -> Account:
    return Account("alice", record=record, **more)


def becomes(record: Record = KNOWN, **more: Any) -> Change:
    return Change("alice", record, **more)


CASES: dict[str, tuple[Person | None, Account | None, Change | None]] = {
    "somebody new": (says(address=NEW), None, becomes(is_new=True, address=NEW)),
    "somebody new without an address": (says(), None, becomes(is_new=True)),
    "somebody new who wants no mail": (says(channels=OFF), None, becomes(is_new=True, switches=OFF)),
    "a new admin": (says(is_admin=True), None, becomes(ADMIN, is_new=True, is_admin=True)),
    "nothing new": (says(address=OLD, channels=ON), here(address=OLD), None),
    "known from a job only": (says(address=NEW, channels=OFF), here(None), becomes(address=NEW, switches=OFF)),
    "known from a job only, nothing to add": (says(), here(None), becomes()),
    "another address": (says(address=NEW), here(address=OLD), becomes(address=NEW)),
    "the address was removed": (says(), here(address=OLD), becomes(address="")),
    "an address that cannot be used": (says(address=None), here(address=OLD), None),
    "an address of her own": (says(address=NEW), here(address=OWN, address_is_own=True), None),
    "no address is her own choice too": (says(address=NEW), here(address="", address_is_own=True), None),
    "she had an address before": (says(address=NEW), here(None, address=OWN), becomes(keeps_address=True)),
    "mail switched off there": (says(channels=OFF), here(), becomes(switches=OFF)),
    "mail switched on again there": (
        says(channels=ON), here(switches={Channel.EMAIL: Switch(False)}), becomes(switches=ON)),
    "switched off here": (says(channels=ON), here(switches={Channel.EMAIL: Switch(False, is_own=True)}), None),
    "switched on here": (says(channels=OFF), here(switches={Channel.EMAIL: Switch(True, is_own=True)}), None),
    "nothing chosen there": (says(), here(switches={Channel.EMAIL: Switch(False)}), None),
    "became an admin": (says(is_admin=True), here(), becomes(ADMIN, is_admin=True)),
    "is no admin any more": (says(), here(ADMIN, is_staff=True, is_superuser=True), becomes(is_admin=False)),
    "rights that were taken here": (says(is_admin=True), here(ADMIN), None),
    "rights that were given here": (says(), here(is_superuser=True), None),
    "gone": (None, here(), becomes(GONE, is_active=False)),
    "gone, and deactivated here before": (None, here(is_active=False), becomes(GONE)),
    "gone already": (None, here(GONE, is_active=False), None),
    "gone, but activated here": (None, here(GONE), None),
    "back again": (says(), here(GONE, is_active=False), becomes(is_active=True)),
    "deactivated here": (says(), here(is_active=False), None),
    "never named by the cluster": (None, here(None), None),
    "a local administrator of that name": (
        says(address=NEW, is_admin=True, channels=OFF),
        here(None, address=OWN, is_staff=True, is_superuser=True, has_password=True),
        becomes(Record(is_local=True, is_admin=True), keeps_address=True, switches=OFF)),
    "a local account with a password": (says(address=NEW), here(None, has_password=True), becomes(LOCAL, address=NEW)),
    "a local administrator is gone there": (None, here(LOCAL, is_superuser=True), None),
    "a local administrator is no admin there": (
        says(), here(Record(is_local=True, is_admin=True), is_superuser=True), becomes(LOCAL)),
    "a password of later makes nobody local": (None, here(has_password=True), becomes(GONE, is_active=False)),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_becomes_of_an_account(case: str) -> None:
    person, account, change = CASES[case]
    people = {person.username: person} if person else {}
    assert changes_for(people, [account] if account else []) == ([change] if change else [])


@pytest.mark.parametrize(
    ("here", "gone", "too_many"), [(1, 0, False), (1, 1, True), (2, 1, False), (3, 2, True), (10, 5, False)]
)
def test_more_than_half_at_once_is_rather_a_mistake(here: int, gone: int, too_many: bool) -> None:
    accounts = [Account(f"user{n}", record=KNOWN) for n in range(here)]
    accounts += [Account("root", record=LOCAL), Account("left", record=GONE), Account("met", record=None)]
    people = {account.username: Person(account.username) for account in accounts[gone:here]}
    assert leaves_too_many(changes_for(people, accounts), accounts) is too_many


def test_changes_are_told_in_plain_words() -> None:
    everything = becomes(
        ADMIN, is_new=True, address=NEW, is_admin=True, switches={**OFF, Channel.WEBPORTAL: True}
    )
    assert everything.describe() == f"alice: new, address {NEW}, administrator, email off, webportal on"
    assert becomes(GONE, is_active=False).describe() == "alice: gone from the cluster, deactivated"
    assert (
        becomes(address="", is_admin=False).describe()
        == "alice: no address any more, no administrator any more"
    )
    assert becomes(is_active=True).describe() == "alice: active again"
    assert becomes().describe() == "alice: known to the cluster"
