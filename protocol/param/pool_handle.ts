import { DecodeError, StateError } from "../wire/errors.ts";
import type { Reader } from "../wire/reader.ts";
import type { Writer } from "../wire/writer.ts";
import { ParameterType } from "./parameter_type.ts";

/**
 * The name of a pool: opaque octets, usually ASCII text (RFC 5354 §3.9).
 *
 * RFC 5354 allows up to 65531 octets, and such handles are read and written, so that a registrar can answer them.
 * RSPLIB 3.4.4 ends with an assertion on more than {@linkcode MAX_POOL_HANDLE_LENGTH}: never send it one.
 */
export type PoolHandle = Uint8Array;

/** Longest pool handle that every implementation takes (RSPLIB's limit). Registrars refuse longer ones. */
export const MAX_POOL_HANDLE_LENGTH = 32;

/** What a TLV can hold: 65535 octets less its header. */
const LONGEST_POOL_HANDLE = 65531;

/**
 * Reads the value of a Pool Handle parameter.
 *
 * @throws {DecodeError} `bad-value` when the handle is empty
 */
export function readPoolHandle(reader: Reader): PoolHandle {
  if (reader.remaining === 0) {
    throw new DecodeError("bad-value", `the pool handle at offset ${reader.offset} is empty`, reader.offset);
  }
  return reader.bytes(reader.remaining, "pool handle");
}

/**
 * Writes a Pool Handle parameter.
 *
 * @throws {StateError} when the handle is empty or does not fit
 */
export function writePoolHandle(writer: Writer, poolHandle: PoolHandle): void {
  if (poolHandle.length < 1 || poolHandle.length > LONGEST_POOL_HANDLE) {
    throw new StateError(`a pool handle has 1 to ${LONGEST_POOL_HANDLE} octets, not ${poolHandle.length}`);
  }
  writer.tlv(ParameterType.poolHandle, (value) => value.bytes(poolHandle));
}
