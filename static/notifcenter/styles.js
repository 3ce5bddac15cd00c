/** What the elements with a shadow tree share. Colours and sizes come from tokens.css. */

import { css, html } from "./vendor/lit.js";

export const shared = css`
  :host([theme="light"]) {
    color-scheme: light;
  }
  :host([theme="dark"]) {
    color-scheme: dark;
  }
  :host([theme="auto"]) {
    color-scheme: light dark;
  }
  /* What a host's sheet says of text is not meant for ours. */
  .bell,
  .panel,
  section,
  fieldset {
    font-variant: normal;
    letter-spacing: normal;
    text-align: start;
    text-indent: 0;
    text-shadow: none;
    text-transform: none;
    white-space: normal;
    word-spacing: normal;
  }
  button {
    font: inherit;
    color: inherit;
    background: none;
    border: 0;
    padding: 0;
    cursor: pointer;
  }
`;

const address = (name) => new URL(name, import.meta.url).href;

/** To be drawn at the start of a shadow tree: the sheet that the pages have too. */
export const sharedSheet = html`<link rel="stylesheet" href=${address("shared.css")} />`;

/** All that our pages look like. */
export const pageSheets = ["pages.css", "shared.css"].map(address);
