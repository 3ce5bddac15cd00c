"""Groups over REST, as pages, and muted from a mail."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone

from notifications.delivery import bundles, sender
from notifications.delivery.mail import compose
from notifications.delivery.queue import Claim
from notifications.groups.models import JobGroup
from notifications.models import Delivery, Notification
from notifications.unsubscribe import Scope, Subscription
from tests.clients import client_of, get, send
from tests.cluster import ended, framework_name, submit, update
from tests.groups import end, poll, start
from tests.wishes import site

pytestmark = pytest.mark.django_db

GROUPS = "/api/v1/groups/"
LIST = "/api/v1/notifications/"


@pytest.fixture
def sweep(alice: User) -> JobGroup:
    """Three jobs of alice: one failed, one runs, one waits; and one of hers that stands alone."""
    site("failed")
    start("sweep-1", "sweep-2", "lonely-1")
    submit("sweep-10")
    end("sweep-1", "FAILED")
    end("lonely-1", "FAILED")
    poll()
    return JobGroup.objects.get(stem="sweep-*")


@pytest.fixture
def mine(alice: User) -> Client:
    return client_of(alice)


def url(group: JobGroup) -> str:
    return f"{GROUPS}{group.pk}/"


class TestReading:
    def test_the_list_has_own_groups_of_two_jobs_and_more(self, sweep: JobGroup, mine: Client) -> None:
        start("other-1", "other-2")
        poll()
        page = get(mine, GROUPS)
        assert [one["name"] for one in page["results"]] == ["other-*", "sweep-*"]
        (one,) = get(mine, GROUPS, page_size=1)["results"]
        assert one["counts"] == {"waiting": 0, "running": 2, "succeeded": 0, "failed": 0, "stopped": 0}

    def test_one_of_them(self, sweep: JobGroup, mine: Client) -> None:
        one = get(mine, url(sweep))
        assert one["counts"] == {"waiting": 1, "running": 1, "succeeded": 0, "failed": 1, "stopped": 0}
        assert (one["jobs"], one["username"], one["virtual_cluster"]) == (3, "alice", "default")
        assert (one["muted"], one["muted_until"], one["tell_when_ended"]) == (False, None, False)
        assert one["has_ended"] is False

    def test_its_jobs_by_state_and_name(self, sweep: JobGroup, mine: Client) -> None:
        jobs = get(mine, f"{url(sweep)}jobs/")["results"]
        assert [(job["name"], job["state"]) for job in jobs] == [
            ("sweep-1", "failed"),
            ("sweep-2", "running"),
            ("sweep-10", "waiting"),
        ]
        assert jobs[0]["framework"] == framework_name("sweep-1")
        assert [job["name"] for job in get(mine, f"{url(sweep)}jobs/", state="waiting")["results"]] == [
            "sweep-10"
        ]
        assert mine.get(f"{url(sweep)}jobs/", {"state": "odd"}).status_code == 400

    def test_notifications_say_what_group_they_are_of(self, sweep: JobGroup, mine: Client) -> None:
        alone, one = get(mine, LIST)["results"]
        assert alone["group"] is None
        assert (one["group"]["id"], one["group"]["name"]) == (sweep.pk, "sweep-*")
        assert one["group"]["counts"]["failed"] == 1
        assert [found["id"] for found in get(mine, LIST, group=sweep.pk)["results"]] == [one["id"]]
        assert mine.get(LIST, {"group": "x"}).status_code == 400

    def test_what_is_forgotten_is_no_group_any_more(self, sweep: JobGroup, mine: Client) -> None:
        sweep.delete()
        assert {one["group"] for one in get(mine, LIST)["results"]} == {None}

    @pytest.mark.parametrize("path", ["", "jobs/"])
    def test_others_do_not_see_it(self, sweep: JobGroup, bob: User, root: User, path: str) -> None:
        assert client_of(bob).get(url(sweep) + path).status_code == 404
        assert client_of(root).get(url(sweep) + path).status_code == 200
        assert client_of().get(url(sweep) + path).status_code in (401, 403)
        assert client_of(bob).get(f"{GROUPS}{10**30}/{path}").status_code == 404

    def test_others_can_not_change_it(self, sweep: JobGroup, bob: User) -> None:
        assert send(client_of(bob), "PATCH", url(sweep), {"muted": True}).status_code == 404
        assert client_of(bob).post(f"/groups/{sweep.pk}/", {"mute": "for_good"}).status_code == 404
        assert not JobGroup.objects.filter(muted=True).exists()


class TestChanging:
    def test_muted_for_good_until_a_time_and_not(self, sweep: JobGroup, mine: Client) -> None:
        assert send(mine, "PATCH", url(sweep), {"muted": True}).json()["muted"] is True
        until = (timezone.now() + timedelta(hours=1)).isoformat()
        answer = send(mine, "PATCH", url(sweep), {"muted_until": until}).json()
        assert answer["muted"] is True
        assert answer["muted_until"]
        answer = send(mine, "PATCH", url(sweep), {"muted": False}).json()
        assert (answer["muted"], answer["muted_until"]) == (False, None)

    @pytest.mark.parametrize(
        "body",
        [{"muted": "yes"}, {"odd": 1}, {"muted_until": "2020-01-01T00:00:00Z"}, [], {"tell_when_ended": 1}],
    )
    def test_what_makes_no_sense_is_refused(self, sweep: JobGroup, mine: Client, body: Any) -> None:
        assert send(mine, "PATCH", url(sweep), body).status_code == 400

    def test_a_mute_that_has_run_out_is_none(self, sweep: JobGroup, mine: Client) -> None:
        JobGroup.objects.update(muted=True, muted_until=timezone.now() - timedelta(seconds=1))
        assert get(mine, url(sweep))["muted"] is False
        end("sweep-2", "FAILED")
        poll()
        assert Notification.objects.get(job_name="sweep-2").read_at is None

    def test_muted_jobs_are_stored_read_and_sent_nowhere(
        self, sweep: JobGroup, mine: Client, settings: Any
    ) -> None:
        settings.EMAIL_CONFIGURED = True
        send(mine, "PATCH", url(sweep), {"muted": True})
        end("sweep-2", "FAILED")
        start("lonely-2")
        end("lonely-2", "FAILED")
        poll()
        silent = Notification.objects.get(job_name="sweep-2")
        assert silent.read_at is not None
        assert not silent.deliveries.exists()
        assert Notification.objects.get(job_name="lonely-2").deliveries.exists()

    def test_its_end_is_asked_for(self, sweep: JobGroup, mine: Client) -> None:
        assert send(mine, "PATCH", url(sweep), {"tell_when_ended": True}).json()["tell_when_ended"] is True
        assert send(mine, "PATCH", url(sweep), {"tell_when_ended": False}).json()["tell_when_ended"] is False
        send(mine, "PATCH", url(sweep), {"tell_when_ended": True, "muted": True})
        end("sweep-2")
        end("sweep-10", "STOPPED")
        poll()
        newest = get(mine, LIST)["results"][0]
        assert newest["title"] == "sweep-* has ended: 1 succeeded, 1 failed, 1 stopped"
        assert newest["summary"] == "3 jobs"
        assert newest["job"]["framework"] == ""
        assert newest["url"].endswith(f"/groups/{sweep.pk}/")
        assert newest["group"]["id"] == sweep.pk
        assert newest["read_at"] is None
        refused = send(mine, "PATCH", url(sweep), {"tell_when_ended": True})
        assert refused.status_code == 400
        assert "ended already" in str(refused.json())


class TestWhatIsOnItsWay:
    @pytest.fixture(autouse=True)
    def _mails(self, settings: Any, sweep: JobGroup) -> None:
        settings.EMAIL_CONFIGURED = True
        end("sweep-2", "FAILED")
        update(framework_name("sweep-10"), **ended("FAILED"))
        start("lonely-2")
        end("lonely-2", "FAILED")
        poll()

    def test_one_of_a_group_that_is_muted_meanwhile_is_dropped(self) -> None:
        JobGroup.objects.update(muted=True)
        Delivery.objects.exclude(notification__job_name="sweep-2").delete()
        Delivery.objects.update(state="pending", due_at=timezone.now() - timedelta(seconds=1))
        sender.deliver_once()
        assert [(one.state, one.last_error) for one in Delivery.objects.all()] == [
            ("dropped", "The sweep that the job is one of has been muted.")
        ]

    def test_those_in_a_bundle_are_left_out(self) -> None:
        JobGroup.objects.filter(stem="sweep-*").update(muted=True)
        first = Delivery.objects.get(notification__job_name="lonely-2")
        others = Delivery.objects.filter(notification__group__stem="sweep-*")
        others.update(state="bundled", bundle=first)
        bundles.drop_unwanted(Claim(first.pk, timezone.now(), 1, bundle_size=3))
        assert set(others.values_list("state", flat=True)) == {"dropped"}


class TestFromAMail:
    @pytest.fixture
    def token(self, sweep: JobGroup) -> str:
        one = Notification.objects.get(job_name="sweep-1")
        return urlsplit(Subscription.of(one, Scope.GROUP).url).path

    def test_get_asks_and_post_mutes(self, sweep: JobGroup, token: str) -> None:
        stranger = Client(enforce_csrf_checks=True)
        page = stranger.get(token).content.decode()
        assert "Mute sweep-*?" in page
        assert not JobGroup.objects.filter(muted=True).exists()
        assert "sweep-* is muted" in stranger.post(token).content.decode()
        assert JobGroup.objects.get(muted=True) == sweep
        stranger.post(token, {"undo": "1"})
        assert not JobGroup.objects.filter(muted=True).exists()

    def test_the_mail_has_the_link(self, settings: Any, sweep: JobGroup, token: str) -> None:
        settings.EMAIL_CONFIGURED = True
        end("sweep-2", "FAILED")
        poll()
        mail = compose(Delivery.objects.get(notification__job_name="sweep-2"))
        assert "Mute this sweep:" in mail.body
        assert "Mute this sweep" in str(mail.alternatives[0][0])

    def test_of_a_forgotten_group_nothing_is_left_to_mute(self, sweep: JobGroup, token: str) -> None:
        sweep.delete()
        assert "this sweep" in Client().post(token).content.decode()


class TestPages:
    def test_the_page_shows_its_jobs_and_what_can_be_set(self, sweep: JobGroup, mine: Client) -> None:
        page = mine.get(f"/groups/{sweep.pk}/").content.decode()
        assert "0 succeeded, 1 failed, 1 waiting, 1 running" in page
        assert "sweep-10" in page
        assert "Tell me when the last one has ended" in page
        assert (
            "sweep-10"
            not in mine.get(f"/groups/{sweep.pk}/", {"state": "failed", "page": "x"}).content.decode()
        )

    def test_its_forms(self, sweep: JobGroup, mine: Client) -> None:
        path = f"/groups/{sweep.pk}/"
        assert mine.post(path, {"tell": "on"}).status_code == 302
        assert mine.post(path, {"mute": "hour"}).status_code == 302
        sweep.refresh_from_db()
        assert sweep.tell_when_ended
        assert sweep.muted
        assert sweep.muted_until is not None
        assert "Do not tell me" in mine.get(path).content.decode()
        mine.post(path, {"tell": "off"})
        mine.post(path, {"mute": ""})
        sweep.refresh_from_db()
        assert not sweep.tell_when_ended
        assert not sweep.muted
        assert mine.post(path, {"mute": "odd"}).status_code == 200
        for job in ("sweep-2", "sweep-10"):
            end(job)
        poll()
        assert "ended already" in mine.post(path, {"tell": "on"}, follow=True).content.decode()

    def test_the_page_of_a_job_leads_to_it(self, sweep: JobGroup, mine: Client) -> None:
        page = mine.get(f"/jobs/{framework_name('sweep-1')}/").content.decode()
        assert f'<a href="/groups/{sweep.pk}/">sweep-*</a>: 0 succeeded, 1 failed' in page
        assert "/groups/" not in mine.get(f"/jobs/{framework_name('lonely-1')}/").content.decode()


def test_open_pages_hear_of_counts_that_nobody_is_told_of(sweep: JobGroup, alice: User) -> None:
    """A hint goes to the web processes with the commit; here it is seen as what the statement asked for."""
    with connection.cursor() as cursor:
        cursor.execute("LISTEN notifcenter_live")
    update(framework_name("sweep-10"), state="RUNNING")
    seen: list[Any] = []

    def wrapper(execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        result = execute(sql, params, many, context)
        if "EXECUTE notifcenter_follow_groups" in str(sql):
            seen.append(context["cursor"].cursor.fetchall())
            context["cursor"].cursor.scroll(0, mode="absolute")
        return result

    with connection.execute_wrapper(wrapper):
        poll()
    assert seen[0][0][-1] == 1


def test_collapsed_the_list_has_the_newest_of_each_group(sweep: JobGroup, mine: Client) -> None:
    end("sweep-2", "FAILED")
    end("sweep-10", "FAILED")
    start("solo-1")
    end("solo-1", "FAILED")
    poll()
    names = [one["job"]["name"] for one in get(mine, LIST, collapse="true")["results"]]
    assert names == ["solo-1", "sweep-10", "lonely-1"]
    newest = get(mine, LIST, collapse="true")["results"][1]["id"]
    send(mine, "PATCH", f"{LIST}{newest}/", {"archived": True})
    names = [one["job"]["name"] for one in get(mine, LIST, collapse="true")["results"]]
    assert names == ["solo-1", "sweep-2", "lonely-1"]
