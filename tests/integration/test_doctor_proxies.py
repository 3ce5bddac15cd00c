"""What the doctor finds of the proxy before the site."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from notifcenter.doctor import mirror, outside, proxies
from notifcenter.doctor.finding import Level
from tests.deployment import nginx_config
from tests.processes import answers, daphne, free_port, running, wait_for
from tests.programs import needs
from tests.tls import certificate


@needs("nginx")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        ("", ""),
        ("Upgrade", "a websocket is answered"),
        ("Host", "400"),
        ("X-Forwarded-For", "made up"),
        ("TRUSTED_PROXIES", "not among TRUSTED_PROXIES"),
    ],
)
def test_a_proxy_with_tls(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mistake: str, said: str
) -> None:
    """The shipped one, and the same with a line or a setting forgotten."""
    made, port = certificate(tmp_path, "localhost"), free_port()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(made.authority))
    url = f"https://localhost:{port}"
    proxies = "198.51.100.1" if mistake == "TRUSTED_PROXIES" else "127.0.0.1"
    settings.TRUSTED_PROXIES = [ip_network(proxies)]
    env = {"TRUSTED_PROXIES": proxies, "SECRET_KEY": settings.SECRET_KEY}
    with daphne(tmp_path, 0, BASE_URL=url, ALLOWED_HOSTS="localhost", **env) as (inside_url, _):
        place = inside_url.removeprefix("http://")
        changes = {
            "127.0.0.1:8001": place,
            "server 127.0.0.1:8002": f"# {place}",
            "listen 80;": f"listen 127.0.0.1:{free_port()};",
            "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
            "/etc/ssl/notify.pem": str(made.chain),
            "/etc/ssl/notify.key": str(made.chain),
        }
        config = nginx_config(tmp_path, "notifcenter.conf", changes, without=mistake)
        with running(["nginx", "-p", str(tmp_path), "-c", str(config)], tmp_path / "nginx.log"):
            wait_for(lambda: answers(port), what="nginx listens")
            settings.BASE_URL = url
            found = list(outside.site())
    failed = [(text, todo) for level, text, todo in found if level is not Level.OK]
    if mistake:
        ((text, todo),) = failed
        assert (said in text, "proxy" in todo or "TRUSTED_PROXIES" in todo) == (True, True), text
    else:
        assert failed == []
        assert len(found) == 3


@pytest.mark.django_db(transaction=True)
def test_another_site_at_that_address(settings: Settings, tmp_path: Path) -> None:
    with daphne(tmp_path, ALLOWED_HOSTS="elsewhere.example.org") as (url, _):
        settings.BASE_URL = url
        assert [(level.value, "400" in text) for level, text, _ in outside.site()] == [("fail", True)]


class TestProxies:
    SEEN = mirror.Reflection("10.0.0.2", 4711, "203.0.113.9", "203.0.113.9", True)

    @pytest.mark.parametrize(
        ("changes", "level", "words"),
        [
            ({}, Level.OK, "asked from 203.0.113.9"),
            ({"forwarded": f"{proxies.MADE_UP}, 203.0.113.9"}, Level.OK, "asked from 203.0.113.9"),
            ({"peer": "203.0.113.9", "port": 5, "forwarded": proxies.MADE_UP}, Level.OK, "no proxy"),
            ({"forwarded": ""}, Level.WARN, "does not say"),
            ({"forwarded": proxies.MADE_UP}, Level.WARN, "does not say"),
            ({"peer": "10.9.0.1"}, Level.FAIL, "10.9.0.1 is a proxy"),
            ({"forwarded": f"{proxies.MADE_UP}, 10.0.0.7", "client": proxies.MADE_UP}, Level.WARN, "made up"),
            (
                {"forwarded": f"{proxies.MADE_UP}, 203.0.113.9, 10.9.0.1", "client": "10.9.0.1"},
                Level.FAIL,
                "10.9.0.1 is a proxy",
            ),
            ({"forwarded": "203.0.113.9, 10.9.0.1", "client": "10.9.0.1"}, Level.FAIL, "10.9.0.1 is a proxy"),
        ],
    )
    def test_what_reaches_the_web_process(
        self, settings: Settings, changes: dict[str, Any], level: Level, words: str
    ) -> None:
        settings.TRUSTED_PROXIES = [ip_network("10.0.0.0/24")]
        found, text, todo = proxies.judge(replace(self.SEEN, **changes), own_port=5)
        assert (found, words in text) == (level, True), text
        assert bool(todo) == (level is not Level.OK)

    def test_everybody_is_no_proxy(self, settings: Settings) -> None:
        settings.TRUSTED_PROXIES = [ip_network("0.0.0.0/0")]
        assert proxies.trusted()[0] is Level.FAIL

    def test_how_a_request_came_in_is_told_to_holders_of_the_key_only(self, client: Client) -> None:
        assert client.get(mirror.PATH).status_code == 404
        assert client.get(mirror.PATH, headers={mirror.HEADER: mirror.pass_() + "x"}).status_code == 404
        forwarded = {mirror.HEADER: mirror.pass_(), "X-Forwarded-For": "203.0.113.9"}
        seen = client.get(mirror.PATH, headers=forwarded).json()
        assert (seen["peer"], seen["client"]) == ("127.0.0.1", "203.0.113.9")
