/** What only the inbox page says of a notification: its day, and all its facts. */

import { exactTime } from "./format.js";

const STOPPED_BY_A_USER = "Stopped by a user";
const CAUSERS = { user: "The job itself", platform: "The platform", resources: "A lack of resources" };

/** "Today", "Yesterday" or "Earlier", by the reader's clock. */
export function dayGroup(time, now = new Date()) {
  const midnight = new Date(now.getFullYear(), now.getMonth(), now.getDate());
  const then = new Date(time);
  if (then >= midnight) return "Today";
  midnight.setDate(midnight.getDate() - 1);
  return then >= midnight ? "Yesterday" : "Earlier";
}

/** "45 s", "12 min", "2 h 5 min", "3 d 4 h" */
export function duration(seconds) {
  const two = (major, unit, minor, small) => (minor ? `${major} ${unit} ${minor} ${small}` : `${major} ${unit}`);
  if (seconds < 120) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return two(hours, "h", minutes % 60, "min");
  return two(Math.floor(hours / 24), "d", hours % 24, "h");
}

/** What is known beyond title and summary: pairs of label and text, in the order of display. */
export function facts({ event, job, details, occurred_at: occurredAt }, lang) {
  const pairs = [
    ["Exit code", [details.exit_code, details.phrase && `(${details.phrase})`].filter((part) => part ?? false).join(" ")],
    ["Cause", event === "stopped" && details.causer === "user" ? STOPPED_BY_A_USER : CAUSERS[details.causer]],
    ["Image", details.image],
    ["Task", details.task],
    ["Attempt", details.max_attempts ? `${details.attempt} of ${details.max_attempts}` : details.attempt],
    ["Waited", details.waited_seconds > 0 && duration(details.waited_seconds)],
    ["Ran", ran(details)],
    ["GPUs", details.gpus > 0 && details.gpus],
    ...labels(details),
    ["Resolved", details.resolved_at && exactTime(details.resolved_at, lang)],
    ["Virtual cluster", job.virtual_cluster],
    ["Happened", exactTime(occurredAt, lang)],
    ["Job", job.name],
  ];
  return pairs.filter(([, value]) => value !== undefined && value !== false && value !== "");
}

/** What an alert says of itself beside its job. */
function labels({ labels: known = {} }) {
  const { alertname, severity, virtual_cluster, ...others } = known; // the last is shown anyway
  return [["Alert", alertname], ["Severity", severity], ...Object.entries(others)];
}

function ran({ never_ran: never, ran_seconds: all, last_ran_seconds: last }) {
  if (never) return "Never";
  if (!(all >= 0)) return undefined;
  return last >= 0 ? `${duration(all)} with all attempts, the last ${duration(last)}` : duration(all);
}
