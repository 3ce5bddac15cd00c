/** The number of unread notifications in the title, the picture and the app's badge of our own pages. */

const title = document.title;
const icon = document.querySelector('link[rel="icon"]');
const plain = icon.href;
const marked = new URL("favicon-unread.svg", import.meta.url).href;

document.addEventListener("notif-unread", ({ detail: { unread, more } }) => {
  document.title = unread ? `(${unread}${more ? "+" : ""}) ${title}` : title;
  icon.href = unread ? marked : plain;
  const badge = unread ? navigator.setAppBadge?.(unread) : navigator.clearAppBadge?.();
  badge?.catch(() => {}); // only an installed page has one
});
