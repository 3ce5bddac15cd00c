import { html } from "./vendor/lit.js";
import { StoreController } from "./controller.js";
import { NotifElement } from "./element.js";
import { FocusKeeper } from "./focus-keeper.js";
import { Acts } from "./inbox-acts.js";
import { InboxView } from "./inbox-address.js";
import { inboxBar } from "./inbox-bar.js";
import { inboxFilters } from "./inbox-filters.js";
import { days } from "./inbox-groups.js";
import { inboxHelp } from "./inbox-help.js";
import { Keys } from "./inbox-keys.js";
import { Menu } from "./inbox-menu.js";
import { inboxBones, inboxFolders, inboxHead, inboxNote, link } from "./inbox-view.js";
import { Messages } from "./messages.js";
import { More } from "./more.js";
import { Newcomers } from "./newcomers.js";
import { pageRoot } from "./page-root.js";
import { Selection } from "./selection.js";
import { sweepOffer } from "./sweep.js";
import { dataOf, takeOver } from "./takeover.js";

const PAGE_SIZE = 30;

/**
 * The inbox page. Takes over the list that the server has put into it, and keeps it live. In our own pages it has no
 * shadow tree: the list looks the same with and without script, by the sheets of its page.
 *
 * @slot - shown until the script has run
 * @attr base-url, token, lang, theme  as for the bell
 * @attr next-cursor where the list inside goes on; for our own page
 * @prop jobUrl (notification) => the address to which it leads; default: its own
 * @fires notif-open  detail {notification}: its job is to be opened; cancel it to stay on the page
 * @fires notif-unread as for the bell
 * @fires notif-error as for the bell
 * @cssprop --nc-*  as for the bell
 * The view is the page's address (inbox-address.js); the list's data are in #inbox-items and #inbox-unread.
 */
export class NotifInbox extends NotifElement {
  static properties = {
    baseUrl: { attribute: "base-url" },
    token: {},
    nextCursor: { attribute: "next-cursor" },
    jobUrl: { attribute: false },
    progress: { state: true },
  };

  /** What is shown, of the store. */
  list;

  #messages = new Messages(this);
  #controller = new StoreController(this, this.#messages.listeners, { counts: true });
  #keeper = new FocusKeeper(this, { rows: "[data-key]", target: "summary" });
  #newcomers = new Newcomers(this);
  #more = new More(this);
  #selection = new Selection(() => this.requestUpdate());
  #menu = new Menu(this);
  #acts = new Acts(this, { selection: this.#selection, menu: this.#menu });
  #keys = new Keys(this, this.#keeper, this.#acts.keys);
  #restore;

  constructor() {
    super();
    this.progress = null;
  }

  connectedCallback() {
    super.connectedCallback();
    globalThis.addEventListener("popstate", this.#follow);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    globalThis.removeEventListener("popstate", this.#follow);
    this.store?.forget(this.list);
  }

  createRenderRoot() {
    this.#restore = takeOver(this);
    return pageRoot(this, "inbox");
  }

  firstUpdated() {
    this.#restore();
  }

  storeChanged(store) {
    this.list = store.list({ pageSize: PAGE_SIZE, filters: InboxView.ofAddress() });
    const items = dataOf("inbox-items");
    if (!items || this.hasUpdated || new URLSearchParams(location.search).has("cursor")) {
      store.load(this.list);
      return;
    }
    store.begin(dataOf("inbox-unread"));
    this.list.fill(items, this.nextCursor || null);
  }

  render() {
    const { t, store, list } = this;
    const { view } = list;
    const { shown, waiting } = this.#newcomers.divide(list.items);
    this.#selection.prune(list.items);
    const go = this.#go;
    return html`
      ${inboxHead({ t, store, list, element: this, readAll: this.#acts.readAll, help: this.#acts.keys["?"] })}
      <div class="inbox__side">
        ${inboxFolders({ t, view, store, go })}
        ${inboxFilters({ t, view, items: list.items, go, refine: (change) => this.#go(change, "replaceState") })}
      </div>
      <div class="inbox__list" aria-busy=${list.state === "loading"} tabindex="-1" data-resting>
        <div data-top></div>
        ${waiting.length
          ? html`<div class="newcomers">
              <button type="button" @click=${this.#toTop}>${t.plural(waiting.length, "{count} new", "{count} new")}</button>
            </div>`
          : ""}
        ${inboxBar({ t, view, items: shown, further: Boolean(list.next), selection: this.#selection, progress: this.progress, go, act: this.#acts })}
        ${this.#body(shown)}
      </div>
      ${this.#menu.panel()} ${inboxHelp({ t, keys: this.#keys })} ${this.#messages.toasts()}
    `;
  }

  #body(shown) {
    const { t, store, list } = this;
    if (shown.length) return [this.#offer(shown), days(shown, { byJob: list.view.group === "job", t, act: this.#acts }), this.#more.button()];
    if (list.state === "loading" || list.state === "idle") return inboxBones(t);
    if (list.next) return this.#more.button();
    const clear = () => this.#go(list.view.unfiltered);
    return inboxNote({ t, list, status: store.status, clear, retry: () => store.load(list), element: this });
  }

  #offer(shown) {
    const { view } = this.list;
    const content = this.t("Put together by job");
    return view.group ? "" : sweepOffer(shown, this.t, link({ view, change: { group: "job" }, go: this.#go, content }));
  }

  #toTop = () => {
    this.#newcomers.reset();
    this.requestUpdate();
    this.renderRoot.querySelector("[data-top]").scrollIntoView({ block: "center" });
    this.renderRoot.querySelector(".inbox__list").focus({ preventScroll: true });
  };

  #go = (change, how = "pushState") => {
    const view = this.list.view.with(change);
    history[how](null, "", view.url);
    this.#show(view);
  };

  #follow = () => this.#show(InboxView.ofAddress());

  #show(view) {
    const { list } = this;
    this.#newcomers.reset();
    if (view.with({ group: list.view.group }).url === list.view.url) {
      list.view = view; // the same rows, put together in another way
      this.requestUpdate();
      return;
    }
    this.#selection.clear();
    this.store.load(list, view);
  }

  /** Whether the page is another site's. */
  get isEmbedded() {
    return Boolean(this.baseUrl);
  }

  get store() {
    return this.#controller.store;
  }
}
