import assert from "node:assert/strict";
import { Prng } from "../../../protocol/machine.ts";
import { corrupt, Link, type LinkConditions, PERFECT_LINK } from "../../../protocol/sim/link.ts";
import type { SimulatedPacket } from "../../../protocol/sim/packet.ts";

function packet(octets: number, udp = 0): SimulatedPacket {
  return {
    source: "10.1.0.1",
    destination: "10.1.0.2",
    udpSource: udp,
    udpDestination: udp,
    octets: new Uint8Array(octets),
  };
}

/** Sends many packets and tells how many arrive, and when. */
function carryMany(conditions: Partial<LinkConditions>, count: number): { at: number; octets: Uint8Array }[] {
  const link = new Link({ ...PERFECT_LINK, ...conditions });
  const prng = new Prng(3);
  return Array.from({ length: count }, () => link.carry(packet(100), 0, prng)).flatMap((carriage) =>
    carriage.type === "carried" ? [...carriage.arrivals] : []
  );
}

Deno.test("Link carries everything once when it is perfect", () => {
  const arrivals = carryMany({}, 100);
  assert.equal(arrivals.length, 100);
  assert.ok(arrivals.every(({ at }) => at === 1));
});

Deno.test("Link loses about the share it is told to lose", () => {
  const arrived = carryMany({ loss: 0.3 }, 10_000).length;
  assert.ok(Math.abs(arrived - 7000) < 200, `${arrived} arrived`);
});

Deno.test("Link duplicates about the share it is told to duplicate", () => {
  const arrived = carryMany({ duplication: 0.1 }, 10_000).length;
  assert.ok(Math.abs(arrived - 11_000) < 150, `${arrived} arrived`);
});

Deno.test("Link reorders when there is jitter, within its bounds", () => {
  const times = carryMany({ delayMs: 10, jitterMs: 5 }, 1000).map(({ at }) => at);
  assert.ok(times.every((at) => at >= 10 && at < 15));
  assert.ok(times.some((at, i) => i > 0 && at < times[i - 1]!));
});

Deno.test("Link corrupts copies, never the packet itself", () => {
  const arrivals = carryMany({ corruption: 1 }, 50);
  assert.ok(arrivals.every(({ octets }) => octets.length === 100));
  assert.ok(arrivals.filter(({ octets }) => octets.some((octet) => octet !== 0)).length > 45);
});

Deno.test("Link with a capacity lets packets out one after the other", () => {
  const link = new Link({ ...PERFECT_LINK, bitsPerSecond: 8000, delayMs: 0 }); // one octet per millisecond
  const prng = new Prng(1);
  const first = link.carry(packet(80), 0, prng), second = link.carry(packet(80), 0, prng);
  assert.ok(first.type === "carried" && second.type === "carried");
  assert.equal(first.arrivals[0]!.at, 100); // 80 octets and an IPv4 header
  assert.equal(second.arrivals[0]!.at, 200);
});

Deno.test("Link with a full queue loses what does not fit", () => {
  const arrived = carryMany({ bitsPerSecond: 8000, queueOctets: 600 }, 20).length;
  assert.equal(arrived, 5); // 120 octets each with the IPv4 header
});

Deno.test("Link counts IP and UDP headers in the MTU", () => {
  const link = new Link({ ...PERFECT_LINK, mtu: 1500 });
  const prng = new Prng(1);
  assert.equal(link.carry(packet(1480), 0, prng).type, "carried");
  assert.deepEqual(link.carry(packet(1480, 9899), 0, prng), { type: "too-big", mtu: 1500 });
});

Deno.test("Link that is cut or filtered carries nothing", () => {
  const link = new Link(PERFECT_LINK);
  const prng = new Prng(1);
  const nothing = { type: "carried", arrivals: [] };
  link.set({ up: false });
  assert.deepEqual(link.carry(packet(10), 0, prng), nothing);
  link.set({ up: true });
  link.filter = ({ octets }) => octets.length === 10;
  assert.deepEqual(link.carry(packet(10), 0, prng), nothing);
  assert.notDeepEqual(link.carry(packet(11), 0, prng), nothing);
});

Deno.test("corrupt() changes one octet at least, or several bits cancel out", () => {
  const prng = new Prng(9);
  const original = new Uint8Array(64);
  let changed = 0;
  for (let i = 0; i < 100; i++) if (corrupt(original, prng).some((octet) => octet !== 0)) changed++;
  assert.ok(changed >= 99);
  assert.ok(original.every((octet) => octet === 0));
});
