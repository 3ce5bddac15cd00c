/** What this page knows: the unread count, the lists, the connection. One store and one websocket a page. */

import { Api } from "./api.js";
import { msg } from "./i18n.js";
import { List } from "./list.js";
import { unlessQuiet } from "./quiet.js";
import { Socket } from "./socket.js";

const SYNC_PAUSE_MS = 150;
const OFFLINE_POLL_MS = 30_000;

/**
 * Events: `change` (anything), `arrival` (detail: a new notification, outside quiet hours), `failure` (detail:
 * `{what, error}`, for `failureText`),
 * `notice` (detail: `{text, action, run}`).
 */
export class Store extends EventTarget {
  unread = 0;
  more = false;
  /** Newest id that arrived; null until the server has said one. */
  lastId = null;
  /** @type {"connecting" | "open" | "offline" | "refused"} */
  status = "connecting";

  #socket;
  #lists = new Set();
  #users = 0;
  #acting = 0;
  #heard = 0;
  #gap = false;
  #syncTimer;
  #pollTimer;

  /** @param {string} options.language in which the server is to tell */
  constructor({ baseUrl, token, language }) {
    super();
    this.api = new Api({ baseUrl, token, language });
    this.#socket = new Socket({ baseUrl, token, language, lastId: () => this.lastId });
    this.#socket.addEventListener("status", (event) => this.#connection(event.detail));
    this.#socket.addEventListener("frame", (event) => this.#frame(event.detail));
  }

  /** The connection lives while somebody retains the store and the page is not put away. */
  retain() {
    if (this.#users++) return;
    globalThis.addEventListener("pagehide", this.#sleep);
    globalThis.addEventListener("pageshow", this.#wake);
    this.#wake();
  }

  /** @returns {boolean} whether nobody retains it any more */
  release() {
    if (--this.#users) return false;
    globalThis.removeEventListener("pagehide", this.#sleep);
    globalThis.removeEventListener("pageshow", this.#wake);
    this.#sleep();
    return true;
  }

  list({ pageSize, filters }) {
    const list = new List({ api: this.api, changed: this.#changed, pageSize, filters });
    this.#lists.add(list);
    return list;
  }

  forget(list) {
    this.#lists.delete(list);
  }

  /** Takes the counts that came with the page, unless the server has said newer ones. */
  begin({ unread, more, last_id: lastId }) {
    if (this.lastId !== null) return this.#syncSoon();
    this.lastId = lastId;
    this.#count({ unread, more });
  }

  load(list, filters) {
    return list.load(filters).catch(() => {}); // the list says that it failed
  }

  loadMore(list) {
    return list.loadMore().catch((error) => this.#say("failure", { what: msg("No more could be loaded."), error }));
  }

  /** @param {{text: string, action?: string, run?: () => void}} notice */
  notice = (notice) => this.#say("notice", notice);

  /** All items that are loaded, of all lists. */
  items() {
    const all = [...this.#lists].flatMap((list) => list.items);
    return [...new Map(all.map((item) => [item.id, item])).values()];
  }

  /**
   * Shows the change at once, sends it, and takes it back when that fails.
   * @param {import("./actions.js").Action} action
   * @returns {Promise<boolean>} whether it worked
   */
  async act({ items, change, keep, delta, send, failed }) {
    if (!items.length && !delta) return true;
    const ids = new Set(items.map((item) => item.id));
    const before = { unread: this.unread, more: this.more };
    const all = delta === -this.unread;
    if (all || !this.more) this.#count({ unread: Math.max(0, this.unread + delta), more: false });
    for (const list of this.#lists) list.patch(ids, change, { keep });
    this.#acting++;
    this.#heard++;
    try {
      const answer = await send(this.api);
      if (typeof answer?.unread === "number") this.#count({ more: this.more, ...answer });
      for (const list of this.#lists) list.accept(...items.map(change));
      return true;
    } catch (error) {
      this.#count(before);
      for (const list of this.#lists) list.accept(...items);
      this.#say("failure", { what: failed, error });
      return false;
    } finally {
      this.#acting--;
      if (this.status !== "open") this.#syncSoon();
    }
  }

  #frame(frame) {
    this.#heard++;
    if (frame.type === "hello") this.#hello(frame);
    else if (frame.type === "notification") this.#arrived(frame);
    else if (frame.type === "state") this.#state(frame);
    else if (frame.type === "resync") {
      this.#gap = true;
      this.#syncSoon();
    }
  }

  #hello(frame) {
    if (this.lastId !== null || [...this.#lists].some(({ state }) => state === "error")) this.#syncSoon();
    this.lastId ??= frame.last_id;
    this.#count(frame);
  }

  #arrived({ notification, unread, more }) {
    const isNew = this.lastId === null || notification.id > this.lastId;
    if (isNew) this.lastId = notification.id;
    for (const list of this.#lists) list.accept(notification);
    this.#count({ unread, more });
    if (isNew && !notification.read_at) unlessQuiet(this.api, notification, () => this.#say("arrival", notification));
  }

  #state(frame) {
    if (frame.last_id > this.lastId) this.#socket.send({ type: "resume", after: this.lastId });
    const same = frame.unread === this.unread && frame.more === this.more;
    this.#count(frame);
    if (!same || !frame.heartbeat) this.#syncSoon();
  }

  #connection(status) {
    this.status = status;
    clearInterval(this.#pollTimer);
    if (status === "offline") this.#pollTimer = setInterval(() => document.hidden || this.#sync(), OFFLINE_POLL_MS);
    this.#changed();
  }

  #syncSoon() {
    clearTimeout(this.#syncTimer);
    this.#syncTimer = setTimeout(() => {
      if (this.#acting) this.#syncSoon();
      else if (document.hidden) document.addEventListener("visibilitychange", this.#sync, { once: true });
      else this.#sync();
    }, SYNC_PAUSE_MS);
  }

  /**
   * By REST, quietly: a failure is tried again with the next frame or poll. The count comes first, so that the
   * lists hold everything up to its last id.
   */
  #sync = async () => {
    const heard = this.#heard;
    try {
      const counts = await this.api.unread();
      await Promise.all([...this.#lists].map((list) => list.sync()));
      if (this.#gap || this.status !== "open") this.lastId = Math.max(this.lastId ?? 0, counts.last_id);
      this.#gap = false;
      if (heard === this.#heard) this.#count(counts);
    } catch {
      // the lists keep what they have
    }
  };

  #count({ unread, more }) {
    this.unread = unread;
    this.more = more;
    this.#changed();
  }

  #wake = () => this.#socket.start();
  #sleep = () => this.#socket.stop();
  #changed = () => this.#say("change");

  #say(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
