"""Who gets what, end to end: from the changed row to the inbox and the deliveries."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import Settings

from notifications.models import Delivery, Notification
from preferences import services
from preferences.kinds import Channel, Event
from preferences.models import ChannelPolicy, ChannelPreference, JobConfig, SiteSettings, UserPreference
from preferences.rules import JobFile
from preferences.selectors import profile
from preferences.services import ChannelChange
from preferences.wishes import load_wishes, with_records
from tests.cluster import ALL_EVENTS, RESET, asking, columns, framework_name, submit, told, update
from tests.pollers import drain
from tests.wishes import FILE, job, mails, site

pytestmark = pytest.mark.django_db

LIFE: tuple[dict[str, Any], ...] = ({"state": "RUNNING"}, {"retries": 1}, {"state": "SUCCEEDED"})
HOUR = timedelta(hours=1)


def live(name: str, *steps: dict[str, Any]) -> list[str]:
    """Let the job live; returns the events that were told of it."""
    for step in steps:
        update(name, **step)
    drain()
    return [event for event, _ in told(name)]


class TestWhichEvents:
    def test_a_job_that_says_nothing_follows_the_sites_first_defaults(self) -> None:
        assert live(submit("good"), *LIFE) == []
        assert live(submit("bad"), {"state": "RUNNING"}, {"state": "FAILED"}) == ["failed"]

    def test_the_admin_can_change_the_sites_defaults(self) -> None:
        site("running", "retried")
        assert live(submit(), *LIFE) == ["running", "retried"]

    def test_the_owners_defaults_go_before_the_sites(self, alice: User) -> None:
        site("running", "retried")
        UserPreference.objects.create(user=alice, default_events=["succeeded"])
        assert live(submit(), *LIFE) == ["succeeded"]
        assert live(submit(user="bob"), *LIFE) == ["running", "retried"]

    def test_an_owner_can_want_nothing_by_default(self, alice: User) -> None:
        UserPreference.objects.create(user=alice, default_events=[])
        assert live(submit(), {"state": "FAILED"}) == []

    def test_the_jobs_columns_go_before_the_owners_defaults(self, alice: User) -> None:
        UserPreference.objects.create(user=alice, default_events=["succeeded", "retried"])
        assert live(submit(**asking("Running")), *LIFE) == ["running"]

    def test_the_jobs_file_says_no_where_it_names_nothing(self, alice: User) -> None:
        UserPreference.objects.create(user=alice, default_events=["running", "failed"])
        name = submit(jobConfig=FILE + "    failed: true\n", **asking("Failed"))
        assert live(name, {"state": "RUNNING"}, {"state": "FAILED"}) == ["failed"]

    def test_a_true_column_counts_also_when_the_file_is_gone_or_broken(self) -> None:
        for config in (None, "", "{{{", FILE + "    running: 7\n"):
            name = submit(f"job-{config}", jobConfig=config, **asking("Running"))
            assert live(name, {"state": "RUNNING"}) == ["running"]

    def test_what_was_set_after_submission_goes_before_all(self, alice: User) -> None:
        UserPreference.objects.create(user=alice, default_events=["running", "succeeded"])
        name = submit(**asking("Running", "Retried"))
        services.set_job_override(job=job(name), events={Event.RUNNING: False, Event.SUCCEEDED: True})
        assert live(name, *LIFE) == ["retried", "succeeded"]

    def test_it_holds_for_one_submission_only(self) -> None:
        name = submit()
        services.set_job_override(job=job(name), events={Event.FAILED: False})
        update(name, submissionTime=timezone.now() + HOUR, state="WAITING")
        assert live(name, {"state": "FAILED"}) == ["failed"]


class TestSwitchedAfterSubmission:
    def test_what_is_switched_on_applies_from_then_on(self) -> None:
        name = submit()
        assert live(name, {"state": "RUNNING"}) == []
        services.set_job_override(job=job(name), events={Event.SUCCEEDED: True})
        drain()
        assert told(name) == []
        assert live(name, {"state": "SUCCEEDED"}) == ["succeeded"]

    @pytest.mark.parametrize(
        ("state", "event"),
        [("RUNNING", Event.RUNNING), ("SUCCEEDED", Event.SUCCEEDED), ("STOPPED", Event.STOPPED)],
    )
    def test_if_it_is_the_present_state_it_is_told_at_once(self, state: str, event: Event) -> None:
        name = submit()
        assert live(name, {"state": state}) == []
        services.set_job_override(job=job(name), events=dict.fromkeys(Event, True))
        drain()
        assert told(name) == [(event.value, 0)]
        assert columns(name, f"notifiedAt{state.capitalize()}") == (True,)
        services.set_job_override(job=job(name), events={event: False})
        services.set_job_override(job=job(name), events={event: True})
        drain()
        assert told(name) == [(event.value, 0)], "told once, however often it is switched"

    def test_what_is_over_is_not_dug_up(self) -> None:
        name = submit()
        assert live(name, {"state": "RUNNING"}, {"retries": 1}, {"state": "SUCCEEDED"}) == []
        services.set_job_override(job=job(name), events={Event.RUNNING: True, Event.RETRIED: True})
        drain()
        assert told(name) == []

    def test_what_is_switched_on_and_over_before_the_poller_looks_is_not_told(self) -> None:
        """It is asked for from now on, and is no longer the job's state when it could be told."""
        site()
        name = submit()
        live(name, {"state": "RUNNING"})
        services.set_job_override(job=job(name), events={Event.RUNNING: True, Event.FAILED: True})
        assert live(name, {"state": "FAILED"}) == ["failed"]

    def test_what_is_switched_off_before_it_happens_is_not_told(self) -> None:
        name = submit(**ALL_EVENTS)
        services.set_job_override(job=job(name), events={Event.SUCCEEDED: False})
        assert live(name, *LIFE) == ["running", "retried"]
        assert columns(name, "notifiedAtSucceeded") == (False,)

    def test_what_is_dropped_falls_back(self) -> None:
        name = submit(**asking("Running"))
        services.set_job_override(job=job(name), events={Event.RUNNING: False, Event.FAILED: True})
        services.drop_job_override(job=job(name, JobFile(columns=frozenset({Event.RUNNING}))))
        assert live(name, {"state": "RUNNING"}, {"state": "FAILED"}) == ["running"]

    def test_a_request_change_of_the_cluster_changes_no_override(self) -> None:
        name = submit(**ALL_EVENTS)
        services.set_job_override(job=job(name), events={Event.STOPPED: False})
        assert live(name, {"executionType": "Stop", **RESET}, {"state": "STOPPED"}) == []


class TestHow:
    def test_both_channels_are_on_for_a_new_user(self, alice: User) -> None:
        live(submit(), {"state": "FAILED"})
        assert (Notification.objects.get().in_inbox, mails()) == (True, ["failed"])

    def test_without_an_address_nothing_is_mailed(self) -> None:
        live(submit(user="nobody.yet"), {"state": "FAILED"})
        assert (Notification.objects.get().in_inbox, mails()) == (True, [])

    def test_without_a_mail_server_nothing_is_mailed(self, alice: User, settings: Settings) -> None:
        settings.EMAIL_CONFIGURED = False
        live(submit(), {"state": "FAILED"})
        assert mails() == []

    @pytest.mark.parametrize(
        ("channel", "in_inbox", "mailed"), [("email", True, []), ("webportal", False, ["failed"])]
    )
    def test_the_admin_and_the_owner_can_switch_a_channel_off(
        self, alice: User, channel: str, in_inbox: bool, mailed: list[str]
    ) -> None:
        services.save_channel(user=alice, channel=Channel(channel), change=ChannelChange(enabled=False))
        live(submit("one"), {"state": "FAILED"})
        assert (Notification.objects.latest("id").in_inbox, mails()) == (in_inbox, mailed)
        ChannelPreference.objects.all().delete()
        Delivery.objects.all().delete()
        ChannelPolicy.objects.create(channel=channel, enabled=False)
        live(submit("two"), {"state": "FAILED"})
        assert (Notification.objects.latest("id").in_inbox, mails()) == (in_inbox, mailed)

    def test_each_event_has_its_own_switch_in_each_channel(self, alice: User) -> None:
        services.save_preferences(
            user=alice,
            channels={
                Channel.EMAIL: ChannelChange(events={Event.RUNNING: False}),
                Channel.WEBPORTAL: ChannelChange(events={Event.SUCCEEDED: False}),
            },
        )
        live(submit(**ALL_EVENTS), *LIFE)
        assert mails() == ["retried", "succeeded"]
        inbox = Notification.objects.filter(in_inbox=True).order_by("id")
        assert list(inbox.values_list("event", flat=True)) == ["running", "retried"]

    def test_with_every_channel_off_it_is_still_remembered(self, alice: User) -> None:
        for channel in Channel:
            ChannelPreference.objects.create(user=alice, channel=channel, enabled=False)
        name = submit()
        live(name, {"state": "FAILED"})
        ChannelPreference.objects.all().delete()
        update(name, state="STOPPING")
        live(name, {"state": "FAILED"})
        assert (told(name), mails()) == ([("failed", 0)], [])
        assert not Notification.objects.get().in_inbox

    def test_a_muted_job_is_stored_as_read_and_delivered_nowhere(self, alice: User) -> None:
        name = submit(**ALL_EVENTS)
        services.set_job_override(job=job(name), mute=services.Mute())
        assert live(name, *LIFE) == ["running", "retried", "succeeded"]
        assert mails() == []
        assert not Notification.objects.filter(read_at=None).exists()
        assert Notification.objects.filter(in_inbox=True).count() == 3
        services.set_job_override(job=job(name), mute=None)
        drain()
        assert len(told(name)) == 3

    def test_a_mute_that_has_run_out_silences_nothing(self, alice: User) -> None:
        name = submit(**ALL_EVENTS)
        services.set_job_override(job=job(name), mute=services.Mute(timezone.now()))
        assert live(name, *LIFE) == ["running", "retried", "succeeded"]
        assert len(mails()) == 3
        assert Notification.objects.filter(read_at=None).count() == 3


class TestLoading:
    def test_everything_comes_in_one_round_trip(
        self, alice: User, bob: User, django_assert_num_queries: Any
    ) -> None:
        names = [submit(f"job-{number}") for number in range(20)]
        for name in names:
            JobConfig.objects.create(
                framework_name=name, submission_time=columns(name, "submissionTime")[0], muted=True
            )
        keys = [(name, columns(name, "submissionTime")[0]) for name in names]
        with django_assert_num_queries(1):
            wishes = load_wishes(usernames={"alice", "bob"}, frameworks=names)
        assert set(wishes.owners) == {"alice", "bob"}
        assert set(wishes.overrides) == set(keys)
        assert wishes.owners["alice"].user_id == alice.pk

    def test_names_that_no_version_knows_any_more_are_passed_over(self, alice: User) -> None:
        SiteSettings.objects.create(default_events=["exploded", "failed"])
        UserPreference.objects.create(user=alice, default_events=["exploded"])
        ChannelPreference.objects.create(user=alice, channel="email", events=["exploded", "failed"])
        ChannelPreference.objects.create(user=alice, channel="pigeon", events=["failed"])
        ChannelPolicy.objects.create(channel="pigeon", enabled=False)
        name = framework_name("job")
        now = timezone.now()
        JobConfig.objects.create(
            framework_name=name, submission_time=now, events={"exploded": True, "failed": True}
        )
        wishes = load_wishes(usernames=["alice"], frameworks=[name])
        owner = wishes.owners["alice"].wishes
        assert wishes.site.default_events == {Event.FAILED}
        assert owner.default_events == frozenset()
        assert owner.channels[Channel.EMAIL] == {Event.FAILED}
        assert wishes.overrides[name, now].events == {Event.FAILED: True}

    def test_reading_makes_no_record(self, alice: User) -> None:
        """Not even of somebody who is deleted while a request of theirs is being answered."""
        User.objects.all().delete()
        assert load_wishes(usernames=["alice"], frameworks=[]).owners == {}
        assert profile(user=alice).channels
        assert not User.objects.exists()

    @pytest.mark.parametrize("name", ["o'neil", 'a"b', "ü", "{x}", "a,b", "%s", "NULL", "null"])
    def test_odd_names_are_only_names(self, name: str) -> None:
        wishes = with_records(load_wishes(usernames=[name], frameworks=[name]), [name])
        assert list(wishes.owners) == [name]
        assert User.objects.get(username=name).has_usable_password() is False
