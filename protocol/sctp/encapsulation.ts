/**
 * The UDP port that carries the packets of an SCTP port (RFC 6951), by a convention of the whole host: the SCTP port
 * plus 10000, wrapping in 1–65535. Every endpoint binds its UDP port, which is also the lock on its SCTP port; so any
 * peer can work out where an SCTP port is reached over UDP.
 *
 * @example The registrar's ASAP port
 * ```ts
 * import assert from "node:assert/strict";
 *
 * assert.equal(encapsulationPort(3863), 13863);
 * assert.equal(encapsulationPort(60000), 4465);
 * ```
 *
 * @param port an SCTP port, 1–65535
 * @returns a UDP port, 1–65535
 */
export function encapsulationPort(port: number): number {
  return (port + 9999) % 65535 + 1;
}
