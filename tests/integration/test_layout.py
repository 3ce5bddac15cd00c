"""The processes of deploy/compose.yaml, run here as it has them: two web processes behind its nginx, two pollers,
Redis, a worker, beat. What is adapted are ports and the places of things."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from urllib.request import urlopen

import pytest
from django.contrib.auth.models import User
from websockets.exceptions import ConnectionClosed

from notifications.models import Notification, PollerState
from preferences.models import UserPreference
from tests.asgi.conftest import Socket, socket
from tests.brokers import Redis
from tests.cluster import ended, started, submit, told, update
from tests.deployment import compose, nginx_config
from tests.processes import Process, answers, environment, free_port, running, wait_for
from tests.programs import needs
from tests.smtp import SmtpServer
from tests.wishes import everybody_wants_everything

pytestmark = [pytest.mark.django_db(transaction=True), needs("nginx")]
START_SECONDS = 90.0
"""Eight programs start at once, and maybe beside other tests."""

PROGRAMS = {
    "notifcenter": [sys.executable, "-m", "notifcenter"],
    "daphne": [sys.executable, "-m", "daphne"],
    "celery": [sys.executable, "-m", "celery"],
}


class Site:
    """All of it but PostgreSQL, which is the one of the tests."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self._stack, self._folder = stack, folder
        self.services = compose()["services"]
        self.mails = stack.enter_context(SmtpServer())
        redis = Redis(folder)
        redis.start()
        stack.callback(redis.close)
        self.ports = {"web1": free_port(), "web2": free_port()}
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = environment(
            CELERY_BROKER_URL=redis.url,
            EMAIL_URL=self.mails.url,
            BASE_URL=self.url,
            NOTIFCENTER_DATA_DIR=str(folder),
            NOTIFCENTER_SWEEP_SECONDS="3600",  # so that only the broker's word makes a mail go out at once
        )
        self.processes = {
            name: self.start(name) for name in ("web1", "web2", "poller1", "poller2", "worker", "beat")
        }
        places = {f"{name}:8000": f"127.0.0.1:{port}" for name, port in self.ports.items()}
        config = nginx_config(
            folder, "compose.conf", {**places, "listen 8080": f"listen 127.0.0.1:{self.port}"}
        )
        arguments = ["nginx", "-p", str(folder), "-c", str(config)]
        self.nginx = stack.enter_context(running(arguments, folder / "nginx.log"))
        for port in (*self.ports.values(), self.port):
            wait_for(partial(answers, port), seconds=START_SECONDS, what=f"something listens on {port}")
        self.processes["worker"].wait_for_log("ready.")
        at_work = PollerState.objects.filter(heartbeat_at__isnull=False)
        wait_for(lambda: at_work.all().exists(), seconds=START_SECONDS, what="a poller works")

    def start(self, name: str) -> Process:
        program, *arguments = self.services[name]["command"]
        if name in self.ports:
            arguments[arguments.index("0.0.0.0")] = "127.0.0.1"
            arguments[arguments.index("8000")] = str(self.ports[name])
        process = running([*PROGRAMS[program], *arguments], self._folder / f"{name}.log", self.environment)
        return self._stack.enter_context(process)

    def status(self, path: str) -> int:
        with urlopen(self.url + path, timeout=20) as answer:
            return int(answer.status)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with ExitStack() as stack:
        yield Site(stack, tmp_path)


@pytest.mark.timeout(300)
def test_a_change_comes_to_page_and_mail_though_one_of_each_is_killed(site: Site, alice: User) -> None:
    everybody_wants_everything()
    UserPreference.objects.create(user=alice, bundling_minutes=0)
    assert site.status("/healthz") == 200
    assert site.status("/static/notifcenter/define.js") == 200

    with ExitStack() as sockets:
        pages = [sockets.enter_context(socket(site.url, alice)) for _ in range(4)]
        for page in pages:
            assert page.frame()["type"] == "hello"
        name = submit()
        update(name, **started())
        update(name, **ended())
        for page in pages:
            assert [page.frame("notification")["notification"]["event"] for _ in range(2)] == [
                "running",
                "failed",
            ]
        wait_for(lambda: len(site.mails.messages) == 2, what="two mails, at the broker's word")

        site.processes["web1"].popen.send_signal(signal.SIGKILL)
        for _ in range(20):
            assert site.status("/accounts/login/") == 200
        with socket(site.url, alice) as page:  # as a page does whose socket was at the one that is gone
            assert page.frame()["unread"] == 2
            leader = PollerState.objects.get().leader
            _kill_leader(site, leader)
            update(name, state="WAITING", retries=1)
            assert page.frame("notification", seconds=30)["notification"]["event"] == "retried"
        assert any(_still_open(page) for page in pages), "some of them were at the other web process"

    again = site.start("web1")
    wait_for(lambda: answers(site.ports["web1"]), seconds=START_SECONDS, what="it is back")
    assert site.status("/healthz") == 200
    assert told(name) == [("running", 0), ("failed", 0), ("retried", 1)]
    wait_for(lambda: len(site.mails.messages) == Notification.objects.count() == 3, what="three mails")
    for process in (again, *site.processes.values()):
        assert "Traceback" not in process.log


def _kill_leader(site: Site, leader: str) -> None:
    pid = int(leader.rpartition(":")[2])
    (found,) = [one for one in site.processes.values() if one.popen.pid == pid]
    found.kill()


def _still_open(page: Socket) -> bool:
    try:
        return bool(page.frame("notification", seconds=10)["notification"]["event"] == "retried")
    except ConnectionClosed:
        return False
