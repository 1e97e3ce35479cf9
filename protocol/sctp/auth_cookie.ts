import { Association } from "./association.ts";
import { Authentication, AuthOutcome } from "./authentication.ts";
import type { KeyVectors } from "./auth_offer.ts";
import { chunkLengthAt, ChunkType } from "./chunk.ts";
import type { Endpoint } from "./endpoint.ts";
import { COMMON_HEADER_OCTETS } from "./packet.ts";
import type { Host, Party } from "./party.ts";

/**
 * Whether a COOKIE ECHO may be taken (RFC 4895 §6.3). An AUTH chunk in front of it is verified with the keys of the
 * association that there is already; where there is none, with those that follow from the cookie.
 *
 * @param vectors what the cookie keeps
 * @param existing what there is with that peer
 * @param at where the COOKIE ECHO starts in the packet
 */
export function cookieIsAuthentic(
  endpoint: Endpoint,
  host: Host,
  vectors: KeyVectors | undefined,
  existing: Party | undefined,
  packet: Uint8Array,
  at: number,
): boolean {
  const established = existing instanceof Association && existing.state !== "cookie-echoed";
  const authentication = (established ? existing.authentication : undefined) ??
    (vectors === undefined
      ? undefined
      : new Authentication(vectors, endpoint.authentication.keys, host.environment));
  if (at === COMMON_HEADER_OCTETS) return authentication?.expects(ChunkType.cookieEcho) !== true;
  if (authentication === undefined) return false; // to such an endpoint AUTH is unknown, and ends the packet
  const length = chunkLengthAt(packet, COMMON_HEADER_OCTETS);
  return authentication.verify(packet, COMMON_HEADER_OCTETS, length) === AuthOutcome.good;
}
