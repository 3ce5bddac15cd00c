/** Whether a reader can and wants to be told outside of the page; kept by this browser, and off at first. */

const KEY = "notifcenter-alerts";

export const canNotify = () => isSecureContext && "Notification" in globalThis;

export const canSound = () => "AudioContext" in globalThis;

/** @returns {{desktop?: boolean, sound?: boolean}} */
export function choices() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? {};
  } catch {
    return {}; // no storage here, or something else in it
  }
}

export const wantsAlerts = () => Object.values(choices()).some(Boolean);

export function choose(name, on) {
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...choices(), [name]: on }));
  } catch {
    // it stays as it is
  }
}
