/** Whether a reader wants to be told outside of the page; kept by this browser, and off at first. */

const KEY = "notifcenter-alerts";

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
