/** What can be done to many notifications, as actions for `Store.act`. Each can be taken back exactly. */

import { inBulk } from "./actions.js";
import { msg } from "./i18n.js";

const MAX_IDS = 500;

/** A job of the cluster; what another scheduler runs is not ours to mute. */
export const canBeMuted = ({ job, details }) => Boolean(job.framework) && !details.url;

/**
 * By the server's name: which rows it would change, into what, and what to say when it did not work. `ofJobs`: it changes
 * jobs, and leaves rows where they are.
 */
const CHANGES = {
  read: {
    due: (item) => !item.read_at,
    change: ({ now }) => ({ read_at: now }),
    failed: msg("It could not be marked as read."),
  },
  unread: {
    due: (item) => item.read_at,
    change: () => ({ read_at: null }),
    failed: msg("It could not be marked as unread."),
  },
  archive: {
    due: (item) => !item.archived_at,
    change: ({ now }) => ({ archived_at: now, snoozed_until: null }),
    failed: msg("It could not be archived."),
  },
  unarchive: {
    due: (item) => item.archived_at,
    change: () => ({ archived_at: null }),
    failed: msg("It could not be moved back to the inbox."),
  },
  save: {
    due: (item) => !item.saved,
    change: () => ({ saved: true }),
    failed: msg("It could not be saved."),
  },
  unsave: {
    due: (item) => item.saved,
    change: () => ({ saved: false }),
    failed: msg("It is still among the saved."),
  },
  snooze: {
    due: () => true,
    change: ({ until }) => ({ snoozed_until: until, archived_at: null }),
    failed: msg("It could not be snoozed."),
  },
  unsnooze: {
    due: (item) => item.snoozed_until,
    change: () => ({ snoozed_until: null }),
    failed: msg("It could not be moved back to the inbox."),
  },
  mute: {
    due: canBeMuted,
    change: ({ until = null }) => ({ muted: true, muted_until: until }),
    failed: msg("It could not be muted."),
    ofJobs: true,
  },
  unmute: {
    due: (item) => item.muted,
    change: () => ({ muted: false, muted_until: null }),
    failed: msg("It is still muted."),
    ofJobs: true,
  },
};

const counted = (item) => Number(!item.read_at && !item.archived_at && !item.snoozed_until);

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

/**
 * A change of these, that can be taken back.
 * @param {boolean} options.keep as of an Action
 * @returns {import("./actions.js").Action}
 */
export function changing(items, name, { until, keep = false } = {}) {
  const due = items.filter(CHANGES[name].due);
  const ids = due.map(({ id }) => id);
  const parts = Array.from({ length: Math.ceil(ids.length / MAX_IDS) }, (_, part) => ({
    ids: ids.slice(part * MAX_IDS, (part + 1) * MAX_IDS),
    action: name,
    until,
  }));
  return inBulk(action(due, name, { until, keep }), parts);
}

/** A change of all that match a view, those that are not loaded too; `progress` is told how many are done. */
export function changingAll({ items, view, upTo, name, until, progress }) {
  const filter = { ...view.query(), ...(upTo === null ? {} : { up_to: upTo }) };
  const due = action(items.filter(CHANGES[name].due), name, { until, keep: false, beyond: true });
  return inBulk(due, [{ filter, action: name, until }], progress);
}

/** Those of `items` that are about the same jobs as some of these. */
export function ofTheSameJobs(some, items) {
  const jobs = new Set(some.filter(canBeMuted).map(({ job }) => job.framework));
  return items.filter(({ job }) => jobs.has(job.framework));
}

function action(items, name, { until, ...how }) {
  const values = CHANGES[name].change({ now: new Date().toISOString(), until });
  const change = (item) => ({ ...item, ...values });
  const delta = sum(items.map((item) => counted(change(item)) - counted(item)));
  const { failed, ofJobs = false } = CHANGES[name];
  return { items, change, delta, failed, ofJobs, ...how, keep: how.keep || ofJobs };
}
