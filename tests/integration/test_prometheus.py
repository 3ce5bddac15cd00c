"""A real Prometheus scrapes a real web process, configured and asked as docs/metrics.md says."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
from django.core.management import call_command
from django.utils import timezone

from notifications.models import CapturedChange
from tests import processes
from tests.cluster import snapshot, started, submit, update
from tests.database import sql
from tests.processes import ROOT, free_port, running, wait_for
from tests.programs import needs

pytestmark = [needs("prometheus"), needs("promtool")]

PAGE = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
TOKEN = "the-token"
EXAMPLES = {"15s": "100ms", "notifcenter.example.org:8000": "", "/run/secrets/metrics-token": ""}
"""What the test has to put in the place of the page's examples."""

RAN_AT = "2026-01-01T00:00:00Z"
USERS_FAULT = {"state": "FAILED", "snapshot": snapshot(ran_at=RAN_AT, code=226)}
PLATFORMS_FAULT = {"state": "FAILED", "snapshot": snapshot(ran_at=RAN_AT, code=-1001)}


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def check(folder: Path, kind: str, text: str) -> Path:
    file = folder / f"{kind}.yml"
    file.write_text(text, encoding="utf-8")
    found = subprocess.run(["promtool", "check", kind, file], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr + found.stdout
    return file


class Prometheus:
    def __init__(self, url: str) -> None:
        self._url = url

    def is_ready(self) -> bool:
        with suppress(URLError), urlopen(f"{self._url}/-/ready", timeout=30):
            return True
        return False

    def ask(self, query: str) -> dict[tuple[str, ...], float]:
        """The present answer: values of labels (in the order of their names) → value."""
        with urlopen(f"{self._url}/api/v1/query?{urlencode({'query': query})}", timeout=30) as answer:
            found = json.load(answer)
        assert found["data"]["resultType"] == "vector"
        return {
            tuple(value for _, value in sorted(one["metric"].items())): float(one["value"][1])
            for one in found["data"]["result"]
        }

    def value(self, query: str) -> float:
        (value,) = self.ask(query).values()
        return value


@contextmanager
def prometheus(folder: Path, target: str) -> Iterator[Prometheus]:
    (folder / "token").write_text(f"{TOKEN}\n", encoding="utf-8")
    config = blocks("yaml")[0]
    here = EXAMPLES | {
        "notifcenter.example.org:8000": target,
        "/run/secrets/metrics-token": f"{folder}/token",
    }
    for example, actual in here.items():
        assert example in config
        config = config.replace(example, actual)
    address = f"127.0.0.1:{free_port()}"
    arguments = [
        "prometheus",
        f"--config.file={check(folder, 'config', config)}",
        f"--storage.tsdb.path={folder / 'series'}",
        f"--web.listen-address={address}",
    ]
    with running(arguments, folder / "prometheus.log", {}):
        server = Prometheus(f"http://{address}")
        wait_for(server.is_ready, what="Prometheus is ready")
        yield server


def scraped(url: str) -> str:
    with urlopen(
        Request(f"{url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"}), timeout=30
    ) as answer:
        text: str = answer.read().decode()
        return text


def jobs_in_the_table() -> dict[tuple[str, ...], float]:
    rows = sql('SELECT state, "virtualCluster", count(*) FROM frameworks GROUP BY 1, 2')
    return {(state, cluster): float(count) for state, cluster, count in rows}


JOBS = "sum by (state, virtual_cluster) (notifcenter_jobs) > 0"
ENDS = "sum(notifcenter_job_ends_total)"


@pytest.mark.django_db(transaction=True)
def test_it_computes_what_the_page_promises(tmp_path: Path) -> None:
    average, failing, by_cluster, not_the_users, nine_of_ten, waiting, *rest = blocks("promql")
    with (
        processes.daphne(tmp_path, METRICS_TOKEN=TOKEN) as (url, web),
        processes.poller(tmp_path),
        prometheus(tmp_path, url.removeprefix("http://")) as server,
    ):
        ago = [timedelta(minutes=minutes) for minutes in (10, 20, 30, 60)]
        names = [
            submit(f"job-{number}", submissionTime=timezone.now() - wait, virtualCluster=f"vc{number % 2}")
            for number, wait in enumerate(ago)
        ]
        wait_for(lambda: server.ask(JOBS) == jobs_in_the_table(), what="the jobs, before any of them started")
        assert server.ask(waiting) == {("vc0",): 2, ("vc1",): 2}
        assert server.value(ENDS) == 0

        for name, end in zip(
            names, (USERS_FAULT, PLATFORMS_FAULT, {"state": "SUCCEEDED"}, {"state": "SUCCEEDED"}), strict=True
        ):
            update(name, **started())
            update(name, **end)
        wait_for(lambda: server.ask(ENDS) == {(): 4}, what="four ends")
        wait_for(lambda: server.value(failing) == pytest.approx(0.5), what="half of the jobs failed")
        assert server.value(average) == pytest.approx((10 + 20 + 30 + 60) / 4 * 60, abs=120)
        assert server.ask(by_cluster) == pytest.approx({("vc0",): 0.5, ("vc1",): 0.5})
        assert server.value(not_the_users) == pytest.approx(0.25)
        assert 30 * 60 < server.value(nine_of_ten) <= 4 * 3600
        for query in rest:
            assert server.ask(query), query

        call_command("demo_cluster", "--once", "--jobs", "100", "--seed", "7", verbosity=0)
        wait_for(lambda: not CapturedChange.objects.exists(), what="the poller has taken all changes")
        wait_for(lambda: server.ask(JOBS) == jobs_in_the_table(), what="the jobs of the table")
        assert len(jobs_in_the_table()) > 4
        found = subprocess.run(
            ["promtool", "check", "metrics"], input=scraped(url), capture_output=True, text=True
        )
        assert (found.returncode, found.stdout, found.stderr) == (0, "", "")
        assert "Traceback" not in web.log
