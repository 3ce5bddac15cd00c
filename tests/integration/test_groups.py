"""Jobs of one sweep as a group: who belongs to it, and how its counts follow the cluster."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone

from notifications.groups.models import GroupJob, JobGroup
from notifications.models import CapturedChange, Notification
from notifications.poller import Poller
from notifications.sources.frameworks.sweeps import FORGOTTEN_AT_ONCE, FORGOTTEN_JOBS, Sweeps
from preferences.models import SiteSettings
from tests.cluster import ended, framework_name, submit, update
from tests.wishes import site

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def poll(poller: Poller | None = None) -> None:
    poller = poller or Poller()
    while poller.run_once():
        pass


def start(*jobs: str, user: str = "alice", **columns: Any) -> None:
    for job in jobs:
        update(submit(job, user, **columns), state="RUNNING")


def end(job: str, state: str = "SUCCEEDED", user: str = "alice") -> None:
    update(framework_name(job, user), **ended(state))


def counts(group: JobGroup | None = None) -> dict[str, int]:
    """Of the only group: its jobs by state, without zeros; what is stored of each job says the same."""
    group = group or JobGroup.objects.get()
    found = {state: count for state, count in group.counts.items() if count}
    members: dict[str, int] = {}
    for member in GroupJob.objects.filter(group=group):
        label = member.get_state_display()
        members[label] = members.get(label, 0) + 1
    assert found == members
    assert group.jobs == sum(found.values())
    return found


def delete(job: str, user: str = "alice") -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM frameworks WHERE name = %s", [framework_name(job, user)])


class TestWhoBelongsToIt:
    def test_owner_virtual_cluster_and_stem(self) -> None:
        start("sweep-1", "sweep-2", "other-1")
        start("sweep-3", virtualCluster="vision")
        start("sweep-4", user="bob")
        start("sweep")
        poll()
        found = JobGroup.objects.order_by("user_name", "virtual_cluster", "stem")
        assert [(one.user_name, one.virtual_cluster, one.stem, one.jobs) for one in found] == [
            ("alice", "default", "other-*", 1),
            ("alice", "default", "sweep-*", 2),
            ("alice", "vision", "sweep-*", 1),
            ("bob", "default", "sweep-*", 1),
        ]

    def test_its_notifications_know_it(self) -> None:
        site("failed")
        start("sweep-1", "sweep-2", "lonely")
        for job in ("sweep-1", "sweep-2", "lonely"):
            end(job, "FAILED")
        poll()
        groups = dict(Notification.objects.values_list("job_name", "group__stem"))
        assert groups == {"sweep-1": "sweep-*", "sweep-2": "sweep-*", "lonely": None}

    def test_no_statement_without_a_stem(self, django_assert_max_num_queries: Any) -> None:
        start("lonely")
        poller = Poller()
        poll(poller)
        end("lonely")
        with connection.execute_wrapper(_no_groups):
            poller.run_once()

    def test_one_statement_whatever_the_number_of_jobs(self) -> None:
        poller = Poller()
        start("sweep-1")
        poll(poller)
        start(*(f"sweep-{number}" for number in range(2, 40)), *(f"other{number}-1" for number in range(10)))
        seen: list[str] = []
        with connection.execute_wrapper(_collecting(seen)):
            poller.run_once()
        assert len(seen) == 1

    def test_the_same_stem_much_later_is_another_sweep(self) -> None:
        long_ago = datetime.now(UTC) - 30 * HOUR
        start("sweep-1", "sweep-2", submissionTime=long_ago)
        end("sweep-1")
        end("sweep-2")
        CapturedChange.objects.update(changed_at=long_ago + HOUR)
        poll()
        start("sweep-3", "sweep-4", submissionTime=long_ago + 6 * HOUR)  # five hours after the last has ended
        end("sweep-3")
        end("sweep-4")
        CapturedChange.objects.update(changed_at=long_ago + 8 * HOUR)
        poll()
        assert counts() == {"succeeded": 4}
        start("sweep-5", "sweep-6")
        poll()
        first, second = JobGroup.objects.order_by("id")
        assert (counts(first), counts(second)) == ({"succeeded": 4}, {"running": 2})

    def test_while_a_job_is_open_its_group_takes_more(self) -> None:
        long_ago = datetime.now(UTC) - 30 * HOUR
        start("sweep-1", submissionTime=long_ago)
        CapturedChange.objects.update(changed_at=long_ago)
        poll()
        start("sweep-2")
        poll()
        assert counts() == {"running": 2}

    def test_a_group_that_is_full_takes_no_more(self) -> None:
        start("sweep-1")
        poll()
        JobGroup.objects.update(jobs=20_000)
        start("sweep-2")
        end("sweep-1")
        poll()
        assert list(JobGroup.objects.order_by("id").values_list("running", "succeeded")) == [(0, 1), (1, 0)]

    def test_names_as_long_and_as_odd_as_the_cluster_allows(self) -> None:
        for number in range(2):
            start("ü" * 240 + f"-{number}", virtualCluster="学" * 256, name=f"x{number}")
        start("'; DROP TABLE x; --1")
        poll()
        assert sorted(JobGroup.objects.values_list("jobs", flat=True)) == [1, 2]


class TestCounts:
    def test_they_follow_each_change_also_of_events_that_nobody_wants(self) -> None:
        site()
        for job in ("sweep-1", "sweep-2", "sweep-3"):
            submit(job)
        poll()
        assert counts() == {"waiting": 3}
        update(framework_name("sweep-1"), state="RUNNING")
        update(framework_name("sweep-2"), state="RUNNING")
        poll()
        assert counts() == {"waiting": 1, "running": 2}
        end("sweep-1", "FAILED")
        update(framework_name("sweep-2"), state="STOPPING")
        poll()
        assert counts() == {"waiting": 1, "running": 1, "failed": 1}
        end("sweep-2", "STOPPED")
        poll()
        assert counts() == {"waiting": 1, "stopped": 1, "failed": 1}
        assert not Notification.objects.exists()

    def test_a_retry_waits_again_and_counts_once(self) -> None:
        start("sweep-1", "sweep-2")
        poll()
        update(framework_name("sweep-1"), state="WAITING", retries=1)
        poll()
        assert counts() == {"waiting": 1, "running": 1}
        update(framework_name("sweep-1"), state="RUNNING")
        end("sweep-1")
        poll()
        assert counts() == {"succeeded": 1, "running": 1}

    def test_a_batch_that_is_rolled_back_counts_nothing(self) -> None:
        start("sweep-1", "sweep-2")
        with transaction.atomic():
            Poller().run_once()
            assert counts() == {"running": 2}
            transaction.set_rollback(True)
        assert not JobGroup.objects.exists()
        poll()
        assert counts() == {"running": 2}

    def test_an_unknown_state_changes_nothing(self) -> None:
        start("sweep-1", "sweep-2")
        update(framework_name("sweep-1"), state="UNKNOWN")
        poll()
        assert counts() == {"running": 2}

    def test_a_name_that_is_submitted_again_counts_for_its_last_submission(self) -> None:
        start("sweep-1", "sweep-2")
        end("sweep-1", "FAILED")
        poll()
        delete("sweep-1")
        submit("sweep-1")
        poll()
        assert counts() == {"waiting": 1, "running": 1}

    def test_a_name_submitted_again_before_the_poller_has_seen_the_first(self) -> None:
        site("failed")
        start("sweep-1", "sweep-2")
        end("sweep-1", "FAILED")
        delete("sweep-1")
        submit("sweep-1")
        poll()
        assert counts() == {"waiting": 1, "running": 1}

    def test_what_ended_in_an_earlier_sweep_stays_counted_there(self) -> None:
        long_ago = datetime.now(UTC) - 30 * HOUR
        start("sweep-1", "sweep-2", submissionTime=long_ago)
        end("sweep-1")
        end("sweep-2")
        CapturedChange.objects.update(changed_at=long_ago)
        poll()
        delete("sweep-1")
        submit("sweep-1")
        poll()
        first, second = JobGroup.objects.order_by("id")
        assert (counts(first), counts(second)) == ({"succeeded": 2}, {"waiting": 1})

    def test_an_open_job_whose_row_is_gone_leaves(self) -> None:
        start("sweep-1", "sweep-2", "sweep-3")
        end("sweep-3")
        poll()
        delete("sweep-1")
        delete("sweep-3")
        poller = Poller()
        poller.run_once()
        assert counts() == {"running": 1, "succeeded": 1}

    def test_what_the_capture_has_missed_is_found_in_the_table(self) -> None:
        start("sweep-1", "sweep-2")
        poll()
        end("sweep-1")
        update(framework_name("sweep-1"), updatedAt=datetime.now(UTC) - HOUR)
        CapturedChange.objects.all().delete()
        poller = Poller()
        poller.run_once()
        assert counts() == {"succeeded": 1, "running": 1}

    def test_what_the_reconciling_scan_queues_counts_as_it_is_now(self) -> None:
        SiteSettings.objects.create(default_events=[])
        start("sweep-1", "sweep-2")
        poll()
        end("sweep-1")
        CapturedChange.objects.all().delete()
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO notifications_pollerstate (id, leader, installed_at, capture_seen_at, reconcile_from) "
                "VALUES (1, '', now() - interval '1 day', now() - interval '1 hour', now() - interval '1 hour')"
                "ON CONFLICT (id) DO UPDATE SET capture_seen_at = EXCLUDED.capture_seen_at, "
                "reconcile_from = EXCLUDED.reconcile_from, installed_at = EXCLUDED.installed_at"
            )
        poller = Poller()
        for source in poller._sources:
            source.reconcile()
        poll(poller)
        assert counts() == {"succeeded": 1, "running": 1}


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


def _collecting(seen: list[str]) -> Any:
    def wrapper(execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        if "notifcenter_follow_groups" in str(sql):
            seen.append(sql)
        return execute(sql, params, many, context)

    return wrapper


def _no_groups(execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
    assert "group" not in str(sql).replace("GROUP BY", "").replace("group_id", "").lower()
    return execute(sql, params, many, context)


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
