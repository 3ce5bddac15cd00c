"""Who may do what at every address: the table that no address can be left out of.

A new address makes `tests/integration/test_every_address.py` fail until it has its rows here. What to write:

1. `ADDRESSES`: one line for each method, with the address as `urls.py` has it and the status that each of `WHO` gets.
   Whatever belongs to somebody must answer 404 to `other`: 403 would tell that it exists.
2. `EXAMPLES`: for a new part in angle brackets, a value that belongs to alice (made by `scene`), so that `other`
   asks for what is hers.
3. `BODIES`: what to send, if `{}` is not enough to get past the first check. A form that comes back with its
   mistakes (200) is past it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.urls import URLPattern, URLResolver, get_resolver

from notifications.groups.models import JobGroup
from notifications.models import Delivery, Notification
from notifications.unsubscribe import Scope, Subscription
from preferences.kinds import Channel
from preferences.models import ChannelPreference, JobConfig, Target, UserPreference
from tests.cluster import submit_named
from tests.deliveries import make_group
from tests.inbox import notify
from tests.push import Browser
from tests.targets import add_webhook, allow

WHO = ("stranger", "job", "gone", "other", "owner", "admin")
"""A stranger; the token of a job of alice's in its container; alice deactivated; bob; alice; an administrator."""

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

ADDRESSES = """
# method address                                                  stranger job gone other owner admin
GET    /                                                                302 302  302   200   200   200
POST   /inbox/mark-read/                                                302 302  302   302   302   302
POST   /inbox/change/                                                   302 302  302   302   302   302
GET    /jobs/                                                           302 302  302   200   200   200
GET    /jobs/<str:framework>/                                           302 302  302   404   200   200
POST   /jobs/<str:framework>/                                           302 302  302   404   200   200
GET    /groups/<int:group_id>/                                          302 302  302   404   200   200
POST   /groups/<int:group_id>/                                          302 302  302   404   302   302
GET    /profile/                                                        302 302  302   200   200   200
POST   /profile/                                                        302 302  302   200   200   200
POST   /profile/test-mail/                                              302 302  302   302   302   302
POST   /profile/targets/                                                302 302  302   200   200   200
POST   /profile/targets/<int:target_id>/test/                           302 302  302   404   302   404
POST   /profile/targets/<int:target_id>/remove/                         302 302  302   404   302   404
GET    /job-file/                                                       302 302  302   200   200   200
POST   /job-file/                                                       302 302  302   200   200   200
POST   /job-file/download/                                              302 302  302   200   200   200
GET    /api/v1/notifications/                                           401 401  401   200   200   200
POST   /api/v1/notifications/mark-read/                                 401 401  401   200   200   200
POST   /api/v1/notifications/bulk/                                      401 401  401   200   200   200
GET    /api/v1/notifications/unread/                                    401 401  401   200   200   200
GET    /api/v1/notifications/<int:notification_id>/                     401 401  401   404   200   404
PATCH  /api/v1/notifications/<int:notification_id>/                     401 401  401   404   200   404
GET    /api/v1/preferences/                                             401 401  401   200   200   200
PATCH  /api/v1/preferences/                                             401 401  401   200   200   200
GET    /api/v1/preferences/words/                                       401 401  401   200   200   200
POST   /api/v1/preferences/test-mail/                                   401 401  401   200   200   200
GET    /api/v1/jobs/                                                    401 401  401   200   200   200
GET    /api/v1/jobs/<str:framework>/notification-config/                401 401  401   404   200   200
PATCH  /api/v1/jobs/<str:framework>/notification-config/                401 401  401   404   200   200
DELETE /api/v1/jobs/<str:framework>/notification-config/                401 401  401   404   200   200
GET    /api/v1/groups/                                                  401 401  401   200   200   200
GET    /api/v1/groups/<int:group_id>/                                   401 401  401   404   200   200
PATCH  /api/v1/groups/<int:group_id>/                                   401 401  401   404   200   200
GET    /api/v1/groups/<int:group_id>/jobs/                              401 401  401   404   200   200
GET    /api/v1/targets/                                                 401 401  401   200   200   200
POST   /api/v1/targets/                                                 401 401  401   201   201   201
DELETE /api/v1/targets/<int:target_id>/                                 401 401  401   404   204   404
POST   /api/v1/targets/<int:target_id>/test/                            401 401  401   404   200   404
GET    /api/v1/push-subscriptions/                                      401 401  401   200   200   200
POST   /api/v1/push-subscriptions/                                      401 401  401   201   201   201
POST   /api/v1/job-file/                                                401 401  401   200   200   200
GET    /api/v2/alerts                                                   401 401  401   200   200   200
GET    /api/v2/users/(?P<username>[^/]+)                                401 401  401   404   200   200
PUT    /api/v2/users/(?P<username>[^/]+)                                401 401  401   404   201   201

# with a token of their own
POST   /api/v1/ingest/alertmanager/                                     401 401  401   401   401   401
POST   /api/v1/ingest/events/                                           401 401  401   401   401   401
GET    /metrics                                                         401 401  401   401   401   401

# with the secret of a browser
POST   /api/v1/push-subscriptions/renew/                                404 404  404   404   404   404

# with a signed address, or for everybody (no poller runs in the tests: 503)
GET    /unsubscribe/<str:token>/                                        200 200  404   200   200   200
POST   /unsubscribe/<str:token>/                                        200 200  404   200   200   200
GET    /push-worker.js                                                  200 200  200   200   200   200
GET    /healthz                                                         503 503  503   503   503   503
GET    /healthz/mirror                                                  404 404  404   404   404   404
GET    /accounts/login/                                                 200 200  200   302   302   302
POST   /accounts/login/                                                 200 200  200   302   302   302
POST   /accounts/logout/                                                302 302  302   302   302   302
GET    /api/schema/                                                     200 401  200   200   200   200
GET    /api/docs/                                                       200 401  200   200   200   200
"""
"""The admin, with all below it, is not listed: it is for those with `is_staff`, see `test_the_admin_…`."""

EXAMPLES: dict[str, Callable[[], object]] = {
    "framework": lambda: "job-of-alice",
    "notification_id": lambda: Notification.objects.get(job_name="job-of-alice").pk,
    "group_id": lambda: JobGroup.objects.get(user_name="alice").pk,
    "target_id": lambda: Target.objects.get(user__username="alice").pk,
    "token": lambda: Subscription(User.objects.get(username="alice").pk, Scope.ALL).url.rsplit("/", 2)[1],
    "username": lambda: "alice",
}
"""For each part of an address, one that belongs to alice, or is about her."""

BROWSER = Browser("https://push.example.net/send/1")

BODIES: dict[str, Callable[[], dict[str, Any]]] = {
    "POST /api/v1/notifications/mark-read/": lambda: {"up_to": 10**9},
    "PATCH /api/v1/notifications/<int:notification_id>/": lambda: {"read": True},
    "POST /api/v1/notifications/bulk/": lambda: {"ids": [EXAMPLES["notification_id"]()], "action": "read"},
    "PATCH /api/v1/preferences/": lambda: {"waiting_minutes": 7},
    "PATCH /api/v1/jobs/<str:framework>/notification-config/": lambda: {"muted": True},
    "PATCH /api/v1/groups/<int:group_id>/": lambda: {"muted": True},
    "POST /api/v1/targets/": lambda: {
        "channel": "webhook",
        "name": "mine",
        "address": "https://hooks.example.org/",
    },
    "POST /api/v1/push-subscriptions/": lambda: BROWSER.subscription,
    "POST /api/v1/push-subscriptions/renew/": lambda: {
        "old": {"endpoint": BROWSER.endpoint, "auth": "guessed"},
        "new": BROWSER.subscription,
    },
    "POST /api/v1/job-file/": lambda: {"yaml": "name: x\n", "events": {"failed": True}},
    "PUT /api/v2/users/(?P<username>[^/]+)": lambda: {"email": "elsewhere@example.org"},
}

ALICES = {
    Notification: "user", Delivery: "notification__user", Target: "user", UserPreference: "user",
    ChannelPreference: "user",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """`answers`: status by who asks."""

    method: str
    address: str
    answers: dict[str, int]

    @property
    def key(self) -> str:
        return f"{self.method} {self.address}"

    def path(self) -> str:
        return re.sub(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>[^)]*\)", self._example, self.address)

    @staticmethod
    def _example(part: re.Match[str]) -> str:
        name = part[1] or part[2]
        assert name in EXAMPLES, f"Add to EXAMPLES in tests/addresses.py: {name!r}, a value that is alice's."
        return str(EXAMPLES[name]())


def rows() -> list[Row]:
    found = []
    for line in ADDRESSES.splitlines():
        if line and not line.startswith("#"):
            method, address, *answers = line.split()
            found.append(Row(method, address, dict(zip(WHO, map(int, answers), strict=True))))
    return found


def addresses(resolver: Any = None, before: str = "/") -> Iterator[str]:
    """All that the product has, as the table writes them; the admin is one of them."""
    for one in (resolver or get_resolver()).url_patterns:
        path = before + str(one.pattern).removeprefix("^")
        if path.startswith(admin_path()):
            continue
        if isinstance(one, URLResolver):
            yield from addresses(one, path)
        elif isinstance(one, URLPattern):
            yield path.removesuffix("/?$").removesuffix("(?:/extension)?")


def admin_patterns(resolver: Any = None, before: str = "/") -> Iterator[str]:
    for one in (resolver or get_resolver()).url_patterns:
        path = before + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from admin_patterns(one, path)
        elif path.startswith(admin_path()):
            yield path


def admin_path() -> str:
    return f"/{settings.ADMIN_PATH}/"


def scene(alice: User) -> None:
    """What is alice's: a job in the cluster, a notification, a sweep, a target."""
    at = submit_named("job-of-alice")
    notify(alice, framework_name="job-of-alice", job_name="job-of-alice", submission_time=at)
    make_group(alice)
    add_webhook(alice, "https://127.0.0.1:1/", name="alice's")
    allow(Channel.WEBPUSH)


def all_of(alice: User) -> dict[str, list[Any]]:
    """All rows that are hers, to see whether somebody else has changed one."""
    rows: dict[str, list[Any]] = {
        model.__name__: list(model._default_manager.filter(**{owner: alice}).order_by("pk").values())
        for model, owner in ALICES.items()
    }
    jobs = JobConfig.objects.filter(framework_name="job-of-alice").values()
    account = User.objects.filter(pk=alice.pk).values("username", "email", "password")
    groups = JobGroup.objects.filter(user_name=alice.username).values()
    return {**rows, "JobGroup": list(groups), "JobConfig": list(jobs), "User": list(account)}
