import { LitElement } from "./vendor/lit.js";
import { onLanguageChange, translatorOf } from "./i18n.js";
import { IconPainter } from "./icons.js";

/**
 * What our elements have in common: they speak the language of their place in the page.
 *
 * @attr lang  language of texts, times and numbers; default: that of what is around it, the page's, English
 * @attr theme "light", "dark" or "auto"; default: the page's `color-scheme`
 */
export class NotifElement extends LitElement {
  static properties = { theme: { reflect: true } }; // a host that sets the property means the attribute

  static get observedAttributes() {
    return [...super.observedAttributes, "lang"];
  }

  /** @type {import("./i18n.js").Translator} there from the first update on */
  t;
  #unwatch;

  constructor() {
    super();
    new IconPainter(this);
  }

  connectedCallback() {
    super.connectedCallback();
    this.#unwatch = onLanguageChange(() => this.requestUpdate());
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.#unwatch();
  }

  attributeChangedCallback(name, old, value) {
    super.attributeChangedCallback(name, old, value);
    if (name === "lang") this.requestUpdate();
  }

  /** Tells the page. @returns {boolean} false when it has said that it does the rest itself */
  emit(name, detail) {
    return this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true, cancelable: true }));
  }

  async scheduleUpdate() {
    this.t = await translatorOf(this);
    super.scheduleUpdate();
  }
}
