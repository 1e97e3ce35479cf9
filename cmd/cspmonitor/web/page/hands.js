// @ts-check
/** What mouse and keyboard do with the graph. */
import { factText } from "./words.js";

/** @typedef {import("./layout.js").Node} Node */
/** @typedef {import("./tip.js").Tip} Tip */
/** @typedef {import("./view.js").View} View */

/** How near the mouse must come to a node, in pixels. */
const REACH = 8;

/** A finger that moves less has pressed. */
const CLICK_PIXELS = 4;

/** So far the wheel turns for a step of the zoom, in pixels. */
const WHEEL_STEP = 150;

/**
 * @typedef {object} HandsPlan
 * @property {HTMLElement} place
 * @property {View} view what they move, and where it stands whom they point at
 * @property {Tip} tip
 * @property {(id: string | undefined) => void} onSelect
 * @property {(text: string) => void} onAnnounce says something to those who do not see it
 * @property {(steps: number, x?: number, y?: number) => void} onZoom what is at this place of the window stays there
 * @property {() => void} onFit all is to be looked at
 * @property {() => void} onMove something else is looked at
 * @property {() => void} onChange the same looks different
 */

/** Mouse, fingers and keys. */
export class Hands {
  #plan;

  /** @param {HandsPlan} plan */
  constructor(plan) {
    this.#plan = plan;
    this.#listen();
  }

  #listen() {
    const { place, onSelect, onZoom } = this.#plan;
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
        onSelect(node?.fact.id);
      }
    };
    place.addEventListener("pointerup", release);
    place.addEventListener("pointercancel", release);
    place.addEventListener("pointerleave", () => this.#hover(undefined));
    place.addEventListener("wheel", (event) => {
      // A page scrolls under the mouse; who wants to zoom holds Ctrl, or has pressed into the picture before.
      if (!event.ctrlKey && document.activeElement !== place) return;
      event.preventDefault();
      onZoom(-event.deltaY / WHEEL_STEP, event.offsetX, event.offsetY);
    }, { passive: false });
    place.addEventListener("keydown", (event) => this.#press(event));
    place.addEventListener("blur", () => this.#focus(undefined));
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const { view: { focused, selected }, onSelect, onZoom, onFit } = this.#plan;
    const acts = /** @type {Readonly<Record<string, () => void>>} */ ({
      ArrowLeft: () => this.#walk(-1, 0),
      ArrowRight: () => this.#walk(1, 0),
      ArrowUp: () => this.#walk(0, -1),
      ArrowDown: () => this.#walk(0, 1),
      Enter: () => onSelect(focused ?? selected),
      " ": () => onSelect(focused ?? selected),
      Escape: () => onSelect(undefined),
      "+": () => onZoom(1),
      "-": () => onZoom(-1),
      0: onFit,
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
    const { view: { layout: { nodes }, camera, focused, selected }, onMove, onAnnounce } = this.#plan;
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
    if (camera.show(best.x, best.y)) onMove();
    onAnnounce(factText(best.fact));
  }

  /** @param {Node | undefined} node */
  #focus(node) {
    const { view, onChange } = this.#plan;
    if (view.focused === node?.fact.id) return;
    view.focused = node?.fact.id;
    onChange();
  }

  /** @param {Node | undefined} node */
  #hover(node) {
    const { place, view, tip, onChange } = this.#plan, id = node?.fact.id;
    place.classList.toggle("pointing", id !== undefined);
    if (view.hovered === id) return;
    view.hovered = id;
    tip.show(view);
    onChange();
  }

  /**
   * @param {number} x
   * @param {number} y
   */
  #pan(x, y) {
    const { view: { camera }, onMove } = this.#plan;
    camera.moveBy(x, y);
    onMove();
  }

  /**
   * @param {Node} node
   * @param {number} x
   * @param {number} y
   */
  #carry(node, x, y) {
    const { view: { camera, layout }, onChange } = this.#plan;
    [node.fx, node.fy] = camera.toPicture(x, y);
    layout.warm();
    onChange();
  }

  /**
   * @param {number} x
   * @param {number} y
   * @returns {Node | undefined}
   */
  #nodeAt(x, y) {
    const { camera, layout } = this.#plan.view, [pictureX, pictureY] = camera.toPicture(x, y);
    let best, bestFar = REACH / camera.zoom;
    for (const node of layout.nodes.values()) {
      const far = Math.hypot(node.x - pictureX, node.y - pictureY) - node.radius;
      if (far < bestFar) [best, bestFar] = [node, far];
    }
    return best;
  }
}
