/**
 * Draws the pictures of icons.css into our shadow trees. A page whose policy lets in no images blocks a mask that is one,
 * so there they are elements; our own pages paint them as masks (masks.css), without script too.
 */

const SVG = "http://www.w3.org/2000/svg";
const SHAPES = ["path", "circle", "rect"];

/** By element: what it shows. */
const painted = new WeakMap();

/** Draws after each update of its host, and when a sheet has come: until then nothing says which picture is meant. */
export class IconPainter {
  #host;
  #root;

  constructor(host) {
    this.#host = host;
    host.addController(this);
  }

  hostConnected() {
    document.addEventListener("load", this.#again, true);
  }

  hostDisconnected() {
    document.removeEventListener("load", this.#again, true);
  }

  hostUpdated() {
    const root = this.#host.renderRoot.getRootNode();
    if (root !== document && root !== this.#root) root.addEventListener("load", this.#again, true);
    this.#root = root;
    this.#paint();
  }

  #again = ({ target }) => target.localName === "link" && this.#paint();

  #paint() {
    if (!this.#root || this.#root === document) return;
    for (const place of this.#host.renderRoot.querySelectorAll(".icon, .mark")) {
      const shown = place.className + (place.dataset.event ?? "");
      if (painted.get(place) === shown && place.firstElementChild) continue;
      const picture = pictureOf(getComputedStyle(place).getPropertyValue("--icon"));
      if (!picture) continue;
      place.replaceChildren(picture);
      painted.set(place, shown);
    }
  }
}

/** @param {string} value as icons.css has it: `url("data:image/svg+xml,…")` */
function pictureOf(value) {
  const source = /^url\("?data:image\/svg\+xml,(.*?)"?\)$/.exec(value.trim())?.[1];
  if (!source) return null;
  const { documentElement: drawn } = new DOMParser().parseFromString(decodeURIComponent(source), "image/svg+xml");
  const picture = copyOf(drawn, "svg");
  for (const shape of drawn.children) if (SHAPES.includes(shape.localName)) picture.append(copyOf(shape, shape.localName));
  return picture;
}

/** Black is the colour of masks; here it is that of the text. */
function copyOf(drawn, name) {
  const copy = document.createElementNS(SVG, name);
  for (const { name: attribute, value } of drawn.attributes) {
    if (attribute !== "xmlns") copy.setAttribute(attribute, value === "#000" ? "currentcolor" : value);
  }
  return copy;
}
