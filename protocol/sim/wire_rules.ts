import { assert } from "../wire/assert.ts";
import { headerLength, type SimulatedPacket } from "./packet.ts";

/**
 * What every packet that a correct stack sends looks like (RFC 9260 §3, §6.10, §8.5.1), checked on octets without
 * the stack's own codec: two programs that agree are worth more than one that agrees with itself.
 */

const DATA = 0;
const INIT = 1;
const INIT_ACK = 2;
const SACK = 3;
const ABORT = 6;
const ERROR = 9;
const SHUTDOWN_COMPLETE = 14;
const I_DATA = 64;
const FORWARD_TSN = 192;
const I_FORWARD_TSN = 194;
/** Where the parameters or causes of a chunk begin; a HEARTBEAT ACK is not here, since it gives back what came. */
const PARAMETERS_AT: Readonly<Record<number, number>> = {
  [INIT]: 20,
  [INIT_ACK]: 20,
  4: 4,

  [ABORT]: 4,
  [ERROR]: 4,
};
const COMMON_HEADER = 12;
/** Octets before the user data. */
const DATA_HEADERS: ReadonlyMap<number, number> = new Map([[DATA, 16], [I_DATA, 20]]);
/** Octets of a stream's entry. */
const FORWARD_ENTRIES: ReadonlyMap<number, number> = new Map([[FORWARD_TSN, 4], [I_FORWARD_TSN, 8]]);
/** The bits I, U, B and E (RFC 9260 §3.3.1). */
const KNOWN_DATA_FLAGS = 0x0f;
const DATA_BEGINNING_BITS = 0x07;
/** Remembered TSNs a direction; more than any window holds in the scenarios, little enough for a soak. */
const MAX_REMEMBERED_TSNS = 100_000;

/** A chunk as it stands in a packet; offsets are of the packet. */
export interface RawChunk {
  readonly type: number;
  readonly flags: number;
  readonly start: number;
  /** Where the chunk's length field says that it ends; padding follows. */
  readonly end: number;
}

/**
 * Finds the chunks of a packet.
 *
 * @returns undefined when the lengths do not work out
 */
export function findChunks(octets: Uint8Array): RawChunk[] | undefined {
  const chunks: RawChunk[] = [];
  let start = COMMON_HEADER;
  while (start < octets.length) {
    if (start + 4 > octets.length) return undefined;
    const length = u16(octets, start + 2);
    const end = start + length;
    if (length < 4 || end > octets.length) return undefined;
    chunks.push({ type: octets[start]!, flags: octets[start + 1]!, start, end });
    start = end + (-end & 3);
  }
  return chunks;
}

/**
 * Checks one packet for itself.
 *
 * @throws {InvariantError} naming the rule that is broken
 */
export function checkPacket(packet: SimulatedPacket): readonly RawChunk[] {
  const { octets } = packet;
  assert(octets.length >= COMMON_HEADER + 4, "a sent packet has a common header and a chunk");
  assert(octets.length % 4 === 0, "a sent packet is padded to a multiple of four");
  assert(u16(octets, 0) !== 0 && u16(octets, 2) !== 0, "the ports of a sent packet are not zero");
  assert(checksumIsRight(octets), "the CRC32c of a sent packet is right");
  const chunks = findChunks(octets);
  assert(chunks !== undefined && chunks.length > 0, "the chunks of a sent packet fill it");
  const first = chunks[0]!;
  assert((u32(octets, 4) === 0) === (first.type === INIT), "INIT and only INIT has a zero verification tag");
  let sawData = false;
  for (const chunk of chunks) {
    for (let i = chunk.end; i < octets.length && i % 4 !== 0; i++) assert(octets[i] === 0, "padding is zero");
    checkParameters(octets, chunk);
    const alone = chunk.type === INIT || chunk.type === INIT_ACK || chunk.type === SHUTDOWN_COMPLETE;
    assert(!alone || chunks.length === 1, `chunk type ${chunk.type} is not bundled (RFC 9260 §6.10)`);
    const header = DATA_HEADERS.get(chunk.type), entry = FORWARD_ENTRIES.get(chunk.type);
    if (entry !== undefined) {
      assert((chunk.end - chunk.start - 8) % entry === 0, "a FORWARD TSN is made of whole entries");
    }
    if (header !== undefined) {
      assert(chunk.end - chunk.start > header, "a DATA chunk carries data");
      assert((chunk.flags & ~KNOWN_DATA_FLAGS) === 0, "reserved flags of a DATA chunk are zero");
      sawData = true;
    } else {
      assert(!sawData, "control chunks precede DATA chunks (RFC 9260 §6.10)");
    }
  }
  assert(!(sawData && chunks.some((chunk) => chunk.type === ABORT)), "DATA is not bundled with ABORT");
  assert(chunks.filter((chunk) => chunk.type === SACK).length <= 1, "a packet has one SACK at most");
  const kinds = [[DATA, FORWARD_TSN], [I_DATA, I_FORWARD_TSN]] as const;
  const used = kinds.filter((types) => chunks.some(({ type }) => types.some((one) => one === type)));
  assert(used.length <= 1, "DATA and I-DATA, and what goes with them, are not mixed (RFC 8260 §2.2.1)");
  return chunks;
}

/** The parameters of a chunk fill it; the padding of the last one is the chunk's, and not in its length (§3.2). */
function checkParameters(octets: Uint8Array, chunk: RawChunk): void {
  const offset = PARAMETERS_AT[chunk.type];
  if (offset === undefined) return;
  let end = chunk.start + offset;
  for (let at = end; at < chunk.end; at = end + (-end & 3)) {
    const length = at + 4 <= chunk.end ? u16(octets, at + 2) : 0;
    end = at + length;
    assert(length >= 4 && end <= chunk.end, `the parameters of chunk type ${chunk.type} lie within it`);
  }
  assert(end === chunk.end, `chunk type ${chunk.type} ends with its last parameter, padding apart`);
}

interface DirectionMemory {
  lastCumulativeTsn: number | undefined;
  /** The furthest that a FORWARD TSN has gone. */
  forwardedTsn: number | undefined;
  readonly digests: Map<number, number>;
}

/** Checks what the packets of a whole run say together: acknowledgements only grow, a TSN never changes its content. */
export class WireWatcher {
  /** By ports, then by tag: tags are random, one names a direction of one association well enough. */
  readonly #directions: Map<string, Map<number, DirectionMemory>> = new Map<
    string,
    Map<number, DirectionMemory>
  >();
  #packets = 0;
  #longest = 0;

  /** How many packets have been checked. */
  get packets(): number {
    return this.#packets;
  }

  /** Octets of the longest packet seen, IP header included. */
  get longest(): number {
    return this.#longest;
  }

  /**
   * Checks a packet that a host sends.
   *
   * @throws {InvariantError} naming the rule that is broken
   */
  sent(packet: SimulatedPacket): void {
    const { octets } = packet;
    const chunks = checkPacket(packet);
    this.#packets++;
    this.#longest = Math.max(this.#longest, octets.length + headerLength(packet));
    const memory = this.#memoryOf(u16(octets, 0), u16(octets, 2), u32(octets, 4));
    for (const chunk of chunks) {
      if (chunk.type === SACK) checkCumulativeTsn(memory, u32(octets, chunk.start + 4));
      else if (DATA_HEADERS.has(chunk.type)) checkSameContent(memory, octets, chunk);
      else if (FORWARD_ENTRIES.has(chunk.type)) noteForwardTsn(memory, u32(octets, chunk.start + 4));
    }
  }

  /**
   * An association has ended on the sender's side. If its cookie comes once more, an association with the same tags
   * and TSNs begins anew (§5.1.3).
   */
  forget(sourcePort: number, destinationPort: number): void {
    this.#directions.delete(`${sourcePort}>${destinationPort}`);
  }

  #memoryOf(sourcePort: number, destinationPort: number, tag: number): DirectionMemory {
    const ports = `${sourcePort}>${destinationPort}`;
    const byTag = this.#directions.get(ports) ?? new Map<number, DirectionMemory>();
    this.#directions.set(ports, byTag);
    const memory = byTag.get(tag) ?? {
      lastCumulativeTsn: undefined,
      forwardedTsn: undefined,
      digests: new Map<number, number>(),
    };
    byTag.set(tag, memory);
    return memory;
  }
}

function checkCumulativeTsn(memory: DirectionMemory, cumulativeTsn: number): void {
  const last = memory.lastCumulativeTsn;
  assert(
    last === undefined || (cumulativeTsn - last | 0) >= 0,
    "the cumulative TSN acknowledgement never goes back",
  );
  memory.lastCumulativeTsn = cumulativeTsn;
}

function noteForwardTsn(memory: DirectionMemory, tsn: number): void {
  if (memory.forwardedTsn === undefined || (tsn - memory.forwardedTsn | 0) > 0) memory.forwardedTsn = tsn;
}

function checkSameContent(memory: DirectionMemory, octets: Uint8Array, chunk: RawChunk): void {
  const tsn = u32(octets, chunk.start + 4);
  const { forwardedTsn } = memory;
  assert(
    forwardedTsn === undefined || (tsn - forwardedTsn | 0) > 0,
    `TSN ${tsn} is not sent after the peer was told to pass over it`,
  );
  let digest = chunk.flags & DATA_BEGINNING_BITS;
  for (let i = chunk.start + 8; i < chunk.end; i++) digest = Math.imul(digest ^ octets[i]!, 0x01000193);
  const earlier = memory.digests.get(tsn);
  assert(earlier === undefined || earlier === digest, `TSN ${tsn} carries what it carried the first time`);
  memory.digests.set(tsn, digest);
  if (memory.digests.size > MAX_REMEMBERED_TSNS) memory.digests.clear();
}

function u16(octets: Uint8Array, at: number): number {
  return octets[at]! << 8 | octets[at + 1]!;
}

function u32(octets: Uint8Array, at: number): number {
  return (u16(octets, at) << 16 | u16(octets, at + 2)) >>> 0;
}

const CRC_TABLE: Uint32Array = Uint32Array.from({ length: 256 }, (_, index) => {
  let crc = index;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >>> 1 ^ 0x82f63b78 : crc >>> 1;
  return crc;
});

/** The CRC32c of a packet, its checksum field counted as zero (RFC 9260 Appendix A). */
export function plainCrc32c(octets: Uint8Array): number {
  let crc = 0xffffffff;
  for (let i = 0; i < octets.length; i++) {
    const octet = i >= 8 && i < COMMON_HEADER ? 0 : octets[i]!;
    crc = CRC_TABLE[(crc ^ octet) & 0xff]! ^ crc >>> 8;
  }
  return ~crc >>> 0;
}

/** Puts the right checksum into a packet. */
export function repairChecksum(octets: Uint8Array): void {
  if (octets.length < COMMON_HEADER) return;
  const crc = plainCrc32c(octets);
  for (let i = 0; i < 4; i++) octets[8 + i] = crc >>> 8 * i;
}

function checksumIsRight(octets: Uint8Array): boolean {
  const crc = plainCrc32c(octets);
  return crc === (octets[8]! | octets[9]! << 8 | octets[10]! << 16 | octets[11]! << 24) >>> 0;
}
