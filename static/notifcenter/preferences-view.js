/** The cards of the preferences about channels and events; what they say comes with them from the server. */

import { html } from "./vendor/lit.js";
import { eventWord } from "./format.js";
import { card, checkbox, input } from "./preferences-fields.js";

/** What goes to addresses that are added on the profile page. */
const TARGETS = new Set(["apprise", "webhook", "webpush"]);

/** @param {object} parts see preferences-fields.js */
export function channelsCard(parts) {
  const { t, choices, save, testMail, profile } = parts;
  const channels = Object.entries(choices.channels).filter(([, channel]) => channel.offered);
  const events = Object.keys(channels[0]?.[1].events ?? {});
  return card(
    parts,
    "channels",
    html`
      <div class="table-scroll" role="region" aria-label=${t("Events and channels")} tabindex="0">
        <table class="matrix">
          <thead>
            <tr>
              <td></td>
              ${channels.map(([name, channel]) => channelHead(parts, name, channel))}
            </tr>
          </thead>
          <tbody>
            ${events.map(
              (event) => html`
                <tr>
                  <th scope="row"><span class="dot" data-event=${event}></span>${eventWord(event, t)}</th>
                  ${channels.map(([name, channel]) => eventCell(parts, event, name, channel))}
                </tr>
              `,
            )}
          </tbody>
        </table>
      </div>
      ${input(parts, "email_address", {
        mode: "email",
        value: choices.email_address,
        change: ({ target }) => save({ email_address: target.value.trim() }),
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
        ${channels.some(([name]) => TARGETS.has(name))
          ? html`<a class="button" href=${profile}>${t("Chat and webhooks")}</a>`
          : ""}
      </p>
    `,
  );
}

function channelHead({ words, save }, name, { available, why_not: whyNot, enabled }) {
  return html`
    <th scope="col">
      <label>
        ${checkbox(enabled, (on, undo) => save({ channels: { [name]: { enabled: on } } }, undo), {
          disabled: !available,
          describedBy: available ? "" : `why-${name}`,
        })}
        ${words.fields[name].label}
      </label>
      ${available ? "" : html`<span class="matrix__why" id="why-${name}">${whyNot}</span>`}
    </th>
  `;
}

function eventCell({ words, save }, event, name, { available, events }) {
  const change = (on, undo) => save({ channels: { [name]: { events: { [event]: on } } } }, undo);
  return html`
    <td>
      <label>
        ${checkbox(events[event], change, { disabled: !available, describedBy: available ? "" : `why-${name}` })}
        <span class="visually-hidden">${words.fields[`${name}-${event}`].label}</span>
      </label>
    </td>
  `;
}

export function eventsCard(parts) {
  const { t, choices, words, save, refuse } = parts;
  const { default_events: chosen, default_events_source: source } = choices;
  const undo = ({ target }) => (target.closest("fieldset").querySelector("input:not(:checked)").checked = true);
  const change = { site: null, owner: chosen };
  const sources = words.fields.default_source.choices.map(
    ({ value, label }) => html`
      <label class="choice">
        <input
          type="radio"
          name="default_source"
          value=${value}
          .checked=${value === source}
          @change=${(event) => save({ default_events: change[value] }, () => undo(event))}
        />
        ${label}
      </label>
    `,
  );
  const events = words.fields.default_events.choices.map(({ value, label }) => {
    const turn = (on, back) => save({ default_events: { [value]: on } }, back);
    return html`<label class="choice">${checkbox(chosen[value], turn)} ${label}</label>`;
  });
  const group = (name, content) => html`
    <fieldset class="field">
      <legend class="field__label">${words.fields[name].label}</legend>
      ${content}
    </fieldset>
  `;
  return card(
    parts,
    "events",
    html`
      ${group("default_source", sources)} ${source === "owner" ? group("default_events", events) : ""}
      ${input(parts, "waiting_minutes", {
        mode: "numeric",
        value: choices.waiting_minutes,
        change: ({ target }) => {
          const text = target.value.trim();
          if (/\D/.test(text)) refuse({ waiting_minutes: [t("Write a whole number of minutes, or nothing.")] });
          else save({ waiting_minutes: text ? Number(text) : null });
        },
      })}
    `,
  );
}
