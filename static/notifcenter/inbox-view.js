/** The parts of the inbox page around its rows. Classes and structure are those of templates/notifications/. */

import { html } from "./vendor/lit.js";
import { countText, lostText } from "./format.js";
import { msg } from "./i18n.js";
import { TABS } from "./inbox-address.js";
import { refusal } from "./parts.js";

/** What stands in an empty folder: title and text. */
const EMPTY = {
  unread: [msg("You are all caught up"), msg("New notifications will show up here by themselves.")],
  all: [msg("Nothing here yet"), msg("What happens to your jobs will show up here by itself.")],
  saved: [msg("Nothing is saved"), msg("What you save is kept here, archived or not.")],
  snoozed: [msg("Nothing is snoozed"), msg("What you put off waits here, and comes back unread at its time.")],
  archived: [msg("The archive is empty"), msg("What you archive is kept here.")],
};

export function inboxHead({ t, store, list, element, readAll, help }) {
  const lost = lostText(store, t);
  return html`
    <div class="inbox__head">
      <h1>${t("Inbox")}</h1>
      ${lost ? html`<span class="inbox__offline" role="status"><span class="icon icon--offline"></span>${lost}</span> ${list.items.length && store.status === "refused" ? refusal(element, t).action : ""}` : ""}
      <button class="button button--quiet" type="button" name="keys" @click=${help}><kbd>?</kbd> ${t("Keys")}</button>
      <button class="button" type="button" name="read-all" aria-disabled=${!store.unread} @click=${() => store.unread && readAll()}>
        <span class="icon icon--read-all"></span>${t("Mark all read")}
      </button>
    </div>
  `;
}

/** A link to another view that is shown without leaving the page. */
export function link({ view, change, current, go, content }) {
  const shown = (event) => {
    if (!isPlain(event)) return;
    event.preventDefault();
    go(change);
  };
  return html`<a href=${view.with(change).url} aria-current=${current ? "true" : "false"} @click=${shown}>${content}</a>`;
}

export function inboxFolders({ t, view, store, go }) {
  const count = store.unread ? html` <span class="folders__count">${countText(store)}</span>` : "";
  return html`
    <nav class="folders" aria-label=${t("Folders")}>
      ${Object.entries(TABS).map(([tab, name]) =>
        link({
          view,
          change: { tab },
          current: view.tab === tab,
          go,
          content: html`<span class="icon icon--folder-${tab}"></span>${t(name)}${tab === "unread" ? count : ""}`,
        }),
      )}
    </nav>
  `;
}

/** What stands in the list's place when there is nothing in it. */
export function inboxNote({ t, list, status, clear, retry, element }) {
  if (status === "refused") {
    const { title, text, action } = refusal(element, t);
    return note(title, text, { action, icon: "alert" });
  }
  if (list.state === "error") {
    const text = status === "offline" ? t("The server cannot be reached.") : t("The notifications could not be loaded.");
    return note(t("This did not work"), text, { action: button(t("Try again"), retry), icon: status === "offline" ? "offline" : "alert" });
  }
  if (list.view.isFiltered) {
    return note(t("Nothing found"), t("No notification matches these filters."), { action: button(t("Clear filters"), clear), icon: "search" });
  }
  const { tab } = list.view;
  const icon = { unread: "read-all", all: "bell" }[tab] ?? `folder-${tab}`;
  return note(...EMPTY[tab].map((text) => t(text)), { icon });
}

/** Grey shapes where the rows will be. */
export function inboxBones(t) {
  const bone = html`<li class="bones"><i></i><i></i><i></i></li>`;
  return html`<p class="visually-hidden">${t("Loading…")}</p><ul class="notes" aria-hidden="true">${[bone, bone, bone, bone, bone]}</ul>`;
}

export function note(title, text, { action = "", icon = "bell" } = {}) {
  return html`
    <div class="note">
      <span class="icon icon--${icon}"></span>
      <strong>${title}</strong>
      <p>${text}</p>
      ${action}
    </div>
  `;
}

function button(text, act) {
  return html`<button class="button" type="button" @click=${act}>${text}</button>`;
}

/** Whether a click means "here", not "in a new tab". */
function isPlain(event) {
  return event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
}
