/** Service worker: shows what the server pushes, also while no page of ours is open. Texts are plain text throughout. */

const SAVED = "notifcenter-push"; // as in push.js
const ICON = "/static/notifcenter/icon-192.png";

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("push", (event) => event.waitUntil(show(read(event.data))));
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(openPage(event.notification.data?.url));
});
self.addEventListener("pushsubscriptionchange", (event) => event.waitUntil(renew(event)));

/** A browser demands a notification for every push, so that one that cannot be read is shown as well. */
function read(data) {
  try {
    const message = data?.json();
    return message && typeof message === "object" ? message : {};
  } catch {
    return {};
  }
}

function show({ title, body, tag, url, lang, timestamp }) {
  const options = { icon: ICON, data: { url: text(url) } };
  if (text(body)) options.body = text(body);
  if (text(lang)) options.lang = text(lang);
  if (Number.isFinite(timestamp)) options.timestamp = timestamp;
  if (text(tag)) {
    options.tag = text(tag);
    options.renotify = true; // what takes the place of an older one is news
  }
  return self.registration.showNotification(text(title) || "Notifcenter", options);
}

function text(value) {
  return typeof value === "string" ? value : "";
}

/** The tab that shows it already, or a new one: a tab with something else in it is left alone. */
async function openPage(address) {
  const url = webAddress(address);
  const tabs = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const there = tabs.find((tab) => place(tab.url) === place(url));
  return there ? there.focus() : self.clients.openWindow(url);
}

function webAddress(address) {
  try {
    const url = new URL(address || "/", self.location.origin);
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : "/";
  } catch {
    return "/";
  }
}

function place(address) {
  const { origin, pathname } = new URL(address, self.location.origin);
  return origin + pathname;
}

/** The browser has replaced its subscription. Nobody may be signed in now; the old one's secret says who we are. */
async function renew(event) {
  const cache = await caches.open(SAVED);
  const saved = await (await cache.match(SAVED))?.json();
  const old = event.oldSubscription?.toJSON() ?? saved?.subscription;
  const key = event.oldSubscription?.options.applicationServerKey ?? saved?.key;
  if (!old || !key) return;
  const fresh =
    event.newSubscription ??
    (await self.registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key }));
  const renewed = fresh.toJSON();
  const answer = await fetch("/api/v1/push-subscriptions/renew/", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ old: { endpoint: old.endpoint, auth: old.keys.auth }, new: renewed }),
    credentials: "omit",
  });
  if (answer.ok) await cache.put(SAVED, Response.json({ subscription: renewed, key: saved?.key }));
}
