import { html, repeat } from "./vendor/lit.js";
import { readAll, setArchived, setRead } from "./actions.js";
import { StoreController } from "./controller.js";
import { NotifElement } from "./element.js";
import { dayGroup } from "./inbox-facts.js";
import { inboxRow } from "./inbox-row.js";
import { inboxBones, inboxFilters, inboxHead, inboxNote, viewOfAddress, viewUrl } from "./inbox-view.js";
import { muteForAnHour } from "./mute.js";
import { dataOf, takeOver } from "./takeover.js";

const PAGE_SIZE = 30;
const TYPING_MS = 250;

/**
 * The inbox page. Takes over the list that the server has put into it, and keeps it live. It has no shadow tree:
 * the list looks the same with and without script, by the sheets of its page.
 *
 * @attr base-url, token, lang  as for the bell
 * @attr next-cursor where the list inside goes on
 * @prop jobUrl (notification) => the address to which it leads; default: its own
 * The view (tab, event, q) is the page's address; the list's data are in #inbox-items and #inbox-unread.
 */
export class NotifInbox extends NotifElement {
  static properties = {
    baseUrl: { attribute: "base-url" },
    token: {},
    nextCursor: { attribute: "next-cursor" },
    jobUrl: { attribute: false },
  };

  #controller = new StoreController(this);
  #list;
  #typing;
  #restore;
  #act = {
    opened: (item) => this.#store.act(setRead(item, true)),
    read: (item, read) => this.#store.act(setRead(item, read)),
    archive: (item, archived) => this.#archive(item, archived),
    mute: (item) => muteForAnHour(this.#store, item, this.t),
    url: (item) => this.jobUrl?.(item) ?? item.url,
  };

  connectedCallback() {
    super.connectedCallback();
    globalThis.addEventListener("popstate", this.#follow);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    globalThis.removeEventListener("popstate", this.#follow);
    this.#store?.forget(this.#list);
  }

  createRenderRoot() {
    this.#restore = takeOver(this);
    return this;
  }

  firstUpdated() {
    this.#restore();
  }

  storeChanged(store) {
    this.#list = store.list({ pageSize: PAGE_SIZE, filters: viewOfAddress() });
    const items = dataOf("inbox-items");
    if (!items || this.hasUpdated || new URLSearchParams(location.search).has("cursor")) {
      this.#store.load(this.#list);
      return;
    }
    store.begin(dataOf("inbox-unread"));
    this.#list.fill(items, this.nextCursor || null);
  }

  render() {
    const store = this.#store;
    const list = this.#list;
    const { t } = this;
    return html`
      ${inboxHead({ t, store, readAll: () => store.act(readAll(store)) })}
      <div class="inbox__filters">
        ${inboxFilters({ t, view: this.#view, store, go: this.#go, search: this.#search })}
      </div>
      <div class="inbox__list" aria-busy=${list.state === "loading"} @keydown=${this.#key}>
        ${list.items.length
          ? [this.#groups(), this.#more()]
          : list.state === "loading"
            ? inboxBones(t)
            : inboxNote({
                t,
                list,
                refused: store.status === "refused",
                clear: () => this.#go({ event: "", q: "" }),
                retry: () => store.load(list),
              })}
      </div>
    `;
  }

  #groups() {
    const { t } = this;
    const groups = Map.groupBy(this.#list.items, (item) => dayGroup(item.created_at));
    return repeat(
      groups,
      ([day]) => day,
      ([day, items]) => html`
        <h2 class="day">${t(day)}</h2>
        <ul class="notes">
          ${repeat(
            items,
            ({ id }) => id,
            (item) => inboxRow(item, t, this.#act),
          )}
        </ul>
      `,
    );
  }

  #more() {
    const { next, loadingMore } = this.#list;
    if (!next) return "";
    return html`
      <button class="button more" type="button" ?disabled=${loadingMore} @click=${() => this.#store.loadMore(this.#list)}>
        ${loadingMore ? this.t("Loading…") : this.t("Load more")}
      </button>
    `;
  }

  async #archive(item, archived) {
    this.#focusBeside(item.id);
    const store = this.#store;
    const action = setArchived(item, archived);
    if (!(await store.act(action))) return;
    store.notice({
      text: archived ? this.t("Archived.") : this.t("Moved to the inbox."),
      action: this.t("Undo"),
      run: () => store.act(setArchived(action.change(item), !archived)),
    });
  }

  /** A row that leaves hands the focus to its neighbour. */
  #focusBeside(id) {
    const rows = this.#rows();
    const index = rows.findIndex((row) => row.dataset.id === String(id));
    const beside = rows[index + 1] ?? rows[index - 1];
    (beside?.querySelector("summary") ?? this.closest("main"))?.focus();
  }

  /** With the focus on a row: j and k or the arrows move, e archives, u marks as read or unread. */
  #key = (event) => {
    if (event.target.localName !== "summary" || event.ctrlKey || event.metaKey || event.altKey) return;
    const rows = this.#rows();
    const row = event.target.closest("[data-id]");
    const item = this.#list.items.find(({ id }) => String(id) === row.dataset.id);
    const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
    if (step) rows[rows.indexOf(row) + step]?.querySelector("summary").focus();
    else if (event.key === "e") this.#archive(item, !item.archived_at);
    else if (event.key === "u") this.#act.read(item, !item.read_at);
    else return;
    event.preventDefault();
  };

  #rows() {
    return [...this.querySelectorAll("[data-id]")];
  }

  #go = (change) => {
    const view = { ...this.#view, ...change };
    history.pushState(null, "", viewUrl(view));
    this.#store.load(this.#list, view);
  };

  #search = (q) => {
    clearTimeout(this.#typing);
    this.#typing = setTimeout(() => {
      const view = { ...this.#view, q };
      history.replaceState(null, "", viewUrl(view));
      this.#store.load(this.#list, view);
    }, TYPING_MS);
  };

  #follow = () => this.#store.load(this.#list, viewOfAddress());

  get #view() {
    const { tab, event, q } = this.#list;
    return { tab, event, q };
  }

  get #store() {
    return this.#controller.store;
  }
}
