import { failureText } from "./format.js";
import { msg } from "./i18n.js";

const HOUR_MS = 3_600_000;

/** Says how it went, and offers to take it back. */
export async function muteForAnHour(store, { job }, t) {
  const change = async (what, done) => {
    try {
      await store.api.changeJob(job.framework, what);
      store.notice(done);
    } catch (error) {
      store.notice({ text: failureText({ what: msg("It did not work."), error }, t) });
    }
  };
  const undo = () => change({ muted: false }, { text: t("{name} is no longer muted.", job) });
  const until = new Date(Date.now() + HOUR_MS).toISOString();
  await change({ muted_until: until }, {
    text: t("{name} is muted for an hour.", job),
    action: t("Undo"),
    run: undo,
  });
}
