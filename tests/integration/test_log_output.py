"""What the programs themselves write: every line in the one format, Daphne's and Celery's included."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.cluster import submit, update
from tests.processes import Process, daphne, poller, wait_for, worker


def lines(process: Process) -> list[dict[str, Any]]:
    """All are JSON, but for what Celery prints at its start and end."""
    found = [line for line in process.log.splitlines() if line.strip()]
    return [json.loads(line) for line in found if line.startswith("{")] if found else []


@pytest.mark.django_db(transaction=True)
def test_all_programs_write_json(tmp_path: Path) -> None:
    with (
        daphne(tmp_path, 0, LOG_FORMAT="json") as (url, web),
        poller(tmp_path, LOG_FORMAT="json") as polling,
        worker(tmp_path, LOG_FORMAT="json") as working,
    ):
        with urlopen(
            Request(f"{url}/accounts/login/?next=/", headers={"X-Request-ID": "from-the-proxy"})
        ) as answer:
            assert answer.headers["X-Request-ID"] == "from-the-proxy"
        with pytest.raises(HTTPError, match="404"):
            urlopen(f"{url}/nowhere%0aERROR/")
        name = submit("job\nERROR forged")
        update(name, state="NOT\nA STATE")
        wait_for(lambda: "put aside" in polling.log, what="the change is put aside")
        wait_for(
            lambda: any(one["logger"] == "notifcenter.access" for one in lines(web)), what="the access log"
        )

        for process in (web, polling):
            assert all(line.startswith("{") for line in process.log.splitlines() if line.strip()), process.log
        (access, *_) = [one for one in lines(web) if one["logger"] == "notifcenter.access"]
        assert access["fields"]["path"] == "/accounts/login/"
        assert access["fields"]["status"] == 200
        assert any(one["logger"].startswith("celery") for one in lines(working))
        aside = next(one for one in lines(polling) if "put aside" in one["message"])
        assert aside["fields"]["framework"] == name
