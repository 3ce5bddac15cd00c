/** What a user can do to notifications, as values that `Store.act` carries out and, if need be, takes back. */

import { msg } from "./i18n.js";

/**
 * @typedef {object} Action
 * @property {object[]} items as they are now
 * @property {(item: object) => object} change what each of them becomes
 * @property {boolean} keep whether rows stay in a list that would no longer show them
 * @property {number} delta expected change of the unread count
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
    delta: !differs || item.archived_at ? 0 : read ? -1 : 1,
    send: (api) => (read ? api.markRead({ ids: [item.id] }) : api.change(item.id, { read })),
    failed: read ? msg("It could not be marked as read.") : msg("It could not be marked as unread."),
  };
}

/** @returns {Action} */
export function setArchived(item, archived) {
  const archivedAt = archived ? now() : null;
  return {
    items: [item],
    change: (old) => ({ ...old, archived_at: archivedAt }),
    keep: false,
    delta: item.read_at ? 0 : archived ? -1 : 1,
    send: (api) => api.change(item.id, { archived }),
    failed: archived ? msg("It could not be archived.") : msg("It could not be moved back to the inbox."),
  };
}

/** All up to the newest that has arrived here: what comes in meanwhile stays unread. @returns {Action} */
export function readAll(store) {
  const readAt = now();
  const upTo = store.lastId;
  const due = (item) => item.id <= upTo && !item.read_at && !item.archived_at;
  return {
    items: store.items().filter(due),
    change: (old) => ({ ...old, read_at: readAt }),
    keep: false,
    delta: -store.unread,
    send: (api) => api.markRead({ up_to: upTo }),
    failed: msg("They could not be marked as read."),
  };
}
