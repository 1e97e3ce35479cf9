// @ts-check
/** The living graph: a picture that follows the scene. */
import { make } from "shared/dom.js";
import { Camera } from "./camera.js";
import { Hands } from "./hands.js";
import { Layout } from "./layout.js";
import { Motion } from "./motion.js";
import { Painter } from "./painter.js";
import { palette } from "./palette.js";
import { Tip } from "./tip.js";

/** @typedef {import("./scene.js").Scene} Scene */
/** @typedef {import("./view.js").View} View */
/** @typedef {import("../facts.ts").EventFact} EventFact */

/** Wait between two pictures of sessions that flow: a lab's computers have other work. */
const FLOW_FRAME_MS = 24;

/** The picture takes no more than a third of the time: whatever else there is on the page stays quick. */
const REST = 3;

/** A step of the nodes for so much time, and no more than this at once: who comes back to a page has not to wait for it. */
const STEP_MS = 17, MAX_STEP_MS = 70;

/** What steps may take of a frame when they are in a hurry. */
const HURRY_MS = 12;

const ZOOM_STEP = 1.3;

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
  #tip;
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
    place.append(this.#base, this.#above);
    this.#tip = new Tip(place);
    new ResizeObserver(() => this.#resize()).observe(place);
    this.#resize();
    new Hands({
      ...options,
      view: this.#view,
      tip: this.#tip,
      onZoom: (steps, x, y) => this.zoom(steps, x, y),
      onFit: () => this.fit(),
      onMove: () => this.#move(),
      onChange: () => this.#draw(),
    });
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
    if (this.#view.hovered !== undefined) this.#tip.show(this.#view);
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

  /**
   * Comes nearer, or goes back.
   *
   * @param {number} steps
   * @param {number} [x] what is at this place of the window stays there; the middle if nobody says it
   * @param {number} [y]
   */
  zoom(steps, x, y) {
    this.#camera.zoomBy(ZOOM_STEP ** steps, x, y);
    this.#move();
  }

  /** Something else is looked at than all. */
  #move() {
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
