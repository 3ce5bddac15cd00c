/** All that is known of a notification, for its open row. The same as templates/notifications/explanation.html. */

import { html } from "./vendor/lit.js";
import { facts } from "./inbox-facts.js";

export function why(item, t) {
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
