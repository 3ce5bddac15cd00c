/** Shows what an element has to say where the page has no <notif-toasts> that would: it brings its own. */

import { html } from "./vendor/lit.js";
import { later } from "./later.js";

export class Messages {
  #host;
  #own = false;
  #said = new WeakSet();

  /** @param host has `baseUrl`, `token`, `theme` and `store` */
  constructor(host) {
    this.#host = host;
  }

  /** For `StoreController`. When all have heard of it, nobody may have shown it. */
  get listeners() {
    const heard = (detail, event) => queueMicrotask(() => event.defaultPrevented || this.#show(event.type, detail));
    return { failure: heard, notice: heard };
  }

  /** To be drawn anywhere: it stands in a corner of the window. */
  toasts() {
    if (!this.#own) return "";
    const { baseUrl, token, theme } = this.#host;
    return html`<notif-toasts messages-only .baseUrl=${baseUrl} .token=${token} .theme=${theme}></notif-toasts>`;
  }

  async #show(name, detail) {
    if (this.#said.has(detail)) return;
    this.#said.add(detail);
    const { NotifToasts } = await later("notif-toasts.js");
    if (!customElements.get("notif-toasts")) customElements.define("notif-toasts", NotifToasts);
    const isUnheard = async (root) => {
      await root.querySelector("notif-toasts")?.updateComplete;
      return this.#host.store.dispatchEvent(new CustomEvent(name, { detail, cancelable: true }));
    };
    if (!(await isUnheard(document))) return; // the page's own had only not been loaded yet
    this.#own = true;
    this.#host.requestUpdate();
    await this.#host.updateComplete;
    await isUnheard(this.#host.renderRoot);
  }
}
