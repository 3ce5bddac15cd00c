/** One notification of the inbox: a line that opens to everything that is known. As in inbox_row.html. */

import { html } from "./vendor/lit.js";
import { eventWord, exactTime, relativeTime, safeUrl } from "./format.js";
import { canBeMuted } from "./inbox-changes.js";
import { muteText, untilText } from "./inbox-times.js";
import { why } from "./inbox-why.js";

/**
 * @param {object} act `opened(item)`, `change(items, name, options)`, `menu(kind, items, button)`,
 *   `select(item, event)`, `isSelected(item)`, `url(item)`, `follow(event, item)`
 */
export function inboxRow(item, t, act) {
  const classes = ["notice", !item.read_at && "notice--unread", act.isSelected(item) && "notice--selected"];
  return html`
    <li class=${classes.filter(Boolean).join(" ")} data-id=${item.id} data-key=${`n${item.id}`}>
      <label class="notice__check">
        <input
          type="checkbox"
          name="ids"
          aria-label=${t("Select: {title}", item)}
          .checked=${act.isSelected(item)}
          @click=${(event) => act.select(item, event)}
        />
      </label>
      <details @toggle=${(event) => event.target.open && act.opened(item)}>
        <summary>
          <span class="mark" data-event=${item.event} aria-hidden="true"></span>
          <span class="notice__text">
            <span class="notice__title">
              ${item.read_at ? "" : html`<span class="visually-hidden">${t("Unread:")} </span>`}${item.title}
            </span>
            <span class="notice__summary">
              <span class="word" data-event=${item.event}>${eventWord(item.event, t)}</span>
              ${item.summary ? html`· ${item.summary}` : ""}
            </span>
          </span>
          ${flags(item, t)}
          <time class="notice__time" datetime=${item.occurred_at} title=${exactTime(item.occurred_at, t)}>
            <span aria-hidden="true">${relativeTime(item.occurred_at, t)}</span>
            <span class="visually-hidden">${exactTime(item.occurred_at, t)}</span>
          </time>
          <span class="icon icon--chevron"></span>
        </summary>
        <div class="notice__more why">${why(item, t)} ${links(item, t, act)}</div>
      </details>
      <div class="notice__actions">${tools([item], item.title, t, act)}</div>
    </li>
  `;
}

/** What can be done to a row, or to all rows of a group. */
export function tools(items, title, t, act) {
  const all = (test) => items.every(test);
  const tool = (name, text, run) => html`
    <button class="tool" type="button" name=${name} title=${text} aria-label=${t("{name}: {title}", { name: text, title })}
      @click=${(event) => run(event.currentTarget)}>
      <span class="icon icon--${name}"></span><span class="tool__name">${text}</span>
    </button>
  `;
  const change = (name, icon, text) => tool(icon, text, () => act.change(items, name, { keep: items.length === 1 }));
  return html`
    ${all((item) => item.read_at)
      ? change("unread", "unread", t("Mark as unread"))
      : change("read", "read", t("Mark as read"))}
    ${all((item) => item.saved) ? change("unsave", "unsave", t("Save no longer")) : change("save", "save", t("Save"))}
    ${all((item) => item.snoozed_until)
      ? change("unsnooze", "unsnooze", t("Back to the inbox now"))
      : tool("snooze", t("Snooze"), (button) => act.menu("snooze", items, button))}
    ${all((item) => item.archived_at)
      ? change("unarchive", "restore", t("Move to inbox"))
      : change("archive", "archive", t("Archive"))}
  `;
}

/** That a job, or a sweep, is muted; '' when it is not. */
export function mutedFlag(what, t) {
  return what?.muted ? html`<span class="flag flag--muted"><span class="icon icon--mute"></span>${muteText(what, t)}</span>` : "";
}

function flags(item, t) {
  return html`
    ${mutedFlag(item.muted ? item : item.group, t)}
    ${item.returned_at && !item.read_at ? html`<span class="flag"><span class="icon icon--snooze"></span>${t("back again")}</span>` : ""}
    ${item.saved ? html`<span class="flag"><span class="icon icon--unsave"></span><span class="visually-hidden">${t("Saved")}</span></span>` : ""}
    ${item.snoozed_until
      ? html`<span class="flag"><span class="icon icon--snooze"></span>${t("until {time}", { time: untilText(item.snoozed_until, t) })}</span>`
      : ""}
  `;
}

function links(item, t, act) {
  const runbook = safeUrl(item.details.runbook_url, "");
  const mute = (event) => act.menu("mute", [item], event.currentTarget);
  const unmute = () => act.change([item], "unmute");
  return html`
    <div class="notice__links">
      ${item.job.framework ? html`<a class="button" href=${safeUrl(act.url(item), "/")} @click=${(event) => act.follow(event, item)}>${t("Open job")}</a>` : ""}
      ${canBeMuted(item)
        ? html`<button class="button" type="button" name="mute" @click=${item.muted ? unmute : mute}>
            ${item.muted ? t("Unmute job") : t("Mute job")}${item.muted_until ? html` <small>${muteText(item, t)}</small>` : ""}
          </button>`
        : ""}
      ${item.group ? html`<a class="button" href=${act.sweepUrl(item.group)}>${t("Open sweep")}</a>` : ""}
      ${runbook ? html`<a class="button" href=${runbook}>${t("Runbook")}</a>` : ""}
    </div>
  `;
}
