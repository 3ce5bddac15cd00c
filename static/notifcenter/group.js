/** Which tabs of a browser may share one connection: those that show the same user the same server in one language. */

/** Whose page this is; only our own pages say so. */
export const pageUser = () => document.querySelector('meta[name="notifcenter-user"]')?.content ?? "";

/**
 * The name of the tabs' lock and channel: a digest, so that neither shows a token.
 * @returns {Promise<string>} empty when this page must have a connection of its own: the browser lacks what sharing
 *   needs (outside of HTTPS and localhost, all browsers do), or nobody says who the user is
 */
export async function groupName({ baseUrl = "", token = "", language }) {
  const user = token ? "" : pageUser();
  if (!(token || user) || !navigator.locks || !globalThis.BroadcastChannel || !globalThis.crypto?.subtle) return "";
  const server = new URL(baseUrl.replace(/\/+$/, "") || "/", document.baseURI).href;
  const bytes = new TextEncoder().encode(JSON.stringify([server, token, user, language]));
  try {
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    await navigator.locks.query(); // refused in a frame whose site keeps no storage
    return `notifcenter ${[...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
  } catch {
    return "";
  }
}
