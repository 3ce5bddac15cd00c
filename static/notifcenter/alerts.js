/** Tells of arrivals outside of the page: a notification of the browser, a sound. Each is off until a click. */

import { setRead } from "./actions.js";
import { canNotify, canSound, choices } from "./alert-choices.js";
import { Digest } from "./digest.js";
import { later } from "./later.js";

const GATHER_MS = 1_000;
const SOUND_LOCK = "notifcenter sound";
const QUIET_AFTER_SOUND_MS = 3_000;
const TONES_HZ = [660, 880];
const TONE_SECONDS = 0.16;
const VOLUME = 0.12;
const ICON = new URL("icon-192.png", import.meta.url).href;

export class Alerts {
  #gathered = new Digest();
  #timer;

  /**
   * What arrives within a second is told at once.
   * @param {object} page `{store, t, open(item)}`; `open` gets the notification that was clicked, or null for several
   */
  arrived(item, page) {
    this.#gathered.add(item);
    this.#timer ??= setTimeout(() => {
      const digest = this.#gathered;
      this.#gathered = new Digest();
      this.#timer = undefined;
      const { desktop, sound } = choices();
      if (sound) soundOnce();
      if (desktop) notify(digest, page);
    }, GATHER_MS);
  }
}

/** By one tab, while none is looked at. A user who has added this browser hears of it by Web Push. */
async function notify(digest, { store, t, open }) {
  if (!store.speaks || !canNotify() || Notification.permission !== "granted" || (await hasPush(store))) return;
  const { count, newest } = digest;
  const options = { tag: `nc-${newest.id}`, icon: ICON, lang: t.locale, dir: "auto" };
  if (count === 1 && newest.summary) options.body = newest.summary;
  try {
    const shown = new Notification(digest.text(t), options);
    shown.addEventListener("click", () => {
      globalThis.focus();
      shown.close();
      if (count === 1) store.act(setRead(newest, true));
      open(count === 1 ? newest : null);
    });
  } catch {
    // a browser of phones, which lets only service workers show them
  }
}

/** Whether the server pushes to this browser for this user. Another user's subscription may have been left in it. */
async function hasPush({ api }) {
  try {
    const workers = (await navigator.serviceWorker?.getRegistrations()) ?? [];
    const all = await Promise.all(workers.map((worker) => worker.pushManager?.getSubscription()));
    const found = all.filter(Boolean);
    if (!found.length) return false;
    const { digestOf } = await later("push-digest.js");
    const here = await Promise.all(found.map(digestOf));
    const { subscriptions } = await api.pushSubscriptions();
    return subscriptions.some(({ digest }) => here.includes(digest));
  } catch {
    return false;
  }
}

/** In one tab: browsers let those sound that were clicked in, which need not be the one with the connection. */
async function soundOnce() {
  if (!navigator.userActivation?.hasBeenActive) return;
  if (!navigator.locks) return document.hidden ? undefined : play();
  await navigator.locks.request(SOUND_LOCK, { ifAvailable: true }, async (lock) => {
    if (!lock) return;
    await play();
    await new Promise((resolve) => setTimeout(resolve, QUIET_AFTER_SOUND_MS));
  });
}

/** Two short tones. Only ever in a tab that has been clicked in: elsewhere the browser would log an error. */
export async function play() {
  if (!canSound()) return;
  const audio = new AudioContext();
  const ends = TONES_HZ.map((frequency, place) => {
    const start = audio.currentTime + place * TONE_SECONDS;
    const volume = new GainNode(audio, { gain: 0 });
    volume.gain.setValueAtTime(VOLUME, start);
    volume.gain.exponentialRampToValueAtTime(0.001, start + TONE_SECONDS);
    const tone = new OscillatorNode(audio, { frequency });
    tone.connect(volume).connect(audio.destination);
    tone.start(start);
    tone.stop(start + TONE_SECONDS);
    return new Promise((resolve) => tone.addEventListener("ended", resolve));
  });
  await Promise.race([Promise.all(ends), new Promise((resolve) => setTimeout(resolve, QUIET_AFTER_SOUND_MS))]);
  await audio.close();
}
