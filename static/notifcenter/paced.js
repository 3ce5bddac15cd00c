/** @returns a function that calls `act` at once, then for `pauseMs` not, and at the end of that if it was called meanwhile */
export function paced(act, pauseMs) {
  let timer;
  let due = false;
  return function call() {
    due = Boolean(timer);
    if (due) return;
    act();
    timer = setTimeout(() => {
      timer = undefined;
      if (due) call();
    }, pauseMs);
  };
}
