/** REST calls. With a token: bearer, no cookies. Without: the session's cookie, and its CSRF token for writing. */

import { pageUser } from "./group.js";
import { msg } from "./i18n.js";

/** Its message is to be translated where it is shown, with the error itself as values. */
export class ApiError extends Error {
  /**
   * @param {number} status HTTP status; 0 when the server could not be reached
   * @param {object} fields what is wrong with the request (400), by the names of its fields
   */
  constructor(status, message, fields = {}) {
    super(message);
    this.status = status;
    this.fields = fields;
  }
}

const KEEPALIVE_CHARACTERS = 30_000;

const SIGNED_OUT = new Set([401, 403]);

export class Api {
  #base;
  #token;
  #language;
  #user;

  constructor({ baseUrl = "", token = "", language }) {
    this.#base = `${baseUrl.replace(/\/+$/, "")}/api/v1/`;
    this.#token = token;
    this.#language = language;
    this.#user = token || baseUrl ? "" : pageUser();
  }

  /** One page, `{results, next, previous}`. `filters` are those of the REST; several values as an array. */
  page(filters = {}) {
    const query = new URLSearchParams();
    for (const [name, values] of Object.entries(filters)) {
      for (const value of [values].flat()) if (value !== null && value !== undefined) query.append(name, value);
    }
    return this.#request("GET", `notifications/?${query}`);
  }

  unread() {
    return this.#request("GET", "notifications/unread/");
  }

  /** @param {{ids: number[]} | {up_to: number}} which */
  markRead(which) {
    return this.#request("POST", "notifications/mark-read/", which);
  }

  /** @param {{read?: boolean, archived?: boolean}} change */
  change(id, change) {
    return this.#request("PATCH", `notifications/${id}/`, change);
  }

  /**
   * Many at once; answers `{changed, next, undo, unread, more}`.
   * @param {{ids: number[], action: string} | {filter: object, cursor?: string, action: string} | {undo: string}} what
   */
  bulk(what) {
    return this.#request("POST", "notifications/bulk/", what);
  }

  /** What holds for one job. */
  job(framework) {
    return this.#request("GET", `jobs/${encodeURIComponent(framework)}/notification-config/`);
  }

  /** What holds for one job alone. @param {object} change what is left out stays */
  changeJob(framework, change) {
    return this.#request("PATCH", `jobs/${encodeURIComponent(framework)}/notification-config/`, change);
  }

  /** A sweep: its jobs by state, and what was asked of it. */
  group(id) {
    return this.#request("GET", `groups/${id}/`);
  }

  /** @param {{muted?: boolean, muted_until?: string, tell_when_ended?: boolean}} change */
  changeGroup(id, change) {
    return this.#request("PATCH", `groups/${id}/`, change);
  }

  preferences() {
    return this.#request("GET", "preferences/");
  }

  /** What is said of them: labels, help and choices by field, titles and texts by section. */
  preferenceWords() {
    return this.#request("GET", "preferences/words/");
  }

  /** @param {object} change what is left out stays, on every level */
  changePreferences(change) {
    return this.#request("PATCH", "preferences/", change);
  }

  /** The site's key for subscribing, and the browsers that the user has added. */
  pushSubscriptions() {
    return this.#request("GET", "push-subscriptions/");
  }

  /** @param {object} subscription as PushSubscription.toJSON() has it */
  addPushSubscription(subscription) {
    return this.#request("POST", "push-subscriptions/", subscription);
  }

  /** @returns {Promise<{accepted: boolean, detail: string}>} */
  testMail() {
    return this.#request("POST", "preferences/test-mail/");
  }

  async #request(method, path, body) {
    const headers = { Accept: "application/json", "Accept-Language": this.#language };
    if (body) headers["Content-Type"] = "application/json";
    if (this.#token) headers.Authorization = `Bearer ${this.#token}`;
    else if (method !== "GET") headers["X-CSRFToken"] = cookie("csrftoken");
    // The cookie may be somebody else's by now, who has signed in in another tab.
    if (this.#user) headers["X-Notifcenter-User"] = encodeURIComponent(this.#user);
    const content = body && JSON.stringify(body);
    let response;
    try {
      response = await fetch(this.#base + path, {
        method,
        headers,
        body: content,
        // A click that marks as read often leaves the page. Browsers refuse it for more.
        keepalive: method !== "GET" && !(content?.length > KEEPALIVE_CHARACTERS),
        credentials: this.#token ? "omit" : "same-origin",
      });
    } catch {
      throw new ApiError(0, msg("The server cannot be reached."));
    }
    if (SIGNED_OUT.has(response.status)) throw new ApiError(response.status, msg("You are signed out."));
    if (response.status === 400) throw new ApiError(400, msg("This cannot be used."), await response.json());
    if (response.status === 409 || response.status === 429) throw new ApiError(response.status, msg("Please try again later."), await response.json().catch(() => ({})));
    if (!response.ok) throw new ApiError(response.status, msg("The server answered with an error ({status})."));
    return response.status === 204 ? null : response.json();
  }
}

function cookie(name) {
  const start = `${name}=`;
  const found = document.cookie.split("; ").find((part) => part.startsWith(start));
  return found ? decodeURIComponent(found.slice(start.length)) : "";
}
