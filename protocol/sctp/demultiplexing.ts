/**
 * Whom a packet or an ICMP message at an endpoint is for: an association or attempt that its verification tag names
 * (RFC 9260 §8.5), the handshake (listener.ts, cookie_acceptance.ts), or nobody (§8.4).
 */
import type { Instant, PacketError, PacketMeta } from "../net.ts";
import { isUnicast } from "./addresses.ts";
import { answer } from "./arrival.ts";
import type { Arrival } from "./arrival.ts";
import { Association } from "./association.ts";
import { behindAuth } from "./auth_chunk.ts";
import { chunkAt, ChunkType, nextChunkAt, TAG_REFLECTED } from "./chunk.ts";
import { Connecting } from "./connecting.ts";
import { onCookieEcho } from "./cookie_acceptance.ts";
import type { Endpoint } from "./endpoint.ts";
import { onInit } from "./listener.ts";
import { answerToStranger } from "./out_of_the_blue.ts";
import { COMMON_HEADER_OCTETS, readU16, readU32 } from "./packet.ts";
import type { Host } from "./party.ts";

/**
 * Takes a packet whose port and checksum are right.
 *
 * @throws {DecodeError} when a chunk cannot be read
 */
export function onPacket(
  host: Host,
  endpoint: Endpoint,
  packet: Uint8Array,
  meta: PacketMeta,
  now: Instant,
): void {
  const tag = readU32(packet, 4);
  const party = endpoint.byTag(tag);
  const firstAt = behindAuth(packet);
  const type = packet[firstAt]!;
  const peerPort = readU16(packet, 0);
  if (
    (type <= ChunkType.sack || type === ChunkType.iData) && type !== ChunkType.init &&
    party !== undefined && party.peerPort === peerPort
  ) {
    return party.receive(packet, meta, now); // nearly all packets: DATA and SACK
  }
  if (party === undefined && !endpoint.isBoundTo(meta.destination)) {
    host.counters.outOfTheBlue++; // a wildcard socket hears of addresses that are not this endpoint's
    return;
  }
  const arrival = { host, endpoint, peerPort, meta, now };
  if (
    !isUnicast(meta.source) || !isUnicast(meta.destination) || peerPort === 0 ||
    (tag === 0) !== (type === ChunkType.init)
  ) {
    host.counters.outOfTheBlue++; // a zero tag belongs to INIT, and to nothing else (§8.5.1 A)
  } else if (type === ChunkType.init) {
    const chunk = chunkAt(packet, COMMON_HEADER_OCTETS);
    const alone = nextChunkAt(COMMON_HEADER_OCTETS, chunk.length) >= packet.length;
    if (alone) onInit(arrival, chunk);
    else host.counters.malformed++; // it must be (§6.10)
  } else if (type === ChunkType.cookieEcho) {
    onCookieEcho(arrival, packet, firstAt, tag)?.receive(packet, meta, now, firstAt);
  } else if (party !== undefined && party.peerPort === peerPort && !isReflected(packet)) {
    party.receive(packet, meta, now);
  } else {
    onStranger(arrival, packet, tag);
  }
}

/** The tag names no association: a reflected tag, an old association's packet, or a stranger (§8.4, §8.5). */
function onStranger(arrival: Arrival, packet: Uint8Array, tag: number): void {
  const { host, endpoint, peerPort, meta, now } = arrival;
  const known = endpoint.byAddress(meta.source, peerPort);
  if (known !== undefined && isReflected(packet) && tag !== 0 && known.peerTag === tag) {
    return known.receive(packet, meta, now);
  }
  const settingUp = known instanceof Connecting ||
    (known instanceof Association && known.state === "cookie-echoed");
  const ending = packet[COMMON_HEADER_OCTETS] === ChunkType.shutdownAck;
  if (known !== undefined && !(settingUp && ending)) { // §8.5.1 E lets a SHUTDOWN ACK through
    host.counters.wrongTag++;
    return;
  }
  host.counters.outOfTheBlue++;
  const chunk = answerToStranger(packet);
  if (chunk !== undefined) answer(arrival, tag, chunk);
}

/** Whether the packet is an ABORT or SHUTDOWN COMPLETE whose tag is its sender's own. */
function isReflected(packet: Uint8Array): boolean {
  const type = packet[COMMON_HEADER_OCTETS];
  return (type === ChunkType.abort || type === ChunkType.shutdownComplete) &&
    (packet[COMMON_HEADER_OCTETS + 1]! & TAG_REFLECTED) !== 0;
}

/** Takes an ICMP message about a packet of one of the endpoints (§10). */
export function onPacketError(
  endpoints: ReadonlyMap<number, Endpoint>,
  error: PacketError,
  now: Instant,
): void {
  const { packet, destination, localPort } = error;
  if (packet.length >= 4) {
    const endpoint = endpoints.get(readU16(packet, 0));
    endpoint?.byAddress(destination, readU16(packet, 2))?.receiveError(error, now);
    return;
  }
  // Without a quotation only attempts can be told: they match by address and UDP port.
  for (const party of endpoints.get(localPort)?.parties() ?? []) {
    if (party instanceof Connecting && party.peerAddresses.includes(destination)) {
      party.receiveError(error, now);
    }
  }
}
