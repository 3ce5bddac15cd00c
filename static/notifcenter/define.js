/** Registers the elements; the only file that does something when it is loaded. The bell comes first. */

import { NotifBell } from "./notif-bell.js";

for (const name of ["tokens.css", "icons.css"]) {
  const href = new URL(name, import.meta.url).href;
  if (![...document.querySelectorAll("link")].some((link) => link.href === href)) {
    document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href }));
  }
}

function define(name, element) {
  if (!customElements.get(name)) customElements.define(name, element);
}

define("notif-bell", NotifBell);
import("./notif-toasts.js").then(({ NotifToasts }) => define("notif-toasts", NotifToasts));
if (document.querySelector("notif-inbox")) {
  import("./notif-inbox.js").then(({ NotifInbox }) => define("notif-inbox", NotifInbox));
}
