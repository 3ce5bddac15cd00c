const LONGEST_PAUSE_MS = 30_000;

/** Loads a module of ours that is not needed at once. A server that is away when it is asked is asked again. */
export async function later(file, pauseMs = 500) {
  try {
    return await import(`./${file}`);
  } catch {
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    return later(file, Math.min(pauseMs * 2, LONGEST_PAUSE_MS));
  }
}
