/** One notification of the inbox page: a line that opens to everything that is known. */

import { html } from "./vendor/lit.js";
import { eventWord, exactTime, relativeTime, safeUrl } from "./format.js";
import { facts } from "./inbox-facts.js";

/** `act` holds opened(item), read(item, bool), archive(item, bool), mute(item) and url(item). */
export function inboxRow(item, t, act) {
  const runbook = safeUrl(item.details.runbook_url, "");
  return html`
    <li class="notice ${item.read_at ? "" : "notice--unread"}" data-id=${item.id}>
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
          <time class="notice__time" datetime=${item.occurred_at} title=${exactTime(item.occurred_at, t)}
            >${relativeTime(item.occurred_at, t)}</time
          >
          <span class="icon icon--chevron"></span>
        </summary>
        <div class="notice__more why">
          ${why(item, t)}
          <div class="notice__links">
            ${item.job.framework ? html`<a class="button" href=${safeUrl(act.url(item), "/")}>${t("Open job")}</a>` : ""}
            ${item.job.framework && !item.details.url
              ? html`<button class="button" type="button" @click=${() => act.mute(item)}>${t("Mute job for an hour")}</button>`
              : ""}
            ${runbook ? html`<a class="button" href=${runbook}>${t("Runbook")}</a>` : ""}
          </div>
        </div>
      </details>
      <div class="notice__actions">${item.archived_at ? restore(item, t, act) : inFolder(item, t, act)}</div>
    </li>
  `;
}

function why(item, t) {
  const { reason, solutions, output, diagnostics } = item.details;
  return html`
    ${reason ? html`<p class="why__line">${reason}</p>` : ""}
    ${solutions?.length
      ? html`<div class="why__solutions">
          <h3>${t("What you can do")}</h3>
          <ul>
            ${solutions.map((solution) => html`<li>${solution}</li>`)}
          </ul>
        </div>`
      : ""}
    <dl class="facts">
      ${facts(item, t).map(([label, value]) => html`<div><dt>${label}</dt><dd>${value}</dd></div>`)}
    </dl>
    ${output
      ? html`<div class="why__text">
          <h3>${t("What the task said last")}</h3>
          <pre class="why__output" tabindex="0">${output}</pre>
        </div>`
      : ""}
    ${diagnostics
      ? html`<details class="why__text" ?open=${!output}>
          <summary>${t("What the cluster recorded")}</summary>
          <pre tabindex="0">${diagnostics}</pre>
        </details>`
      : ""}
  `;
}

function inFolder(item, t, act) {
  return html`
    ${item.read_at
      ? tool("unread", t("Mark as unread"), item, t, () => act.read(item, false))
      : tool("read", t("Mark as read"), item, t, () => act.read(item, true))}
    ${tool("archive", t("Archive"), item, t, () => act.archive(item, true))}
  `;
}

function restore(item, t, act) {
  return tool("restore", t("Move to inbox"), item, t, () => act.archive(item, false));
}

function tool(icon, name, { title }, t, act) {
  return html`
    <button class="tool" type="button" title=${name} aria-label=${t("{name}: {title}", { name, title })} @click=${act}>
      <span class="icon icon--${icon}"></span><span class="tool__name">${name}</span>
    </button>
  `;
}
