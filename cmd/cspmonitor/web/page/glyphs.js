// @ts-check
/** The shapes of components, as paths on a canvas. */

/**
 * A hexagon that stands on a corner.
 *
 * @param {CanvasRenderingContext2D} path
 * @param {number} x
 * @param {number} y
 * @param {number} radius
 */
export function hexagon(path, x, y, radius) {
  for (let corner = 0; corner < 6; corner++) {
    const angle = Math.PI / 3 * corner - Math.PI / 2;
    const place = /** @type {const} */ ([x + radius * Math.cos(angle), y + radius * Math.sin(angle)]);
    if (corner === 0) path.moveTo(...place);
    else path.lineTo(...place);
  }
  path.closePath();
}

/**
 * A square that stands on a corner, its corners a little round.
 *
 * @param {CanvasRenderingContext2D} path
 * @param {number} x
 * @param {number} y
 * @param {number} radius
 */
export function diamond(path, x, y, radius) {
  const soft = radius * 0.22;
  path.moveTo(x - soft, y - radius + soft);
  path.quadraticCurveTo(x, y - radius, x + soft, y - radius + soft);
  path.lineTo(x + radius - soft, y - soft);
  path.quadraticCurveTo(x + radius, y, x + radius - soft, y + soft);
  path.lineTo(x + soft, y + radius - soft);
  path.quadraticCurveTo(x, y + radius, x - soft, y + radius - soft);
  path.lineTo(x - radius + soft, y + soft);
  path.quadraticCurveTo(x - radius, y, x - radius + soft, y - soft);
  path.closePath();
}
