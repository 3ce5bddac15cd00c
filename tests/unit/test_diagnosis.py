"""Why a job ended, from real snapshots, and from what is left of them when they are broken."""

from __future__ import annotations

import copy
import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notifications.sources.frameworks import exit_codes
from notifications.sources.frameworks.diagnosis import (
    MAX_DIAGNOSTICS_BYTES,
    MAX_OUTPUT_BYTES,
    Diagnosis,
    diagnose,
)
from tests.snapshots import ENDED, FRAMEWORK, RAN, facts, snapshot, task_of, with_output


def test_real_snapshot_of_a_job_whose_image_does_not_exist() -> None:
    found = diagnose(json.dumps(FRAMEWORK), facts())
    assert found.ran_at is None
    assert found.ended_at == ENDED
    assert found.details.pop("diagnostics").startswith("Pod failed: PodPattern matched")
    output = found.details.pop("output").splitlines()
    assert "RuntimeError: Failed to get auth token, status code: 401" in output
    assert output[-1] == "+ exit 254"
    assert found.details == {
        "exit_code": 254,
        "phrase": "ContainerImageNotExists",
        "why": "image not found",
        "reason": "The container image does not exist, or needs a login.",
        "causer": "user",
        "solutions": ["Check the image's name and the login for its registry."],
        "task": "taskrole[0]",
        "image": "binyangl/pri",
        "attempt": 1,
        "max_attempts": 1,
        "retries": 0,
        "max_retries": 0,
        "gpus": 1,
        "waited_seconds": 22,
        "never_ran": True,
    }


def test_ran_and_ended_in_the_same_second_has_run() -> None:
    found = diagnose(snapshot(run_time="2020-01-20T09:08:52Z", code=1, phrase=None), facts(exit_code=1))
    assert found.ran_at == ENDED
    assert (found.details["waited_seconds"], found.details["ran_seconds"]) == (22, 0)


def test_null_run_time_means_never_ran_whatever_launch_time_says() -> None:
    assert diagnose(snapshot(run_time=None), facts(launch_time=RAN)).ran_at is None


def test_the_synthetic_failure_has_never_run_although_it_has_a_run_time() -> None:
    made_up = snapshot(run_time="2020-01-20T09:08:52Z", code=-1100, phrase="CreateFrameworkPermanentFailed")
    found = diagnose(made_up, facts(exit_code=-1100))
    assert found.ran_at is None
    assert "ran_seconds" not in found.details
    assert found.details["causer"] == "user"


@pytest.mark.parametrize(
    ("launched", "ran_at"),
    [(RAN, RAN), (ENDED, None), (None, None)],
    ids=["before the end: it ran", "equal to the end: unknown", "not at all"],
)
def test_without_a_snapshot_the_columns_speak(launched: datetime | None, ran_at: datetime | None) -> None:
    found = diagnose(None, facts(launch_time=launched, exit_code=226))
    assert found.ran_at == ran_at
    assert found.details["why"] == "out of GPU memory"


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "no json",
        "null",
        "[]",
        '"status"',
        '{"status": null}',
        '{"status": {"attemptStatus": []}}',
        '{"status": {"attemptStatus": {"completionStatus": "failed"}}}',
        '{"status"' + ":[" * 10,
        "[" * 200_000,
        '{"a":' * 200_000,
        '{"status": {"completionTime": ' + "9" * 10_000 + "}}",
        '{"status": {"attemptStatus": {"completionStatus": {"code": 1' + "0" * 5_000_000,
        json.dumps(FRAMEWORK)[:-100],
    ],
    ids=lambda text: repr(text[:30]),
)
def test_a_broken_snapshot_costs_only_the_diagnosis(broken: str) -> None:
    assert diagnose(broken, facts()) == diagnose(None, facts())


@pytest.mark.parametrize("code", [None, "254", 254.0, True, 10**30, [254]])
def test_a_code_of_a_wrong_type_gives_way_to_the_column(code: Any) -> None:
    assert diagnose(snapshot(code=code), facts(exit_code=7)).details["exit_code"] == 7


@pytest.mark.parametrize("time", ["yesterday", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59", 5, {}])
def test_a_run_time_that_is_none_means_never_ran(time: Any) -> None:
    assert diagnose(snapshot(run_time=time), facts()).ran_at is None


def test_a_run_time_without_offset_is_utc() -> None:
    assert diagnose(snapshot(run_time="2020-01-20T09:08:40"), facts()).ran_at == RAN


@pytest.mark.parametrize(
    ("completion", "why"),
    [
        ({"code": 226, "phrase": "ContainerCudaOOMKilled"}, "out of GPU memory"),
        ({"code": 226, "phrase": ""}, "out of GPU memory"),
        ({"code": 3, "phrase": ""}, "exit code 3"),
        ({"code": 226, "phrase": "GpuTooHot"}, "GPU too hot"),
        ({"code": 17, "phrase": "PAIRuntimeExitAbnormally"}, "the runtime ended abnormally"),
        ({"code": -7, "phrase": "ContainerUndefinedNegativeExitCode"}, "unknown error of the cluster"),
        ({"code": 3, "phrase": 3}, "exit code 3"),
        ({"code": 3, "phrase": "ContainerUnrecognizedFailed"}, "exit code 3"),
        ({"code": 137, "phrase": "ContainerUnrecognizedFailed"}, "killed (SIGKILL)"),
        ({"code": 9, "phrase": "PAIRuntimeLicenseServerDown"}, "license server down"),
    ],
)
def test_the_clusters_own_phrase_counts_for_more_than_our_table(completion: Any, why: str) -> None:
    assert diagnose(snapshot(**completion), facts()).details["why"] == why


def test_a_succeeded_job_needs_no_reason() -> None:
    found = diagnose(snapshot(code=0, phrase="Succeeded", diagnostics="all well"), facts(exit_code=0))
    assert not found.details.keys() & {"why", "reason", "causer", "solutions", "diagnostics", "never_ran"}
    assert (found.details["exit_code"], found.details["phrase"]) == (0, "Succeeded")


def test_a_running_job_has_no_exit_code() -> None:
    framework = copy.deepcopy(FRAMEWORK)
    framework["status"]["runTime"] = "2020-01-20T09:08:40Z"
    del framework["status"]["completionTime"]
    framework["status"]["attemptStatus"]["completionStatus"] = None
    found = diagnose(json.dumps(framework), facts(exit_code=None, launch_time=RAN, completion_time=None))
    assert found.ran_at == RAN
    assert found.details == {
        "attempt": 1,
        "max_attempts": 1,
        "retries": 0,
        "max_retries": 0,
        "gpus": 1,
        "waited_seconds": 10,
    }


@pytest.mark.parametrize(
    ("trigger", "task"),
    [
        ({"taskRoleName": "worker", "taskIndex": 3}, "worker[3]"),
        ({"taskRoleName": "worker"}, "worker"),
        ({"taskRoleName": "worker\x00\u202e", "taskIndex": "3"}, "worker"),
        ({"taskRoleName": None, "taskIndex": 3}, None),
        ({"taskRoleName": ""}, None),
        (None, None),
        ("worker", None),
    ],
)
def test_the_task_that_brought_the_job_down(trigger: Any, task: str | None) -> None:
    assert diagnose(snapshot(trigger=trigger), facts()).details.get("task") == task


def test_diagnostics_are_cut_and_cleaned_and_otherwise_left_alone() -> None:
    hostile = 'line\n\ttab\x00\x1b[31m\ud800\u202e<script>{"code": 0}</script>' + "ü" * 10_000 + "the end"
    diagnostics = diagnose(snapshot(diagnostics=hostile), facts()).details["diagnostics"]
    assert diagnostics.startswith('line\n\ttab<script>{"code": 0}</script>üü')
    assert diagnostics.endswith("üüthe end")
    assert len(diagnostics.encode()) <= MAX_DIAGNOSTICS_BYTES


def test_the_output_is_the_end_of_what_the_failed_container_said() -> None:
    said = "\n".join(f"\x1b[32mstep {number}\x1b[0m" for number in range(1000)) + "\nKilled\n"
    output = diagnose(with_output(said), facts()).details["output"]
    assert output.endswith("step 998\nstep 999\nKilled")
    assert output.startswith("step ")
    assert len(output.encode()) <= MAX_OUTPUT_BYTES


@pytest.mark.parametrize("said", [None, "", 5, ["x"], {"a": 1}, "\n\n"])
def test_no_output_is_left_out(said: Any) -> None:
    assert "output" not in diagnose(with_output(said), facts()).details


def test_an_evicted_pod_speaks_for_its_containers() -> None:
    framework = json.loads(with_output(None))
    pod = task_of(framework)["attemptStatus"]["completionStatus"]["pod"]
    pod.update(reason="Evicted", message="The node was low on resource: memory.")
    assert diagnose(json.dumps(framework), facts()).details["output"] == pod["message"]


def test_the_output_is_that_of_the_task_that_brought_the_job_down() -> None:
    framework = json.loads(with_output("of the first"))
    tasks = framework["status"]["attemptStatus"]["taskRoleStatuses"][0]["taskStatuses"]
    tasks.append(copy.deepcopy(tasks[0]))
    tasks[1]["index"] = 1
    tasks[1]["attemptStatus"]["completionStatus"]["pod"]["containers"][0]["message"] = "of the second"
    completion = framework["status"]["attemptStatus"]["completionStatus"]
    completion["trigger"] = {"taskRoleName": "taskrole", "taskIndex": 1}
    assert diagnose(json.dumps(framework), facts()).details["output"] == "of the second"
    completion["trigger"] = None
    assert "output" not in diagnose(json.dumps(framework), facts()).details


def test_durations_are_never_negative() -> None:
    late = facts(submission_time=ENDED + timedelta(seconds=3))
    assert diagnose(snapshot(run_time="2020-01-20T09:08:52Z"), late).details["waited_seconds"] == 0


on_a_busy_machine = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@on_a_busy_machine
@given(
    status=st.fixed_dictionaries({}, optional={"runTime": JSON, "completionTime": JSON}),
    completion=st.fixed_dictionaries(
        {},
        optional={"code": JSON | st.sampled_from([0, 1, 226, -1100]), "phrase": JSON}
        | {"diagnostics": JSON, "trigger": JSON | st.fixed_dictionaries({"taskRoleName": JSON})},
    ),
)
def test_whatever_a_snapshot_holds_the_details_can_be_stored(
    status: dict[str, Any], completion: dict[str, Any]
) -> None:
    framework = {"status": {**status, "attemptStatus": {"completionStatus": completion}}}
    found = diagnose(json.dumps(framework), facts())
    assert isinstance(found, Diagnosis)
    stored = json.dumps(found.details, ensure_ascii=False, allow_nan=False).encode()
    assert b"\\u0000" not in stored
    assert len(stored) < 16 * 1024


def test_every_exit_code_has_its_words() -> None:
    assert len(exit_codes.BY_CODE) == len(exit_codes.BY_PHRASE) == len(exit_codes.TABLE)
    for entry in exit_codes.TABLE:
        assert 0 < len(entry.why) <= 60
        assert entry.why == entry.why.strip(".")
        if entry.code:
            assert entry.reason.endswith(".")
        assert all(solution.endswith(".") for solution in entry.solutions)
