"""`make run`: the whole product on this machine, with a simulated cluster. `python -m notifcenter.run`

Prepares the database, starts web, poller, worker, beat and cluster, and ends them all together.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from notifcenter import environment, mail_folder
from notifcenter.leftovers import AlreadyRunningError, RunFile
from notifcenter.processes import Processes, Program
from notifications import vapid
from notifications.stopping import Stop

HOST = "127.0.0.1"
READY_SECONDS = 60.0
READY_POLL_SECONDS = 0.2
KEPT_MAILS = 1_000
PRUNE_SECONDS = 600.0
ROOT_WARNING = "You're running the worker with superuser privileges"  # it is, where everything runs as root
PROJECT = Path(__file__).resolve().parent.parent
PUSH_KEY = "vapid-private-key"
DEMO_CONTACT = "mailto:admin@example.org"
DEMO_INGEST_TOKEN = "demo"  # noqa: S105 - on this machine only


class CannotRunError(Exception):
    """The message is the one line that says what to do."""


def main() -> int:
    port = environment.integer("PORT", 8000, least=1)
    url = f"http://{HOST}:{port}"
    data_dir = Path(environment.text("NOTIFCENTER_DATA_DIR", ".data")).resolve()
    os.environ |= {"NOTIFCENTER_DEMO": "1", "NOTIFCENTER_DATA_DIR": str(data_dir), "PYTHONUNBUFFERED": "1"}
    os.environ["DJANGO_SETTINGS_MODULE"] = "notifcenter.settings"
    os.environ.setdefault("BASE_URL", url)
    os.environ.setdefault("EMAIL_URL", f"filemail://{data_dir}/mails")
    if not environment.text("INGEST_TOKEN"):
        os.environ["INGEST_TOKEN"] = DEMO_INGEST_TOKEN
    os.chdir(PROJECT)
    signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))  # the terminal was closed
    with Stop().on_signals() as stop:
        try:
            return _run(url, port, data_dir, stop)
        except (CannotRunError, AlreadyRunningError) as error:
            _say(str(error), sys.stderr)
            return 1
        except KeyboardInterrupt:
            return 0


def _run(url: str, port: int, data_dir: Path, stop: Stop) -> int:
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        run_file = RunFile(data_dir / "run.json")
        run_file.end_leftovers()
    except OSError as error:
        raise CannotRunError(f"NOTIFCENTER_DATA_DIR: {data_dir} cannot be used: {error.strerror}") from None
    _check_port(port)
    _switch_push_on(data_dir)
    _say("Preparing the database …")
    from django.db import OperationalError

    from notifcenter import demo_setup  # reads the environment that was set above

    try:
        demo_setup.prepare()
    except (demo_setup.RealClusterError, OperationalError) as error:
        if stop.requested:
            return 0
        raise CannotRunError(str(error)) from None
    except Exception:
        if stop.requested:  # the Ctrl-C reached what we had started, too
            return 0
        raise
    processes = Processes(_show)
    try:
        for name, arguments in _programs(port).items():
            if not stop.requested:
                processes.start(name, arguments)
        run_file.write(url, [program.process.pid for program in processes.programs])
        dead = _until_ready(f"{url}/accounts/login/", processes, stop)
        if not dead and not stop.requested:
            _say(_banner(url))
            dead = _until_one_ends(processes, stop, data_dir)
        if dead and not stop.requested:
            _say(f"{dead.name} ended unexpectedly ({_how(dead)}); stopping the rest.", sys.stderr)
            return 1
        return 0
    finally:
        _say("Stopping …")
        processes.stop()
        run_file.remove()


def _switch_push_on(data_dir: Path) -> None:
    """With a key that is made once, so that browsers that have been added stay known."""
    if environment.text("VAPID_PRIVATE_KEY"):
        return
    path = data_dir / PUSH_KEY
    if not path.exists():
        new = path.with_suffix(".new")
        new.unlink(missing_ok=True)
        new.touch(0o600)
        new.write_text(f"{vapid.new_private_key()}\n", encoding="ascii")
        new.replace(path)
    os.environ["VAPID_PRIVATE_KEY_FILE"] = str(path)
    os.environ.setdefault("VAPID_CONTACT", DEMO_CONTACT)


def _programs(port: int) -> dict[str, list[str]]:
    python = sys.executable
    manage = [python, "-m", "notifcenter"]
    celery = [python, "-W", f"ignore:{ROOT_WARNING}", "-m", "celery", "-q", "-A", "notifcenter"]
    return {
        "web": [
            python,
            "-m",
            "daphne",
            "-v",
            "0",
            "-b",
            HOST,
            "-p",
            str(port),
            "notifcenter.asgi:application",
        ],
        "poller": [*manage, "poll_frameworks"],
        "worker": [*celery, "worker", "--loglevel", "WARNING"],
        "beat": [*celery, "beat", "--loglevel", "WARNING", "--pidfile="],
        "cluster": [*manage, "demo_cluster", "-v", "0"],
    }


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError) as error:
            reason = error.strerror if isinstance(error, OSError) else "there is no such port"
            raise CannotRunError(
                f"PORT: {HOST}:{port} cannot be used: {reason}; choose another one, like: PORT=8001 make run"
            ) from None


def _until_ready(url: str, processes: Processes, stop: Stop) -> Program | None:
    """Until the web process answers. The program that ended instead, if one did."""
    deadline = time.monotonic() + READY_SECONDS
    while not stop.requested and not (dead := processes.dead()):
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - our own address
                return None
        except (urllib.error.URLError, OSError):
            if time.monotonic() > deadline:
                raise CannotRunError(f"{url} did not answer within {READY_SECONDS:.0f} seconds") from None
        stop.wait(READY_POLL_SECONDS)
    return None if stop.requested else dead


def _until_one_ends(processes: Processes, stop: Stop, data_dir: Path) -> Program | None:
    while not stop.wait(PRUNE_SECONDS, [processes.ended]):
        if dead := processes.dead():
            return dead
        mail_folder.prune(data_dir / "mails", KEPT_MAILS)
    return None


def _how(program: Program) -> str:
    code = program.process.returncode
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def _banner(url: str) -> str:
    from notifcenter.demo_setup import ADMIN, PASSWORD, USERS

    return f"""
  Notifcenter with a simulated cluster:  {url}
  Sign in as {", ".join(USERS)}; as {ADMIN} for {url}/admin/. Password of all: {PASSWORD}
  Mails go to a folder:  {url}/demo/mails/
  Ctrl-C stops everything; the data is kept.
"""


def _show(name: str, line: str) -> None:
    _say(f"{name:>7} | {line}", sys.stderr)


def _say(text: str, file: TextIO | None = None) -> None:
    """Whoever read our output may be gone; that ends nothing."""
    with suppress(OSError):
        print(text, file=file or sys.stdout, flush=True)


if __name__ == "__main__":
    sys.exit(main())
