/** Fractal configuration files `*.fsf` (reference/rsplib.md §6.7): XML that names an image. */
import { FractalAlgorithm, MAX_FRACTAL_ITERATIONS } from "../../protocol/app/fractal/messages.ts";
import type { FractalParameter } from "../../protocol/app/fractal/messages.ts";

/** What a file says of an image: all but its size. */
export type FractalImage = Omit<FractalParameter, "type" | "width" | "height">;

/** RSPLIB's built-in image. */
export const defaultImage: FractalImage = {
  maxIterations: 1024,
  algorithm: FractalAlgorithm.mandelbrot,
  c1Real: -1.5,
  c1Imag: 1.5,
  c2Real: 1.5,
  c2Imag: -1.5,
  n: 2,
};

/** A configuration file does not say what it should. The message is a clause for people. */
export class FractalFileError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "FractalFileError";
  }
}

/** Longest file that is looked at, in characters; real ones have 700. */
const MAX_FILE_LENGTH = 64 * 1024;

/**
 * Reads a fractal configuration file. Elements may stand anywhere, as RSPLIB takes them.
 *
 * @param xml the file's text
 * @returns the image, with RSPLIB's defaults of 123 iterations and N = 2
 * @throws {FractalFileError} when it is no such file, a corner is missing, or a number is none
 *
 * @example The least that a file must say
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const corners = "<C1Real>-2</C1Real><C1Imag>1</C1Imag><C2Real>1</C2Real><C2Imag>-1</C2Imag>";
 * const image = readFractalFile(`<FractalV1><AlgorithmName>Mandelbrot</AlgorithmName>${corners}</FractalV1>`);
 * assert.equal(image.maxIterations, 123);
 * ```
 */
export function readFractalFile(xml: string): FractalImage {
  if (xml.length > MAX_FILE_LENGTH) throw new FractalFileError("is too long for a fractal configuration");
  const text = xml.replaceAll(/<!--[\s\S]*?-->/g, "");
  return {
    algorithm: algorithm(elementText(text, "AlgorithmName")),
    c1Real: number(text, "C1Real"),
    c1Imag: number(text, "C1Imag"),
    c2Real: number(text, "C2Real"),
    c2Imag: number(text, "C2Imag"),
    maxIterations: whole(text, "MaxIterations", 123, MAX_FRACTAL_ITERATIONS),
    n: number(text, "N", 2),
  };
}

function algorithm(name: string | undefined): number {
  if (name === "Mandelbrot") return FractalAlgorithm.mandelbrot;
  if (name === "MandelbrotN") return FractalAlgorithm.mandelbrotN;
  if (name === undefined) throw new FractalFileError("has no AlgorithmName: is it a fractal configuration?");
  throw new FractalFileError(
    `names the algorithm ${JSON.stringify(name)}; Mandelbrot and MandelbrotN are known`,
  );
}

function number(text: string, name: string, otherwise?: number): number {
  const written = elementText(text, name);
  if (written === undefined && otherwise !== undefined) return otherwise;
  if (written === undefined) throw new FractalFileError(`does not say ${name}`);
  const value = Number(written);
  if (written === "" || !Number.isFinite(value)) {
    throw new FractalFileError(`says ${JSON.stringify(written)} for ${name}, which is no number`);
  }
  return value;
}

function whole(text: string, name: string, otherwise: number, max: number): number {
  const value = number(text, name, otherwise);
  if (Number.isInteger(value) && value >= 1 && value <= max) return value;
  throw new FractalFileError(`says ${value} for ${name}, which must be a whole number from 1 to ${max}`);
}

/** Text of the first element of a name; undefined = there is none. */
function elementText(text: string, name: string): string | undefined {
  return new RegExp(`<${name}(?:\\s[^>]*)?>([^<]*)</${name}\\s*>`).exec(text)?.[1]?.trim();
}
