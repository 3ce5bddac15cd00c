/** Until when something is put off or muted; times are the reader's. */

import { msg } from "./i18n.js";

const MORNING_HOUR = 8; // as on the page of a job
const MONDAY = 1;

/** Pairs of what it is called, and the time. */
export const snoozeChoices = (now = new Date()) => [
  [msg("For an hour"), inAnHour(now)],
  [msg("Until tomorrow morning"), morning(now, 1)],
  [msg("Until next week"), morning(now, (MONDAY + 7 - now.getDay()) % 7 || 7)],
];

/** The same; null: for good. */
export const muteChoices = (now = new Date()) => [
  [msg("For an hour"), inAnHour(now)],
  [msg("Until tomorrow morning"), morning(now, 1)],
  [msg("For good"), null],
];

/** As <input type="datetime-local"> has it. */
export function localText(time) {
  const two = (number) => String(number).padStart(2, "0");
  const day = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join("-");
  return `${day}T${two(time.getHours())}:${two(time.getMinutes())}`;
}

/** "14:30" today, "Fri, 27 Nov, 09:00" on another day */
export function untilText(time, t, now = new Date()) {
  const when = new Date(time);
  const clock = { hour: "2-digit", minute: "2-digit" };
  const day = { weekday: "short", month: "short", day: "numeric" };
  const isToday = when.toDateString() === now.toDateString();
  return t.intl("DateTimeFormat", isToday ? clock : { ...day, ...clock }).format(when);
}

/** "Muted", and until when, if it is not for good. */
export function muteText({ muted_until: until }, t) {
  return until ? t("Muted until {time}", { time: untilText(until, t) }) : t("Muted");
}

const inAnHour = (now) => new Date(now.valueOf() + 3_600_000);

const morning = (now, days) => new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, MORNING_HOUR);
