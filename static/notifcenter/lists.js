/** All lists that a page shows. */

import { List } from "./list.js";

export class Lists {
  #lists = new Set();

  add(options) {
    const list = new List(options);
    this.#lists.add(list);
    return list;
  }

  forget(list) {
    this.#lists.delete(list);
  }

  /** All items that are loaded. */
  get items() {
    const all = [...this.#lists].flatMap((list) => list.items);
    return [...new Map(all.map((item) => [item.id, item])).values()];
  }

  get begun() {
    return [...this.#lists].some(({ state }) => state !== "idle");
  }

  accept(...items) {
    for (const list of this.#lists) list.accept(...items);
  }

  patch(ids, change, options) {
    for (const list of this.#lists) list.patch(ids, change, options);
  }

  /** Items as they have become elsewhere. */
  replace(items) {
    const byId = new Map(items.map((item) => [item.id, item]));
    this.patch(new Set(byId.keys()), (item) => byId.get(item.id), { keep: false });
    this.accept(...items);
  }

  sync(since) {
    return Promise.all([...this.#lists].map((list) => list.sync(since)));
  }
}
