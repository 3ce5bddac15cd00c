/** The two switches for alerts outside of the page, in the foot of the bell's panel. */

import { html } from "./vendor/lit.js";
import { canNotify, canSound, choices, choose } from "./alert-choices.js";
import { later } from "./later.js";

/** @param {() => void} redraw called when one of them has changed */
export function alertSwitches(t, redraw) {
  const { desktop = false, sound = false } = choices();
  const denied = canNotify() && Notification.permission === "denied";
  const turn = async (name, on, allowed) => {
    if (!on || (await allowed())) choose(name, on);
    redraw();
  };
  return html`
    <div class="switches" role="group" aria-label=${t("Outside of this page")}>
      ${canNotify()
        ? toggle({
            text: denied ? t("Browser notifications: blocked by the browser") : t("Browser notifications"),
            on: desktop && Notification.permission === "granted",
            disabled: denied,
            turn: (on) => turn("desktop", on, async () => (await Notification.requestPermission()) === "granted"),
          })
        : ""}
      ${canSound()
        ? toggle({ text: t("Sound"), on: sound, turn: (on) => turn("sound", on, sounded) })
        : ""}
    </div>
  `;
}

/** How it sounds, once, so that its reader knows. */
async function sounded() {
  const { play } = await later("alerts.js");
  play();
  return true;
}

function toggle({ text, on, disabled = false, turn }) {
  return html`
    <button class="switch" type="button" role="switch" aria-checked=${on} ?disabled=${disabled} @click=${() => turn(!on)}>
      <span class="switch__track"><span class="switch__knob"></span></span>${text}
    </button>
  `;
}
