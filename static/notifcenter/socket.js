/** The websocket: stays connected, resumes after the last known id, and says what it hears. */

const SUBPROTOCOL = "notifcenter";
const SILENCE_MS = 75_000; // the server says something every 30 s
const OVERDUE_MS = 35_000;
const CONNECT_MS = 60_000; // as long as the server lets one wait: after its restart all stand in line
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
const SIGNED_OUT = 4401;
const WRONG_ORIGIN = 4403;

/**
 * Events: `frame` (detail: the parsed frame) and `status` (detail: "open", "offline", "refused"). It is "refused"
 * until the page is looked at again: its reader may have signed in elsewhere.
 */
export class Socket extends EventTarget {
  #url;
  #token;
  #lastId;
  #user;
  #socket = null;
  #heardAt = 0;
  #failures = 0;
  #retryTimer;
  #silenceTimer;
  #wanted = false;

  /**
   * @param {() => number | null} options.lastId the newest id that is known, null before the first page
   * @param {string} options.user whose page this is, if it says so: somebody else's news do not belong here
   */
  constructor({ baseUrl = "", token = "", language, user = "", lastId }) {
    super();
    this.#user = user;
    const url = new URL(`${baseUrl.replace(/\/+$/, "")}/ws/notifications/?lang=${language}`, document.baseURI);
    url.protocol = url.protocol.replace("http", "ws");
    this.#url = url.href;
    this.#token = token;
    this.#lastId = lastId;
  }

  start() {
    if (this.#wanted) return;
    this.#wanted = true;
    globalThis.addEventListener("online", this.hurry);
    globalThis.addEventListener("offline", this.#cutOff);
    document.addEventListener("visibilitychange", this.#seen);
    this.#connect();
  }

  stop() {
    this.#wanted = false;
    globalThis.removeEventListener("online", this.hurry);
    globalThis.removeEventListener("offline", this.#cutOff);
    document.removeEventListener("visibilitychange", this.#seen);
    clearTimeout(this.#retryTimer);
    this.#drop();
  }

  /** @returns {boolean} whether the frame could be sent */
  send(frame) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  /** Connects now, if it is not connected. After a sleep the old connection may look open and be dead. */
  hurry = () => {
    if (!this.#wanted) return;
    if (this.#socket && Date.now() - this.#heardAt > OVERDUE_MS) this.#drop();
    if (!this.#socket) this.#connect();
  };

  #connect() {
    clearTimeout(this.#retryTimer);
    const protocols = this.#token ? [SUBPROTOCOL, `bearer.${this.#token}`] : [];
    let socket;
    try {
      socket = new WebSocket(this.#url, protocols);
    } catch {
      this.#say("status", "refused"); // no token has such characters
      return;
    }
    this.#socket = socket;
    this.#expectFrame(CONNECT_MS);
    socket.addEventListener("message", (event) => socket === this.#socket && this.#hear(event.data));
    socket.addEventListener("close", (event) => {
      if (socket === this.#socket) this.#closed(event.code);
    });
  }

  #hear(data) {
    let frame;
    try {
      frame = JSON.parse(data);
    } catch {
      return;
    }
    this.#expectFrame();
    if (frame.type === "hello") {
      if (this.#user && frame.user !== this.#user) return this.#closed(SIGNED_OUT);
      this.#failures = 0;
      const after = this.#lastId();
      if (after !== null) this.send({ type: "resume", after });
      this.#say("status", "open");
    }
    this.#say("frame", frame);
  }

  #closed(code) {
    this.#drop();
    if (!this.#wanted) return;
    if (code === WRONG_ORIGIN) this.stop();
    if (code === WRONG_ORIGIN || code === SIGNED_OUT) {
      this.#say("status", "refused");
      return;
    }
    this.#say("status", "offline");
    const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#failures++);
    this.#retryTimer = setTimeout(() => this.#connect(), longest * (0.5 + Math.random() / 2));
  }

  /** A connection that says nothing is dead, whatever the browser believes. */
  #expectFrame(withinMs = SILENCE_MS) {
    this.#heardAt = Date.now();
    clearTimeout(this.#silenceTimer);
    this.#silenceTimer = setTimeout(() => this.#closed(0), withinMs);
  }

  #drop() {
    clearTimeout(this.#silenceTimer);
    const socket = this.#socket;
    this.#socket = null;
    if (socket?.readyState === WebSocket.CONNECTING) {
      socket.addEventListener("open", () => socket.close()); // closing it now would log an error
    } else {
      socket?.close();
    }
  }

  #seen = () => document.hidden || this.hurry();

  #cutOff = () => this.#socket && this.#closed(0);

  #say(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
