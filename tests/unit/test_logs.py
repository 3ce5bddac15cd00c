"""One line an event, whatever is in it; fields that nobody can forge; no secret of ours."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator

import pytest
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from pytest_django import Settings

from notifcenter import logs

HOSTILE = "job\nERROR notifications forged user=root\r\x1b[2J\u2028\u202egnp.exe\x00\x85 \ud800"


def record(message: str, *values: object, trouble: bool = False) -> logging.LogRecord:
    exc_info = None
    if trouble:
        try:
            raise ValueError(HOSTILE)
        except ValueError:
            exc_info = sys.exc_info()
    return logging.LogRecord("notifications.x", logging.WARNING, "x.py", 1, message, values, exc_info)


@pytest.fixture(autouse=True)
def outside_a_request() -> Iterator[None]:
    token = logs.request_id.set("")
    logs._secrets.cache_clear()
    yield
    logs.request_id.reset(token)
    logs._secrets.cache_clear()


@pytest.mark.parametrize("formatter", [logs.Lines(), logs.Json()])
@pytest.mark.parametrize("message", ["put aside framework=%s", "put aside framework=%r"])
@pytest.mark.parametrize("trouble", [False, True])
def test_an_event_is_one_line(formatter: logging.Formatter, message: str, trouble: bool) -> None:
    line = formatter.format(record(message, HOSTILE, trouble=trouble))
    assert line.splitlines() == [line]
    assert line.isprintable()
    assert line.encode()
    assert ("ValueError" in line) is trouble


@pytest.mark.parametrize("formatter", [logs.Lines(), logs.Json()])
def test_a_bad_request_takes_one_short_line(formatter: logging.Formatter) -> None:
    one = record("Invalid HTTP_HOST header: %r", "evil.example")
    one.exc_info = (DisallowedHost, DisallowedHost("evil.example"), None)
    line = formatter.format(one)
    assert "evil.example" in line
    assert "DisallowedHost" not in line


def test_json_has_a_field_for_each_key_of_the_message() -> None:
    line = json.loads(
        logs.Json().format(record("sent delivery=%d channel=%s 100%% took=%.1f", 7, "email", 0.5))
    )
    assert line["message"] == "sent delivery=7 channel=email 100% took=0.5"
    assert line["fields"] == {"delivery": 7, "channel": "email", "took": 0.5}
    assert (line["level"], line["logger"]) == ("WARNING", "notifications.x")


def test_a_value_cannot_become_another_field() -> None:
    line = json.loads(logs.Json().format(record("put aside framework=%s error=%r", "x user=root", "e")))
    assert line["fields"] == {"framework": "x user=root", "error": "e"}


@pytest.mark.parametrize("formatter", [logs.Lines(), logs.Json()])
def test_our_secrets_are_taken_out(formatter: logging.Formatter, settings: Settings) -> None:
    settings.PAI_JWT_SECRET, settings.EMAIL_HOST_PASSWORD = "the-cluster's secret", "hunter22"
    settings.METRICS_TOKEN = "a"
    line = formatter.format(record("a refused error=%s", "hunter22 / the-cluster's secret"))
    assert "hunter22" not in line
    assert "cluster" not in line
    assert "a refused" in line, "a secret of one letter protects nothing"


@pytest.mark.parametrize("formatter", [logs.Lines(), logs.Json()])
def test_so_are_those_that_json_writes_otherwise_and_those_in_addresses(
    formatter: logging.Formatter, settings: Settings
) -> None:
    settings.EMAIL_HOST_PASSWORD = 'quo"ted-pässword'
    settings.CELERY_BROKER_URL = "redis://:first%2Fone@a:6379/0;redis://:second-one@b:6379/0"
    settings.VAPID_PRIVATE_KEY = "private-key-of-pushes"
    line = formatter.format(
        record("refused error=%s", 'quo"ted-pässword first%2Fone first/one second-one private-key-of-pushes')
    )
    assert line.count("[secret]") == (5 if isinstance(formatter, logs.Lines) else 10), line
    assert "ssword" not in line


class TestRequests:
    @pytest.mark.parametrize(
        ("given", "taken"),
        [("abc-1.2_3", True), ("", False), ("x" * 65, False), ("a b", False), ("a\nb", False), ("ä", False)],
    )
    def test_each_has_a_number(self, given: str, taken: bool) -> None:
        request, seen = HttpRequest(), []

        def answer(_: HttpRequest) -> HttpResponse:
            seen.append(logs.Lines().format(record("in the middle")))
            return HttpResponse()

        request.META["HTTP_X_REQUEST_ID"] = given
        response = logs.request_ids(answer)(request)
        assert isinstance(response, HttpResponse)
        number = response["X-Request-ID"]
        assert (number == given) is taken
        assert seen[0].endswith(f"in the middle request_id={number}")

    def test_access_has_no_token(self, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level("INFO", "notifcenter.access"):
            details = {
                "method": "POST",
                "status": 200,
                "size": 5,
                "time_taken": 0.0123,
                "client": "127.0.0.1:1",
            }
            logs.access("http", "complete", {**details, "path": "/unsubscribe/a:signed:token/?code=c"})
            logs.access("websocket", "connected", {"path": "/ws/notifications/"})
            logs.access("http", "something else", {})
        assert caplog.messages == [
            "request method=POST path='/unsubscribe/…/' status=200 bytes=5 milliseconds=12",
            "websocket action=connected path='/ws/notifications/'",
        ]
