// @ts-check
/** The geometry of the picture. */

/** @typedef {readonly [x: number, y: number]} Point */

/**
 * A way between two nodes: a curve that leaves upwards or downwards.
 *
 * @typedef {readonly [Point, Point, Point, Point]} Curve
 */

/**
 * @param {{ readonly x: number, readonly y: number, readonly radius: number }} from
 * @param {{ readonly x: number, readonly y: number, readonly radius: number }} to
 * @returns {Curve}
 */
export function curveBetween(from, to) {
  const isFlat = Math.abs(to.y - from.y) < 0.5 * Math.abs(to.x - from.x) && Math.abs(to.y - from.y) < 80;
  const bend = isFlat ? 0 : 0.45 * (to.y - from.y);
  const lift = isFlat ? -0.22 * Math.abs(to.x - from.x) : 0;
  /** @type {Point} */
  const first = isFlat ? [from.x + 0.3 * (to.x - from.x), from.y + lift] : [from.x, from.y + bend];
  /** @type {Point} */
  const second = isFlat ? [from.x + 0.7 * (to.x - from.x), to.y + lift] : [to.x, to.y - bend];
  return [toward(from, first), first, second, toward(to, second)];
}

/**
 * The place on the border of a node in the direction of another place.
 *
 * @param {{ readonly x: number, readonly y: number, readonly radius: number }} node
 * @param {Point} place
 * @returns {Point}
 */
function toward({ x, y, radius }, [towardX, towardY]) {
  const distance = Math.hypot(towardX - x, towardY - y) || 1;
  return [x + (towardX - x) / distance * radius, y + (towardY - y) / distance * radius];
}

/**
 * A place on a way.
 *
 * @param {Curve} curve
 * @param {number} share 0 = its beginning, 1 = its end
 * @returns {Point}
 */
export function pointOn([a, b, c, d], share) {
  const rest = 1 - share;
  const [p, q, r, s] = [rest ** 3, 3 * rest ** 2 * share, 3 * rest * share ** 2, share ** 3];
  return [p * a[0] + q * b[0] + r * c[0] + s * d[0], p * a[1] + q * b[1] + r * c[1] + s * d[1]];
}

/**
 * The convex hull of some places, counter-clockwise on a plane whose y goes up.
 *
 * @param {readonly Point[]} places
 * @returns {Point[]}
 */
export function convexHull(places) {
  const sorted = [...places].sort(([ax, ay], [bx, by]) => ax - bx || ay - by);
  const half = (/** @type {readonly Point[]} */ all) => {
    /** @type {Point[]} */
    const hull = [];
    for (const place of all) {
      while (hull.length > 1) {
        const [ax, ay] = /** @type {Point} */ (hull.at(-2)), [bx, by] = /** @type {Point} */ (hull.at(-1));
        if ((bx - ax) * (place[1] - ay) - (by - ay) * (place[0] - ax) > 0) break;
        hull.pop();
      }
      hull.push(place);
    }
    hull.pop();
    return hull;
  };
  return sorted.length < 3 ? sorted : [...half(sorted), ...half(sorted.reverse())];
}

/**
 * The outline around nodes of a pool, with room for their names.
 *
 * @param {readonly { readonly x: number, readonly y: number, readonly radius: number }[]} nodes
 * @param {number} room
 * @returns {Point[]}
 */
export function outlineOf(nodes, room) {
  // Nodes of a pool are equally big: only those at the border of the crowd make the outline.
  const outer = convexHull(nodes.map(({ x, y }) => /** @type {Point} */ ([x, y])));
  const far = room + Math.max(0, ...nodes.map(({ radius }) => radius));
  return convexHull(outer.flatMap(([x, y]) =>
    Array.from({ length: 16 }, (_, index) => {
      const angle = Math.PI / 8 * index;
      return /** @type {Point} */ ([
        x + far * Math.cos(angle) * 1.15,
        y + far * Math.sin(angle) + room * 0.3,
      ]);
    })
  ));
}
