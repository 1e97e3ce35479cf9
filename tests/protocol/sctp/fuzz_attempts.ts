/** Attacks on handshakes, by ICMP, with packets of former associations, and with what could make an association stall. */
import assert from "node:assert/strict";
import { Prng } from "../../../protocol/machine.ts";
import type { PacketError } from "../../../protocol/net.ts";
import { ChunkType, makeChunk } from "../../../protocol/sctp/chunk.ts";
import { encapsulationPort } from "../../../protocol/sctp/encapsulation.ts";
import { readInit } from "../../../protocol/sctp/init_chunk.ts";
import { makePacket } from "../../../protocol/sctp/packet.ts";
import { repairChecksum } from "../../../protocol/sim/wire_rules.ts";
import {
  type CampaignReport,
  CHECK_EVERY,
  digest,
  drain,
  end,
  give,
  Mutator,
  talk,
  type Victim,
  victim,
} from "./fuzz.ts";
import { CLIENT_PORT, type Host, SERVER_PORT, World } from "./harness.ts";
import { sackChunk } from "./packets.ts";

const HEADER_OCTETS = 12;

/** Attacks on one attempt. */
const ATTACKS_PER_ATTEMPT = 500;

interface Attempt {
  readonly world: World;
  readonly client: Host;
  readonly server: Host;
  /** The tag that is right, and the peer's when it is known. */
  readonly tag: number;
  peerTag: number;
}

/** A client in COOKIE-WAIT whose packets are not carried while `world.filter` says so. */
function attempt(seed: number): Attempt {
  const world = new World(seed);
  world.checking = false;
  const client = world.host(["10.1.0.1", "10.2.0.1"]), server = world.host(["10.1.0.2", "10.2.0.2"]);
  client.open(1, { port: CLIENT_PORT, listen: (seed & 1) !== 0 });
  server.open(1, { port: SERVER_PORT, listen: true });
  world.filter = () => false;
  client.record = true;
  client.execute(1, { type: "connect", request: 1, addresses: ["10.1.0.2"], port: SERVER_PORT });
  world.flush();
  client.record = false;
  const init = client.sent.splice(0)[0]!.packet;
  return { world, client, server, tag: readInit(init.subarray(HEADER_OCTETS)).initiateTag, peerTag: 0 };
}

/** What a server says in a handshake and after it, which attackers forge. */
function saidByServers(seed: number): Uint8Array[] {
  const said: Uint8Array[] = victim(seed).recorded.map((packet) => {
    const turned = packet.slice();
    turned.set(packet.subarray(2, 4), 0);
    turned.set(packet.subarray(0, 2), 2);
    return turned;
  });
  const { world, client, server } = attempt(seed);
  server.record = true;
  world.filter = () => true;
  client.execute(1, { type: "abort", association: 1 });
  client.execute(1, { type: "connect", request: 2, addresses: ["10.1.0.2"], port: SERVER_PORT });
  world.pass(500);
  said.push(...server.sent.map(({ packet }) => packet));
  const one = (chunk: Uint8Array): Uint8Array => makePacket(SERVER_PORT, CLIENT_PORT, 1, [chunk]);
  said.push(one(makeChunk(ChunkType.abort, 0)), one(makeChunk(ChunkType.abort, 1)));
  said.push(one(makeChunk(ChunkType.shutdownAck, 0)), one(makeChunk(ChunkType.cookieAck, 0)));
  said.push(one(makeChunk(ChunkType.error, 0, (w) => w.tlv(3, (cause) => cause.u32(1000)))));
  return said;
}

/** Gives the client packets from the server's addresses; `tagOf` says which tag each has. */
function attack(target: Attempt, mutator: Mutator, prng: Prng, count: number, tagOf: () => number): number {
  const { client, server, world } = target;
  for (let i = 0; i < count; i++) {
    const packet = mutator.next();
    if (packet.length < HEADER_OCTETS) continue;
    new DataView(packet.buffer, packet.byteOffset).setUint32(4, tagOf());
    repairChecksum(packet);
    const at = prng.below(2);
    const udpPort = prng.chance(0.1) ? encapsulationPort(SERVER_PORT) : 0;
    const meta = { source: server.addresses[at]!, destination: client.addresses[at]!, udpPort };
    client.stack.receive(packet, meta, world.now);
    if (i % CHECK_EVERY !== 0 && i !== count - 1) continue;
    drain({ ...target, server: client, a: 0, b: 0 });
    client.stack.checkInvariants();
  }
  return count;
}

function eventsOf({ client }: Attempt): string {
  return JSON.stringify([client.events.get(1)!.map(({ type }) => type), client.stack.status(1)]);
}

/** Somebody who does not know the tag, while the handshake goes on: it comes to its end all the same. */
export function blindHandshakeCampaign(seed: number, packets: number): CampaignReport {
  const prng = new Prng(seed);
  const mutator = new Mutator(prng, saidByServers(seed));
  let associations = 0;
  for (let sent = 0; sent < packets; associations++) {
    const target = attempt(seed * 100_003 + associations);
    const { world, client, server } = target;
    const wrong = (): number => {
      const tag = prng.u32() || 1;
      return tag === target.tag || tag === target.peerTag ? tag ^ 2 : tag;
    };
    for (const state of ["cookie-wait", "cookie-echoed"] as const) {
      const name = `seed ${seed}, attempt ${associations}: ${state}`;
      assert.equal(client.stack.status(1)?.state, state, name);
      const before = eventsOf(target);
      sent += attack(target, mutator, prng, ATTACKS_PER_ATTEMPT, wrong);
      assert.equal(eventsOf(target), before, name);
      world.filter = (packet) => packet[HEADER_OCTETS] !== ChunkType.cookieAck || state === "cookie-echoed";
      world.pass(state === "cookie-wait" ? 1500 : 10_000);
      target.peerTag = client.stack.status(1)?.peerTag ?? 0;
    }
    assert.equal(client.of(1, "up").length, 1, `seed ${seed}, attempt ${associations}`);
    end({ ...target, a: 0, b: 0 }, seed);
    assert.equal(server.of(1, "up").length, 1, `seed ${seed}, attempt ${associations}`);
  }
  return { packets, associations };
}

/** The server, or somebody on the way, goes wild during the handshake: nothing breaks and nothing is left. */
export function tagHandshakeCampaign(seed: number, packets: number): CampaignReport {
  const prng = new Prng(seed);
  const mutator = new Mutator(prng, saidByServers(seed));
  let associations = 0;
  for (let sent = 0; sent < packets; associations++) {
    const target = attempt(seed * 100_003 + associations);
    const { world, client } = target;
    for (let round = 0; round < 8 && client.stack.status(1) !== undefined; round++) {
      sent += attack(target, mutator, prng, 32, () => prng.chance(0.1) ? 0 : target.tag);
      world.filter = () => round % 4 === 3;
      world.pass(round % 3 === 2 ? 3000 : 1);
    }
    world.filter = () => true;
    world.pass(120_000);
    end({ ...target, a: 0, b: 0 }, seed);
  }
  return { packets, associations };
}

/** Made-up ICMP messages: only a right tag may have consequences. */
export function icmpCampaign(seed: number, packets: number): CampaignReport {
  const prng = new Prng(seed);
  const target = victim(seed);
  const { world, server, client } = target;
  world.flush();
  const { peerTag } = server.stack.status(target.b)!;
  const before = digest(target);
  const waiting = attempt(seed);
  const waitingBefore = eventsOf(waiting);
  for (let i = 0; i < packets; i++) {
    const [stack, from, to, right] = i % 2 === 0
      ? [server.stack, SERVER_PORT, CLIENT_PORT, peerTag!]
      : [waiting.client.stack, CLIENT_PORT, SERVER_PORT, waiting.tag];
    const tag = prng.chance(0.2) ? 0 : prng.u32();
    const made = prng.u32();
    const chunk = makeChunk(prng.below(3), 0, (w) => {
      w.u32(made === right ? 1 : made);
      w.bytes(new Uint8Array(16));
    });
    const quote = makePacket(from, to, tag === right ? 1 : tag, [chunk]);
    const addresses = i % 2 === 0 ? client.addresses : waiting.server.addresses;
    const udpPort = prng.chance(0.3) ? encapsulationPort(SERVER_PORT) : 0;
    const kinds = ["port-unreachable", "protocol-unreachable", "host-unreachable", "too-big"] as const;
    const error: PacketError = {
      destination: addresses[prng.below(addresses.length)]!,
      udpPort,
      kind: kinds[prng.below(kinds.length)]!,
      mtu: prng.chance(0.5) ? prng.below(2000) : prng.u32(),
      packet: quote.slice(
        0,
        prng.below(udpPort === 0 ? quote.length + 1 : quote.length) + (udpPort === 0 ? 0 : 1),
      ),
      localPort: prng.chance(0.5) ? from : 0,
    };
    stack.receiveError(error, world.now);
    if (i % CHECK_EVERY !== 0 && i !== packets - 1) continue;
    assert.equal(drain(target), 0, `seed ${seed}: ICMP message ${i} made a packet`);
    assert.equal(
      drain({ ...waiting, server: waiting.client, a: 0, b: 0 }),
      0,
      `seed ${seed}: the same, message ${i}`,
    );
    assert.equal(digest(target), before, `seed ${seed}: ICMP message ${i} changed something`);
    assert.equal(eventsOf(waiting), waitingBefore, `seed ${seed}: ICMP message ${i} changed an attempt`);
    server.stack.checkInvariants();
    waiting.client.stack.checkInvariants();
  }
  end(target, seed);
  return { packets, associations: 2 };
}

/** Packets of an association that is gone come again, while there is a new one between the same ports. */
export function replayCampaign(seed: number, packets: number): CampaignReport {
  const prng = new Prng(seed);
  const target = victim(seed);
  const { world, client, server } = target;
  client.execute(1, { type: "abort", association: target.a });
  world.pass(100);
  client.execute(1, { type: "connect", request: 2, addresses: server.addresses, port: SERVER_PORT });
  world.pass(1000);
  const a = client.of(1, "up").at(-1)!.association, b = server.of(1, "up").at(-1)!.association;
  assert.notEqual(b, target.b);
  const next: Victim = { ...target, a, b };
  talk(next);
  world.pass(1000);
  const before = digest(next);
  for (let i = 0; i < packets; i++) {
    give(next, target.recorded[prng.below(target.recorded.length)]!);
    if (i % CHECK_EVERY !== 0 && i !== packets - 1) continue;
    assert.ok(drain(next) <= CHECK_EVERY, "no packet has more than one answer");
    assert.equal(digest(next), before, `seed ${seed}: replayed packet ${i} changed something`);
    server.stack.checkInvariants();
  }
  talk(next);
  world.pass(5000);
  assert.equal(server.stack.status(b)?.state, "established", `seed ${seed}: the association lives`);
  end(next, seed);
  return { packets, associations: 2 };
}

/** Somebody without the tag tries to make a transfer stall: it goes on as if he were not there. */
export function stallCampaign(seed: number, packets: number): CampaignReport {
  const prng = new Prng(seed);
  const target = victim(seed);
  const { world, client, server, a, b } = target;
  const { localTag, peerTag } = server.stack.status(b)!;
  const had = server.of(1, "message").length;
  let messages = 0;
  const forwardTsn = [ChunkType.forwardTsn, ChunkType.iForwardTsn];
  for (let i = 0; i < packets; i++) {
    const chunks = [
      sackChunk(prng.u32(), 0),
      makeChunk(forwardTsn[prng.below(2)]!, 0, (w) => w.u32(prng.u32())),
      makeChunk(ChunkType.reconfiguration, 0, (w) =>
        w.tlv(13, (request) => {
          for (let word = 0; word < 3; word++) request.u32(prng.u32());
        })),
      makeChunk(ChunkType.asconf, 0, (w) => {
        w.u32(prng.u32());
        w.tlv(5, (address) => address.u32(0x0a01_0001));
        w.tlv(0xc002, (request) => {
          request.u32(1);
          request.tlv(5, (address) => address.u32(0x0a02_0001));
        });
      }),
      makeChunk(ChunkType.shutdown, 0, (w) => w.u32(prng.u32())),
    ];
    let tag = prng.chance(0.2) ? peerTag! : prng.u32(); // the peer's tag is not the right one either
    if (tag === localTag) tag ^= 1;
    give(target, makePacket(CLIENT_PORT, SERVER_PORT, tag, [chunks[prng.below(chunks.length)]!]));
    if (i % CHECK_EVERY !== 0) continue;
    client.execute(1, { type: "send", association: a, data: new Uint8Array(1000), ppid: 0 });
    messages++;
    world.pass(20);
    server.stack.checkInvariants();
  }
  world.pass(2000);
  assert.equal(server.of(1, "message").length - had, messages, `seed ${seed}: nothing stalls`);
  assert.equal(server.stack.status(b)?.paths.length, 2, `seed ${seed}: nobody takes an address away`);
  end(target, seed);
  return { packets, associations: 1 };
}
