/** What a reader did to the server's page before the script came, to be done again to the page of the script. */

/** Empties the inbox; the function that it returns opens, fills and focuses what was open, filled and focused. */
export function takeOver(inbox) {
  const rowOf = (element) => element.closest("[data-id]")?.dataset.id;
  const open = [...inbox.querySelectorAll("[data-id] > details[open]")].map(rowOf);
  const focused = inbox.contains(document.activeElement) ? document.activeElement : null;
  const focusedRow = focused && rowOf(focused);
  const search = inbox.querySelector("[name=q]");
  const typed = search && search.value !== search.defaultValue ? search.value : null;
  inbox.replaceChildren();

  return () => {
    const find = (id, what) => inbox.querySelector(`[data-id="${id}"] ${what}`);
    for (const id of open) find(id, "details")?.setAttribute("open", "");
    const field = inbox.querySelector("[name=q]");
    if (typed !== null) {
      field.value = typed;
      field.dispatchEvent(new Event("input"));
    }
    if (focusedRow) find(focusedRow, "summary")?.focus();
    else if (focused && focused === search) field.focus();
  };
}

/** What the server has put into the page as JSON, or null. */
export function dataOf(id) {
  const script = document.getElementById(id);
  return script && JSON.parse(script.textContent);
}
