/** The profile page's part about browsers: adds this one, by a click only. All its texts stand in the page. */

import { Api } from "./api.js";
import { translatorOf } from "./i18n.js";
import { digestOf } from "./push-digest.js";

const SAVED = "notifcenter-push"; // as in push-worker.js
const api = new Api({ language: document.documentElement.lang });

for (const place of document.querySelectorAll("[data-push]")) start(place);

async function start(place) {
  place.querySelector("button").addEventListener("click", () => add(place));
  show(place, await stateOf(place));
}

async function stateOf(place) {
  if (!window.isSecureContext) return "insecure";
  if (!("serviceWorker" in navigator && "PushManager" in window && "Notification" in window)) return "unsupported";
  const registration = await navigator.serviceWorker.getRegistration(place.dataset.worker);
  const subscription = await registration?.pushManager.getSubscription();
  if (Notification.permission === "denied") return "denied";
  if (!subscription) return "off";
  const { application_server_key, subscriptions } = await api.pushSubscriptions();
  const digest = await digestOf(subscription);
  if (!subscriptions.some((one) => one.digest === digest)) return "off";
  const mark = document.querySelector(`[data-digest="${digest}"] [data-here]`);
  if (mark) mark.hidden = false;
  return isFor(subscription, application_server_key) ? "on" : "off";
}

async function add(place) {
  show(place, "busy");
  try {
    if ((await Notification.requestPermission()) !== "granted") {
      show(place, Notification.permission === "denied" ? "denied" : "off");
      return;
    }
    const { application_server_key: key } = await api.pushSubscriptions();
    const registration = await activeWorker(place.dataset.worker);
    const subscription = (await subscribe(registration, key)).toJSON();
    await api.addPushSubscription(subscription);
    await (await caches.open(SAVED)).put(SAVED, Response.json({ subscription, key }));
    location.reload();
  } catch (error) {
    const t = await translatorOf(place);
    place.querySelector("[data-why]").textContent = error.fields?.non_field_errors?.join(" ") ?? t(error.message, error);
    show(place, "failed");
    place.querySelector('[data-state="off"]').hidden = false;
  }
}

/** A subscription for another key of the site is of no use. */
async function subscribe({ pushManager }, key) {
  const present = await pushManager.getSubscription();
  if (present && !isFor(present, key)) await present.unsubscribe();
  return pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
}

/** A browser subscribes for a worker only when it is active. */
async function activeWorker(address) {
  const registration = await navigator.serviceWorker.register(address);
  const worker = registration.active ?? registration.waiting ?? registration.installing;
  if (worker.state === "activated") return registration;
  return new Promise((done, failed) => {
    worker.addEventListener("statechange", () => {
      if (worker.state === "activated") done(registration);
      else if (worker.state === "redundant") failed(new Error("service worker"));
    });
  });
}

function isFor(subscription, key) {
  const bytes = subscription.options?.applicationServerKey;
  return !bytes || base64url(bytes) === key;
}

function base64url(buffer) {
  const binary = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function show(place, state) {
  for (const part of place.querySelectorAll("[data-state]")) part.hidden = part.dataset.state !== state;
}
