/**
 * Attacks on an association in mid-life: packets made from recorded traffic by a mutator that knows chunks. Everything
 * follows from the seed. Campaigns throw when something is wrong; the script `scripts/fuzz` runs them by the million.
 */
import assert from "node:assert/strict";
import { Prng } from "../../../protocol/machine.ts";
import type { EndpointOptions } from "../../../protocol/net.ts";
import { writeInit } from "../../../protocol/sctp/init_chunk.ts";
import { ChunkType } from "../../../protocol/sctp/chunk.ts";
import { MAX_CONTROL_CHUNKS, MAX_STATELESS_REPLIES } from "../../../protocol/sctp/limits.ts";
import { makePacket, readU32 } from "../../../protocol/sctp/packet.ts";
import { repairChecksum } from "../../../protocol/sim/wire_rules.ts";
import { CLIENT_PORT, connectedPair, message, type Pair, SERVER_PORT } from "./harness.ts";
import { INIT } from "./packets.ts";

const HEADER_OCTETS = 12, CHUNK_HEADER_OCTETS = 4, MAX_PACKET_OCTETS = 2000;

/** Attacks between two looks at the invariants: they cost more than a packet. */
export const CHECK_EVERY = 64;

const BUFFER = new Uint8Array(65_535);
const TRANSMIT = { length: 0, source: undefined, destination: "", udpPort: 0, localPort: 0 };

/** What a campaign did. */
export interface CampaignReport {
  readonly packets: number;
  /** Associations that were needed: packets with the right tag may end one. */
  readonly associations: number;
}

/** Makes packets that are nearly right out of packets that are. */
export class Mutator {
  readonly #prng: Prng;
  readonly #recorded: readonly Uint8Array[];

  /** @param recorded at least one packet */
  constructor(prng: Prng, recorded: readonly Uint8Array[]) {
    this.#prng = prng;
    this.#recorded = recorded;
  }

  /** The next packet; its tag is that of a recorded one, and its checksum is right. */
  next(): Uint8Array {
    const prng = this.#prng;
    const packet = this.#any();
    const chunks = chunksOf(packet);
    for (let left = prng.below(4); left > 0; left--) this.#mutate(chunks); // 0: a replay
    const made = join(packet.subarray(0, HEADER_OCTETS), chunks).slice(0, MAX_PACKET_OCTETS);
    const cut = prng.chance(0.1)
      ? made.slice(0, HEADER_OCTETS + prng.below(made.length - HEADER_OCTETS + 1))
      : made;
    repairChecksum(cut);
    return cut;
  }

  #any(): Uint8Array {
    return this.#recorded[this.#prng.below(this.#recorded.length)]!;
  }

  #mutate(chunks: Uint8Array[]): void {
    const prng = this.#prng;
    if (chunks.length === 0) {
      chunks.push(...chunksOf(this.#any()));
      return;
    }
    const index = prng.below(chunks.length), chunk = chunks[index]!;
    switch (prng.below(11)) {
      case 0:
        chunk[prng.below(chunk.length)]! ^= 1 << prng.below(8);
        break;
      case 1: // a field of two or four octets becomes an edge, or moves a little
        this.#field(chunk);
        break;
      case 2: { // the length field lies
        const length = prng.chance(0.5) ? prng.below(65_536) : chunk.length + prng.below(9) - 4;
        chunk[2] = length >> 8;
        chunk[3] = length;
        break;
      }
      case 3:
        chunks.splice(index, 1);
        break;
      case 4:
        chunks.splice(prng.below(chunks.length + 1), 0, chunk.slice());
        break;
      case 5:
        chunks.reverse();
        break;
      case 6: { // a chunk of another packet
        const others = chunksOf(this.#any());
        const other = others[prng.below(others.length)];
        if (other !== undefined) chunks.splice(prng.below(chunks.length + 1), 0, other);
        break;
      }
      case 7:
        chunk[0] = prng.chance(0.5) ? prng.below(256) : prng.below(16);
        break;
      case 8:
        chunk[1] = prng.below(256);
        break;
      case 9: { // shorter, with a length that agrees
        const length = CHUNK_HEADER_OCTETS + prng.below(Math.max(1, chunk.length - CHUNK_HEADER_OCTETS));
        const shorter = chunk.slice(0, length + 3 & ~3);
        shorter[2] = length >> 8;
        shorter[3] = length;
        chunks[index] = shorter;
        break;
      }
      default: { // a tail of garbage within the chunk
        const longer = new Uint8Array(chunk.length + 4 * (1 + prng.below(16)));
        longer.set(chunk);
        for (let i = chunk.length; i < longer.length; i++) longer[i] = prng.below(256);
        longer[2] = longer.length >> 8;
        longer[3] = longer.length;
        chunks[index] = longer;
      }
    }
  }

  #field(chunk: Uint8Array): void {
    const prng = this.#prng;
    const width = prng.chance(0.5) ? 2 : 4;
    const places = Math.floor((chunk.length - CHUNK_HEADER_OCTETS) / width);
    if (places <= 0) return;
    const at = CHUNK_HEADER_OCTETS + width * prng.below(places);
    const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const old = width === 2 ? view.getUint16(at) : view.getUint32(at);
    const edges = [
      0,
      1,
      old + 1,
      old - 1,
      old + prng.below(64),
      old - prng.below(64),
      0x7fff,
      0x8000,
      0xffff,
      0x7fff_ffff,
      0x8000_0000,
      0xffff_ffff,
      prng.u32(),
    ];
    const value = edges[prng.below(edges.length)]!;
    if (width === 2) view.setUint16(at, value);
    else view.setUint32(at, value);
  }
}

function chunksOf(packet: Uint8Array): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = HEADER_OCTETS; at + CHUNK_HEADER_OCTETS <= packet.length;) {
    const length = Math.max(CHUNK_HEADER_OCTETS, packet[at + 2]! << 8 | packet[at + 3]!);
    const end = Math.min(packet.length, at + length + 3 & ~3);
    chunks.push(packet.slice(at, end));
    at = end;
  }
  return chunks;
}

function join(header: Uint8Array, chunks: readonly Uint8Array[]): Uint8Array {
  const packet = new Uint8Array(HEADER_OCTETS + chunks.reduce((sum, { length }) => sum + length, 0));
  packet.set(header);
  let at = HEADER_OCTETS;
  for (const chunk of chunks) {
    packet.set(chunk, at);
    at += chunk.length;
  }
  return packet;
}

/** Options that differ from seed to seed, so that every extension's chunks are among the traffic. */
function optionsOf(seed: number): EndpointOptions {
  return {
    interleaving: (seed & 1) !== 0,
    authentication: (seed & 2) !== 0,
    dynamicAddresses: (seed & 2) !== 0,
    partialReliability: (seed & 4) === 0,
    plpmtudProbeIntervalMs: (seed & 4) === 0 ? 5000 : 0,
    heartbeatIntervalMs: 2000,
    maxMessage: 100_000,
  };
}

export interface Victim extends Pair {
  readonly recorded: Uint8Array[];
}

/** Two hosts with an association in mid-life, and what it has sent to the server. */
export function victim(seed: number): Victim {
  const options = optionsOf(seed);
  const pair = connectedPair({ seed, networks: 2, client: options, server: options });
  const { client, server, world } = pair;
  world.checking = false;
  client.record = server.record = true;
  talk(pair);
  client.execute(1, { type: "resetStreams", association: pair.a, direction: "outgoing", streams: [1] });
  client.execute(1, { type: "addStreams", association: pair.a, outbound: 1, inbound: 0 });
  client.execute(1, { type: "heartbeat", association: pair.a });
  world.pass(500);
  const recorded = client.sent.map(({ packet }) => packet);
  recorded.push(makePacket(CLIENT_PORT, SERVER_PORT, 0, [writeInit(ChunkType.init, INIT)]));
  for (const { packet } of server.sent) { // what the server says makes chunks that it should never hear
    const turned = packet.slice();
    turned.set(packet.subarray(2, 4), 0);
    turned.set(packet.subarray(0, 2), 2);
    recorded.push(turned);
  }
  client.record = server.record = false;
  client.sent.length = server.sent.length = 0;
  return { ...pair, recorded };
}

/** Some messages both ways. */
export function talk({ client, server, world, a, b }: Pair): void {
  for (let i = 0; i < 6; i++) {
    client.execute(1, {
      type: "send",
      association: a,
      data: message(i, 10 ** (1 + i % 4)),
      ppid: 0,
      stream: i % 3,
      unordered: i === 2,
    });
    server.execute(1, { type: "send", association: b, data: message(i, 500 * i), ppid: 0 });
    world.pass(50);
  }
}

/** All that can be seen of a stack's state, as text. */
export function digest({ server, b }: Pair): string {
  return JSON.stringify([
    server.stack.status(b),
    server.stack.statistics(b),
    server.stack.nextTimeout(),
    server.events.get(1)?.length,
  ]);
}

/** Gives the server a packet from the client's first address, and throws its answers away. */
export function give({ server, client, world }: Pair, packet: Uint8Array): void {
  const meta = { source: client.addresses[0]!, destination: server.addresses[0]!, udpPort: 0 };
  server.stack.receive(packet, meta, world.now);
}

/** Somebody who does not know the tag: nothing may change, whatever he sends. */
export function blindCampaign(seed: number, packets: number): CampaignReport {
  const target = victim(seed);
  const prng = new Prng(seed);
  const mutator = new Mutator(prng, target.recorded);
  const { localTag, peerTag } = target.server.stack.status(target.b)!;
  target.world.flush();
  const before = digest(target);
  for (let i = 0; i < packets; i++) {
    const packet = mutator.next();
    if (packet.length < HEADER_OCTETS) continue;
    let tag = prng.chance(0.2) ? 0 : prng.u32();
    if (tag === localTag || tag === peerTag) tag ^= 1;
    new DataView(packet.buffer, packet.byteOffset).setUint32(4, tag);
    repairChecksum(packet);
    give(target, packet);
    if (i % CHECK_EVERY !== 0 && i !== packets - 1) continue;
    drain(target);
    assert.equal(digest(target), before, `seed ${seed}: packet ${i} without the tag changed something`);
    target.server.stack.checkInvariants();
  }
  talk(target); // and the association works
  target.world.pass(5000);
  assert.equal(
    target.server.stack.status(target.b)?.state,
    "established",
    `seed ${seed}: the association lives`,
  );
  end(target, seed);
  return { packets, associations: 1 };
}

/**
 * Throws away what the server has to send.
 *
 * @returns how many packets that were
 * @throws when they are more than its queues may hold
 */
export function drain({ server, world }: Pair): number {
  let packets = 0;
  while (server.stack.pollTransmit(BUFFER, TRANSMIT, world.now)) packets++;
  assert.ok(packets <= MAX_STATELESS_REPLIES + MAX_CONTROL_CHUNKS + 1, `${packets} packets were queued`);
  server.collect();
  return packets;
}

/** Somebody on the way who knows the tag: he may end the association, but never break the stack or make it leak. */
export function tagCampaign(seed: number, packets: number): CampaignReport {
  let associations = 0;
  for (let sent = 0; sent < packets; associations++) {
    const target = victim(seed + associations);
    const mutator = new Mutator(new Prng(seed * 7919 + associations), target.recorded);
    const tag = target.server.stack.status(target.b)!.localTag!;
    const least = Math.min(packets, sent + 2000);
    for (; sent < least && target.server.stack.status(target.b) !== undefined; sent++) {
      const packet = mutator.next();
      if (packet.length < HEADER_OCTETS) continue;
      if (readU32(packet, 4) !== 0) new DataView(packet.buffer, packet.byteOffset).setUint32(4, tag);
      repairChecksum(packet);
      give(target, packet);
      if (sent % CHECK_EVERY !== 0) continue;
      target.world.pass(sent % 1024 === 0 ? 1500 : 1);
      target.server.stack.checkInvariants();
      target.client.stack.checkInvariants();
    }
    end(target, seed);
  }
  return { packets, associations };
}

/** Closes both sides: nothing may be left. */
export function end({ server, client, world }: Pair, seed: number): void {
  server.close(1, 1000);
  client.close(1, 1000);
  world.pass(10_000);
  for (const host of [server, client]) {
    assert.equal(host.events.get(1)!.at(-1)?.type, "closed", `seed ${seed}: the endpoint closes`);
    assert.equal(host.stack.nextTimeout(), undefined, `seed ${seed}: no timer is left`);
    host.stack.checkInvariants();
  }
}

/** INITs from everywhere: none may leave anything behind. */
export function initFlood(seed: number, packets: number): CampaignReport {
  const target = victim(seed);
  const prng = new Prng(seed);
  target.world.flush();
  const before = digest(target);
  for (let i = 0; i < packets; i++) {
    const init = writeInit(ChunkType.init, { ...INIT, initiateTag: prng.u32() || 1, initialTsn: prng.u32() });
    const packet = makePacket(1 + prng.below(65_535), SERVER_PORT, 0, [init]);
    const source = `10.1.${prng.below(256)}.${3 + prng.below(250)}`;
    target.server.stack.receive(
      packet,
      { source, destination: target.server.addresses[0]!, udpPort: 0 },
      target.world.now,
    );
    if (i % CHECK_EVERY === 0) drain(target);
  }
  drain(target);
  assert.equal(digest(target), before, `seed ${seed}: an INIT left something behind`);
  target.server.stack.checkInvariants();
  end(target, seed);
  return { packets, associations: 1 };
}
