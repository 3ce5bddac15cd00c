/** What the bell's panel shows between its head and its foot. */

import { html, repeat } from "./vendor/lit.js";
import { eventWord, exactTime, relativeTime } from "./format.js";

export const mark = (event) => html`<span class="mark" data-event=${event} aria-hidden="true"></span>`;

export const word = (event, t) => html`<span class="word" data-event=${event}>${eventWord(event, t)}</span>`;

export const when = (time, t) =>
  html`<time datetime=${time} title=${exactTime(time, t)}>${relativeTime(time, t)}</time>`;

/**
 * @param {object[]} items those to show
 * @param {string} state of the list
 * @param {boolean} refused whether the server knows who is asking
 * @param {object} row `{url(item), open(event, item), read(item)}`
 * @param {() => void} retry
 * @param {import("./i18n.js").Translator} t
 */
export function panelBody({ items, state, refused, row, retry, t }) {
  if (items.length) {
    return html`<ul>
      ${repeat(
        items,
        ({ id }) => id,
        (item) => panelRow(item, row, t),
      )}
    </ul>`;
  }
  if (refused) return note(t("You are signed out"), t("Sign in again to see your notifications."));
  if (state === "ready") return note(t("Nothing here yet"), t("What happens to your jobs will show up here."));
  if (state === "error") {
    return note(
      t("This did not work"),
      t("The notifications could not be loaded."),
      html`<button class="text-button" type="button" @click=${retry}>${t("Try again")}</button>`,
    );
  }
  return html`<p class="visually-hidden">${t("Loading…")}</p>
    ${[1, 2, 3, 4].map(() => html`<div class="bones" aria-hidden="true"><i></i><i></i><i></i></div>`)}`;
}

function note(title, text, action = "") {
  return html`<div class="note"><span class="icon"></span><strong>${title}</strong><p>${text}</p>${action}</div>`;
}

function panelRow(item, { url, open, read }, t) {
  const reader = html`<button
    class="row__read"
    type="button"
    title=${t("Mark as read")}
    aria-label=${t("Mark as read: {title}", item)}
    @click=${() => read(item)}
  ></button>`;
  return html`
    <li class="row ${item.read_at ? "" : "row--unread"}">
      <a class="row__link" href=${url(item)} @click=${(event) => open(event, item)}>
        ${mark(item.event)}
        <span class="row__text">
          <span class="row__title">${item.title}</span>
          ${item.summary ? html`<span class="row__summary">${item.summary}</span>` : ""}
          <span class="row__summary">${word(item.event, t)} · ${when(item.occurred_at, t)}</span>
        </span>
      </a>
      ${item.read_at ? "" : reader}
    </li>
  `;
}
