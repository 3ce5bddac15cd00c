/** What a user can do to notifications, as values that `Store.act` carries out and, if need be, takes back. */

import { msg } from "./i18n.js";

/**
 * @typedef {object} Action
 * @property {object[]} items as they are now
 * @property {(item: object) => object} change what each of them becomes
 * @property {boolean} keep whether rows stay in a list that would no longer show them
 * @property {number} delta expected change of the unread count
 * @property {boolean} [beyond] whether it may change what is not loaded
 * @property {(api: import("./api.js").Api) => Promise<object>} send
 * @property {string} failed what to say when it did not work, to be translated
 */

const now = () => new Date().toISOString();

/** @returns {Action} */
export function setRead(item, read) {
  const readAt = read ? now() : null;
  const differs = Boolean(item.read_at) !== read;
  return {
    items: differs ? [item] : [],
    change: (old) => ({ ...old, read_at: readAt }),
    keep: true,
    delta: !differs || item.archived_at || item.snoozed_until ? 0 : read ? -1 : 1,
    send: (api) => (read ? api.markRead({ ids: [item.id] }) : api.change(item.id, { read })),
    failed: read ? msg("It could not be marked as read.") : msg("It could not be marked as unread."),
  };
}

/** All up to the newest that has arrived here: what comes in meanwhile stays unread. @returns {Action} */
export function readAll(store) {
  const readAt = now();
  const upTo = store.lastId ?? 0;
  const due = (item) => item.id <= upTo && !item.read_at && !item.archived_at && !item.snoozed_until;
  const action = {
    items: store.items().filter(due),
    change: (old) => ({ ...old, read_at: readAt }),
    keep: false,
    delta: -store.unread,
    beyond: true,
    failed: msg("They could not be marked as read."),
  };
  return inBulk(action, [{ filter: { unread: true, up_to: upTo }, action: "read" }]);
}

/**
 * Lets an action be sent as these requests, one after the other, those with a filter part by part. After that `undo`
 * holds what takes it back, and `changed` how many it changed; `progress` is told how many so far.
 */
export function inBulk(action, requests, progress = () => {}) {
  const undo = [];
  const send = async (api) => {
    let answer;
    for (const request of requests) {
      do {
        answer = await api.bulk({ ...request, cursor: answer?.next ?? undefined });
        if (answer.undo) undo.push(answer.undo);
        progress((action.changed += answer.changed));
      } while (answer.next);
    }
    return answer;
  };
  return Object.assign(action, { undo, send, changed: 0 });
}

/** Gives the rows of an action that was sent in bulk back what they were. @returns {Action} */
export function undoing({ items, change, delta, undo, beyond, ofJobs = false }) {
  const before = new Map(items.map((item) => [item.id, item]));
  const action = {
    items: items.map(change),
    change: ({ id }) => before.get(id),
    keep: ofJobs,
    delta: -delta,
    beyond,
    failed: msg("It could not be taken back."),
  };
  return inBulk(action, undo.map((token) => ({ undo: token })));
}
