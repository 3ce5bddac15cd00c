/** The end of a list that goes on: loads what follows when it comes into sight, or when its button is pressed. */

import { html } from "./vendor/lit.js";

const AHEAD = "0px 0px 400px";

export class More {
  #host;
  #watched = null;
  #loading = null;
  #last = null; // the row behind which the focus is to go on
  #observer = new IntersectionObserver((entries) => entries.at(-1).isIntersecting && this.#load(), { rootMargin: AHEAD });

  /** @param host has `store`, `list` and `t` */
  constructor(host) {
    this.#host = host;
    host.addController(this);
  }

  button() {
    const { list, t } = this.#host;
    if (!list.next) return "";
    return html`
      <button class="button more" type="button" name="more" aria-disabled=${list.loadingMore} @click=${this.#pressed}>
        ${list.loadingMore ? t("Loading…") : t("Load more")}
      </button>
    `;
  }

  hostUpdated() {
    if (this.#last) this.#lead();
    const button = this.#host.renderRoot.querySelector("[name=more]");
    if (button === this.#watched) return;
    this.#observer.disconnect();
    this.#watched = button;
    if (button) this.#observer.observe(button);
  }

  hostDisconnected() {
    this.#observer.disconnect();
    this.#watched = null;
  }

  #load() {
    const { store, list } = this.#host;
    this.#loading ??= store.loadMore(list).finally(() => (this.#loading = null));
    return this.#loading;
  }

  /** Who goes on by keyboard is led to the first of those that come. */
  #pressed = () => {
    this.#last = this.#rows.at(-1);
    return this.#load();
  };

  #lead() {
    const rows = this.#rows;
    const next = rows[rows.indexOf(this.#last) + 1];
    if (!next) return;
    this.#last = null;
    next.querySelector("summary").focus();
  }

  get #rows() {
    return [...this.#host.renderRoot.querySelectorAll("[data-id]")];
  }
}
