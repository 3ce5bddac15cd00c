/** How the rows of the inbox are put together: by day, or by what they belong to. */

import { html, repeat } from "./vendor/lit.js";
import { eventWord, exactTime, relativeTime } from "./format.js";
import { dayGroup } from "./inbox-facts.js";
import { inboxRow, mutedFlag, tools } from "./inbox-row.js";
import { sweepBar, sweepCounts } from "./sweep.js";

/** What a notification belongs to when rows are grouped: a key, and what its line is called. */
export function groupOf({ id, job, title, group }) {
  if (group) return { key: `s${group.id}`, title: group.name, sweep: group };
  return { key: job.framework || `n${id}`, title: job.name || title };
}

/** Items, newest first, under the days of the newest of each group. */
export function days(items, { byJob, t, act }) {
  const lines = byJob ? grouped(items) : items.map((item) => ({ items: [item], key: `n${item.id}` }));
  const byDay = Map.groupBy(lines, (line) => dayGroup(line.items[0].returned_at ?? line.items[0].created_at));
  return repeat(
    byDay,
    ([day]) => day,
    ([day, ofDay]) => html`
      <h2 class="day">${t(day)}</h2>
      <ul class="notes">
        ${repeat(
          ofDay,
          ({ key }) => key,
          (line) => (line.items.length > 1 || line.sweep ? groupLine(line, t, act) : inboxRow(line.items[0], t, act)),
        )}
      </ul>
    `,
  );
}

function grouped(items) {
  const groups = Map.groupBy(items, (item) => groupOf(item).key);
  return [...groups].map(([key, own]) => ({ ...groupOf(own[0]), key, items: own }));
}

/** The line that stands for several notifications, and opens to them. */
function groupLine({ key, title, items, sweep }, t, act) {
  const unread = items.filter((item) => !item.read_at).length;
  const selected = items.filter(act.isSelected).length;
  const [newest] = items;
  return html`
    <li class="notice group ${unread ? "notice--unread" : ""}" data-group=${key} data-key=${`g${key}`}>
      <label class="notice__check">
        <input
          type="checkbox"
          name="group"
          aria-label=${t("Select: {title}", { title })}
          .checked=${selected === items.length}
          .indeterminate=${selected > 0 && selected < items.length}
          @click=${(event) => act.selectAll(items, event.target.checked)}
        />
      </label>
      <details>
        <summary>
          <span class="mark" data-event=${newest.event} aria-hidden="true"></span>
          <span class="notice__text">
            <span class="notice__title">${title}</span>
            <span class="notice__summary">${sweep ? sweepCounts(sweep, t) : events(items, t)}</span>
          </span>
          <span class="group__count">
            ${t.plural(items.length, "{count} notification", "{count} notifications")}${unread ? ` · ${t.plural(unread, "{count} unread", "{count} unread")}` : ""}
          </span>
          ${mutedFlag(sweep ?? newest, t)}
          <time class="notice__time" datetime=${newest.occurred_at} title=${exactTime(newest.occurred_at, t)}>
            <span aria-hidden="true">${relativeTime(newest.occurred_at, t)}</span>
            <span class="visually-hidden">${exactTime(newest.occurred_at, t)}</span>
          </time>
          <span class="icon icon--chevron"></span>
        </summary>
        ${sweep ? html`<div class="group__bar">${sweepBar(sweep, t, act)}</div>` : ""}
        <ul class="group__rows">
          ${repeat(
            items,
            ({ id }) => id,
            (item) => inboxRow(item, t, act),
          )}
        </ul>
      </details>
      <div class="notice__actions">${tools(items, title, t, act)}</div>
    </li>
  `;
}

/** "Failed · Retried × 2 · Running", the newest first. */
function events(items, t) {
  const counts = Map.groupBy(items, ({ event }) => event);
  return [...counts].map(
    ([event, { length }], place) =>
      html`${place ? " · " : ""}<span class="word" data-event=${event}>${eventWord(event, t)}</span>${length > 1 ? ` × ${length}` : ""}`,
  );
}
