/** Registers the elements of our own pages and of a bell in another's; does so by being loaded. The bell comes first. */

import { NotifBell } from "./notif-bell.js";

const LONGEST_PAUSE_MS = 30_000;

for (const name of ["tokens.css", "icons.css"]) {
  const href = new URL(name, import.meta.url).href;
  if (![...document.querySelectorAll("link")].some((link) => link.href === href)) {
    document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href }));
  }
}

export function define(name, element) {
  if (!customElements.get(name)) customElements.define(name, element);
}

/** Loads a module that is not needed at once. A server that is away when it is asked is asked again. */
async function load(file, pauseMs = 500) {
  try {
    return await import(`./${file}`);
  } catch {
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    return load(file, Math.min(pauseMs * 2, LONGEST_PAUSE_MS));
  }
}

define("notif-bell", NotifBell);
load("notif-toasts.js").then(({ NotifToasts }) => define("notif-toasts", NotifToasts));
load("notif-job-events.js").then(({ NotifJobEvents }) => define("notif-job-events", NotifJobEvents));
if (document.querySelector("notif-inbox")) {
  load("notif-inbox.js").then(({ NotifInbox }) => define("notif-inbox", NotifInbox));
}
