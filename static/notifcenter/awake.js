/** Runs something while somebody needs it and the page is neither put away nor frozen. */
export class Awake {
  #users = 0;
  #turns;
  #start;
  #stop;

  /** @param {{start: () => void, stop: () => void}} what starting it twice does no harm */
  constructor(what) {
    this.#start = () => what.start();
    this.#stop = () => what.stop();
    this.#turns = [
      [globalThis, "pagehide", this.#stop],
      [globalThis, "pageshow", this.#start],
      [document, "freeze", this.#stop],
      [document, "resume", this.#start],
    ];
  }

  retain() {
    if (this.#users++) return;
    for (const [target, name, act] of this.#turns) target.addEventListener(name, act);
    this.#start();
  }

  /** @returns {boolean} whether nobody needs it any more */
  release() {
    if (--this.#users) return false;
    for (const [target, name, act] of this.#turns) target.removeEventListener(name, act);
    this.#stop();
    return true;
  }
}
