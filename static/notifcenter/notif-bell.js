import { html } from "./vendor/lit.js";
import { readAll, setRead } from "./actions.js";
import { panelBody } from "./bell-panel.js";
import { bellStyles } from "./bell-styles.js";
import { StoreController } from "./controller.js";
import { NotifElement } from "./element.js";
import { LOST, countText, failureText, safeUrl } from "./format.js";
import { shared, sharedSheet } from "./styles.js";

const SHOWN = 10;
const EDGE_PX = 8;
const GATHER_MS = 1_000;

/**
 * A bell with the number of unread notifications, and a panel with the latest.
 *
 * What is inside the element is shown until the script has run; put a link to the inbox there.
 *
 * @attr base-url  where Notifcenter lives; default: this site
 * @attr token     bearer token of the cluster; default: the session of this site
 * @attr inbox-url the inbox page; default: the root of base-url
 * @attr lang      language of texts and times; default: the page's
 * @attr theme     "light", "dark" or "auto"; default: the page's `color-scheme`
 * @prop jobUrl (notification) => the address to which it leads; default: its own
 * @fires notif-unread detail {unread, more}: the count has changed
 * @fires notif-open   detail {notification}: a row was clicked; cancel it to stay on the page
 * @fires notif-error  detail {message}
 */
export class NotifBell extends NotifElement {
  static properties = {
    baseUrl: { attribute: "base-url" },
    token: {},
    inboxUrl: { attribute: "inbox-url" },
    jobUrl: { attribute: false },
    theme: {},
    _announced: { state: true },
    _message: { state: true },
  };
  static styles = [shared, bellStyles];

  #controller = new StoreController(this, {
    arrival: (item) => this.#announceSoon(item),
    failure: (failure) => this.#failed(failureText(failure, this.t)),
  });
  #list;
  #told = "";
  #arrivals = [];
  #announceTimer;

  constructor() {
    super();
    this.baseUrl = "";
    this.token = "";
    this._announced = "";
    this._message = "";
  }

  storeChanged(store) {
    this.#list = store.list({ pageSize: SHOWN });
    if (this.#panel?.matches(":popover-open")) this.#load();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    globalThis.removeEventListener("resize", this.#place);
    this.#store?.forget(this.#list);
  }

  updated() {
    const { unread, more } = this.#store;
    const told = countText({ unread, more });
    if (told === this.#told) return;
    this.#told = told;
    this.#emit("notif-unread", { unread, more });
  }

  render() {
    const { t } = this;
    const { unread } = this.#store;
    const count = countText(this.#store);
    return html`${sharedSheet}
      <button
        class="bell"
        part="bell"
        type="button"
        popovertarget="panel"
        aria-haspopup="dialog"
        aria-label=${unread ? t("Notifications, {count} unread", { count }) : t("Notifications")}
      >
        <span class="icon"></span>
        ${unread ? html`<span class="badge" part="badge" aria-hidden="true">${count}</span>` : ""}
      </button>
      <div id="panel" class="panel" part="panel" popover role="dialog" aria-label=${t("Notifications")} tabindex="-1"
        @beforetoggle=${this.#toggles} @toggle=${this.#toggled}>
        <div class="head">
          <h2>${t("Notifications")}</h2>
          ${unread
            ? html`<button class="text-button" type="button" @click=${this.#readAll}>${t("Mark all read")}</button>`
            : ""}
        </div>
        <div class="scroll">
          ${panelBody({
            items: this.#list.items.slice(0, SHOWN),
            state: this.#list.state,
            refused: this.#store.status === "refused",
            row: { url: this.#url, open: this.#open, read: this.#read },
            retry: this.#load,
            t,
          })}
        </div>
        <div class="foot">${this.#status()} <a href=${this.#inbox}>${t("Open inbox")}</a></div>
      </div>
      <div class="visually-hidden" role="status">${this._announced}</div>
    `;
  }

  #status() {
    if (this._message) return html`<span role="alert">${this._message}</span>`;
    const lost = LOST[this.#store.status];
    return lost ? html`<span class="status"><span class="icon"></span>${this.t(lost)}</span>` : html`<span></span>`;
  }

  /** The browser gives the focus back to what it sees from outside, which is this element, not its button. */
  #toggles = (event) => {
    if (event.newState === "closed" && this.renderRoot.activeElement) this.#button.focus();
  };

  #toggled = (event) => {
    const open = event.newState === "open";
    globalThis[open ? "addEventListener" : "removeEventListener"]("resize", this.#place);
    if (!open) return;
    this._message = "";
    this.#place();
    this.#panel.focus();
    if (this.#list.state !== "ready") this.#load();
  };

  /** Below the bell, its end at the bell's end, always inside the window. */
  #place = () => {
    const bell = this.#button.getBoundingClientRect();
    const { style, offsetWidth: width } = this.#panel;
    const left = this.matches(":dir(rtl)") ? bell.left : bell.right - width;
    const top = bell.bottom + EDGE_PX;
    style.left = `${Math.max(EDGE_PX, Math.min(left, innerWidth - width - EDGE_PX))}px`;
    style.top = `${top}px`;
    style.maxHeight = `${Math.max(240, Math.min(640, innerHeight - top - EDGE_PX))}px`;
  };

  #load = () => this.#store.load(this.#list);

  #open = (event, item) => {
    this.#store.act(setRead(item, true));
    if (!this.#emit("notif-open", { notification: item })) event.preventDefault();
  };

  #read = (item) => {
    this.#panel.focus();
    this.#store.act(setRead(item, true));
  };

  #readAll = () => {
    this.#panel.focus();
    this.#store.act(readAll(this.#store));
  };

  #failed(message) {
    this._message = message;
    this.#emit("notif-error", { message });
  }

  /** One sentence for all that arrives within a second. */
  #announceSoon(item) {
    this.#arrivals.push(item.title);
    this.#announceTimer ??= setTimeout(() => {
      const titles = this.#arrivals.splice(0);
      this._announced = this.t.plural(titles.length, titles[0], "{count} new notifications");
      this.#announceTimer = undefined;
    }, GATHER_MS);
  }

  #emit(name, detail) {
    return this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true, cancelable: true }));
  }

  get #store() {
    return this.#controller.store;
  }

  get #button() {
    return this.renderRoot.querySelector(".bell");
  }

  get #panel() {
    return this.renderRoot?.querySelector("#panel");
  }

  #url = (item) => safeUrl(this.jobUrl?.(item) ?? item.url, this.#inbox);

  get #inbox() {
    return safeUrl(this.inboxUrl, `${this.baseUrl.replace(/\/+$/, "")}/`);
  }
}
