// What `make vendor` bundles into lit.js: only what the elements use.
export { LitElement, css, html } from "lit";
export { repeat } from "lit/directives/repeat.js";
