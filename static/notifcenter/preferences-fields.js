/** What the cards of the preferences are made of. Classes and structure are those of templates/preferences/. */

import { html } from "./vendor/lit.js";

/**
 * The parts of each card: the translator `t`, `choices` and `words` as the server has them, what is `wrong` by field,
 * `save(change, undo)`, `refuse(wrong)`.
 */
export function card({ words }, name, content) {
  const { title, text } = words.sections[name];
  return html`
    <section class="card" aria-labelledby="${name}-heading">
      <h2 id="${name}-heading">${title}</h2>
      ${text ? html`<p class="muted">${text}</p>` : ""} ${content}
    </section>
  `;
}

export function input({ words, wrong }, name, { mode, type = "text", value, change }) {
  return field({
    name,
    words: words.fields[name],
    problems: texts(wrong[name]),
    control: html`<input id=${name} type=${type} inputmode=${mode} .value=${String(value ?? "")} @change=${change} />`,
  });
}

/** @param options pairs of value and text; default: the server's */
export function select({ words, wrong }, name, { value, options, change }) {
  const own = words.fields[name].choices.map((choice) => [choice.value, choice.label]);
  const chosen = String(value);
  return field({
    name,
    words: words.fields[name],
    problems: texts(wrong[name]),
    control: html`<select id=${name} @change=${({ target }) => change(target.value)}>
      ${(options ?? own).map(([one, text]) => html`<option value=${one} .selected=${one === chosen}>${text}</option>`)}
    </select>`,
  });
}

export function checkbox(on, change, { disabled = false, describedBy = "" } = {}) {
  const changed = ({ target }) => change(target.checked, () => (target.checked = !target.checked));
  return html`<input
    type="checkbox"
    .checked=${on}
    ?disabled=${disabled}
    aria-describedby=${describedBy}
    @change=${changed}
  />`;
}

export const errors = (problems) =>
  problems.length ? html`<ul class="errorlist" role="alert">${problems.map((text) => html`<li>${text}</li>`)}</ul>` : "";

/** Of a field's errors as the server answers them, which may stand deeper. */
export function texts(problem) {
  return typeof problem === "string" ? [problem] : Object.values(problem ?? {}).flatMap(texts);
}

function field({ name, words: { label, help }, problems, control }) {
  return html`
    <div class="field ${problems.length ? "field--wrong" : ""}">
      <label class="field__label" for=${name}>${label}</label>
      ${control} ${help ? html`<p class="field__help">${help}</p>` : ""} ${errors(problems)}
    </div>
  `;
}
