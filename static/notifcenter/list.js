/** One filtered list of notifications, newest first: loads pages, takes in what arrives, stays in step. */

const MAX_PAGE = 100;
/** What arrives pushes older rows out beyond this, unless more were asked for. They are loaded again on demand. */
const MOST_ROWS = 100;

/** How many pages are asked for in one go, when a filter finds little in each. */
const MOST_PAGES = 25;

/** What a list shows: `query()` for the REST, and whether an item belongs there. */
const EVERYTHING_OPEN = { query: () => ({}), holds: (item) => !item.archived_at && !item.snoozed_until };

export class List {
  /** @type {"idle" | "loading" | "ready" | "error"} */
  state = "idle";
  loadingMore = false;
  items = [];
  next = null;
  view = EVERYTHING_OPEN;

  #api;
  #changed;
  #pageSize;
  #turn = 0; // of the view: an answer for an earlier one is dropped
  #version = 0; // of the items: an answer from before a change is dropped
  #kept = new Set();
  #room = MOST_ROWS;
  #arrived = null; // while an answer is under way: what it may not know yet

  /** @param {() => void} options.changed called after every change */
  constructor({ api, changed, pageSize, filters = EVERYTHING_OPEN }) {
    this.#api = api;
    this.#changed = changed;
    this.#pageSize = pageSize;
    this.view = filters;
  }

  /** Takes a page that is already there, such as the one in the HTML. */
  fill(items, next) {
    this.items = items;
    this.next = next;
    this.state = "ready";
    this.#acceptArrived();
  }

  async load(view = this.view) {
    this.view = view;
    const turn = ++this.#turn;
    this.#version++;
    this.#arrived = [];
    this.#kept.clear();
    this.#room = MOST_ROWS;
    this.state = "loading";
    this.#changed();
    try {
      const page = await this.#gather(this.#pageSize);
      if (turn === this.#turn) this.fill(page.results, page.next);
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
    const { next } = this;
    this.loadingMore = true;
    this.#changed();
    try {
      const page = await this.#gather(this.#pageSize, next);
      if (turn !== this.#turn || next !== this.next) return; // it ends elsewhere
      this.next = page.next;
      this.#room = Math.max(MOST_ROWS, this.items.length + page.results.length);
      this.#put(page.results);
    } finally {
      this.loadingMore = false;
      this.#changed();
    }
  }

  /**
   * Fetches again what is shown. Rows that were read here stay; what is older than the answer stays too, unless rows
   * may be missing between: up to `since`, all have been heard of.
   */
  async sync(since) {
    if (this.state === "error") return this.load();
    if (this.state !== "ready") return;
    const version = ++this.#version;
    this.#arrived = [];
    const size = Math.min(MAX_PAGE, Math.max(this.#pageSize, this.items.length));
    const page = await this.#gather(size, null, this.items.length);
    if (version !== this.#version) return;
    const fresh = new Set(page.results.map((item) => item.id));
    const oldest = page.next ? (page.results.at(-1)?.id ?? Infinity) : 0;
    const older = oldest <= since ? this.items.filter((item) => item.id < oldest) : [];
    const kept = this.items.filter((item) => item.id >= oldest && this.#kept.has(item.id) && !fresh.has(item.id));
    if (!older.length) this.next = page.next;
    this.items = [];
    this.#put([...older, ...kept, ...page.results]);
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

  /** What was read here stays where only unread ones belong. */
  #belongs(item) {
    return this.view.holds(item) || (this.#kept.has(item.id) && this.view.holds({ ...item, read_at: null }));
  }

  /** Not older than the pages that are loaded. */
  #reaches(item) {
    return !this.next || !this.items.length || item.id > this.items.at(-1).id;
  }

  /** What came back from being snoozed is at the head, the last first, until it is read; what is read here stays there. */
  #returned({ id, returned_at: at, read_at: readAt }) {
    return at && (!readAt || this.#kept.has(id)) ? Date.parse(at) : 0;
  }

  #put(items) {
    const byId = new Map(this.items.map((item) => [item.id, item]));
    for (const item of items) byId.set(item.id, item);
    this.items = [...byId.values()].sort((a, b) => this.#returned(b) - this.#returned(a) || b.id - a.id);
    if (this.loadingMore || this.items.length <= this.#room) return; // more is to follow the last
    for (const { id } of this.items.splice(this.#room)) this.#kept.delete(id);
    this.next = cursorAfter(this.items.at(-1).id);
  }

  /**
   * Up to `size` items as one page. The server looks at a bounded number of rows for each of its pages: while they
   * bring less than `enough`, it is asked to go on.
   */
  async #gather(size, cursor = null, enough = size) {
    const found = [];
    for (let pages = 0; ; ) {
      const page = await this.#api.page({ ...this.view.query(), page_size: size, cursor });
      found.push(...page.results);
      cursor = cursorOf(page.next);
      if (!cursor || found.length >= enough || ++pages === MOST_PAGES) return { results: found, next: cursor };
    }
  }
}

/** Where a list goes on that ends with this id, as the server's pagination (Django REST framework's) says it. */
const cursorAfter = (id) => btoa(`p=${id}`);

/** The cursor inside a page's `next`, which is a URL; null on the last page. */
export function cursorOf(next) {
  return next ? new URL(next, document.baseURI).searchParams.get("cursor") : null;
}
