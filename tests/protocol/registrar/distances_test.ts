import assert from "node:assert/strict";
import { Handlespace } from "../../../protocol/handlespace/mod.ts";
import type { ElementEntry } from "../../../protocol/handlespace/mod.ts";
import { Prng } from "../../../protocol/machine.ts";
import type { PolicyParameter } from "../../../protocol/param/policy.ts";
import { AssociationRecord } from "../../../protocol/registrar/associations.ts";
import { Distances } from "../../../protocol/registrar/distances.ts";
import { writeAsap } from "../../../protocol/asap/mod.ts";
import type { PoolElement } from "../../../protocol/param/pool_element.ts";
import { element, POOL, RegistrarHarness, ROUND_ROBIN } from "./harness.ts";

const dpf = (distanceMs: number): PolicyParameter => ({
  name: "LeastUsedDPF",
  type: 0xb0002002,
  load: 0,
  loadDpf: 1000,
  distanceMs,
});

const at = (address: string, elementId: number, policy = dpf(7)) =>
  element(elementId, {
    policy,
    userTransport: { protocol: "sctp", port: 7, use: "data+control", addresses: [address] },
  });

function distanceOf({ policy }: ElementEntry): number | undefined {
  return "distanceMs" in policy ? policy.distanceMs : undefined;
}

Deno.test("Registrar measures the way to its elements, and selects by it", () => {
  const harness = new RegistrarHarness({ distanceStepMs: 10 });
  const [near, far] = [harness.up(["10.1.1.1"]), harness.up(["10.1.1.2"])];
  harness.register(far, at("10.1.1.2", 2));
  harness.register(near, at("10.1.1.1", 1));
  assert.deepEqual(harness.measured, [far, near]);
  const entry = (id: number) => harness.registrar.handlespace.find(POOL, id)!;
  assert.equal(distanceOf(entry(2)), 0, "what the element tells does not count");
  harness.input({ type: "roundTrip", association: far, roundTripMs: 47 });
  harness.input({ type: "roundTrip", association: near, roundTripMs: 9 });
  assert.deepEqual([distanceOf(entry(1)), distanceOf(entry(2))], [0, 20]);
  assert.deepEqual(harness.resolve(near, 2), [1, 2]);
  harness.input({ type: "roundTrip", association: near, roundTripMs: 100 });
  assert.deepEqual(harness.resolve(near, 2), [2, 1]);
  harness.say(near, { type: "endpointKeepAliveAck", poolHandle: POOL, elementId: 1 });
  assert.deepEqual(harness.measured, [far, near, near], "a keep-alive is an occasion to measure");
  harness.input({ type: "roundTrip", association: near, roundTripMs: 0 }); // not known
  harness.register(near, at("10.1.1.1", 1));
  assert.equal(distanceOf(entry(1)), 50, "the last measurement counts until the next one");
  harness.registrar.checkInvariants();
});

Deno.test("Registrar measures nothing for policies without distance, and ignores answers of the past", () => {
  const harness = new RegistrarHarness();
  const association = harness.up();
  harness.register(association, element(1));
  assert.deepEqual(harness.measured, []);
  harness.input({ type: "roundTrip", association, roundTripMs: 1000 });
  harness.down(association);
  harness.input({ type: "roundTrip", association, roundTripMs: 1000 });
  assert.equal(harness.registrar.handlespace.elementCount, 0);
});

Deno.test("Registrar has measured elements acknowledge at once, and no others", () => {
  const registrar = new RegistrarHarness().registrar;
  const sends = (association: number, poolElement: PoolElement) => {
    registrar.handle({
      type: "transport",
      endpoint: "asap",
      event: {
        type: "up",
        association,
        request: undefined,
        peerAddresses: [`10.1.1.${association}`],
        peerPort: 7,
        outboundStreams: 1,
        inboundStreams: 1,
      },
    }, 0);
    const data = writeAsap({
      type: "registration",
      poolHandle: Uint8Array.of(association),
      element: poolElement,
    });
    registrar.handle({
      type: "transport",
      endpoint: "asap",
      event: { type: "message", association, stream: 0, ssn: 0, tsn: 0, ppid: 11, unordered: false, data },
    }, 0);
    const effects = registrar.drain();
    return effects.flatMap((effect) =>
      effect.type === "transport" && effect.command.type === "send" ? [effect.command.sackImmediately] : []
    );
  };
  assert.deepEqual(sends(1, at("10.1.1.1", 1)), [true]);
  assert.deepEqual(sends(2, element(2, { ...at("10.1.1.2", 2), policy: ROUND_ROBIN })), [undefined]);
});

Deno.test("Distances adds the way to the peer to what the peer tells, and tells of changes once", () => {
  const handlespace = new Handlespace(new Prng(1));
  const changed: [string, number][] = [];
  let measurements = 0;
  const distances = new Distances({
    handlespace,
    stepMs: 50,
    measure: () => measurements++,
    changed: (action, entry) => changed.push([action, entry.elementId]),
  });
  const record = new AssociationRecord("enrp", {
    type: "up",
    association: 1,
    request: undefined,
    peerAddresses: ["10.1.1.9"],
    peerPort: 9901,
    outboundStreams: 1,
    inboundStreams: 1,
  });
  distances.measured(record, 149); // half of it is 74.5: nearer to 50 than to 100
  assert.equal(record.distanceMs, 50);
  assert.deepEqual(distances.ofPeer(record, at("10.1.1.1", 1)).policy, dpf(57));
  assert.deepEqual(distances.ofPeer(record, at("10.1.1.1", 1, dpf(0xffffffff))).policy, dpf(0xffffffff));
  assert.equal(measurements, 2);
  const plain = element(3);
  assert.equal(distances.ofPeer(record, plain), plain);
  assert.equal(distances.ofRegistration(record, plain), plain);

  const result = handlespace.register(POOL, distances.ofRegistration(record, at("10.1.1.1", 1)));
  assert.ok(result.type === "added");
  record.entries.add(result.entry);
  distances.measured(record, 151);
  distances.measured(record, 160);
  assert.equal(distanceOf(result.entry), 100);
  assert.deepEqual(changed, [["add", 1]]);
  for (const nonsense of [NaN, -1, Infinity]) distances.measured(record, nonsense);
  assert.equal(record.distanceMs, 0xffffffff);
});
