/** Which other tabs are being looked at. They say so every few seconds, and when it begins and ends. */

const STILL_SEEN_MS = 15_000;

export class Watchers {
  #seenAt = new Map();

  note(tab, visible) {
    if (visible) this.#seenAt.set(tab, Date.now());
    else this.#seenAt.delete(tab);
  }

  some() {
    const since = Date.now() - STILL_SEEN_MS;
    for (const [tab, time] of this.#seenAt) if (time < since) this.#seenAt.delete(tab);
    return this.#seenAt.size > 0;
  }
}
