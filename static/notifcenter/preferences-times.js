/** The card of the preferences about times and language. */

import { html } from "./vendor/lit.js";
import { card, checkbox, errors, input, select, texts } from "./preferences-fields.js";

const DAY_MINUTES = 1440;

/** @param {object} parts see preferences-fields.js */
export function timesCard(parts) {
  const { choices, words, wrong, save, refuse } = parts;
  const { quiet_hours: quiet, bundling_minutes: bundling } = choices;
  const zones = [...new Set(["", choices.time_zone, ...Intl.supportedValuesOf("timeZone")])];
  const number = (name) => ({ value: choices[name], change: (value) => save({ [name]: Number(value) }) });
  const text = (name) => ({ value: choices[name], change: (value) => save({ [name]: value }) });

  /** Both times go together; while one of the two is missing, nothing is saved. */
  const quietChanged = ({ target }) => {
    const [from, until] = [...target.closest(".field-pair").querySelectorAll("input")].map(({ value }) => value);
    if (Boolean(from) === Boolean(until)) save({ quiet_hours: from ? { from, until } : null });
    else refuse({ quiet_hours: [words.fields.quiet_until.help] });
  };
  const clock = (name, value) => input(parts, name, { type: "time", value, change: quietChanged });
  return card(
    parts,
    "times",
    html`
      ${select(parts, "time_zone", {
        ...text("time_zone"),
        options: zones.map((zone) => [zone, zone.replaceAll("_", " ") || "UTC"]),
      })}
      ${select(parts, "bundling_minutes", number("bundling_minutes"))}
      ${bundling === DAY_MINUTES ? select(parts, "daily_hour", number("daily_hour")) : ""}
      <div>
        <div class="field-pair">${clock("quiet_from", quiet?.from)} ${clock("quiet_until", quiet?.until)}</div>
        ${errors(texts(wrong.quiet_hours))}
      </div>
      <label class="choice">
        ${checkbox(choices.failures_pass_quiet, (on, undo) => save({ failures_pass_quiet: on }, undo))}
        ${words.fields.failures_pass_quiet.label}
      </label>
      ${select(parts, "language", text("language"))}
    `,
  );
}
