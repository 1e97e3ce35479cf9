// @ts-check
/** Words beside the mouse. */
import { make, setText } from "shared/dom.js";
import { factText } from "./words.js";

/** @typedef {import("./view.js").View} View */

/** Between a node and what is said of it, and between that and the edge: pixels. */
const GAP = 12, EDGE = 4;

/** Says who the mouse points at. */
export class Tip {
  #element = make("div", { class: "tip", hidden: true });

  /** @param {HTMLElement} place */
  constructor(place) {
    place.append(this.#element);
  }

  /** @param {View} view */
  show({ layout, camera, hovered }) {
    const tip = this.#element, node = layout.nodes.get(hovered ?? "");
    tip.hidden = node === undefined;
    if (node === undefined) return;
    setText(tip, factText(node.fact));
    const [x, y] = camera.toWindow(node.x, node.y), far = node.radius * camera.zoom + GAP;
    const left = x > camera.width / 2 ? x - far - tip.offsetWidth : x + far;
    const top = Math.min(Math.max(EDGE, y - tip.offsetHeight / 2), camera.height - tip.offsetHeight - EDGE);
    tip.style.translate = `${Math.max(EDGE, left)}px ${top}px`;
  }
}
