/** Where an element draws that looks like our pages. */

import { pageSheets, shared } from "./styles.js";

/**
 * In our own pages and in <notif-page> the element itself. In another site's page, which says where we live
 * (`base-url`), a tree of its own with our sheets, which is shown when they have come.
 * @param {string} className what the element has in our own pages
 */
export function pageRoot(element, className) {
  if (!element.hasAttribute("base-url")) return element;
  const root = element.attachShadow({ mode: "open" });
  const frame = Object.assign(document.createElement("div"), { className: "embedded", hidden: true });
  let awaited = pageSheets.length;
  const arrived = () => (frame.hidden = --awaited > 0);
  for (const href of pageSheets) {
    const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href });
    link.addEventListener("load", arrived);
    link.addEventListener("error", arrived);
    root.append(link);
  }
  root.adoptedStyleSheets = [shared.styleSheet];
  const page = Object.assign(document.createElement("div"), { className });
  frame.append(page);
  root.append(frame);
  return page;
}
