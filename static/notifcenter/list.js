/** One filtered list of notifications, newest first: loads pages, takes in what arrives, stays in step. */

const MAX_PAGE = 100;
/** What arrives pushes older rows out beyond this, unless more were asked for. They are loaded again on demand. */
const MOST_ROWS = 100;

const tabs = {
  unread: { unread: true },
  all: {},
  archived: { archived: true },
};

export class List {
  /** @type {"idle" | "loading" | "ready" | "error"} */
  state = "idle";
  loadingMore = false;
  items = [];
  next = null;
  tab = "all";
  event = "";
  q = "";

  #api;
  #changed;
  #pageSize;
  #turn = 0; // of the view: an answer for an earlier one is dropped
  #version = 0; // of the items: an answer from before a change is dropped
  #kept = new Set();
  #room = MOST_ROWS;
  #arrived = null; // while an answer is under way: what it may not know yet

  /** @param {() => void} options.changed called after every change */
  constructor({ api, changed, pageSize, filters = {} }) {
    this.#api = api;
    this.#changed = changed;
    this.#pageSize = pageSize;
    Object.assign(this, filters);
  }

  /** Takes a page that is already there, such as the one in the HTML. */
  fill(items, next) {
    this.items = items;
    this.next = next;
    this.state = "ready";
    this.#acceptArrived();
  }

  async load(filters = {}) {
    Object.assign(this, filters);
    const turn = ++this.#turn;
    this.#version++;
    this.#arrived = [];
    this.#kept.clear();
    this.#room = MOST_ROWS;
    this.state = "loading";
    this.#changed();
    try {
      const page = await this.#fetch({ page_size: this.#pageSize });
      if (turn === this.#turn) this.fill(page.results, cursorOf(page.next));
    } catch (error) {
      if (turn !== this.#turn) return;
      this.state = "error";
      this.items = [];
      this.#changed();
      throw error;
    }
  }

  async loadMore() {
    if (!this.next || this.loadingMore) return;
    const turn = this.#turn;
    this.loadingMore = true;
    this.#changed();
    try {
      const page = await this.#fetch({ page_size: this.#pageSize, cursor: this.next });
      if (turn !== this.#turn) return;
      this.next = cursorOf(page.next);
      this.#room = Math.max(MOST_ROWS, this.items.length + page.results.length);
      this.#put(page.results);
    } finally {
      this.loadingMore = false;
      this.#changed();
    }
  }

  /** Fetches again what is shown. Rows that were read here stay; what is older than the answer stays too. */
  async sync() {
    if (this.state === "error") return this.load();
    if (this.state !== "ready") return;
    const version = ++this.#version;
    this.#arrived = [];
    const size = Math.min(MAX_PAGE, Math.max(this.#pageSize, this.items.length));
    const page = await this.#fetch({ page_size: size });
    if (version !== this.#version) return;
    const fresh = new Set(page.results.map((item) => item.id));
    const oldest = page.next ? page.results.at(-1).id : 0;
    const older = this.items.filter((item) => item.id < oldest);
    const kept = this.items.filter((item) => item.id >= oldest && this.#kept.has(item.id) && !fresh.has(item.id));
    if (!older.length) this.next = cursorOf(page.next);
    this.items = [];
    this.#put([...page.results, ...kept, ...older]);
    this.#acceptArrived();
  }

  /** Notifications have arrived or come back. */
  accept(...items) {
    if (this.#arrived) this.#arrived = [...this.#arrived, ...items].slice(-MOST_ROWS);
    if (this.state !== "ready") return;
    this.#put(items.filter((item) => this.#belongs(item) && this.#reaches(item)));
    this.#changed();
  }

  #acceptArrived() {
    const arrived = this.#arrived ?? [];
    this.#arrived = null;
    this.accept(...arrived);
  }

  /** Changes items in place; those that no longer belong here leave, read ones only if `keep` is off. */
  patch(ids, change, { keep }) {
    this.#version++;
    for (const id of ids) {
      if (keep) this.#kept.add(id);
      else this.#kept.delete(id);
    }
    const patched = this.items.map((item) => (ids.has(item.id) ? change(item) : item));
    this.items = patched.filter((item) => !ids.has(item.id) || this.#belongs(item));
    this.#changed();
  }

  #belongs(item) {
    if (Boolean(item.archived_at) !== (this.tab === "archived")) return false;
    if (this.event && item.event !== this.event) return false;
    if (!item.job.name.toLowerCase().includes(this.q.trim().toLowerCase())) return false;
    return this.tab !== "unread" || !item.read_at || this.#kept.has(item.id);
  }

  /** Not older than the pages that are loaded. */
  #reaches(item) {
    return !this.next || !this.items.length || item.id > this.items.at(-1).id;
  }

  #put(items) {
    const byId = new Map(this.items.map((item) => [item.id, item]));
    for (const item of items) byId.set(item.id, item);
    this.items = [...byId.values()].sort((a, b) => b.id - a.id);
    if (this.items.length <= this.#room) return;
    for (const { id } of this.items.splice(this.#room)) this.#kept.delete(id);
    this.next = cursorAfter(this.items.at(-1).id);
  }

  #fetch(extra) {
    return this.#api.page({ ...tabs[this.tab], event: this.event, q: this.q.trim(), ...extra });
  }
}

/** Where a list goes on that ends with this id, as the server's pagination (Django REST framework's) says it. */
const cursorAfter = (id) => btoa(`p=${id}`);

/** The cursor inside a page's `next`, which is a URL; null on the last page. */
export function cursorOf(next) {
  return next ? new URL(next, document.baseURI).searchParams.get("cursor") : null;
}
