import { html } from "./vendor/lit.js";
import { bellStyles } from "./bell-styles.js";
import { StoreController } from "./controller.js";
import { NotifElement } from "./element.js";
import { countText, failureText, inboxOf, lostText, safeUrl } from "./format.js";
import { later } from "./later.js";
import { Speaker } from "./speaker.js";
import { shared, sharedSheet } from "./styles.js";

const EDGE_PX = 8;
const LEAST_PX = 320;
const MOST_PX = 640;

/**
 * A bell with the number of unread notifications, and a panel with the latest.
 *
 * @slot - shown until the script has run, and stays without it: put a link to the inbox there
 * @attr base-url  where Notifcenter lives; default: this site
 * @attr token     bearer token of the cluster; default: the session of this site
 * @attr inbox-url the inbox page; default: the root of base-url
 * @attr lang      language of texts and times; default: the page's
 * @attr theme     "light", "dark" or "auto"; default: the page's `color-scheme`
 * @prop jobUrl (notification) => the address to which it leads; default: its own
 * @fires notif-unread detail {unread, more}: the count has changed
 * @fires notif-open   detail {notification}: a row was clicked; cancel it to stay on the page
 * @fires notif-error  detail {message, signedOut}: something did not work; signedOut: the token or the session was refused
 * @csspart bell   the button
 * @csspart badge  the number on it
 * @csspart panel
 * @cssprop --nc-panel-width
 * @cssprop --nc-*  colours, sizes and type, for all elements: tokens.css
 */
export class NotifBell extends NotifElement {
  static properties = {
    baseUrl: { attribute: "base-url" },
    token: {},
    inboxUrl: { attribute: "inbox-url" },
    jobUrl: { attribute: false },
    _announced: { state: true },
  };
  static styles = [shared, bellStyles];

  #controller = new StoreController(
    this,
    {
      arrival: (item) => this.#speaker.arrived(item),
      failure: (failure) => this.#panel?.say(failureText(failure, this.t)),
    },
    { counts: true },
  );
  #panel = null; // what is in it, once it has been opened
  #speaker = new Speaker({
    say: (text) => (this._announced = text),
    page: () => ({ store: this.#store, t: this.t, open: this.#follow }),
  });

  constructor() {
    super();
    this.baseUrl = "";
    this.token = "";
    this._announced = "";
  }

  storeChanged(store) {
    this.#panel?.follow(store, { open: this.#isOpen });
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    globalThis.removeEventListener("resize", this.#place);
    this.#panel?.leave();
    this.#speaker.leave(this.#store);
  }

  render() {
    const { t } = this;
    const { unread } = this.#store;
    const count = countText(this.#store);
    const lost = lostText(this.#store, t);
    return html`${sharedSheet}
      <button
        class="bell ${lost ? "bell--lost" : ""}"
        part="bell"
        type="button"
        popovertarget="panel"
        aria-haspopup="dialog"
        aria-label=${unread ? t("Notifications, {count} unread", { count }) : t("Notifications")}
        title=${lost}
        @pointerenter=${this.#loadPanel}
      >
        <span class="icon"></span>
        ${unread ? html`<span class="badge" part="badge" aria-hidden="true">${count}</span>` : ""}
      </button>
      <div id="panel" class="panel" part="panel" popover role="dialog" aria-label=${t("Notifications")} tabindex="-1"
        @beforetoggle=${this.#toggles} @toggle=${this.#toggled}>
        ${this.#panel
          ? this.#panel.render({ t, inbox: inboxOf(this), bell: this })
          : html`<p class="wait">${lost || t("Loading…")}</p>`}
      </div>
      <div class="visually-hidden" role="status">${this._announced}</div>
    `;
  }

  #loadPanel = async () => {
    const { Panel, styles } = await later("bell-panel.js");
    if (this.#panel) return;
    const sheets = this.renderRoot.adoptedStyleSheets;
    this.renderRoot.adoptedStyleSheets = [...sheets, styles.styleSheet];
    this.#panel = new Panel({
      redraw: () => this.requestUpdate(),
      focus: () => this.#popover.focus(),
      emit: (name, detail) => this.emit(name, detail),
      url: this.#url,
    });
    this.#panel.follow(this.#store, { open: this.#isOpen });
    if (!this.isConnected) this.#panel.leave();
    this.requestUpdate();
  };

  /** The browser gives the focus back to what it sees from outside, which is this element, not its button. */
  #toggles = (event) => {
    if (event.newState === "closed" && this.renderRoot.activeElement) this.#button.focus();
  };

  #toggled = (event) => {
    const open = event.newState === "open";
    globalThis[open ? "addEventListener" : "removeEventListener"]("resize", this.#place);
    if (!open) return;
    this.#place();
    this.#popover.focus();
    if (this.#panel) this.#panel.opened();
    else this.#loadPanel();
  };

  /** Below the bell, its end at the bell's end, always inside the window: over the bell where there is no room below. */
  #place = () => {
    const bell = this.#button.getBoundingClientRect();
    const { style, offsetWidth: width } = this.#popover;
    const left = this.matches(":dir(rtl)") ? bell.left : bell.right - width;
    const top = Math.max(EDGE_PX, Math.min(bell.bottom + EDGE_PX, innerHeight - LEAST_PX));
    style.left = `${Math.max(EDGE_PX, Math.min(left, innerWidth - width - EDGE_PX))}px`;
    style.top = `${top}px`;
    style.maxHeight = `${Math.min(MOST_PX, innerHeight - top - EDGE_PX)}px`;
  };

  /** Where a notification of the browser leads that was clicked; without one it stood for several. */
  #follow = (item) => {
    if (item && !this.emit("notif-open", { notification: item })) return;
    location.assign(item ? this.#url(item) : inboxOf(this));
  };

  get #store() {
    return this.#controller.store;
  }

  get #button() {
    return this.renderRoot.querySelector(".bell");
  }

  get #popover() {
    return this.renderRoot.querySelector("#panel");
  }

  get #isOpen() {
    return Boolean(this.renderRoot?.querySelector("#panel:popover-open"));
  }

  #url = (item) => safeUrl(this.jobUrl?.(item) ?? item.url, inboxOf(this));
}
