"""`sync_users` against a REST server on loopback and the real database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError

from accounts import sync, tasks
from accounts.models import ClusterAccount
from notifcenter import celery
from preferences.models import ChannelPreference
from preferences.wishes import load_wishes
from tests.clients import client_of, send
from tests.processes import environment, manage, running, wait_for, worker
from tests.rest_server import CHOICE, TOKEN, RestServer, cluster, person, reply
from tests.syncing import PREFERENCES, everything, mail_of, run
from tests.wishes import met_by_a_job

__all__ = ["cluster"]

pytestmark = pytest.mark.django_db


def test_users_addresses_admins_and_choices_come_here(cluster: RestServer) -> None:
    cluster.name(
        person("alice", "alice@example.org", by_email=False, by_webportal=True),
        person("bob"),
        person("root", "root@example.org", admin=True),
    )
    out, err = run()
    assert out == [
        "alice: new, address alice@example.org, email off",
        "bob: new",
        "root: new, address root@example.org, administrator",
        "3 users in the cluster, 3 changed here.",
    ]
    assert err == []
    alice, bob, root = User.objects.order_by("username")
    assert (alice.email, alice.is_active, alice.is_staff) == ("alice@example.org", True, False)
    assert not alice.has_usable_password()
    assert (bob.email, mail_of("alice")) == ("", False)
    assert (root.is_staff, root.is_superuser) == (True, True)
    channels = load_wishes(usernames=["alice"], frameworks=[]).owners["alice"].wishes.channels
    assert {channel.value: bool(events) for channel, events in channels.items()}["email"] is False


def test_a_second_run_changes_nothing(cluster: RestServer) -> None:
    cluster.name(person("alice", "alice@example.org", by_email=False), person("root", admin=True))
    run()
    before = everything()
    assert run() == (["2 users in the cluster, 0 changed here."], [])
    assert everything() == before


def test_a_dry_run_prints_what_would_change_and_writes_nothing(cluster: RestServer) -> None:
    cluster.name(person("alice", "alice@example.org"), person("bob", "bob@example.org"), person("carol"))
    run()
    before = everything()
    cluster.name(
        person("alice", "new@example.org", by_email=False), person("dave", admin=True), person("carol")
    )
    out, _ = run("--dry-run")
    assert out == [
        "alice: address new@example.org, email off",
        "bob: gone from the cluster, deactivated",
        "dave: new, administrator",
        "3 users in the cluster, 3 would change here.",
    ]
    assert everything() == before
    assert run()[0][:3] == out[:3]
    assert everything() != before


def test_what_cannot_be_used_is_reported_and_holds_up_nobody(cluster: RestServer) -> None:
    cluster.name(person("../admin"), person("alice", "a@example.org, b@example.org"), None, person("bob"))
    out, err = run()
    assert out[-1] == "2 users in the cluster, 2 changed here."
    assert [line.split(";")[-1] for line in err] == [" skipped", " ignored", " skipped"]
    assert User.objects.get(username="alice").email == ""


class TestChoicesMadeHere:
    @pytest.fixture
    def alice(self, cluster: RestServer) -> User:
        cluster.name(person("alice", "cluster@example.org", by_email=True, by_webportal=True))
        run()
        return User.objects.get(username="alice")

    def cluster_says(self, cluster: RestServer, **choice: bool) -> None:
        cluster.name(person("alice", "newer@example.org", **choice))
        run()

    def test_what_was_not_touched_follows(self, cluster: RestServer, alice: User) -> None:
        send(client_of(alice), "PATCH", PREFERENCES, {"time_zone": "Europe/Berlin"})
        self.cluster_says(cluster, by_email=False)
        alice.refresh_from_db()
        assert alice.email == "newer@example.org"
        assert mail_of("alice") is False
        self.cluster_says(cluster, by_email=True)
        assert mail_of("alice") is True

    def test_a_saved_profile_page_is_no_choice_of_what_was_not_changed(
        self, cluster: RestServer, alice: User
    ) -> None:
        browser = client_of(alice)
        page = browser.get("/profile/")
        initial = {
            name: bound.value()
            for name, bound in ((n, page.context["form"][n]) for n in page.context["form"].fields)
        }
        filled = {
            name: ("on" if value is True else value)
            for name, value in initial.items()
            if value not in (False, None)
        }
        assert browser.post("/profile/", filled).status_code == 302
        self.cluster_says(cluster, by_webportal=False)
        alice.refresh_from_db()
        assert alice.email == "newer@example.org"
        assert ChannelPreference.objects.get(user=alice, channel="webportal").enabled is False

    def test_a_switch_of_the_rest_wins_for_ever(self, cluster: RestServer, alice: User) -> None:
        send(client_of(alice), "PATCH", PREFERENCES, {"channels": {"email": {"enabled": False}}})
        self.cluster_says(cluster, by_email=True)
        assert mail_of("alice") is False
        send(client_of(alice), "PATCH", PREFERENCES, {"channels": {"email": {"enabled": True}}})
        self.cluster_says(cluster, by_email=False)
        assert mail_of("alice") is True

    def test_a_switch_of_the_portal_wins_for_ever(self, cluster: RestServer, alice: User) -> None:
        choice = {"extension": {CHOICE: {"email": False, "webportal": True}}}
        answer = client_of(alice).put(
            "/api/v2/users/alice", {"data": choice}, content_type="application/json"
        )
        assert answer.status_code == 201
        self.cluster_says(cluster, by_email=True, by_webportal=False)
        assert mail_of("alice") is False
        assert ChannelPreference.objects.get(user=alice, channel="webportal").enabled is False  # not touched

    def test_an_address_set_here_wins_for_ever(self, cluster: RestServer, alice: User) -> None:
        send(client_of(alice), "PATCH", PREFERENCES, {"email_address": "own@example.org"})
        self.cluster_says(cluster)
        alice.refresh_from_db()
        assert alice.email == "own@example.org"
        send(client_of(alice), "PATCH", PREFERENCES, {"email_address": ""})
        self.cluster_says(cluster)
        alice.refresh_from_db()
        assert alice.email == ""

    def test_what_the_administrator_sets_wins_too(self, cluster: RestServer, alice: User, root: User) -> None:
        admin = client_of(root)
        form = admin.get(f"/admin/auth/user/{alice.pk}/change/").context["adminform"].form
        data = {name: value for name, value in form.initial.items() if value not in (None, False, [])}
        data |= {"email": "admin@example.org", "date_joined_0": "2026-01-01", "date_joined_1": "00:00"}
        assert admin.post(f"/admin/auth/user/{alice.pk}/change/", data).status_code == 302
        row, _ = ChannelPreference.objects.get_or_create(user=alice, channel="email")
        answer = admin.post(
            f"/admin/preferences/channelpreference/{row.pk}/change/", {"user": alice.pk, "channel": "email"}
        )
        assert answer.status_code == 302
        self.cluster_says(cluster, by_email=True)
        alice.refresh_from_db()
        assert alice.email == "admin@example.org"
        assert mail_of("alice") is False


class TestGone:
    @pytest.fixture(autouse=True)
    def _three(self, cluster: RestServer) -> None:
        cluster.name(person("alice"), person("bob"), person("carol"))
        run()

    def test_who_is_gone_is_deactivated_and_comes_back(self, cluster: RestServer) -> None:
        browser = client_of(User.objects.get(username="alice"))
        assert browser.get(PREFERENCES).status_code == 200
        cluster.name(person("bob"), person("carol"))
        run()
        assert not User.objects.get(username="alice").is_active
        assert browser.get(PREFERENCES).status_code == 401
        cluster.name(person("alice"), person("bob"), person("carol"))
        assert run()[0][0] == "alice: active again"
        assert browser.get(PREFERENCES).status_code == 200

    def test_who_was_deactivated_here_stays_so(self, cluster: RestServer) -> None:
        User.objects.filter(username="alice").update(is_active=False)
        assert run()[0] == ["3 users in the cluster, 0 changed here."]
        assert not User.objects.get(username="alice").is_active

    def test_who_never_came_from_there_stays(self, cluster: RestServer, root: User) -> None:
        met = met_by_a_job("dave").pk
        cluster.name(person("alice"), person("bob"))
        run()
        assert set(User.objects.filter(is_active=False).values_list("username", flat=True)) == {"carol"}
        assert User.objects.get(pk=met).is_active

    @pytest.mark.parametrize("names", [[], ["alice"]])
    def test_an_answer_that_would_empty_the_place_stops(self, cluster: RestServer, names: list[str]) -> None:
        cluster.name(*map(person, names))
        before = everything()
        for arguments in ([], ["--dry-run"]):
            with pytest.raises(CommandError, match="Nothing was changed") as error:
                run(*arguments)
            assert "--deactivate-many" in str(error.value)
        assert everything() == before
        run("--deactivate-many")
        assert User.objects.filter(is_active=True).count() == len(names)

    def test_rubbish_that_names_nobody_stops(self, cluster: RestServer) -> None:
        cluster.name({"message": "no users today"})
        with pytest.raises(CommandError, match="names no users"):
            run()


def test_the_local_administrator_keeps_password_rights_and_activity(cluster: RestServer, root: User) -> None:
    before = everything()[0]
    cluster.name(person("root", "other@example.org", admin=False), person("alice"))
    run()
    assert [row for row in everything()[0] if row[0] == "root"] == before
    cluster.name(person("alice"))
    run()
    assert [row for row in everything()[0] if row[0] == "root"] == before
    ClusterAccount.objects.filter(user=root).update(is_local=False)  # the administrator's decision
    cluster.name(person("alice"), person("bob"), person("carol"))
    run()
    root.refresh_from_db()
    assert not root.is_active


def test_who_became_known_by_a_job_is_taken_over(cluster: RestServer) -> None:
    known = met_by_a_job("alice").pk
    cluster.name(person("alice", "alice@example.org"))
    run()
    assert User.objects.get().pk == known
    assert User.objects.get().email == "alice@example.org"


def test_more_users_than_fit_one_transaction(cluster: RestServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync, "CHUNK", 7)
    cluster.name(*(person(f"user{n}", f"user{n}@example.org", by_email=n % 2 == 0) for n in range(30)))
    assert run()[0][-1] == "30 users in the cluster, 30 changed here."
    assert User.objects.exclude(email="").count() == 30
    assert ChannelPreference.objects.filter(enabled=False).count() == 15


class TestCelery:
    def test_every_ten_minutes_when_configured(self, cluster: RestServer) -> None:
        assert celery._schedule()["users"] == {
            "task": "accounts.tasks.sync_users", "schedule": 600, "options": {"expires": 600},
        }  # fmt: skip

    @pytest.mark.parametrize("name", ["PAI_REST_SERVER_URL", "PAI_REST_SERVER_TOKEN"])
    def test_not_at_all_otherwise(self, cluster: RestServer, settings: Any, name: str) -> None:
        setattr(settings, name, "")
        assert "users" not in celery._schedule()

    def test_a_failure_is_one_line_in_the_log(
        self, cluster: RestServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        cluster.answer = lambda handler: reply(handler, {}, status=500)
        tasks.sync_users()
        assert "users not synced error='PAI_REST_SERVER_URL answers 500 to /api/v2/users.'" in caplog.text

    @pytest.mark.django_db(transaction=True)
    def test_a_worker_syncs_when_it_starts(self, cluster: RestServer, tmp_path: Path) -> None:
        cluster.name(person("alice", "alice@example.org"), person("bob\n"))
        with worker(
            tmp_path, PAI_REST_SERVER_URL=cluster.url + "/rest-server", PAI_REST_SERVER_TOKEN=TOKEN
        ) as process:
            wait_for(lambda: User.objects.filter(username="alice", email="alice@example.org"), what="alice")
            process.wait_for_log("users synced people=1 changed=1 problems=1")
            assert TOKEN not in process.log
            assert "alice" not in process.log


@pytest.mark.django_db(transaction=True)
def test_the_command_as_it_is_typed(cluster: RestServer, tmp_path: Path) -> None:
    """In a process of its own; the token from a file."""
    cluster.name(person("alice", "alice@example.org"))
    (tmp_path / "token").write_text(TOKEN + "\n")
    env = environment(
        PAI_REST_SERVER_URL=cluster.url + "/rest-server/", PAI_REST_SERVER_TOKEN_FILE=str(tmp_path / "token")
    )
    with running(manage("sync_users"), tmp_path / "log", env) as process:
        assert process.popen.wait(60) == 0
        assert process.log.endswith(
            "alice: new, address alice@example.org\n1 users in the cluster, 1 changed here.\n"
        )
    cluster.answer = lambda handler: reply(handler, {}, status=401)
    with running(manage("sync_users"), tmp_path / "log2", env) as process:
        assert process.popen.wait(60) == 1
        assert "CommandError: The cluster refuses PAI_REST_SERVER_TOKEN (401)" in process.log
        assert "Traceback" not in process.log
        assert TOKEN not in process.log
