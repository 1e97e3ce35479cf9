/** Octets in and out: the only place where bounds of peer input are checked. */
export { assert, InvariantError } from "./assert.ts";
export { DecodeError, StateError } from "./errors.ts";
export type { DecodeReason } from "./errors.ts";
export { hexDump } from "./hex.ts";
export { Reader } from "./reader.ts";
export { encodeText, showText } from "./text.ts";
export { Writer } from "./writer.ts";
