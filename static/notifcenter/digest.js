/** Many notifications in one sentence: "12 new notifications: 9 failed, 3 succeeded". */

import { eventWord } from "./format.js";
import { msg } from "./i18n.js";

/** The gravest first. */
const COUNTED = {
  failed: msg("{count} failed"),
  alert: msg("{count} alerts"),
  waiting_too_long: msg("{count} waiting too long"),
  retried: msg("{count} retried"),
  stopped: msg("{count} stopped"),
  succeeded: msg("{count} succeeded"),
  running: msg("{count} running"),
};

export class Digest {
  count = 0;
  newest = null;
  #byEvent = new Map();

  add(item) {
    this.count++;
    this.newest = item;
    this.#byEvent.set(item.event, (this.#byEvent.get(item.event) ?? 0) + 1);
    return this;
  }

  get gravest() {
    return this.#events[0];
  }

  /** The title of the only one, or how many of which kind. */
  text(t) {
    if (this.count === 1) return this.newest.title;
    const numbers = t.intl("NumberFormat");
    const parts = this.#events.map((event) => {
      const count = numbers.format(this.#byEvent.get(event));
      return event in COUNTED ? t(COUNTED[event], { count }) : `${count} ${eventWord(event, t)}`;
    });
    const total = t.plural(this.count, "{count} new notification", "{count} new notifications");
    return t("{total}: {parts}", { total, parts: t.intl("ListFormat", { style: "narrow" }).format(parts) });
  }

  get #events() {
    const order = Object.keys(COUNTED);
    const place = (event) => (order.indexOf(event) + order.length + 1) % (order.length + 1);
    return [...this.#byEvent.keys()].sort((a, b) => place(a) - place(b));
  }
}
