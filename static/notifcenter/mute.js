const HOUR_MS = 3_600_000;

/** Says how it went, and offers to take it back. */
export async function muteForAnHour(store, { job }) {
  const change = async (what, done) => {
    try {
      await store.api.changeJob(job.framework, what);
      store.notice(done);
    } catch (error) {
      store.notice({ text: `It did not work. ${error.message}` });
    }
  };
  const undo = () => change({ muted: false }, { text: `${job.name} is no longer muted.` });
  const until = new Date(Date.now() + HOUR_MS).toISOString();
  await change({ muted_until: until }, { text: `${job.name} is muted for an hour.`, action: "Undo", run: undo });
}
