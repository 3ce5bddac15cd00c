/** The inbox by keyboard: single keys, which can be switched off. */

import { msg } from "./i18n.js";

const SWITCH = "notifcenter-single-keys";

/** What the help shows: the keys, and what they do. */
export const KEYS = [
  ["j", "k", msg("Next and previous notification")],
  ["Enter", msg("Open or close")],
  ["e", msg("Archive, or move back to the inbox")],
  ["u", msg("Mark as read or unread")],
  ["s", msg("Save, or save no longer")],
  ["h", msg("Snooze")],
  ["m", msg("Mute the job, or unmute it")],
  ["x", msg("Select; with Shift all up to here")],
  ["a", msg("Select all that are shown")],
  ["z", msg("Take back what was done last")],
  ["/", msg("Search")],
  ["?", msg("This list")],
  ["Esc", msg("Unselect, or leave the search")],
];

const TYPED_INTO = "input:not([type=checkbox]), select, textarea, [contenteditable]";

export class Keys {
  #host;
  #keeper;
  #acts;

  /**
   * @param host an element; has `isEmbedded`: in another site's page the keys are heard in the element only
   * @param {import("./focus-keeper.js").FocusKeeper} keeper
   * @param {object} acts by key, called with the row in which the focus is (or null) and the event; true: it was used
   */
  constructor(host, keeper, acts) {
    this.#host = host;
    this.#keeper = keeper;
    this.#acts = { j: () => this.#step(1), k: () => this.#step(-1), ...acts };
    host.addController(this);
  }

  /** Whether single keys work. People who speak to their computer may not want that. */
  get on() {
    return localStorage.getItem(SWITCH) !== "off";
  }

  set on(on) {
    if (on) localStorage.removeItem(SWITCH);
    else localStorage.setItem(SWITCH, "off");
    this.#host.requestUpdate();
  }

  hostConnected() {
    document.addEventListener("keydown", this.#pressed);
  }

  hostDisconnected() {
    document.removeEventListener("keydown", this.#pressed);
  }

  #pressed = (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const path = event.composedPath();
    const inside = path.includes(this.#host);
    const nowhere = !this.#host.isEmbedded && [document.body, this.#host.closest("main")].includes(path[0]);
    if (!(inside || nowhere) || path.some((node) => node.matches?.("dialog, [popover]"))) return;
    if (path[0].matches?.(TYPED_INTO)) {
      if (event.key === "Escape") path[0].blur();
      return;
    }
    if (this.#use(event, path[0])) event.preventDefault();
  };

  #use(event, target) {
    const arrow = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (arrow) return this.#keeper.stops.includes(target) && this.#step(arrow);
    if (event.key === "Escape") return this.#acts.Escape();
    if (!this.on) return false;
    return this.#acts[event.key.toLowerCase()]?.(this.#keeper.row, event) ?? false;
  }

  #step(by) {
    const { stops, row } = this.#keeper;
    const here = stops.findIndex((stop) => row?.contains(stop));
    const next = here < 0 ? stops[0] : stops[here + by];
    next?.focus();
    return Boolean(next);
  }
}
