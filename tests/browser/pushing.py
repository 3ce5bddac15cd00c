"""A page whose browser has a push service that the test plays."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, Worker

from tests.processes import wait_for

PLAYED_SERVICE = """
    const fake = (key) => ({
        endpoint: %(endpoint)s,
        options: {applicationServerKey: Uint8Array.fromBase64(key, {alphabet: "base64url"}).buffer},
        toJSON: () => (%(subscription)s),
        unsubscribe: async () => { localStorage.removeItem("key"); return true; },
    });
    PushManager.prototype.getSubscription = async () => {
        const key = localStorage.getItem("key");
        return key ? fake(key) : null;
    };
    PushManager.prototype.subscribe = async ({userVisibleOnly, applicationServerKey}) => {
        if (!userVisibleOnly) throw new Error("Chrome refuses that");
        localStorage.setItem("key", applicationServerKey);
        return fake(applicationServerKey);
    };
"""


class Pushed:
    """What the browser's push service does with the service worker of a page."""

    def __init__(self, page: Page, worker: Worker) -> None:
        self._origin, self._worker = page.evaluate("location.origin"), worker
        self._session = page.context.new_cdp_session(page)
        self._ids: list[str] = []
        self._session.on("ServiceWorker.workerRegistrationUpdated", self._found)
        self._session.send("ServiceWorker.enable")
        while not self._ids:
            page.wait_for_timeout(20)

    def _found(self, event: dict[str, Any]) -> None:
        self._ids += [one["registrationId"] for one in event["registrations"] if not one["isDeleted"]]

    def deliver(self, data: str) -> list[dict[str, Any]]:
        """Returns what is shown thereafter."""
        before = self._worker.evaluate("self.shown")
        self._session.send(
            "ServiceWorker.deliverPushMessage",
            {"origin": self._origin, "registrationId": self._ids[-1], "data": data},
        )
        wait_for(lambda: self._worker.evaluate("self.shown") > before, what="the worker has shown it")
        return self.shown()

    def shown(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._worker.evaluate(
            """async () => (await self.registration.getNotifications())
                .map(({title, body, tag, data}) => ({title, body, tag, url: data.url}))"""
        )
        return found


def registered(page: Page) -> Worker:
    """The page's service worker. What only a person's click may do is written down instead of done."""
    ready = "navigator.serviceWorker.register('/push-worker.js').then(() => navigator.serviceWorker.ready)"
    page.evaluate(f"{ready}.then(() => true)")
    (worker,) = page.context.service_workers
    worker.evaluate(
        """() => {
            self.did = [];
            self.shown = 0;
            const show = ServiceWorkerRegistration.prototype.showNotification;
            ServiceWorkerRegistration.prototype.showNotification = async function (...all) {
                await show.apply(this, all);
                self.shown += 1; // asked for earlier, the browser may still take it for one that was closed
            };
            self.clients.openWindow = async (url) => { self.did.push(`opened ${url}`); };
            WindowClient.prototype.focus = async function () { self.did.push(`focused ${this.url}`); };
            self.happen = async (event) => {
                event.waitUntil = (promise) => { event.over = promise; };
                self.dispatchEvent(event);
                await event.over;
            };
        }"""
    )
    return worker


def click(worker: Worker) -> list[str]:
    """On the one notification that is shown; what it has led to."""
    did: list[str] = worker.evaluate(
        """async () => {
            const [notification] = await self.registration.getNotifications();
            await self.happen(new NotificationEvent("notificationclick", {notification}));
            return self.did.splice(0);
        }"""
    )
    return did
