import { html, repeat } from "./vendor/lit.js";
import { setRead } from "./actions.js";
import { StoreController } from "./controller.js";
import { Digest } from "./digest.js";
import { NotifElement } from "./element.js";
import { failureText, inboxOf, safeUrl } from "./format.js";
import { mark, when, word } from "./parts.js";
import { shared, sharedSheet } from "./styles.js";
import { toastStyles } from "./toast-styles.js";

const SHOWN = 3;

/**
 * Shows what arrives, for some seconds, in a corner; many fold into one: "12 new notifications: 9 failed, 3 succeeded".
 * Never takes the focus; Escape dismisses the one that has it. The bell announces arrivals to screen readers; this
 * element announces its own messages only.
 *
 * @attr base-url, token, inbox-url, lang, theme  as for the bell
 * @attr messages-only  shows what the elements of the page have to say, not what arrives
 * @prop jobUrl (notification) => the address to which it leads; default: its own
 * @fires notif-open  detail {notification}: one was clicked; cancel it to stay on the page
 * @fires notif-error as for the bell
 * @csspart toast one of them
 * @cssprop --nc-toast-width, and those of the bell
 */
export class NotifToasts extends NotifElement {
  static properties = {
    baseUrl: { attribute: "base-url" },
    token: {},
    inboxUrl: { attribute: "inbox-url" },
    jobUrl: { attribute: false },
    messagesOnly: { type: Boolean, attribute: "messages-only" },
    _toasts: { state: true },
  };
  static styles = [shared, toastStyles];
  static lifeMs = 7_000; // of one that nobody looks at

  #controller = new StoreController(this, {
    arrival: (item) => this.#arrived(item),
    failure: (failure, event) => this.#say({ text: failureText(failure, this.t) }, event),
    notice: (notice, event) => this.#say(notice, event),
  });
  #timer;
  #held = new Set();
  #said = 0;
  #cameFrom = null; // what had the focus before it came here

  constructor() {
    super();
    this.baseUrl = "";
    this.token = "";
    /** @type {({key: string} & ({item: object} | {digest: Digest} | {text: string, action?: string, run?: () => void}))[]} */
    this._toasts = [];
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
    const { text } = this._toasts.findLast((toast) => toast.text) ?? {};
    return html`
      ${sharedSheet}
      <section
        aria-label=${this.t("New notifications")}
        @pointerenter=${() => this.#hold("pointer")}
        @pointerleave=${() => this.#release("pointer")}
        @focusin=${this.#entered}
        @focusout=${() => this.#release("focus")}
      >
        ${repeat(this._toasts, ({ key }) => key, this.#toast)}
      </section>
      <div class="visually-hidden" role="status">${text}</div>
    `;
  }

  #toast = (toast) => {
    const dismiss = (event) => this.#dismiss(toast, { byKey: !event.detail });
    return html`
      <div class="toast" part="toast" @keydown=${(event) => event.key === "Escape" && dismiss(event)}>
        ${this.#content(toast)}
        ${toast.action
          ? html`<button class="action" type="button" @click=${() => this.#act(toast)}>${toast.action}</button>`
          : ""}
        <button class="close" type="button" aria-label=${this.t("Dismiss")} @click=${dismiss}>
          <span class="icon"></span>
        </button>
      </div>
    `;
  };

  #content({ item, digest, text }) {
    if (item) return this.#notification(item);
    if (!digest) return html`<p class="text">${text}</p>`;
    return html`${mark(digest.gravest)}<a class="text" href=${inboxOf(this)}><strong>${digest.text(this.t)}</strong></a>`;
  }

  #notification(item) {
    const open = (event) => {
      this.#controller.store.act(setRead(item, true));
      if (!this.emit("notif-open", { notification: item })) event.preventDefault();
    };
    return html`
      ${mark(item.event)}
      <a class="text" href=${safeUrl(this.jobUrl?.(item) ?? item.url, inboxOf(this))} @click=${open}>
        <strong>${item.title}</strong>
        ${item.summary ? html`<span>${item.summary}</span>` : ""}
        <span>${word(item.event, this.t)} · ${when(item.occurred_at, this.t)}</span>
      </a>
    `;
  }

  /** One more than fit: all become one, but for those that are just being looked at. */
  #arrived(item) {
    if (this.messagesOnly) return;
    const folded = this._toasts.find(({ digest }) => digest);
    const shown = this._toasts.filter((toast) => toast.item);
    if (!folded && shown.length < SHOWN) return this.#add({ key: `n${item.id}`, item });
    const digest = folded?.digest ?? new Digest();
    const inUse = this.#held.has("pointer") || this.#held.has("focus");
    const gone = inUse ? [] : shown;
    for (const one of [...gone.map((toast) => toast.item), item]) digest.add(one);
    this._toasts = this._toasts.filter((toast) => toast !== folded && !gone.includes(toast));
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#add({ key: "folded", digest });
  }

  /** Messages answer something that the user did, so they are never folded; the oldest makes room. One of us shows it. */
  #say(message, event) {
    if (event.defaultPrevented) return;
    event.preventDefault();
    const [oldest, ...others] = this._toasts.filter((toast) => toast.text);
    if (others.length >= SHOWN - 1) this.#remove(oldest);
    this.#add({ key: `m${++this.#said}`, ...message });
  }

  #add(toast) {
    this._toasts = [...this._toasts, toast];
    this.#schedule();
  }

  #act(toast) {
    this.#dismiss(toast);
    toast.run();
  }

  /** The focus goes to the next one, or, after a click and in the end, back to where it was. */
  async #dismiss(toast, { byKey = false } = {}) {
    const cameFrom = this.#cameFrom;
    const had = this.renderRoot.activeElement !== null;
    this.#remove(toast);
    if (!had) return;
    await this.updateComplete;
    const next = byKey && this.renderRoot.querySelector(".close");
    (next || cameFrom)?.focus();
  }

  #remove(toast) {
    this._toasts = this._toasts.filter(({ key }) => key !== toast.key);
    this.#release("focus");
  }

  /** The oldest goes first; nothing goes while it is being looked at, or while nobody can see it. */
  #schedule() {
    if (this.#timer || this.#held.size || !this._toasts.length) return;
    const life = NotifToasts.lifeMs / Math.min(SHOWN, this._toasts.length);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this._toasts.length) this.#remove(this._toasts[0]);
    }, life);
  }

  #entered = ({ relatedTarget }) => {
    if (relatedTarget && !this.renderRoot.contains(relatedTarget)) this.#cameFrom = relatedTarget;
    this.#hold("focus");
  };

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
}
