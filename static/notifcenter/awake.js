/**
 * Calls `wake`, then `sleep` and `wake` in turn as the page is put away and comes back, or is frozen and thaws.
 * @returns a function that ends it
 */
export function whileAwake(wake, sleep) {
  const turns = [
    [globalThis, "pagehide", sleep],
    [globalThis, "pageshow", wake],
    [document, "freeze", sleep],
    [document, "resume", wake],
  ];
  for (const [target, name, act] of turns) target.addEventListener(name, act);
  wake();
  return () => {
    for (const [target, name, act] of turns) target.removeEventListener(name, act);
    sleep();
  };
}
