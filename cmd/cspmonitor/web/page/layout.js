// @ts-check
/**
 * Where components stand: registrars above, pools of elements in the middle, users below, as the RFCs draw them. Forces keep
 * neighbours apart and let everybody glide to a new place when something changes.
 */
import { forceCollide, forceSimulation, forceX, forceY } from "d3-force";
import { ELEMENT, groupOf, REGISTRAR, USER } from "./words.js";

/** @typedef {import("../facts.ts").ComponentFact} ComponentFact */
/** @typedef {import("./scene.js").Scene} Scene */

/**
 * A component in the picture.
 *
 * @typedef {object} Node
 * @property {ComponentFact} fact
 * @property {number} radius
 * @property {number} room around it, for its name
 * @property {number} targetX
 * @property {number} targetY
 * @property {number} x
 * @property {number} y
 * @property {number} [vx]
 * @property {number} [vy]
 * @property {number | null} [fx] where somebody holds it
 * @property {number | null} [fy]
 */

/**
 * Associations between two components.
 *
 * @typedef {object} Link
 * @property {Node} from
 * @property {Node} to
 * @property {"session" | "asap" | "enrp" | "other"} kind
 * @property {number} count
 */

/**
 * A pool in the picture.
 *
 * @typedef {object} PoolPlace
 * @property {import("./scene.js").Pool} pool
 * @property {Node[]} nodes
 */

/** @typedef {{ readonly width: number, readonly height: number }} Size */

/** Radii by kind; strangers are small. */
const RADII = new Map([[REGISTRAR, 24], [ELEMENT, 19], [USER, 13]]);
const STRANGER_RADIUS = 10;

/** Room around a node for its name: users have more of it, as they stand side by side. A crowd has less. */
const ROOM = 21, USER_ROOM = 34, CROWD_ROOM = 8;
const CROWD = 80;

/** Pools are this much wider than high, as windows are. */
const POOL_ASPECT = 1.7;

/** Between pools, and between them and who stands above and below. */
const POOL_GAP = 70, REGISTRAR_GAP = 128, USER_GAP = 95;

/** More lines of pools are not tried. */
const MAX_LINES = 8;

/** The height of the pools of a picture of usual size, and how much bigger registrars are at most in one that is bigger. */
const USUAL_HEIGHT = 300, MAX_GROWTH = 2.2;

/** How much a change heats up the simulation. */
const HEAT = 0.35, FIRST_HEAT = 0.8;

/** Nobody is moved for less than this. */
const STILL = 1;

/** More steps than it takes to stand still. */
const MAX_STEPS = 400;

/** Golden angle: a spiral that fills a disc evenly. */
const GOLDEN = Math.PI * (3 - Math.sqrt(5));

/** The picture of a scene. */
export class Layout {
  /** @type {Map<string, Node>} */
  nodes = new Map();
  /** @type {Link[]} */
  links = [];
  /** @type {PoolPlace[]} */
  pools = [];
  /** How wide the window is, by its height. */
  aspect = 2;
  #collide = forceCollide((/** @type {Node} */ node) => node.radius + node.room);
  #simulation = forceSimulation(/** @type {Node[]} */ ([]))
    .force("x", forceX((/** @type {Node} */ node) => node.targetX).strength(0.06))
    .force("y", forceY((/** @type {Node} */ node) => node.targetY).strength(0.12))
    .force("collide", this.#collide.iterations(2))
    .velocityDecay(0.35)
    .alphaDecay(0.035)
    .stop();
  /** What the places depend on, as a text. */
  #shape = "";

  /** Whether something moves. */
  get isMoving() {
    return this.#simulation.alpha() > this.#simulation.alphaMin();
  }

  /**
   * Takes what there is now.
   *
   * @param {Scene} scene
   * @returns {{ readonly appeared: Node[], readonly left: Node[] }}
   */
  update(scene) {
    const left = [...this.nodes.values()].filter(({ fact }) => !scene.components.has(fact.id));
    for (const { fact } of left) this.nodes.delete(fact.id);
    const appeared = [];
    for (const fact of scene.components.values()) {
      const node = this.nodes.get(fact.id);
      if (node !== undefined) node.fact = fact;
      else appeared.push(this.#add(fact));
    }
    this.pools = scene.pools.map((pool) => ({
      pool,
      nodes: pool.members.flatMap(({ id }) => this.nodes.get(id) ?? []),
    }));
    this.links = this.#findLinks();
    this.#arrange(appeared);
    return { appeared, left };
  }

  /** One step of time. */
  step() {
    this.#simulation.tick();
  }

  /** As many steps as it takes: for those who want no motion. */
  settle() {
    for (let step = 0; step < MAX_STEPS && this.isMoving; step++) this.step();
  }

  /** Somebody moves a node by hand. */
  warm() {
    this.#simulation.alpha(Math.max(this.#simulation.alpha(), HEAT));
  }

  /** What the picture takes up, or undefined when it is empty. */
  get box() {
    if (this.nodes.size === 0) return undefined;
    let left = Infinity, top = Infinity, right = -Infinity, bottom = -Infinity;
    for (const { x, y, radius } of this.nodes.values()) {
      left = Math.min(left, x - radius - ROOM);
      right = Math.max(right, x + radius + ROOM);
      top = Math.min(top, y - radius - ROOM);
      bottom = Math.max(bottom, y + radius + 2 * ROOM);
    }
    // The names of pools stand above them.
    return { left: left - 20, top: top - 34, right: right + 20, bottom: bottom + 10 };
  }

  /**
   * @param {ComponentFact} fact
   * @returns {Node}
   */
  #add(fact) {
    const node = {
      fact,
      radius: RADII.get(fact.group) ?? STRANGER_RADIUS,
      room: ROOM,
      targetX: 0,
      targetY: 0,
      x: Number.NaN, // until it is known where it belongs
      y: Number.NaN,
    };
    this.nodes.set(fact.id, node);
    return node;
  }

  /** @returns {Link[]} */
  #findLinks() {
    /** @type {Map<string, Link>} */
    const found = new Map();
    for (const from of this.nodes.values()) {
      for (const { to: id, count } of from.fact.links) {
        const to = this.nodes.get(id);
        if (to === undefined || to === from) continue;
        // Registrars tell of each other: that is one line.
        const key = [from.fact.id, id].sort().join();
        const known = found.get(key);
        if (known === undefined) {
          found.set(key, { from, to, count, kind: kindOfLink(from.fact.group, groupOf(id)) });
        } else if (known.from === from) known.count += count;
      }
    }
    return [...found.values()];
  }

  /** @param {readonly Node[]} appeared */
  #arrange(appeared) {
    const nodes = [...this.nodes.values()], isCrowd = nodes.length > CROWD;
    const room = isCrowd ? CROWD_ROOM : ROOM, userRoom = isCrowd ? CROWD_ROOM : USER_ROOM;
    for (const node of nodes) node.room = node.fact.group === USER ? userRoom : room;
    const shape = JSON.stringify([
      nodes.map(({ fact }) => fact.id),
      this.pools.map(({ pool, nodes: members }) => [pool.key, members.length]),
      this.links.map(({ from, to }) => [from.fact.id, to.fact.id]),
    ]);
    if (shape === this.#shape) return;
    const isFirst = this.#shape === "";
    this.#shape = shape;
    const before = nodes.map(({ targetX, targetY }) => [targetX, targetY]);
    const { top, bottom } = this.#placePools(room), size = (bottom - top) / USUAL_HEIGHT;
    // A bigger picture is seen from farther away: who stands above all must be seen from there.
    const grown = Math.min(MAX_GROWTH, Math.max(1, size)),
      registrars = nodes.filter(({ fact }) => fact.group === REGISTRAR);
    for (const node of registrars) node.radius = (RADII.get(REGISTRAR) ?? 0) * grown;
    this.#placeRow(registrars, top - REGISTRAR_GAP * grown, 130 * grown);
    this.#placeUsers(nodes.filter(({ fact }) => fact.group === USER), bottom + USER_GAP * grown, userRoom);
    const strangers = nodes.filter(({ fact }) => ![REGISTRAR, ELEMENT, USER].includes(fact.group));
    this.#placeRow(strangers, bottom + 2 * USER_GAP, 60);
    appeared.forEach((node, index) => {
      if (!Number.isNaN(node.x)) return;
      const far = 4 * Math.sqrt(index);
      node.x = node.targetX + far * Math.cos(index * GOLDEN);
      node.y = node.targetY + far * Math.sin(index * GOLDEN);
    });
    const isSame = appeared.length === 0 && this.#simulation.nodes().length === nodes.length &&
      nodes.every(({ targetX, targetY }, index) => {
        const [x = 0, y = 0] = before[index] ?? [];
        return Math.abs(targetX - x) + Math.abs(targetY - y) < STILL;
      });
    if (isSame) return; // others are connected, and all may stay where they are
    this.#collide.radius((/** @type {Node} */ node) => node.radius + node.room);
    this.#simulation.nodes(nodes);
    // The same forces again make d3 read targets anew.
    for (const name of ["x", "y", "collide"]) this.#simulation.force(name, this.#simulation.force(name));
    this.#simulation.alpha(Math.max(this.#simulation.alpha(), isFirst ? FIRST_HEAT : HEAT));
  }

  /**
   * Pools stand in lines, like words, so that all together are about as wide as a window.
   *
   * @param {number} room
   */
  #placePools(room) {
    const sizes = this.pools.map(({ nodes }) => {
      const cell = 2 * (RADII.get(ELEMENT) ?? 0) + 2 * room;
      const area = Math.max(1, nodes.length) * cell * cell / 0.8;
      const height = Math.max(cell, Math.sqrt(area / POOL_ASPECT));
      return { width: Math.max(area / height, nodes.length < 4 ? nodes.length * cell : 0, 150), height };
    });
    const lines = this.#bestLines(sizes);
    const height = lines.reduce((sum, line) => sum + line.height + POOL_GAP, -POOL_GAP);
    let top = -Math.max(0, height) / 2;
    for (const { places, width, height: lineHeight } of lines) {
      let left = -width / 2;
      for (const place of places) {
        const size = sizes[place], pool = this.pools[place];
        if (size === undefined || pool === undefined) continue;
        placePool(pool.nodes, left + size.width / 2, top + lineHeight / 2, size);
        left += size.width + POOL_GAP;
      }
      top += lineHeight + POOL_GAP;
    }
    return { top: -Math.max(0, height) / 2, bottom: Math.max(0, height) / 2 };
  }

  /**
   * Breaks pools into lines so that the whole picture is as big as it can be in its window.
   *
   * @param {readonly Size[]} sizes
   */
  #bestLines(sizes) {
    let best = breakLines(sizes, Infinity), bestZoom = 0, limit = Infinity;
    for (let attempt = 0; attempt < MAX_LINES; attempt++) {
      const lines = breakLines(sizes, limit), width = Math.max(0, ...lines.map((line) => line.width));
      const height = lines.reduce((sum, line) => sum + line.height + POOL_GAP, 0);
      const zoom = Math.min(this.aspect / Math.max(width, 500), 1 / (height + REGISTRAR_GAP + USER_GAP + 60));
      if (zoom > bestZoom) [best, bestZoom] = [lines, zoom];
      limit = width - 1;
    }
    return best;
  }

  /**
   * @param {readonly Node[]} nodes
   * @param {number} y
   * @param {number} distance
   */
  #placeRow(nodes, y, distance) {
    [...nodes].sort(byId).forEach((node, index) => {
      node.targetX = (index - (nodes.length - 1) / 2) * distance;
      node.targetY = y;
    });
  }

  /**
   * Users stand below the elements that work for them, in as many lines as it takes.
   *
   * @param {readonly Node[]} users
   * @param {number} top
   * @param {number} room
   */
  #placeUsers(users, top, room) {
    /** @type {Map<Node, number[]>} */
    const wishes = new Map(users.map((user) => [user, []]));
    for (const { from, to, kind } of this.links) {
      if (kind === "session") wishes.get(from)?.push(to.targetX);
    }
    const wish = (/** @type {Node} */ user) => {
      const places = wishes.get(user) ?? [];
      return places.length === 0 ? 0 : places.reduce((sum, x) => sum + x, 0) / places.length;
    };
    const cell = 2 * (RADII.get(USER) ?? 0) + 2 * room;
    const elements = this.pools.flatMap(({ nodes }) => nodes.map(({ targetX }) => targetX));
    const width = Math.max(600, Math.max(0, ...elements) - Math.min(0, ...elements));
    const columns = Math.max(1, Math.min(users.length, Math.floor(width / cell)));
    const lines = Math.ceil(users.length / columns);
    // In a crowd whoever has a place keeps it: that a session moves is seen without all users moving, too.
    const order = (/** @type {Node} */ user) =>
      lines > 1 && !Number.isNaN(user.x) ? user.targetX : wish(user);
    const sorted = [...users].sort((a, b) => order(a) - order(b) || a.targetY - b.targetY || byId(a, b));
    sorted.forEach((user, index) => {
      // Neighbours by their wish stand in the same column, and share the way with it.
      const place = (Math.floor(index / lines) - (Math.ceil(sorted.length / lines) - 1) / 2) * cell;
      user.targetX = lines > 1 ? place : 0.6 * wish(user) + 0.4 * place * 1.6;
      user.targetY = top + index % lines * cell;
    });
  }
}

/**
 * Lines of pools that are no wider than a limit, if their pools are not.
 *
 * @param {readonly Size[]} sizes
 * @param {number} limit
 */
function breakLines(sizes, limit) {
  /** @type {{ readonly places: number[], width: number, height: number }[]} */
  const lines = [];
  sizes.forEach(({ width, height }, index) => {
    let line = lines.at(-1);
    if (line === undefined || line.width + POOL_GAP + width > limit) {
      lines.push(line = { places: [], width: -POOL_GAP, height: 0 });
    }
    line.places.push(index);
    line.width += POOL_GAP + width;
    line.height = Math.max(line.height, height);
  });
  return lines;
}

/**
 * @param {Node} a
 * @param {Node} b
 */
function byId(a, b) {
  return a.fact.id < b.fact.id ? -1 : 1;
}

/**
 * @param {number} from
 * @param {number} to
 * @returns {Link["kind"]}
 */
function kindOfLink(from, to) {
  if (from === REGISTRAR && to === REGISTRAR) return "enrp";
  if (to === REGISTRAR) return "asap";
  return from === USER && to === ELEMENT ? "session" : "other";
}

/**
 * Gives the elements of a pool their place: few of them stand in a line. More of them share the middle, and push each other
 * aside, so that all keep their places when one leaves.
 *
 * @param {readonly Node[]} nodes
 * @param {number} x
 * @param {number} y
 * @param {Size} size
 */
function placePool(nodes, x, y, { width, height }) {
  const count = nodes.length;
  nodes.forEach((node, index) => {
    const isLine = count < 4;
    node.targetX = isLine ? x + (index - (count - 1) / 2) * width / count : x;
    node.targetY = y;
    if (isLine || !Number.isNaN(node.x)) return;
    const far = Math.sqrt((index + 0.5) / count), angle = index * GOLDEN;
    node.x = x + far * Math.cos(angle) * width / 2;
    node.y = y + far * Math.sin(angle) * height / 2;
  });
}
