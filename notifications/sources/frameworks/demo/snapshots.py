"""The snapshot of a simulated job: a whole Framework object, of the shape and size of real ones."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from pathlib import Path
from string import Template
from typing import Any

from notifications.sources.frameworks.demo.jobs import Job, Role

NAMESPACE = "demo-cluster"


def _template(name: str) -> Any:
    return json.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))


FRAMEWORK, TASK_ROLE, ENV = _template("framework.json"), _template("task_role.json"), _template("env.json")


def snapshot(job: Job) -> str:
    """The request part is kept with the job: it only changes with a request."""
    if not job.head:
        job.head = _compact(_fill(FRAMEWORK, _values(job)))[:-1]
    return f'{job.head},"status":{_compact(_status(job))}}}'


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _fill(template: Any, values: dict[str, Any]) -> Any:
    """A text that is one placeholder becomes its value, of any type; others have theirs put in."""
    match template:
        case dict():
            return {_fill(key, values): _fill(value, values) for key, value in template.items()}
        case list():
            return [_fill(value, values) for value in template]
        case str() if template.startswith("$") and template[1:] in values:
            return values[template[1:]]
        case str() if "$" in template:
            return Template(template).substitute(values)
        case _:
            return template


def _values(job: Job) -> dict[str, Any]:
    request = job.request
    values: dict[str, Any] = {
        "name": job.name,
        "namespace": NAMESPACE,
        "uid": str(uuid.uuid5(uuid.NAMESPACE_OID, job.name)),
        "user": request.user,
        "job_name": request.job_name,
        "virtual_cluster": request.virtual_cluster,
        "config": request.config,
        "gpus": str(request.gpus),
        "generation": str(job.generation),
        "execution_type": job.execution_type,
        "created": _time(job.created_at or job.submitted_at),
        "max_retries": request.max_retries,
        "image": request.image,
        "command": request.command,
        "role_count": str(len(request.roles)),
        "role_names": ",".join(role.name for role in request.roles),
        "task_count": str(request.tasks),
    }
    return {**values, "roles": [_task_role(role, values) for role in request.roles]}


def _task_role(role: Role, values: dict[str, Any]) -> Any:
    values = {
        **values,
        "role": role.name,
        "role_gpus": str(role.gpus),
        "tasks": role.tasks,
        "tasks_text": str(role.tasks),
    }
    return _fill(TASK_ROLE, {**values, "env": _fill(ENV, values)})


def _time(time: datetime | None) -> str | None:
    return None if time is None else time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _status(job: Job) -> dict[str, Any]:
    prepared = job.sub_state not in ("AttemptCreationPending", "AttemptCreationRequested")
    started, completed = _time(job.created_at), _time(job.completed_at)
    attempt_uid = uuid.uuid5(uuid.NAMESPACE_OID, f"{job.name} {job.retries}")
    return {
        "attemptStatus": {
            "completionStatus": _completion(job),
            "completionTime": _time(job.attempt_ended_at),
            "configMapName": f"{job.name}-attempt",
            "configMapUID": str(attempt_uid),
            "id": job.retries,
            "instanceUID": f"{job.retries}_{attempt_uid}",
            "runTime": _time(job.attempt_ran_at),
            "startTime": _time(job.attempt_started_at),
            "taskRoleStatuses": [
                {
                    "name": role.name,
                    "podGracefulDeletionTimeoutSec": 600,
                    "taskStatuses": [_task(job, role, index) for index in range(role.tasks)],
                }
                for role in job.request.roles
                if prepared
            ],
        },
        "completionTime": completed,
        "retryPolicyStatus": _retried(job.retries),
        "runTime": _time(job.ran_at),
        "startTime": started,
        "state": job.sub_state,
        "transitionTime": _time(job.changed_at),
    }


def _retried(times: int) -> dict[str, Any]:
    return {"accountableRetriedCount": times, "retryDelaySec": None, "totalRetriedCount": times}


def _completion(job: Job) -> dict[str, Any] | None:
    if job.exit is None:
        return None
    completion: dict[str, Any] = {
        "code": job.exit.code,
        "diagnostics": job.exit.diagnostics,
        "phrase": job.exit.phrase,
        "type": {"attributes": ["Permanent"], "name": job.exit.kind},
    }
    if job.exit.output:
        role, index = _culprit(job)
        completion["trigger"] = {
            "message": "FailedTaskCount 1 has reached MinFailedTaskCount 1 in the TaskRole",
            "taskIndex": index,
            "taskRoleName": role.name,
        }
    return completion


def _culprit(job: Job) -> tuple[Role, int]:
    """The task that brings the job down."""
    role = job.request.roles[-1]
    return role, role.tasks - 1


def _task(job: Job, role: Role, index: int) -> dict[str, Any]:
    uid = uuid.uuid5(uuid.NAMESPACE_OID, f"{job.name} {job.retries} {role.name} {index}")
    address = f"10.151.{40 + uid.bytes[0] % 4}.{uid.bytes[1]}"
    started, completed = _time(job.attempt_started_at), _time(job.attempt_ended_at)
    ending = None
    if job.exit is not None:
        said = {"message": job.exit.output} if (role, index) == _culprit(job) and job.exit.output else {}
        ending = {
            "code": job.exit.code,
            "diagnostics": job.exit.diagnostics,
            "phrase": job.exit.phrase,
            "pod": {
                "containers": [
                    {"code": job.exit.code, "name": name, "reason": "Error", **said}
                    if name == job.exit.container
                    else {"code": 0, "name": name, "reason": "Completed"}
                    for name in ("init", "app")
                ]
            },
            "type": {"attributes": ["Permanent"], "name": job.exit.kind},
        }
    return {
        "attemptStatus": {
            "completionStatus": ending,
            "completionTime": completed,
            "id": 0,
            "instanceUID": f"0_{uid}",
            "podHostIP": address,
            "podIP": address,
            "podName": f"{job.name}-{role.name}-{index}",
            "podNodeName": f"gpu-node-{uid.bytes[1]:03}",
            "podUID": str(uid),
            "runTime": _time(job.attempt_ran_at),
            "startTime": started,
        },
        "completionTime": completed,
        "deletionPending": False,
        "index": index,
        "retryPolicyStatus": _retried(0),
        "startTime": started,
        "state": job.sub_state,
        "transitionTime": _time(job.changed_at),
    }
