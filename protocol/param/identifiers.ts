/**
 * The parameters that hold one number or one row of octets.
 *
 * @module
 */
import type { Reader } from "../wire/reader.ts";
import type { Writer } from "../wire/writer.ts";
import { ParameterType } from "./parameter_type.ts";

/** Reads the value of a PE Identifier parameter (RFC 5354 §3.14): 32 bits. */
export function readElementId(reader: Reader): number {
  return reader.u32("PE identifier");
}

/** Writes a PE Identifier parameter. */
export function writeElementId(writer: Writer, elementId: number): void {
  writer.tlv(ParameterType.peIdentifier, (value) => value.u32(elementId));
}

/** Reads the value of a Cookie parameter (RFC 5354 §3.13): opaque octets. */
export function readCookie(reader: Reader): Uint8Array {
  return reader.bytes(reader.remaining, "cookie");
}

/** Writes a Cookie parameter. RSPLIB cannot read one whose length is not a multiple of four. */
export function writeCookie(writer: Writer, cookie: Uint8Array): void {
  writer.tlv(ParameterType.cookie, (value) => value.bytes(cookie));
}

/**
 * Reads the value of a Handle Resolution Option (draft-dreibholz-rserpool-asap-hropt): the number of elements wanted,
 * 32 bits. The type's action bits let registrars that do not know it skip it.
 */
export function readHandleResolutionOption(reader: Reader): number {
  return reader.u32("number of items");
}

/** Writes a Handle Resolution Option. */
export function writeHandleResolutionOption(writer: Writer, items: number): void {
  writer.tlv(ParameterType.handleResolutionOption, (value) => value.u32(items));
}
