const PATIENCE_MS = 500;

/** The server's first word: worth waiting for, but not for long. */
export class Greeting {
  isAwaited = true;
  #come;
  #coming = new Promise((resolve) => (this.#come = resolve));

  /** It is there, or will not be. */
  come() {
    this.isAwaited = false;
    this.#come();
  }

  wait() {
    setTimeout(() => this.come(), PATIENCE_MS);
    return this.#coming;
  }
}
