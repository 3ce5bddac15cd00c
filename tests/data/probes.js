/* What a page looks like to a person, for test_everyone.py: an expression that gives the questions by name. */
(() => {
  const LEAST_TARGET_PX = 24; // WCAG 2.2, 2.5.8

  /** All elements, those in shadow trees included. */
  const deep = (root = document, found = []) => {
    for (const one of root.querySelectorAll("*")) {
      found.push(one);
      if (one.shadowRoot) deep(one.shadowRoot, found);
    }
    return found;
  };
  const name = (one) => {
    const words = (one.getAttribute("aria-label") ?? one.textContent).trim().replace(/\s+/g, " ").slice(0, 40);
    return `${one.localName} ${one.id || one.name || ""} .${one.getAttribute("class") ?? ""} "${words}"`;
  };
  const isHidden = (one) => one.closest(".visually-hidden, .skip-link") !== null;
  const isShown = (one) => one.checkVisibility({ visibilityProperty: true });
  const FOCUSABLE = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']";
  const controls = () => deep().filter((one) => one.matches(FOCUSABLE) && isShown(one) && !isHidden(one));

  /** Where a click does it: a label is part of its field. */
  const target = (one) => {
    const boxes = [one, ...(one.labels ?? [])].map((each) => each.getBoundingClientRect());
    return {
      left: Math.min(...boxes.map(({ left }) => left)),
      top: Math.min(...boxes.map(({ top }) => top)),
      right: Math.max(...boxes.map(({ right }) => right)),
      bottom: Math.max(...boxes.map(({ bottom }) => bottom)),
    };
  };
  const isInText = (one) =>
    one.localName === "a" &&
    getComputedStyle(one).display === "inline" &&
    [...one.parentNode.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim());

  /** Targets that are too small and too near to another one: a circle of that size around them meets it. */
  const small = () => {
    const all = controls()
      .filter((one) => !one.disabled && !one.matches("[tabindex]:not(button, a)"))
      .map((one) => ({ one, area: target(one) }));
    const isSmall = ({ area }) =>
      area.right - area.left < LEAST_TARGET_PX || area.bottom - area.top < LEAST_TARGET_PX;
    const isCrowded = ({ one, area }) => {
      const [x, y] = [(area.left + area.right) / 2, (area.top + area.bottom) / 2];
      const meets = ({ left, top, right, bottom }) =>
        Math.hypot(Math.max(left - x, 0, x - right), Math.max(top - y, 0, y - bottom)) < LEAST_TARGET_PX / 2;
      return all.some(
        (other) =>
          other.one !== one && !other.one.contains(one) && !one.contains(other.one) && meets(other.area),
      );
    };
    return all
      .filter((each) => isSmall(each) && !isInText(each.one) && isCrowded(each))
      .map(({ one, area }) => `${name(one)}: ${area.right - area.left} × ${area.bottom - area.top}`);
  };

  /** Controls that stick out to the side; what scrolls by itself is no fault. */
  const cutOff = () =>
    controls()
      .filter((one) => {
        const { left, right } = one.getBoundingClientRect();
        return !one.closest(".table-scroll, pre") && (left < -0.5 || right > innerWidth + 0.5);
      })
      .map(name);

  const overflow = () => document.documentElement.scrollWidth - document.documentElement.clientWidth;

  const topmost = (x, y) => {
    let at = document.elementFromPoint(x, y);
    while (at?.shadowRoot) {
      const inside = at.shadowRoot.elementFromPoint(x, y);
      if (!inside || inside === at) break;
      at = inside;
    }
    return at;
  };

  /** What has the focus: whether any of it can be seen, and has a ring around it; null for the page itself. */
  const focused = () => {
    let one = document.activeElement;
    while (one?.shadowRoot?.activeElement) one = one.shadowRoot.activeElement;
    if (!one || one === document.body) return null;
    const { left, top, width, height } = one.getBoundingClientRect();
    const parts = [0.1, 0.5, 0.9];
    const points = parts
      .flatMap((x) => parts.map((y) => [left + x * width, top + y * height]))
      .filter(([x, y]) => x >= 0 && y >= 0 && x < innerWidth && y < innerHeight);
    const isOwn = (at) =>
      at && (one.contains(at) || at.contains(one) || [...(one.labels ?? [])].some((label) => label.contains(at)));
    const { outlineStyle, outlineWidth } = getComputedStyle(one);
    return {
      name: name(one),
      under: points.map(([x, y]) => topmost(x, y)).map((at) => at && name(at))[0],
      seen: points.some(([x, y]) => isOwn(topmost(x, y))),
      ring: outlineStyle !== "none" && parseFloat(outlineWidth) > 0,
    };
  };

  const moving = () =>
    document
      .getAnimations()
      .filter(({ effect, playState }) => playState === "running" && effect.getComputedTiming().duration > 1)
      .map(({ effect }) => name(effect.target));

  const EDGED = ".button, .badge, .switch__track, [aria-current=page], [aria-current=true], dialog[open], :popover-open";

  /** Where colours are forced, what is told from its ground by colour alone otherwise has an edge. */
  const faded = () =>
    deep()
      .filter((one) => one.matches(EDGED) && isShown(one) && !isHidden(one))
      .filter((one) => {
        const style = getComputedStyle(one);
        const isUnderlined = style.textDecorationLine.includes("underline");
        return style.outlineStyle === "none" && !parseFloat(style.borderTopWidth) && !parseFloat(style.borderBottomWidth) && !isUnderlined;
      })
      .map(name);

  const count = () => controls().length;

  return { small, cutOff, overflow, focused, moving, faded, count };
})()
