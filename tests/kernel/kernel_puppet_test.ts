/** Kernel SCTP against a peer made by hand, over UDP (RFC 6951): what a well-behaved peer would not do. */
import assert from "node:assert/strict";
import dgram from "node:dgram";
import { openKernelTransport } from "../../ffi/kernel_sctp.ts";
import { ChunkType, makeChunk } from "../../protocol/sctp/chunk.ts";
import { type InitChunk, readInit, writeInit } from "../../protocol/sctp/init_chunk.ts";
import { makePacket } from "../../protocol/sctp/packet.ts";
import { INIT, type ReadChunk, readPacket } from "../protocol/sctp/packets.ts";
import { Peer } from "../transport/peer.ts";
import { withSetting } from "./settings.ts";

const KERNEL_UDP_PORT = 9897;
const PUPPET_PORT = 7007;
const DEADLINE_MS = 20_000;

/** A peer at 127.0.0.1 that sends what it is told and answers nothing by itself. */
class Puppet {
  readonly #socket = dgram.createSocket("udp4");
  readonly #chunks: ReadChunk[] = [];
  readonly #port: number;
  #notify: () => void = () => {};
  kernelTag = 0;

  constructor(port: number) {
    this.#port = port;
    this.#socket.on("message", (octets) => {
      this.#chunks.push(...readPacket(Uint8Array.from(octets)).chunks);
      this.#notify();
    });
  }

  async bind(): Promise<this> {
    await new Promise<void>((resolve) => this.#socket.bind(0, "127.0.0.1", resolve));
    return this;
  }

  send(tag: number, ...chunks: Uint8Array[]): void {
    this.#socket.send(makePacket(PUPPET_PORT, this.#port, tag, chunks), KERNEL_UDP_PORT, "127.0.0.1");
  }

  async chunk(type: number): Promise<ReadChunk> {
    const timer = setTimeout(() => this.#notify(), DEADLINE_MS);
    const deadline = performance.now() + DEADLINE_MS;
    for (;;) {
      const index = this.#chunks.findIndex((chunk) => chunk.type === type);
      if (index >= 0) {
        clearTimeout(timer);
        return this.#chunks.splice(index, 1)[0]!;
      }
      assert.ok(performance.now() < deadline, `no chunk of type ${type} came`);
      await new Promise<void>((resolve) => this.#notify = resolve);
    }
  }

  /** Sets an association up, over a living one as a peer that has forgotten it. */
  async associate(init: Partial<InitChunk> = {}): Promise<void> {
    this.send(0, writeInit(ChunkType.init, { ...INIT, ...init }));
    const { initiateTag, cookie } = readInit((await this.chunk(ChunkType.initAck)).octets);
    this.kernelTag = initiateTag;
    this.send(initiateTag, makeChunk(ChunkType.cookieEcho, 0, (w) => w.bytes(cookie!)));
    await this.chunk(ChunkType.cookieAck);
  }

  close(): void {
    this.#socket.close();
  }
}

async function withPuppet(body: (puppet: Puppet, kernel: Peer) => Promise<void>): Promise<void> {
  using _ = withSetting("udp_port", KERNEL_UDP_PORT);
  const transport = openKernelTransport();
  const kernel = new Peer(transport, { listen: true, addresses: ["127.0.0.1"] });
  const puppet = await new Puppet(kernel.endpoint.port).bind();
  try {
    await puppet.associate();
    await body(puppet, kernel);
  } finally {
    await kernel.endpoint.close(0);
    await transport.close();
    puppet.close();
  }
}

Deno.test("kernel and a peer made by hand: a peer that starts anew is told as restarted", () =>
  withPuppet(async (puppet, kernel) => {
    const up = await kernel.next("up");
    assert.equal(up.peerPort, PUPPET_PORT);
    await puppet.associate({ initiateTag: 0x0bad_cafe, initialTsn: 5000 });
    assert.equal((await kernel.next("restarted")).association, up.association);
    const data = makeChunk(ChunkType.data, 3, (w) => {
      w.u32(5000);
      w.u16(0);
      w.u16(0);
      w.u32(42);
      w.bytes(Uint8Array.of(1, 2, 3));
    });
    puppet.send(puppet.kernelTag, data);
    const message = await kernel.message(up.association);
    assert.deepEqual([message.ppid, message.tsn, message.ssn], [42, 5000, 0]);
  }));

Deno.test("kernel and a peer made by hand: an ERROR chunk is told as remoteError", () =>
  withPuppet(async (puppet, kernel) => {
    const { association } = await kernel.next("up");
    const error = makeChunk(ChunkType.error, 0, (w) => {
      w.u16(1); // invalid stream identifier
      w.u16(8);
      w.u16(7);
      w.u16(0);
    });
    puppet.send(puppet.kernelTag, error);
    const told = await kernel.next("remoteError");
    assert.deepEqual([told.association, told.cause.code], [association, 1]);
    assert.equal(told.cause.info.toHex().slice(0, 4), "0007");
  }));

Deno.test("kernel and a peer made by hand: an ABORT's cause is told", () =>
  withPuppet(async (puppet, kernel) => {
    const { association } = await kernel.next("up");
    const abort = makeChunk(ChunkType.abort, 0, (w) => {
      w.u16(13); // protocol violation
      w.u16(6);
      w.bytes(Uint8Array.of(0x68, 0x69));
      w.u16(0);
    });
    puppet.send(puppet.kernelTag, abort);
    const { reason, origin, cause } = await kernel.down(association);
    assert.deepEqual([reason, origin, cause?.code, cause?.info.toHex()], ["aborted", "peer", 13, "6869"]);
  }));
