/** The card of the preferences about times and language. Classes and structure are those of profile.html. */

import { html } from "./vendor/lit.js";
import { msg } from "./i18n.js";

const DAY_MINUTES = 1440;
const BUNDLING = [
  [0, msg("A mail for each")],
  [1, msg("Those of a minute together")],
  [5, msg("Those of 5 minutes together")],
  [15, msg("Those of 15 minutes together")],
  [60, msg("Those of an hour together")],
  [DAY_MINUTES, msg("One mail a day")],
];
/** As the server has them (settings.LANGUAGES), each in its own words. */
const LANGUAGES = [
  ["en", "English"],
  ["zh-hans", "简体中文"],
];

/** @param {object} parts see preferences-view.js */
export function timesCard({ t, choices, wrong, save, refuse }) {
  const { quiet_hours: quiet, bundling_minutes: bundling } = choices;
  const zones = [...new Set(["", choices.time_zone, ...Intl.supportedValuesOf("timeZone")])];
  const hours = Array.from({ length: 24 }, (_, hour) => [hour, `${String(hour).padStart(2, "0")}:00`]);
  const site = LANGUAGES.find(([code]) => code === choices.site_language)?.[1] ?? choices.site_language;
  const problem = (names) => names.flatMap((name) => texts(wrong[name]));

  /** Both times go together; while one of the two is missing, nothing is saved. */
  const quietChanged = ({ target }) => {
    const [from, until] = [...target.closest(".field-pair").querySelectorAll("input")].map(({ value }) => value);
    if (Boolean(from) === Boolean(until)) save({ quiet_hours: from ? { from, until } : null });
    else refuse({ quiet_hours: [t("Give both times, or none.")] });
  };
  const clock = (name, label, value) => html`
    <div class="field">
      <label class="field__label" for=${name}>${label}</label>
      <input id=${name} type="time" .value=${value ?? ""} @change=${quietChanged} />
    </div>
  `;
  return html`
    <section class="card" aria-labelledby="times-heading">
      <h2 id="times-heading">${t("Times and language")}</h2>
      ${select({
        name: "time_zone",
        label: t("Time zone"),
        value: choices.time_zone,
        options: zones.map((zone) => [zone, zone.replaceAll("_", " ") || "UTC"]),
        problems: problem(["time_zone"]),
        change: (value) => save({ time_zone: value }),
      })}
      ${select({
        name: "bundling_minutes",
        label: t("Mails"),
        value: bundling,
        options: BUNDLING.map(([minutes, text]) => [minutes, t(text)]),
        problems: problem(["bundling_minutes"]),
        change: (value) => save({ bundling_minutes: Number(value) }),
      })}
      ${bundling === DAY_MINUTES
        ? select({
            name: "daily_hour",
            label: t("One mail a day at"),
            value: choices.daily_hour,
            options: hours,
            problems: problem(["daily_hour"]),
            change: (value) => save({ daily_hour: Number(value) }),
          })
        : ""}
      <div>
        <div class="field-pair">
          ${clock("quiet_from", t("Quiet hours from"), quiet?.from)} ${clock("quiet_until", t("Quiet hours until"), quiet?.until)}
        </div>
        ${errors(problem(["quiet_hours"]))}
      </div>
      <label class="choice">
        <input
          type="checkbox"
          .checked=${choices.failures_pass_quiet}
          @change=${({ target }) => save({ failures_pass_quiet: target.checked }, () => (target.checked = !target.checked))}
        />
        ${t("Failures are told in quiet hours too")}
      </label>
      ${select({
        name: "language",
        label: t("Language"),
        value: choices.language,
        options: [["", t("As the site has it: {choice}", { choice: site })], ...LANGUAGES],
        problems: problem(["language"]),
        help: t("Of our own pages, mails and chat messages."),
        change: (value) => save({ language: value }),
      })}
    </section>
  `;
}

function select({ name, label, value, options, problems, help = "", change }) {
  return html`
    <div class="field ${problems.length ? "field--wrong" : ""}">
      <label class="field__label" for=${name}>${label}</label>
      <select id=${name} @change=${({ target }) => change(target.value)}>
        ${options.map(([own, text]) => html`<option value=${own} .selected=${own === value}>${text}</option>`)}
      </select>
      ${help ? html`<p class="field__help">${help}</p>` : ""} ${errors(problems)}
    </div>
  `;
}

const errors = (problems) =>
  problems.length
    ? html`<ul class="errorlist" role="alert">
        ${problems.map((text) => html`<li>${text}</li>`)}
      </ul>`
    : "";

/** Of a field's errors as the server answers them, which may stand deeper. */
function texts(problem) {
  return typeof problem === "string" ? [problem] : Object.values(problem ?? {}).flatMap(texts);
}
