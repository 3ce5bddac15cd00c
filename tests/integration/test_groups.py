"""Jobs of one sweep as a group: who belongs to it, and how its counts follow the cluster."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection, transaction

from notifications.groups.models import JobGroup
from notifications.models import CapturedChange, Notification
from notifications.poller import Poller
from preferences.models import SiteSettings
from tests.cluster import framework_name, submit, update
from tests.groups import HOUR, collecting, counts, delete, end, no_groups, poll, start
from tests.wishes import site

pytestmark = pytest.mark.django_db


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
        with connection.execute_wrapper(no_groups):
            poller.run_once()

    def test_one_statement_whatever_the_number_of_jobs(self) -> None:
        poller = Poller()
        start("sweep-1")
        poll(poller)
        start(*(f"sweep-{number}" for number in range(2, 40)), *(f"other{number}-1" for number in range(10)))
        seen: list[str] = []
        with connection.execute_wrapper(collecting(seen)):
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
