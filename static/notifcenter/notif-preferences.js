import { html } from "./vendor/lit.js";
import { StoreController } from "./controller.js";
import { NotifElement } from "./element.js";
import { failureText } from "./format.js";
import { msg } from "./i18n.js";
import { note } from "./inbox-view.js";
import { Messages } from "./messages.js";
import { pageRoot } from "./page-root.js";
import { timesCard } from "./preferences-times.js";
import { channelsCard, eventsCard } from "./preferences-view.js";

/**
 * The user's own preferences. Each change is sent at once; what could not be saved goes back and says why.
 * It has no shadow tree, and looks like the profile page by the sheets of its page.
 *
 * @slot - shown until the script has run
 * @attr base-url, token, lang, theme  as for the bell
 * @fires notif-error as for the bell
 * @cssprop --nc-*  as for the bell
 */
export class NotifPreferences extends NotifElement {
  static properties = {
    baseUrl: { attribute: "base-url" },
    token: {},
    _choices: { state: true },
    _words: { state: true },
    _trouble: { state: true },
    _wrong: { state: true },
    _said: { state: true },
  };

  #messages = new Messages(this);
  #controller = new StoreController(this, this.#messages.listeners);
  #saving = Promise.resolve();

  createRenderRoot() {
    return pageRoot(this, "preferences");
  }

  storeChanged() {
    this._choices = null;
    this._said = "";
    this._wrong = {};
    this.#load();
  }

  render() {
    return html`
      <div class="page-head">
        <h1>${this.t("Preferences")}</h1>
        <span class="muted" role="status">${this._said}</span>
      </div>
      ${this._choices ? this.#cards() : this.#waiting()} ${this.#messages.toasts()}
    `;
  }

  get store() {
    return this.#controller.store;
  }

  #cards() {
    const parts = {
      t: this.t,
      choices: this._choices,
      words: this._words,
      wrong: this._wrong,
      save: this.#save,
      refuse: this.#refuse,
      testMail: this.#testMail,
      profile: `${(this.baseUrl ?? "").replace(/\/+$/, "")}/profile/#targets`,
    };
    return html`<div class="profile">${channelsCard(parts)} ${eventsCard(parts)} ${timesCard(parts)}</div>`;
  }

  #waiting() {
    if (!this._trouble) return html`<p class="muted">${this.t("Loading…")}</p>`;
    const again = html`<button class="button" type="button" @click=${this.#load}>${this.t("Try again")}</button>`;
    return note(this.t("This did not work"), this.t(this._trouble.message, this._trouble), { action: again, icon: "offline" });
  }

  #load = async () => {
    const { store } = this.#controller;
    this._trouble = null;
    try {
      const [choices, words] = await Promise.all([store.api.preferences(), store.api.preferenceWords()]);
      if (store !== this.#controller.store) return;
      this._words = words;
      this._choices = choices;
    } catch (error) {
      if (store === this.#controller.store) this._trouble = error;
    }
  };

  #testMail = async () => {
    const { store } = this.#controller;
    this._said = this.t("Sending…");
    try {
      const { detail } = await store.api.testMail();
      store.notice({ text: detail });
    } catch (error) {
      store.notice({ text: error.fields?.detail ?? this.t(error.message, error) });
    }
    this._said = "";
    this.#load();
  };

  #refuse = (wrong) => {
    this._said = this.t("Not saved");
    this._wrong = { ...this._wrong, ...wrong };
  };

  /**
   * One after the other, so that the last change wins.
   * @param {object} change as the server takes it
   * @param {() => void} undo puts the control back; what was typed stays, with what is wrong about it
   */
  #save = (change, undo) => {
    const { store } = this.#controller;
    this.#saving = this.#saving.then(async () => {
      try {
        this._said = this.t("Saving…");
        const choices = await store.api.changePreferences(change);
        if (store !== this.#controller.store) return;
        this._choices = choices;
        this._wrong = Object.fromEntries(Object.entries(this._wrong).filter(([name]) => !(name in change)));
        this._said = this.t("Saved");
      } catch (error) {
        this.#refuse(error.fields);
        undo?.();
        if (undo || error.status !== 400) store.notice({ text: failureText({ what: msg("It could not be saved."), error }, this.t) });
      }
    });
  };
}
