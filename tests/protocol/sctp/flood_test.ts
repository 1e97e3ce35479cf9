/** Floods from everywhere upon a listener, and what they cost it. */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { Prng } from "../../../protocol/machine.ts";
import { ChunkType } from "../../../protocol/sctp/chunk.ts";
import { readInit, writeInit } from "../../../protocol/sctp/init_chunk.ts";
import { SctpStack } from "../../../protocol/sctp/mod.ts";
import { makePacket } from "../../../protocol/sctp/packet.ts";
import { CLIENT_PORT, type Host, SERVER_PORT, World } from "./harness.ts";
import { cookieEchoChunk, INIT } from "./packets.ts";

const META = { source: "10.1.0.1", destination: "10.1.0.2", udpPort: 0 };

/** An INIT from anywhere. */
function stranger(host: Host, prng: Prng, now: number): void {
  const init = writeInit(ChunkType.init, { ...INIT, initiateTag: prng.u32() || 1 });
  const source = `10.1.${prng.below(256)}.${3 + prng.below(250)}`;
  const packet = makePacket(1 + prng.below(65_535), SERVER_PORT, 0, [init]);
  host.stack.receive(packet, { source, destination: host.addresses[0]!, udpPort: 0 }, now);
}

Deno.test("a client gets through to a listener under a flood of INITs that fills its queue of answers", () => {
  for (let seed = 1; seed <= 3; seed++) {
    const prng = new Prng(seed);
    const world = new World(seed);
    world.checking = false;
    const client = world.host(["10.1.0.1"]), server = world.host(["10.1.0.2"]);
    client.open(1, { port: CLIENT_PORT });
    server.open(1, { port: SERVER_PORT, listen: true });
    const post: Uint8Array[] = [];
    world.filter = (packet, { udpPort, destination }, sender) => {
      if (sender === client && udpPort === 0) post.push(packet);
      return sender === server && destination === "10.1.0.1";
    };
    client.execute(1, { type: "connect", request: 1, addresses: ["10.1.0.2"], port: SERVER_PORT });
    let batches = 0;
    for (; batches < 500 && client.of(1, "up").length === 0; batches++) {
      const place = prng.below(400); // the client's packets come somewhere in the batch
      for (let i = 0; i < 400; i++) {
        if (i === place) {
          for (const packet of post.splice(0)) server.stack.receive(packet, META, world.now);
        }
        stranger(server, prng, world.now);
      }
      world.pass(100);
    }
    assert.equal(client.of(1, "up").length, 1, `seed ${seed}: up after ${batches} batches`);
    assert.equal(server.of(1, "up").length, 1);
    assert.ok(server.stack.counters.limited > 0, "the queue was full");
    server.stack.checkInvariants();
  }
});

Deno.test("a forged cookie costs one HMAC and nothing else", () => {
  let macs = 0, randoms = 0;
  const prng = new Prng(1);
  const stack = new SctpStack({
    random: (octets) => {
      randoms++;
      for (let i = 0; i < octets.length; i++) octets[i] = prng.below(256);
    },
    mac: (key, data) => {
      macs++;
      return new Uint8Array(createHmac("sha256", key).update(data).digest());
    },
    raw: true,
    localAddresses: () => ["10.1.0.2"],
    route: () => ({ source: "10.1.0.2", mtu: 1500 }),
  });
  stack.open(1, { port: SERVER_PORT, listen: true }, 0);
  const buffer = new Uint8Array(65_535);
  const transmit = { length: 0, source: undefined, destination: "", udpPort: 0, localPort: 0 };
  stack.receive(makePacket(CLIENT_PORT, SERVER_PORT, 0, [writeInit(ChunkType.init, INIT)]), META, 0);
  assert.ok(stack.pollTransmit(buffer, transmit, 0));
  const { cookie, initiateTag } = readInit(buffer.slice(12, transmit.length));
  macs = randoms = 0;

  const floods = 2000;
  for (let i = 0; i < floods; i++) {
    const forged = cookie!.slice();
    forged[prng.below(forged.length)]! ^= 1 << prng.below(8);
    const tag = prng.chance(0.5) ? initiateTag : prng.u32() || 1;
    stack.receive(makePacket(CLIENT_PORT, SERVER_PORT, tag, [cookieEchoChunk(forged)]), META, i / 100);
  }

  assert.deepEqual([macs, randoms], [floods, 0]);
  assert.equal(stack.counters.badCookies, floods);
  assert.equal(stack.pollTransmit(buffer, transmit, 20), false);
  assert.deepEqual(stack.drain(), []);
  assert.equal(stack.nextTimeout(), undefined);
  stack.receive(makePacket(CLIENT_PORT, SERVER_PORT, initiateTag, [cookieEchoChunk(cookie!)]), META, 20);
  assert.deepEqual(stack.drain().map(({ event }) => event.type), ["up"]);
});
