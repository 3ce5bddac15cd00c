"""When a group of jobs has ended, and when it is forgotten."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from notifications.groups.models import GroupJob, JobGroup
from notifications.models import Notification
from notifications.poller import Poller
from notifications.sources.frameworks.sweeps import FORGOTTEN_AT_ONCE, FORGOTTEN_JOBS, Sweeps
from tests.groups import HOUR, delete, end, poll, start
from tests.wishes import site

pytestmark = pytest.mark.django_db


class TestItsEnd:
    @pytest.fixture(autouse=True)
    def _sweep(self, alice: User) -> None:
        site()
        start("sweep-1", "sweep-2")
        poll()

    def test_it_is_told_once_when_the_last_one_has_ended(self) -> None:
        JobGroup.objects.update(tell_when_ended=True)
        end("sweep-1")
        poll()
        assert not Notification.objects.exists()
        end("sweep-2", "FAILED")
        poll()
        group = JobGroup.objects.get()
        one = Notification.objects.get()
        assert (one.framework_name, one.event, one.job_name) == (f"group:{group.pk}", "failed", "sweep-*")
        assert one.details["sweep"]["succeeded"] == 1
        assert one.in_inbox
        assert one.read_at is None
        assert not group.tell_when_ended
        start("sweep-3")
        end("sweep-3")
        poll()
        assert Notification.objects.count() == 1

    def test_each_wish_is_told_of(self) -> None:
        JobGroup.objects.update(tell_when_ended=True)
        end("sweep-1")
        end("sweep-2")
        poll()
        start("sweep-3")
        poll()
        JobGroup.objects.update(tell_when_ended=True)
        end("sweep-3", "STOPPED")
        poll()
        told = Notification.objects.order_by("id").values_list("event", "ordinal")
        assert list(told) == [("succeeded", 1), ("succeeded", 2)]

    def test_without_the_wish_nobody_is_told(self) -> None:
        end("sweep-1")
        end("sweep-2")
        poll()
        assert not Notification.objects.exists()

    def test_the_last_one_may_be_gone_instead(self) -> None:
        JobGroup.objects.update(tell_when_ended=True)
        end("sweep-1")
        poll()
        delete("sweep-2")
        Poller().run_once()
        assert [one.event for one in Notification.objects.all()] == ["succeeded"]

    def test_it_goes_out_like_any_other(self, settings: Any) -> None:
        settings.EMAIL_CONFIGURED = True
        JobGroup.objects.update(tell_when_ended=True, muted=True)
        end("sweep-1")
        end("sweep-2")
        poll()
        assert [one.channel for one in Notification.objects.get().deliveries.all()] == ["email"]


def test_sweeps_that_go_on_for_ever_do_not_keep_old_ones_from_being_forgotten() -> None:
    for number in range(FORGOTTEN_AT_ONCE + 1):
        start(f"service{'abcdefghijklmnopqrstuvwxyz'[number]}-1")
    start("old-1", "old-2")
    poll()
    JobGroup.objects.filter(stem="old-*").update(changed_at=timezone.now() - 100 * 24 * HOUR)
    sweeps = Sweeps()
    for _ in range(3):
        sweeps.forget_old()
    assert not JobGroup.objects.filter(stem="old-*").exists()
    assert not GroupJob.objects.filter(job_name__startswith="old-").exists()
    assert JobGroup.objects.count() == GroupJob.objects.count() == FORGOTTEN_AT_ONCE + 1


def test_of_large_sweeps_so_many_jobs_are_forgotten_at_once() -> None:
    start("old-1", "old-2", "new-1", "new-2")
    poll()
    old = JobGroup.objects.get(stem="old-*")
    GroupJob.objects.bulk_create(
        GroupJob(
            framework_name=f"more-{n}", submission_time=old.started_at, group=old, job_name="old", state=3
        )
        for n in range(2 * FORGOTTEN_JOBS)
    )
    JobGroup.objects.filter(pk=old.pk).update(changed_at=timezone.now() - 100 * 24 * HOUR)
    sweeps = Sweeps()
    left = []
    for _ in range(4):
        sweeps.forget_old()
        left.append((old.members.count(), JobGroup.objects.filter(pk=old.pk).exists()))
    assert left == [(FORGOTTEN_JOBS + 2, True), (2, True), (0, False), (0, False)]
    assert JobGroup.objects.get().stem == "new-*"
    assert GroupJob.objects.count() == 2
