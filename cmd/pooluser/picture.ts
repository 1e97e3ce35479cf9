/** An image that grows point by point. */
import { encode } from "fast-png";
import { COLOUR_COUNT, colourOf, markedValue } from "../../protocol/app/fractal/colour.ts";
import type { ColourMarks } from "../../protocol/app/fractal/colour.ts";
import type { Rectangle } from "../../protocol/app/fractal/subimage.ts";

/** Points that came in one message: row by row from (x, y), wrapping within the area. */
export interface PicturePoints {
  readonly area: Rectangle;
  readonly x: number;
  readonly y: number;
  readonly values: Uint32Array;
}

/** Who computed points: what a page can show of them besides their colour. */
export interface PointSource {
  /** How often the session had changed its PE. The plane has it modulo {@linkcode CHANGES_ROUND}. */
  readonly peChanges?: number;
  /** Number of the PE, from 0, in the order of their first points; 255 stands for all later ones. */
  readonly element?: number;
}

/** Stands for the colour of a point that is not there yet. */
export const NOT_THERE = 255;

/** Most that an octet counts to. */
const MAX_OCTET = 255;

/** An octet counts changes of the PE to here and begins anew, at which hues begin anew, too. */
export const CHANGES_ROUND: number = 3 * COLOUR_COUNT;

/** The points of a picture in planes, one octet a point and plane, row by row. */
export class Picture {
  readonly width: number;
  readonly height: number;
  /** Colour by the marks it was painted with, 0 to 71; {@linkcode NOT_THERE}. This is what a file and a terminal show. */
  readonly shades: Uint8Array<ArrayBuffer>;
  /** Colour without marks, 0 to 71; {@linkcode NOT_THERE}. */
  readonly hues: Uint8Array<ArrayBuffer>;
  /** {@linkcode PointSource.peChanges} of each point. */
  readonly peChanges: Uint8Array<ArrayBuffer>;
  /** {@linkcode PointSource.element} of each point. */
  readonly elements: Uint8Array<ArrayBuffer>;

  /** @param width and @param height in points, at least 1 */
  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    const points = width * height;
    this.shades = new Uint8Array(points).fill(NOT_THERE);
    this.hues = new Uint8Array(points).fill(NOT_THERE);
    this.peChanges = new Uint8Array(points);
    this.elements = new Uint8Array(points);
  }

  /** Paints points that lie inside the picture. */
  paint({ area, x, y, values }: PicturePoints, marks: ColourMarks = {}, source: PointSource = {}): void {
    const offset = markedValue(0, marks);
    const peChanges = (source.peChanges ?? 0) % CHANGES_ROUND;
    const element = Math.min(source.element ?? 0, MAX_OCTET);
    const end = area.left + area.width;
    for (let done = 0, column = x, row = y; done < values.length; row++, column = area.left) {
      const count = Math.min(end - column, values.length - done);
      const index = row * this.width + column;
      for (let i = 0; i < count; i++) {
        const value = values[done + i]!;
        this.shades[index + i] = (value + offset) % COLOUR_COUNT;
        this.hues[index + i] = value % COLOUR_COUNT;
      }
      this.peChanges.fill(peChanges, index, index + count);
      this.elements.fill(element, index, index + count);
      done += count;
    }
  }

  /** The colour of a point as 0xRRGGBB; undefined = it is not there yet. */
  colourAt(index: number): number | undefined {
    const shade = this.shades[index]!;
    return shade === NOT_THERE ? undefined : colourOf(shade);
  }

  /** Three octets a point, row by row; black where no point is yet. */
  rgb(): Uint8Array<ArrayBuffer> {
    const octets = new Uint8Array(3 * this.shades.length);
    for (const [index, shade] of this.shades.entries()) {
      if (shade === NOT_THERE) continue;
      const colour = colourOf(shade);
      octets[3 * index] = colour >> 16;
      octets[3 * index + 1] = colour >> 8 & 255;
      octets[3 * index + 2] = colour & 255;
    }
    return octets;
  }

  /** The picture as a PNG file. */
  png(): Uint8Array {
    return encode({ width: this.width, height: this.height, channels: 3, depth: 8, data: this.rgb() });
  }
}
