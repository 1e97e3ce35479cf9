/** Pictures in a terminal: every character cell shows two points, one above the other, by the half block `▀`. */

/** What is shown. */
export interface PixelSource {
  readonly width: number;
  readonly height: number;
  /** The colour of the point `y * width + x` as 0xRRGGBB; undefined = it is not there yet. */
  colourAt(index: number): number | undefined;
}

/** Character cells. */
export interface CellSize {
  readonly columns: number;
  readonly rows: number;
}

/** Where no point is yet. */
const EMPTY = 0x262626;

/** Points looked at per half cell and direction: a big picture costs no more than a small one. */
const SAMPLES = 3;

const RESET = "\x1b[0m";

/**
 * The cells that a picture takes when it is fitted into a size without distortion; it is never enlarged.
 *
 * @returns at least one cell each way
 */
export function fitPicture(width: number, height: number, size: CellSize): CellSize {
  const scale = Math.min(1, size.columns / width, 2 * size.rows / height);
  return {
    columns: Math.max(1, Math.min(size.columns, Math.floor(width * scale))),
    rows: Math.max(1, Math.min(size.rows, Math.ceil(Math.floor(height * scale) / 2))),
  };
}

/**
 * Renders a picture for a terminal with 24-bit colour.
 *
 * @param picture the points
 * @param size the cells that there are
 * @returns one line a row of cells, each with its own colour sequences and without a line feed
 */
export function renderPicture(picture: PixelSource, size: CellSize): string[] {
  const { columns, rows } = fitPicture(picture.width, picture.height, size);
  const lines: string[] = [];
  for (let row = 0; row < rows; row++) {
    let line = "";
    let lastUpper = -1, lastLower = -1;
    for (let column = 0; column < columns; column++) {
      const upper = average(picture, column, columns, 2 * row, 2 * rows);
      const lower = average(picture, column, columns, 2 * row + 1, 2 * rows);
      if (upper !== lastUpper) line += `\x1b[38;2;${components(upper)}m`;
      if (lower !== lastLower) line += `\x1b[48;2;${components(lower)}m`;
      lastUpper = upper;
      lastLower = lower;
      line += "▀";
    }
    lines.push(line + RESET);
  }
  return lines;
}

/** The mean colour of the points that are there, in one cell of a grid laid over the picture. */
function average(
  picture: PixelSource,
  column: number,
  columns: number,
  row: number,
  rows: number,
): number {
  const { width, height } = picture;
  const left = Math.floor(column * width / columns);
  const right = Math.max(left + 1, Math.floor((column + 1) * width / columns));
  const top = Math.min(Math.floor(row * height / rows), height - 1);
  const bottom = Math.max(top + 1, Math.floor((row + 1) * height / rows));
  const stepX = Math.ceil((right - left) / SAMPLES);
  const stepY = Math.ceil((bottom - top) / SAMPLES);
  let red = 0, green = 0, blue = 0, count = 0;
  for (let y = top; y < bottom; y += stepY) {
    for (let x = left; x < right; x += stepX) {
      const colour = picture.colourAt(y * width + x);
      if (colour === undefined) continue;
      red += colour >> 16;
      green += colour >> 8 & 255;
      blue += colour & 255;
      count++;
    }
  }
  if (count === 0) return EMPTY;
  return Math.round(red / count) << 16 | Math.round(green / count) << 8 | Math.round(blue / count);
}

function components(colour: number): string {
  return `${colour >> 16};${colour >> 8 & 255};${colour & 255}`;
}
