/** What can be done to many notifications, as actions for `Store.act`. Each can be taken back exactly. */

import { msg } from "./i18n.js";

const MAX_IDS = 500;

/** By the server's name: which rows it would change, into what, and what to say when it did not work. */
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
};

const counted = (item) => Number(!item.read_at && !item.archived_at && !item.snoozed_until);

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

/**
 * A change of these. After it was sent, `undo` holds what takes it back, and `changed` how many it changed.
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
  return action(due, name, { until, keep, requests: () => parts });
}

/** A change of all that match a view, those that are not loaded too; `progress` is told how many are done. */
export function changingAll({ items, view, upTo, name, until, progress }) {
  const filter = { ...view.query(), ...(upTo === null ? {} : { up_to: upTo }) };
  const due = items.filter(CHANGES[name].due);
  function* requests() {
    let answer;
    do answer = yield { filter, action: name, until, ...(answer && { cursor: answer.next }) };
    while (answer.next);
  }
  return Object.assign(action(due, name, { until, keep: false, requests, progress }), { beyond: true });
}

/** @returns {import("./actions.js").Action} gives the rows of an action back what they were */
export function undoing({ items, change, delta, undo, beyond }) {
  const before = new Map(items.map((item) => [item.id, item]));
  return {
    items: items.map(change),
    change: ({ id }) => before.get(id),
    keep: false,
    delta: -delta,
    beyond,
    send: (api) => inTurn(undo.map((token) => ({ undo: token })), (request) => api.bulk(request)),
    failed: msg("It could not be taken back."),
  };
}

function action(items, name, { until, keep, requests, progress = () => {} }) {
  const values = CHANGES[name].change({ now: new Date().toISOString(), until });
  const change = (item) => ({ ...item, ...values });
  const made = {
    items,
    change,
    keep,
    delta: sum(items.map((item) => counted(change(item)) - counted(item))),
    undo: [],
    changed: 0,
    failed: CHANGES[name].failed,
  };
  made.send = (api) =>
    inTurn(requests(), async (request) => {
      const answer = await api.bulk(request);
      if (answer.undo) made.undo.push(answer.undo);
      made.changed += answer.changed;
      progress(made.changed);
      return answer;
    });
  return made;
}

/** One request after the other; a generator gets each answer. @returns the last answer */
async function inTurn(requests, send) {
  const turns = requests[Symbol.iterator]();
  let answer;
  for (let turn = turns.next(); !turn.done; turn = turns.next(answer)) answer = await send(turn.value);
  return answer;
}
