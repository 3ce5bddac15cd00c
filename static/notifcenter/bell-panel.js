/** What the bell's panel shows: the latest notifications. Loaded when it is first opened. */

import { html, repeat } from "./vendor/lit.js";
import { readAll, setRead, undoing } from "./actions.js";
import { alertSwitches } from "./alert-switches.js";
import { lostText } from "./format.js";
import { mark, refusal, when, word } from "./parts.js";

export { panelStyles as styles } from "./panel-styles.js";

const SHOWN = 10;

export class Panel {
  #host;
  #store;
  #list;
  #message = "";
  #done = null; // what can be taken back

  /** @param {object} host `{redraw(), focus(), emit(name, detail), url(item)}` */
  constructor(host) {
    this.#host = host;
  }

  /** Shows what this store has, from now on. */
  follow(store, { open }) {
    this.leave();
    this.#store = store;
    this.#list = store.list({ pageSize: SHOWN });
    if (open) this.#load();
  }

  /** Shows what it has, but hears no more. */
  leave() {
    this.#store?.forget(this.#list);
  }

  opened() {
    this.#message = "";
    this.#done = null;
    if (this.#list.state !== "ready") this.#load();
  }

  /** Says at the foot what did not work. */
  say(message) {
    this.#message = message;
    this.#host.redraw();
  }

  render({ t, inbox, bell }) {
    return html`
      <div class="head">
        <h2>${t("Notifications")}</h2>
        ${this.#store.unread
          ? html`<button class="text-button" type="button" @click=${this.#readAll}>${t("Mark all read")}</button>`
          : ""}
      </div>
      <div class="scroll">${this.#body(t, bell)}</div>
      ${alertSwitches(t, this.#host.redraw)}
      <div class="foot">${this.#status(t, bell)} <a href=${inbox}>${t("Open inbox")}</a></div>
    `;
  }

  #status(t, bell) {
    if (this.#message) return html`<span role="alert">${this.#message}</span>`;
    const lost = lostText(this.#store, t);
    const count = this.#done?.changed;
    return html`<span class="status" role="status"
      >${count
        ? html`${t.plural(count, "{count} marked as read.", "{count} marked as read.")}
            <button class="text-button" type="button" @click=${this.#undo}>${t("Undo")}</button>`
        : lost
          ? html`<span class="icon"></span>${lost} ${this.#list.items.length && this.#store.status === "refused" ? refusal(bell, t).action : ""}`
          : ""}</span
    >`;
  }

  #body(t, bell) {
    const { items, state } = this.#list;
    if (items.length) {
      return html`<ul>
        ${repeat(
          items.slice(0, SHOWN),
          ({ id }) => id,
          (item) => this.#row(item, t),
        )}
      </ul>`;
    }
    if (this.#store.status === "refused") {
      return note(refusal(bell, t));
    }
    if (state === "ready") {
      return note({ title: t("Nothing here yet"), text: t("What happens to your jobs will show up here."), action: "" }, "note--calm");
    }
    if (state === "error") {
      return note({
        title: t("This did not work"),
        text: t("The notifications could not be loaded."),
        action: html`<button class="text-button" type="button" @click=${this.#load}>${t("Try again")}</button>`,
      });
    }
    return html`<p class="visually-hidden">${t("Loading…")}</p>
      ${[1, 2, 3, 4].map(() => html`<div class="bones" aria-hidden="true"><i></i><i></i><i></i></div>`)}`;
  }

  #row(item, t) {
    const name = item.read_at ? t("Mark as unread") : t("Mark as read");
    return html`
      <li class="row ${item.read_at ? "" : "row--unread"}">
        <a class="row__link" href=${this.#host.url(item)} @click=${(event) => this.#open(event, item)}>
          ${mark(item.event)}
          <span class="row__text">
            <span class="row__title">${item.title}</span>
            ${item.summary ? html`<span class="row__summary">${item.summary}</span>` : ""}
            <span class="row__summary">${word(item.event, t)} · ${when(item.occurred_at, t)}</span>
          </span>
        </a>
        <button
          class="row__read"
          type="button"
          title=${name}
          aria-label=${t("{name}: {title}", { name, title: item.title })}
          @click=${() => this.#store.act(setRead(item, !item.read_at))}
        >
          <span class="icon"></span>
        </button>
      </li>
    `;
  }

  #load = () => this.#store.load(this.#list);

  #open = (event, item) => {
    this.#store.act(setRead(item, true));
    if (!this.#host.emit("notif-open", { notification: item })) event.preventDefault();
  };

  #readAll = async () => {
    this.#host.focus();
    const action = readAll(this.#store);
    await this.#store.act(action);
    this.#done = action;
    this.#host.redraw();
  };

  #undo = () => {
    this.#host.focus();
    this.#store.act(undoing(this.#done));
    this.#done = null;
  };
}

function note({ title, text, action }, look = "") {
  return html`<div class="note ${look}"><span class="icon"></span><strong>${title}</strong><p>${text}</p>${action}</div>`;
}
