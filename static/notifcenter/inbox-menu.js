/** "Until when?": a small panel at the button that asks for it. One serves the whole inbox. */

import { html } from "./vendor/lit.js";
import { localText, muteChoices, snoozeChoices, untilText } from "./inbox-times.js";

const EDGE_PX = 8;
const GAP_PX = 4;

export class Menu {
  #host;
  #kind = null;
  #choose = null;

  constructor(host) {
    this.#host = host;
  }

  /** @param {"snooze" | "mute"} kind @returns {Promise<Date | null>} what was chosen; null: for good. It may never come. */
  async open(kind, anchor) {
    this.#kind = kind;
    this.#host.requestUpdate();
    await this.#host.updateComplete;
    place(this.#host.renderRoot.querySelector(".menu"), anchor);
    return new Promise((resolve) => (this.#choose = resolve));
  }

  panel() {
    const { t } = this.#host;
    const isSnooze = this.#kind === "snooze";
    const title = isSnooze ? t("Snooze") : t("Mute the job");
    return html`
      <div class="menu" popover role="dialog" aria-label=${title}>
        <h2 class="menu__title">${title}</h2>
        ${(isSnooze ? snoozeChoices() : muteChoices()).map((choice) => this.#item(choice, t))} ${isSnooze ? this.#own(t) : ""}
      </div>
    `;
  }

  #item([name, until], t) {
    return html`
      <button class="menu__item" type="button" @click=${() => this.#chosen(until)}>
        <span>${t(name)}</span>
        ${until ? html`<span class="menu__time">${untilText(until, t)}</span>` : ""}
      </button>
    `;
  }

  #own(t) {
    return html`
      <form class="menu__own" @submit=${this.#submitted}>
        <label>
          ${t("Until")}
          <input type="datetime-local" name="until" required min=${localText(new Date())} />
        </label>
        <button class="button" type="submit">${t("Snooze")}</button>
      </form>
    `;
  }

  #submitted = (event) => {
    event.preventDefault();
    this.#chosen(new Date(event.currentTarget.elements.until.value));
  };

  /** Closed first: that gives the focus back to where it was. */
  #chosen(until) {
    this.#host.renderRoot.querySelector(".menu").hidePopover();
    this.#choose(until);
  }
}

/** Opens the panel below what asked for it, or above where there is no room. */
function place(menu, anchor) {
  menu.showPopover();
  const at = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const isRtl = menu.matches(":dir(rtl)");
  const left = isRtl ? at.left : at.right - width;
  const below = at.bottom + GAP_PX;
  const top = below + height + EDGE_PX <= innerHeight ? below : at.top - GAP_PX - height;
  menu.style.left = `${Math.max(EDGE_PX, Math.min(left, innerWidth - width - EDGE_PX))}px`;
  menu.style.top = `${Math.max(EDGE_PX, top)}px`;
  menu.querySelector("button").focus();
}
