// @ts-check
/** Draws the picture of a scene. */
import { poolFigures } from "./scene.js";
import { diamond, hexagon } from "./glyphs.js";
import { curveBetween, outlineOf } from "./shapes.js";
import { ELEMENT, hostOf, percent, plural, REGISTRAR, shortLabel, USER } from "./words.js";

/** @typedef {import("./layout.js").Layout} Layout */
/** @typedef {import("./layout.js").Link} Link */
/** @typedef {import("./layout.js").Node} Node */
/** @typedef {import("./camera.js").Camera} Camera */
/** @typedef {import("./shapes.js").Point} Point */

/**
 * The colours of the page as they are now.
 *
 * @typedef {object} Palette
 * @property {string} text
 * @property {string} faint
 * @property {string} line
 * @property {string} surface
 * @property {string} raised
 * @property {string} accent
 * @property {string} good
 * @property {string} warning
 * @property {string} bad
 * @property {string} registrar
 * @property {string} element
 * @property {string} user
 */

/**
 * What is to be seen of a scene.
 *
 * @typedef {object} View
 * @property {Layout} layout
 * @property {Camera} camera
 * @property {Palette} palette
 * @property {string | undefined} selected
 * @property {string | undefined} hovered
 * @property {string | undefined} focused whom the keyboard is at
 * @property {((id: string) => boolean) | undefined} isWanted by the filter
 */

/** From which loads on an element is busy, and full. */
export const BUSY = 0.75, FULL = 0.9;

/** Names are drawn when they have room: pixels between neighbours. */
const NAME_ROOM = 46, SMALL_ROOM = 74;

/** Numbers that are smaller are not drawn: pixels. */
const LEGIBLE = 5.5;

const FONT = '"DejaVu Sans", system-ui, sans-serif';

/** Around a pool. */
const POOL_ROOM = 17;

/** The longest names are cut; widths of texts are remembered for so many. */
const MAX_WIDTHS = 4000;

/** The part of an element's ring that is free. */
const TRACK = 0.25;

/** What is not wanted, or has nothing to do with what is selected. */
const PALE = 0.22;

/**
 * The colour of a load.
 *
 * @param {number} load
 * @param {Palette} palette
 */
export function loadColour(load, { element, warning, bad }) {
  return load >= FULL ? bad : load >= BUSY ? warning : element;
}

/** Draws on a canvas. */
export class Painter {
  #context;
  #zoom = 1;
  /** @type {Map<string, number>} */
  #widths = new Map();

  /** @param {CanvasRenderingContext2D} context */
  constructor(context) {
    this.#context = context;
  }

  /**
   * Draws all.
   *
   * @param {View} view
   * @param {number} pixelRatio
   */
  paint(view, pixelRatio) {
    const context = this.#context, { camera, layout } = view;
    this.#zoom = camera.zoom;
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
      this.#paintNode(node, view);
    }
    context.setTransform(pixelRatio, 0, 0, pixelRatio, 0, 0);
    this.#paintPoolNames(view, outlines);
    this.#paintNames(view, isNear);
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
   * @param {readonly (readonly Point[])[]} outlines
   */
  #paintPoolNames({ layout, camera, palette }, outlines) {
    const context = this.#context;
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
      this.#outlined(this.#fitted(pool.name, room), x, y - 20, palette.surface);
      context.font = `11px ${FONT}`;
      context.fillStyle = palette.faint;
      this.#outlined(this.#fitted(figures, room), x, y - 6, palette.surface);
    }
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

  /**
   * @param {Node} node
   * @param {View} view
   */
  #paintNode(node, view) {
    const { fact } = node, isLate = fact.silentSince !== null;
    const alpha = this.#context.globalAlpha;
    this.#paintRing(node, view);
    if (isLate) this.#context.globalAlpha = alpha * 0.45;
    if (fact.group === REGISTRAR) this.#paintRegistrar(node, view);
    else if (fact.group === ELEMENT) this.#paintElement(node, view);
    else this.#paintUser(node, view);
    this.#context.globalAlpha = alpha;
    if (isLate) this.#paintLate(node, view);
  }

  /**
   * The ring around who is selected, pointed at, or reached by keyboard.
   *
   * @param {Node} node
   * @param {View} view
   */
  #paintRing({ x, y, radius, fact }, { palette, selected, hovered, focused, camera }) {
    if (![selected, hovered, focused].includes(fact.id)) return;
    const context = this.#context;
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
   * @param {Node} node
   * @param {View} view
   */
  #paintRegistrar({ x, y, radius, fact }, { palette }) {
    const context = this.#context;
    context.beginPath();
    hexagon(context, x, y, radius);
    context.lineJoin = "round";
    context.fillStyle = palette.registrar;
    context.fill();
    this.#inside(fact.owned === null ? "" : `${fact.owned}`, x, y, 0.75 * radius, palette.surface);
  }

  /**
   * @param {Node} node
   * @param {View} view
   */
  #paintElement({ x, y, radius, fact }, { palette }) {
    const context = this.#context, { load, sessions } = fact;
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
    this.#inside(
      sessions === null ? "" : `${sessions}`,
      x,
      y,
      0.72 * radius,
      sessions === 0 ? palette.faint : palette.text,
    );
  }

  /**
   * A user, or a stranger.
   *
   * @param {Node} node
   * @param {View} view
   */
  #paintUser({ x, y, radius, fact }, { palette }) {
    const context = this.#context, isUser = fact.group === USER;
    context.beginPath();
    diamond(context, x, y, radius);
    context.fillStyle = isUser ? palette.user : palette.faint;
    if (fact.sessions === 0 || !isUser) {
      context.fillStyle = palette.surface;
      context.strokeStyle = isUser ? palette.user : palette.faint;
      context.lineWidth = 2;
      context.fill();
      context.stroke();
    } else context.fill();
    const { sessions } = fact;
    if (sessions !== null && sessions > 1) this.#inside(`${sessions}`, x, y, 0.8 * radius, palette.surface);
  }

  /**
   * A number within a shape.
   *
   * @param {string} text
   * @param {number} x
   * @param {number} y
   * @param {number} size
   * @param {string} colour
   */
  #inside(text, x, y, size, colour) {
    if (text === "" || size * this.#zoom < LEGIBLE) return;
    const context = this.#context;
    context.font = `600 ${text.length > 2 ? size * 0.75 : size}px ${FONT}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillStyle = colour;
    context.fillText(text, x, y + size * 0.06);
  }

  /**
   * A component that should have reported long ago.
   *
   * @param {Node} node
   * @param {View} view
   */
  #paintLate({ x, y, radius }, { palette }) {
    const context = this.#context;
    context.beginPath();
    context.arc(x, y, radius + 3, 0, 2 * Math.PI);
    context.setLineDash([4, 4]);
    context.lineWidth = 2;
    context.strokeStyle = palette.warning;
    context.stroke();
    context.setLineDash([]);
  }

  /**
   * Names below nodes, if they have room; those of who is looked at in any case.
   *
   * @param {View} view
   * @param {(node: Node) => boolean} isNear
   */
  #paintNames({ layout, camera, palette, selected, hovered, focused }, isNear) {
    const context = this.#context;
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
      this.#outlined(this.#fitted(host || number, width), x, y + 5, palette.surface);
      if (host === "" || (room < SMALL_ROOM && !isLookedAt && !crowded.has(host))) continue;
      context.font = `10px ${FONT}`;
      context.fillStyle = palette.faint;
      this.#outlined(this.#fitted(number, width), x, y + 19, palette.surface);
    }
  }

  /**
   * A text that is legible on lines.
   *
   * @param {string} text
   * @param {number} x
   * @param {number} y
   * @param {string} halo
   */
  #outlined(text, x, y, halo) {
    const context = this.#context;
    context.lineJoin = "round";
    context.lineWidth = 3;
    context.strokeStyle = halo;
    context.strokeText(text, x, y);
    context.fillText(text, x, y);
  }

  /**
   * A text, cut to a width.
   *
   * @param {string} text
   * @param {number} width
   */
  #fitted(text, width) {
    if (this.#widthOf(text) <= width) return text;
    const letters = Math.max(1, Math.floor(text.length * width / this.#widthOf(text)) - 1);
    return `${text.slice(0, letters)}…`;
  }

  /** @param {string} text */
  #widthOf(text) {
    const context = this.#context, key = `${context.font} ${text}`;
    let width = this.#widths.get(key);
    if (width === undefined) {
      if (this.#widths.size >= MAX_WIDTHS) this.#widths.clear();
      this.#widths.set(key, width = context.measureText(text).width);
    }
    return width;
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

/**
 * Whom to draw in full: all, or who is selected and whoever it has to do with, as far as the filter wants them.
 *
 * @param {View} view
 * @returns {(node: Node) => boolean}
 */
function nearness({ layout, selected, isWanted }) {
  const centre = selected === undefined ? undefined : layout.nodes.get(selected);
  if (centre === undefined) return ({ fact }) => isWanted?.(fact.id) ?? true;
  const near = new Set([centre]);
  for (const { from, to } of layout.links) {
    if (from === centre) near.add(to);
    if (to === centre) near.add(from);
  }
  return (node) => near.has(node) && (isWanted?.(node.fact.id) ?? true);
}
