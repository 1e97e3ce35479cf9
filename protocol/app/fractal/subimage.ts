/** How an image is cut into sub-images, one a session, as RSPLIB's pool user does it (reference/rsplib.md §5.2). */
import type { FractalParameter } from "./messages.ts";

/** A rectangle of an image, in points. */
export interface Rectangle {
  /** Column of its first points. */
  readonly left: number;
  /** Row of its first points. */
  readonly top: number;
  /** Columns, at least 1. */
  readonly width: number;
  /** Rows, at least 1. */
  readonly height: number;
}

/**
 * Cuts a rectangle into one part a session: floor(sqrt(sessions)) rows of parts, as many in each row, the rest of the
 * sessions in the last row. The last part of a row and the last row take what the division leaves over.
 *
 * @param width points, at least 1
 * @param height points, at least 1
 * @param sessions at least 1
 * @returns parts that cover every point exactly once; fewer than `sessions` when the image has too few points to
 * give each session some
 */
export function partition(width: number, height: number, sessions: number): Rectangle[] {
  const rows = Math.min(Math.floor(Math.sqrt(sessions)), height);
  const columnsPerRow = Math.max(1, Math.floor(Math.sqrt(sessions)));
  const parts: Rectangle[] = [];
  for (let row = 0; row < rows; row++) {
    const last = row === rows - 1;
    const columns = Math.min(last ? sessions - columnsPerRow * (rows - 1) : columnsPerRow, width);
    const top = row * Math.floor(height / rows);
    const bottom = last ? height : top + Math.floor(height / rows);
    for (let column = 0; column < columns; column++) {
      const left = column * Math.floor(width / columns);
      const right = column === columns - 1 ? width : left + Math.floor(width / columns);
      parts.push({ left, top, width: right - left, height: bottom - top });
    }
  }
  return parts;
}

/**
 * The Parameter for a rectangle of an image: the corners are interpolated linearly.
 *
 * @param parameter the whole image
 * @param part lies inside the image
 * @returns the Parameter itself when the part is the whole image, so that the corners stay exact
 */
export function subParameter(parameter: FractalParameter, part: Rectangle): FractalParameter {
  const { width, height, c1Real, c1Imag, c2Real, c2Imag } = parameter;
  const realAt = (x: number) => x === width ? c2Real : c1Real + x * ((c2Real - c1Real) / width);
  const imagAt = (y: number) => y === height ? c2Imag : c1Imag + y * ((c2Imag - c1Imag) / height);
  return {
    ...parameter,
    width: part.width,
    height: part.height,
    c1Real: realAt(part.left),
    c1Imag: imagAt(part.top),
    c2Real: realAt(part.left + part.width),
    c2Imag: imagAt(part.top + part.height),
  };
}
