/** Which rows are ticked. `changed` is called after every change. */
export class Selection {
  /** All that match, those that are not loaded too. */
  everything = false;
  #ids = new Set();
  #anchor = null;
  #changed;

  constructor(changed) {
    this.#changed = changed;
  }

  get size() {
    return this.#ids.size;
  }

  has = (id) => this.everything || this.#ids.has(id);

  /** Those of these items that are ticked. */
  of(items) {
    return items.filter(({ id }) => this.has(id));
  }

  /**
   * Ticks or unticks some rows.
   * @param {number[] | null} options.through all rows in their order: those since the last choice become the same
   */
  choose(ids, on, { through = null } = {}) {
    const rows = through && this.#between(ids[0], through);
    for (const id of rows ?? ids) {
      if (on) this.#ids.add(id);
      else this.#ids.delete(id);
    }
    this.#anchor = ids.at(-1);
    this.everything = false;
    this.#changed();
  }

  chooseEverything() {
    this.everything = true;
    this.#changed();
  }

  clear() {
    this.#ids.clear();
    this.#anchor = null;
    this.everything = false;
    this.#changed();
  }

  /** What is no longer shown is no longer ticked. */
  prune(items) {
    if (!this.#ids.size) return;
    const shown = new Set(items.map(({ id }) => id));
    for (const id of this.#ids) if (!shown.has(id)) this.#ids.delete(id);
    if (!this.#ids.size) this.everything = false;
  }

  #between(id, order) {
    const [from, to] = [order.indexOf(this.#anchor), order.indexOf(id)].sort((a, b) => a - b);
    return from < 0 ? null : order.slice(from, to + 1);
  }
}
