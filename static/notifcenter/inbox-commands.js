/** What the inbox does on behalf of its reader, with what it says of it and how it is taken back. */

import { readAll, undoing } from "./actions.js";
import { failureText } from "./format.js";
import { msg } from "./i18n.js";
import { changing, changingAll } from "./inbox-changes.js";

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
    await this.#carryOut(changing(items, name, options), name);
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

  /** Mutes the jobs of these; without `until` for good. */
  async mute(items, until) {
    const { store, t } = this.#host;
    const frameworks = [...new Set(items.filter(canBeMuted).map(({ job }) => job.framework))];
    const before = [];
    try {
      for (const framework of frameworks) {
        const was = await store.api.job(framework);
        await store.api.changeJob(framework, until ? { muted_until: until } : { muted: true });
        before.push([framework, was]);
      }
    } catch (error) {
      store.notice({ text: failureText({ what: msg("It did not work."), error }, t) });
    }
    if (!before.length) return;
    const { job } = items.find(canBeMuted);
    const many = () => t.plural(before.length, "{count} job is muted.", "{count} jobs are muted.");
    this.#offer(frameworks.length === 1 ? t("{name} is muted.", job) : many(), () => this.#unmute(before, job));
  }

  async #unmute(before, { name }) {
    const { store, t } = this.#host;
    try {
      for (const [framework, { muted, muted_until: until }] of before) {
        await store.api.changeJob(framework, until && new Date(until) > new Date() ? { muted_until: until } : { muted });
      }
      store.notice({ text: before.length === 1 ? t("{name} is no longer muted.", { name }) : t("They are as they were.") });
    } catch (error) {
      store.notice({ text: failureText({ what: msg("It did not work."), error }, t) });
    }
  }

  async #carryOut(action, name) {
    const { store, t } = this.#host;
    await store.act(action);
    if (!action.changed) return; // of many, some may be done though others failed
    const [one, many] = DONE[name];
    this.#offer(action.changed === 1 ? t(one) : many(action.changed, t), () => store.act(undoing(action)));
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

/** A job of the cluster; what another scheduler runs is not ours to mute. */
export const canBeMuted = ({ job, details }) => Boolean(job.framework) && !details.url;
