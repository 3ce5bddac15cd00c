import { html } from "./vendor/lit.js";
import { NotifElement } from "./element.js";
import { eventWord } from "./format.js";
import { jobEventsStyles } from "./job-events-styles.js";
import { shared, sharedSheet } from "./styles.js";

const WAITING = "waitingTooLong";
const MAX_MINUTES = 30 * 24 * 60;

/** Key of the job's file → name of the event. */
const KEYS = {
  running: "running",
  succeeded: "succeeded",
  failed: "failed",
  stopped: "stopped",
  retried: "retried",
  [WAITING]: "waiting_too_long",
};

/**
 * Switches for the notification block of a job's file, `extras.jobStatusChangeNotification`, for a page that submits
 * jobs. It needs no server and no token: it takes the block and gives it back.
 *
 * Only what is given or touched is in the block: an event that it does not name is not asked for, and without
 * `waitingTooLong` the owner's own preference holds. In a form it takes part under its `name`, as JSON.
 *
 * @slot - shown until the script has run
 * @attr value    the block as JSON, such as {"failed": true, "waitingTooLong": 90}; what cannot be used is left out
 * @prop value    the block as an object; may be set to an object or JSON
 * @attr name     of the form's field
 * @attr disabled
 * @attr lang, theme  as for the bell
 * @fires notif-change detail: the block after a change by the user
 * @csspart row one switch with its label
 * @cssprop --nc-*  as for the bell
 */
export class NotifJobEvents extends NotifElement {
  static formAssociated = true;
  static shadowRootOptions = { ...NotifElement.shadowRootOptions, delegatesFocus: true };
  static properties = {
    value: { noAccessor: true },
    disabled: { type: Boolean, reflect: true },
    _off: { state: true },
    _wrong: { state: true },
  };
  static styles = [shared, jobEventsStyles];

  #internals = this.attachInternals();
  #block = {};

  constructor() {
    super();
    this.disabled = false;
    this._off = false;
    this.#judge("");
  }

  get value() {
    return { ...this.#block };
  }

  set value(given) {
    this.#block = usable(given);
    this.#judge("");
    this.requestUpdate();
  }

  formResetCallback() {
    this.value = this.getAttribute("value");
    const minutes = this.renderRoot.querySelector("[type=number]");
    if (minutes) minutes.value = minutesOf(this.#block);
  }

  formDisabledCallback(off) {
    this._off = off;
  }

  formStateRestoreCallback(state) {
    this.value = state;
  }

  render() {
    return html`
      ${sharedSheet}
      <fieldset ?disabled=${this.disabled || this._off}>
        <legend class="visually-hidden">${this.t("Events to be told of")}</legend>
        ${Object.keys(KEYS).map((key) => this.#row(key))}
      </fieldset>
    `;
  }

  #row(key) {
    const on = Boolean(this.#block[key]);
    return html`
      <div class="row" part="row">
        <label>
          <input
            type="checkbox"
            .checked=${on}
            @change=${({ target }) => this.#change(key, target.checked)}
          />
          <span class="dot" data-event=${KEYS[key]}></span>
          ${eventWord(KEYS[key], this.t)}
        </label>
        ${key === WAITING && on ? this.#minutes() : ""}
      </div>
    `;
  }

  #minutes() {
    return html`
      <label class="minutes">
        ${this.t("after")}
        <input
          type="number"
          min="1"
          max=${MAX_MINUTES}
          placeholder=${this.t("as usual")}
          aria-invalid=${Boolean(this._wrong)}
          aria-describedby="wrong"
          .value=${minutesOf(this.#block)}
          @input=${this.#typed}
        />
        ${this.t("minutes")}
      </label>
      <span id="wrong" class="wrong" role="alert">${this._wrong}</span>
    `;
  }

  /** Left empty: after as long as the owner's preferences say. */
  #typed = ({ target }) => {
    const minutes = target.valueAsNumber;
    const empty = target.value === "" && !target.validity.badInput;
    if (empty || isLimit(minutes)) this.#change(WAITING, empty || minutes);
    else this.#judge(this.t("A whole number of minutes from 1 to {most}.", { most: MAX_MINUTES }));
  };

  #change(key, value) {
    this.value = { ...this.#block, [key]: value };
    this.emit("notif-change", this.value);
  }

  #judge(wrong) {
    this._wrong = wrong;
    const field = this.renderRoot?.querySelector("[type=number]") ?? undefined;
    this.#internals.setFormValue(JSON.stringify(this.#block));
    this.#internals.setValidity(wrong ? { customError: true } : {}, wrong, field);
  }
}

const isLimit = (value) => Number.isInteger(value) && value >= 1 && value <= MAX_MINUTES;

const minutesOf = (block) => (isLimit(block[WAITING]) ? String(block[WAITING]) : "");

/** The block in the order of the keys, without what it cannot hold. */
function usable(given) {
  let block = given;
  if (typeof given === "string") {
    try {
      block = JSON.parse(given);
    } catch {
      block = null;
    }
  }
  const fits = (key) => typeof block?.[key] === "boolean" || (key === WAITING && isLimit(block?.[key]));
  return Object.fromEntries(Object.keys(KEYS).filter(fits).map((key) => [key, block[key]]));
}
