/**
 * HEARTBEAT and HEARTBEAT ACK (RFC 9260 §3.3.5, §3.3.6). What a HEARTBEAT carries comes back unchanged: a nonce, so that
 * nobody can answer who has not got it. The nonce alone says what a HEARTBEAT was for, and which path; paths have no other
 * name that lasts, since addresses come and go.
 */
import { ChunkType, makeChunk } from "./chunk.ts";
import { readU16 } from "./packet.ts";
import { ParameterType } from "./parameters.ts";

const NONCE_OCTETS = 12;
/** Behind the headers of chunk and parameter. */
const NONCE_AT = 8;

/** @param random fills octets with unpredictable bits */
export function makeNonce(random: (octets: Uint8Array) => void): Uint8Array {
  const nonce = new Uint8Array(NONCE_OCTETS);
  random(nonce);
  return nonce;
}

/** Builds a HEARTBEAT. */
export function makeHeartbeat(nonce: Uint8Array): Uint8Array {
  return makeChunk(
    ChunkType.heartbeat,
    0,
    (w) => w.tlv(ParameterType.heartbeatInfo, (info) => info.bytes(nonce)),
  );
}

/**
 * Whether a HEARTBEAT ACK answers the HEARTBEAT with this nonce.
 *
 * @param chunk header and value
 * @param nonce undefined = none is waited for
 */
export function answersHeartbeat(chunk: Uint8Array, nonce: Uint8Array | undefined): boolean {
  if (nonce === undefined || chunk.length < NONCE_AT + NONCE_OCTETS) return false;
  if (readU16(chunk, 4) !== ParameterType.heartbeatInfo) return false;
  return nonce.every((octet, i) => chunk[NONCE_AT + i] === octet);
}
