import assert from "node:assert/strict";
import type { SimulatedPacket } from "../../../protocol/sim/packet.ts";
import { checkPacket, plainCrc32c, WireWatcher } from "../../../protocol/sim/wire_rules.ts";
import { chunk, data, init, packet, sack } from "../../rfc/bench.ts";

function simulated(octets: Uint8Array): SimulatedPacket {
  return { source: "10.1.0.1", destination: "10.1.0.2", udpSource: 0, udpDestination: 0, octets };
}

Deno.test("plainCrc32c() agrees with the check value of CRC-32C", () => {
  // The check value is of the nine digits; the field that counts as zero (offsets 8-11) is avoided by a short input.
  const digits = Uint8Array.from("12345678", (digit) => digit.charCodeAt(0));
  assert.equal(plainCrc32c(digits), 0x6087809a);
});

Deno.test("checkPacket() accepts proper packets", () => {
  assert.equal(checkPacket(simulated(packet(7, [sack(1), data({ tsn: 5 })]))).length, 2);
  assert.equal(checkPacket(simulated(packet(0, [init(1)]))).length, 1);
});

Deno.test("checkPacket() names what is wrong", () => {
  const wrong: readonly (readonly [RegExp, Uint8Array])[] = [
    [/zero verification tag/, packet(7, [init(1)])],
    [/zero verification tag/, packet(0, [sack(1)])],
    [/not bundled/, packet(7, [init(2), data({ tsn: 1 })])],
    [/control chunks precede/, packet(7, [data({ tsn: 1 }), sack(1)])],
    [/carries data/, packet(7, [data({ tsn: 1, data: [] })])],
    [/reserved flags/, packet(7, [data({ tsn: 1, flags: 0x13 })])],
    [/one SACK/, packet(7, [sack(1), sack(2)])],
    [/ABORT/, packet(7, [chunk(6, 0, []), data({ tsn: 1 })])],
    [/ports/, packet(7, [sack(1)], 0)],
    [/ends with its last parameter/, packet(7, [chunk(9, 0, [0, 1, 0, 5, 9, 0, 0, 0])])],
    [/lie within it/, packet(7, [chunk(9, 0, [0, 1, 0, 9, 9])])],
    [/has a common header/, packet(7, [])],
  ];
  for (const [message, octets] of wrong) assert.throws(() => checkPacket(simulated(octets)), message);
  const damaged = packet(7, [sack(1)]);
  damaged[20]! ^= 1;
  assert.throws(() => checkPacket(simulated(damaged)), /CRC32c/);
});

Deno.test("WireWatcher sees a cumulative TSN that goes back, across the wrap", () => {
  const watcher = new WireWatcher();
  watcher.sent(simulated(packet(7, [sack(0xffffffff)])));
  watcher.sent(simulated(packet(7, [sack(0)])));
  assert.throws(() => watcher.sent(simulated(packet(7, [sack(0xffffffff)]))), /never goes back/);
  watcher.sent(simulated(packet(8, [sack(5)])));
});

Deno.test("WireWatcher sees a TSN with another content, but lets the I bit change", () => {
  const watcher = new WireWatcher();
  watcher.sent(simulated(packet(7, [data({ tsn: 1, flags: 3 })])));
  watcher.sent(simulated(packet(7, [data({ tsn: 1, flags: 11 })])));
  assert.throws(() => watcher.sent(simulated(packet(7, [data({ tsn: 1, data: [9] })]))), /first time/);
});
