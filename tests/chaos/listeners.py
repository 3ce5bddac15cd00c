"""Clients of the websocket, as a page is one: each connects to whichever web process answers, and resumes."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections import Counter
from collections.abc import Sequence
from itertools import cycle
from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from notifications.models import Notification

PAUSE_SECONDS = 0.1
"""Before it connects again."""
LOOK_SECONDS = 0.5
ANSWER_SECONDS = 10


class Listener:
    """One user's. `seen`: the ids that it was told of, in that order, whichever way."""

    def __init__(self, user: User, urls: Sequence[str]) -> None:
        self.user = user
        self.seen: list[int] = []
        self.did: Counter[str] = Counter()
        browser = Client()
        browser.force_login(user)
        self._cookie = f"sessionid={browser.cookies['sessionid'].value}"
        self._urls = cycle(urls)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"listener of {user}", daemon=True)
        self._thread.start()

    @property
    def last(self) -> int:
        return self.seen[-1] if self.seen else 0

    def _run(self) -> None:
        for url in self._urls:
            if self._stopped.is_set():
                return
            try:
                self._listen(url)
            except (OSError, WebSocketException):
                self.did["connections lost or refused"] += 1
            self._stopped.wait(PAUSE_SECONDS)

    def _listen(self, url: str) -> None:
        address = url.replace("http", "ws", 1) + "/ws/notifications/"
        headers = {"Cookie": self._cookie}
        options: dict[str, Any] = {"open_timeout": ANSWER_SECONDS, "close_timeout": 1, "max_queue": None}
        with connect(address, additional_headers=headers, origin=Origin(url), **options) as connection:
            fetched = 0
            while not self._stopped.is_set():
                frame = self._frame(connection)
                match frame.get("type"):
                    case "hello":
                        self.did["connections"] += 1
                        connection.send(json.dumps({"type": "resume", "after": self.last}))
                    case "notification":
                        number = int(frame["notification"]["id"])
                        if number > fetched:  # else it was on its way while we fetched
                            self.seen.append(number)
                    case "resync":
                        self.did["resyncs"] += 1
                        fetched = self._fetch(url)
                    case "error":
                        raise OSError(frame["detail"])

    def _frame(self, connection: ClientConnection) -> dict[str, Any]:
        try:
            frame: dict[str, Any] = json.loads(connection.recv(timeout=LOOK_SECONDS))
        except TimeoutError:
            return {}
        return frame

    def _fetch(self, url: str) -> int:
        """By REST, all that is newer than the last one seen; returns the id up to which it knows everything now."""
        page = f"{url}/api/v1/notifications/?after={self.last}&page_size=100"
        while page:
            request = urllib.request.Request(page, headers={"Cookie": self._cookie})
            with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as answer:
                found = json.load(answer)
            self.seen += [one["id"] for one in found["results"]]
            page = found["next"]
        return self.last

    def is_up_to_date(self) -> bool:
        newest = (
            Notification.objects.filter(user=self.user).order_by("-id").values_list("id", flat=True).first()
        )
        return self.last == (newest or 0)

    def gaps(self) -> int:
        """How many it was never told of."""
        own = set(Notification.objects.filter(user=self.user).values_list("id", flat=True))
        return len(own - set(self.seen))

    def doubles(self) -> int:
        return len(self.seen) - len(set(self.seen))

    def out_of_order(self) -> bool:
        return self.seen != sorted(self.seen)

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join(ANSWER_SECONDS + 5)
