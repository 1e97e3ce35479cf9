import assert from "node:assert/strict";
import { writeAsap } from "../../../protocol/asap/mod.ts";
import type { AsapMessage } from "../../../protocol/asap/mod.ts";
import { poolPolicyOf } from "../../../protocol/param/operation_error.ts";
import { PolicyType } from "../../../protocol/param/policy.ts";
import type { PolicyParameter } from "../../../protocol/param/policy.ts";
import type { PoolElement } from "../../../protocol/param/pool_element.ts";
import { HOLD_LIMIT_MS } from "../../../protocol/registrar/reception.ts";
import { element, POOL, REGISTRAR_ID, RegistrarHarness, ROUND_ROBIN } from "./harness.ts";

function causeOf(message: AsapMessage | undefined): number | undefined {
  return message !== undefined && "error" in message ? message.error?.[0]?.code : undefined;
}

function withTransport(fields: object): Partial<PoolElement> {
  return { userTransport: { ...element(1).userTransport, ...fields } as PoolElement["userTransport"] };
}

Deno.test("Registrar answers a registration octet for octet as RSPLIB's does", () => {
  const harness = new RegistrarHarness();
  const association = harness.up();
  harness.octets(
    association,
    fromHex(
      "01000038 0009000c 4563686f506f6f6c 000a0028 11223344 00000000 00015f90 00040010 a7e00001 00010008 0a010101 " +
        "00080008 00000001",
    ),
  );
  harness.octets(association, fromHex("05000018 0009000c 4563686f506f6f6c 803f0008 00000001"));
  assert.deepEqual(harness.answers.map(({ octets }) => octets.toHex()), [
    "030000180009000c4563686f506f6f6c000e000811223344",
    "060000400009000c4563686f506f6f6c0008000800000001000a002811223344c281812800015f9000040010a7e00001000100080a01" +
    "01010008000800000001",
  ]);
});

Deno.test("Registrar answers the resolution of an unknown pool as RSPLIB's does", () => {
  const harness = new RegistrarHarness();
  const association = harness.up();
  harness.octets(association, fromHex("05000014 00090008 4e6f7065 803f0008 00000001"));
  assert.equal(harness.answers[0]!.octets.toHex(), "06000014000900084e6f7065000c000800090004");
  harness.octets(association, fromHex("05000014 00090008 4e6f7065 803f0008 00000001"));
  assert.equal(harness.reportsOf("poolUnknown").length, 1, "told once");
});

Deno.test("Registrar announces itself every second, more or less", () => {
  const harness = new RegistrarHarness();
  harness.run(100_000);
  assert.ok(harness.announces.length > 92 && harness.announces.length < 109, `${harness.announces.length}`);
  assert.equal(harness.announces[0]!.toHex(), "0a000008c2818128");
});

Deno.test("Registrar refuses what does not suit with the right cause, once told, nothing lost", async (t) => {
  const cases: { name: string; cause: number; element: PoolElement; poolHandle?: Uint8Array }[] = [
    { name: "PE ID 0", cause: 3, element: element(0) },
    { name: "a handle of 33 octets", cause: 3, element: element(2), poolHandle: new Uint8Array(33).fill(65) },
    {
      name: "a handle of 1024 octets",
      cause: 3,
      element: element(2),
      poolHandle: new Uint8Array(1024).fill(65),
    },
    { name: "port 0", cause: 3, element: element(2, withTransport({ port: 0 })) },
    {
      name: "a foreign address",
      cause: 0xf008,
      element: element(2, withTransport({ addresses: ["10.9.9.9"] })),
    },
    {
      name: "another policy",
      cause: 5,
      element: element(2, { policy: { name: "LeastUsed", type: 0x40000001, load: 0 } }),
    },
    {
      name: "another transport protocol",
      cause: 7,
      element: element(2, withTransport({ protocol: "tcp" })),
    },
    { name: "no control channel", cause: 8, element: element(2, withTransport({ use: "data" })) },
    {
      name: "a policy that is unknown here",
      cause: 0x100b,
      element: element(2, { policy: { name: "unknown", type: 0x12345, value: new Uint8Array() } }),
      poolHandle: new Uint8Array(4).fill(66),
    },
  ];
  for (const { name, cause, element: refused, poolHandle } of cases) {
    await t.step(name, () => {
      const harness = new RegistrarHarness();
      const association = harness.up();
      harness.register(association, element(1));
      for (let i = 0; i < 2; i++) {
        const answer = harness.register(association, refused, poolHandle);
        assert.equal(answer.type, "registrationResponse");
        assert.ok(answer.type === "registrationResponse" && answer.rejected);
        assert.equal(causeOf(answer), cause);
        assert.equal(answer.elementId, refused.elementId);
      }
      assert.equal(harness.reportsOf("refused").length, 1);
      assert.deepEqual(harness.resolve(association), [1]);
      harness.registrar.checkInvariants();
    });
  }
});

Deno.test("Registrar tells a refused element the pool's policy", () => {
  const harness = new RegistrarHarness();
  const association = harness.up();
  harness.register(association, element(1));
  const answer = harness.register(
    association,
    element(2, { policy: { name: "WeightedRoundRobin", type: 2, weight: 3 } }),
  );
  assert.ok(answer.type === "registrationResponse" && answer.error !== undefined);
  assert.deepEqual(poolPolicyOf(answer.error), ROUND_ROBIN);
});

Deno.test("Registrar keeps only addresses that are the association's and reach far enough", () => {
  const addresses = ["10.1.1.1", "10.9.9.9", "127.0.0.1", "fe80::1", "fd00::1"];
  const register = (peer: string[], options = {}) => {
    const harness = new RegistrarHarness(options);
    const association = harness.up(peer);
    harness.register(association, element(1, withTransport({ addresses })));
    return harness.registrar.handlespace.find(POOL, 1)?.element.userTransport.addresses;
  };
  assert.deepEqual(register(["10.1.1.1", "fe80::1%2", "fd00::1"]), ["10.1.1.1", "fd00::1"]);
  assert.deepEqual(register(["127.0.0.1"]), ["127.0.0.1"], "loopback alone is good on one machine");
  assert.deepEqual(register(["127.0.0.1"], { minAddressScope: "site-local" }), undefined);
  assert.deepEqual(register(["fe80::1"], { minAddressScope: "loopback" }), ["fe80::1"]);
  assert.deepEqual(register(["10.1.1.1"], { minAddressScope: "global" }), undefined);
});

Deno.test("Registrar shows loopback addresses to users on this machine only", () => {
  const harness = new RegistrarHarness();
  const server = harness.up(["127.0.0.1", "10.1.1.1"]);
  harness.register(server, element(1, withTransport({ addresses: ["127.0.0.1", "10.1.1.1"] })));
  harness.register(server, element(2, withTransport({ addresses: ["127.0.0.1"] })));
  const seenBy = (peer: string) => {
    const [answer] = harness.say(harness.up([peer]), {
      type: "handleResolution",
      poolHandle: POOL,
      items: 8,
    });
    assert.ok(answer?.type === "handleResolutionResponse");
    return answer.elements.map(({ userTransport }) => userTransport.addresses);
  };
  assert.deepEqual(seenBy("127.0.0.1"), [["127.0.0.1", "10.1.1.1"], ["127.0.0.1"]]);
  assert.deepEqual(seenBy("10.1.1.7"), [["10.1.1.1"]]);
});

Deno.test("Registrar tells a user of the elements that it may see, whosever turn it is", () => {
  const harness = new RegistrarHarness();
  const server = harness.up(["127.0.0.1", "10.1.1.1"]);
  harness.register(server, element(1, withTransport({ addresses: ["127.0.0.1"] })));
  for (const id of [2, 3]) harness.register(server, element(id));
  const user = harness.up(["10.1.1.7"]);

  const seen = [1, 2, 3, 4, 5, 6].map(() => harness.resolve(user, 1));

  assert.deepEqual(new Set(seen.flat()), new Set([2, 3]));
  assert.ok(seen.every(({ length }) => length === 1), JSON.stringify(seen));
  assert.equal(harness.registrar.statistics.resolutionsFailed, 0);
});

Deno.test("Registrar counts at most one element as used besides those that a user must not see", () => {
  const cases = [
    ["LeastUsedDegradation", 0x2000_0000],
    ["PriorityLeastUsedDegradation", 0x2000_0000],
    ["RandomizedLeastUsedDegradation", 0xffff_0000], // so that chance takes the other one
  ] as const;
  for (const [name, load] of cases) {
    const harness = new RegistrarHarness();
    const server = harness.up(["127.0.0.1", "10.1.1.1"]);
    const policy = { name, type: PolicyType[name], loadDegradation: 0x3000_0000 };
    const idle = { ...policy, load: 0 } as PolicyParameter, busy = { ...policy, load } as PolicyParameter;
    harness.register(server, element(1, { ...withTransport({ addresses: ["127.0.0.1"] }), policy: idle }));
    for (const id of [2, 3, 4, 5]) harness.register(server, element(id, { policy: busy }));

    assert.equal(harness.resolve(harness.up(["10.1.1.7"]), 1).length, 1, name);

    const { selection, elements } = harness.registrar.handlespace.pool(POOL)!;
    const used = [...elements.values()].filter((entry) => selection.state(entry).degradation > 0);
    assert.ok(used.some(({ elementId }) => elementId === 1), `${name}: it was its turn`);
    assert.ok(used.length <= 2, `${name}: ${used.map(({ elementId }) => elementId)}`);
  }
});

Deno.test("Registrar gives as many elements as are asked for, 3 unasked, 128 at most, and never too long a message", () => {
  const harness = new RegistrarHarness({ maxElementsPerAssociation: 1000 });
  const many = Array.from({ length: 60 }, (_, i) => `2001:db8::${i + 1}`);
  const association = harness.up(many);
  for (let id = 1; id <= 150; id++) {
    harness.register(association, element(id, withTransport({ addresses: id === 1 ? many : [many[0]] })));
  }
  assert.equal(harness.resolve(association).length, 3);
  assert.equal(harness.resolve(association, 0).length, 3);
  assert.equal(harness.resolve(association, 17).length, 17);
  assert.equal(harness.resolve(association, 0xffffffff).length, 128);
  for (let id = 1; id <= 150; id++) {
    harness.register(association, element(id, withTransport({ addresses: many })));
  }
  const count = harness.resolve(association, 0xffffffff).length;
  assert.ok(count > 30 && count < 60, `${count} of this size fit`);
});

Deno.test("Registrar advances round robin by one, however many it shows", () => {
  const harness = new RegistrarHarness();
  const association = harness.up();
  for (const id of [1, 2, 3]) harness.register(association, element(id));
  assert.deepEqual([1, 2, 3, 4].map(() => harness.resolve(association, 2)), [[1, 2], [2, 3], [3, 1], [1, 2]]);
});

Deno.test("Registrar lets an element move to another association of its host, not to another host", () => {
  const harness = new RegistrarHarness();
  const first = harness.up(["10.1.1.1", "10.2.1.1"]);
  harness.register(first, element(1));
  const second = harness.up(["10.1.1.1"]);
  assert.equal(causeOf(harness.register(second, element(1))), undefined);
  harness.down(first);
  assert.deepEqual(harness.resolve(second), [1], "it belongs to the new association now");
  const thief = harness.up(["10.1.1.66"]);
  assert.equal(causeOf(harness.register(thief, element(1, withTransport({ addresses: ["10.1.1.66"] })))), 4);
  const [answer] = harness.say(thief, { type: "deregistration", poolHandle: POOL, elementId: 1 });
  assert.equal(causeOf(answer), 10);
  assert.deepEqual(harness.resolve(thief), [1]);
  harness.registrar.checkInvariants();
});

Deno.test("Registrar confirms the deregistration of an element that it does not know", () => {
  const harness = new RegistrarHarness();
  const answers = harness.say(harness.up(), { type: "deregistration", poolHandle: POOL, elementId: 7 });
  assert.deepEqual(answers, [{ type: "deregistrationResponse", poolHandle: POOL, elementId: 7 }]);
});

Deno.test("Registrar asks for life every 5 s after the last sign, with the element's ID", () => {
  const harness = new RegistrarHarness();
  const association = harness.up();
  harness.register(association, element(1));
  harness.run(4999);
  assert.equal(harness.answers.length, 1);
  harness.run(1);
  assert.deepEqual(harness.answers[1]!.message, {
    type: "endpointKeepAlive",
    home: false,
    registrarId: REGISTRAR_ID,
    poolHandle: POOL,
    elementId: 1,
  });
  harness.run(2000);
  harness.say(association, { type: "endpointKeepAliveAck", poolHandle: POOL, elementId: 1 });
  harness.run(4999);
  assert.equal(harness.registrar.statistics.keepAlivesSent, 1);
  harness.run(1);
  assert.equal(harness.registrar.statistics.keepAlivesSent, 2);
  harness.run(4999);
  assert.ok(!harness.aborted(association));
  harness.run(1);
  assert.ok(harness.aborted(association));
  assert.equal(harness.registrar.handlespace.elementCount, 0);
  assert.deepEqual(harness.reportsOf("removed").map(({ reason }) => reason), ["no answer to a keep-alive"]);
});

Deno.test("Registrar takes no keep-alive answer of another association", () => {
  const harness = new RegistrarHarness();
  const association = harness.up();
  harness.register(association, element(1));
  const stranger = harness.up(["10.1.1.66"]);
  harness.run(6000);
  harness.say(stranger, { type: "endpointKeepAliveAck", poolHandle: POOL, elementId: 1 });
  harness.run(5000);
  assert.equal(harness.registrar.handlespace.elementCount, 0);
});

Deno.test("Registrar ends a registration whose life is over, and none that lives for ever", () => {
  const harness = new RegistrarHarness({ keepAliveIntervalMs: 1e9 });
  const association = harness.up();
  harness.register(association, element(1, { registrationLifeMs: 10_000 }));
  harness.register(association, element(2, { registrationLifeMs: -1 }));
  harness.register(association, element(3, { registrationLifeMs: 0 }));
  harness.run(5000);
  assert.deepEqual(harness.resolve(association, 9).sort(), [1, 2], "a life of 0 is enforced as one second");
  harness.register(association, element(1, { registrationLifeMs: 10_000 }));
  harness.run(9999);
  assert.deepEqual(harness.resolve(association, 9).sort(), [1, 2]);
  harness.run(1e8);
  assert.deepEqual(harness.resolve(association, 9), [2]);
});

Deno.test("Registrar asks an element that is reported unreachable at once, and removes it after three reports", () => {
  const harness = new RegistrarHarness();
  const server = harness.up();
  harness.register(server, element(1));
  const user = harness.up(["10.1.1.7"]);
  harness.run(2000);
  const report = () => harness.say(user, { type: "endpointUnreachable", poolHandle: POOL, elementId: 1 });
  assert.deepEqual(report().map(({ type }) => type), ["endpointKeepAlive"]);
  assert.deepEqual(report(), [], "asked already");
  assert.deepEqual(harness.resolve(user), [1]);
  report();
  assert.deepEqual(harness.resolve(user), []);
  assert.deepEqual(report(), [], "a report about nobody has no answer");
});

Deno.test("Registrar forgets reports of long ago", () => {
  const harness = new RegistrarHarness({
    reportMemoryMs: 1000,
    keepAliveIntervalMs: 1e6,
    keepAliveTimeoutMs: 1e6,
  });
  const server = harness.up();
  harness.register(server, element(1, { registrationLifeMs: -1 }));
  for (let i = 0; i < 10; i++) {
    harness.say(server, { type: "endpointUnreachable", poolHandle: POOL, elementId: 1 });
    harness.run(500);
  }
  assert.deepEqual(harness.resolve(server), [1]);
  assert.ok(harness.reportsOf("unreachable").every(({ count }) => count <= 2));
  const entry = harness.registrar.handlespace.find(POOL, 1)!;
  assert.equal(harness.registrar.unreachableReports(entry, harness.now), 1);
  assert.equal(harness.registrar.unreachableReports(entry, harness.now + 1000), 0);
});

Deno.test("Registrar answers bad messages as RFC 5352 says, tells it once, and goes on", async (t) => {
  const cases = [
    { name: "an unknown message type", hex: "42000004", answer: "0e00000c000c000800020008" },
    { name: "an unknown TLV that stops silently", hex: "05000008 00770004", answer: undefined },
    { name: "an unknown TLV that stops", hex: "0500000c 40770008 61626364", answer: "01" },
    { name: "an empty pool handle", hex: "05000008 00090004", answer: "03" },
    { name: "no element", hex: "01000010 0009000c 4563686f506f6f6c", answer: "" },
    { name: "a length beyond the message", hex: "05000040 0009000c 4563686f506f6f6c", answer: "" },
    { name: "nothing", hex: "", answer: "" },
  ];
  for (const { name, hex, answer } of cases) {
    await t.step(name, () => {
      const harness = new RegistrarHarness();
      const association = harness.up();
      harness.register(association, element(1));
      for (let i = 0; i < 3; i++) {
        const answers = harness.octets(association, fromHex(hex));
        if (answer === undefined) assert.deepEqual(answers, []);
        else assert.deepEqual(answers.map(({ type }) => type), ["error"]);
      }
      assert.equal(harness.reportsOf("offence").length, 1);
      assert.equal(harness.registrar.statistics.badMessages, 3);
      assert.deepEqual(harness.resolve(association), [1]);
    });
  }
});

Deno.test("Registrar reports skipped parameters that want to be reported, after the answer", () => {
  const harness = new RegistrarHarness();
  const association = harness.up();
  const answers = harness.octets(
    association,
    fromHex("05000018 0009000c 4563686f506f6f6c c0770008 61626364"),
  );
  assert.deepEqual(answers.map(({ type }) => type), ["handleResolutionResponse", "error"]);
  assert.equal(causeOf(answers[1]), 1);
});

Deno.test("Registrar answers a pool handle of 65000 octets with an error that fits", () => {
  const harness = new RegistrarHarness();
  const association = harness.up();
  const poolHandle = new Uint8Array(65_000).fill(65);
  for (
    const message of [
      { type: "handleResolution", poolHandle },
      { type: "deregistration", poolHandle, elementId: 1 },
      { type: "registration", poolHandle, element: element(1) },
    ] as const
  ) {
    const answers = harness.say(association, message);
    assert.deepEqual(answers.map(({ type }) => type), ["error"]);
    assert.equal(causeOf(answers[0]), 3);
  }
});

Deno.test("Registrar ignores strangers' protocols, and aborts who takes it for the other service", () => {
  const harness = new RegistrarHarness();
  const association = harness.up();
  harness.register(association, element(1));
  for (let i = 0; i < 5; i++) {
    assert.deepEqual(harness.octets(association, fromHex("0500000400"), 0), []);
    assert.deepEqual(harness.octets(association, fromHex("ffffffffff"), 4711), []);
  }
  assert.equal(harness.reportsOf("offence").length, 1);
  assert.deepEqual(harness.resolve(association), [1], "its element is not lost");
  const lost = harness.up();
  harness.octets(lost, fromHex("0100000400"), 12);
  assert.ok(harness.aborted(lost));
  const other = harness.up(["10.1.1.2"], "enrp");
  harness.octets(other, fromHex("0500000400"), 11, "enrp");
  assert.ok(harness.aborted(other));
  assert.ok(!harness.aborted(association));
});

Deno.test("Registrar hears other registrars and tells it once", () => {
  const harness = new RegistrarHarness();
  const source = { address: "10.1.1.9", port: 9901 };
  const data = fromHex(
    "0100002c 00003333 00000000 000f0006 ffff0000 000b0018 00003333 00040010 138b0000 00010008 0a010101",
  );
  for (let i = 0; i < 3; i++) {
    harness.registrar.handle({ type: "datagram", channel: "enrp-presence", source, data }, 0);
    harness.registrar.handle(
      { type: "datagram", channel: "enrp-presence", source, data: fromHex("ffff") },
      0,
    );
  }
  const association = harness.up(["10.1.1.9"], "enrp");
  assert.deepEqual(harness.octets(association, data, 12, "enrp"), []);
  assert.deepEqual(harness.reportsOf("peerUp").map(({ registrarId }) => registrarId), [0x3333]);
  assert.equal(harness.reportsOf("offence").length, 1);
});

Deno.test("Registrar keeps within its limits", async (t) => {
  await t.step("associations", () => {
    const harness = new RegistrarHarness({ maxAssociations: 3, maxAssociationsPerHost: 3 });
    const associations = [1, 2, 3, 4, 5].map(() => harness.up());
    assert.deepEqual(associations.map((association) => harness.aborted(association)), [
      false,
      false,
      false,
      true,
      true,
    ]);
    assert.equal(harness.reportsOf("limit").length, 1);
    assert.equal(harness.registrar.associationCount, 3);
    harness.down(1);
    assert.ok(!harness.aborted(harness.up()));
  });
  await t.step("elements of an association", () => {
    const harness = new RegistrarHarness({ maxElementsPerAssociation: 2 });
    const association = harness.up();
    const causes = [1, 2, 3, 4, 2].map((id) => causeOf(harness.register(association, element(id))));
    assert.deepEqual(causes, [undefined, undefined, 6, 6, undefined]);
    assert.equal(harness.reportsOf("limit").length, 1);
  });
  await t.step("elements", () => {
    const harness = new RegistrarHarness({ maxElements: 2 });
    const association = harness.up();
    const causes = [1, 2, 3].map((id) => causeOf(harness.register(association, element(id))));
    assert.deepEqual(causes, [undefined, undefined, 6]);
  });
  await t.step("pools", () => {
    const harness = new RegistrarHarness({ maxPools: 2 });
    const association = harness.up();
    const causes = [1, 2, 3, 1].map((n) =>
      causeOf(harness.register(association, element(n), Uint8Array.of(n)))
    );
    assert.deepEqual(causes, [undefined, undefined, 6, undefined]);
  });
  await t.step("associations of one host: half of all, so that others find a place", () => {
    const harness = new RegistrarHarness({ maxAssociations: 4 });
    const associations = [1, 2, 3].map(() => harness.up());
    assert.deepEqual(associations.map((association) => harness.aborted(association)), [false, false, true]);
    assert.ok(!harness.aborted(harness.up(["10.1.1.2"])));
    harness.down(associations[0]!);
    assert.ok(!harness.aborted(harness.up()));
  });
  await t.step("answers that nobody takes", () => {
    const harness = new RegistrarHarness();
    const association = harness.up();
    harness.register(association, element(1));
    harness.event(association, "blocked");
    assert.deepEqual(harness.resolve(association), [], "it is not served");
    harness.event(association, "writable");
    harness.run(0);
    assert.equal(harness.answers.at(-1)!.message.type, "handleResolutionResponse");
    harness.event(association, "blocked");
    harness.run(HOLD_LIMIT_MS - 1);
    assert.ok(!harness.aborted(association));
    harness.run(1);
    assert.ok(harness.aborted(association));
  });
  await t.step("bad messages", () => {
    const harness = new RegistrarHarness();
    const association = harness.up();
    for (let n = 0; n < 10_000 && !harness.aborted(association); n++) {
      harness.octets(association, Uint8Array.of(1));
    }
    assert.ok(harness.aborted(association));
    assert.equal(harness.registrar.statistics.badMessages, 257);
  });
});

Deno.test("Registrar that stops ends its associations, then says so", () => {
  const harness = new RegistrarHarness();
  const associations = [harness.up(), harness.up()];
  harness.register(associations[0]!, element(1));
  assert.ok(!harness.stopped);
  harness.input({ type: "stop" });
  assert.deepEqual(harness.commands.map(({ type }) => type), ["shutdown", "shutdown"]);
  assert.ok(harness.stopped);
  assert.equal(harness.registrar.nextTimeout(), undefined);
  assert.equal(harness.registrar.handlespace.elementCount, 0);
});

Deno.test("Registrar removes the elements of a peer that restarted", () => {
  const harness = new RegistrarHarness();
  const association = harness.up();
  harness.register(association, element(1));
  harness.registrar.handle(
    { type: "transport", endpoint: "asap", event: { type: "restarted", association } },
    0,
  );
  assert.equal(harness.registrar.handlespace.elementCount, 0);
  harness.register(association, element(1));
  assert.deepEqual(harness.resolve(association), [1]);
});

Deno.test("Registrar ignores messages that are not for it", () => {
  const harness = new RegistrarHarness();
  const association = harness.up();
  const cookie = new Uint8Array(8);
  assert.deepEqual(harness.octets(association, writeAsap({ type: "cookie", cookie })), []);
  assert.deepEqual(harness.octets(association, writeAsap({ type: "serverAnnounce", registrarId: 1 })), []);
  assert.equal(harness.reportsOf("offence").length, 1);
});

function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(hex.replaceAll(" ", "").match(/../g) ?? [], (octet) => Number.parseInt(octet, 16));
}
