"""Real message brokers, to be stopped, frozen and started again empty."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.processes import answers, free_port, wait_for

RABBITMQ = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
"""Debian's wrapper in the PATH changes the user."""


class Broker(ABC):
    """On a port of its own. `start` begins with nothing, whatever there was before."""

    url: str

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._starts = 0
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def command(self, folder: Path) -> list[str]:
        """With its data in this new folder."""

    def environment(self, folder: Path) -> Mapping[str, str]:
        return {}

    def start(self) -> None:
        self._starts += 1
        folder = self.folder / f"broker-{self._starts}"
        folder.mkdir()
        with (folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                self.command(folder),
                env={**os.environ, **self.environment(folder)},
                cwd=folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_for(lambda: answers(self.port), seconds=60, what=f"the broker, see {folder / 'log'}")

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def close(self) -> None:
        self.stop()

    def freeze(self) -> None:
        """It takes connections and says nothing."""
        assert self._process
        os.killpg(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process
        os.killpg(self._process.pid, signal.SIGCONT)


class Redis(Broker):
    def __init__(self, folder: Path) -> None:
        if not shutil.which("redis-server"):
            pytest.skip("there is no redis-server (Debian package redis-server)")
        super().__init__(folder)
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def command(self, folder: Path) -> list[str]:
        return [
            "redis-server",
            "--bind",
            "127.0.0.1",
            "--port",
            str(self.port),
            "--save",
            "",
            "--appendonly",
            "no",
        ]


class RabbitMQ(Broker):
    """With a name server of its own, which it would leave running otherwise."""

    def __init__(self, folder: Path) -> None:
        if not RABBITMQ.exists():
            pytest.skip("there is no RabbitMQ (Debian package rabbitmq-server)")
        super().__init__(folder)
        self.url = f"amqp://guest:guest@127.0.0.1:{self.port}//"
        self._epmd_port = free_port()
        self._epmd = subprocess.Popen(["epmd", "-port", str(self._epmd_port)])
        wait_for(lambda: answers(self._epmd_port), what="epmd")

    def command(self, folder: Path) -> list[str]:
        return [str(RABBITMQ)]

    def environment(self, folder: Path) -> Mapping[str, str]:
        return {
            "HOME": str(folder),
            "ERL_EPMD_PORT": str(self._epmd_port),
            "RABBITMQ_NODENAME": f"notifcenter{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "logs"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_CONFIG_FILE": str(folder / "none"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        }

    def close(self) -> None:
        super().close()
        self._epmd.kill()
        self._epmd.wait()
