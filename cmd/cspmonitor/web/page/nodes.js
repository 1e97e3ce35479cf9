// @ts-check
/** Draws the nodes of the picture: what a component is, what it has to do, and whether it is looked at. */
import { diamond, hexagon } from "./glyphs.js";
import { loadColour } from "./palette.js";
import { FONT } from "./texts.js";
import { ELEMENT, REGISTRAR, USER } from "./words.js";

/** @typedef {import("./layout.js").Node} Node */
/** @typedef {import("./view.js").View} View */

/** Numbers that are smaller are not drawn: pixels. */
const LEGIBLE = 5.5;

/** The part of an element's ring that is free. */
const TRACK = 0.25;

/**
 * Draws a component.
 *
 * @param {CanvasRenderingContext2D} context whose transparency is that of the node
 * @param {Node} node
 * @param {View} view
 */
export function paintNode(context, node, view) {
  const { fact } = node, isLate = fact.silentSince !== null;
  const alpha = context.globalAlpha;
  paintRing(context, node, view);
  if (isLate) context.globalAlpha = alpha * 0.45;
  if (fact.group === REGISTRAR) paintRegistrar(context, node, view);
  else if (fact.group === ELEMENT) paintElement(context, node, view);
  else paintUser(context, node, view);
  context.globalAlpha = alpha;
  if (isLate) paintLate(context, node, view);
}

/**
 * The ring around who is selected, pointed at, or reached by keyboard.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Node} node
 * @param {View} view
 */
function paintRing(context, { x, y, radius, fact }, { palette, selected, hovered, focused, camera }) {
  if (![selected, hovered, focused].includes(fact.id)) return;
  context.beginPath();
  context.arc(x, y, radius + 6, 0, 2 * Math.PI);
  context.strokeStyle = palette.accent;
  context.lineWidth = (fact.id === focused ? 3 : 2) / Math.min(1, camera.zoom);
  if (fact.id === hovered && fact.id !== selected) context.setLineDash([4, 4]);
  context.stroke();
  context.setLineDash([]);
  if (fact.id !== selected) return;
  context.globalAlpha *= 0.15;
  context.fillStyle = palette.accent;
  context.fill();
  context.globalAlpha = 1;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Node} node
 * @param {View} view
 */
function paintRegistrar(context, node, view) {
  const { x, y, radius, fact } = node, { palette } = view;
  context.beginPath();
  hexagon(context, x, y, radius);
  context.lineJoin = "round";
  context.fillStyle = palette.registrar;
  context.fill();
  paintNumber(context, node, view, { number: fact.owned, size: 0.75 * radius, colour: palette.surface });
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Node} node
 * @param {View} view
 */
function paintElement(context, node, view) {
  const { x, y, radius, fact: { load, sessions } } = node, { palette } = view;
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fillStyle = palette.surface;
  context.fill();
  context.beginPath();
  context.arc(x, y, radius - 2.5, 0, 2 * Math.PI);
  context.lineWidth = 5;
  context.strokeStyle = palette.element;
  if (load === null) context.lineWidth = 2.5;
  const alpha = context.globalAlpha;
  if (load !== null) context.globalAlpha = alpha * TRACK;
  context.stroke();
  context.globalAlpha = alpha;
  if (load !== null && load > 0) {
    context.beginPath();
    context.arc(x, y, radius - 2.5, -Math.PI / 2, -Math.PI / 2 + 2 * Math.PI * load);
    context.strokeStyle = loadColour(load, palette);
    context.stroke();
  }
  const colour = sessions === 0 ? palette.faint : palette.text;
  paintNumber(context, node, view, { number: sessions, size: 0.72 * radius, colour });
}

/**
 * A user, or a stranger.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Node} node
 * @param {View} view
 */
function paintUser(context, node, view) {
  const { x, y, radius, fact: { group, sessions } } = node, { palette } = view, isUser = group === USER;
  context.beginPath();
  diamond(context, x, y, radius);
  context.fillStyle = isUser ? palette.user : palette.faint;
  if (sessions === 0 || !isUser) {
    context.fillStyle = palette.surface;
    context.strokeStyle = isUser ? palette.user : palette.faint;
    context.lineWidth = 2;
    context.fill();
    context.stroke();
  } else context.fill();
  if (sessions !== null && sessions > 1) {
    paintNumber(context, node, view, { number: sessions, size: 0.8 * radius, colour: palette.surface });
  }
}

/**
 * A number within a shape, if there is one that can be read.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Node} node
 * @param {View} view
 * @param {{ readonly number: number | null, readonly size: number, readonly colour: string }} what
 */
function paintNumber(context, { x, y }, { camera }, { number, size, colour }) {
  if (number === null || size * camera.zoom < LEGIBLE) return;
  const text = `${number}`;
  context.font = `600 ${text.length > 2 ? size * 0.75 : size}px ${FONT}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillStyle = colour;
  context.fillText(text, x, y + size * 0.06);
}

/**
 * A component that should have reported long ago.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Node} node
 * @param {View} view
 */
function paintLate(context, { x, y, radius }, { palette }) {
  context.beginPath();
  context.arc(x, y, radius + 3, 0, 2 * Math.PI);
  context.setLineDash([4, 4]);
  context.lineWidth = 2;
  context.strokeStyle = palette.warning;
  context.stroke();
  context.setLineDash([]);
}
