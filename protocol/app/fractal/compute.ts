/**
 * The fractals of the Fractal Generator Protocol, as RSPLIB's PEs compute them (reference/rsplib.md §5.2), so that an
 * image computed by PEs of both kinds shows no seam.
 *
 * Mandelbrot, z := z² - c, gives RSPLIB's values bit by bit: only additions and multiplications of doubles are made,
 * in the same order. MandelbrotN needs a complex power. For a small whole N this is made of multiplications, which
 * is more exact and many times faster than going through logarithm and sine, whose last bits differ between C
 * libraries anyway. On the edge of the set, where orbits are chaotic, some points differ from RSPLIB's therefore: of
 * 100,000 points of a whole image 6 to 15 for N = 2 to 7, 182 for N = 2.5.
 */
import { FractalAlgorithm } from "./messages.ts";
import type { FractalParameter } from "./messages.ts";

/** An algorithm ID that nobody gave a meaning: its points are (x * y) mod 256, a pattern for tests. */
export const TEST_PATTERN = 0;

/** The orbit has left the circle when |z|² is at least this (RSPLIB's choice; mathematics would allow 4). */
const ESCAPE = 2.0;

/** Up to this whole N a power is made by multiplications; above it, exp and log are faster. */
const MAX_MULTIPLIED_POWER = 64;

/**
 * Computes consecutive points of an image, row by row, wrapping at its width.
 *
 * @param parameter the image; width and height must be at least 1
 * @param first index of the first point: `y * width + x`
 * @param values receives one value per point; its length says how many. The caller keeps the range inside the image
 *
 * @example The first points of RSPLIB's default image escape at once
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const parameter = {
 *   type: "parameter" as const,
 *   width: 400, height: 250, maxIterations: 1024, algorithm: 1,
 *   c1Real: -1.5, c1Imag: 1.5, c2Real: 1.5, c2Imag: -1.5, n: 2,
 * };
 * const values = new Uint32Array(2);
 * computePoints(parameter, 0, values);
 * assert.deepEqual([...values], [0, 0]);
 * ```
 */
export function computePoints(parameter: FractalParameter, first: number, values: Uint32Array): void {
  const { width, height, maxIterations, c1Real, c1Imag, c2Real, c2Imag } = parameter;
  const stepReal = (c2Real - c1Real) / width;
  const stepImag = (c2Imag - c1Imag) / height;
  const pointValue = chooseAlgorithm(parameter);
  let x = first % width;
  let y = (first - x) / width;
  for (let i = 0; i < values.length; i++) {
    values[i] = pointValue === undefined
      ? x * y & 255
      : pointValue(c1Real + x * stepReal, c1Imag + y * stepImag, maxIterations, parameter.n);
    if (++x === width) {
      x = 0;
      y++;
    }
  }
}

type PointFunction = (cReal: number, cImag: number, maxIterations: number, n: number) => number;

/** Undefined = the test pattern, the only one that wants coordinates of the raster. */
function chooseAlgorithm({ algorithm, n }: FractalParameter): PointFunction | undefined {
  switch (algorithm) {
    case FractalAlgorithm.mandelbrot:
      return mandelbrot;
    case FractalAlgorithm.mandelbrotN:
      if (n === 2) return mandelbrot;
      return Number.isInteger(n) && n >= 1 && n <= MAX_MULTIPLIED_POWER ? wholePower : realPower;
    default:
      return undefined;
  }
}

/**
 * Iterations of z := z² - c from 0 until |z|² >= 2.
 *
 * An orbit that comes back to exactly the same doubles goes round for ever, so that the points inside the set, which
 * would cost the most, are often known early. The point to compare with is renewed at powers of two (Brent).
 */
function mandelbrot(cReal: number, cImag: number, maxIterations: number): number {
  let real = 0, imag = 0;
  let realSquare = 0, imagSquare = 0;
  let markReal = NaN, markImag = NaN;
  let renewAt = 8;
  for (let i = 0; i < maxIterations; i++) {
    const product = real * imag;
    real = realSquare - imagSquare - cReal;
    imag = product + product - cImag;
    realSquare = real * real;
    imagSquare = imag * imag;
    if (realSquare + imagSquare >= ESCAPE) return i;
    if (real === markReal && imag === markImag) return maxIterations;
    if (i === renewAt) {
      markReal = real;
      markImag = imag;
      renewAt = i + i;
    }
  }
  return maxIterations;
}

/** As {@linkcode mandelbrot}, z := z^n - c for a whole n of at least 1, by squaring and multiplying. */
function wholePower(cReal: number, cImag: number, maxIterations: number, n: number): number {
  let real = 0, imag = 0;
  let markReal = NaN, markImag = NaN;
  let renewAt = 8;
  for (let i = 0; i < maxIterations; i++) {
    let baseReal = real, baseImag = imag;
    let powerReal = 1, powerImag = 0;
    for (let rest = n; rest > 0; rest >>= 1) {
      if ((rest & 1) !== 0) {
        const multiplied = powerReal * baseReal - powerImag * baseImag;
        powerImag = powerReal * baseImag + powerImag * baseReal;
        powerReal = multiplied;
      }
      const product = baseReal * baseImag;
      baseReal = baseReal * baseReal - baseImag * baseImag;
      baseImag = product + product;
    }
    real = powerReal - cReal;
    imag = powerImag - cImag;
    if (real * real + imag * imag >= ESCAPE) return i;
    if (real === markReal && imag === markImag) return maxIterations;
    if (i === renewAt) {
      markReal = real;
      markImag = imag;
      renewAt = i + i;
    }
  }
  return maxIterations;
}

/**
 * As {@linkcode wholePower} for any n: |z|^n and n * arg z by exp, log and atan2. Once an orbit holds NaN (n <= 0) it
 * never escapes, which is what RSPLIB's comparison makes of it, too.
 */
function realPower(cReal: number, cImag: number, maxIterations: number, n: number): number {
  let real = 0, imag = 0;
  let markReal = NaN, markImag = NaN;
  let renewAt = 8;
  for (let i = 0; i < maxIterations; i++) {
    const radius = Math.exp(n * 0.5 * Math.log(real * real + imag * imag));
    const angle = n * Math.atan2(imag, real);
    real = radius * Math.cos(angle) - cReal;
    imag = radius * Math.sin(angle) - cImag;
    if (real * real + imag * imag >= ESCAPE) return i;
    if (real !== real || imag !== imag) return maxIterations;
    // The sign of a zero tells the two sides of the cut of atan2 apart.
    if (Object.is(real, markReal) && Object.is(imag, markImag)) return maxIterations;
    if (i === renewAt) {
      markReal = real;
      markImag = imag;
      renewAt = i + i;
    }
  }
  return maxIterations;
}
