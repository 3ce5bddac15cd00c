"""`notifcenter doctor` finds what is broken, says what to do, and ends in time."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from notifcenter.doctor import inside, outside
from notifcenter.doctor.finding import Level, look, ok
from tests.brokers import Redis
from tests.database import sql
from tests.processes import daphne, environment, free_port, manage, poller, worker
from tests.smtp import SmtpServer, use
from tests.tokens import SECRET

SECRETS = {"SECRET_KEY": "a-key-that-is-only-for-this-test-and-" * 2, "PAI_JWT_SECRET": SECRET + "x" * 32}
LOGIN = ("notifcenter", "mail-password")


def doctor(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        manage("doctor", *arguments),
        env=environment(**env),
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def by_check(done: subprocess.CompletedProcess[str]) -> dict[str, list[dict[str, Any]]]:
    assert not done.stderr, done.stderr
    found: dict[str, list[dict[str, Any]]] = {}
    for one in json.loads(done.stdout)["checks"]:
        found.setdefault(one["check"], []).append(one)
    return found


def refused() -> str:
    return f"127.0.0.1:{free_port()}"


@pytest.fixture
def deaf() -> Iterator[str]:
    """Takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.django_db(transaction=True)
def test_a_whole_site_is_well_and_a_stopped_one_is_not(tmp_path: Path) -> None:
    with ExitStack() as stack:
        mails = stack.enter_context(SmtpServer(login=LOGIN))
        broker = Redis(tmp_path)
        broker.start()
        stack.callback(broker.close)
        env = {
            **SECRETS,
            "CELERY_BROKER_URL": broker.url,
            "EMAIL_URL": f"smtp://{LOGIN[0]}:{LOGIN[1]}@127.0.0.1:{mails.port}",
            "DEFAULT_FROM_EMAIL": "notifcenter@example.org",
        }
        url, _ = stack.enter_context(daphne(tmp_path, 0, **env))
        env["BASE_URL"] = url
        stack.enter_context(poller(tmp_path, **env))
        stack.enter_context(worker(tmp_path, **env))

        done = doctor("--send-to", "root@example.org", **env)
        assert done.returncode == 0, done.stdout + done.stderr
        lines = [line for line in done.stdout.splitlines() if not line.startswith(" ")]
        assert {line.split()[0] for line in lines} == {"ok", "warn"}
        assert [line for line in lines if line.startswith("warn")] == [
            f"warn  mail          127.0.0.1:{mails.port} takes the login, which passes there in the clear"
        ]
        assert "websockets come through" in done.stdout
        assert "no proxy stands between" in done.stdout
        assert mails.recipients == ["root@example.org"]
        for secret in (*SECRETS.values(), LOGIN[1], "postgres:@"):
            assert secret not in done.stdout

    done = doctor("--json", **env)
    assert done.returncode == 1
    found = by_check(done)
    failed = {name for name, some in found.items() if any(one["level"] == "fail" for one in some)}
    assert failed == {"broker", "worker", "mail"}
    assert all(one["todo"] for some in found.values() for one in some if one["level"] != "ok")
    assert found["site"][0]["level"] == "warn"


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_is_named_and_the_rest_still_looked_at() -> None:
    done = doctor("--json", DATABASE_URL=f"postgresql://nobody:dbsecret@{refused()}/none", **SECRETS)
    found = by_check(done)
    assert done.returncode == 1
    assert found["database"][0]["level"] == "fail"
    assert "DATABASE_URL" in found["database"][0]["todo"]
    assert not {"migrations", "capture", "poller"} & set(found)
    assert "mail" in found
    assert "dbsecret" not in done.stdout


@pytest.mark.parametrize("command", [["migrate"], ["capture", "check"], ["createsuperuser"]])
def test_any_command_says_in_one_line_that_the_database_is_away(command: list[str]) -> None:
    away = environment(DATABASE_URL=f"postgresql://nobody:dbsecret@{refused()}/none", **SECRETS)
    done = subprocess.run(manage(*command), env=away, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert ("DATABASE_URL" in line, "dbsecret" in line) == (True, False), line


@pytest.mark.django_db
class TestTheDatabase:
    def level(self, name: str) -> tuple[Level, str]:
        found = inside.part(name, "fine")()  # in this thread, whose transaction it has to see
        assert isinstance(found, tuple)
        return found[0], found[2]

    def test_a_capture_that_is_gone(self) -> None:
        sql("DROP TRIGGER notifcenter_capture ON frameworks")
        level, todo = self.level("capture")
        assert (level, "capture install" in todo) == (Level.FAIL, True)

    def test_no_poller(self) -> None:
        level, todo = self.level("poller")
        assert (level, "poll_frameworks" in todo) == (Level.FAIL, True)

    def test_the_clocks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert inside.clock()[0] is Level.OK
        monkeypatch.setattr(inside, "LATE_CLOCK_SECONDS", -1)
        assert inside.clock()[0] is Level.WARN
        monkeypatch.setattr(inside, "WRONG_CLOCK_SECONDS", -1)
        assert inside.clock()[0] is Level.FAIL


class TestSettings:
    @pytest.mark.parametrize(
        ("key", "level"),
        [
            ("short", Level.FAIL),
            ("a" * 60, Level.FAIL),
            ("django-insecure-" + SECRETS["SECRET_KEY"], Level.FAIL),
        ],
    )
    def test_a_key_that_can_be_guessed(self, settings: Settings, key: str, level: Level) -> None:
        settings.SECRET_KEY = key
        ((found, _, todo),) = inside.secret_key()
        assert (found, "openssl" in todo) == (level, True)

    def test_debugging_is_no_way_to_run(self, settings: Settings) -> None:
        settings.SECRET_KEY, settings.DEBUG = SECRETS["SECRET_KEY"], True
        assert [level for level, _, _ in inside.secret_key()] == [Level.OK, Level.FAIL]

    @pytest.mark.parametrize(
        ("url", "allowed", "levels"),
        [
            ("https://notify.example.org", ["notify.example.org"], ["ok"]),
            ("https://notify.example.org", [".example.org"], ["ok"]),
            ("https://notify.example.org", ["example.org"], ["fail"]),
            ("https://notify.example.org", ["*"], ["warn"]),
            ("http://notify.example.org", ["notify.example.org"], ["ok", "warn"]),
            ("http://127.0.0.1:8000", ["127.0.0.1"], ["ok"]),
        ],
    )
    def test_names_and_addresses(
        self, settings: Settings, url: str, allowed: list[str], levels: list[str]
    ) -> None:
        settings.BASE_URL, settings.ALLOWED_HOSTS = url, allowed
        assert [level.value for level, _, _ in inside.hosts()] == levels

    @pytest.mark.parametrize(
        ("address", "level"),
        [("notifcenter@localhost", "warn"), ("Jobs <jobs@mail>", "warn"), ("Jobs <jobs@example.org>", "ok")],
    )
    def test_the_address_that_mails_come_from(self, settings: Settings, address: str, level: str) -> None:
        settings.EMAIL_CONFIGURED, settings.DEFAULT_FROM_EMAIL = True, address
        assert inside.sender()[0] == level

    @pytest.mark.parametrize(("secret", "level"), [("", "ok"), ("pai-secret", "warn"), ("x" * 40, "ok")])
    def test_the_secret_of_tokens(self, settings: Settings, secret: str, level: str) -> None:
        settings.PAI_JWT_SECRET = secret
        assert inside.tokens()[0] == level


class TestWhatDoesNotAnswer:
    def test_a_mail_server_that_refuses_the_login(self, settings: Settings) -> None:
        with SmtpServer(login=LOGIN) as server:
            settings.EMAIL_CONFIGURED = True
            settings.EMAIL_BACKEND = "notifications.delivery.bounded_smtp.EmailBackend"
            settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
            settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "somebody", "wrong-password"
            level, text, todo = outside.mail()
        assert (level, "EMAIL_URL" in todo, "wrong-password" in text) == (Level.FAIL, True, False)

    def test_a_mail_server_that_answers_gets_no_mail(self, settings: Settings) -> None:
        with SmtpServer() as server:
            use(settings, server)
            assert outside.mail()[0] is Level.OK
            assert (server.connections, server.messages) == (1, [])

    def test_a_mail_server_that_says_nothing(self, settings: Settings, deaf: str) -> None:
        settings.EMAIL_CONFIGURED = True
        settings.EMAIL_BACKEND = "notifications.delivery.bounded_smtp.EmailBackend"
        settings.EMAIL_TIMEOUT, settings.DELIVERY_LEASE_SECONDS = 0.3, 1
        settings.EMAIL_HOST, _, port = deaf.partition(":")
        settings.EMAIL_PORT = int(port)
        assert outside.mail()[0] is Level.FAIL

    @pytest.mark.parametrize("who", ["deaf", "away"])
    def test_a_site_that_cannot_be_asked(
        self, settings: Settings, deaf: str, who: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(outside, "ASK_SECONDS", 0.3)
        settings.BASE_URL = f"http://{deaf if who == 'deaf' else refused()}"
        ((level, _, todo),) = outside.site()
        assert (level, "BASE_URL" in todo) == (Level.WARN, True)

    def test_a_look_that_does_not_end_is_not_waited_for(self) -> None:
        silent, other = socket.socketpair()
        with silent, other:
            (found,) = look("slow", lambda: ok(str(silent.recv(1))), seconds=0.2)
        assert (found.level, "within" in found.text) == (Level.FAIL, True)

    def test_a_look_that_breaks_is_a_finding(self) -> None:
        (found,) = look("broken", lambda: ok(str(1 // 0)))
        assert (found.level, "ZeroDivisionError" in found.text) == (Level.FAIL, True)
