/** Values into words: events, counts, times. `t` is the reader's translator. */

import { msg } from "./i18n.js";

export const EVENTS = {
  running: msg("Running"),
  succeeded: msg("Succeeded"),
  failed: msg("Failed"),
  stopped: msg("Stopped"),
  retried: msg("Retried"),
  waiting_too_long: msg("Waiting too long"),
  alert: msg("Alert"),
};

const LOST = {
  offline: msg("Offline, trying again"),
  refused: msg("Signed out, no longer live"),
  token: msg("The page's token is refused, no longer live"),
};

/** What to say of a store's connection that is not open; '' of one that is. */
export function lostText({ status, hasToken }, t) {
  const text = LOST[status === "refused" && hasToken ? "token" : status];
  return text ? t(text) : "";
}

const STEPS = [
  ["minute", 60],
  ["hour", 3600],
  ["day", 86400],
  ["week", 7 * 86400],
  ["month", 30 * 86400],
  ["year", 365 * 86400],
];

export function eventWord(event, t) {
  return event in EVENTS ? t(EVENTS[event]) : event.replaceAll("_", " ");
}

/** What could not be done, and why. */
export function failureText({ what, error }, t) {
  return `${t(what)} ${t(error.message, error)}`;
}

/** "3", and "99+" when the server says that there are more. */
export function countText({ unread, more }) {
  return more ? `${unread}+` : String(unread);
}

/** "just now", "5 min. ago", "yesterday" */
export function relativeTime(time, t, now = Date.now()) {
  const seconds = Math.round((now - new Date(time)) / 1000);
  if (seconds < 45) return t("just now");
  let [unit, size] = STEPS[0];
  for (const step of STEPS) if (seconds >= step[1]) [unit, size] = step;
  const format = t.intl("RelativeTimeFormat", { numeric: "auto", style: "short" });
  return format.format(-Math.max(1, Math.floor(seconds / size)), unit);
}

/** Date, time and zone, for those who want to know exactly. */
export function exactTime(time, t) {
  return t.intl("DateTimeFormat", { dateStyle: "medium", timeStyle: "long" }).format(new Date(time));
}

/** The address if a browser may follow it, else `fallback`: what comes with an event may be `javascript:`. */
export function safeUrl(url, fallback) {
  try {
    return ["http:", "https:"].includes(new URL(url, document.baseURI).protocol) && url ? url : fallback;
  } catch {
    return fallback;
  }
}

/** Where an element says that the inbox is. */
export const inboxOf = ({ inboxUrl, baseUrl }) => safeUrl(inboxUrl, `${baseUrl.replace(/\/+$/, "")}/`);
