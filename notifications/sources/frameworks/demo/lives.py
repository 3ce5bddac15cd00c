"""The lives that jobs of the simulation can have. Each yields the seconds until its next step."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from notifications.sources.frameworks.demo import failures
from notifications.sources.frameworks.demo.cluster import Cluster
from notifications.sources.frameworks.demo.jobs import SUCCESS, Exit, Job

Life = Callable[[Cluster, Job], Iterator[float]]

LONGEST_SECONDS = 300
"""No life takes longer."""


def succeeds(cluster: Cluster, job: Job) -> Iterator[float]:
    yield from _wait_and_run(cluster, job)
    yield from _end(cluster, job, SUCCESS)


def fails(cluster: Cluster, job: Job) -> Iterator[float]:
    yield from _wait_and_run(cluster, job)
    yield from _end(cluster, job, failures.draw(cluster.random))


def ends_at_once(cluster: Cluster, job: Job) -> Iterator[float]:
    """It runs and ends within a second, so that its row goes from WAITING to the end."""
    yield from _prepare(cluster, job)
    cluster.run_and_end(job, cluster.random.choice([SUCCESS, failures.COMMAND_NOT_FOUND]))


def lacks_its_image(cluster: Cluster, job: Job) -> Iterator[float]:
    yield from _prepare(cluster, job)
    cluster.update_status(job, "Completed", failures.IMAGE_MISSING)


def cannot_be_created(cluster: Cluster, job: Job) -> Iterator[float]:
    """Kubernetes refuses it; the cluster makes up a status in which all times are the same."""
    yield cluster.random.uniform(0.5, 2)
    cluster.run_and_end(job, failures.NEVER_CREATED)


def is_retried(cluster: Cluster, job: Job) -> Iterator[float]:
    for _ in range(cluster.random.randint(1, 3)):
        yield from _wait_and_run(cluster, job)
        cluster.update_status(job, "AttemptCompleted", failures.draw_platform(cluster.random))
        yield cluster.random.uniform(0.5, 2)
        cluster.retry(job)
    yield from _wait_and_run(cluster, job)
    yield from _end(cluster, job, cluster.random.choice([SUCCESS, failures.draw(cluster.random)]))


def is_retried_in_a_burst(cluster: Cluster, job: Job) -> Iterator[float]:
    """Several attempts fail before the cluster writes once."""
    yield from _wait_and_run(cluster, job)
    cluster.retry(job, times=3)
    yield from _wait_and_run(cluster, job)
    yield from _end(cluster, job, SUCCESS)


def is_stopped(cluster: Cluster, job: Job) -> Iterator[float]:
    yield from _wait_and_run(cluster, job)
    yield from _stop(cluster, job)


def is_stopped_while_waiting(cluster: Cluster, job: Job) -> Iterator[float]:
    yield from _prepare(cluster, job)
    yield cluster.random.uniform(2, 20)
    yield from _stop(cluster, job)


def waits_long(cluster: Cluster, job: Job) -> Iterator[float]:
    """A full virtual cluster: the same WAITING is written again and again."""
    yield from _prepare(cluster, job)
    for _ in range(cluster.random.randint(4, 8)):
        yield 20
        cluster.update_status(job)
    yield from succeeds(cluster, job)


def is_deleted_by_hand(cluster: Cluster, job: Job) -> Iterator[float]:
    """Somebody deletes the Framework in Kubernetes; the cluster makes it anew, and it waits again."""
    yield from _wait_and_run(cluster, job)
    job.created_at = job.ran_at = job.attempt_ran_at = None
    cluster.update_status(job, "AttemptCreationPending")
    yield from succeeds(cluster, job)


def gets_a_new_priority(cluster: Cluster, job: Job) -> Iterator[float]:
    yield from _wait_and_run(cluster, job)
    cluster.request_priority(job, "prod")
    yield from _end(cluster, job, SUCCESS)


def bring_to_an_end(cluster: Cluster, job: Job) -> Iterator[float]:
    """For a job that was left behind in any state."""
    yield cluster.random.uniform(1, 20)
    if job.state == "STOPPING" or job.execution_type == "Stop":
        cluster.stopped(job)
        return
    if job.state == "WAITING":
        yield from _wait_and_run(cluster, job)
    yield from _end(cluster, job, SUCCESS)


LIVES: dict[Life, int] = {
    succeeds: 40,
    fails: 20,
    is_retried: 8,
    is_stopped: 7,
    gets_a_new_priority: 6,
    ends_at_once: 5,
    lacks_its_image: 4,
    waits_long: 4,
    is_stopped_while_waiting: 2,
    is_retried_in_a_burst: 2,
    is_deleted_by_hand: 1,
    cannot_be_created: 1,
}
"""How many of a hundred jobs have which life."""


def _prepare(cluster: Cluster, job: Job) -> Iterator[float]:
    yield cluster.random.uniform(0.2, 1)
    cluster.update_status(job, "AttemptPreparing")
    yield cluster.random.uniform(0.5, 4)


def _wait_and_run(cluster: Cluster, job: Job) -> Iterator[float]:
    yield from _prepare(cluster, job)
    yield cluster.random.expovariate(1 / 5) % 15
    cluster.update_status(job, "AttemptRunning")
    for _ in range(cluster.random.randint(1, 3)):
        yield cluster.random.uniform(3, 10)
        cluster.update_status(job)


def _end(cluster: Cluster, job: Job, exit: Exit) -> Iterator[float]:
    cluster.update_status(job, "AttemptCompleted", exit)
    yield cluster.random.uniform(0.2, 1)
    cluster.update_status(job, "Completed")


def _stop(cluster: Cluster, job: Job) -> Iterator[float]:
    cluster.request_stop(job)
    yield cluster.random.uniform(0.2, 1)
    cluster.stopping(job)
    yield cluster.random.uniform(1, 4)
    cluster.stopped(job)
