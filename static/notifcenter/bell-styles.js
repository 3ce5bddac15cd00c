import { css } from "./vendor/lit.js";

export const bellStyles = css`
  :host {
    display: inline-block !important;
    position: relative !important;
  }
  .bell,
  .panel {
    font: 400 var(--nc-text-m) / var(--nc-line) var(--nc-font);
  }
  .bell {
    position: relative;
    display: grid;
    place-items: center;
    inline-size: calc(2.5 * var(--nc-unit));
    block-size: calc(2.5 * var(--nc-unit));
    border-radius: var(--nc-radius-full);
    transition: background var(--nc-quick);
  }
  .bell:hover,
  .bell[aria-expanded="true"] {
    background: color-mix(in srgb, currentcolor 10%, transparent);
  }
  .bell .icon {
    --icon: var(--nc-icon-bell);
    inline-size: calc(1.375 * var(--nc-unit));
    block-size: calc(1.375 * var(--nc-unit));
  }
  .bell--lost .icon {
    opacity: 0.45;
  }
  .badge {
    position: absolute;
    inset-block-start: 0;
    inset-inline-start: calc(1.25 * var(--nc-unit));
    min-inline-size: calc(1.125 * var(--nc-unit));
    padding-inline: calc(0.3 * var(--nc-unit));
    border-radius: var(--nc-radius-full);
    outline: 1px solid transparent; /* seen where colours are forced */
    background: var(--nc-badge);
    color: var(--nc-on-accent);
    font-size: calc(0.6875 * var(--nc-unit));
    font-weight: 700;
    line-height: calc(1.125 * var(--nc-unit));
    text-align: center;
    font-variant-numeric: tabular-nums;
  }
  .panel {
    inset: auto;
    margin: 0;
    padding: 0;
    inline-size: min(var(--nc-panel-width), 100vw - 16px);
    overflow: hidden;
    flex-direction: column;
    border: 1px solid var(--nc-border);
    border-radius: var(--nc-radius-l);
    background: var(--nc-raised);
    color: var(--nc-text);
    font-size: var(--nc-text-m);
    box-shadow: var(--nc-shadow);
  }
  .panel:popover-open {
    display: flex;
  }
  .panel:focus-visible {
    outline: none;
  }
  .wait {
    margin: 0;
    padding: var(--nc-space-5);
    color: var(--nc-muted);
    text-align: center;
  }
`;
