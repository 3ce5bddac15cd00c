/** What is shown of a notification wherever it is shown. */

import { html } from "./vendor/lit.js";
import { eventWord, exactTime, relativeTime } from "./format.js";

export const mark = (event) => html`<span class="mark" data-event=${event} aria-hidden="true"></span>`;

export const word = (event, t) => html`<span class="word" data-event=${event}>${eventWord(event, t)}</span>`;

export const when = (time, t) =>
  html`<time datetime=${time} title=${exactTime(time, t)}>${relativeTime(time, t)}</time>`;

/** Why an element cannot show anything: its token was refused, or the session is over. */
export function refusal({ token, baseUrl = "" }, t) {
  if (token) {
    return {
      action: "",
      title: t("The page's token is refused"),
      text: t("The page has to give a new one."),
    };
  }
  const next = encodeURIComponent(location.pathname + location.search);
  const signIn = `${baseUrl.replace(/\/+$/, "")}/accounts/login/?next=${next}`;
  return {
    title: t("You are signed out"),
    text: t("Sign in again to see your notifications."),
    action: html`<a class="text-button button" href=${signIn}>${t("Sign in")}</a>`,
  };
}
