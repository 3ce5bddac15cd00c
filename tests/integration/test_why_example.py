"""The explanation of a real job, as a person reads it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from notifications.delivery.mail import compose
from notifications.inbox import payload
from notifications.models import Delivery, Notification
from tests.cluster import ALL_EVENTS, submit, update
from tests.pollers import drain

pytestmark = pytest.mark.django_db


def test_the_real_example_reads_as_a_person_would_want_it(alice: User) -> None:
    """A job of a real cluster whose image could not be pulled."""
    framework = (Path(__file__).parent.parent / "data" / "framework.json").read_text(encoding="utf-8")
    submitted = datetime(2020, 1, 20, 9, 8, 39, tzinfo=UTC)
    ended = datetime(2020, 1, 20, 9, 8, 52, tzinfo=UTC)
    name = submit(
        "binyli_26_3597a642",
        submissionTime=submitted,
        creationTime=submitted,
        **ALL_EVENTS,
    )
    update(
        name,
        state="FAILED",
        snapshot=framework,
        appExitCode=254,
        launchTime=ended,
        completionTime=ended,
    )
    drain()
    (told,) = Notification.objects.all()
    shown = payload(told, "alice")
    assert shown["title"] == "binyli_26_3597a642 failed: image not found"
    assert shown["summary"] == (
        "Waited 13 seconds · never ran · exit code 254 · caused by the job itself · task taskrole[0] · 1 GPU"
    )
    (delivery,) = Delivery.objects.select_related("notification__user")
    mail = compose(delivery)
    assert mail.subject == "[cluster] Failed: binyli_26_3597a642: image not found"
    text = str(mail.body)
    for line in (
        "The container image does not exist, or needs a login.",
        "Exit code        254 (ContainerImageNotExists)",
        "Image            binyangl/pri",
        "Task             taskrole[0]",
        "Attempt          1 of 1",
        "Ran              Never",
        "- Check the image's name and the login for its registry.",
        "2020-01-20 09:10:47,584 - ERROR - image_checker.py:208 - login failed, username or password incorrect",
        "RuntimeError: Failed to get auth token, status code: 401",
    ):
        assert line in text.splitlines()
