/** The lock that makes one tab of a group the leader: the browser gives it to the next when its holder is gone. */

export class Leadership {
  #name;
  #won;
  #lost;
  #waiting = null;
  #release = null;

  /**
   * @param {() => void} options.won
   * @param {(had: boolean) => void} options.lost somebody took it away; or, if we never had it, there are no locks here
   */
  constructor({ name, won, lost }) {
    this.#name = name;
    this.#won = won;
    this.#lost = lost;
  }

  /** Whether we are in line. */
  get waiting() {
    return this.#waiting !== null;
  }

  /** Gets in line; with `steal`, takes it from whoever has it. */
  stand({ steal = false } = {}) {
    this.leave();
    const place = (this.#waiting = new AbortController());
    const options = steal ? { steal } : { signal: place.signal };
    let had = false;
    const hold = () => {
      if (place.signal.aborted) return undefined;
      had = true;
      this.#waiting = null;
      const held = new Promise((resolve) => {
        this.#release = () => {
          place.abort();
          resolve();
        };
      });
      this.#won();
      return held;
    };
    navigator.locks.request(this.#name, options, hold).catch(() => {
      if (place.signal.aborted) return;
      this.#release = this.#waiting = null;
      this.#lost(had);
    });
  }

  /** Gives up lock and place. */
  leave() {
    this.#waiting?.abort();
    this.#release?.();
    this.#waiting = this.#release = null;
  }
}
