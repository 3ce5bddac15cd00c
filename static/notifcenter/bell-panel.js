/** What the bell's panel shows between its head and its foot. */

import { html, repeat } from "./vendor/lit.js";
import { eventWord, exactTime, relativeTime } from "./format.js";

export const mark = (event) => html`<span class="mark" data-event=${event} aria-hidden="true"></span>`;

export const word = (event) => html`<span class="word" data-event=${event}>${eventWord(event)}</span>`;

export const when = (time, lang) =>
  html`<time datetime=${time} title=${exactTime(time, lang)}>${relativeTime(time, lang)}</time>`;

/**
 * @param {object[]} items those to show
 * @param {string} state of the list
 * @param {boolean} refused whether the server knows who is asking
 * @param {object} row `{lang, url(item), open(event, item), read(item)}`
 * @param {() => void} retry
 */
export function panelBody({ items, state, refused, row, retry }) {
  if (items.length) {
    return html`<ul>
      ${repeat(
        items,
        ({ id }) => id,
        (item) => panelRow(item, row),
      )}
    </ul>`;
  }
  if (refused) return note("You are signed out", "Sign in again to see your notifications.");
  if (state === "ready") return note("Nothing here yet", "What happens to your jobs will show up here.");
  if (state === "error") {
    return note(
      "This did not work",
      "The notifications could not be loaded.",
      html`<button class="text-button" type="button" @click=${retry}>Try again</button>`,
    );
  }
  return html`<p class="visually-hidden">Loading…</p>
    ${[1, 2, 3, 4].map(() => html`<div class="bones" aria-hidden="true"><i></i><i></i><i></i></div>`)}`;
}

function note(title, text, action = "") {
  return html`<div class="note"><span class="icon"></span><strong>${title}</strong><p>${text}</p>${action}</div>`;
}

function panelRow(item, { lang, url, open, read }) {
  const reader = html`<button
    class="row__read"
    type="button"
    title="Mark as read"
    aria-label="Mark as read: ${item.title}"
    @click=${() => read(item)}
  ></button>`;
  return html`
    <li class="row ${item.read_at ? "" : "row--unread"}">
      <a class="row__link" href=${url(item)} @click=${(event) => open(event, item)}>
        ${mark(item.event)}
        <span class="row__text">
          <span class="row__title">${item.title}</span>
          ${item.summary ? html`<span class="row__summary">${item.summary}</span>` : ""}
          <span class="row__summary">${word(item.event)} · ${when(item.occurred_at, lang)}</span>
        </span>
      </a>
      ${item.read_at ? "" : reader}
    </li>
  `;
}
