/** Values into words: events, counts, times. */

export const EVENTS = {
  running: "Running",
  succeeded: "Succeeded",
  failed: "Failed",
  stopped: "Stopped",
  retried: "Retried",
  waiting_too_long: "Waiting too long",
  alert: "Alert",
};

const CHANNELS = { webportal: "Web portal", email: "E-mail", apprise: "Chat", webhook: "Webhook" };

/** What to say of a connection that is not open, by the store's status. */
export const LOST = { offline: "Offline, trying again", refused: "Signed out, no longer live" };

const STEPS = [
  ["minute", 60],
  ["hour", 3600],
  ["day", 86400],
  ["week", 7 * 86400],
  ["month", 30 * 86400],
  ["year", 365 * 86400],
];

export function eventWord(event) {
  return EVENTS[event] ?? event.replaceAll("_", " ");
}

export function channelWord(channel) {
  return CHANNELS[channel] ?? channel.replaceAll("_", " ");
}

/** "3", and "99+" when the server says that there are more. */
export function countText({ unread, more }) {
  return more ? `${unread}+` : String(unread);
}

/** "just now", "5 min. ago", "yesterday" */
export function relativeTime(time, lang, now = Date.now()) {
  const seconds = Math.round((now - new Date(time)) / 1000);
  if (seconds < 45) return "just now";
  let [unit, size] = STEPS[0];
  for (const step of STEPS) if (seconds >= step[1]) [unit, size] = step;
  const format = new Intl.RelativeTimeFormat(lang, { numeric: "auto", style: "short" });
  return format.format(-Math.max(1, Math.floor(seconds / size)), unit);
}

/** Date, time and zone, for those who want to know exactly. */
export function exactTime(time, lang) {
  return new Intl.DateTimeFormat(lang, { dateStyle: "medium", timeStyle: "long" }).format(new Date(time));
}

/** The address if a browser may follow it, else `fallback`: what comes with an event may be `javascript:`. */
export function safeUrl(url, fallback) {
  try {
    return ["http:", "https:"].includes(new URL(url, document.baseURI).protocol) && url ? url : fallback;
  } catch {
    return fallback;
  }
}
