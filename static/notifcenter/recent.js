/** The last news of a connection, to be told again to a tab that was not listening. */

const KEPT = 100;

export class Recent {
  /** `{unread, more, last_id}` as last heard, or null. */
  counts = null;
  #frames = [];
  #floor = Infinity; // everything newer than this is in `#frames`

  remember(frame) {
    const { type, unread, more, notification } = frame;
    if (type === "resync") {
      this.#frames = [];
      this.#floor = this.counts?.last_id ?? Infinity;
      return;
    }
    if (typeof unread !== "number") return;
    const lastId = Math.max(frame.last_id ?? notification?.id ?? 0, this.counts?.last_id ?? 0);
    if (!this.counts) this.#floor = notification ? notification.id - 1 : lastId;
    this.counts = { unread, more, last_id: lastId };
    if (!notification) return;
    this.#frames.push(frame);
    if (this.#frames.length > KEPT) this.#floor = this.#frames.shift().notification.id;
  }

  /** The frames for somebody who knows everything up to `id` (null: nothing yet, and needs none). */
  after(id) {
    if (id === null || !this.counts || id >= this.counts.last_id) return [];
    if (id < this.#floor) return [{ type: "resync" }];
    return this.#frames.filter(({ notification }) => notification.id > id);
  }
}
