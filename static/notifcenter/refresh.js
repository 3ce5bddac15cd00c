/** When to fetch again what is shown: soon after a hint, and now and then while nothing is pushed. */

const PAUSE_MS = 150;
const OFFLINE_POLL_MS = 30_000;

export class Refresh {
  #fetch;
  #busy;
  #timer;
  #poll;

  /**
   * @param {() => void} fetch
   * @param {() => boolean} busy while it holds, the answer would be older than what is shown
   */
  constructor({ fetch, busy }) {
    this.#fetch = () => fetch();
    this.#busy = busy;
  }

  /** Several hints are one; a tab that nobody sees waits until somebody does. */
  soon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (this.#busy()) this.soon();
      else if (document.hidden) document.addEventListener("visibilitychange", this.#fetch, { once: true });
      else this.#fetch();
    }, PAUSE_MS);
  }

  poll(on) {
    clearInterval(this.#poll);
    if (on) this.#poll = setInterval(() => document.hidden || this.#fetch(), OFFLINE_POLL_MS);
  }
}
