/** A sweep in the inbox: the line that counts up, and what can be asked of it. */

import { html } from "./vendor/lit.js";
import { failureText } from "./format.js";
import { msg } from "./i18n.js";
import { muteText } from "./inbox-times.js";

const COUNTS = {
  succeeded: msg("{count} succeeded"),
  failed: msg("{count} failed"),
  stopped: msg("{count} stopped"),
  waiting: msg("{count} waiting"),
  running: msg("{count} running"),
};
const MANY = 5;
/** Named even when no job is in it. */
const ALWAYS = ["succeeded", "failed", "running"];

/** "487 succeeded, 13 failed, 0 running" */
export function sweepCounts({ counts }, t) {
  const states = Object.keys(COUNTS).filter((state) => counts[state] || ALWAYS.includes(state));
  const parts = states.map((state) => t(COUNTS[state], { count: counts[state] }));
  return t.intl("ListFormat", { type: "unit" }).format(parts);
}

/** Above rows by day of which many are of one sweep: what it is, and `fold`, a link that puts them together. */
export function sweepOffer(items, t, fold) {
  const sweeps = Map.groupBy(items.filter(({ group }) => group), ({ group }) => group.id);
  const [most] = [...sweeps.values()].sort((a, b) => b.length - a.length);
  if (!(most?.length >= MANY)) return "";
  const { name } = most[0].group;
  return html`<p class="offer">${t.plural(most.length, "{count} of these is of the sweep {name}.", "{count} of these are of the sweep {name}.", { name })} ${fold}</p>`;
}

/** `act` as `Acts` has it. */
export function sweepBar(sweep, t, act) {
  const { running, waiting } = sweep.counts;
  const ask = (change, done) => () => act.askSweep(sweep, change, done);
  return html`
    <div class="notice__links">
      <a class="button" href=${act.sweepUrl(sweep)}>${t("Open sweep")}</a>
      ${running + waiting
        ? html`<button class="button" type="button" @click=${ask({ tell_when_ended: true }, msg("You will be told when the last one has ended."))}
            >${t("Tell me when the last one has ended")}</button
          >`
        : ""}
      ${sweep.muted
        ? html`<button class="button" type="button" @click=${ask({ muted: false }, msg("{name} is no longer muted."))}
            >${t("Unmute sweep")}${sweep.muted_until ? html` <small>${muteText(sweep, t)}</small>` : ""}</button
          >`
        : html`<button class="button" type="button" @click=${ask({ muted: true }, msg("{name} is muted."))}>${t("Mute sweep")}</button>`}
    </div>
  `;
}

export async function askSweep({ store, t }, sweep, change, done) {
  try {
    const before = await store.api.group(sweep.id);
    await store.api.changeGroup(sweep.id, change);
    const names = Object.keys(change).map((name) => (name === "muted" && before.muted_until ? "muted_until" : name));
    const takenBack = Object.fromEntries(names.map((name) => [name, before[name]]));
    store.notice({
      text: t(done, sweep),
      action: t("Undo"),
      run: () => askAgain({ store, t }, sweep, takenBack),
    });
  } catch (error) {
    store.notice({ text: failureText({ what: msg("It did not work."), error }, t) });
  }
}

async function askAgain({ store, t }, sweep, change) {
  try {
    await store.api.changeGroup(sweep.id, change);
    store.notice({ text: t("They are as they were.") });
  } catch (error) {
    store.notice({ text: failureText({ what: msg("It did not work."), error }, t) });
  }
}
