/** RFC 8899: path MTU discovery by probes, and RFC 4820's PAD chunk that fills them. Each test: init, act, check. */
import assert from "node:assert/strict";
import type { EndpointOptions, PacketError, PathStatus } from "../../protocol/net.ts";
import { connectedPair, message, numberOf, type Pair, SERVER_PORT } from "../protocol/sctp/harness.ts";
import { readPacket } from "../protocol/sctp/packets.ts";

const HEARTBEAT = 4, PAD = 0x84, IPV4_HEADER = 20, BASE_MTU = 1220, RAISE_MS = 600_000;
const PROBING: EndpointOptions = { plpmtudProbeIntervalMs: 5000 };

interface Probe {
  readonly at: number;
  readonly mtu: number;
}

interface World8899 extends Pair {
  /** Probes that the client has sent. */
  readonly probes: Probe[];
  /** What the network passes in either direction, and whether it tells what it does not. */
  narrow: { mtu: number; tells: boolean };
}

/** Two hosts with a hop between them that may be narrower than their links. */
function pair(client: EndpointOptions = {}, mtu = Infinity, tells = false): World8899 {
  const probes: Probe[] = [];
  const narrow = { mtu: Infinity, tells };
  const made = connectedPair({ client, server: { heartbeatIntervalMs: 0 } });
  const { world } = made;
  world.filter = (packet, transmit, sender) => {
    const length = packet.length + IPV4_HEADER;
    const types = readPacket(packet).chunks.map(({ type }) => type);
    if (sender === made.client && types.includes(PAD)) probes.push({ at: world.now, mtu: length });
    if (transmit.fragmentation === "always" || length <= narrow.mtu) return true;
    if (narrow.tells) tell(made, packet, narrow.mtu);
    return false;
  };
  narrow.mtu = mtu;
  return { ...made, probes, narrow };
}

function tell({ client, server, world }: Pair, packet: Uint8Array, mtu: number): void {
  client.stack.receiveError(tooBig(server.addresses[0]!, packet, mtu), world.now);
}

function tooBig(destination: string, packet: Uint8Array, mtu: number): PacketError {
  return { destination, udpPort: 0, kind: "too-big", mtu, packet: packet.slice(0, 64), localPort: 0 };
}

function pathOf({ client, a }: Pair): PathStatus {
  return client.stack.status(a)!.paths[0]!;
}

function send({ client, a }: Pair, count: number, octets: number): void {
  for (let i = 0; i < count; i++) {
    client.execute(1, { type: "send", association: a, data: message(i, octets), ppid: 0 });
  }
}

function arrived({ server }: Pair): number[] {
  return server.of(1, "message").map(({ data }) => numberOf(data));
}

Deno.test("§5.1.2: with probes on, a path begins with packets of the base size", () => {
  const { client, a } = connectedPair({ client: PROBING });

  assert.ok(client.of(1, "up").length === 1 && a > 0);
  assert.equal(client.stack.status(a)!.paths[0]!.mtu, 1500); // confirmed and found within the set-up's 200 ms
});

Deno.test("§6.2.1.2: a probe is a HEARTBEAT with a PAD chunk behind it, alone in a packet of the probed size", () => {
  const { world, client, a } = connectedPair({ client: PROBING });
  client.record = true;

  world.pass(6000); // the MTU is confirmed each interval

  const [probe] = client.sent.filter(({ packet }) =>
    readPacket(packet).chunks.some(({ type }) => type === PAD)
  );
  assert.deepEqual(readPacket(probe!.packet).chunks.map(({ type }) => type), [HEARTBEAT, PAD]);
  assert.equal(probe!.packet.length + IPV4_HEADER, client.stack.status(a)!.paths[0]!.mtu);
  assert.equal(probe!.transmit.fragmentation, "never"); // §3, 2
});

Deno.test("RFC 4820 §3: a PAD chunk is discarded without a word", () => {
  const { world, client, server, a } = connectedPair({ client: PROBING });

  world.pass(20_000);

  assert.equal(client.of(1, "remoteError").length + server.of(1, "remoteError").length, 0);
  assert.equal(client.stack.status(a)!.state, "established");
});

Deno.test("§5.3: the search finds the MTU of a narrow hop that says nothing, within 8 octets", () => {
  const options = { ...PROBING, sackDelayMs: 0 };
  const made = connectedPair({ client: options, link: { mtu: 9000 } });
  const { world } = made;
  world.filter = (packet, { fragmentation }) =>
    fragmentation === "always" || packet.length + IPV4_HEADER <= 1412;

  world.pass(300_000); // confirmation fails, base, search
  const { mtu } = pathOf(made);

  assert.ok(mtu <= 1412 && mtu > 1412 - 2 * 8, `${mtu}`);
});

Deno.test("§4.1: the loss of a probe neither shrinks the congestion window nor counts as an error", () => {
  const made = pair(PROBING);
  const before = pathOf(made);
  made.narrow.mtu = 1300;

  made.world.pass(14_000);

  assert.ok(made.probes.length >= 2);
  assert.equal(pathOf(made).cwnd, before.cwnd);
  assert.equal(pathOf(made).errors, 0);
  assert.equal(made.client.stack.counters.retransmissionTimeouts, 0);
});

Deno.test("§5.1.1: probes of one size are a PROBE_TIMER apart, and MAX_PROBES of them are too many", () => {
  const made = pair(PROBING);
  made.narrow.mtu = 1300;

  made.world.pass(19_000);

  const lost = made.probes.filter(({ mtu }) => mtu === 1500);
  assert.equal(lost.length, 3);
  assert.deepEqual(lost.slice(1).map(({ at }, i) => at - lost[i]!.at), [5000, 5000]);
});

Deno.test("§4.3, §5.2: unanswered confirmations of the MTU are a black hole: base size, then a new search", () => {
  const made = pair(PROBING);
  made.narrow.mtu = 1300;

  made.world.pass(21_000);
  const first = made.probes.find(({ mtu }) => mtu <= BASE_MTU);
  made.world.pass(200_000);

  assert.equal(first?.mtu, BASE_MTU);
  assert.ok(pathOf(made).mtu > 1300 - 16 && pathOf(made).mtu <= 1300);
});

Deno.test("§5.2: when not even the base size passes, the smallest MTU is used until it does", () => {
  const made = pair(PROBING);
  made.narrow.mtu = 1000;
  made.world.pass(60_000);
  const inError = pathOf(made).mtu;

  made.narrow.mtu = Infinity;
  made.world.pass(30_000);

  assert.equal(inError, 576);
  assert.equal(pathOf(made).mtu, 1500);
});

Deno.test("§5.1.1: after PMTU_RAISE_TIMER larger packets are tried again", () => {
  const made = pair(PROBING);
  made.narrow.mtu = 1300;
  made.world.pass(300_000);
  const before = pathOf(made).mtu;

  made.narrow.mtu = Infinity;
  made.world.pass(RAISE_MS);

  assert.ok(before <= 1300);
  assert.equal(pathOf(made).mtu, 1500);
});

Deno.test("§4.6.1: a too-big message that quotes another verification tag changes nothing", () => {
  const made = pair();
  const { client, server, world } = made;
  client.record = true;
  send(made, 1, 100);
  world.pass(10);
  const forged = client.sent[0]!.packet.slice();
  forged[5]! ^= 1;

  client.stack.receiveError(tooBig(server.addresses[0]!, forged, 1280), world.now);
  client.stack.receiveError(
    tooBig(server.addresses[0]!, client.sent[0]!.packet.slice(0, 7), 1280),
    world.now,
  );

  assert.equal(pathOf(made).mtu, 1500);
});

Deno.test("§4.6.2: a too-big message with the right tag lowers the MTU at once, and nothing below the smallest", () => {
  const made = pair();
  const { client, server, world } = made;
  client.record = true;
  send(made, 1, 100);
  world.pass(10);
  const [{ packet } = { packet: new Uint8Array() }] = client.sent;

  client.stack.receiveError(tooBig(server.addresses[0]!, packet, 1400), world.now);
  const lowered = pathOf(made).mtu;
  client.stack.receiveError(tooBig(server.addresses[0]!, packet, 68), world.now);

  assert.equal(lowered, 1400);
  assert.equal(pathOf(made).mtu, 576);
});

Deno.test("§4.6.2: a too-big message that says more than the MTU in use changes nothing", () => {
  const made = pair();
  const { client, server, world } = made;
  client.record = true;
  send(made, 1, 100);
  world.pass(10);

  client.stack.receiveError(tooBig(server.addresses[0]!, client.sent[0]!.packet, 9000), world.now);

  assert.equal(pathOf(made).mtu, 1500);
});

Deno.test("§4.6.2: what a router says of a probe is the next size to be tried", () => {
  const made = pair(PROBING);
  made.narrow.tells = true;
  made.narrow.mtu = 1332;

  made.world.pass(8000); // the confirmation is too big: base, search, and the router's word again

  assert.equal(pathOf(made).mtu, 1332);
});

Deno.test("§4.3: a black hole is found with probes off, and all data arrives", () => {
  const made = pair({ heartbeatIntervalMs: 30_000 });
  made.narrow.mtu = 1300;

  send(made, 20, 5000);
  made.world.pass(20_000);

  assert.deepEqual(arrived(made), [...Array(20).keys()]);
  assert.ok(pathOf(made).mtu <= 1300);
});

Deno.test("§4.3: and so it is when small messages bundle to packets that are too long", () => {
  const made = pair({ heartbeatIntervalMs: 30_000 });
  made.narrow.mtu = 1300;

  send(made, 200, 100);
  made.world.pass(20_000);

  assert.deepEqual(arrived(made), [...Array(200).keys()]);
});

Deno.test("§4.3: and on a path without HEARTBEATs", () => {
  const made = pair({ heartbeatIntervalMs: 0 });
  made.narrow.mtu = 1300;

  send(made, 5, 5000);
  made.world.pass(60_000);

  assert.deepEqual(arrived(made), [0, 1, 2, 3, 4]);
});

Deno.test("§4.3: a network that is down altogether is not taken for a black hole", () => {
  const made = pair({ heartbeatIntervalMs: 30_000 });
  made.narrow.mtu = 0;

  send(made, 5, 5000);
  made.world.pass(15_000);
  made.narrow.mtu = Infinity;
  made.world.pass(30_000);

  assert.equal(pathOf(made).mtu, 1500);
  assert.deepEqual(arrived(made), [0, 1, 2, 3, 4]);
});

Deno.test("§4.3: after a black hole the MTU is searched for without risk to data, probes on or off", () => {
  const made = pair({ heartbeatIntervalMs: 30_000 });
  made.narrow.mtu = 1400;
  send(made, 20, 5000);

  made.world.pass(400_000);

  assert.ok(pathOf(made).mtu > 1400 - 16 && pathOf(made).mtu <= 1400, `${pathOf(made).mtu}`);
});

Deno.test("§4.5: a chunk that was cut before the MTU fell is sent again in fragments of IP", () => {
  const made = pair();
  made.narrow = Object.assign(made.narrow, { mtu: 1300, tells: true });
  made.client.record = true;

  send(made, 4, 1400);
  made.world.pass(5000);

  assert.deepEqual(arrived(made), [0, 1, 2, 3]);
  const long = made.client.sent.filter(({ packet }) => packet.length + IPV4_HEADER > 1300);
  assert.ok(long.some(({ transmit }) => transmit.fragmentation === "always"));
});

Deno.test("§4.5: data that was not sent yet is cut to the new MTU", () => {
  const made = pair();
  made.narrow = Object.assign(made.narrow, { mtu: 1300, tells: true });
  send(made, 20, 5000);
  made.world.pass(3000);
  made.client.record = true;

  send(made, 5, 5000);
  made.world.pass(3000);

  assert.ok(made.client.sent.length > 0);
  assert.ok(made.client.sent.every(({ packet }) => packet.length + IPV4_HEADER <= 1300));
  assert.equal(arrived(made).length, 25);
});

Deno.test("§5.1.1: an MTU that a router has lowered is tried again after PMTU_RAISE_TIMER, by a probe", () => {
  const made = pair();
  made.narrow = Object.assign(made.narrow, { mtu: 1300, tells: true });
  send(made, 4, 1400);
  made.world.pass(5000);
  made.narrow.mtu = Infinity;
  made.probes.length = 0;

  made.world.pass(RAISE_MS + 5000);

  assert.deepEqual(made.probes.map(({ mtu }) => mtu), [1500]);
  assert.equal(pathOf(made).mtu, 1500);
});

Deno.test("§3, 10: with probes off and nothing amiss no probe is ever sent", () => {
  const made = pair();

  send(made, 20, 5000);
  made.world.pass(3 * RAISE_MS);

  assert.deepEqual(made.probes, []);
  assert.equal(arrived(made).length, 20);
  assert.equal(SERVER_PORT, made.client.stack.status(made.a)!.peerPort);
});
