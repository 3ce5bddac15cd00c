/** Ties an element to the page's store: draws it again when something changed, and as times grow old. */

import { countText, failureText, lostText } from "./format.js";
import { Store } from "./store.js";

const CLOCK_MS = 30_000;

const stores = new Map();
/** Of what was told to the page: failures, and stores whose token or session was refused. */
const told = new WeakSet();

const keyOf = ({ baseUrl, token, t }) => JSON.stringify([baseUrl ?? "", token ?? "", t.language]);

/**
 * A host has `baseUrl`, `token`, a translator `t` and `emit`; the page has one store for all that have the same. What does
 * not work is told to the page by one of them, as `notif-error`.
 */
export class StoreController {
  store = null;
  #host;
  #key;
  #attached = false;
  #listeners;
  #clock;
  #counts;
  #count;

  /**
   * @param listeners by name of the store's event: what to do with its detail, and itself
   * @param {boolean} options.counts whether the host tells the page how many are unread, as `notif-unread`
   */
  constructor(host, listeners = {}, { counts = false } = {}) {
    this.#host = host;
    this.#counts = counts;
    this.#listeners = Object.entries(listeners).map(([name, act]) => [name, (event) => act(event.detail, event)]);
    this.#listeners.push(["change", this.#changed], ["failure", this.#failed]);
    host.addController(this);
  }

  hostConnected() {
    this.#clock = setInterval(() => document.hidden || this.#host.requestUpdate(), CLOCK_MS);
    if (this.store) this.#attach();
  }

  /** At first, and for a new token, another server or language. An element learns what it was given with its first update. */
  hostUpdate() {
    if (this.#key === keyOf(this.#host)) return;
    if (this.#attached && this.#detach()) stores.delete(this.#key);
    this.#attach();
    if (!this.#host.isConnected) this.#detach();
  }

  hostUpdated() {
    const { unread, more } = this.store;
    const count = countText(this.store);
    if (!this.#counts || count === this.#count) return;
    this.#count = count;
    this.#host.emit("notif-unread", { unread, more });
  }

  hostDisconnected() {
    clearInterval(this.#clock);
    if (this.#attached) this.#detach();
  }

  #changed = () => {
    const { status } = this.store;
    if (status === "refused") this.#tell(this.store, { message: lostText(this.store, this.#host.t), signedOut: true });
    else if (status === "open") told.delete(this.store);
    this.#host.requestUpdate();
  };

  #failed = ({ detail }) => this.#tell(detail, { message: failureText(detail, this.#host.t) });

  #tell(what, detail) {
    if (told.has(what)) return;
    told.add(what);
    this.#host.emit("notif-error", detail);
  }

  #attach() {
    const { baseUrl, token, t } = this.#host;
    this.#attached = true;
    this.#key = keyOf(this.#host);
    if (!stores.has(this.#key)) stores.set(this.#key, new Store({ baseUrl, token, language: t.language }));
    this.store = stores.get(this.#key);
    for (const [name, listener] of this.#listeners) this.store.addEventListener(name, listener);
    this.store.retain();
    this.#host.storeChanged?.(this.store);
  }

  #detach() {
    this.#attached = false;
    for (const [name, listener] of this.#listeners) this.store.removeEventListener(name, listener);
    return this.store.release();
  }
}
