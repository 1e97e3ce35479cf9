// @ts-check
/** The place where the picture stands: its size on the screen, lines over it, and how a region is chosen by mouse and keys. */
import { byId, makeSvg, setAttributes } from "shared/dom.js";
import { elementHue } from "./picture.js";

/** @typedef {import("../page_words.ts").PageImage} PageImage */
/** @typedef {import("../page_words.ts").PagePart} PagePart */
/** @typedef {import("../page_words.ts").PageFailover} PageFailover */

/**
 * A part of the image in fractions of its width and height.
 *
 * @typedef {object} Region
 * @property {number} left
 * @property {number} top
 * @property {number} right
 * @property {number} bottom
 */

/** A box that is smaller on the screen was not meant, in pixels. */
const MIN_DRAG_PIXELS = 8;

/** The smallest and largest region that keys choose, in images. */
const MIN_KEY_SIZE = 1 / 64;

/** A region by keys begins so large, in the middle. */
const FIRST_KEY_SIZE = 0.5;

/** How far an arrow moves a region, in regions. */
const STEP = 0.2;
const SMALL_STEP = 0.02;

/** How much a double click, `+` and the button enlarge. */
const ZOOM = 2;

/** Most points of an image each way. */
const MAX_WIDTH = 8192;
const MAX_HEIGHT = 4096;

/** Above so many failovers marks would hide the picture. */
const MAX_MARKS = 60;

/**
 * What the stage tells.
 *
 * @typedef {object} StageEvents
 * @property {(region: Region) => void} onZoom
 * @property {(point: { x: number, y: number } | undefined) => void} onPoint where the pointer is
 * @property {(region: Region | undefined) => void} onRegion a region is being chosen by keys; undefined = it was dropped
 * @property {(key: "back" | "whole" | "next") => void} onKey
 */

/** The place of the picture. */
export class Stage {
  #stage = byId("stage", HTMLElement);
  #room = byId("room", HTMLElement);
  #canvas = byId("canvas", HTMLCanvasElement);
  #overlay = byId("overlay", SVGSVGElement);
  #areas = byId("areas", SVGGElement);
  #marks = byId("marks", SVGGElement);
  #selection = byId("selection", SVGRectElement);
  /** @type {PageImage | undefined} */
  #image;
  /** @type {SVGGElement[]} */
  #areaElements = [];
  #markCount = 0;
  /** The region being chosen. @type {Region | undefined} */
  #region;
  /** Where the mouse was pressed, in fractions. @type {{ x: number, y: number } | undefined} */
  #pressed;
  /** @type {StageEvents} */
  #events;

  /** @param {StageEvents} events */
  constructor(events) {
    this.#events = events;
    new ResizeObserver(() => this.#fit()).observe(this.#room);
    const stage = this.#stage;
    stage.addEventListener("pointerdown", (event) => this.#press(event));
    stage.addEventListener("pointermove", (event) => this.#move(event));
    stage.addEventListener("pointerup", (event) => this.#release(event));
    stage.addEventListener("pointercancel", () => this.#choose(undefined));
    stage.addEventListener("pointerleave", () => events.onPoint(undefined));
    stage.addEventListener("dblclick", (event) => this.#zoomAt(this.#fraction(event)));
    stage.addEventListener("keydown", (event) => this.#key(event));
    stage.addEventListener("blur", () => this.#choose(undefined));
  }

  /** Begins an image. @param {PageImage} image */
  begin(image) {
    this.#image = image;
    const { width, height } = image.parameter;
    setAttributes(this.#overlay, { viewBox: `0 0 ${width} ${height}` });
    this.#areaElements = image.areas.map((area, index) => areaElement(area, index, image.areas.length));
    this.#areas.replaceChildren(...this.#areaElements);
    this.#marks.replaceChildren();
    this.#markCount = 0;
    this.#choose(undefined);
    this.#fit();
  }

  /** Shows how a part is. @param {number} index @param {PagePart} part */
  part(index, { phase, element }) {
    const group = this.#areaElements[index];
    if (group === undefined) return;
    setAttributes(group, { class: phase });
    const stroke = element === -1 || phase === "done" ? undefined : `hsl(${elementHue(element)} 80% 60%)`;
    const [rect] = group.children;
    if (rect instanceof SVGRectElement) rect.style.stroke = stroke ?? "";
  }

  /** Marks where a session left its element. @param {PageFailover} failover */
  failover({ x, y }) {
    const width = this.#image?.parameter.width ?? 1;
    const size = Math.max(2, width / 130);
    if (++this.#markCount > MAX_MARKS) this.#marks.firstElementChild?.remove();
    this.#marks.append(makeSvg(
      "g",
      {},
      makeSvg("circle", { cx: x, cy: y, r: size }),
      makeSvg("path", {
        d: `M${x - size / 2} ${y - size / 2}L${x + size / 2} ${y + size / 2}M${x - size / 2} ${
          y + size / 2
        }L${x + size / 2} ${y - size / 2}`,
      }),
    ));
  }

  /** Whether the parts' borders stay when they are done. @param {boolean} stay @param {boolean} marks whether failovers are marked */
  lines(stay, marks) {
    setAttributes(this.#areas, { class: stay ? undefined : "plain" });
    setAttributes(this.#marks, { visibility: marks ? undefined : "hidden" });
  }

  /** Enlarges around the middle, or makes smaller. @param {"in" | "out"} direction */
  zoom(direction) {
    this.#zoomAt({ x: 0.5, y: 0.5 }, direction === "in" ? ZOOM : 1 / ZOOM);
  }

  /** How many points of the screen the picture has, within what an image may have. @returns {{ width: number, height: number }} */
  pixels() {
    const { width, height } = this.#stage.getBoundingClientRect();
    // The shape is kept at the limits, too.
    const ratio = Math.min(devicePixelRatio, MAX_WIDTH / width, MAX_HEIGHT / height);
    return { width: Math.round(width * ratio), height: Math.round(height * ratio) };
  }

  /** The picture as large as the room allows. */
  #fit() {
    const { width, height } = this.#image?.parameter ?? { width: 8, height: 5 };
    const style = getComputedStyle(this.#room);
    const roomWidth = this.#room.clientWidth - 2 * parseFloat(style.paddingLeft);
    // In a narrow window, where all stands in one column, the room is as high as the picture.
    const roomHeight = matchMedia("(max-width: 66rem)").matches
      ? 0.75 * innerHeight
      : this.#room.clientHeight - 2 * parseFloat(style.paddingTop);
    const scale = Math.max(Math.min(roomWidth / width, roomHeight / height), 1 / Math.max(width, height));
    this.#stage.style.width = `${Math.round(width * scale)}px`;
    this.#stage.style.height = `${Math.round(height * scale)}px`;
    setAttributes(this.#canvas, { class: scale >= 2 ? "large" : undefined });
  }

  /** Where the pointer is, in fractions of the picture. @param {MouseEvent} event */
  #fraction({ clientX, clientY }) {
    const { left, top, width, height } = this.#stage.getBoundingClientRect();
    return { x: (clientX - left) / width, y: (clientY - top) / height };
  }

  /** @param {PointerEvent} event */
  #press(event) {
    if (event.button !== 0 || this.#image === undefined) return;
    this.#stage.setPointerCapture(event.pointerId);
    this.#choose(undefined);
    this.#pressed = this.#fraction(event);
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const { x, y } = this.#fraction(event);
    const image = this.#image;
    if (image !== undefined) {
      const isInside = x >= 0 && x < 1 && y >= 0 && y < 1;
      const point = { x: Math.floor(x * image.parameter.width), y: Math.floor(y * image.parameter.height) };
      this.#events.onPoint(isInside ? point : undefined);
    }
    if (this.#pressed === undefined) return;
    this.#draw(boxOf(this.#pressed, { x, y }));
  }

  /** @param {PointerEvent} event */
  #release(event) {
    if (this.#pressed === undefined) return;
    const region = boxOf(this.#pressed, this.#fraction(event));
    this.#choose(undefined);
    const pixels = (region.right - region.left) * this.#stage.clientWidth;
    if (pixels >= MIN_DRAG_PIXELS) this.#events.onZoom(region);
  }

  /** @param {{ x: number, y: number }} middle @param {number} [factor] */
  #zoomAt({ x, y }, factor = ZOOM) {
    if (this.#image === undefined) return;
    const half = 0.5 / factor;
    this.#events.onZoom({ left: x - half, top: y - half, right: x + half, bottom: y + half });
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || this.#image === undefined) return;
    if (this.#act(event.key, event.shiftKey ? SMALL_STEP : STEP)) event.preventDefault();
  }

  /** @param {string} key @param {number} step @returns {boolean} whether the key means anything here */
  #act(key, step) {
    switch (key) {
      case "ArrowLeft":
        return this.#shift(-step, 0);
      case "ArrowRight":
        return this.#shift(step, 0);
      case "ArrowUp":
        return this.#shift(0, -step);
      case "ArrowDown":
        return this.#shift(0, step);
      case "+":
      case "=":
        return this.#resize("in");
      case "-":
        return this.#resize("out");
      case "Enter":
        return this.#enter();
      case "Escape":
        if (this.#region === undefined && this.#pressed === undefined) return false;
        this.#choose(undefined);
        return true;
      case "Backspace":
        this.#events.onKey("back");
        return true;
      case "Home":
        this.#events.onKey("whole");
        return true;
      case "n":
        this.#events.onKey("next");
        return true;
      default:
        return false;
    }
  }

  #enter() {
    const region = this.#region;
    if (region === undefined) {
      this.#choose(around({ x: 0.5, y: 0.5 }, FIRST_KEY_SIZE));
    } else {
      this.#choose(undefined);
      this.#events.onZoom(region);
    }
    return true;
  }

  /** @param {number} right in regions @param {number} down */
  #shift(right, down) {
    const region = this.#region ?? around({ x: 0.5, y: 0.5 }, FIRST_KEY_SIZE);
    const size = region.right - region.left;
    this.#choose(around({
      x: between(region.left + size / 2 + right * size, 0, 1),
      y: between(region.top + size / 2 + down * size, 0, 1),
    }, size));
    return true;
  }

  /** @param {"in" | "out"} direction */
  #resize(direction) {
    const region = this.#region;
    if (region === undefined) {
      this.zoom(direction);
      return true;
    }
    const size = region.right - region.left, factor = direction === "in" ? 0.8 : 1.25;
    const middle = { x: region.left + size / 2, y: region.top + size / 2 };
    this.#choose(around(middle, between(size * factor, MIN_KEY_SIZE, 1)));
    return true;
  }

  /** @param {Region | undefined} region */
  #choose(region) {
    const had = this.#region;
    this.#region = region;
    this.#pressed = undefined;
    this.#draw(region);
    if (region !== undefined || had !== undefined) this.#events.onRegion(region);
  }

  /** @param {Region | undefined} region */
  #draw(region) {
    const { width, height } = this.#image?.parameter ?? { width: 1, height: 1 };
    setAttributes(this.#selection, { hidden: region === undefined });
    if (region === undefined) return;
    setAttributes(this.#selection, {
      x: region.left * width,
      y: region.top * height,
      width: (region.right - region.left) * width,
      height: (region.bottom - region.top) * height,
    });
  }
}

/**
 * The border and the number of a part.
 *
 * @param {readonly [number, number, number, number]} area
 * @param {number} index
 * @param {number} count how many parts there are
 */
function areaElement([left, top, width, height], index, count) {
  const rect = makeSvg("rect", { x: left, y: top, width, height });
  if (count === 1) return makeSvg("g", { class: "seeking" }, rect);
  const size = Math.min(height * 0.45, width * 0.3);
  const text = makeSvg("text", {
    x: left + width / 2,
    y: top + height / 2,
    "font-size": size,
  }, String(index + 1));
  return makeSvg("g", { class: "seeking" }, rect, text);
}

/**
 * A box of the picture's shape from one corner to the other.
 *
 * @param {{ x: number, y: number }} from
 * @param {{ x: number, y: number }} to
 * @returns {Region}
 */
function boxOf(from, to) {
  const size = Math.max(Math.abs(to.x - from.x), Math.abs(to.y - from.y));
  const left = to.x < from.x ? from.x - size : from.x;
  const top = to.y < from.y ? from.y - size : from.y;
  return { left, top, right: left + size, bottom: top + size };
}

/**
 * @param {{ x: number, y: number }} middle
 * @param {number} size
 * @returns {Region}
 */
function around({ x, y }, size) {
  return { left: x - size / 2, top: y - size / 2, right: x + size / 2, bottom: y + size / 2 };
}

/** @param {number} value @param {number} low @param {number} high */
function between(value, low, high) {
  return Math.min(Math.max(value, low), high);
}
