/** The cards of the preferences. Classes and structure are those of templates/preferences/profile.html. */

import { html } from "./vendor/lit.js";
import { eventWord } from "./format.js";
import { msg } from "./i18n.js";

/** What goes to addresses that are added on the profile page. */
const TARGETS = { apprise: true, webhook: true, webpush: true };
const CHANNELS = {
  webportal: msg("Web portal"),
  email: msg("E-mail"),
  apprise: msg("Chat"),
  webhook: msg("Webhook"),
  webpush: msg("Push"),
};

/**
 * The parts of each card: the translator `t`, `choices` as the server has them, what is `wrong` by field, `save(change, undo)`,
 * `refuse(wrong)`.
 */
export function channelsCard({ t, choices, wrong, save, testMail, profile }) {
  const channels = Object.entries(choices.channels).filter(([, channel]) => channel.offered);
  const events = Object.keys(channels[0]?.[1].events ?? {});
  return html`
    <section class="card" aria-labelledby="channels-heading">
      <h2 id="channels-heading">${t("How to tell me")}</h2>
      <p class="muted">${t("The top switch of a column is the master switch of its channel.")}</p>
      <div class="table-scroll" role="region" aria-label=${t("Events and channels")} tabindex="0">
        <table class="matrix">
          <thead>
            <tr>
              <td></td>
              ${channels.map(([name, channel]) => channelHead({ t, name, channel, save }))}
            </tr>
          </thead>
          <tbody>
            ${events.map(
              (event) => html`
                <tr>
                  <th scope="row"><span class="dot" data-event=${event}></span>${eventWord(event, t)}</th>
                  ${channels.map(([name, channel]) => eventCell({ t, event, name, channel, save }))}
                </tr>
              `,
            )}
          </tbody>
        </table>
      </div>
      ${field({
        name: "email_address",
        label: t("E-mail address"),
        mode: "email",
        value: choices.email_address,
        problem: wrong.email_address,
        change: (value) => save({ email_address: value.trim() }),
      })}
      ${choices.email_address_refused
        ? html`<div class="message message--error" role="alert">
            <p>${t("Mail to {address} does not arrive, so no more is sent there.", { address: choices.email_address })}</p>
            <p>${choices.email_address_refused}</p>
          </div>`
        : ""}
      <p class="actions">
        ${choices.email_address && (choices.channels.email.available || choices.email_address_refused)
          ? html`<button class="button" type="button" @click=${testMail}>${t("Send me a test mail")}</button>`
          : ""}
        ${channels.some(([name]) => name in TARGETS)
          ? html`<a class="button" href=${profile}>${t("Chat and webhooks")}</a>`
          : ""}
      </p>
    </section>
  `;
}

function channelHead({ t, name, channel: { available, why_not: whyNot, enabled }, save }) {
  return html`
    <th scope="col">
      <label>
        ${checkbox(enabled, (on, undo) => save({ channels: { [name]: { enabled: on } } }, undo), {
          disabled: !available,
          describedBy: available ? "" : `why-${name}`,
        })}
        ${channelWord(name, t)}
      </label>
      ${available ? "" : html`<span class="matrix__why" id="why-${name}">${whyNot}</span>`}
    </th>
  `;
}

function eventCell({ t, event, name, channel: { available, events }, save }) {
  const change = (on, undo) => save({ channels: { [name]: { events: { [event]: on } } } }, undo);
  return html`
    <td>
      <label>
        ${checkbox(events[event], change, { disabled: !available, describedBy: available ? "" : `why-${name}` })}
        <span class="visually-hidden">${eventWord(event, t)}: ${channelWord(name, t)}</span>
      </label>
    </td>
  `;
}

const channelWord = (name, t) => (name in CHANNELS ? t(CHANNELS[name]) : name.replaceAll("_", " "));

export function eventsCard({ t, choices, wrong, save, refuse }) {
  const { default_events: chosen, site_default_events: bySite, default_events_source: source } = choices;
  const site = Object.keys(bySite).filter((event) => bySite[event]);
  const words = t.intl("ListFormat", { type: "unit" }).format(site.map((event) => eventWord(event, t)));
  const own = source === "owner";
  const choose = (value, checked, text, change) => {
    const undo = ({ target }) => (target.closest("fieldset").querySelector("input:not(:checked)").checked = true);
    return html`
      <label class="choice">
        <input
          type="radio"
          name="default_source"
          value=${value}
          .checked=${checked}
          @change=${(event) => save(change, () => undo(event))}
        />
        ${text}
      </label>
    `;
  };
  return html`
    <section class="card" aria-labelledby="defaults-heading">
      <h2 id="defaults-heading">${t("Which events")}</h2>
      <p class="muted">
        ${t("A job's own file and the switches on its page go first. This holds for jobs that say nothing.")}
      </p>
      <fieldset class="field">
        <legend class="field__label">${t("For jobs that say nothing")}</legend>
        ${choose("site", !own, t("As the site has it: {events}", { events: words || t("nothing") }), { default_events: null })}
        ${choose("owner", own, t("My own choice"), { default_events: chosen })}
      </fieldset>
      ${own
        ? html`
            <fieldset class="field">
              <legend class="field__label">${t("Tell me when such a job")}</legend>
              ${Object.keys(chosen).map((event) => {
                const change = (on, undo) => save({ default_events: { [event]: on } }, undo);
                return html`<label class="choice">${checkbox(chosen[event], change)} ${eventWord(event, t)}</label>`;
              })}
            </fieldset>
          `
        : ""}
      ${field({
        name: "waiting_minutes",
        label: t("A job waits too long after"),
        mode: "numeric",
        value: choices.waiting_minutes ?? "",
        problem: wrong.waiting_minutes,
        help: t("Minutes; left empty: as the site has it ({minutes}).", { minutes: choices.site_waiting_minutes }),
        change: (value) => {
          const text = value.trim();
          if (/\D/.test(text)) refuse({ waiting_minutes: [t("Write a whole number of minutes, or nothing.")] });
          else save({ waiting_minutes: text ? Number(text) : null });
        },
      })}
    </section>
  `;
}

function checkbox(on, change, { disabled = false, describedBy = "" } = {}) {
  const changed = ({ target }) => change(target.checked, () => (target.checked = !target.checked));
  return html`<input
    type="checkbox"
    .checked=${on}
    ?disabled=${disabled}
    aria-describedby=${describedBy}
    @change=${changed}
  />`;
}

function field({ name, label, mode, value, problem, help = "", change }) {
  return html`
    <div class="field ${problem ? "field--wrong" : ""}">
      <label class="field__label" for=${name}>${label}</label>
      <input id=${name} inputmode=${mode} .value=${String(value)} @change=${({ target }) => change(target.value)} />
      ${help ? html`<p class="field__help">${help}</p>` : ""}
      ${problem ? html`<ul class="errorlist" role="alert">${problem.map((text) => html`<li>${text}</li>`)}</ul>` : ""}
    </div>
  `;
}
