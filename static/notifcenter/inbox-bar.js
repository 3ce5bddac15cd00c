/** The line above the rows: selects all, says how they are put together; with rows selected, what can be done to them. */

import { html } from "./vendor/lit.js";
import { canBeMuted } from "./inbox-changes.js";
import { link } from "./inbox-view.js";
import { tools } from "./inbox-row.js";

/**
 * @param {object[]} items those that are shown
 * @param {boolean} further whether more match than are shown
 * @param {number | null} progress how many are done, while much is being done
 * @param {object} act as for a row, and `selectEverything()`, `clear()`
 */
export function inboxBar({ t, view, items, further, selection, progress, go, act }) {
  const chosen = selection.of(items);
  const all = chosen.length === items.length;
  return html`
    <div class="bar ${chosen.length ? "bar--active" : ""}" role="group" aria-label=${t("All that are shown")}>
      <label class="check bar__all">
        <input
          type="checkbox"
          name="all"
          aria-label=${t("Select all that are shown")}
          ?disabled=${!items.length}
          .checked=${items.length > 0 && all}
          .indeterminate=${chosen.length > 0 && !all}
          @click=${(event) => act.selectAll(items, event.target.checked)}
        />
      </label>
      <span class="bar__status" role="status">${status({ t, view, items, further, chosen, selection, progress })}</span>
      ${chosen.length && progress === null
        ? html`
            ${further && all && !selection.everything
              ? html`<button class="bar__link" type="button" @click=${act.selectEverything}>${t("Select all that match")}</button>`
              : ""}
            <div class="bar__tools">
              ${tools(chosen, t("All selected"), t, act)}
              ${muteTool(chosen, t, act)}
              <button class="tool" type="button" name="clear" title=${t("Unselect")} aria-label=${t("Unselect")} @click=${act.clear}>
                <span class="icon icon--close"></span><span class="tool__name">${t("Unselect")}</span>
              </button>
            </div>
          `
        : html`
            <nav class="switch" aria-label=${t("Put together")}>
              ${link({ view, change: { group: "" }, current: !view.group, go, content: t("By day") })}
              ${link({ view, change: { group: "job" }, current: view.group === "job", go, content: t("By job") })}
            </nav>
          `}
    </div>
  `;
}

function muteTool(chosen, t, act) {
  const jobs = chosen.filter(canBeMuted);
  if (!jobs.length) return "";
  const isMuted = jobs.every(({ muted }) => muted);
  const name = isMuted ? t("Unmute the jobs") : t("Mute the jobs");
  const run = ({ currentTarget }) => (isMuted ? act.change(chosen, "unmute") : act.menu("mute", chosen, currentTarget));
  return html`<button class="tool" type="button" name="mute" title=${name} aria-label=${name} @click=${run}>
    <span class="icon icon--${isMuted ? "unmute" : "mute"}"></span><span class="tool__name">${name}</span>
  </button>`;
}

/** Read aloud when it changes: what a filter has found, what is selected, how far a long change is. */
function status({ t, view, items, further, chosen, selection, progress }) {
  if (progress !== null) return t("Working, {count} so far…", { count: progress });
  if (!chosen.length) return view.isFiltered && !further ? t.plural(items.length, "{count} found", "{count} found") : "";
  return selection.everything ? t("All that match are selected") : t.plural(chosen.length, "{count} selected", "{count} selected");
}
