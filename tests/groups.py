"""Jobs of one group, played."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connection

from notifications.groups.models import GroupJob, JobGroup
from notifications.poller import Poller
from tests.cluster import ended, framework_name, submit, update

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


def collecting(seen: list[str]) -> Any:
    def wrapper(execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        if "notifcenter_follow_groups" in str(sql):
            seen.append(sql)
        return execute(sql, params, many, context)

    return wrapper


def no_groups(execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
    assert "group" not in str(sql).replace("GROUP BY", "").replace("group_id", "").lower()
    return execute(sql, params, many, context)
