/** One websocket for all tabs that show the same user: one tab leads and tells the others what it hears. */

import { groupName, pageUser } from "./group.js";
import { Leadership } from "./leadership.js";
import { Recent } from "./recent.js";
import { Socket } from "./socket.js";
import { Watchers } from "./watchers.js";

const ASK_MS = 5_000;

/**
 * Who leads holds a lock: when its tab is closed or dies, the browser gives it to the next. A tab that follows asks
 * its leader for a sign of life, and takes the lock away from one that gives none: it is frozen. Whatever two
 * leaders say at a time is told apart by their terms, and the store drops what it knows.
 *
 * Events: `frame` and `status` as of a socket; `echo` (detail: what another tab has said by `echo`).
 */
export class Connection extends EventTarget {
  /** @type {"" | "alone" | "leading" | "following"} */
  role = "";
  #where;
  #lastId;
  #socket;
  #recent = new Recent();
  #status = "connecting";
  #id = Math.random();
  #turn = 0; // of start and stop: what was begun in an earlier one counts no more
  #wanted = false;
  #channel = null;
  #clock;
  #term = 0;
  #greeted = 0; // the term whose leader has said hello
  #asked = false;
  #robbed = false;
  #leadership = null;
  #watchers = new Watchers();

  /** @param {() => number | null} options.lastId */
  constructor({ baseUrl, token, language, lastId }) {
    super();
    this.#where = { baseUrl, token, language };
    this.#lastId = lastId;
    this.#socket = new Socket({ ...this.#where, lastId, user: token || baseUrl ? "" : pageUser() });
    this.#socket.addEventListener("frame", ({ detail }) => this.#tell("frame", detail));
    this.#socket.addEventListener("status", ({ detail }) => this.#tell("status", detail));
  }

  async start() {
    if (this.#wanted) return;
    this.#wanted = true;
    const turn = ++this.#turn;
    const name = await groupName(this.#where);
    if (turn !== this.#turn) return;
    if (!name) return this.#goAlone();
    this.#channel = new BroadcastChannel(name);
    this.#channel.addEventListener("message", ({ data }) => this.#heard(data));
    document.addEventListener("visibilitychange", this.#looked);
    this.#clock = setInterval(() => this.#check(), ASK_MS);
    this.#asked = this.#robbed = false;
    this.#ask();
    this.#leadership = new Leadership({ name, won: () => this.#lead(), lost: (had) => this.#unseat(had) });
    this.#leadership.stand();
  }

  stop() {
    this.#wanted = false;
    this.#turn++;
    this.#leave();
    this.#socket.stop();
    this.role = "";
  }

  /** @returns {boolean} whether the frame could be sent; a tab that follows is told all without asking */
  send(frame) {
    return this.#socket.send(frame);
  }

  /** Tells the other tabs something that this one knows. */
  echo(detail) {
    this.#post({ kind: "echo", detail });
  }

  /** Whether this is the tab of its group that speaks to somebody who looks at none of them. */
  get speaks() {
    return (this.role === "leading" || this.role === "alone") && document.hidden && !this.#watchers.some();
  }

  #lead() {
    this.role = "leading";
    this.#term = Math.max(Date.now(), this.#term + 1);
    this.#socket.start();
  }

  /** Another tab has taken over. */
  #unseat(had) {
    if (!had) return this.#goAlone();
    this.#robbed = true;
    this.#step("following");
    this.#leadership.stand();
  }

  /** Down from leading. */
  #step(role) {
    this.role = role;
    this.#socket.stop();
    this.#leadership.leave();
    this.#asked = false;
  }

  #goAlone() {
    this.#leave();
    this.role = "alone";
    this.#socket.start();
  }

  #leave() {
    this.#leadership?.leave();
    this.#leadership = null;
    clearInterval(this.#clock);
    document.removeEventListener("visibilitychange", this.#looked);
    this.#channel?.close();
    this.#channel = null;
  }

  /** What the socket says: here, and to all who follow. Who is refused leaves it to them to try for themselves. */
  #tell(kind, detail) {
    const refused = kind === "status" && detail === "refused";
    if (refused && this.role === "leading") this.#step("");
    else this.#post({ kind, detail, term: this.#term });
    this.#say(kind, detail);
  }

  #heard({ kind, detail, term, to }) {
    if (kind === "echo") return this.#say("echo", detail);
    if (kind === "ask") return this.#answer(detail);
    if (this.role === "leading" || term < this.#term || (to && to !== this.#id)) return;
    this.#term = term;
    this.#asked = this.#robbed = false;
    if (this.role !== "following") {
      this.role = "following";
      if (!this.#leadership.waiting) this.#leadership.stand();
    }
    if (kind === "status") return this.#follow(detail);
    if (kind === "frame") return this.#say("frame", detail);
    this.#follow(detail.status);
    for (const frame of detail.frames) this.#say("frame", frame);
    const type = this.#greeted === term ? "state" : "hello";
    if (detail.counts) this.#say("frame", { type, heartbeat: true, ...detail.counts });
  }

  #answer({ from, after, visible, looked }) {
    this.#watchers.note(from, visible);
    if (this.role !== "leading") return;
    if (visible && looked) this.#socket.hurry();
    const { counts } = this.#recent;
    const detail = { status: this.#status, counts, frames: this.#recent.after(after) };
    this.#post({ kind: "answer", detail, term: this.#term, to: from });
  }

  #follow(status) {
    if (status !== this.#status && status !== "connecting") this.#say("status", status);
  }

  #ask({ looked = false } = {}) {
    const detail = { from: this.#id, after: this.#lastId(), visible: !document.hidden, looked };
    this.#post({ kind: "ask", detail });
  }

  #check() {
    if (this.role === "leading" || (this.role === "" && !this.#leadership.waiting)) return;
    if (this.#asked && this.#robbed) return this.#goAlone(); // tabs that share locks, but not what they say
    if (this.#asked) this.#leadership.stand({ steal: true });
    this.#asked = true;
    this.#ask();
  }

  #looked = () => {
    this.#asked = false;
    this.#ask({ looked: true });
    if (!document.hidden && !this.role && !this.#leadership.waiting) this.#leadership.stand(); // it was refused
  };

  #post(message) {
    this.#channel?.postMessage(message);
  }

  #say(name, detail) {
    if (name === "status") this.#status = detail;
    if (name === "frame") this.#recent.remember(detail);
    if (name === "frame" && detail.type === "hello") this.#greeted = this.#term;
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
