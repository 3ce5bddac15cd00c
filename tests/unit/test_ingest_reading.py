"""What Alertmanager's webhook posts, read alert by alert."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from notifications.sources.ingest.alertmanager import MAX_ALERTS, BadPayloadError, Reading, read, web_address

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def alert(**more: Any) -> dict[str, Any]:
    return {
        "status": "firing",
        "labels": {"alertname": "GpuIdle", "severity": "warn", "username": "alice", "job_name": "alice~bert"},
        "annotations": {"summary": "GPUs are idle"},
        "startsAt": "2026-11-22T11:00:00.123456789Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus:9090/graph",
        "fingerprint": "0a1b2c3d4e5f6071",
        **more,
    }


def labels(**more: str) -> dict[str, str]:
    return {**alert()["labels"], **more}


def reading(*alerts: Any, take_ownerless: bool = False, **more: Any) -> Reading:
    body = {"version": "4", "status": "firing", "alerts": list(alerts), **more}
    return read(body, now=NOW, take_ownerless=take_ownerless)


def test_a_firing_alert() -> None:
    [one] = reading(alert()).new
    assert one.key == "alert:0a1b2c3d4e5f6071:2026-11-22T11:00:00.123456+00:00"
    assert (one.kind, one.user_name) == ("alert", "alice")
    assert one.payload["job_name"] == "bert"
    assert one.payload["details"] == {
        "alertname": "GpuIdle",
        "severity": "warn",
        "summary": "GPUs are idle",
        "labels": {"alertname": "GpuIdle", "severity": "warn"},
    }


def test_the_same_start_in_another_zone_is_the_same_alert() -> None:
    [first] = reading(alert(startsAt="2026-11-22T11:00:00Z")).new
    [second] = reading(alert(startsAt="2026-11-22T12:00:00+01:00")).new
    assert first.key == second.key


def test_an_alertmanager_that_sends_no_fingerprint() -> None:
    def key(**label: str) -> str:
        without = alert(labels=dict(reversed(labels(**label).items())))
        del without["fingerprint"]
        return reading(without).new[0].key

    assert key() == key(alertname="GpuIdle")
    assert len({key(), key(job_name="alice~other"), key(more="labels")}) == 3
    assert ":2026-11-22T11:00:00.123456+00:00" in key()


@pytest.mark.parametrize(
    ("ends_at", "resolved_at"),
    [
        ("2026-11-22T11:30:00Z", "2026-11-22T11:30:00+00:00"),
        ("2026-11-22T13:00:00Z", "2026-11-22T12:00:00+00:00"),
        ("2026-11-22T10:00:00Z", "2026-11-22T11:00:00.123456+00:00"),
    ],
    ids=["between", "after now", "before its start"],
)
def test_a_resolved_one(ends_at: str, resolved_at: str) -> None:
    [one] = reading(alert(status="resolved", endsAt=ends_at)).new
    assert one.key.startswith("resolved:0a1b2c3d4e5f6071:")
    assert one.payload["resolved_at"] == resolved_at


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (3, "JSON object"),
        (alert(fingerprint=None), "fingerprint"),
        (alert(fingerprint="a/../b"), "fingerprint"),
        (alert(status="pending"), "status"),
        (alert(startsAt="yesterday"), "startsAt"),
        (alert(startsAt="2026-11-22T11:00:00"), "startsAt"),
        (alert(startsAt="0001-01-01T00:00:00+14:00"), "startsAt"),
        (alert(startsAt="0001-01-01T00:00:00Z"), "before 2000"),  # in New York it has no date at all
        (alert(startsAt="2026-11-22T14:00:00Z"), "future"),
        (alert(status="resolved", endsAt=7), "endsAt"),
        (alert(labels={"alertname": "NodeDown"}), "username"),
        (alert(labels={**labels(), "username": 5}), "username"),
        (alert(labels=[]), "username"),
        (alert(labels=labels(alertname="PAIJobStatusChange")), "already"),
    ],
)
def test_one_that_cannot_be_used_is_reported_and_the_others_are_taken(bad: Any, reason: str) -> None:
    found = reading(bad, alert())
    assert len(found.new) == 1
    [ignored] = found.ignored
    assert reason in ignored.reason


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ([], "object"),
        ({}, "version"),
        ({"version": "3", "alerts": []}, "version"),
        ({"version": "4"}, "alerts"),
        ({"version": "4", "alerts": {}}, "alerts"),
    ],
)
def test_a_body_that_is_none_of_alertmanagers(body: Any, reason: str) -> None:
    with pytest.raises(BadPayloadError, match=reason):
        read(body, now=NOW, take_ownerless=False)


def test_without_an_owner_it_is_for_the_admins() -> None:
    [one] = reading(alert(labels={"alertname": "NodeDown"}), take_ownerless=True).new
    assert one.user_name == ""


def test_more_than_fit_are_reported_and_so_are_those_left_out_before() -> None:
    found = reading(
        *[alert(fingerprint=f"{number:x}") for number in range(MAX_ALERTS + 2)], truncatedAlerts=7
    )
    assert (len(found.new), len(found.ignored), found.truncated) == (MAX_ALERTS, 2, 7)
    assert "max_alerts" in found.ignored[0].reason
    assert reading(truncatedAlerts="many").truncated == 0


def test_texts_are_cleaned_and_cut() -> None:
    many = {f"label{number}": "x" for number in range(100)}
    annotations = {
        "summary": "a\x00b\u202ec\nd" + "e" * 5000,
        "description": ["no text"],
        "runbook_url": "javascript:alert(1)",
    }
    [one] = reading(
        alert(annotations=annotations, labels={**many, **labels(job_name="j\x00\ud800" * 500)})
    ).new
    details = one.payload["details"]
    assert details["summary"].startswith("a b c deee")
    assert len(details["summary"]) == 1000
    assert "runbook_url" not in details
    assert "reason" not in details
    assert len(details["labels"]) == 30
    assert details["labels"]["severity"] == "warn"
    assert len(one.payload["job_name"]) <= 256
    assert one.user_name == "alice"


@pytest.mark.parametrize(
    ("address", "usable"),
    [
        ("https://wiki.example.org/gpu?a=b#c", True),
        ("http://[::1]:8000/", True),
        ("javascript:alert(1)", False),
        ("//example.org", False),
        ("https://", False),
        ("https://[", False),
        ("https://a b", False),
        ("https://a\nb", False),
        ("https://" + "a" * 3000, False),
        ("", False),
        (None, False),
    ],
)
def test_only_web_addresses_are_links(address: str | None, usable: bool) -> None:
    assert web_address(address) == (address if usable else "")


def test_an_old_alert_is_taken() -> None:
    """It may have been waiting in Alertmanager while we were away."""
    assert reading(alert(startsAt=(NOW - timedelta(days=400)).isoformat())).new
