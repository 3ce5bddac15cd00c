/** Ties an element to the page's store: draws it again when something changed, and as times grow old. */

import { Store } from "./store.js";

const CLOCK_MS = 30_000;

const stores = new Map();

/** The page's store for a server and a user. */
function storeFor({ baseUrl = "", token = "" }) {
  const key = JSON.stringify([baseUrl, token]);
  if (!stores.has(key)) stores.set(key, new Store({ baseUrl, token }));
  return stores.get(key);
}

export class StoreController {
  store = null;
  #host;
  #listeners;
  #clock;

  /** @param listeners by name of the store's event: what to do with its detail */
  constructor(host, listeners = {}) {
    this.#host = host;
    this.#listeners = Object.entries(listeners).map(([name, act]) => [name, (event) => act(event.detail)]);
    this.#listeners.push(["change", () => host.requestUpdate()]);
    host.addController(this);
  }

  hostConnected() {
    this.#attach();
    this.#clock = setInterval(() => document.hidden || this.#host.requestUpdate(), CLOCK_MS);
  }

  hostDisconnected() {
    clearInterval(this.#clock);
    this.#detach();
  }

  /** To be called by the host when its base-url or token has changed. */
  renew() {
    this.#detach();
    this.#attach();
  }

  #attach() {
    this.store = storeFor(this.#host);
    for (const [name, listener] of this.#listeners) this.store.addEventListener(name, listener);
    this.store.retain();
    this.#host.storeChanged?.(this.store);
  }

  #detach() {
    for (const [name, listener] of this.#listeners) this.store.removeEventListener(name, listener);
    this.store.release();
  }
}

/** The language an element is to speak: its own, its page's, the browser's. */
export function languageOf(element) {
  return element.closest("[lang]")?.lang || navigator.language;
}
