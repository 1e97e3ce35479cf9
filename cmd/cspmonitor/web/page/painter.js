// @ts-check
/** Draws the picture of a scene. */
import { paintNames, paintPoolNames } from "./names.js";
import { paintNode } from "./nodes.js";
import { curveBetween, outlineOf } from "./shapes.js";
import { Texts } from "./texts.js";
import { nearness, PALE } from "./view.js";

/** @typedef {import("./layout.js").Link} Link */
/** @typedef {import("./layout.js").Node} Node */
/** @typedef {import("./shapes.js").Point} Point */
/** @typedef {import("./view.js").View} View */

/** Around a pool. */
const POOL_ROOM = 17;

/** Draws on a canvas. */
export class Painter {
  #context;
  #texts;

  /** @param {CanvasRenderingContext2D} context */
  constructor(context) {
    this.#context = context;
    this.#texts = new Texts(context);
  }

  /**
   * Draws all.
   *
   * @param {View} view
   * @param {number} pixelRatio
   */
  paint(view, pixelRatio) {
    const context = this.#context, { camera, layout } = view;
    context.setTransform(pixelRatio, 0, 0, pixelRatio, 0, 0);
    context.clearRect(0, 0, camera.width, camera.height);
    const isNear = nearness(view);
    context.setTransform(
      pixelRatio * camera.zoom,
      0,
      0,
      pixelRatio * camera.zoom,
      pixelRatio * camera.x,
      pixelRatio * camera.y,
    );
    const outlines = layout.pools.map(({ nodes }) => outlineOf(nodes, POOL_ROOM));
    layout.pools.forEach(({ pool }, index) => this.#paintPool(pool, outlines[index] ?? [], view));
    this.#paintLinks(view, isNear);
    for (const node of layout.nodes.values()) {
      context.globalAlpha = isNear(node) ? 1 : PALE;
      paintNode(context, node, view);
    }
    context.setTransform(pixelRatio, 0, 0, pixelRatio, 0, 0);
    paintPoolNames(context, this.#texts, view, outlines);
    paintNames(context, this.#texts, view, isNear);
    context.globalAlpha = 1;
  }

  /**
   * @param {import("./scene.js").Pool} pool
   * @param {readonly Point[]} outline
   * @param {View} view
   */
  #paintPool(pool, [first, ...others], { palette, camera }) {
    const context = this.#context;
    if (first === undefined) return;
    context.beginPath();
    context.moveTo(...first);
    for (const place of others) context.lineTo(...place);
    context.closePath();
    context.lineJoin = "round";
    context.fillStyle = context.strokeStyle = palette.element;
    context.globalAlpha = pool.key === "" ? 0.03 : 0.07;
    context.fill();
    context.lineWidth = 1 / camera.zoom;
    context.globalAlpha = 0.35;
    if (pool.key === "") context.setLineDash([6 / camera.zoom, 5 / camera.zoom]);
    context.stroke();
    context.setLineDash([]);
    context.globalAlpha = 1;
  }

  /**
   * @param {View} view
   * @param {(node: Node) => boolean} isNear
   */
  #paintLinks({ layout, palette, camera }, isNear) {
    const context = this.#context, isCrowd = layout.links.length > 150;
    const styles = {
      asap: { colour: palette.faint, width: 1, alpha: isCrowd ? 0.16 : 0.4, dash: [] },
      enrp: { colour: palette.registrar, width: 2, alpha: 0.8, dash: [7, 5] },
      session: { colour: palette.user, width: 2, alpha: isCrowd ? 0.4 : 0.8, dash: [] },
      other: { colour: palette.faint, width: 1, alpha: 0.4, dash: [2, 4] },
    };
    for (const kind of /** @type {const} */ (["asap", "other", "enrp", "session"])) {
      const { colour, width, alpha, dash } = styles[kind];
      context.strokeStyle = colour;
      context.setLineDash(dash);
      // Lines that look the same are drawn at once: a browser without a graphics card is several times faster so.
      for (const [look, links] of byLook(layout.links.filter((link) => link.kind === kind), isNear)) {
        context.globalAlpha = look.isSeen ? alpha : alpha * PALE;
        // Thin lines stay visible from far away.
        context.lineWidth = Math.max(width * look.width, 0.7 / camera.zoom);
        context.beginPath();
        for (const { from, to } of links) {
          const [a, b, c, d] = curveBetween(from, to);
          context.moveTo(...a);
          context.bezierCurveTo(...b, ...c, ...d);
        }
        context.stroke();
      }
    }
    context.setLineDash([]);
    context.globalAlpha = 1;
  }
}

/**
 * Links that are drawn alike: more associations make a wider line.
 *
 * @param {readonly Link[]} links
 * @param {(node: Node) => boolean} isNear
 * @returns {Map<{ readonly isSeen: boolean, readonly width: number }, Link[]>}
 */
function byLook(links, isNear) {
  const looks = new Map(), found = new Map();
  for (const link of links) {
    const isSeen = isNear(link.from) && isNear(link.to), width = Math.min(2, 1 + 0.25 * (link.count - 1));
    const key = `${isSeen} ${width}`;
    let look = looks.get(key);
    if (look === undefined) {
      looks.set(key, look = { isSeen, width });
      found.set(look, []);
    }
    found.get(look).push(link);
  }
  return found;
}
