/** One notification of the inbox page: a line that opens to everything that is known. */

import { html } from "./vendor/lit.js";
import { eventWord, exactTime, relativeTime, safeUrl } from "./format.js";
import { facts } from "./inbox-facts.js";

/** `act` holds opened(item), read(item, bool), archive(item, bool), mute(item) and url(item). */
export function inboxRow(item, lang, act) {
  const runbook = safeUrl(item.details.runbook_url, "");
  return html`
    <li class="notice ${item.read_at ? "" : "notice--unread"}" data-id=${item.id}>
      <details @toggle=${(event) => event.target.open && act.opened(item)}>
        <summary>
          <span class="mark" data-event=${item.event} aria-hidden="true"></span>
          <span class="notice__text">
            <span class="notice__title">
              ${item.read_at ? "" : html`<span class="visually-hidden">Unread: </span>`}${item.title}
            </span>
            <span class="notice__summary">
              <span class="word" data-event=${item.event}>${eventWord(item.event)}</span>
              ${item.summary ? html`· ${item.summary}` : ""}
            </span>
          </span>
          <time class="notice__time" datetime=${item.occurred_at} title=${exactTime(item.occurred_at, lang)}
            >${relativeTime(item.occurred_at, lang)}</time
          >
          <span class="icon icon--chevron"></span>
        </summary>
        <div class="notice__more why">
          ${why(item, lang)}
          <div class="notice__links">
            ${item.job.framework ? html`<a class="button" href=${safeUrl(act.url(item), "/")}>Open job</a>` : ""}
            ${item.job.framework && !item.details.url
              ? html`<button class="button" type="button" @click=${() => act.mute(item)}>Mute job for an hour</button>`
              : ""}
            ${runbook ? html`<a class="button" href=${runbook}>Runbook</a>` : ""}
          </div>
        </div>
      </details>
      <div class="notice__actions">${item.archived_at ? restore(item, act) : inFolder(item, act)}</div>
    </li>
  `;
}

function why(item, lang) {
  const { reason, solutions, output, diagnostics } = item.details;
  return html`
    ${reason ? html`<p class="why__line">${reason}</p>` : ""}
    ${solutions?.length
      ? html`<div class="why__solutions">
          <h3>What you can do</h3>
          <ul>
            ${solutions.map((solution) => html`<li>${solution}</li>`)}
          </ul>
        </div>`
      : ""}
    <dl class="facts">
      ${facts(item, lang).map(([label, value]) => html`<div><dt>${label}</dt><dd>${value}</dd></div>`)}
    </dl>
    ${output
      ? html`<div class="why__text">
          <h3>What the task said last</h3>
          <pre class="why__output" tabindex="0">${output}</pre>
        </div>`
      : ""}
    ${diagnostics
      ? html`<details class="why__text" ?open=${!output}>
          <summary>What the cluster recorded</summary>
          <pre tabindex="0">${diagnostics}</pre>
        </details>`
      : ""}
  `;
}

function inFolder(item, act) {
  return html`
    ${item.read_at
      ? tool("unread", "Mark as unread", item, () => act.read(item, false))
      : tool("read", "Mark as read", item, () => act.read(item, true))}
    ${tool("archive", "Archive", item, () => act.archive(item, true))}
  `;
}

function restore(item, act) {
  return tool("restore", "Move to inbox", item, () => act.archive(item, false));
}

function tool(icon, name, item, act) {
  return html`
    <button class="tool" type="button" title=${name} aria-label="${name}: ${item.title}" @click=${act}>
      <span class="icon icon--${icon}"></span><span class="tool__name">${name}</span>
    </button>
  `;
}
