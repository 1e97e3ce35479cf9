import assert from "node:assert/strict";
import { writeAsap } from "../../../protocol/asap/mod.ts";
import type { AsapMessage } from "../../../protocol/asap/mod.ts";
import { MAX_OPAQUE_TRANSPORT } from "../../../protocol/handlespace/consistency.ts";
import { Prng } from "../../../protocol/machine.ts";
import { FakePeer, ofType } from "./fake_peer.ts";
import { element, POOL, RegistrarHarness } from "./harness.ts";

const OTHER_POOL = Uint8Array.of(1, 2, 3);

const messages: AsapMessage[] = [
  { type: "registration", poolHandle: POOL, element: element(1) },
  { type: "registration", poolHandle: POOL, element: element(2) },
  { type: "registration", poolHandle: OTHER_POOL, element: element(3) },
  { type: "deregistration", poolHandle: POOL, elementId: 2 },
  { type: "handleResolution", poolHandle: POOL, items: 3 },
  { type: "handleResolution", poolHandle: OTHER_POOL },
  { type: "endpointKeepAliveAck", poolHandle: POOL, elementId: 1 },
  { type: "endpointUnreachable", poolHandle: POOL, elementId: 1 },
  { type: "endpointKeepAlive", home: true, registrarId: 9, poolHandle: POOL, elementId: 1 },
  { type: "serverAnnounce", registrarId: 9 },
  { type: "cookie", cookie: new Uint8Array(12) },
  { type: "cookieEcho", cookie: new Uint8Array(12) },
  { type: "businessCard", poolHandle: POOL, elements: [element(4)] },
  { type: "registrationResponse", poolHandle: POOL, elementId: 1, rejected: false },
  { type: "handleResolutionResponse", poolHandle: POOL, elements: [] },
];

/** Changes some octets, cuts, or sticks two messages together. */
function mutate(octets: Uint8Array, random: Prng): Uint8Array {
  const mutated = octets.slice();
  switch (random.below(5)) {
    case 0:
      return mutated.subarray(0, random.below(mutated.length + 1));
    case 1:
      return Uint8Array.from([...mutated, ...mutated]);
    default:
      for (let n = random.below(4); n >= 0; n--) mutated[random.below(mutated.length)] = random.u32() & 255;
      return mutated;
  }
}

Deno.test("Registrar survives mutated messages with its state consistent and honest peers served", () => {
  const originals = messages.map((message) => writeAsap(message));
  for (let seed = 1; seed <= 20; seed++) {
    const random = new Prng(seed);
    const harness = new RegistrarHarness({ maxPools: 20, maxElements: 50 });
    const honest = harness.up(["10.1.1.200"]);
    const home = { protocol: "sctp", port: 9, use: "data+control", addresses: ["10.1.1.200"] } as const;
    const handle = Uint8Array.of(0xee);
    harness.register(honest, element(77, { userTransport: home }), handle);
    let hostile = harness.up(["10.1.1.1"]);
    for (let round = 0; round < 400; round++) {
      const octets = mutate(originals[random.below(originals.length)]!, random);
      const ppid = random.chance(0.9) ? 11 : random.below(50);
      harness.octets(hostile, octets, ppid);
      if (harness.aborted(hostile)) hostile = harness.up(["10.1.1.1"]);
      if (round % 50 === 0) {
        harness.run(500);
        harness.say(honest, { type: "endpointKeepAliveAck", poolHandle: handle, elementId: 77 });
        harness.registrar.checkInvariants();
      }
    }
    assert.deepEqual(harness.resolve(honest, 1, handle), [77], `seed ${seed}`);
    assert.ok(harness.registrar.handlespace.elementCount <= 50);
    const told = harness.reportsOf("offence").length + harness.reportsOf("refused").length;
    assert.ok(told < 400, `seed ${seed}: ${told} reports of offences`);
    harness.down(hostile);
    harness.down(honest);
    assert.equal(harness.registrar.handlespace.elementCount, 0);
    harness.registrar.checkInvariants();
  }
});

Deno.test("Registrar answers a registration from more addresses than a parameter can hold", () => {
  const harness = new RegistrarHarness();
  const addresses = Array.from({ length: 70 }, (_, n) => `10.1.1.${n + 1}`);
  const association = harness.up(addresses);
  const home = { protocol: "sctp", port: 9, use: "data+control", addresses: addresses.slice(0, 1) } as const;
  const refusal = harness.register(association, element(0, { userTransport: home }));
  assert.ok(refusal?.type === "registrationResponse" && refusal.rejected);
  const answer = harness.register(association, element(1, { userTransport: home }));
  assert.ok(answer?.type === "registrationResponse" && !answer.rejected);
});

Deno.test("Registrar answers a registration with the longest unknown policy there is", () => {
  const harness = new RegistrarHarness();
  const addresses = Array.from({ length: 64 }, (_, n) => `fd01::${(n + 1).toString(16)}`);
  const association = harness.up(addresses);
  const userTransport = { protocol: "sctp", port: 0, use: "data+control", addresses } as const;
  const policy = { name: "unknown", type: 0x12345678, value: new Uint8Array(64_100) } as const;
  const answer = harness.register(association, element(1, { userTransport, policy }));
  assert.ok(answer?.type === "registrationResponse" && answer.rejected);
});

/** An element that its users reach in a way of their own. */
function opaqueElement(elementId: number, length: number): ReturnType<typeof element> {
  const value = new Uint8Array(length);
  return element(elementId, {
    userTransport: { protocol: "opaque", port: 0, use: "data", addresses: [], value },
  });
}

Deno.test("Registrar writes no message that is too long of elements with long opaque transports", async (t) => {
  for (
    const [name, length] of [["two of 40000 octets", 40_000], ["one that is alone too long", 65_488]] as const
  ) {
    await t.step(name, () => {
      const harness = new RegistrarHarness();
      const peer = new FakePeer(harness, 0x11).connect();
      peer.greet();
      const association = harness.up();

      for (const id of [1, 2]) harness.register(association, opaqueElement(id, length));
      harness.resolve(association, 2);
      peer.say({ type: "handleTableRequest", ownChildrenOnly: false });

      assert.equal(harness.registrar.statistics.registrationsRefused, 2);
    });
  }
  await t.step("as many as there may be, of the longest that there are", () => {
    const harness = new RegistrarHarness();
    const association = harness.up();
    for (let id = 1; id <= 128; id++) {
      harness.register(association, opaqueElement(id, MAX_OPAQUE_TRANSPORT));
    }
    const peer = new FakePeer(harness, 0x11).connect();
    const table = peer.say({ type: "handleTableRequest", ownChildrenOnly: false });

    assert.equal(ofType(table, "handleTableResponse")[0]?.pools[0]?.elements.length, 1);
    const resolved = harness.resolve(association, 128).length;
    assert.ok(resolved > 50 && resolved < 60, `${resolved} of this size fit`);
  });
});

Deno.test("Registrar does not begin with an association that is gone already: nobody is at its other end", () => {
  const harness = new RegistrarHarness();
  new FakePeer(harness, 0x11).connect().greet();

  for (const endpoint of ["asap", "enrp"]) assert.ok(harness.aborted(harness.up([], endpoint)));
  harness.register(harness.up([]), opaqueElement(1, 4));

  assert.equal(harness.registrar.associationCount, 1);
  assert.equal(harness.registrar.handlespace.elementCount, 0);
});
