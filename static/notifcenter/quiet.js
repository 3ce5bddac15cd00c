/** Quiet hours: what arrives is counted and listed, but neither shown in a corner nor read aloud. */

const ASK_AGAIN_MS = 60_000;

/** By Api: the answer, a promise, and until when it is good. */
const answers = new WeakMap();

/** Calls `tell` unless the user's quiet hours hold now. The server knows; while it cannot say, they do not. */
export async function unlessQuiet(api, { event }, tell) {
  if (!(answers.get(api)?.until > Date.now())) {
    answers.set(api, { until: Date.now() + ASK_AGAIN_MS, answer: api.preferences().catch(() => ({})) });
  }
  const { quiet_until: end, failures_pass_quiet: failuresPass } = await answers.get(api).answer;
  const quiet = end && Date.parse(end) > Date.now();
  if (!quiet || (failuresPass && event === "failed")) tell();
}
