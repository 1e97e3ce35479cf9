// @ts-check
/** Draws the names of pools and components. */
import { poolFigures } from "./scene.js";
import { FONT } from "./texts.js";
import { PALE } from "./view.js";
import { hostOf, percent, plural, REGISTRAR, shortLabel } from "./words.js";

/** @typedef {import("./layout.js").Layout} Layout */
/** @typedef {import("./layout.js").Node} Node */
/** @typedef {import("./shapes.js").Point} Point */
/** @typedef {import("./texts.js").Texts} Texts */
/** @typedef {import("./view.js").View} View */

/** Names are drawn when they have room: pixels between neighbours. */
const NAME_ROOM = 46, SMALL_ROOM = 74;

/**
 * Names and figures above pools.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Texts} texts
 * @param {View} view
 * @param {readonly (readonly Point[])[]} outlines
 */
export function paintPoolNames(context, texts, { layout, camera, palette }, outlines) {
  context.globalAlpha = 1;
  context.textAlign = "center";
  context.textBaseline = "alphabetic";
  for (const [index, { pool, nodes }] of layout.pools.entries()) {
    const outline = outlines[index] ?? [];
    if (outline.length === 0) continue;
    const xs = outline.map(([x]) => x);
    const left = Math.min(...xs), right = Math.max(...xs), top = Math.min(...outline.map(([, y]) => y));
    const [x, y] = camera.toWindow((left + right) / 2, top);
    const { load, sessions } = poolFigures(pool);
    const figures = `${plural(nodes.length, "element")} · ${load === null ? "" : `${percent(load)} · `}${
      plural(sessions, "session")
    }`;
    const room = Math.max(190, camera.zoom * (right - left));
    context.font = `600 12.5px ${FONT}`;
    context.fillStyle = palette.text;
    texts.outlined(texts.fitted(pool.name, room), x, y - 20, palette.surface);
    context.font = `11px ${FONT}`;
    context.fillStyle = palette.faint;
    texts.outlined(texts.fitted(figures, room), x, y - 6, palette.surface);
  }
}

/**
 * Names below nodes, if they have room; those of who is looked at in any case.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Texts} texts
 * @param {View} view
 * @param {(node: Node) => boolean} isNear
 */
export function paintNames(context, texts, { layout, camera, palette, selected, hovered, focused }, isNear) {
  context.textAlign = "center";
  context.textBaseline = "top";
  const crowded = sharedHosts(layout);
  for (const node of layout.nodes.values()) {
    const { fact, radius } = node, room = camera.zoom * 2 * (radius + node.room);
    const isLookedAt = [selected, hovered, focused].includes(fact.id);
    if (!isLookedAt && fact.group !== REGISTRAR && room < NAME_ROOM) continue;
    const [x, y] = camera.toWindow(node.x, node.y + radius);
    if (x < -80 || y < -40 || x > camera.width + 80 || y > camera.height) continue;
    context.globalAlpha = isNear(node) ? 1 : PALE;
    const host = hostOf(fact.location), number = shortLabel(fact.label);
    const width = isLookedAt || fact.group === REGISTRAR ? 160 : room - 4;
    context.font = `11.5px ${FONT}`;
    context.fillStyle = palette.text;
    texts.outlined(texts.fitted(host || number, width), x, y + 5, palette.surface);
    if (host === "" || (room < SMALL_ROOM && !isLookedAt && !crowded.has(host))) continue;
    context.font = `10px ${FONT}`;
    context.fillStyle = palette.faint;
    texts.outlined(texts.fitted(number, width), x, y + 19, palette.surface);
  }
}

/**
 * Hosts of several components: their names alone would not tell who is who.
 *
 * @param {Layout} layout
 */
function sharedHosts({ nodes }) {
  const seen = new Set(), shared = new Set();
  for (const { fact } of nodes.values()) {
    const host = hostOf(fact.location);
    if (seen.has(host)) shared.add(host);
    seen.add(host);
  }
  return shared;
}
