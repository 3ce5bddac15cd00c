/** What the reader of the inbox can do, by rows, bar and keys. */

import { setRead } from "./actions.js";
import { canBeMuted } from "./inbox-changes.js";
import { Commands } from "./inbox-commands.js";
import { askSweep } from "./sweep.js";

const idsOf = (row) => [row, ...row.querySelectorAll("[data-id]")].map(({ dataset }) => Number(dataset.id)).filter(Boolean);

export class Acts {
  #host;
  #selection;
  #menu;
  #commands;

  /** @param host has `store`, `list`, `jobUrl`, `progress` */
  constructor(host, { selection, menu }) {
    this.#host = host;
    this.#selection = selection;
    this.#menu = menu;
    this.#commands = new Commands(host);
  }

  /** By key, for `Keys`. */
  keys = {
    e: (row) => this.#toggle(row, "archived_at", "archive", "unarchive"),
    u: (row) => this.#toggle(row, "read_at", "read", "unread"),
    s: (row) => this.#toggle(row, "saved", "save", "unsave"),
    h: (row) => this.#ask(row, "snooze"),
    m: (row) => this.#mute(row),
    x: (row, { shiftKey }) => this.#tick(row, shiftKey),
    a: () => used(this.selectAll(this.#host.list.items, true)),
    z: () => used(this.#commands.undo()),
    "/": () => used(this.#host.renderRoot.querySelector("[name=q]").focus()),
    "?": () => used(this.#host.renderRoot.querySelector(".help").showModal()),
    Escape: () => this.#selection.size > 0 && used(this.clear()),
  };

  opened = (item) => this.#host.store.act(setRead(item, true));

  url = (item) => this.#host.jobUrl?.(item) ?? item.url;

  follow = (event, item) => this.#host.emit("notif-open", { notification: item }) || event.preventDefault();

  sweepUrl = ({ id }) => `${(this.#host.baseUrl ?? "").replace(/\/+$/, "")}/groups/${id}/`;

  askSweep = (sweep, change, done) => askSweep(this.#host, sweep, change, done);

  isSelected = ({ id }) => this.#selection.has(id);

  select = ({ id }, event) => this.#choose(id, event.target.checked, event.shiftKey);

  selectAll = (items, on) =>
    this.#selection.choose(
      items.map(({ id }) => id),
      on,
    );

  readAll = () => this.#commands.readAll();

  selectEverything = () => this.#selection.chooseEverything();

  clear = () => this.#selection.clear();

  /** Opens "until when?" at `anchor`, and does it. */
  menu = async (kind, items, anchor) => {
    const until = (await this.#menu.open(kind, anchor))?.toISOString();
    this.change(items, kind, { until });
  };

  change = (items, name, options = {}) => {
    const chosen = this.#selection.of(this.#host.list.items);
    const isSelection = items.length === chosen.length && items.every(this.isSelected);
    if (isSelection && this.#selection.everything) this.#commands.changeAll(name, options);
    else this.#commands.change(items, name, options);
    if (isSelection) this.clear();
  };

  #toggle(row, field, on, off) {
    const items = this.#meant(row);
    if (!items.length) return false;
    this.change(items, items.every((item) => item[field]) ? off : on, { keep: items.length === 1 });
    return true;
  }

  #ask(row, kind) {
    const items = this.#meant(row);
    if (!items.length) return false;
    this.menu(kind, items, row ?? this.#host.renderRoot.querySelector(".bar"));
    return true;
  }

  #mute(row) {
    const jobs = this.#meant(row).filter(canBeMuted);
    if (!jobs.length) return false;
    if (jobs.every(({ muted }) => muted)) this.change(this.#meant(row), "unmute");
    else this.#ask(row, "mute");
    return true;
  }

  /** What a key is for: what is selected, else the row. */
  #meant(row) {
    const { items } = this.#host.list;
    if (this.#selection.size) return this.#selection.of(items);
    const ids = new Set(row ? idsOf(row) : []);
    return items.filter(({ id }) => ids.has(id));
  }

  #tick(row, through) {
    if (!row) return false;
    const ids = idsOf(row);
    const on = !ids.every(this.#selection.has);
    if (ids.length > 1) this.#selection.choose(ids, on);
    else this.#choose(ids[0], on, through);
    return true;
  }

  #choose(id, on, through) {
    const order = [...this.#host.renderRoot.querySelectorAll("[data-id]")].map(({ dataset }) => Number(dataset.id));
    this.#selection.choose([id], on, { through: through ? order : null });
  }
}

/** The key was for us. */
const used = () => true;
