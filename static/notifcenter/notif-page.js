import { html } from "./vendor/lit.js";
import { NotifElement } from "./element.js";
import { note } from "./inbox-view.js";
import { pageSheets, shared } from "./styles.js";

const PREFERENCES = "#preferences";

/**
 * Inbox and preferences as a page inside another site. Its tree is shut off from that site's styles, and looks like
 * our own pages by their sheets. The address's fragment says which of the two is shown.
 *
 * @attr base-url  where Notifcenter lives
 * @attr token     bearer token of the cluster; without one nobody is signed in
 * @attr lang, theme  as for the bell
 * @prop jobUrl (notification) => the address to which it leads; default: its own
 */
export class NotifPage extends NotifElement {
  static properties = {
    baseUrl: { attribute: "base-url" },
    token: {},
    jobUrl: { attribute: false },
    _awaited: { state: true },
  };
  static styles = shared;

  constructor() {
    super();
    this._awaited = pageSheets.length;
  }

  connectedCallback() {
    super.connectedCallback();
    globalThis.addEventListener("hashchange", this.#follow);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    globalThis.removeEventListener("hashchange", this.#follow);
  }

  render() {
    const arrived = () => this._awaited--;
    return html`
      ${pageSheets.map((href) => html`<link rel="stylesheet" href=${href} @load=${arrived} @error=${arrived} />`)}
      <div class="embedded" ?hidden=${this._awaited > 0} lang=${this.t.locale}>
        <div class="page">
          ${this.token
            ? [this.#head(), this.#body()]
            : note(this.t("You are not signed in"), this.t("Sign in to this site to see your notifications."))}
        </div>
      </div>
    `;
  }

  #head() {
    const link = (href, text) =>
      html`<a href=${href} aria-current=${(location.hash || "#") === href ? "page" : "false"}>${text}</a>`;
    const { baseUrl, token, jobUrl, theme } = this;
    return html`
      <div class="embedded__head">
        <nav class="site-nav" aria-label=${this.t("Notifications")}>
          ${link("#", this.t("Inbox"))}${link(PREFERENCES, this.t("Preferences"))}
        </nav>
        <notif-bell inbox-url="#" .baseUrl=${baseUrl} .token=${token} .jobUrl=${jobUrl} .theme=${theme}></notif-bell>
      </div>
    `;
  }

  #body() {
    const { baseUrl, token, jobUrl } = this;
    return html`
      ${location.hash === PREFERENCES
        ? html`<notif-preferences class="preferences" .baseUrl=${baseUrl} .token=${token}></notif-preferences>`
        : html`<notif-inbox class="inbox" .baseUrl=${baseUrl} .token=${token} .jobUrl=${jobUrl}></notif-inbox>`}
      <notif-toasts inbox-url="#" .baseUrl=${baseUrl} .token=${token} .jobUrl=${jobUrl}></notif-toasts>
    `;
  }

  #follow = () => this.requestUpdate();
}
