"""How long a job may wait before somebody is told, end to end: from the wish to the notification."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from notifications.models import Notification, WaitingJob
from preferences import services
from preferences.kinds import Event
from preferences.models import UserPreference
from preferences.signals import announce_site
from tests.cluster import asking, submit, told, update
from tests.pollers import drain
from tests.wishes import FILE, job, mails, site

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


class TestWaiting:
    @pytest.fixture
    def waiting(self, alice: User) -> Callable[..., WaitingJob]:
        def begin(minutes_ago: int = 0, **more: Any) -> WaitingJob:
            submit(**more)
            drain()
            WaitingJob.objects.update(
                since=timezone.now() - timedelta(minutes=minutes_ago), due_at=timezone.now() - HOUR
            )
            drain()
            return WaitingJob.objects.get()

        return begin

    @staticmethod
    def limit(wait: WaitingJob) -> int | None:
        wait.refresh_from_db()
        return None if wait.due_at is None else round((wait.due_at - wait.since).total_seconds() / 60)

    def look(self) -> None:
        """The change of a wish makes the wait due now; `now()` of a test's transaction stands still."""
        WaitingJob.objects.filter(due_at__isnull=False).update(due_at=timezone.now() - HOUR)
        drain()

    def test_the_limit_is_the_jobs_then_the_files_then_the_owners_then_the_sites(
        self, alice: User, waiting: Callable[..., WaitingJob]
    ) -> None:
        wait = waiting(jobConfig=FILE + "    waitingTooLong: 30\n")
        assert self.limit(wait) == 30
        UserPreference.objects.create(user=alice, waiting_minutes=20)
        self.look()
        assert self.limit(wait) == 30
        update(wait.framework_name, jobConfig="")
        self.look()
        assert self.limit(wait) == 20
        UserPreference.objects.all().delete()
        site("waiting_too_long", minutes=90)
        self.look()
        assert self.limit(wait) == 90
        services.set_job_override(job=job(wait.framework_name), waiting_minutes=7)
        self.look()
        assert self.limit(wait) == 7

    def test_a_changed_wish_has_the_running_wait_looked_at_again(
        self, alice: User, bob: User, waiting: Callable[..., WaitingJob]
    ) -> None:
        wait = waiting(minutes_ago=10)
        foreign = WaitingJob.objects.create(
            framework_name="foreign", submission_time=timezone.now(), user_name="bob", ordinal=0,
            since=timezone.now(), due_at=timezone.now() + 5 * HOUR,
        )  # fmt: skip

        def woken(one: WaitingJob) -> bool:
            one.refresh_from_db()
            due: datetime | None = one.due_at
            assert due is not None
            WaitingJob.objects.update(due_at=timezone.now() + 5 * HOUR)
            return due <= timezone.now()

        woken(wait)
        services.save_preferences(user=alice, waiting_minutes=5)
        assert not woken(foreign)
        services.save_preferences(user=alice, waiting_minutes=6)
        assert woken(wait)
        services.set_job_override(job=job(wait.framework_name), waiting_minutes=4)
        assert woken(wait)
        services.drop_job_override(job=job(wait.framework_name))
        assert woken(wait)
        announce_site()
        assert woken(foreign)

    def test_a_limit_made_shorter_than_the_wait_is_told_at_once(
        self, waiting: Callable[..., WaitingJob]
    ) -> None:
        wait = waiting(minutes_ago=10)
        assert told() == []
        services.set_job_override(job=job(wait.framework_name), waiting_minutes=5)
        self.look()
        assert told() == [("waiting_too_long", 0)]
        one = Notification.objects.get()
        assert one.occurred_at == wait.since + timedelta(minutes=5)
        assert one.details["limit_minutes"] == 5

    def test_a_limit_made_longer_puts_it_off(self, waiting: Callable[..., WaitingJob]) -> None:
        wait = waiting(minutes_ago=59)
        services.set_job_override(job=job(wait.framework_name), waiting_minutes=600)
        self.look()
        assert (told(), self.limit(wait)) == ([], 600)

    def test_nobody_asked_then_somebody_does(self, alice: User, waiting: Callable[..., WaitingJob]) -> None:
        UserPreference.objects.create(user=alice, default_events=[])
        wait = waiting(minutes_ago=600)
        assert (told(), wait.due_at) == ([], None)
        services.set_job_override(job=job(wait.framework_name), events={Event.WAITING_TOO_LONG: True})
        self.look()
        assert told() == [("waiting_too_long", 0)]

    def test_a_file_without_a_word_on_waiting_leaves_it_to_the_owner(
        self, waiting: Callable[..., WaitingJob]
    ) -> None:
        waiting(minutes_ago=61, jobConfig=FILE + "    running: true\n", **asking("Running"))
        assert told() == [("waiting_too_long", 0)]

    def test_a_file_can_say_no(self, waiting: Callable[..., WaitingJob]) -> None:
        wait = waiting(minutes_ago=61, jobConfig=FILE + "    waitingTooLong: false\n")
        assert (told(), wait.due_at) == ([], None)

    def test_a_muted_job_waits_in_silence(self, waiting: Callable[..., WaitingJob]) -> None:
        wait = waiting(minutes_ago=10)
        services.set_job_override(job=job(wait.framework_name), mute=services.Mute(), waiting_minutes=5)
        self.look()
        assert (told(), mails()) == ([("waiting_too_long", 0)], [])
        assert Notification.objects.get().read_at is not None
