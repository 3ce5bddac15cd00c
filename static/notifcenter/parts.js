/** What is shown of a notification wherever it is shown. */

import { html } from "./vendor/lit.js";
import { eventWord, exactTime, relativeTime } from "./format.js";

export const mark = (event) => html`<span class="mark" data-event=${event} aria-hidden="true"></span>`;

export const word = (event, t) => html`<span class="word" data-event=${event}>${eventWord(event, t)}</span>`;

export const when = (time, t) =>
  html`<time datetime=${time} title=${exactTime(time, t)}>${relativeTime(time, t)}</time>`;
