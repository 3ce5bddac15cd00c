"""What we have written into the columns is no wish of the job."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from notifications.models import Framework, WishMirror
from preferences.models import UserPreference
from tests.clients import config_url, get, send
from tests.cluster import asking, ended, submit, submit_named, told, update
from tests.pollers import drain, look_after, start_poller
from tests.wish_columns import F, R, S, T, asked, set_here
from tests.wishes import FILE

pytestmark = pytest.mark.django_db


class TestTheMirrorIsNoWish:
    def test_of_a_job_that_says_nothing(self, browser: Client, alice: User) -> None:
        """Its columns are all false; one that we set must not turn the others into a "no" of its file."""
        UserPreference.objects.create(user=alice, default_events=["failed"])
        submit_named("job")
        set_here("job", {R: True})
        look_after()
        events = get(browser, config_url("job"))["events"]
        assert (events["running"]["source"], events["failed"]) == (
            "override",
            {"wanted": True, "source": "owner"},
        )
        update("job", state="RUNNING")
        update("job", **ended("FAILED"))
        drain()
        assert told("job") == [("running", 0), ("failed", 0)]

    def test_of_a_job_whose_file_asks_and_whose_yaml_is_gone(self, alice: User) -> None:
        """Its true column is all that is known; set to false, the file still says no to what it does not name."""
        UserPreference.objects.create(user=alice, default_events=["stopped"])
        name = submit(**asking("Failed"))
        set_here(name, {F: False})
        look_after()
        assert asked(name) == (False,) * 5
        update(name, **ended("STOPPED"))
        drain()
        assert told(name) == []

    def test_after_the_drop_while_the_columns_still_show_it(self, browser: Client) -> None:
        submit_named("job")
        set_here("job", {R: True, S: True})
        look_after()
        events = send(browser, "DELETE", config_url("job"), None).json()["events"]
        assert asked("job")[:2] == (True, True)
        assert events["running"] == {"wanted": False, "source": "site"}
        assert get(browser, config_url("job"))["events"] == events
        update("job", state="RUNNING")
        start_poller()
        assert told("job") == []

    def test_for_the_scan_at_the_pollers_start(self) -> None:
        """Retries before the switch are over; a column that asks for them because of us must not dig them up."""
        earlier = timezone.now() - timedelta(hours=1)
        name = submit(submissionTime=earlier)
        update(name, retries=3, updatedAt=earlier)
        update(name, state="RUNNING", updatedAt=earlier)
        drain()
        set_here(name, {T: True})
        drain()
        look_after()
        assert asked(name)[4] is True
        start_poller()
        assert told(name) == []
        update(name, retries=4)
        drain()
        assert told(name) == [("retried", 4)]

    def test_a_file_with_a_block_keeps_its_say(self, browser: Client) -> None:
        submit_named("job", jobConfig=FILE + "    failed: true\n", **asking("Failed"))
        set_here("job", {F: False, R: True})
        look_after()
        events = send(browser, "DELETE", config_url("job"), None).json()["events"]
        assert events["failed"] == {"wanted": True, "source": "job_file"}
        assert events["running"] == {"wanted": False, "source": "job_file"}


class TestANewJobOfTheSameName:
    """What the cluster had asked for in the columns of the one before is not asked for by this one."""

    @pytest.fixture
    def name(self) -> str:
        """A job without wishes, whose name had one that asked to hear of its failure, which was switched off here."""
        submit_named("job", at=timezone.now() - timedelta(hours=1), **asking("Failed"))
        set_here("job", {F: False})
        look_after()
        WishMirror.objects.update(pending=True)
        Framework.objects.all().delete()
        submit_named("job")
        return "job"

    def test_when_the_columns_are_written(self, name: str) -> None:
        look_after()
        assert asked(name) == (False,) * 5

    def test_when_something_is_set_for_it(self, name: str) -> None:
        set_here(name, {R: True})
        look_after()
        assert asked(name) == (True, False, False, False, False)
