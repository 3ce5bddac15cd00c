/** Keeps the keyboard's place in a list whose rows come and go: a row that leaves hands the focus to its neighbour. */

export class FocusKeeper {
  #host;
  #rows;
  #target;
  #before = null;

  /**
   * @param {import("./element.js").NotifElement} host
   * @param {string} options.rows matches the rows, each of which has a key in `data-key`
   * @param {string} options.target matches what of a row takes the focus
   */
  constructor(host, { rows, target }) {
    this.#host = host;
    this.#rows = rows;
    this.#target = target;
    host.addController(this);
  }

  /** All places where the focus can be, in their order: one of each row that is to be seen. */
  get stops() {
    const all = [...this.#host.renderRoot.querySelectorAll(this.#rows)].map((row) => row.querySelector(this.#target));
    return all.filter((stop) => stop?.checkVisibility());
  }

  /** The row in which the focus is, or null. */
  get row() {
    return this.#active?.closest(this.#rows) ?? null;
  }

  hostUpdate() {
    const active = this.#active;
    if (!active) return (this.#before = null);
    const stops = this.stops;
    const row = active.closest(this.#rows);
    const index = row ? stops.indexOf(row.querySelector(this.#target)) : 0;
    this.#before = { active, key: row?.dataset.key, index, name: active.getAttribute("name") };
  }

  hostUpdated() {
    const before = this.#before;
    this.#before = null;
    if (!before || (before.active.isConnected && this.#active === before.active)) return;
    if (this.#root.activeElement && this.#root.activeElement !== document.body && !this.#active) return; // elsewhere by now
    const same = before.key && this.#host.renderRoot.querySelector(`[data-key="${CSS.escape(before.key)}"]`);
    const again = same && before.name && same.querySelector(`[name="${CSS.escape(before.name)}"]`);
    const stops = this.stops;
    const beside = stops[Math.min(Math.max(before.index, 0), stops.length - 1)];
    const places = [again, ...this.#around(same), beside, this.#host.renderRoot.querySelector("[data-resting]")];
    places.find((place) => place?.checkVisibility())?.focus();
  }

  /** What takes the focus in a row, and in the rows around it: a group may have closed over it. */
  #around(row) {
    const found = [];
    for (let one = row; one; one = one.parentElement.closest(this.#rows)) found.push(one.querySelector(this.#target));
    return found;
  }

  get #root() {
    return this.#host.renderRoot.getRootNode();
  }

  get #active() {
    const active = this.#root.activeElement;
    return active && active !== this.#host && this.#host.renderRoot.contains(active) ? active : null;
  }
}
