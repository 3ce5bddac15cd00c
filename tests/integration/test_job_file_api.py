"""POST /api/v1/job-file/."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.clients import client_of, send

URL = "/api/v1/job-file/"
FILE = "\ufeff# Mine.\r\nname:  x   # two\r\nextras: {}"


def post(client: Client, body: Any) -> Any:
    return send(client, "POST", URL, body)


@pytest.mark.parametrize("key", ["waiting_too_long", "waitingTooLong"])
def test_it_gives_the_file_back_with_the_block(browser: Client, key: str) -> None:
    answer = post(browser, {"yaml": FILE, "events": {"failed": True, "running": False, key: 90}})
    assert answer.status_code == 200
    assert answer.json() == {
        "yaml": FILE[:-1]
        + "jobStatusChangeNotification: {running: false, failed: true, waitingTooLong: 90}}",
        "warnings": [],
    }


def test_white_space_around_the_file_stays(browser: Client) -> None:
    answer = post(browser, {"yaml": "\n\n  a: 1\n\n \n", "events": {"failed": True}})
    assert answer.json()["yaml"].startswith("\n\n  a: 1\n\n \n  extras:\n")


def test_what_the_old_block_loses_is_a_warning(browser: Client) -> None:
    old = "extras:\n  jobStatusChangeNotification: {stopped: maybe}\n"
    (warning,) = post(browser, {"yaml": old, "events": {"waiting_too_long": True}}).json()["warnings"]
    assert "`stopped` must be true or false" in warning


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ({"yaml": "a: [", "events": {}}, "yaml", "no valid YAML: line"),
        ({"yaml": "a: 1\n---\nb: 1", "events": {}}, "yaml", "several documents"),
        ({"yaml": "x" * 300_000, "events": {}}, "yaml", "larger than 255 KB"),
        ({"yaml": "a: \ud800", "events": {}}, "yaml", "urrogate"),
        ({"yaml": "", "events": {}}, "yaml", "may not be blank"),
        ({"yaml": {"a": 1}, "events": {}}, "yaml", "Not a valid string"),
        ({"events": {}}, "yaml", "required"),
        ({"yaml": "a: 1"}, "events", "required"),
        ({"yaml": "a: 1", "events": ["failed"]}, "events", "JSON object"),
        ({"yaml": "a: 1", "events": {"failed": 1}}, "failed", "true or false"),
        ({"yaml": "a: 1", "events": {"failed": None}}, "failed", "null"),
        ({"yaml": "a: 1", "events": {"exploded": True}}, "exploded", "no such field"),
        ({"yaml": "a: 1", "events": {"waiting_too_long": 0}}, "waiting_too_long", "greater than or equal to 1"),
        ({"yaml": "a: 1", "events": {"waiting_too_long": 43201}}, "waiting_too_long", "less than or equal to"),
        ({"yaml": "a: 1", "events": {"waiting_too_long": "x"}}, "waiting_too_long", "true, false or a whole"),
        ({"yaml": "a: 1", "events": {"waiting_too_long": True, "waitingTooLong": 5}}, "events", "not both"),
        ({"yaml": "a: 1", "events": {}, "file": 1}, "file", "no such field"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_with_the_reason(
    browser: Client, body: Any, field: str, message: str
) -> None:
    answer = post(browser, body)
    assert answer.status_code == 400
    text = answer.content.decode()
    assert field in text
    assert message in text


def test_a_body_without_bounds_is_refused(browser: Client) -> None:
    assert post(browser, {"yaml": "x" * 1_100_000, "events": {}}).status_code == 413


def test_it_is_for_those_who_are_signed_in(db: None, client: Client, alice: User) -> None:
    assert post(client, {"yaml": "a: 1", "events": {}}).status_code == 401
    strict = client_of(alice, enforce_csrf_checks=True)
    assert post(strict, {"yaml": "a: 1", "events": {}}).status_code == 403
