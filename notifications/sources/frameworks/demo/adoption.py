"""Picks up the jobs that an earlier run of the simulation left behind, from their own snapshots."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from typing import Any

from notifications.sources.frameworks.demo.jobs import Job, Request, Role
from preferences.job_protocol import FILE_KEYS, read_block


def adopted(rows: Iterable[tuple[str, datetime, str, str]]) -> list[Job]:
    """`rows` are name, submission time, job file and snapshot. Rows that somebody has broken are left out."""
    jobs = []
    for name, submitted_at, config, snapshot in rows:
        with suppress(KeyError, TypeError, ValueError):
            jobs.append(_job(name, submitted_at, config, json.loads(snapshot)))
    return jobs


def _job(name: str, submitted_at: datetime, config: str, framework: dict[str, Any]) -> Job:
    metadata, spec, status = framework["metadata"], framework["spec"], framework["status"]
    block = read_block(config).block or {}
    request = Request(
        user=metadata["labels"]["userName"],
        job_name=metadata["annotations"]["jobName"],
        roles=tuple(Role(role["name"], role["taskNumber"]) for role in spec["taskRoles"]),
        virtual_cluster=metadata["labels"]["virtualCluster"],
        config=config,
        wishes={key: block[event] for key, event in FILE_KEYS.items() if event in block},
        max_retries=spec["retryPolicy"]["maxRetryCount"],
    )
    return Job(
        request,
        submitted_at,
        name=name,
        execution_type=spec["executionType"],
        generation=int(metadata["annotations"]["requestGeneration"]),
        sub_state=status["state"],
        retries=status["retryPolicyStatus"]["totalRetriedCount"],
        created_at=_time(status["startTime"]),
        ran_at=_time(status["runTime"]),
        attempt_ran_at=_time(status["attemptStatus"]["runTime"]),
        exit=None,
    )


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
