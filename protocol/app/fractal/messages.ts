import { DecodeError, StateError } from "../../wire/errors.ts";
import { Reader } from "../../wire/reader.ts";
import { Writer } from "../../wire/writer.ts";

/** Message types of the Fractal Generator Protocol (reference of RSPLIB, SCTP PPID 32). */
export const FractalType = { parameter: 1, data: 2 } as const;

/** What to compute: `z := z^2 - c` or `z := z^N - c`. The server computes a test pattern for any other number. */
export const FractalAlgorithm = { mandelbrot: 1, mandelbrotN: 2 } as const;

/** Largest width and height that RSPLIB's server takes. */
export const MAX_FRACTAL_SIZE = 65536;
/** Most iterations that RSPLIB's server takes. */
export const MAX_FRACTAL_ITERATIONS = 1000000;
/** Most points of a Data message: RSPLIB's buffer, chosen to fit into one packet. */
export const MAX_DATA_POINTS = 324;

const PARAMETER_LENGTH = 60;
const DATA_HEADER_LENGTH = 16;
/** Start coordinates of the end marker. */
const END_COORDINATE = 0xffffffff;

/** Parameter, PU to PE: the image to compute. */
export interface FractalParameter {
  /** Which message it is. */
  readonly type: "parameter";
  /** Columns, 1..{@linkcode MAX_FRACTAL_SIZE}. */
  readonly width: number;
  /** Rows, 1..{@linkcode MAX_FRACTAL_SIZE}. */
  readonly height: number;
  /** 0..{@linkcode MAX_FRACTAL_ITERATIONS} */
  readonly maxIterations: number;
  /** See {@linkcode FractalAlgorithm}; any 32 bits. */
  readonly algorithm: number;
  /** Real part at the left border. */
  readonly c1Real: number;
  /** Imaginary part at the upper border. */
  readonly c1Imag: number;
  /** Real part at the right border. */
  readonly c2Real: number;
  /** Imaginary part at the lower border. */
  readonly c2Imag: number;
  /** Exponent of MandelbrotN. */
  readonly n: number;
}

/** Data, PE to PU: points in row-major order from (startX, startY) on, going on in the next row. */
export interface FractalData {
  /** Which message it is. */
  readonly type: "data";
  /** Column of the first point. */
  readonly startX: number;
  /** Row of the first point. */
  readonly startY: number;
  /** Iterations of each point, at most {@linkcode MAX_DATA_POINTS}. */
  readonly values: Uint32Array;
}

/** End marker, PE to PU: the image is complete. On the wire a Data message at (0xffffffff, 0xffffffff). */
export interface FractalEnd {
  /** Which message it is. */
  readonly type: "end";
}

/** Any message of the Fractal Generator Protocol. */
export type FractalMessage = FractalParameter | FractalData | FractalEnd;

/**
 * Reads a message of the Fractal Generator Protocol:
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |     Type      |   Flags (0)   |        Message Length         |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     :   Parameter: Width, Height, MaxIterations, Algorithm (u32),   :
 *     :              C1Real, C1Imag, C2Real, C2Imag, N (double)       :
 *     :   Data:      StartX, StartY, Points (u32), Points × u32       :
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * Strict: length field, message and number of points must agree, since nothing can follow a message. Tolerant: flags
 * are ignored, and so is an algorithm nobody knows.
 *
 * @param octets one whole SCTP user message of PPID 32; borrowed
 * @throws {DecodeError} when the message is not valid; RSPLIB's server aborts the association then
 *
 * @example The end marker
 * ```ts
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(readFractal(writeFractal({ type: "end" })), { type: "end" });
 * ```
 */
export function readFractal(octets: Uint8Array): FractalMessage {
  const reader = new Reader(octets);
  const type = reader.u8("message type");
  reader.skip(1, "message flags");
  const length = reader.u16("message length");
  if (type !== FractalType.parameter && type !== FractalType.data) {
    throw new DecodeError("unknown-type", `fractal message type ${type} is unknown`, 0);
  }
  if (length !== octets.length) {
    throw new DecodeError(
      "bad-length",
      `the message says it has ${length} octets, but has ${octets.length}`,
      2,
    );
  }
  const message = type === FractalType.parameter ? readFractalParameter(reader) : readData(reader);
  if (reader.remaining > 0) {
    throw new DecodeError(
      "bad-length",
      `${reader.remaining} octets too many at offset ${reader.offset}`,
      reader.offset,
    );
  }
  return message;
}

/**
 * Reads what follows the header of a Parameter message, here or in a cookie.
 *
 * @throws {DecodeError} `bad-value` when a size is zero or a limit of RSPLIB's server is exceeded, `bad-value` when a
 *   coordinate is not finite: it would give no image
 */
export function readFractalParameter(reader: Reader): FractalParameter {
  return {
    type: "parameter",
    width: bounded(reader, "width", 1, MAX_FRACTAL_SIZE),
    height: bounded(reader, "height", 1, MAX_FRACTAL_SIZE),
    maxIterations: bounded(reader, "maximum of iterations", 0, MAX_FRACTAL_ITERATIONS),
    algorithm: reader.u32("algorithm"),
    c1Real: finite(reader, "C1Real"),
    c1Imag: finite(reader, "C1Imag"),
    c2Real: finite(reader, "C2Real"),
    c2Imag: finite(reader, "C2Imag"),
    n: finite(reader, "N"),
  };
}

function readData(reader: Reader): FractalData | FractalEnd {
  const startX = reader.u32("StartX");
  const startY = reader.u32("StartY");
  const count = bounded(reader, "number of points", 0, MAX_DATA_POINTS);
  if (startX === END_COORDINATE && startY === END_COORDINATE && count === 0) return { type: "end" };
  const values = new Uint32Array(count);
  for (let i = 0; i < count; i++) values[i] = reader.u32("point");
  return { type: "data", startX, startY, values };
}

function bounded(reader: Reader, what: string, least: number, most: number): number {
  const offset = reader.offset;
  const value = reader.u32(what);
  if (value < least || value > most) {
    throw new DecodeError("bad-value", `${what} is ${value}, not ${least} to ${most}`, offset);
  }
  return value;
}

function finite(reader: Reader, what: string): number {
  const offset = reader.offset;
  const value = reader.f64(what);
  if (!Number.isFinite(value)) throw new DecodeError("bad-value", `${what} is ${value}`, offset);
  return value;
}

/**
 * Writes a message of the Fractal Generator Protocol.
 *
 * @param message what to say
 * @returns its octets, to be sent as one SCTP user message of PPID 32
 * @throws {StateError} when there are more points than {@linkcode MAX_DATA_POINTS}
 */
export function writeFractal(message: FractalMessage): Uint8Array {
  switch (message.type) {
    case "parameter": {
      const writer = new Writer(PARAMETER_LENGTH);
      writeFractalParameter(writer, message, PARAMETER_LENGTH);
      return writer.finish();
    }
    case "data":
      return writeData(message.startX, message.startY, message.values);
    case "end":
      return writeData(END_COORDINATE, END_COORDINATE, new Uint32Array());
  }
}

/**
 * Writes a Parameter message with its header, here or in a cookie.
 *
 * @param length what the length field is to say
 */
export function writeFractalParameter(writer: Writer, parameter: FractalParameter, length: number): void {
  writer.u8(FractalType.parameter);
  writer.u8(0);
  writer.u16(length);
  writer.u32(parameter.width);
  writer.u32(parameter.height);
  writer.u32(parameter.maxIterations);
  writer.u32(parameter.algorithm);
  writer.f64(parameter.c1Real);
  writer.f64(parameter.c1Imag);
  writer.f64(parameter.c2Real);
  writer.f64(parameter.c2Imag);
  writer.f64(parameter.n);
}

function writeData(startX: number, startY: number, values: Uint32Array): Uint8Array {
  if (values.length > MAX_DATA_POINTS) {
    throw new StateError(`a Data message has at most ${MAX_DATA_POINTS} points, not ${values.length}`);
  }
  const length = DATA_HEADER_LENGTH + 4 * values.length;
  const writer = new Writer(length);
  writer.u8(FractalType.data);
  writer.u8(0);
  writer.u16(length);
  writer.u32(startX);
  writer.u32(startY);
  writer.u32(values.length);
  for (const value of values) writer.u32(value);
  return writer.finish();
}
