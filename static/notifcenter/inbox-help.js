/** The list of keys, as a dialog. */

import { html } from "./vendor/lit.js";
import { KEYS } from "./inbox-keys.js";

/** @param {import("./inbox-keys.js").Keys} keys */
export function inboxHelp({ t, keys }) {
  const row = (pressed) => html`
    <div>
      <dt>${pressed.slice(0, -1).map((key) => html`<kbd>${key}</kbd> `)}</dt>
      <dd>${t(pressed.at(-1))}</dd>
    </div>
  `;
  return html`
    <dialog class="help" aria-labelledby="inbox-help-title" @click=${closeOutside}>
      <div class="help__head">
        <h2 id="inbox-help-title">${t("Keys")}</h2>
        <form method="dialog">
          <button class="tool" aria-label=${t("Close")}><span class="icon icon--close"></span></button>
        </form>
      </div>
      <dl class="help__keys">${KEYS.map(row)}</dl>
      <label class="check">
        <input type="checkbox" .checked=${keys.on} @change=${(event) => (keys.on = event.target.checked)} />
        ${t("Single keys work")}
      </label>
    </dialog>
  `;
}

/** A click beside the dialog is one at its backdrop, and so at itself. */
function closeOutside(event) {
  if (event.target === event.currentTarget) event.currentTarget.close();
}
