import { css } from "./vendor/lit.js";

export const toastStyles = css`
  :host {
    display: block !important;
    position: fixed !important;
    z-index: 1000 !important;
    inset-block-end: var(--nc-space-4) !important;
    inset-inline-end: var(--nc-space-4) !important;
    inline-size: min(var(--nc-toast-width), 100vw - 2 * var(--nc-space-4)) !important;
    pointer-events: none !important;
    color: var(--nc-text);
    font: 400 var(--nc-text-m) / var(--nc-line) var(--nc-font);
  }
  section {
    display: grid;
    gap: var(--nc-space-2);
  }
  .toast {
    pointer-events: auto;
    border: 1px solid var(--nc-border);
    border-radius: var(--nc-radius-l);
    background: var(--nc-raised);
    box-shadow: var(--nc-shadow);
  }
  .toast {
    display: flex;
    gap: var(--nc-space-3);
    padding: var(--nc-space-3);
    animation: arrive 180ms ease-out;
  }
  .text {
    flex: 1;
    display: grid;
    gap: 2px;
    min-inline-size: 0;
    margin: 0;
    align-content: center;
    color: inherit;
    text-decoration: none;
    overflow-wrap: anywhere;
  }
  .text strong {
    font-weight: 600;
  }
  .text > span {
    color: var(--nc-muted);
    font-size: var(--nc-text-s);
  }
  .action {
    color: var(--nc-accent);
    font-weight: 600;
    padding-inline: var(--nc-space-2);
    border-radius: var(--nc-radius-s);
  }
  .close {
    --icon: var(--nc-icon-close);
    flex: none;
    align-self: start;
    display: grid;
    place-items: center;
    inline-size: calc(1.75 * var(--nc-unit));
    block-size: calc(1.75 * var(--nc-unit));
    border-radius: var(--nc-radius-full);
    color: var(--nc-muted);
  }
  .close:hover,
  .action:hover {
    background: var(--nc-hover);
  }
  @keyframes arrive {
    from {
      opacity: 0;
      translate: 0 0.5rem;
    }
  }
  @media (prefers-reduced-motion: reduce) {
    .toast {
      animation: none;
    }
  }
`;
