/** What only the inbox page says of a notification: its day, and all its facts. */

import { exactTime } from "./format.js";
import { msg } from "./i18n.js";

const CAUSERS = {
  user: msg("The job itself"),
  platform: msg("The platform"),
  resources: msg("A lack of resources"),
};

/** "Today", "Yesterday" or "Earlier", by the reader's clock; to be translated. */
export function dayGroup(time, now = new Date()) {
  const midnight = new Date(now.getFullYear(), now.getMonth(), now.getDate());
  const then = new Date(time);
  if (then >= midnight) return msg("Today");
  midnight.setDate(midnight.getDate() - 1);
  return then >= midnight ? msg("Yesterday") : msg("Earlier");
}

/** "45 sec", "12 min", "2 hr 5 min", "3 days 4 hr": never more than two units */
export function duration(seconds, t) {
  const of = (count, unit) => t.intl("NumberFormat", { style: "unit", unit, unitDisplay: "short" }).format(count);
  const two = (major, unit, minor, small) => [of(major, unit), minor && of(minor, small)].filter(Boolean).join(" ");
  if (seconds < 120) return of(Math.round(seconds), "second");
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return of(minutes, "minute");
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return two(hours, "hour", minutes % 60, "minute");
  return two(Math.floor(hours / 24), "day", hours % 24, "hour");
}

/** What is known beyond title and summary: pairs of label and text, in the order of display. */
export function facts({ event, job, details, occurred_at: occurredAt }, t) {
  const pairs = [
    [t("Exit code"), [details.exit_code, details.phrase && `(${details.phrase})`].filter((part) => part ?? false).join(" ")],
    [t("Cause"), cause(event, details, t)],
    [t("Image"), details.image],
    [t("Task"), details.task],
    [t("Attempt"), details.max_attempts ? t("{attempt} of {max_attempts}", details) : details.attempt],
    [t("Waited"), details.waited_seconds > 0 && duration(details.waited_seconds, t)],
    [t("Ran"), ran(details, t)],
    [t("GPUs"), details.gpus > 0 && details.gpus],
    ...labels(details, t),
    [t("Resolved"), details.resolved_at && exactTime(details.resolved_at, t)],
    [t("Virtual cluster"), job.virtual_cluster],
    [t("Happened"), exactTime(occurredAt, t)],
    [t("Job"), job.name],
  ];
  return pairs.filter(([, value]) => value !== undefined && value !== false && value !== "");
}

/** What an alert says of itself beside its job. */
function labels({ labels: known = {} }, t) {
  const { alertname, severity, virtual_cluster, ...others } = known; // the last is shown anyway
  return [[t("Alert"), alertname], [t("Severity"), severity], ...Object.entries(others)];
}

function cause(event, { causer }, t) {
  if (event === "stopped" && causer === "user") return t("Stopped by a user");
  return causer in CAUSERS ? t(CAUSERS[causer]) : undefined;
}

function ran({ never_ran: never, ran_seconds: ran, last_ran_seconds: last }, t) {
  if (never) return t("Never");
  if (!(ran >= 0)) return undefined;
  const all = duration(ran, t);
  return last >= 0 ? t("{all} with all attempts, the last {last}", { all, last: duration(last, t) }) : all;
}
