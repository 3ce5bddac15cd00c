/** The parts of the inbox page around its rows. Classes and structure are those of templates/notifications/. */

import { html } from "./vendor/lit.js";
import { EVENTS, LOST, countText } from "./format.js";
import { msg } from "./i18n.js";

export const TABS = { unread: msg("Unread"), all: msg("All"), archived: msg("Archived") };

const OURS = ["tab", "event", "q", "cursor"];

/** The address of a view of the inbox, without what is default. What else the page has in its query stays. */
export function viewUrl({ tab, event, q }) {
  const query = new URLSearchParams(location.search);
  for (const name of OURS) query.delete(name);
  if (tab !== "all") query.set("tab", tab);
  if (event) query.set("event", event);
  if (q) query.set("q", q);
  return query.size ? `?${query}` : location.pathname;
}

export function viewOfAddress() {
  const query = new URLSearchParams(location.search);
  const tab = query.get("tab");
  return { tab: tab in TABS ? tab : "all", event: query.get("event") ?? "", q: query.get("q") ?? "" };
}

export function inboxHead({ t, store, readAll }) {
  return html`
    <div class="inbox__head">
      <h1>${t("Inbox")}</h1>
      ${store.status in LOST
        ? html`<span class="inbox__offline"><span class="icon icon--offline"></span>${t(LOST[store.status])}</span>`
        : ""}
      <button class="button" type="button" ?disabled=${!store.unread} @click=${readAll}>
        <span class="icon icon--read-all"></span>${t("Mark all read")}
      </button>
    </div>
  `;
}

/** `go(change)` shows another view; `search(text)` is called while typing. */
export function inboxFilters({ t, view, store, go, search }) {
  const link = (change, current, content) => html`
    <a
      href=${viewUrl({ ...view, ...change })}
      aria-current=${current ? "true" : "false"}
      @click=${(event) => plain(event) && (event.preventDefault(), go(change))}
      >${content}</a
    >
  `;
  const count = store.unread ? html` <span class="tabs__count">${countText(store)}</span>` : "";
  return html`
    <nav class="tabs" aria-label=${t("Folders")}>
      ${Object.entries(TABS).map(([tab, name]) =>
        link({ tab }, view.tab === tab, html`${t(name)}${tab === "unread" ? count : ""}`),
      )}
    </nav>
    <form class="search" role="search" action="" @submit=${(event) => event.preventDefault()}>
      <span class="icon icon--search"></span>
      <input
        type="search"
        name="q"
        aria-label=${t("Search by job")}
        placeholder=${t("Search by job")}
        maxlength="256"
        .value=${view.q}
        @input=${(event) => search(event.target.value)}
      />
    </form>
    <nav class="events" aria-label=${t("Events")}>
      ${link({ event: "" }, !view.event, t("All events"))}
      ${Object.entries(EVENTS).map(([event, name]) =>
        link({ event }, view.event === event, html`<span class="dot" data-event=${event}></span>${t(name)}`),
      )}
    </nav>
  `;
}

/** What stands in the list's place when there is nothing in it. */
export function inboxNote({ t, list, refused, clear, retry }) {
  const filtered = list.event || list.q;
  if (refused) return note(t("You are signed out"), t("Sign in again to see your notifications."));
  if (list.state === "error") {
    return note(t("This did not work"), t("The notifications could not be loaded."), button(t("Try again"), retry));
  }
  if (filtered) {
    return note(t("Nothing found"), t("No notification matches these filters."), button(t("Clear filters"), clear));
  }
  if (list.tab === "unread") {
    return note(t("You are all caught up"), t("New notifications will show up here by themselves."));
  }
  if (list.tab === "archived") return note(t("The archive is empty"), t("What you archive is kept here."));
  return note(t("Nothing here yet"), t("What happens to your jobs will show up here by itself."));
}

/** Grey shapes where the rows will be. */
export function inboxBones(t) {
  const bone = html`<li class="bones"><i></i><i></i><i></i></li>`;
  return html`<p class="visually-hidden">${t("Loading…")}</p><ul class="notes" aria-hidden="true">${[bone, bone, bone, bone, bone]}</ul>`;
}

export function note(title, text, action = "") {
  return html`
    <div class="note">
      <span class="icon icon--bell"></span>
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
function plain(event) {
  return event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
}
