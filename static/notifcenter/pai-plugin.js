/**
 * OpenPAI's web portal loads this classic script, then puts <pai-plugin> into its page: our inbox and preferences.
 * The portal (OpenPAI v1.8, src/webportal/src/app/plugin/plugin.component.js) gives pai-user and
 * pai-rest-server-token to those who are signed in. Where we live is where this script came from.
 */
(() => {
  const LONGEST_PAUSE_MS = 30_000;
  const script = document.currentScript.src;
  const baseUrl = new URL("../..", script).href;
  const page = new URL("define-page.js", script).href;

  /** The portal's own page of a job. What did not come from the portal's cluster keeps its address. */
  function portalUrl({ url, job }) {
    if (!url.endsWith(`/jobs/${encodeURIComponent(job.framework)}/`)) return url;
    return `job-detail.html?${new URLSearchParams({ username: job.username, jobName: job.name })}`;
  }

  class PaiPlugin extends HTMLElement {
    static observedAttributes = ["pai-rest-server-token", "lang", "theme"];
    #page = document.createElement("notif-page");

    connectedCallback() {
      this.#page.setAttribute("base-url", baseUrl);
      this.#page.jobUrl = portalUrl;
      if (customElements.get("notif-page")) this.replaceChildren(this.#page);
      else this.#load();
    }

    attributeChangedCallback(name, _, value) {
      const ours = name === "pai-rest-server-token" ? "token" : name;
      if (value === null) this.#page.removeAttribute(ours);
      else this.#page.setAttribute(ours, value);
    }

    async #load(pauseMs = 1000) {
      try {
        await import(page);
        this.replaceChildren(this.#page);
      } catch {
        const trouble = document.createElement("p");
        trouble.style.margin = "24px";
        trouble.textContent =
          `Notifications could not be loaded from ${baseUrl}. Either that server does not answer, or it does not ` +
          `know this site: ${location.origin} must be in its CORS_ALLOWED_ORIGINS. Trying again.`;
        this.replaceChildren(trouble);
        setTimeout(() => this.isConnected && this.#load(Math.min(2 * pauseMs, LONGEST_PAUSE_MS)), pauseMs);
      }
    }
  }

  if (!customElements.get("pai-plugin")) customElements.define("pai-plugin", PaiPlugin);
})();
