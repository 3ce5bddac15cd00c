/**
 * Texts in the language of their reader. They stand in the code in English; locale/<language>.json has what they are
 * in another language, by the English text. It is fetched when an element first speaks that language.
 */

const FETCH_MS = 3_000;
const ASK_AGAIN_MS = 30_000;

const ENGLISH = "en";
/** Those with a catalogue. Others of the same family read it too: zh-CN and zh-TW read zh-hans. */
const LANGUAGES = [ENGLISH, "zh-hans"];

/** By language: the catalogue, or the promise of it. */
const catalogues = new Map([[ENGLISH, {}]]);
/** By locale; only with catalogues that have come. */
const translators = new Map();
const listeners = new Set();
const watcher = new MutationObserver(() => listeners.forEach((changed) => changed()));

/** Marks a text that is translated where it is shown. */
export const msg = (text) => text;

/**
 * `t(text, values)` is the text with its {names} filled in.
 * @typedef {((text: string, values?: object) => string) & {
 *   language: string, locale: string,
 *   plural: (count: number, one: string, other: string, values?: object) => string,
 *   intl: (kind: string, options?: object) => object,
 * }} Translator `plural` fills in {count} by itself; `intl` is `new Intl[kind]`, kept
 */

/** @returns {Translator | Promise<Translator>} a promise while the catalogue is on its way; if that fails, English */
export function translatorOf(element) {
  const asked = languageOf(element);
  const language = LANGUAGES.find((one) => family(one) === family(asked)) ?? ENGLISH;
  if (!catalogues.has(language)) catalogues.set(language, fetched(language));
  const catalogue = catalogues.get(language);
  if (catalogue instanceof Promise) return catalogue.then(() => translatorOf(element));
  const locale = family(asked) === family(language) ? usable(asked, language) : language;
  if (!translators.has(locale)) translators.set(locale, translator({ language, locale, catalogue }));
  return translators.get(locale);
}

/** Calls `changed` when the page changes its language. @returns {() => void} ends it */
export function onLanguageChange(changed) {
  if (!listeners.size) watcher.observe(document.documentElement, { attributeFilter: ["lang"] });
  listeners.add(changed);
  return () => {
    listeners.delete(changed);
    if (!listeners.size) watcher.disconnect();
  };
}

/** The element's own language, that of what is around it, that of its page. */
function languageOf(element) {
  for (let node = element; node; node = node.parentNode ?? node.host) if (node.lang) return node.lang;
  return ENGLISH;
}

const family = (lang) => lang.toLowerCase().split("-")[0];

/** What a page has in `lang` may be no language at all. */
function usable(asked, otherwise) {
  try {
    return new Intl.Locale(asked).toString();
  } catch {
    return otherwise;
  }
}

async function fetched(language) {
  let catalogue = {};
  try {
    const address = new URL(`locale/${language}.json`, import.meta.url);
    const response = await fetch(address, { signal: AbortSignal.timeout(FETCH_MS) });
    catalogue = await response.json();
  } catch {
    setTimeout(() => (catalogues.delete(language), translators.clear()), ASK_AGAIN_MS);
  }
  catalogues.set(language, catalogue);
}

/** @returns {Translator} */
function translator({ language, locale, catalogue }) {
  const kept = new Map();
  const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const t = (text, values = {}) => filled(catalogue[text] ?? text, values);
  t.intl = (kind, options) => {
    const key = kind + JSON.stringify(options);
    // The clock has 24 hours in every language, as where the server writes a time.
    if (!kept.has(key)) kept.set(key, new Intl[kind](locale, { hourCycle: "h23", ...options }));
    return kept.get(key);
  };
  t.plural = (count, one, other, values = {}) => {
    const form = t.intl("PluralRules").select(count);
    const known = catalogue[other] ?? { one };
    const text = typeof known === "string" ? known : (known[form] ?? known.other ?? other);
    return filled(text, { count: t.intl("NumberFormat").format(count), ...values });
  };
  return Object.assign(t, { language, locale });
}
