/** Keeps what arrives out of a list that is scrolled down, so that nothing jumps; counts it instead. */

export class Newcomers {
  #host;
  #limit = null; // the newest id that is shown; null at the top, where all are
  #watched = null;
  #observer = new IntersectionObserver((entries) => this.#moved(entries.at(-1).isIntersecting));
  #newest = 0;

  constructor(host) {
    this.#host = host;
    host.addController(this);
  }

  /** Divides items, newest first, into those that are shown and those that wait. */
  divide(items) {
    this.#newest = Math.max(0, ...items.map(({ id }) => id));
    if (this.#limit === null) return { shown: items, waiting: [] };
    const isShown = ({ id }) => id <= this.#limit;
    return { shown: items.filter(isShown), waiting: items.filter((item) => !isShown(item)) };
  }

  /** Shows all, as at the top. */
  reset() {
    this.#limit = null;
  }

  hostUpdated() {
    const top = this.#host.renderRoot.querySelector("[data-top]");
    if (top === this.#watched) return;
    if (this.#watched) this.#observer.unobserve(this.#watched);
    this.#watched = top;
    if (top) this.#observer.observe(top);
  }

  hostDisconnected() {
    this.#observer.disconnect();
    this.#watched = null;
  }

  #moved(atTop) {
    const had = this.#limit;
    this.#limit = atTop || !this.#newest ? null : (had ?? this.#newest); // a list that has not come yet hides nothing
    if (had !== null && atTop) this.#host.requestUpdate();
  }
}
