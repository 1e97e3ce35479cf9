/** An image that grows point by point. */
import { encode } from "fast-png";
import { colourOf, markedValue } from "../../protocol/app/fractal/colour.ts";
import type { ColourMarks } from "../../protocol/app/fractal/colour.ts";
import type { Rectangle } from "../../protocol/app/fractal/subimage.ts";

/** Points that came in one message: row by row from (x, y), wrapping within the area. */
export interface PicturePoints {
  readonly area: Rectangle;
  readonly x: number;
  readonly y: number;
  readonly values: Uint32Array;
}

/** RGB octets of a picture, and which of its points are there. */
export class Picture {
  readonly width: number;
  readonly height: number;
  /** Three octets a point, row by row; black where no point is yet. */
  readonly rgb: Uint8Array;
  /** 1 where a point is there, else 0. */
  readonly painted: Uint8Array;

  /** @param width and @param height in points, at least 1 */
  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.rgb = new Uint8Array(3 * width * height);
    this.painted = new Uint8Array(width * height);
  }

  /** Paints points that lie inside the picture. */
  paint({ area, x, y, values }: PicturePoints, marks: ColourMarks = {}): void {
    const offset = markedValue(0, marks);
    const end = area.left + area.width;
    let column = x;
    let index = y * this.width + x;
    for (const value of values) {
      const colour = colourOf(value + offset);
      this.painted[index] = 1;
      this.rgb[3 * index] = colour >> 16;
      this.rgb[3 * index + 1] = colour >> 8 & 255;
      this.rgb[3 * index + 2] = colour & 255;
      index++;
      if (++column === end) {
        column = area.left;
        index += this.width - area.width;
      }
    }
  }

  /** The picture as a PNG file. */
  png(): Uint8Array {
    return encode({ width: this.width, height: this.height, channels: 3, depth: 8, data: this.rgb });
  }
}
