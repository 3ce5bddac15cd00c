/** What the inbox does on behalf of its reader, with what it says of it and how it is taken back. */

import { readAll, undoing } from "./actions.js";
import { msg } from "./i18n.js";
import { changing, changingAll, ofTheSameJobs } from "./inbox-changes.js";

/** By the server's name of the change: what is said of one, and of many. */
const DONE = {
  read: [msg("Marked as read."), (count, t) => t.plural(count, "{count} marked as read.", "{count} marked as read.")],
  unread: [msg("Marked as unread."), (count, t) => t.plural(count, "{count} marked as unread.", "{count} marked as unread.")],
  archive: [msg("Archived."), (count, t) => t.plural(count, "{count} archived.", "{count} archived.")],
  unarchive: [msg("Moved to the inbox."), (count, t) => t.plural(count, "{count} moved to the inbox.", "{count} moved to the inbox.")],
  save: [msg("Saved."), (count, t) => t.plural(count, "{count} saved.", "{count} saved.")],
  unsave: [msg("No longer saved."), (count, t) => t.plural(count, "{count} no longer saved.", "{count} no longer saved.")],
  snooze: [msg("Snoozed."), (count, t) => t.plural(count, "{count} snoozed.", "{count} snoozed.")],
  unsnooze: [msg("Back in the inbox."), (count, t) => t.plural(count, "{count} back in the inbox.", "{count} back in the inbox.")],
  mute: [msg("{name} is muted."), (count, t) => t.plural(count, "{count} job is muted.", "{count} jobs are muted.")],
  unmute: [msg("{name} is no longer muted."), (count, t) => t.plural(count, "{count} job is no longer muted.", "{count} jobs are no longer muted.")],
};

export class Commands {
  #host;
  #last = null; // takes the last change back

  /** @param host has `store`, `list`, `t`, and `progress`, a number while much is being done */
  constructor(host) {
    this.#host = host;
  }

  /** Does it to these; `options` as of `changing`. */
  async change(items, name, options) {
    const action = changing(items, name, options);
    if (action.ofJobs) action.items = ofTheSameJobs(action.items, this.#host.store.items());
    await this.#carryOut(action, name);
  }

  /** Does it to all that match what is shown. */
  async changeAll(name, { until } = {}) {
    const { store, list } = this.#host;
    const { items, view } = list;
    const progress = (count) => (this.#host.progress = count);
    progress(0);
    await this.#carryOut(changingAll({ items, view, upTo: store.lastId, name, until, progress }), name);
    this.#host.progress = null;
  }

  /** Marks all of the inbox as read, whatever of it is shown. */
  async readAll() {
    await this.#carryOut(readAll(this.#host.store), "read");
  }

  /** Takes back what was done last. */
  undo() {
    this.#last?.();
    this.#last = null;
  }

  async #carryOut(action, name) {
    const { store, t } = this.#host;
    const { items } = action;
    await store.act(name === "mute" ? ifAny(action) : action);
    if (!action.changed) return; // of many, some may be done though others failed
    const [one, many] = DONE[name];
    const job = items[0]?.job;
    const isAlone = action.changed === 1 && items.every((item) => item.job.framework === job.framework);
    this.#offer(isAlone ? t(one, job) : many(action.changed, t), () => store.act(undoing(action)));
  }

  #offer(text, takeBack) {
    const { store, t } = this.#host;
    this.#last = takeBack;
    const run = () => {
      if (this.#last === takeBack) this.#last = null;
      takeBack();
    };
    store.notice({ text, action: t("Undo"), run });
  }
}

/** The same, but it fails, so that all is put back, when there is no job to mute: it may be gone from the cluster. */
function ifAny(action) {
  const send = async (api) => {
    const answer = await action.send(api);
    if (!action.changed) throw new Error(msg("No job of these is in the cluster's list and not muted yet."));
    return answer;
  };
  return { ...action, send };
}
