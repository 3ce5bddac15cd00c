/** What the elements with a shadow tree share. Colours and sizes come from tokens.css. */

import { css } from "./vendor/lit.js";

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
  *,
  ::before,
  ::after {
    box-sizing: border-box;
  }
  button {
    font: inherit;
    color: inherit;
    background: none;
    border: 0;
    padding: 0;
    cursor: pointer;
  }
  :focus-visible {
    outline: 2px solid var(--nc-focus);
    outline-offset: 2px;
  }
  .visually-hidden {
    position: absolute;
    inline-size: 1px;
    block-size: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  .icon,
  .mark::before {
    display: inline-block;
    flex: none;
    inline-size: var(--nc-unit);
    block-size: var(--nc-unit);
    background: currentcolor;
    mask: var(--icon) center / contain no-repeat;
    forced-color-adjust: none;
  }
  .mark {
    --icon: var(--nc-icon-event);
    --tone: var(--nc-stopped);
    --soft: var(--nc-stopped-soft);
    display: grid;
    place-items: center;
    flex: none;
    inline-size: calc(2 * var(--nc-unit));
    block-size: calc(2 * var(--nc-unit));
    border-radius: var(--nc-radius-full);
    color: var(--tone);
    background: var(--soft);
  }
  .mark::before {
    content: "";
  }
  .word {
    color: var(--tone);
    font-weight: 600;
  }
  [data-event="running"] {
    --icon: var(--nc-icon-running);
    --tone: var(--nc-running);
    --soft: var(--nc-running-soft);
  }
  [data-event="succeeded"] {
    --icon: var(--nc-icon-succeeded);
    --tone: var(--nc-succeeded);
    --soft: var(--nc-succeeded-soft);
  }
  [data-event="failed"] {
    --icon: var(--nc-icon-failed);
    --tone: var(--nc-failed);
    --soft: var(--nc-failed-soft);
  }
  [data-event="stopped"] {
    --icon: var(--nc-icon-stopped);
  }
  [data-event="retried"] {
    --icon: var(--nc-icon-retried);
    --tone: var(--nc-retried);
    --soft: var(--nc-retried-soft);
  }
  [data-event="waiting_too_long"] {
    --icon: var(--nc-icon-waiting);
    --tone: var(--nc-waiting);
    --soft: var(--nc-waiting-soft);
  }
  [data-event="alert"] {
    --icon: var(--nc-icon-alert);
    --tone: var(--nc-alert);
    --soft: var(--nc-alert-soft);
  }
`;
