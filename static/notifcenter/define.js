/** Registers our elements; does so by being loaded. The bell at once, each other one when the page has it. */

import { later } from "./later.js";
import { NotifBell } from "./notif-bell.js";

const LATER = ["notif-toasts", "notif-inbox", "notif-preferences", "notif-job-events", "notif-page"];

for (const name of ["tokens.css", "icons.css"]) {
  const href = new URL(name, import.meta.url).href;
  if (![...document.querySelectorAll("link")].some((link) => link.href === href)) {
    document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href }));
  }
}

export function define(name, element) {
  if (!customElements.get(name)) customElements.define(name, element);
}

async function load(name) {
  const [element] = Object.values(await later(`${name}.js`));
  define(name, element);
}

const waiting = new Set(LATER);

/** Loads those of the elements that are in this part of the page, itself included. */
function discover(part) {
  for (const name of waiting) {
    if (part.localName !== name && !part.getElementsByTagName?.(name).length) continue;
    waiting.delete(name);
    load(name);
  }
  if (!waiting.size) watcher.disconnect();
}

const watcher = new MutationObserver((changes) => {
  for (const { addedNodes } of changes) addedNodes.forEach(discover);
});

define("notif-bell", NotifBell);
watcher.observe(document, { childList: true, subtree: true });
discover(document);
