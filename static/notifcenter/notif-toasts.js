import { html, repeat } from "./vendor/lit.js";
import { setRead } from "./actions.js";
import { mark, when, word } from "./bell-panel.js";
import { StoreController } from "./controller.js";
import { NotifElement } from "./element.js";
import { failureText, safeUrl } from "./format.js";
import { shared, sharedSheet } from "./styles.js";
import { toastStyles } from "./toast-styles.js";

const SHOWN = 3;
const LIFE_MS = 7_000;

/**
 * Shows what arrives, for some seconds, in a corner; several at once fold into "12 more". Never takes the focus.
 * The bell announces arrivals to screen readers; this element announces its own messages only.
 *
 * @attr base-url, token, inbox-url, lang, theme  as for the bell
 * @prop jobUrl (notification) => the address to which it leads; default: its own
 */
export class NotifToasts extends NotifElement {
  static properties = {
    baseUrl: { attribute: "base-url" },
    token: {},
    inboxUrl: { attribute: "inbox-url" },
    jobUrl: { attribute: false },
    theme: {},
    _toasts: { state: true },
    _folded: { state: true },
  };
  static styles = [shared, toastStyles];

  #controller = new StoreController(this, {
    arrival: (item) => this.#add({ key: `n${item.id}`, item }),
    failure: (failure) => this.#add({ key: `f${Date.now()}`, text: failureText(failure, this.t) }),
    notice: (notice) => this.#add({ key: `m${Date.now()}`, ...notice }),
  });
  #timer;
  #held = new Set();

  constructor() {
    super();
    this.baseUrl = "";
    this.token = "";
    this._toasts = [];
    this._folded = 0;
  }

  connectedCallback() {
    super.connectedCallback();
    document.addEventListener("visibilitychange", this.#seen);
    this.#seen();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    document.removeEventListener("visibilitychange", this.#seen);
    clearTimeout(this.#timer);
  }

  render() {
    const { t } = this;
    const { text } = this._toasts.findLast((toast) => toast.text) ?? {};
    return html`
      ${sharedSheet}
      <section
        aria-label=${t("New notifications")}
        @pointerenter=${() => this.#hold("pointer")}
        @pointerleave=${() => this.#release("pointer")}
        @focusin=${() => this.#hold("focus")}
        @focusout=${() => this.#release("focus")}
      >
        ${repeat(this._toasts, ({ key }) => key, this.#toast)}
        ${this._folded ? html`<a class="more" href=${this.#inbox}>${t.plural(this._folded, "{count} more", "{count} more")}</a>` : ""}
      </section>
      <div class="visually-hidden" role="status">${text}</div>
    `;
  }

  #toast = (toast) => html`
    <div class="toast" part="toast">
      ${toast.item ? this.#notification(toast.item) : html`<p class="text">${toast.text}</p>`}
      ${toast.action
        ? html`<button class="action" type="button" @click=${() => this.#act(toast)}>${toast.action}</button>`
        : ""}
      <button class="close" type="button" aria-label=${this.t("Dismiss")} @click=${() => this.#remove(toast)}>
        <span class="icon"></span>
      </button>
    </div>
  `;

  #notification(item) {
    const open = () => this.#controller.store.act(setRead(item, true));
    return html`
      ${mark(item.event)}
      <a class="text" href=${safeUrl(this.jobUrl?.(item) ?? item.url, this.#inbox)} @click=${open}>
        <strong>${item.title}</strong>
        ${item.summary ? html`<span>${item.summary}</span>` : ""}
        <span>${word(item.event, this.t)} · ${when(item.occurred_at, this.t)}</span>
      </a>
    `;
  }

  /** Messages answer something that the user did, so they are never folded. */
  #add(toast) {
    if (toast.item && this._toasts.length >= SHOWN) this._folded++;
    else this._toasts = [...this._toasts, toast];
    this.#schedule();
  }

  #act(toast) {
    this.#remove(toast);
    toast.run();
  }

  #remove(toast) {
    this._toasts = this._toasts.filter(({ key }) => key !== toast.key);
    if (!this._toasts.length) this._folded = 0;
    this.#release("focus");
  }

  /** The oldest goes first; nothing goes while it is being looked at, or while nobody can see it. */
  #schedule() {
    if (this.#timer || this.#held.size || !this._toasts.length) return;
    const life = LIFE_MS / Math.min(SHOWN, this._toasts.length);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#remove(this._toasts[0]);
    }, life);
  }

  #hold(reason) {
    this.#held.add(reason);
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #release(reason) {
    this.#held.delete(reason);
    this.#schedule();
  }

  #seen = () => (document.hidden ? this.#hold("hidden") : this.#release("hidden"));

  get #inbox() {
    return safeUrl(this.inboxUrl, `${this.baseUrl.replace(/\/+$/, "")}/`);
  }
}
