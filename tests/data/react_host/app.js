// A page built with React that embeds our elements as anybody would: the tests build it with esbuild.
import { createElement as make, useState } from "react";
import { createRoot } from "react-dom/client";

const { site, expired, fresh } = document.getElementById("app").dataset;

function App() {
  const [token, setToken] = useState(expired);
  const [unread, setUnread] = useState("?");
  const [opened, setOpened] = useState("");
  const [inbox, setInbox] = useState(false);
  const open = (event) => {
    event.preventDefault();
    setOpened(event.detail.notification.job.name);
  };
  return make(
    "main",
    null,
    make("notif-bell", {
      "base-url": site,
      token,
      "onnotif-unread": (event) => setUnread(event.detail.unread),
      "onnotif-open": open,
    }),
    make("p", null, `Unread: ${unread}`),
    make("p", null, `Opened: ${opened}`),
    make("button", { onClick: () => setToken(fresh) }, "Renew"),
    make("button", { onClick: () => setInbox(!inbox) }, "Toggle inbox"),
    inbox && make("notif-inbox", { "base-url": site, token }),
  );
}

createRoot(document.getElementById("app")).render(make(App));
