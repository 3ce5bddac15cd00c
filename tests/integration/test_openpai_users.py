"""GET and PUT /api/v2/users/<name>: the two switches on the profile page of OpenPAI's own portal."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from preferences.models import ChannelPreference
from tests.clients import client_of, get, send

pytestmark = pytest.mark.django_db

ALICE = "/api/v2/users/alice"
KEY = "getJobStatusChangeNotificationBy"


def choose(**switches: Any) -> dict[str, Any]:
    return {"extension": {KEY: switches}}


def chosen(client: Client, path: str = ALICE) -> dict[str, bool]:
    switches: dict[str, bool] = get(client, path)["extension"][KEY]
    return switches


def test_a_user_has_openpais_shape(browser: Client) -> None:
    assert get(browser, ALICE) == get(browser, f"{ALICE}/") == get(browser, "/api/v2/users/me") == {
        "username": "alice",
        "email": "alice@example.org",
        "admin": False,
        "grouplist": [],
        "virtualCluster": [],
        "storageConfig": [],
        "extension": {KEY: {"email": True, "webportal": True}},
    }  # fmt: skip


BODIES: dict[str, tuple[str, dict[str, Any]]] = {
    "as the user's own client sends it": (
        "/api/v2/users/me",
        {"data": {"username": "alice", **choose(email=False)}, "patch": True},
    ),
    "as an administrator's client sends it": (ALICE, {"data": {"username": "alice", **choose(email=False)}}),
    "as older portals send it": (f"{ALICE}/extension", choose(email=False)),
    "plain": (ALICE, choose(email=False)),
}


@pytest.mark.parametrize("case", BODIES)
def test_a_switch_is_the_master_switch_of_its_channel(browser: Client, alice: User, case: str) -> None:
    path, body = BODIES[case]
    ChannelPreference.objects.create(user=alice, channel="email", events=["failed"])
    answer = send(browser, "PUT", path, body)
    assert answer.status_code == 201
    assert answer.json()["message"] == "Update user alice successfully"
    assert chosen(browser) == answer.json()["extension"][KEY] == {"email": False, "webportal": True}
    channels = get(browser, "/api/v1/preferences/")["channels"]
    assert channels["email"]["enabled"] is False
    assert [event for event, on in channels["email"]["events"].items() if on] == ["failed"]
    send(browser, "PUT", path, choose(email=True, webportal=False))
    assert chosen(browser) == {"email": True, "webportal": False}


def test_a_body_that_does_not_call_itself_json_is_read(browser: Client) -> None:
    answer = browser.generic("PUT", ALICE, json.dumps(choose(email=False)), content_type="text/plain")
    assert answer.status_code == 201
    assert chosen(browser)["email"] is False


def test_what_was_read_can_be_sent_back_and_the_address_changed(browser: Client, alice: User) -> None:
    user = get(browser, ALICE)
    assert send(browser, "PUT", ALICE, {"data": user}).status_code == 201
    assert send(browser, "PUT", ALICE, {"data": {**user, "email": "a@example.com"}}).status_code == 201
    assert get(browser, ALICE) == {**user, "email": "a@example.com"}
    alice.refresh_from_db()
    assert alice.email == "a@example.com"


def test_an_administrator_may_change_anybody(alice: User, root: User) -> None:
    client = client_of(root)
    assert get(client, ALICE)["username"] == "alice"
    assert get(client, "/api/v2/users/root")["admin"] is True
    assert send(client, "PUT", ALICE, choose(webportal=False)).status_code == 201
    assert chosen(client) == {"email": True, "webportal": False}
    assert chosen(client, "/api/v2/users/root") == {"email": True, "webportal": True}


@pytest.mark.parametrize("path", ["/api/v2/users/bob", "/api/v2/users/nobody", "/api/v2/users/bob/extension"])
def test_other_users_do_not_exist(browser: Client, bob: User, path: str) -> None:
    for method in ("GET", "PUT"):
        assert send(browser, method, path, choose(email=False)).status_code == 404
    assert not ChannelPreference.objects.exists()


def test_to_an_administrator_unknown_names_do_not_exist(root: User) -> None:
    for name in ("nobody", "%00", "%0a", "x" * 300, "..%2fadmin"):
        assert client_of(root).get(f"/api/v2/users/{name}").status_code == 404


@pytest.mark.parametrize(
    ("body", "where", "message"),
    [
        ({"password": "secret-1"}, ["password"], "kept by OpenPAI's REST server"),
        ({"data": {"admin": True}}, ["admin"], "kept by OpenPAI's REST server"),
        ({"data": {"username": "bob"}}, ["username"], "kept by OpenPAI's REST server"),
        ({"extension": {"sshKeys": []}}, ["extension", "sshKeys"], "kept by OpenPAI's REST server"),
        (choose(pigeon=True), ["extension", KEY, "pigeon"], "Use: email, webportal."),
        (choose(email="yes"), ["extension", KEY, "email"], "Must be true or false."),
        ({"extension": []}, ["extension", "non_field_errors"], "Must be a JSON object."),
        ({"data": None}, ["non_field_errors"], "No data provided"),
        (["data"], ["non_field_errors"], "Must be a JSON object."),
        ({"email": "no address"}, ["email"], "valid email"),
    ],
)
def test_what_cannot_be_kept_here_is_refused_by_name_and_changes_nothing(
    browser: Client, body: Any, where: list[str], message: str
) -> None:
    before = get(browser, ALICE)
    answer = send(browser, "PUT", ALICE, body)
    assert answer.status_code == 400
    found = answer.json()
    for key in where:
        found = found[key]
    assert message in found[0]
    assert get(browser, ALICE) == before


def test_a_stranger_may_nothing_and_a_session_needs_the_csrf_token(alice: User) -> None:
    for method in ("GET", "PUT"):
        assert send(client_of(), method, ALICE, choose(email=False)).status_code == 401
    assert send(client_of(alice, enforce_csrf_checks=True), "PUT", ALICE, {}).status_code == 403
