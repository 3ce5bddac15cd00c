"""What is set for a job after its submission shows in the cluster's columns notificationAt*, and only there."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DataError, ProgrammingError, transaction
from django.test import Client
from django.utils import timezone

from notifications.models import Framework, WishMirror
from notifications.sources.frameworks.wish_columns import mirrored
from preferences.kinds import Event
from preferences.models import JobConfig
from tests.clients import client_of, config_url, get, send
from tests.cluster import RESET, WISH_COLUMNS, asking, columns, ended, submit, submit_named, told, update
from tests.database import second_session, sql
from tests.pollers import drain, look_after, poller_with, start_poller
from tests.processes import wait_for
from tests.wish_columns import F, R, S, X, asked, drop, set_here

pytestmark = pytest.mark.django_db

NOTHING = dict.fromkeys(WISH_COLUMNS, False)


def request_change(name: str, *file: str, **more: Any) -> None:
    """What the cluster writes when somebody stops the job or changes its priority; `file`: what its file asks for."""
    update(name, **{**NOTHING, **asking(*file)}, **RESET, **more)


class TestColumns:
    def test_they_show_what_was_set(self) -> None:
        name = submit(**asking("Failed", "Stopped"))
        set_here(name, {R: True, F: False, Event.WAITING_TOO_LONG: True})
        look_after()
        assert asked(name) == (True, False, False, True, False)
        set_here(name, {R: None, S: True})
        look_after()
        assert asked(name) == (False, True, False, True, False)

    @pytest.mark.parametrize("file", [(), ("Running",), ("Running", "Failed")])
    def test_dropping_puts_back_what_the_file_asks_for(self, file: tuple[str, ...]) -> None:
        name = submit(**asking(*file))
        before = asked(name)
        set_here(name, {R: True, S: True, F: False})
        look_after()
        assert asked(name) == (True, True, False, False, False)
        drop(name)
        look_after()
        assert asked(name) == before
        assert not WishMirror.objects.exists()

    def test_an_empty_column_of_an_older_cluster_becomes_empty_again(self) -> None:
        empty: dict[str, Any] = dict.fromkeys(WISH_COLUMNS)
        name = submit(**empty)
        set_here(name, {R: True, F: False})
        look_after()
        assert asked(name) == (True, None, False, None, None)
        drop(name)
        look_after()
        assert asked(name) == (None,) * 5

    def test_nothing_else_of_the_row_is_touched(self) -> None:
        name = submit(jobConfig="x: y", jobPriority="test", notifiedAtRunning=True)
        (before,) = sql("SELECT to_jsonb(f) - 'notificationAtRunning' FROM frameworks f")
        set_here(name, {R: True})
        look_after()
        assert asked(name)[0] is True
        assert sql("SELECT to_jsonb(f) - 'notificationAtRunning' FROM frameworks f") == [before]

    def test_what_the_admin_changes_shows_too(self, root: User) -> None:
        name = submit()
        set_here(name, {R: True})
        look_after()
        client_of(root).post(
            "/admin/preferences/jobconfig/",
            {"action": "delete_selected", "_selected_action": [JobConfig.objects.get().pk], "post": "yes"},
        )
        look_after()
        assert asked(name) == (False,) * 5

    def test_a_job_submitted_anew_under_the_name_shows_its_own(self) -> None:
        name = submit(submissionTime=timezone.now() - timedelta(hours=1))
        set_here(name, {R: True})
        look_after()
        Framework.objects.all().delete()
        submit(**asking("Failed"))
        drain()
        look_after()
        assert asked(name) == (False, False, True, False, False)
        set_here(name, {S: True})
        look_after()
        assert asked(name) == (False, True, True, False, False)


class TestRequestChangeOfTheCluster:
    """It rewrites the columns from the job's file and resets notifiedAt*."""

    def test_it_loses_nothing_and_repeats_nothing(self) -> None:
        name = submit(**asking("Failed"))
        set_here(name, {R: True, F: False, X: True})
        look_after()
        update(name, state="RUNNING")
        drain()
        request_change(name, "Failed", executionType="Stop")
        start_poller()
        assert told(name) == [("running", 0)]
        update(name, state="STOPPING")
        update(name, **ended("STOPPED"))
        drain()
        assert told(name) == [("running", 0), ("stopped", 0)]
        look_after()
        assert asked(name) == (True, False, False, True, False), "shown again, after the change that followed"
        assert columns(name, "notifiedAtRunning", "notifiedAtStopped") == (True, True)
        drop(name)
        look_after()
        assert asked(name) == (False, False, True, False, False)

    def test_between_it_and_the_mirror_the_file_still_says_what_it_said(self, browser: Client) -> None:
        submit_named("job", **asking("Failed"))
        set_here("job", {R: True, F: False})
        look_after()
        before = get(browser, config_url("job"))
        request_change("job", "Failed")
        assert get(browser, config_url("job")) == before
        look_after()
        assert get(browser, config_url("job")) == before


class TestRowsThatCannotBeWritten:
    @pytest.mark.django_db(transaction=True)
    def test_a_row_that_the_cluster_holds_locked_is_not_waited_for(self) -> None:
        locked, free = submit("locked"), submit("free")
        with second_session() as cluster, cluster.cursor() as cursor:
            cursor.execute('UPDATE frameworks SET "jobPriority" = %s WHERE name = %s', ["test", locked])
            sql("SET lock_timeout = '1s'")  # whoever waits for the row fails
            for name in (locked, free):
                set_here(name, {R: True})
            look_after()
            assert (asked(locked)[0], asked(free)[0]) == (False, True)
            assert WishMirror.objects.get(pending=True).framework_name == locked
            cluster.commit()
        look_after()
        assert (asked(locked)[0], columns(locked, "jobPriority")) == (True, ("test",))
        assert not WishMirror.objects.filter(pending=True).exists()

    @pytest.mark.django_db(transaction=True)
    def test_a_change_while_the_poller_writes_is_not_forgotten(self) -> None:
        """The poller holds what is remembered of the job; who changes the wish then is next."""
        name = submit()
        set_here(name, {R: True})
        with second_session() as poller, poller.cursor() as cursor:
            cursor.execute("SELECT FROM notifications_wishmirror WHERE pending FOR UPDATE")
            look_after()
            assert asked(name)[0] is False, "another is at it"
            poller.rollback()
        look_after()
        assert asked(name)[0] is True

    def test_a_row_that_is_gone_is_forgotten(self) -> None:
        name = submit()
        set_here(name, {R: True})
        Framework.objects.all().delete()
        look_after()
        assert not WishMirror.objects.exists()

    def test_a_row_that_goes_later_is_forgotten_at_the_next_start(self) -> None:
        name = submit()
        set_here(name, {R: True})
        look_after()
        assert WishMirror.objects.exists()
        Framework.objects.all().delete()
        start_poller()
        assert not WishMirror.objects.exists()

    def test_an_interrupted_step_leaves_all_or_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        name = submit(**asking("Failed"))
        set_here(name, {F: False})
        monkeypatch.setattr(
            "notifications.sources.frameworks.wish_columns._REMEMBER", "SELECT 1 / 0 WHERE %s IS NOT NULL"
        )
        with pytest.raises(DataError, match="division"), transaction.atomic():
            look_after()
        assert asked(name)[2] is True
        assert WishMirror.objects.get().before == {}

    def test_without_the_clusters_table_it_is_kept_until_the_table_is_back(self) -> None:
        name = submit()
        set_here(name, {R: True})
        sql("ALTER TABLE frameworks RENAME TO elsewhere")
        with pytest.raises(ProgrammingError, match="frameworks"), transaction.atomic():
            look_after()
        sql("ALTER TABLE elsewhere RENAME TO frameworks")
        look_after()
        assert asked(name)[0] is True


@pytest.mark.django_db(transaction=True)
def test_a_running_poller_writes_them_and_puts_them_back(browser: Client, tmp_path: Path) -> None:
    submit_named("job", **asking("Failed"))
    with poller_with(tmp_path, upkeep_seconds=0.2):
        send(browser, "PATCH", config_url("job"), {"events": {"running": True, "failed": False}})
        wait_for(lambda: asked("job") == (True, False, False, False, False))
        request_change("job", "Failed")
        update("job", state="RUNNING")
        wait_for(lambda: told("job") == [("running", 0)] and asked("job")[:3] == (True, False, False))
        send(browser, "DELETE", config_url("job"), None)
        wait_for(lambda: asked("job") == (False, False, True, False, False))


@pytest.mark.parametrize(
    ("column", "before", "override", "shown", "remembered"),
    [
        (False, {}, {}, False, {}),
        (False, {}, {R: True}, True, {R: False}),
        (True, {"running": False}, {R: True}, True, {R: False}),
        (False, {"running": False}, {R: True}, True, {R: False}),  # after a request change
        (True, {"running": False}, {R: False}, False, {R: False}),
        (True, {"running": False}, {}, False, {}),
        (True, {"running": True}, {}, True, {}),
        (True, {}, {R: False}, False, {R: True}),
        (None, {}, {R: True}, True, {R: None}),
        (True, {"running": None}, {}, None, {}),
    ],
)
def test_one_column(
    column: bool | None,
    before: dict[str, bool | None],
    override: dict[Event, bool],
    shown: bool | None,
    remembered: dict[Event, bool | None],
) -> None:
    assert mirrored({R: column}, before, override) == ({R: shown}, remembered)
