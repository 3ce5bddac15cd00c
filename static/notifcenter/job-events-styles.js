import { css } from "./vendor/lit.js";

export const jobEventsStyles = css`
  :host {
    display: block !important;
  }
  fieldset {
    color: var(--nc-text);
    font: 400 var(--nc-text-m) / var(--nc-line) var(--nc-font);
  }
  :host([hidden]) {
    display: none !important;
  }
  fieldset {
    display: grid;
    gap: var(--nc-space-1);
    min-inline-size: 0;
    margin: 0;
    padding: 0;
    border: 0;
  }
  .row {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: var(--nc-space-1) var(--nc-space-3);
    min-block-size: calc(2.25 * var(--nc-unit));
  }
  label {
    display: flex;
    align-items: center;
    gap: var(--nc-space-3);
  }
  .minutes {
    gap: var(--nc-space-2);
    color: var(--nc-muted);
  }
  input {
    flex: none;
    margin: 0;
    font: inherit;
    accent-color: var(--nc-accent-fill);
  }
  [type="checkbox"] {
    inline-size: calc(1.125 * var(--nc-unit));
    block-size: calc(1.125 * var(--nc-unit));
  }
  [type="number"] {
    inline-size: calc(6 * var(--nc-unit));
    min-block-size: calc(2 * var(--nc-unit));
    padding-inline: var(--nc-space-2);
    border: 1px solid var(--nc-border-strong);
    border-radius: var(--nc-radius-s);
    background: var(--nc-surface);
    color: var(--nc-text);
  }
  [aria-invalid="true"],
  .wrong {
    border-color: var(--nc-failed);
    color: var(--nc-failed);
  }
  .wrong {
    flex-basis: 100%;
  }
  :disabled {
    opacity: 0.65;
  }
`;
