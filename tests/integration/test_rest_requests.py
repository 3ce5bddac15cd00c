"""What holds for every request of the REST: bodies, methods, and the schema."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from tests.clients import client_of, send
from tests.inbox import LIST, MARK_READ, UNREAD

pytestmark = pytest.mark.django_db


class TestBodies:
    @pytest.mark.parametrize(
        ("body", "kind", "status"),
        [
            (b"{", "application/json", 400),
            (b"", "application/json", 400),
            (b"\xff\xfe", "application/json", 400),
            (b'{"up_to": NaN}', "application/json", 400),
            (b'{"up_to": ' + b"1" * 10_000 + b"}", "application/json", 400),
            (b"[" * 100_000, "application/json", 400),
            (b'{"\\ud800": 1}', "application/json", 400),
            (b'{"up_to": 1}' + b" " * 1024 * 1024, "application/json", 413),
            (b"up_to=1", "application/x-www-form-urlencoded", 415),
            (b"<up_to>1</up_to>", "application/xml", 415),
        ],
        ids=[
            "cut",
            "empty",
            "no UTF-8",
            "NaN",
            "huge number",
            "deep",
            "half a character",
            "too large",
            "form",
            "XML",
        ],
    )
    def test_a_body_that_cannot_be_used(self, browser: Client, body: bytes, kind: str, status: int) -> None:
        answer = browser.generic("POST", MARK_READ, body, content_type=kind)
        assert answer.status_code == status
        assert answer.json()

    @pytest.mark.parametrize(
        ("method", "path"),
        [("POST", LIST), ("DELETE", f"{LIST}1/"), ("PUT", f"{LIST}1/"), ("GET", MARK_READ)],
    )
    def test_other_methods_are_not_allowed(self, browser: Client, method: str, path: str) -> None:
        assert send(browser, method, path, {}).status_code == 405


class TestSchema:
    def test_it_is_generated_without_a_warning(self, tmp_path: Any) -> None:
        call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "schema.yaml"))

    def test_everybody_can_read_it(self) -> None:
        schema = client_of().get("/api/schema/", headers={"Accept": "application/vnd.oai.openapi+json"})
        assert schema.status_code == 200
        paths = schema.json()["paths"]
        assert {LIST, LIST + "{notification_id}/", MARK_READ, UNREAD, "/api/v1/preferences/"} <= set(paths)
        query = {one["name"] for one in paths[LIST]["get"]["parameters"]}
        assert {"unread", "archived", "event", "job", "q", "after", "cursor", "page_size"} <= query
        assert client_of().get("/api/docs/").status_code == 200
