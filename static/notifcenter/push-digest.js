/** The name under which the server knows a subscription of this browser (preferences/browsers.py). */
export async function digestOf({ endpoint }) {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(endpoint)));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
