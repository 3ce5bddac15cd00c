"""Chat and push services: what they get through Apprise, and that Apprise gets no further than it may."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import requests
from django.contrib.auth.models import User
from pytest_django.fixtures import Settings

from notifications import own_targets
from notifications.delivery import sender
from notifications.delivery.outside import OutsideSession
from preferences.chat_services import SERVICES, SHORT_LIST, Service
from preferences.models import SiteSettings, Target, UserPreference
from preferences.targets import TargetRefused
from tests.clients import client_of
from tests.deliveries import reloaded
from tests.receiver import Receiver
from tests.targets import add_chat, make_target_delivery

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("breaker")]

SLACK = "https://hooks.slack.com/services/T0A1B2C3D/B1C2D3E4F/abcdefghijklmnopqrstuvwx"
ADDRESSES = {
    "slack": (SLACK, "slack://T0A1B2C3D/B1C2D3E4F/abcdefghijklmnopqrstuvwx", "slack://bot@xoxb-1234-1234-abcdefghijklmnopqrstuvwx/#gpu"),
    "teams": ("workflows://prod-01.westus.logic.azure.com:443/643e69f83c8944438d68119179a10a64/abcdefgh_-1234",),
    "dingtalk": ("dingtalk://abcdefghijklmnop0123456789",),
    "feishu": ("feishu://abcdefghijklmnop0123456789",),
    "lark": ("lark://abcdefghijklmnop0123456789", "https://open.larksuite.com/open-apis/bot/v2/hook/abcdefghijklmnop"),
    "wecom": ("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa",),
    "telegram": ("tgram://123456789:abcdefg_hijklmnop/12315544/",),
    "discord": ("https://discord.com/api/webhooks/0000000000000000/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",),
    "ntfy": ("https://ntfy.sh/a-topic-of-mine", "ntfys://ntfy.example.org/topic", "ntfys://tk_abc@ntfy.example.org/topic"),
    "mattermost": ("mmosts://chat.example.org/3ccdd113474722377935511fc85d3dd4",),
    "pushover": ("pover://uuuuuuuuuuuuuuuuuuuuuuuuuuuuuu@aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",),
    "gotify": ("gotifys://push.example.org/Aabcdefghijklmn",),
    "rocketchat": ("rockets://abcdefghijklmno0123456789/abcdefghijklmno0123456789abcdefghijklmno0123456789@chat.example.org",),
    "google_chat": ("gchat://workspace/key/token",),
    "webex": ("webex://abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefgh",),
    "zulip": ("zulip://botname@organization/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/stream",),
    "bark": ("barks://push.example.org/abcdefghijklmnop",),
    "pushbullet": ("pbul://abcdefghijklmnopqrstuvwxyz012345",),
    "line": ("line://abcdefghijklmnop0123456789==/U1234567890",),
}  # fmt: skip


def everything_offered() -> None:
    SiteSettings.objects.update_or_create(id=1, defaults={"chat_services": list(SERVICES)})


@dataclass
class Detour:
    """All that is sent ends at the receiver; `hosts` are those that it was meant for."""

    receiver: Receiver
    hosts: list[str] = field(default_factory=list)


@pytest.fixture
def detour(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Detour:
    detour = Detour(receiver)
    send = OutsideSession.send

    def elsewhere(self: OutsideSession, request: requests.PreparedRequest, **options: Any) -> Any:
        parts = urlsplit(request.url or "")
        detour.hosts.append(f"{parts.scheme}://{parts.netloc}")
        request.url = f"{receiver.url}{parts.path}"
        return send(self, request, **options)

    monkeypatch.setattr(OutsideSession, "send", elsewhere)
    return detour


def service_and_address() -> list[tuple[str, str]]:
    return [(name, address) for name, addresses in ADDRESSES.items() for address in addresses]


def test_every_service_is_tried_here() -> None:
    assert list(ADDRESSES) == list(SERVICES)
    assert set(SHORT_LIST) <= set(SERVICES)


ANSWERS = {
    "slack": b"ok",
    "rocketchat": b'{"success": true}',
    "feishu": b'{"code": 0}',
    "dingtalk": b'{"errcode": 0}',
}


@pytest.mark.parametrize(("name", "address"), service_and_address())
def test_each_service_gets_a_message(alice: User, detour: Detour, name: str, address: str) -> None:
    everything_offered()
    detour.receiver.body = b'{"ok": true}' if "xoxb" in address else ANSWERS.get(name, b"{}")
    target = add_chat(alice, address)
    assert target.service == SERVICES[name].label
    delivery = make_target_delivery(target, job_name="resnet50-lr3")
    sender.deliver_once()
    assert reloaded(delivery).state == "sent", reloaded(delivery).last_error
    assert len(detour.hosts) == 1
    assert detour.hosts[0].startswith("https://")
    body = detour.receiver.requests[0].body.decode()
    assert "resnet50-lr3" in body
    assert "http://127.0.0.1:8000/jobs/" in unquote(body)
    assert "github.com" not in body


def test_it_is_in_the_readers_language(alice: User, detour: Detour) -> None:
    everything_offered()
    UserPreference.objects.create(user=alice, language="zh-hans")
    detour.receiver.body = ANSWERS["dingtalk"]
    make_target_delivery(add_chat(alice, ADDRESSES["dingtalk"][0]), details={"why": "out of GPU memory"})
    sender.deliver_once()
    body = detour.receiver.requests[0].json()
    assert "失败：GPU 显存不足" in json.dumps(body, ensure_ascii=False)


@pytest.mark.parametrize("service", SERVICES.values(), ids=list(SERVICES))
def test_no_plugin_has_another_way_out(service: Service) -> None:
    """What it imports, anywhere in its source."""
    module = importlib.import_module("apprise.plugins." + service.plugin.partition(".")[0])
    tree = ast.parse(Path(inspect.getfile(module)).read_text(encoding="utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    roots = {name.partition(".")[0] for name in imported}
    assert "requests" in roots
    assert not roots & {
        "asyncio", "concurrent", "ctypes", "ftplib", "http", "httpx", "aiohttp", "multiprocessing", "paho", "smtplib",
        "socket", "ssl", "subprocess", "telnetlib", "threading", "urllib3", "websocket", "websockets", "xmlrpc",
    }  # fmt: skip
    assert "urllib.request" not in imported


@pytest.mark.parametrize(
    "address",
    [
        "mailto://user:password@example.org",
        "json://localhost/",
        "jsons://example.org/",
        "xml://localhost",
        "form://localhost",
        "apprise://localhost/token",
        "syslog://",
        "dbus://",
        "gnome://",
        "mqtt://localhost/topic",
        "rsyslog://localhost",
        "file:///etc/passwd",
        "slack",
        "slack://",
        "https://example.org/hook",
        "",
        "://",
        "gotifys://push.example.org/Aabcdefghijklmn",  # not on the short list
        SLACK + "?template=/etc/passwd",
        "discord://0000000000000000/AAAAAAAAAAAAAAAAAAAAAAAA?template=file:///etc/passwd&format=markdown",
        "ntfys://ntfy.example.org/topic?verify=no",
        "ntfys://ntfy.example.org/topic?redirect=yes",
        "ntfys://ntfy.example.org/topic?rto=999&cto=999",
        "ntfys://ntfy.example.org/topic?RETRY=9&wait=60",
        "ntfys://ntfy.example.org/topic?attach=http://127.0.0.1/",
        "ntfys://ntfy.example.org/topic?+X-Header=1",
        "mmosts://chat.example.org/3ccdd113474722377935511fc85d3dd4?icon_url=http://127.0.0.1/",
        "ntfys://ntfy.example.org/one/two",
        "slack://T0A1B2C3D/B1C2D3E4F/abcdefghijklmnopqrstuvwx/#a/#b",
        "slack://T0A1B2C3D/B1C2D3E4F/abcdef\nghijklmnopqrstuvwx",
        "slack://" + "a" * 5000,
    ],
)
def test_what_is_refused(alice: User, address: str) -> None:
    with pytest.raises(TargetRefused):
        add_chat(alice, address)


def test_the_refusal_helps(alice: User) -> None:
    with pytest.raises(TargetRefused, match="offered here: Slack, Microsoft Teams"):
        add_chat(alice, "mailto://a@b.org")
    with pytest.raises(TargetRefused, match=r"Slack cannot be reached .* https://"):
        add_chat(alice, "slack://nonsense")
    with pytest.raises(TargetRefused, match="Leave out of the address: rto, verify"):
        add_chat(alice, "ntfys://ntfy.example.org/topic?verify=no&rto=9")


def test_a_service_that_the_admin_takes_off_the_list(alice: User, detour: Detour) -> None:
    target = add_chat(alice, SLACK)
    SiteSettings.objects.update_or_create(id=1, defaults={"chat_services": ["telegram"]})
    delivery = make_target_delivery(target)
    sender.deliver_once()
    assert reloaded(delivery).state == "failed"
    assert "offered here: Telegram" in reloaded(delivery).last_error
    assert detour.hosts == []


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "2130706433", "[::1]", "10.0.0.1", "169.254.169.254"]
)
def test_no_server_inside_is_reached(alice: User, closed_receiver: Receiver, host: str) -> None:
    """A plugin says only that it did not work; the reason is the guard's."""
    try:
        target = add_chat(alice, f"ntfys://{host}:{closed_receiver.port}/topic")
    except TargetRefused:
        return  # Apprise itself takes it for no host
    delivery = make_target_delivery(target)
    sender.deliver_once()
    assert reloaded(delivery).state == "failed"
    assert "inside the network" in reloaded(delivery).last_error
    assert closed_receiver.requests == []


def test_nothing_goes_out_in_the_clear_but_where_the_admin_allows_it(
    alice: User, receiver: Receiver, settings: Settings
) -> None:
    target = add_chat(alice, f"ntfy://127.0.0.1:{receiver.port}/topic")
    assert own_targets.send_test(target) == ""
    assert json.loads(receiver.requests[0].body)["topic"] == "topic"


def test_a_redirect_is_not_followed(alice: User, receiver: Receiver) -> None:
    receiver.status, receiver.headers = 307, {"Location": receiver.url + "/inside"}
    delivery = make_target_delivery(add_chat(alice, f"ntfy://127.0.0.1:{receiver.port}/topic"))
    sender.deliver_once()
    assert reloaded(delivery).state == "failed"
    assert "redirect" in reloaded(delivery).last_error
    assert len(receiver.requests) == 1


@pytest.mark.parametrize(
    ("status", "body", "state", "said"),
    [
        (
            200,
            b'{"errcode": 310000, "errmsg": "keywords not in content"}',
            "retry",
            "keywords not in content",
        ),
        (200, b"\xff\x00 no json", "retry", "has not taken it"),
        (200, b"[1, 2]", "retry", "has not taken it"),
        (403, b"", "failed", "answered 403"),
        (429, b"", "retry", "answered 429"),
        (502, b"", "retry", "answered 502"),
    ],
)
def test_what_answers_lead_to(
    alice: User, detour: Detour, status: int, body: bytes, state: str, said: str
) -> None:
    """DingTalk and Slack refuse with a friendly status."""
    address = ADDRESSES["dingtalk"][0] if b"errcode" in body else SLACK
    delivery = make_target_delivery(add_chat(alice, address))
    detour.receiver.status, detour.receiver.body = status, body
    sender.deliver_once()
    assert reloaded(delivery).state == state
    assert said in reloaded(delivery).last_error


def test_a_slow_server_is_left_after_a_while(
    alice: User, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("notifications.delivery.apprise.TOTAL_SECONDS", 0.5)
    delivery = make_target_delivery(add_chat(alice, f"ntfy://127.0.0.1:{receiver.port}/topic"))
    receiver.answer = receiver.drip
    sender.deliver_once()
    assert reloaded(delivery).state == "retry"
    assert "no complete answer within 0.5 seconds" in reloaded(delivery).last_error


@pytest.mark.parametrize(("name", "address"), service_and_address())
def test_hostile_names_call_nobody_and_lead_nowhere(
    alice: User, detour: Detour, name: str, address: str
) -> None:
    everything_offered()
    make_target_delivery(
        add_chat(alice, address),
        job_name='<!channel> <a href="http://e.org">a</a> <http://e.org|click> [click](http://e.org) @everyone',
    )
    sender.deliver_once()
    body = unquote(detour.receiver.requests[0].body.decode())
    for special in ("<!channel>", "<http://e.org", "<a ", "](http://e.org", "@everyone"):
        assert special not in body


def test_only_service_and_server_are_shown(alice: User) -> None:
    add_chat(alice, "ntfys://tk_verysecret@ntfy.example.org:8443/secret-topic", name="phone")
    add_chat(alice, SLACK, name="team")
    rows = [(row.service, row.hint) for row in Target.objects.order_by("id")]
    assert rows == [("ntfy", "ntfy.example.org:8443"), ("Slack", "")]
    shown = client_of(alice).get("/api/v1/targets/").content + client_of(alice).get("/profile/").content
    stored = str(list(Target.objects.values()))
    for secret in ("verysecret", "secret-topic", "abcdefghijklmnopqrstuvwx", "T0A1B2C3D"):
        assert secret not in shown.decode()
        assert secret not in stored
