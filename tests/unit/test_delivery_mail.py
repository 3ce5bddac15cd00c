"""The mail about one notification, whatever the job is called."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pytest_django import Settings

from notifications.delivery.mail import compose
from notifications.delivery.story import span
from preferences.kinds import Event
from tests.composed import OOM, SUBMITTED, delivery, mail, part

Clock = tuple[int, int, int, int]
"""A day of November 2026, hour, minute and second, in UTC."""


pytestmark = pytest.mark.usefixtures("addresses")


@pytest.mark.parametrize(
    ("event", "ordinal", "details", "subject"),
    [
        ("failed", 0, OOM, "[berlin] Failed: resnet50-lr3: out of GPU memory"),
        ("failed", 0, {}, "[berlin] Failed: resnet50-lr3"),
        ("succeeded", 0, {"exit_code": 0}, "[berlin] Succeeded: resnet50-lr3"),
        ("retried", 2, {}, "[berlin] Retried: resnet50-lr3: retry 2"),
        ("retried", 2, {"why": "evicted"}, "[berlin] Retried: resnet50-lr3: retry 2, evicted"),
        ("retried", 2, {"why": "evicted", "skipped": 1}, "[berlin] Retried: resnet50-lr3: retry 2"),
        ("waiting_too_long", 0, {"waited_seconds": 7200}, "[berlin] Waiting too long: resnet50-lr3: 2 hours"),
    ],
)
def test_the_subject_tells_the_story(event: str, ordinal: int, details: dict[str, Any], subject: str) -> None:
    assert mail(event=event, ordinal=ordinal, details=details)["Subject"] == subject


def test_the_first_line_says_what_happened_when_and_after_how_long() -> None:
    assert part(mail(), "plain").splitlines()[0] == (
        "resnet50-lr3 failed: out of GPU memory, on Sun 22 Nov 2026, 13:07 UTC, "
        "after running for 2 hours 5 minutes."
    )


def test_the_end_of_a_sweep_counts_its_jobs_and_stops_no_event() -> None:
    details = {"sweep": {"succeeded": 487, "failed": 13}}
    message = mail(framework_name="group:7", job_name="sweep-*", details=details)
    assert message["Subject"] == "[berlin] Ended: sweep-*: 487 succeeded, 13 failed"
    for kind in ("plain", "html"):
        assert part(message, kind).count("/unsubscribe/") == 1
        assert "asked to be told when the last job of" in part(message, kind)


@pytest.mark.parametrize("kind", ["plain", "html"])
def test_both_parts_hold_the_facts_what_to_do_and_the_links(kind: str) -> None:
    text = part(mail(), kind)
    for fact in (
        "226 (CUDAOutOfMemory)",
        "The job itself",
        "worker[3]",
        "3 of 4",
        "5 minutes",
        "Use a smaller batch size.",
        "RuntimeError: CUDA out of memory",
        "https://notify.example.org/jobs/0c5e/",
        "https://notify.example.org/profile/",
    ):
        assert fact in text


@pytest.mark.parametrize(
    ("time_zone", "shown"),
    [
        ("Europe/Berlin", "Sun 22 Nov 2026, 14:07 CET"),
        ("America/Sao_Paulo", "Sun 22 Nov 2026, 10:07 UTC-03"),
        ("", "Sun 22 Nov 2026, 13:07 UTC"),
        ("Mars/Olympus", "Sun 22 Nov 2026, 13:07 UTC"),
        ("../../etc/passwd", "Sun 22 Nov 2026, 13:07 UTC"),
    ],
)
def test_times_are_the_users_own(time_zone: str, shown: str) -> None:
    assert shown in part(mail(time_zone=time_zone), "plain")


@pytest.mark.parametrize(
    ("first", "last", "shown"),
    [
        ((22, 13, 7, 0), (22, 13, 7, 59), "Sun 22 Nov 2026, 14:07 CET"),
        ((22, 13, 7, 0), (22, 13, 9, 0), "Sun 22 Nov 2026, 14:07 to 14:09 CET"),
        ((22, 22, 59, 0), (22, 23, 1, 0), "Sun 22 Nov 2026, 23:59 CET to Mon 23 Nov 2026, 00:01 CET"),
    ],
    ids=["one minute", "one day", "past midnight"],
)
def test_from_when_to_when(first: Clock, last: Clock, shown: str) -> None:
    began, ended = (datetime(2026, 11, *clock, tzinfo=UTC) for clock in (first, last))
    assert span(began, ended, ZoneInfo("Europe/Berlin")) == shown


def test_from_when_to_when_on_the_day_on_which_the_clocks_change() -> None:
    began, ended = (datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1))
    assert span(began, ended, ZoneInfo("Europe/Berlin")) == (
        "Sun 25 Oct 2026, 02:30 CEST to Sun 25 Oct 2026, 02:30 CET"
    )


def test_with_a_portal_the_job_is_linked_there(settings: Settings) -> None:
    settings.PAI_WEBPORTAL_URL = "https://pai.example.org"
    text = part(mail(job_name="a&b c"), "plain")
    assert "https://pai.example.org/job-detail.html?username=alice&jobName=a%26b+c" in text


@pytest.mark.parametrize(
    ("runbook", "links"),
    [("https://wiki.example.org/gpu?a=1&b=2", 1), ("javascript:alert(1)", 0), ("", 0)],
)
def test_the_runbook_of_an_alert_is_linked_if_it_is_a_web_address(runbook: str, links: int) -> None:
    message = mail(event="alert", framework_name="alert:7", details={"runbook_url": runbook})
    assert part(message, "html").count(">Runbook</a>") == links
    assert ('href="javascript' in part(message, "html")) is False
    assert runbook in part(message, "plain")


def test_headers_keep_machines_quiet_and_let_people_filter() -> None:
    message = mail()
    assert message["To"] == "alice@example.org"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Auto-Response-Suppress"] == "All"
    assert message["X-Notifcenter-Event"] == "failed"
    assert message["X-Notifcenter-Cluster"] == "berlin"
    assert message["List-Id"] == "Job notifications <notifcenter.notify.example.org>"
    assert message["Date"]


def test_every_attempt_has_the_same_message_id_and_every_delivery_its_own() -> None:
    one = delivery()
    first, second = (compose(one).message()["Message-ID"] for _ in range(2))
    assert first == second
    assert re.fullmatch(r"<delivery-7-\d+@notify\.example\.org>", first)
    other = delivery()
    other.id = 8
    assert compose(other).message()["Message-ID"] != first


def test_mails_about_one_job_are_grouped_and_those_about_the_next_of_that_name_are_not() -> None:
    first, second = mail(event="running"), mail(event="failed")
    later = mail(submission_time=datetime(2026, 11, 23, tzinfo=UTC))
    alert = mail(
        event="alert", framework_name="alert:7", details={"framework": "0c5e", "submitted": SUBMITTED}
    )
    assert first["Message-ID"] not in (first["References"], second["References"])
    for header in ("References", "In-Reply-To", "Thread-Index"):
        assert first[header] == second[header] == alert[header]
        assert first[header] != later[header]
    assert first["Thread-Topic"] == second["Thread-Topic"] == "[berlin] resnet50-lr3"


def test_outlook_finds_the_time_of_submission_and_the_job_in_its_own_header() -> None:
    """[MS-OXOMSG] 2.2.1.3: the high 6 bytes of a FILETIME (100 ns since 1601), then 16 bytes of a GUID."""
    index = base64.b64decode(str(mail()["Thread-Index"]))
    assert len(index) == 22
    filetime = int.from_bytes(index[:6] + b"\0\0", "big")
    submitted = datetime(1601, 1, 1, tzinfo=UTC) + timedelta(microseconds=filetime // 10)
    assert abs(submitted - datetime.fromisoformat(SUBMITTED)) < timedelta(seconds=1)


HOSTILE_NAMES = [
    "",
    "\r\nBcc: everyone@example.org",
    "x\nX-Evil: 1\n\nbody",
    "<img src=x onerror=alert(1)>",
    "y" * 256,
    "末尾-ünïcode-🚀",
    "invoice\u202egpj.exe",
    "{{ 7|add:7 }}{% now 'Y' %}",
    "\x00\x1b[31m",
]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
@pytest.mark.parametrize("event", Event.values)
def test_no_job_name_reaches_a_header_or_the_html_unescaped(name: str, event: str) -> None:
    message = mail(job_name=name, event=event)
    assert message["Bcc"] is None
    assert message["X-Evil"] is None
    assert message.get_all("To") == ["alice@example.org"]
    assert str(message["Subject"]).isprintable()
    assert len(str(message["Subject"])) < 250
    html = part(message, "html")
    assert "<img" not in html
    assert "14" not in str(message["Subject"])
    if not name and event != Event.ALERT:
        assert "(unnamed job)" in message["Subject"]


def test_no_detail_reaches_the_html_unescaped_and_nonsense_is_left_out() -> None:
    evil = "<script>alert(1)</script>\r\nBcc: x@example.org"
    texts = dict.fromkeys(("why", "reason", "phrase", "task", "diagnostics", "causer"), evil)
    message = mail(
        details={**texts, "exit_code": 1, "solutions": [evil, 3, None], "gpus": "8", "retries": []}
    )
    assert message["Bcc"] is None
    assert "<script" not in part(message, "html")
    assert "&lt;script&gt;" in part(message, "html")
    mail(details=[])
    mail(details={"solutions": "text", "ran_seconds": -1, "diagnostics": 5, "waited_seconds": True})


def test_long_diagnostics_are_cut_to_their_end() -> None:
    lines = "\n".join(f"line {number}" for number in range(1000))
    text = part(mail(details={"diagnostics": lines}), "plain")
    assert "line 999" in text
    assert "line 900" not in text


def test_what_the_task_said_goes_before_what_the_cluster_recorded() -> None:
    details = {"output": "RuntimeError: CUDA out of memory", "diagnostics": "PodPattern matched: {}"}
    for kind in ("plain", "html"):
        text = part(mail(details=details), kind)
        assert "What the task said last" in text
        assert "RuntimeError: CUDA out of memory" in text
        assert "PodPattern" not in text


def test_a_retry_and_a_job_that_never_ran_say_so_in_the_first_line() -> None:
    retried = mail(event="retried", ordinal=1, details={"why": "evicted from its node", "ran_seconds": 7500})
    assert part(retried, "plain").startswith(
        "resnet50-lr3 was retried (retry 1): evicted from its node, on Sun 22 Nov 2026, 13:07 UTC, "
        "after running for 2 hours 5 minutes."
    )
    never = mail(details={"why": "image not found", "never_ran": True, "waited_seconds": 13})
    assert ", without having run, after waiting for 13 seconds." in part(never, "plain").splitlines()[0]


def test_the_html_is_self_contained_styled_inline_and_knows_dark_mode() -> None:
    html = part(mail(), "html")
    assert not re.search(r"<(img|link|script|iframe|object)\b|url\(", html)
    assert 'style="' in html
    assert "prefers-color-scheme: dark" in html
    assert "max-width: 480px" in html


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        (
            {},
            "Waited 5 minutes · ran 2 hours 5 minutes · exit code 226 · caused by the job itself · task worker[3]",
        ),
        ({"details": {}}, "Sun 22 Nov 2026, 13:07 UTC"),
    ],
    ids=["facts", "nothing is known"],
)
def test_the_preheader_goes_on_where_the_subject_ends(values: dict[str, Any], shown: str) -> None:
    html = part(mail(**values), "html")
    preheader = re.search(r'<div class="preheader" style="([^"]*)">([^<]*)</div>', html)
    assert preheader
    assert "display: none" in preheader[1]
    assert preheader[2].startswith(shown)
    assert html.index(preheader[0]) < html.index("<table")


@pytest.mark.parametrize("base", ["http://[::1]:8000", "http://127.0.0.1:8000", "https://münchen.example"])
def test_any_base_url_makes_a_valid_message_id(settings: Settings, base: str) -> None:
    settings.BASE_URL = base
    assert re.fullmatch(r"<[A-Za-z0-9.-]+@[A-Za-z0-9.-]+>", mail()["Message-ID"])
