/** What this page knows: the unread count, the lists, the connection. One store a page. */

import { Api } from "./api.js";
import { Awake } from "./awake.js";
import { Connection } from "./connection.js";
import { Greeting } from "./greeting.js";
import { msg } from "./i18n.js";
import { Lists } from "./lists.js";
import { paced } from "./paced.js";
import { unlessQuiet } from "./quiet.js";
import { Refresh } from "./refresh.js";

const LEAST_PAUSE_MS = 50; // between two drawings

/**
 * Events: `change` (anything), `arrival` (detail: a new notification, outside quiet hours), `failure` (detail:
 * `{what, error}`, for `failureText`), `notice` (detail: `{text, action, run}`).
 */
export class Store extends EventTarget {
  unread = 0;
  more = false;
  /** Newest id that arrived; null until the server has said one. */
  lastId = null;
  /** @type {"connecting" | "open" | "offline" | "refused"} */
  status = "connecting";

  #connection;
  #awake;
  #greeting = new Greeting();
  #refresh;
  #lists = new Lists();
  #acting = 0;
  #latest = new Map(); // by id: items with all the changes that are under way
  #heard = 0;
  #gap = null; // the id after which some are missing

  /** @param {string} options.language in which the server is to tell */
  constructor({ baseUrl, token, language }) {
    super();
    this.hasToken = Boolean(token);
    this.api = new Api({ baseUrl, token, language });
    this.#refresh = new Refresh({ fetch: () => this.#sync(), busy: () => this.#acting > 0 });
    this.#connection = new Connection({ baseUrl, token, language, lastId: () => this.lastId });
    this.#awake = new Awake(this.#connection);
    this.#connection.addEventListener("status", (event) => this.#turned(event.detail));
    this.#connection.addEventListener("frame", (event) => this.#frame(event.detail));
    this.#connection.addEventListener("echo", (event) => this.#echoed(event.detail));
  }

  /** Whether this tab is the one that speaks to a user who looks at none of them. */
  get speaks() {
    return this.#connection.speaks;
  }

  retain = () => this.#awake.retain();

  /** @returns {boolean} whether nobody retains it any more */
  release = () => this.#awake.release();

  list({ pageSize, filters }) {
    return this.#lists.add({ api: this.api, changed: this.#changed, pageSize, filters });
  }

  forget = (list) => this.#lists.forget(list);

  /** Takes the counts that came with the page, unless the server has said newer ones. */
  begin({ unread, more, last_id: lastId }) {
    if (this.lastId !== null) return this.#refresh.soon();
    this.lastId = lastId;
    this.#count({ unread, more });
  }

  /** The first waits for the server's hello: what is fetched then has missed nothing, and need not be fetched again. */
  async load(list, filters) {
    if (this.#greeting.isAwaited) await this.#greeting.wait();
    return list.load(filters).catch(() => {}); // the list says that it failed
  }

  loadMore(list) {
    return list.loadMore().catch((error) => this.#say("failure", { what: msg("No more could be loaded."), error }));
  }

  /** @param {{text: string, action?: string, run?: () => void}} notice */
  notice = (notice) => this.#say("notice", notice);

  /** All that are loaded. */
  items = () => this.#lists.items;

  /**
   * Shows the change at once, sends it, and takes it back when that fails.
   * @param {import("./actions.js").Action} action
   * @returns {Promise<boolean>} whether it worked
   */
  async act({ items, change, keep, delta, send, failed, beyond = false }) {
    if (!items.length && !delta && !beyond) return true;
    const ids = new Set(items.map((item) => item.id));
    const before = { unread: this.unread, more: this.more };
    if (delta === -this.unread || !this.more) this.#count({ unread: Math.max(0, this.unread + delta), more: false });
    for (const item of items) this.#latest.set(item.id, change(this.#latest.get(item.id) ?? item));
    const latest = ({ id }) => this.#latest.get(id);
    this.#lists.patch(ids, latest, { keep });
    this.#acting++;
    this.#heard++;
    try {
      const answer = await send(this.api);
      if (typeof answer?.unread === "number") this.#count({ more: this.more, ...answer });
      const changed = items.map(latest);
      this.#lists.patch(ids, latest, { keep });
      this.#lists.accept(...changed);
      this.#connection.echo({ items: changed, unread: this.unread, more: this.more });
      return true;
    } catch (error) {
      this.#count(before);
      this.#lists.replace(items);
      this.#refresh.soon();
      this.#say("failure", { what: failed, error });
      return false;
    } finally {
      if (!--this.#acting) this.#latest.clear();
      if (this.status !== "open") this.#refresh.soon();
    }
  }

  #frame(frame) {
    this.#heard++;
    if (frame.type === "hello") this.#hello(frame);
    else if (frame.type === "notification") this.#arrived(frame);
    else if (frame.type === "state") this.#state(frame);
    else if (frame.type === "resync") {
      this.#gap ??= this.lastId;
      this.#refresh.soon();
    }
  }

  #hello(frame) {
    if (this.lastId !== null || this.#lists.begun) this.#refresh.soon(); // lists may be older
    this.lastId ??= frame.last_id;
    this.#greeting.come();
    this.#count(frame);
  }

  #arrived({ notification, unread, more }) {
    if (this.lastId !== null && notification.id <= this.lastId) return; // told twice, and maybe read since
    this.lastId = notification.id;
    this.#lists.accept(notification);
    this.#count({ unread, more });
    if (!notification.read_at) unlessQuiet(this.api, notification, () => this.#say("arrival", notification));
  }

  #state(frame) {
    if (frame.last_id > this.lastId) this.#connection.send({ type: "resume", after: this.lastId });
    const same = frame.unread === this.unread && frame.more === this.more;
    this.#count(frame);
    if (!same || !frame.heartbeat) this.#refresh.soon();
  }

  /** Another tab of this browser has changed something, and the server has agreed. */
  #echoed({ items, unread, more }) {
    this.#lists.replace(items);
    this.#heard++;
    this.#count({ unread, more });
  }

  #turned(status) {
    this.status = status;
    this.#refresh.poll(status === "offline");
    if (status === "offline" || status === "refused") this.#greeting.come();
    this.#changed();
  }

  /**
   * By REST, quietly: a failure is tried again with the next frame or poll. The count comes first, so that the
   * lists hold everything up to its last id.
   */
  #sync = async () => {
    const heard = this.#heard;
    const gap = this.#gap;
    try {
      const counts = await this.api.unread();
      await this.#lists.sync(gap ?? this.lastId ?? Infinity);
      if (gap !== null || this.status !== "open") this.lastId = Math.max(this.lastId ?? 0, counts.last_id);
      if (gap === this.#gap) this.#gap = null;
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

  #changed = paced(() => this.#say("change"), LEAST_PAUSE_MS);

  #say(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail, cancelable: true }));
  }
}
