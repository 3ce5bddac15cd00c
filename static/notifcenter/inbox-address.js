/** What the inbox shows, as its address says it. The server's page reads the same names in inbox_address.py. */

import { EVENTS } from "./format.js";
import { msg } from "./i18n.js";

export const TABS = {
  unread: msg("Unread"),
  all: msg("All"),
  saved: msg("Saved"),
  snoozed: msg("Snoozed"),
  archived: msg("Archived"),
};

/** By name in the address: what it is called, and how many days it has, today included. */
export const PERIODS = {
  today: [msg("Today"), 1],
  "7d": [msg("Last 7 days"), 7],
  "30d": [msg("Last 30 days"), 30],
};

const UNFILTERED = { event: [], period: "", from: "", to: "", vc: "", job: "", q: "" };
const PLAIN = { tab: "all", group: "", ...UNFILTERED };

const OF_TAB = {
  unread: (item) => !item.archived_at && !item.snoozed_until && !item.read_at,
  all: (item) => !item.archived_at && !item.snoozed_until,
  saved: (item) => item.saved,
  snoozed: (item) => Boolean(item.snoozed_until),
  archived: (item) => Boolean(item.archived_at),
};

/** A view for `List`. It never changes: `with` makes another. */
export class InboxView {
  constructor(values) {
    Object.assign(this, PLAIN, values);
    if (!(this.tab in TABS)) this.tab = "all";
    this.event = this.event.filter((event) => event in EVENTS);
    for (const end of ["from", "to"]) if (!midnight(`${this[end]}T00:00`)) this[end] = "";
    if (this.from || this.to || !(this.period in PERIODS)) this.period = "";
    Object.freeze(this);
  }

  static ofAddress() {
    const query = new URLSearchParams(location.search);
    const values = Object.keys(PLAIN).filter((name) => query.has(name)).map((name) => [name, query.get(name)]);
    return new InboxView({ ...Object.fromEntries(values), event: query.getAll("event") });
  }

  with(change) {
    return new InboxView({ ...this, ...change });
  }

  get unfiltered() {
    return this.with(UNFILTERED);
  }

  get isFiltered() {
    return Object.keys(UNFILTERED).some((name) => this[name].length);
  }

  /** The address, without what is default. What else the page has in its query stays. */
  get url() {
    const query = new URLSearchParams(location.search);
    for (const name of [...Object.keys(PLAIN), "cursor"]) query.delete(name);
    for (const [name, usual] of Object.entries(PLAIN)) {
      for (const value of [this[name]].flat()) if (value && value !== usual) query.append(name, value);
    }
    return query.size ? `?${query}` : location.pathname;
  }

  /** The same for the REST. */
  query() {
    const { tab, event, vc, job, q } = this;
    const [since, until] = this.#period.map((day) => day?.toISOString());
    const all = { event, virtual_cluster: vc, job, since, until, q: q.trim() };
    const given = Object.entries(all).filter(([, value]) => value?.length);
    return { ...(tab === "all" ? {} : { [tab]: true }), ...Object.fromEntries(given) };
  }

  holds(item) {
    const [since, until] = this.#period;
    const created = new Date(item.created_at);
    return (
      OF_TAB[this.tab](item) &&
      (!this.event.length || this.event.includes(item.event)) &&
      (!this.vc || item.job.virtual_cluster === this.vc) &&
      (!this.job || [item.job.framework, item.job.name].includes(this.job)) &&
      (!since || created >= since) &&
      (!until || created < until) &&
      item.job.name.toLowerCase().includes(this.q.trim().toLowerCase())
    );
  }

  /** The first moment, and the one after the last; undefined where it has no end. */
  get #period() {
    if (this.period) return [midnight(new Date(), 1 - PERIODS[this.period][1]), undefined];
    return [midnight(`${this.from}T00:00`), midnight(`${this.to}T00:00`, 1)];
  }
}

/** By the reader's clock; undefined for what is no time. */
function midnight(time, days = 0) {
  const day = new Date(time);
  return Number.isNaN(day.valueOf()) ? undefined : new Date(day.getFullYear(), day.getMonth(), day.getDate() + days);
}
