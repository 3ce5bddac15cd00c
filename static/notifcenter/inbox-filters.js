/** The form that narrows the inbox down. The same as templates/notifications/inbox_filters.html. */

import { html } from "./vendor/lit.js";
import { EVENTS } from "./format.js";
import { PERIODS } from "./inbox-address.js";

const TYPING_MS = 250;

let typing;

/**
 * @param {object[]} items those that are loaded; their clusters and jobs are suggested
 * @param {(change: object) => void} go shows another view
 * @param {(change: object) => void} refine the same, while typing
 */
export function inboxFilters({ t, view, items, go, refine }) {
  const count = ["event", "period", "from", "to", "vc", "job"].filter((name) => view[name].length).length;
  const set = (event) => go({ [event.target.name]: event.target.value });
  const typed = ({ target }) => {
    clearTimeout(typing);
    typing = setTimeout(() => refine({ q: target.value }), TYPING_MS);
  };
  const events = ({ currentTarget }) => {
    const ticked = [...currentTarget.querySelectorAll("input:checked")].map(({ value }) => value);
    go({ event: ticked });
  };
  return html`
    <form class="filters" role="search" action="" @submit=${(event) => event.preventDefault()}>
      <div class="search">
        <span class="icon icon--search"></span>
        <input
          type="search"
          name="q"
          aria-label=${t("Search by job")}
          placeholder=${t("Search by job")}
          maxlength="256"
          .value=${view.q}
          @input=${typed}
        />
      </div>
      <details class="refine">
        <summary class="button"><span class="icon icon--filter"></span>${t("Filters")}${count ? html` <span class="folders__count">${count}</span>` : ""}</summary>
        <div class="refine__fields">
          <fieldset class="events" @change=${events}>
            <legend>${t("Events")}</legend>
            ${Object.entries(EVENTS).map(
              ([event, name]) => html`
                <label class="chip">
                  <input type="checkbox" name="event" value=${event} .checked=${view.event.includes(event)} />
                  <span class="dot" data-event=${event}></span>${t(name)}
                </label>
              `,
            )}
          </fieldset>
          <label class="refine__field">
            ${t("Period")}
            <select name="period" .value=${view.period} @change=${(event) => go({ period: event.target.value, from: "", to: "" })}>
              <option value="" ?selected=${!view.period}>${t("Any time")}</option>
              ${Object.entries(PERIODS).map(
                ([name, [title]]) => html`<option value=${name} ?selected=${view.period === name}>${t(title)}</option>`,
              )}
            </select>
          </label>
          <details class="refine__rest" ?open=${Boolean(view.from || view.to || view.vc || view.job)}>
            <summary>${t("More filters")}</summary>
            <div class="refine__fields">
              ${field(t("From"), html`<input type="date" name="from" .value=${view.from} @change=${set} />`)}
              ${field(t("To"), html`<input type="date" name="to" .value=${view.to} @change=${set} />`)}
              ${field(
                t("Virtual cluster"),
                html`<input name="vc" maxlength="256" autocomplete="off" list="inbox-clusters" .value=${view.vc} @change=${set} />`,
              )}
              ${field(t("Job"), html`<input name="job" maxlength="256" autocomplete="off" list="inbox-jobs" .value=${view.job} @change=${set} />`)}
            </div>
          </details>
          ${view.isFiltered
            ? html`<button class="button" type="button" @click=${() => go(view.unfiltered)}>${t("Clear")}</button>`
            : ""}
        </div>
      </details>
      ${suggestions("inbox-clusters", items.map(({ job }) => job.virtual_cluster))}
      ${suggestions("inbox-jobs", items.map(({ job }) => job.name))}
    </form>
  `;
}

const field = (name, input) => html`<label class="refine__field">${name} ${input}</label>`;

function suggestions(id, values) {
  const known = [...new Set(values)].filter(Boolean).sort();
  return html`<datalist id=${id}>${known.map((value) => html`<option value=${value}></option>`)}</datalist>`;
}
