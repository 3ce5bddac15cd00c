import { css } from "./vendor/lit.js";

export const panelStyles = css`
  .head,
  .foot {
    display: flex;
    align-items: center;
    justify-content: space-between;
    gap: var(--nc-space-3);
    padding: var(--nc-space-3) var(--nc-space-4);
  }
  .head {
    border-block-end: 1px solid var(--nc-border);
  }
  h2 {
    margin: 0;
    font-size: var(--nc-text-l);
    font-weight: 650;
  }
  .text-button,
  .foot a {
    padding: var(--nc-space-1) var(--nc-space-2);
    margin-inline: calc(-1 * var(--nc-space-2));
    border-radius: var(--nc-radius-s);
    color: var(--nc-accent);
    font-weight: 550;
    text-decoration: none;
  }
  .foot a {
    flex: none;
  }
  .text-button:hover,
  .foot a:hover {
    background: var(--nc-sunken);
  }
  .scroll {
    overflow-y: auto;
    overscroll-behavior: contain;
    flex: 1;
  }
  /* Too low for a part that scrolls between two that do not: 400 % zoom. */
  @media (max-height: 20rem) {
    .panel:popover-open {
      display: block;
      overflow-y: auto;
    }
  }
  .foot {
    border-block-start: 1px solid var(--nc-border);
    color: var(--nc-muted);
    font-size: var(--nc-text-s);
  }
  .switches {
    display: flex;
    flex-wrap: wrap;
    gap: var(--nc-space-1) var(--nc-space-4);
    padding: var(--nc-space-2) var(--nc-space-4);
    border-block-start: 1px solid var(--nc-border);
    color: var(--nc-muted);
    font-size: var(--nc-text-s);
  }
  .switch {
    display: flex;
    align-items: center;
    gap: var(--nc-space-2);
    min-block-size: calc(1.5 * var(--nc-unit));
    border-radius: var(--nc-radius-s);
    text-align: start;
  }
  .switch:disabled {
    cursor: default;
  }
  .switch__track {
    display: flex;
    flex: none;
    inline-size: calc(1.75 * var(--nc-unit));
    padding: 1px;
    border: 1px solid var(--nc-border-strong);
    border-radius: var(--nc-radius-full);
    background: var(--nc-sunken);
  }
  .switch__knob {
    inline-size: calc(0.75 * var(--nc-unit));
    block-size: calc(0.75 * var(--nc-unit));
    border-radius: var(--nc-radius-full);
    background: var(--nc-border-strong);
    forced-color-adjust: none;
  }
  .switch[aria-checked="true"] .switch__track {
    justify-content: end;
    border-color: var(--nc-accent-fill);
    background: var(--nc-accent-fill);
  }
  .switch[aria-checked="true"] .switch__knob {
    background: var(--nc-on-accent);
  }
  @media (forced-colors: active) {
    .switch__knob {
      background: ButtonText;
    }
    .switch[aria-checked="true"] .switch__knob {
      background: Highlight;
    }
  }
  .status {
    display: flex;
    align-items: center;
    gap: var(--nc-space-2);
  }
  .status .icon {
    --icon: var(--nc-icon-offline);
  }
  ul {
    margin: 0;
    padding: 0;
    list-style: none;
  }
  .row {
    position: relative;
  }
  .row + .row {
    border-block-start: 1px solid var(--nc-border);
  }
  .row__link {
    display: flex;
    gap: var(--nc-space-3);
    padding-block: var(--nc-space-3);
    padding-inline: var(--nc-space-4) calc(2.5 * var(--nc-unit));
    color: inherit;
    text-decoration: none;
    transition: background var(--nc-quick);
  }
  .row:not(.row--unread) {
    background: var(--nc-read);
  }
  .row__link:hover {
    background: var(--nc-hover);
  }
  .row__link:focus-visible {
    outline-offset: -2px;
  }
  .row__text {
    display: grid;
    gap: 2px;
    min-inline-size: 0;
  }
  .row__title {
    overflow-wrap: anywhere;
    color: var(--nc-muted);
  }
  .row--unread .row__title {
    color: var(--nc-text);
    font-weight: 600;
  }
  .row__summary {
    overflow: hidden;
    color: var(--nc-muted);
    font-size: var(--nc-text-s);
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .row__read {
    position: absolute;
    inset-block-start: var(--nc-space-2);
    inset-inline-end: var(--nc-space-2);
    display: grid;
    place-items: center;
    inline-size: calc(1.75 * var(--nc-unit));
    block-size: calc(1.75 * var(--nc-unit));
    border-radius: var(--nc-radius-full);
    color: var(--nc-accent);
  }
  .row__read::before {
    content: "";
    inline-size: var(--nc-space-2);
    block-size: var(--nc-space-2);
    border-radius: var(--nc-radius-full);
    background: currentcolor;
    forced-color-adjust: none;
  }
  .row__read:hover {
    background: var(--nc-sunken);
  }
  .row__read .icon {
    --icon: var(--nc-icon-read);
    display: none;
  }
  .row:not(.row--unread) .row__read::before {
    border: 2px solid;
    background: none;
  }
  @media (hover: hover) {
    .row:not(.row--unread, :hover, :focus-within) .row__read {
      opacity: 0;
    }
  }
  .row--unread .row__read:is(:hover, :focus-visible)::before {
    content: none;
  }
  .row--unread .row__read:is(:hover, :focus-visible) .icon {
    display: block;
  }
  .note {
    display: grid;
    justify-items: center;
    gap: var(--nc-space-2);
    padding: var(--nc-space-7) var(--nc-space-5);
    color: var(--nc-muted);
    text-align: center;
  }
  .note strong {
    color: var(--nc-text);
    font-weight: 600;
  }
  .note p {
    margin: 0;
    max-inline-size: 30ch;
  }
  .note .icon {
    --icon: var(--nc-icon-alert);
    inline-size: calc(1.75 * var(--nc-unit));
    block-size: calc(1.75 * var(--nc-unit));
    margin-block-end: var(--nc-space-2);
  }
  .note--calm .icon {
    --icon: var(--nc-icon-bell);
  }
`;
