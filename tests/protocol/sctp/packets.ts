/** A hand-made peer: builds and takes apart packets, for tests that need a peer that misbehaves. */
import type { PacketMeta } from "../../../protocol/net.ts";
import { ChunkType, makeChunk } from "../../../protocol/sctp/chunk.ts";
import { readInit, writeInit } from "../../../protocol/sctp/init_chunk.ts";
import type { InitChunk } from "../../../protocol/sctp/init_chunk.ts";
import { makePacket, readU16, readU32 } from "../../../protocol/sctp/packet.ts";
import { CLIENT_PORT, SERVER_PORT, World } from "./harness.ts";
import type { Host } from "./harness.ts";

export interface ReadChunk {
  readonly type: number;
  readonly flags: number;
  /** Header and value. */
  readonly octets: Uint8Array;
}

export interface ReadPacket {
  readonly tag: number;
  readonly chunks: ReadChunk[];
  readonly destination: string;
}

/** Takes a packet apart. */
export function readPacket(packet: Uint8Array, destination = ""): ReadPacket {
  const chunks: ReadChunk[] = [];
  for (let at = 12; at + 4 <= packet.length;) {
    const length = readU16(packet, at + 2);
    chunks.push({ type: packet[at]!, flags: packet[at + 1]!, octets: packet.slice(at, at + length) });
    at += length + 3 & ~3;
  }
  return { tag: readU32(packet, 4), chunks, destination };
}

/** A DATA chunk. */
export function dataChunk(
  tsn: number,
  data: Uint8Array,
  { flags = 3, stream = 0, ssn = 0, ppid = 0 }: {
    flags?: number;
    stream?: number;
    ssn?: number;
    ppid?: number;
  } = {},
): Uint8Array {
  return makeChunk(ChunkType.data, flags, (w) => {
    w.u32(tsn >>> 0);
    w.u16(stream);
    w.u16(ssn);
    w.u32(ppid);
    w.bytes(data);
  });
}

/** A SACK chunk. */
export function sackChunk(
  cumulative: number,
  window: number,
  gaps: readonly [number, number][] = [],
): Uint8Array {
  return makeChunk(ChunkType.sack, 0, (w) => {
    w.u32(cumulative >>> 0);
    w.u32(window);
    w.u16(gaps.length);
    w.u16(0);
    for (const [start, end] of gaps) {
      w.u16(start);
      w.u16(end);
    }
  });
}

export const INIT: InitChunk = {
  initiateTag: 0x1234_5678,
  receiveWindow: 100_000,
  outboundStreams: 10,
  inboundStreams: 10,
  initialTsn: 1000,
  addresses: [],
};

/** A server under test, and this test as its peer at 10.1.0.1. */
export class FakePeer {
  readonly world: World = new World(1);
  readonly server: Host;
  readonly meta: PacketMeta = { source: "10.1.0.1", destination: "10.1.0.2", udpPort: 0 };
  /** The server's verification tag and first TSN, after `initAck`. */
  serverTag = 0;
  serverTsn = 0;

  constructor(
    options: Parameters<Host["open"]>[1] | undefined = undefined,
    addresses: string[] = ["10.1.0.2"],
  ) {
    this.server = this.world.host(addresses);
    this.server.open(1, options ?? { port: SERVER_PORT, listen: true });
    this.server.record = true;
  }

  /** Sends chunks to the server and gives the packets that come back at once. */
  send(tag: number, chunks: readonly Uint8Array[], meta: PacketMeta = this.meta): ReadPacket[] {
    this.server.sent.length = 0;
    this.world.inject(this.server, makePacket(CLIENT_PORT, SERVER_PORT, tag, chunks), meta);
    return this.answers();
  }

  /** Packets that the server has sent since the last `send`. */
  answers(): ReadPacket[] {
    return this.server.sent.map(({ packet, transmit }) => readPacket(packet, transmit.destination));
  }

  /** Lets time pass and gives the packets sent meanwhile. */
  wait(ms: number): ReadPacket[] {
    this.server.sent.length = 0;
    this.world.pass(ms);
    return this.answers();
  }

  /** INIT, and the INIT ACK that answers it. */
  initAck(init: Partial<InitChunk> = {}): InitChunk {
    const [answer] = this.send(0, [writeInit(ChunkType.init, { ...INIT, ...init })]);
    const read = readInit(answer!.chunks[0]!.octets);
    this.serverTag = read.initiateTag;
    this.serverTsn = read.initialTsn;
    return read;
  }

  /** The whole handshake. */
  connect(init: Partial<InitChunk> = {}): this {
    const { cookie } = this.initAck(init);
    this.send(this.serverTag, [cookieEchoChunk(cookie!)]);
    return this;
  }

  /** Types of events that the server's user has seen. */
  get events(): string[] {
    return this.server.events.get(1)!.map(({ type }) => type);
  }
}

/** A COOKIE ECHO chunk. */
export function cookieEchoChunk(cookie: Uint8Array): Uint8Array {
  return makeChunk(ChunkType.cookieEcho, 0, (w) => w.bytes(cookie));
}

/** Chunk types of packets, packet by packet. */
export function types(packets: readonly ReadPacket[]): number[][] {
  return packets.map(({ chunks }) => chunks.map(({ type }) => type));
}
