/** Tells of arrivals beyond what is drawn: reads them out, sparingly, and alerts outside of the page. */

import { wantsAlerts } from "./alert-choices.js";
import { Digest } from "./digest.js";
import { later } from "./later.js";

const GATHER_MS = 1_000;
const LEAST_PAUSE_MS = 10_000;

/** By store: the one speaker of the page for it. */
const speakers = new WeakMap();

export class Speaker {
  #say;
  #page;
  #gathered = new Digest();
  #timer;
  #saidAt = 0;
  #alerts;

  /**
   * @param {(text: string) => void} options.say
   * @param {() => object} options.page `{store, t, open(item)}`, as for Alerts
   */
  constructor({ say, page }) {
    this.#say = say;
    this.#page = page;
  }

  arrived(item) {
    const { store } = this.#page();
    if (!speakers.has(store)) speakers.set(store, this);
    if (speakers.get(store) !== this) return;
    this.#saySoon(item);
    if (wantsAlerts()) this.#alert(item);
  }

  /** Another one may speak. */
  leave(store) {
    if (speakers.get(store) === this) speakers.delete(store);
  }

  /** One sentence for all that arrives within a second, or since the last sentence if that was just now. */
  #saySoon(item) {
    this.#gathered.add(item);
    const pause = Math.max(GATHER_MS, this.#saidAt + LEAST_PAUSE_MS - Date.now());
    this.#timer ??= setTimeout(() => {
      this.#say(this.#gathered.text(this.#page().t));
      this.#gathered = new Digest();
      this.#saidAt = Date.now();
      this.#timer = undefined;
    }, pause);
  }

  async #alert(item) {
    const { Alerts } = await later("alerts.js");
    this.#alerts ??= new Alerts();
    this.#alerts.arrived(item, this.#page());
  }
}
