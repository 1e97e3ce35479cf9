// @ts-check
/** The living graph: a picture that follows the scene, and what mouse and keyboard do with it. */
import { make, setText } from "shared/dom.js";
import { styleValue } from "shared/frame.js";
import { Camera } from "./camera.js";
import { Layout } from "./layout.js";
import { Motion } from "./motion.js";
import { Painter } from "./painter.js";
import { ELEMENT, kindOf, partyText, percent, plural } from "./words.js";

/** @typedef {import("./layout.js").Node} Node */
/** @typedef {import("./painter.js").View} View */
/** @typedef {import("./scene.js").Scene} Scene */
/** @typedef {import("../facts.ts").ComponentFact} ComponentFact */
/** @typedef {import("../facts.ts").EventFact} EventFact */

/** Wait between two pictures of sessions that flow: a lab's computers have other work. */
const FLOW_FRAME_MS = 24;

/** The picture takes no more than a third of the time: whatever else there is on the page stays quick. */
const REST = 3;

/** A step of the nodes for so much time, and no more than this at once: who comes back to a page has not to wait for it. */
const STEP_MS = 17, MAX_STEP_MS = 70;

/** What steps may take of a frame when they are in a hurry. */
const HURRY_MS = 12;

/** How near the mouse must come to a node, in pixels. */
const REACH = 8;

/** A finger that moves less has pressed. */
const CLICK_PIXELS = 4;

const ZOOM_STEP = 1.3;

const COLOURS = /** @type {const} */ ([
  "text",
  "faint",
  "line",
  "surface",
  "raised",
  "accent",
  "good",
  "warning",
  "bad",
  "registrar",
  "element",
  "user",
]);

/**
 * @typedef {object} GraphOptions
 * @property {HTMLElement} place
 * @property {HTMLElement} legend what covers the lower part of the place
 * @property {Scene} scene
 * @property {(id: string | undefined) => void} onSelect
 * @property {(text: string) => void} onAnnounce says something to those who do not see it
 * @property {(isFitting: boolean) => void} onFit whether all is looked at
 */

/** A picture in a page. */
export class Graph {
  #options;
  #layout = new Layout();
  #camera = new Camera();
  #base = make("canvas", { class: "base" });
  #above = make("canvas", { class: "above" });
  #tip = make("div", { class: "tip", hidden: true });
  #painter;
  #motion;
  /** @type {View} */
  #view;
  /** Pixels of the canvases for one of the page. */
  #pixelRatio = 1;
  #isDirty = true;
  #frame = 0;
  #timer = 0;
  #lastFrameAt = 0;
  #restUntil = 0;
  /** The scene is new: nodes shall be at their places soon. */
  #isHurried = false;
  #stillness = matchMedia("(prefers-reduced-motion: reduce)");

  /** @param {GraphOptions} options */
  constructor(options) {
    this.#options = options;
    this.#painter = new Painter(contextOf(this.#base));
    this.#motion = new Motion(contextOf(this.#above));
    this.#view = {
      layout: this.#layout,
      camera: this.#camera,
      palette: palette(),
      selected: undefined,
      hovered: undefined,
      focused: undefined,
      isWanted: undefined,
    };
    const { place } = options;
    place.append(this.#base, this.#above, this.#tip);
    new ResizeObserver(() => this.#resize()).observe(place);
    this.#resize();
    this.#listen(place);
  }

  /**
   * The scene has changed.
   *
   * @param {boolean} isNew it is another one: nobody has come or gone before one's eyes
   * @param {readonly EventFact[]} events that happened now
   */
  update(isNew, events) {
    const now = performance.now(), { appeared, left } = this.#layout.update(this.#options.scene);
    if (this.#isStill) this.#layout.settle();
    this.#isHurried ||= isNew;
    if (!isNew && !this.#isStill && !document.hidden) {
      for (const node of left) this.#motion.leave(node, now);
      for (const node of appeared) this.#motion.appear(node, now);
      for (const event of events) this.#motion.move(event, this.#view, now);
    }
    for (const key of /** @type {const} */ (["hovered", "focused"])) {
      const id = this.#view[key];
      if (id !== undefined && !this.#layout.nodes.has(id)) this.#view[key] = undefined;
    }
    if (this.#view.hovered !== undefined) this.#tell();
    this.#camera.fit(this.#layout.box, isNew || this.#isStill);
    this.#draw();
  }

  /**
   * Somebody is selected, here or elsewhere.
   *
   * @param {string | undefined} id
   */
  select(id) {
    this.#view.selected = id;
    this.#draw();
  }

  /**
   * Only some are wanted; undefined = all.
   *
   * @param {((id: string) => boolean) | undefined} isWanted
   */
  filter(isWanted) {
    this.#view.isWanted = isWanted;
    this.#draw();
  }

  /** Colours are others. */
  recolour() {
    this.#view.palette = palette();
    this.#draw();
  }

  /** Looks at all. */
  fit() {
    this.#camera.isFitting = true;
    this.#camera.fit(this.#layout.box, this.#isStill);
    this.#options.onFit(true);
    this.#draw();
  }

  /** @param {number} steps */
  zoom(steps) {
    this.#camera.zoomBy(ZOOM_STEP ** steps);
    this.#options.onFit(false);
    this.#draw();
  }

  get #isStill() {
    return this.#stillness.matches;
  }

  #resize() {
    const { place } = this.#options, { clientWidth, clientHeight } = place;
    const ratio = this.#pixelRatio = devicePixelRatio;
    for (const canvas of [this.#base, this.#above]) {
      canvas.width = Math.max(1, Math.round(clientWidth * ratio));
      canvas.height = Math.max(1, Math.round(clientHeight * ratio));
    }
    this.#layout.aspect = clientWidth / Math.max(1, clientHeight);
    this.#camera.width = clientWidth;
    this.#camera.height = clientHeight;
    this.#camera.legend = this.#options.legend.offsetHeight;
    this.#camera.fit(this.#layout.box, true);
    this.#draw();
  }

  #draw() {
    this.#isDirty = true;
    this.#run();
  }

  /**
   * Asks for a frame.
   *
   * @param {number} [waitMs] that nobody minds
   */
  #run(waitMs = 0) {
    if (waitMs > 0) {
      this.#timer ||= setTimeout(() => {
        this.#timer = 0;
        this.#run();
      }, waitMs);
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = 0;
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame((now) => {
      this.#frame = 0;
      this.#paint(now);
    });
  }

  /** @param {number} now */
  #paint(now) {
    const hasFlow = !this.#isStill && Motion.flows(this.#view);
    if (now >= this.#restUntil) this.#paintFrame(now, hasFlow);
    const isMoving = this.#isDirty || this.#layout.isMoving || this.#camera.isMoving;
    if (isMoving) this.#run(this.#restUntil - performance.now());
    else if (this.#motion.isBusy || hasFlow) this.#run(FLOW_FRAME_MS);
  }

  /**
   * @param {number} now
   * @param {boolean} hasFlow
   */
  #paintFrame(now, hasFlow) {
    const elapsedMs = Math.min(MAX_STEP_MS, now - this.#lastFrameAt), beganAt = performance.now();
    this.#lastFrameAt = now;
    // A window that goes to a screen of another density keeps its size, and nobody tells of it.
    if (devicePixelRatio !== this.#pixelRatio) this.#resize();
    if (this.#layout.isMoving) {
      this.#step(elapsedMs, beganAt);
      this.#camera.fit(this.#layout.box, this.#isStill);
      this.#isDirty = true;
    }
    if (this.#camera.isMoving) {
      this.#camera.step(elapsedMs);
      this.#isDirty = true;
    }
    if (this.#isDirty) this.#painter.paint(this.#view, this.#pixelRatio);
    this.#isDirty = false;
    this.#motion.paint(this.#view, this.#pixelRatio, now, hasFlow);
    this.#restUntil = now + REST * (performance.now() - beganAt);
  }

  /**
   * Lets the nodes go on: as time does, or as fast as it goes when nobody has seen them before.
   *
   * @param {number} elapsedMs
   * @param {number} beganAt
   */
  #step(elapsedMs, beganAt) {
    this.#isHurried &&= this.#layout.isMoving;
    for (let stepMs = 0; stepMs < elapsedMs; stepMs += STEP_MS) this.#layout.step();
    while (this.#isHurried && this.#layout.isMoving && performance.now() - beganAt < HURRY_MS) {
      this.#layout.step();
    }
  }

  /** @param {HTMLElement} place */
  #listen(place) {
    /** @type {{ x: number, y: number, far: number, node: Node | undefined } | undefined} */
    let held;
    place.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      place.setPointerCapture(event.pointerId);
      held = { x: event.offsetX, y: event.offsetY, far: 0, node: this.#nodeAt(event.offsetX, event.offsetY) };
    });
    place.addEventListener("pointermove", (event) => {
      const { offsetX: x, offsetY: y } = event;
      if (held === undefined) return this.#hover(this.#nodeAt(x, y));
      const byX = x - held.x, byY = y - held.y;
      held.far += Math.abs(byX) + Math.abs(byY);
      held.x = x;
      held.y = y;
      if (held.far <= CLICK_PIXELS) return;
      if (held.node === undefined) this.#pan(byX, byY);
      else this.#carry(held.node, x, y);
    });
    const release = () => {
      if (held === undefined) return;
      const { node, far } = held;
      held = undefined;
      if (node !== undefined) node.fx = node.fy = null;
      if (far <= CLICK_PIXELS) {
        this.#focus(undefined);
        this.#options.onSelect(node?.fact.id);
      }
    };
    place.addEventListener("pointerup", release);
    place.addEventListener("pointercancel", release);
    place.addEventListener("pointerleave", () => this.#hover(undefined));
    place.addEventListener("wheel", (event) => {
      // A page scrolls under the mouse; who wants to zoom holds Ctrl, or has pressed into the picture before.
      if (!event.ctrlKey && document.activeElement !== place) return;
      event.preventDefault();
      this.#camera.zoomBy(ZOOM_STEP ** (-event.deltaY / 150), event.offsetX, event.offsetY);
      this.#options.onFit(false);
      this.#draw();
    }, { passive: false });
    place.addEventListener("keydown", (event) => this.#press(event));
    place.addEventListener("blur", () => this.#focus(undefined));
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const acts = /** @type {Readonly<Record<string, () => void>>} */ ({
      ArrowLeft: () => this.#walk(-1, 0),
      ArrowRight: () => this.#walk(1, 0),
      ArrowUp: () => this.#walk(0, -1),
      ArrowDown: () => this.#walk(0, 1),
      Enter: () => this.#options.onSelect(this.#view.focused ?? this.#view.selected),
      " ": () => this.#options.onSelect(this.#view.focused ?? this.#view.selected),
      Escape: () => this.#options.onSelect(undefined),
      "+": () => this.zoom(1),
      "-": () => this.zoom(-1),
      0: () => this.fit(),
    });
    const act = acts[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  }

  /**
   * Goes to the next node in a direction.
   *
   * @param {number} right
   * @param {number} down
   */
  #walk(right, down) {
    const { nodes } = this.#layout, { focused, selected } = this.#view;
    const from = nodes.get(focused ?? selected ?? "");
    let best = from === undefined ? [...nodes.values()][0] : undefined, bestFar = Infinity;
    for (const node of from === undefined ? [] : nodes.values()) {
      const x = node.x - /** @type {Node} */ (from).x, y = node.y - /** @type {Node} */ (from).y;
      const along = x * right + y * down, aside = Math.abs(x * down) + Math.abs(y * right);
      const far = along + 2.5 * aside;
      if (node === from || along <= 1 || far >= bestFar) continue;
      best = node;
      bestFar = far;
    }
    if (best === undefined) return;
    this.#focus(best);
    if (this.#camera.show(best.x, best.y)) this.#options.onFit(false);
    this.#options.onAnnounce(factText(best.fact));
  }

  /** @param {Node | undefined} node */
  #focus(node) {
    if (this.#view.focused === node?.fact.id) return;
    this.#view.focused = node?.fact.id;
    this.#draw();
  }

  /** @param {Node | undefined} node */
  #hover(node) {
    const id = node?.fact.id;
    this.#options.place.classList.toggle("pointing", id !== undefined);
    if (this.#view.hovered === id) return;
    this.#view.hovered = id;
    this.#tell();
    this.#draw();
  }

  /** Says beside the mouse who it points at. */
  #tell() {
    const node = this.#layout.nodes.get(this.#view.hovered ?? "");
    this.#tip.hidden = node === undefined;
    if (node === undefined) return;
    setText(this.#tip, factText(node.fact));
    const [x, y] = this.#camera.toWindow(node.x, node.y), far = node.radius * this.#camera.zoom + 12;
    const left = x > this.#camera.width / 2 ? x - far - this.#tip.offsetWidth : x + far;
    const top = Math.min(
      Math.max(4, y - this.#tip.offsetHeight / 2),
      this.#camera.height - this.#tip.offsetHeight - 4,
    );
    this.#tip.style.translate = `${Math.max(4, left)}px ${top}px`;
  }

  /**
   * @param {number} x
   * @param {number} y
   */
  #pan(x, y) {
    this.#camera.moveBy(x, y);
    this.#options.onFit(false);
    this.#draw();
  }

  /**
   * @param {Node} node
   * @param {number} x
   * @param {number} y
   */
  #carry(node, x, y) {
    [node.fx, node.fy] = this.#camera.toPicture(x, y);
    this.#layout.warm();
    this.#draw();
  }

  /**
   * @param {number} x
   * @param {number} y
   * @returns {Node | undefined}
   */
  #nodeAt(x, y) {
    const [pictureX, pictureY] = this.#camera.toPicture(x, y);
    let best, bestFar = REACH / this.#camera.zoom;
    for (const node of this.#layout.nodes.values()) {
      const far = Math.hypot(node.x - pictureX, node.y - pictureY) - node.radius;
      if (far < bestFar) [best, bestFar] = [node, far];
    }
    return best;
  }
}

/**
 * A component in a sentence.
 *
 * @param {ComponentFact} fact
 */
export function factText(fact) {
  const { group, load, sessions, silentSince, pool, status } = fact;
  const parts = [`${kindOf(group)} ${partyText(fact)}`];
  if (group === ELEMENT) parts.push(pool === null ? "pool not known" : `in ${pool}`);
  if (load !== null) parts.push(`load ${percent(load)}`);
  if (sessions !== null) parts.push(plural(sessions, "session"));
  else if (status !== "") parts.push(status);
  if (silentSince !== null) parts.push("silent");
  return parts.join(", ");
}

/** @returns {import("./painter.js").Palette} */
function palette() {
  const entries = COLOURS.map((name) => [name, resolved(`--${name}`)]);
  return Object.fromEntries(entries);
}

/**
 * A colour as a canvas takes it: what `light-dark()` means now.
 *
 * @param {string} name
 */
function resolved(name) {
  const probe = make("i", { hidden: true });
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour === "" ? styleValue(name) : colour;
}

/**
 * @param {HTMLCanvasElement} canvas
 * @returns {CanvasRenderingContext2D}
 */
function contextOf(canvas) {
  const context = canvas.getContext("2d");
  if (context === null) throw new TypeError("The browser draws nothing on a canvas");
  return context;
}
