// @ts-check
/** What moves in the picture besides its nodes: sessions that flow, components that come and go, and what they move. */
import { curveBetween, pointOn } from "./shapes.js";
import { loadColour } from "./palette.js";

/** @typedef {import("./layout.js").Node} Node */
/** @typedef {import("./view.js").View} View */
/** @typedef {import("./palette.js").Palette} Palette */
/** @typedef {import("../facts.ts").EventFact} EventFact */

/** How long effects are seen. */
const RIPPLE_MS = 1400, MOVE_MS = 3200;

/** Effects at a time: when five hundred components come at once, nobody needs to see each. */
const MAX_EFFECTS = 60;

/** Sessions that flow; more of them would be a swarm. */
const MAX_FLOWS = 160;

/** The way of a dot takes this long, and its dots are so many on each way. */
const FLOW_MS = 2600, DOTS = 2;

/**
 * @typedef {object} Effect
 * @property {number} beganAt
 * @property {number} lastsMs
 * @property {(share: number, context: CanvasRenderingContext2D, palette: Palette) => void} draw
 */

/** Draws what moves, on a canvas of its own: the picture below stays as it is. */
export class Motion {
  #context;
  /** @type {Effect[]} */
  #effects = [];
  /** Where components were that left. @type {Map<string, Node>} */
  #ghosts = new Map();

  /** @param {CanvasRenderingContext2D} context */
  constructor(context) {
    this.#context = context;
  }

  /** Whether effects are to be seen. */
  get isBusy() {
    return this.#effects.length > 0;
  }

  /**
   * Whether sessions flow.
   *
   * @param {View} view
   */
  static flows(view) {
    const sessions = view.layout.links.filter(({ kind }) => kind === "session").length;
    return sessions > 0 && sessions <= MAX_FLOWS;
  }

  /**
   * Somebody came: a ring that grows.
   *
   * @param {Node} node
   * @param {number} now
   */
  appear(node, now) {
    this.#ghosts.delete(node.fact.id);
    this.#add(now, RIPPLE_MS, (share, context, palette) => {
      this.#ring(context, node, node.radius + 34 * share, palette.good, 1 - share);
    });
  }

  /**
   * Somebody left: a ring that shrinks.
   *
   * @param {Node} node
   * @param {number} now
   */
  leave(node, now) {
    this.#ghosts.set(node.fact.id, node);
    const [oldest] = this.#ghosts.keys();
    if (this.#ghosts.size > MAX_EFFECTS && oldest !== undefined) this.#ghosts.delete(oldest);
    this.#add(now, RIPPLE_MS, (share, context, palette) => {
      this.#ring(context, node, node.radius * (1.4 - share), palette.bad, 1 - share);
    });
  }

  /**
   * Somebody has another registrar or element: a comet from the former to the present one.
   *
   * @param {EventFact} event
   * @param {View} view
   * @param {number} now
   */
  move({ type, from, to }, { layout }, now) {
    if (from === null || to === null) return;
    const start = layout.nodes.get(from.id) ?? this.#ghosts.get(from.id), end = layout.nodes.get(to.id);
    if (start === undefined || end === undefined) return;
    const isForced = type === "takeover" || type === "failover";
    this.#add(now, MOVE_MS, (share, context, palette) => {
      const colour = isForced ? palette.bad : palette.accent, curve = curveBetween(start, end);
      const head = Math.min(1, share * 1.7), fade = Math.min(1, 2.4 * (1 - share));
      for (let step = 0; step < 24; step++) {
        const place = head - step * 0.022;
        if (place < 0) break;
        const [x, y] = pointOn(curve, place);
        this.#dot(context, x, y, 6 - step * 0.2, colour, fade * (1 - step / 24));
      }
      if (head === 1) this.#ring(context, end, end.radius + 30 * (share - 0.58), colour, fade);
    });
  }

  /**
   * A frame.
   *
   * @param {View} view
   * @param {number} pixelRatio
   * @param {number} now
   * @param {boolean} hasFlow
   */
  paint(view, pixelRatio, now, hasFlow) {
    const context = this.#context, { camera, palette } = view;
    context.setTransform(pixelRatio, 0, 0, pixelRatio, 0, 0);
    context.clearRect(0, 0, camera.width, camera.height);
    const zoom = pixelRatio * camera.zoom;
    context.setTransform(zoom, 0, 0, zoom, pixelRatio * camera.x, pixelRatio * camera.y);
    if (hasFlow) this.#paintFlows(view, now);
    this.#effects = this.#effects.filter(({ beganAt, lastsMs }) => now - beganAt < lastsMs);
    for (const { beganAt, lastsMs, draw } of this.#effects) {
      draw(Math.max(0, (now - beganAt) / lastsMs), context, palette);
    }
    context.globalAlpha = 1;
  }

  /**
   * What elements compute goes to their users.
   *
   * @param {View} view
   * @param {number} now
   */
  #paintFlows({ layout, palette, selected }, now) {
    const context = this.#context;
    for (const { from, to, kind } of layout.links) {
      if (
        kind !== "session" || (selected !== undefined && selected !== from.fact.id && selected !== to.fact.id)
      ) continue;
      const curve = curveBetween(to, from), { load } = to.fact;
      const colour = load === null ? palette.user : loadColour(load, palette);
      // Each way begins elsewhere, so that they do not march in step.
      const phase = (parseInt(from.fact.id.slice(-4), 16) % 97) / 97;
      for (let dot = 0; dot < DOTS; dot++) {
        const share = (now / FLOW_MS + phase + dot / DOTS) % 1, [x, y] = pointOn(curve, share);
        this.#dot(context, x, y, 3.2, colour, Math.min(1, 6 * share, 6 * (1 - share)));
      }
    }
  }

  /**
   * @param {number} now
   * @param {number} lastsMs
   * @param {Effect["draw"]} draw
   */
  #add(now, lastsMs, draw) {
    if (this.#effects.length < MAX_EFFECTS) this.#effects.push({ beganAt: now, lastsMs, draw });
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {{ readonly x: number, readonly y: number }} place
   * @param {number} radius
   * @param {string} colour
   * @param {number} alpha
   */
  #ring(context, { x, y }, radius, colour, alpha) {
    context.beginPath();
    context.arc(x, y, Math.max(0, radius), 0, 2 * Math.PI);
    context.globalAlpha = Math.max(0, alpha);
    context.strokeStyle = colour;
    context.lineWidth = 3;
    context.stroke();
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {number} x
   * @param {number} y
   * @param {number} radius
   * @param {string} colour
   * @param {number} alpha
   */
  #dot(context, x, y, radius, colour, alpha) {
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.globalAlpha = Math.max(0, alpha);
    context.fillStyle = colour;
    context.fill();
  }
}
