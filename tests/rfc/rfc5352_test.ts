/** RFC 5352 as far as it concerns a registrar ("ENRP server"). Each test: init, act, check. */
import assert from "node:assert/strict";
import { AsapType } from "../../protocol/asap/mod.ts";
import type { AsapMessage } from "../../protocol/asap/mod.ts";
import { CauseCode } from "../../protocol/param/mod.ts";
import type { PolicyParameter, PoolElement } from "../../protocol/param/mod.ts";
import { encodeText } from "../../protocol/wire/mod.ts";
import { element, POOL, REGISTRAR_ID, RegistrarHarness, ROUND_ROBIN } from "../protocol/registrar/harness.ts";
import { message, tlv, u32 } from "./asap_bench.ts";

const HANDLE = tlv(0x0009, POOL);
const LEAST_USED = { name: "LeastUsed", type: 0x40000001, load: 3 } as const satisfies PolicyParameter;

/** A registrar with associations to three hosts, 10.1.1.1 to 10.1.1.3. */
function begin(options: ConstructorParameters<typeof RegistrarHarness>[0] = {}): {
  harness: RegistrarHarness;
  first: number;
  second: number;
  user: number;
} {
  const harness = new RegistrarHarness(options);
  const [first, second, user] = ["10.1.1.1", "10.1.1.2", "10.1.1.3"].map((address) => harness.up([address]));
  return { harness, first: first!, second: second!, user: user! };
}

/** An element at this address. */
function at(address: string, elementId: number, fields: Partial<PoolElement> = {}): PoolElement {
  const { userTransport } = element(elementId);
  return element(elementId, {
    userTransport: { ...userTransport, addresses: [address] } as PoolElement["userTransport"],
    ...fields,
  });
}

/** The code of the only cause of a message. */
function causeOf(answer: AsapMessage | undefined): number | undefined {
  assert.ok(answer !== undefined && "error" in answer && answer.error !== undefined);
  assert.equal(answer.error.length, 1);
  return answer.error[0]!.code;
}

function rejected(answer: AsapMessage): boolean {
  assert.ok(answer.type === "registrationResponse");
  return answer.rejected;
}

// ------------------------------------------------------------------------------------------------------ registration

Deno.test("§3.1 rule 1: the first element founds the pool, with its policy, transport type and transport use", () => {
  const { harness, first } = begin();

  harness.register(first, element(1));

  const pool = harness.registrar.handlespace.pool(POOL)!;
  assert.deepEqual([pool.policy.type, pool.protocol, pool.use], [ROUND_ROBIN.type, "sctp", "data+control"]);
  assert.deepEqual([...pool.elements.keys()], [1]);
});

Deno.test("§3.1 rule 2: another element is added to the pool", () => {
  const { harness, first, second } = begin();
  harness.register(first, at("10.1.1.1", 1));

  const answer = harness.register(second, at("10.1.1.2", 2));

  assert.ok(!rejected(answer));
  assert.deepEqual([...harness.registrar.handlespace.pool(POOL)!.elements.keys()], [1, 2]);
});

Deno.test("§3.1 rule 2: an element with another policy type than the pool's is rejected", () => {
  const { harness, first, second } = begin();
  harness.register(first, at("10.1.1.1", 1));

  const answer = harness.register(second, at("10.1.1.2", 2, { policy: LEAST_USED }));

  assert.ok(rejected(answer));
  assert.equal(causeOf(answer), CauseCode.inconsistentPolicy);
});

Deno.test("§3.1 rule 2: an element with another transport type than the pool's is rejected", () => {
  const { harness, first, second } = begin();
  harness.register(first, at("10.1.1.1", 1));
  const tcp = { protocol: "tcp", port: 80, use: "data", addresses: ["10.1.1.2"] } as const;

  const answer = harness.register(second, element(2, { userTransport: tcp }));

  assert.ok(rejected(answer));
  assert.equal(causeOf(answer), CauseCode.inconsistentTransportType);
});

Deno.test("§3.1 rule 2: an element with another transport use than the pool's is rejected", () => {
  const { harness, first, second } = begin();
  harness.register(first, at("10.1.1.1", 1));
  const dataOnly = { protocol: "sctp", port: 80, use: "data", addresses: ["10.1.1.2"] } as const;

  const answer = harness.register(second, element(2, { userTransport: dataOnly }));

  assert.ok(rejected(answer));
  assert.equal(causeOf(answer), CauseCode.inconsistentDataControl);
});

Deno.test("§3.1 rule 3: a re-registration has to stand the same tests, and nothing changes if it does not", () => {
  const { harness, first, second } = begin();
  harness.register(first, at("10.1.1.1", 1));
  harness.register(second, at("10.1.1.2", 2));

  const answer = harness.register(first, at("10.1.1.1", 1, { policy: LEAST_USED }));

  assert.ok(rejected(answer));
  assert.deepEqual(harness.registrar.handlespace.find(POOL, 1)!.element.policy, ROUND_ROBIN);
});

Deno.test("§3.1 rule 3: a re-registration that is accepted replaces the element's attributes", () => {
  const { harness, first } = begin();
  harness.register(first, element(1));
  const userTransport = { ...element(1).userTransport, port: 5000 } as PoolElement["userTransport"];

  harness.register(first, element(1, { registrationLifeMs: 5000, userTransport }));

  const registered = harness.registrar.handlespace.find(POOL, 1)!.element;
  assert.deepEqual([registered.registrationLifeMs, registered.userTransport.port], [5000, 5000]);
  assert.equal(harness.registrar.handlespace.elementCount, 1);
});

Deno.test("§3.1 rule 4: the registrar makes itself the element's owner, whoever owned it before", () => {
  const { harness, first, user } = begin();

  harness.register(first, element(1, { homeRegistrarId: 0x5555 }));

  const [answer] = harness.say(user, { type: "handleResolution", poolHandle: POOL });
  assert.ok(answer?.type === "handleResolutionResponse");
  assert.equal(answer.elements[0]!.homeRegistrarId, REGISTRAR_ID);
});

Deno.test("§3.1 rule 4: the SCTP transport address that the registration came from becomes the ASAP transport", () => {
  const { harness, first } = begin();

  harness.register(first, element(1));

  assert.deepEqual(harness.registrar.handlespace.find(POOL, 1)!.element.asapTransport, {
    protocol: "sctp",
    port: 40_000 + first,
    use: "data",
    addresses: ["10.1.1.1"],
  });
});

Deno.test("§3.1 rule 5: a registration may be rejected for lack of resources", () => {
  const { harness, first, second } = begin({ maxElements: 1 });
  harness.register(first, at("10.1.1.1", 1));

  const answer = harness.register(second, at("10.1.1.2", 2));

  assert.ok(rejected(answer));
  assert.equal(causeOf(answer), CauseCode.lackOfResources);
});

Deno.test("§3.1: a registration that is accepted is answered with the R bit clear", () => {
  const { harness, first } = begin();

  harness.register(first, element(1));

  const octets = harness.answers.at(-1)!.octets;
  assert.deepEqual([octets[0], octets[1]], [AsapType.registrationResponse, 0x00]);
});

Deno.test("§3.1: a registration that is refused is answered with the R bit and a cause", () => {
  const { harness, first } = begin();

  const answer = harness.register(first, element(0));

  const octets = harness.answers.at(-1)!.octets;
  assert.deepEqual([octets[0], octets[1]], [AsapType.registrationResponse, 0x01]);
  assert.equal(causeOf(answer), CauseCode.invalidValues);
});

Deno.test("§2.2.3: the response names the pool and the element, and has no error when nothing was amiss", () => {
  const { harness, first } = begin();

  const answer = harness.register(first, element(7));

  assert.deepEqual(answer, {
    type: "registrationResponse",
    rejected: false,
    poolHandle: POOL,
    elementId: 7,
  });
});

Deno.test("§2.2.1: an element whose addresses are not among its association's is not registered", () => {
  const { harness, first } = begin();

  const answer = harness.register(first, at("10.9.9.9", 1));

  assert.ok(rejected(answer));
  assert.equal(harness.registrar.handlespace.elementCount, 0);
});

Deno.test("§2.2.1: what is registered is a subset of the association's addresses, whatever the transport", () => {
  const { harness, first } = begin();
  const addresses = ["10.9.9.9", "10.1.1.1"];

  harness.register(first, element(1, { userTransport: { ...element(1).userTransport, addresses } as never }));

  assert.deepEqual(harness.registrar.handlespace.find(POOL, 1)!.element.userTransport.addresses, [
    "10.1.1.1",
  ]);
});

Deno.test("§3.1 rule 4: a re-registration takes over an element that another registrar owned", () => {
  const { harness, first } = begin();
  const { handlespace } = harness.registrar;
  handlespace.register(POOL, element(1, { homeRegistrarId: 0x5555 }));

  const answer = harness.register(first, element(1));

  assert.ok(!rejected(answer));
  assert.deepEqual([handlespace.elementCount, handlespace.find(POOL, 1)!.homeRegistrarId], [1, REGISTRAR_ID]);
  harness.registrar.checkInvariants();
});

// --------------------------------------------------------------------------------------------------- deregistration

Deno.test("§3.2: a deregistration takes the element out, and is answered without an error", () => {
  const { harness, first, second } = begin();
  harness.register(first, at("10.1.1.1", 1));
  harness.register(second, at("10.1.1.2", 2));

  const answers = harness.say(first, { type: "deregistration", poolHandle: POOL, elementId: 1 });

  assert.deepEqual(answers, [{ type: "deregistrationResponse", poolHandle: POOL, elementId: 1 }]);
  assert.deepEqual([...harness.registrar.handlespace.pool(POOL)!.elements.keys()], [2]);
});

Deno.test("§3.2: the pool goes with its last element", () => {
  const { harness, first } = begin();
  harness.register(first, element(1));

  harness.say(first, { type: "deregistration", poolHandle: POOL, elementId: 1 });

  assert.equal(harness.registrar.handlespace.pool(POOL), undefined);
});

Deno.test("§3.2: a deregistration of an element that is not known is granted", () => {
  const { harness, first } = begin();

  const answers = harness.say(first, { type: "deregistration", poolHandle: POOL, elementId: 1 });

  assert.deepEqual(answers, [{ type: "deregistrationResponse", poolHandle: POOL, elementId: 1 }]);
});

Deno.test("§2.2.2: nobody deregisters another host's element", () => {
  const { harness, first, second } = begin();
  harness.register(first, element(1));

  const [answer] = harness.say(second, { type: "deregistration", poolHandle: POOL, elementId: 1 });

  assert.ok(answer?.type === "deregistrationResponse");
  assert.equal(causeOf(answer), CauseCode.rejectedForSecurity);
  assert.equal(harness.registrar.handlespace.elementCount, 1);
});

Deno.test("§3.2: an element that does not register again is removed, and told so by a deregistration response", () => {
  const { harness, first } = begin({ keepAliveIntervalMs: 60_000 });
  harness.register(first, element(1, { registrationLifeMs: 10_000 }));

  harness.run(10_000);

  const { association, message: last } = harness.answers.at(-1)!;
  assert.deepEqual(last, { type: "deregistrationResponse", poolHandle: POOL, elementId: 1 });
  assert.equal(association, first);
  assert.equal(harness.registrar.handlespace.elementCount, 0);
});

Deno.test("§3.1 R2.3: an element that registers again before its registration expires stays", () => {
  const { harness, first } = begin({ keepAliveIntervalMs: 60_000 });
  harness.register(first, element(1, { registrationLifeMs: 10_000 }));

  harness.run(9000);
  harness.register(first, element(1, { registrationLifeMs: 10_000 }));
  harness.run(9000);

  assert.equal(harness.registrar.handlespace.elementCount, 1);
});

// ------------------------------------------------------------------------------------------------ handle resolution

Deno.test("§3.3: the resolution of a pool lists elements that are registered in it", () => {
  const { harness, first, second, user } = begin();
  harness.register(first, at("10.1.1.1", 1));
  harness.register(second, at("10.1.1.2", 2));

  const answers = harness.say(user, { type: "handleResolution", poolHandle: POOL });

  const [answer] = answers;
  assert.ok(answers.length === 1 && answer?.type === "handleResolutionResponse");
  assert.equal(answer.error, undefined);
  assert.deepEqual(answer.elements.map(({ elementId }) => elementId).sort(), [1, 2]);
});

Deno.test("§3.3: all elements are listed if they are asked for; unasked it is three, as RSPLIB has it", () => {
  const { harness, first, user } = begin();
  for (let elementId = 1; elementId <= 5; elementId++) harness.register(first, element(elementId));

  const everything = harness.resolve(user, 0xffffffff);
  const unasked = harness.resolve(user);

  // reference/rsplib.md §3.5, the option of draft-dreibholz-rserpool-asap-hropt.
  assert.deepEqual(everything.sort(), [1, 2, 3, 4, 5]);
  assert.equal(unasked.length, 3);
});

Deno.test("§3.3: a pool is resolved with its policy, round robin too, since RSPLIB cannot do without it", () => {
  const { harness, first, user } = begin();
  harness.register(first, element(1));

  const [answer] = harness.say(user, { type: "handleResolution", poolHandle: POOL });

  assert.ok(answer?.type === "handleResolutionResponse");
  assert.deepEqual(answer.policy, ROUND_ROBIN); // reference/rsplib.md §0.3
});

Deno.test("§3.3: an unknown pool is answered with the cause Unknown Pool Handle", () => {
  const { harness, user } = begin();

  const [answer] = harness.say(user, { type: "handleResolution", poolHandle: encodeText("Nope") });

  assert.ok(answer?.type === "handleResolutionResponse");
  assert.equal(causeOf(answer), CauseCode.unknownPoolHandle);
});

Deno.test("§2.2.6: a negative response has neither a policy nor elements", () => {
  const { harness, user } = begin();

  const [answer] = harness.say(user, { type: "handleResolution", poolHandle: POOL });

  assert.ok(answer?.type === "handleResolutionResponse");
  assert.deepEqual([answer.policy, answer.elements], [undefined, []]);
});

Deno.test("§2.2.6: a registrar without automatic updates answers the S bit with the A bit clear", () => {
  const { harness, first, user } = begin();
  harness.register(first, element(1));

  const [answer] = harness.say(user, { type: "handleResolution", subscribe: true, poolHandle: POOL });

  assert.ok(answer?.type === "handleResolutionResponse");
  assert.equal(answer.acceptUpdates, undefined);
  assert.equal(harness.answers.at(-1)!.octets[1], 0);
});

Deno.test("§9.2: resolutions beyond the rate that an association may have are refused for lack of resources", () => {
  const { harness, first, second, user } = begin({ maxResolutionRate: 5 });
  harness.register(first, element(1));
  const ask = (association: number, pool = POOL) =>
    harness.say(association, { type: "handleResolution", poolHandle: pool })[0];

  const answers = Array.from({ length: 8 }, () => ask(user));
  const other = ask(second);
  harness.run(1000);
  const later = ask(user);

  assert.deepEqual(
    answers.map((answer) => "elements" in answer! && answer.elements.length),
    [1, 1, 1, 1, 1, 0, 0, 0],
  );
  assert.equal(causeOf(answers.at(-1)), CauseCode.lackOfResources);
  assert.ok("elements" in other! && other.elements.length === 1, "others are not concerned");
  assert.ok("elements" in later! && later.elements.length === 1);
});

Deno.test("§9.2: asking for another pool each time does not escape the limit", () => {
  const { harness, user } = begin({ maxResolutionRate: 2 });
  const causes = new Map<number | undefined, number>();

  for (let n = 0; n < 1000; n++) {
    const [answer] = harness.say(user, { type: "handleResolution", poolHandle: encodeText(`pool ${n}`) });
    const cause = causeOf(answer);
    causes.set(cause, (causes.get(cause) ?? 0) + 1);
  }

  assert.ok(causes.get(CauseCode.unknownPoolHandle)! <= 128); // two of each of 64 buckets
  assert.ok(causes.get(CauseCode.lackOfResources)! >= 872);
});

// -------------------------------------------------------------------------------------------------------- keep-alive

Deno.test("§3.5: a periodic keep-alive has the registrar's ID and the pool's handle, and no H bit", () => {
  const { harness, first } = begin();
  harness.register(first, element(1));

  harness.run(5000);

  const { association, message: keepAlive, octets } = harness.answers.at(-1)!;
  assert.ok(keepAlive.type === "endpointKeepAlive");
  assert.equal(association, first);
  assert.deepEqual([keepAlive.home, keepAlive.registrarId], [false, REGISTRAR_ID]);
  assert.deepEqual(keepAlive.poolHandle, POOL);
  assert.deepEqual([octets[0], octets[1]], [AsapType.endpointKeepAlive, 0]);
});

Deno.test("§3.5: an element that answers its keep-alive is kept", () => {
  const { harness, first } = begin();
  harness.register(first, element(1));
  harness.run(5000);

  harness.say(first, { type: "endpointKeepAliveAck", poolHandle: POOL, elementId: 1 });
  harness.run(5000);

  assert.equal(harness.registrar.handlespace.elementCount, 1);
});

Deno.test("§3.5: an element that does not answer its keep-alive is removed", () => {
  const { harness, first } = begin();
  harness.register(first, element(1));

  harness.run(10_000);

  assert.equal(harness.registrar.handlespace.elementCount, 0);
});

Deno.test("§3.5: an element that cannot be sent to any more is removed", () => {
  const { harness, first } = begin();
  harness.register(first, element(1));

  harness.down(first);

  assert.equal(harness.registrar.handlespace.elementCount, 0);
});

Deno.test("§3.5: keep-alives to many elements are spread as their registrations were", () => {
  const { harness, first } = begin();
  for (let elementId = 1; elementId <= 5; elementId++) {
    harness.register(first, element(elementId));
    harness.run(100);
  }

  const times: number[] = [];
  for (let step = 0; step < 60; step++) {
    const before = harness.registrar.statistics.keepAlivesSent;
    harness.run(100);
    times.push(harness.registrar.statistics.keepAlivesSent - before);
  }

  assert.equal(Math.max(...times), 1);
  assert.equal(times.reduce((sum, count) => sum + count), 5);
});

Deno.test("§3.5: the time between two keep-alives to an element varies at random by up to 50 percent", () => {
  const { harness, first } = begin({ keepAliveJitter: 0.5, keepAliveTimeoutMs: 60_000 });
  harness.register(first, element(1, { registrationLifeMs: -1 }));
  const { statistics } = harness.registrar;
  const gaps: number[] = [];

  for (let keepAlive = 0; keepAlive < 200; keepAlive++) {
    const from = harness.now;
    while (statistics.keepAlivesSent === keepAlive) harness.run(50);
    gaps.push(harness.now - from);
    harness.say(first, { type: "endpointKeepAliveAck", poolHandle: POOL, elementId: 1 });
  }

  assert.ok(Math.min(...gaps) >= 2500 && Math.min(...gaps) < 2800, `${Math.min(...gaps)}`);
  assert.ok(Math.max(...gaps) <= 7550 && Math.max(...gaps) > 7200, `${Math.max(...gaps)}`);
});

Deno.test("§3.5: elements that registered in one moment are not asked in one burst", () => {
  const { harness, first } = begin({ keepAliveJitter: 0.5, maxElementsPerAssociation: 1000 });
  for (let elementId = 1; elementId <= 500; elementId++) harness.register(first, element(elementId));
  const bursts: number[] = [];

  for (let step = 0; step < 75; step++) {
    const before = harness.registrar.statistics.keepAlivesSent;
    harness.run(100);
    bursts.push(harness.registrar.statistics.keepAlivesSent - before);
  }

  assert.equal(bursts.reduce((sum, count) => sum + count), 500);
  assert.ok(Math.max(...bursts) < 30, `${Math.max(...bursts)} of 500 in 100 ms`); // evenly: 10
});

// ------------------------------------------------------------------------------------------------------- unreachable

Deno.test("§3.5: an element that is reported unreachable is asked at once, without the H bit", () => {
  const { harness, first, user } = begin();
  harness.register(first, element(1));

  harness.say(user, { type: "endpointUnreachable", poolHandle: POOL, elementId: 1 });

  const { association, message: keepAlive } = harness.answers.at(-1)!;
  assert.ok(keepAlive.type === "endpointKeepAlive");
  assert.deepEqual([association, keepAlive.home], [first, false]);
});

Deno.test("§3.5: a reported element that answers is retained", () => {
  const { harness, first, user } = begin();
  harness.register(first, element(1));
  harness.say(user, { type: "endpointUnreachable", poolHandle: POOL, elementId: 1 });

  harness.say(first, { type: "endpointKeepAliveAck", poolHandle: POOL, elementId: 1 });
  harness.run(4000);

  assert.deepEqual(harness.resolve(user), [1]);
});

Deno.test("§3.5: a reported element that does not answer is removed", () => {
  const { harness, first, user } = begin();
  harness.register(first, element(1));

  harness.say(user, { type: "endpointUnreachable", poolHandle: POOL, elementId: 1 });
  harness.run(5000);

  assert.equal(harness.registrar.handlespace.elementCount, 0);
});

Deno.test("§3.5: the counter of reports removes the element at MAX-BAD-PE-REPORT (3), where RSPLIB has its limit", () => {
  const { harness, first, user } = begin();
  harness.register(first, element(1));
  const counts: number[] = [];

  for (let report = 1; report <= 3; report++) {
    harness.say(user, { type: "endpointUnreachable", poolHandle: POOL, elementId: 1 });
    harness.say(first, { type: "endpointKeepAliveAck", poolHandle: POOL, elementId: 1 });
    counts.push(harness.registrar.handlespace.elementCount);
  }

  // The RFC removes when the threshold is exceeded; RSPLIB when it is reached (reference/rsplib.md §3.6, §3.8).
  assert.deepEqual(counts, [1, 1, 0]);
});

Deno.test("§3.5: the element in question is asked whoever its home is, and removed if it cannot be", () => {
  const { harness, user } = begin();
  const asapTransport = { protocol: "sctp", port: 40_000, use: "data", addresses: ["10.1.4.1"] } as const;
  const foreign = element(9, { homeRegistrarId: 0x5555, asapTransport });
  harness.registrar.handlespace.register(POOL, foreign);

  harness.say(user, { type: "endpointUnreachable", poolHandle: POOL, elementId: 9 });
  const connect = harness.commands.at(-1)!;
  harness.run(10_000);

  assert.deepEqual([connect.type, "port" in connect && connect.port], ["connect", 40_000]);
  assert.equal(harness.registrar.handlespace.elementCount, 0);
});

Deno.test("§3.5: another registrar's element that is reported too often is not offered any more; its home decides", () => {
  const { harness, user } = begin();
  const { handlespace } = harness.registrar;
  handlespace.register(POOL, element(9, { homeRegistrarId: 0x5555 }));
  const counts: number[] = [];

  for (let report = 1; report <= 3; report++) {
    harness.say(user, { type: "endpointUnreachable", poolHandle: POOL, elementId: 9 });
    counts.push(handlespace.elementCount);
  }

  assert.deepEqual(counts, [1, 1, 0]); // reference/rsplib.md §3.8
});

Deno.test("§9.2: the false reports of one host remove few elements that answer", () => {
  const { harness, first, user } = begin();
  for (let elementId = 1; elementId <= 50; elementId++) harness.register(first, element(elementId));

  for (let report = 0; report < 500; report++) {
    harness.say(user, { type: "endpointUnreachable", poolHandle: POOL, elementId: 1 + report % 50 });
    harness.say(user, { type: "endpointUnreachable", poolHandle: POOL, elementId: 1 + report % 50 });
    harness.say(user, { type: "endpointUnreachable", poolHandle: POOL, elementId: 1 + report % 50 });
  }

  assert.equal(harness.registrar.handlespace.elementCount, 46);
});

Deno.test("§9.2: reports beyond the rate that an association may have are ignored", () => {
  const { harness, first, user } = begin({ maxUnreachableRate: 2 });
  harness.register(first, element(1));

  for (let report = 0; report < 10; report++) {
    harness.say(user, { type: "endpointUnreachable", poolHandle: POOL, elementId: 1 });
  }

  assert.equal(harness.registrar.handlespace.elementCount, 1);
  assert.equal(harness.registrar.statistics.unreachableReports, 10);
});

Deno.test("§9.2: a flood of reports does not become a flood of keep-alives", () => {
  const { harness, first, user } = begin({ maxBadReports: 1000 });
  harness.register(first, element(1));

  for (let report = 0; report < 100; report++) {
    harness.say(user, { type: "endpointUnreachable", poolHandle: POOL, elementId: 1 });
  }

  assert.equal(harness.registrar.statistics.keepAlivesSent, 1);
});

Deno.test("§3.5: a report about an element that is not known changes nothing", () => {
  const { harness, first, user } = begin();
  harness.register(first, element(1));

  const answers = harness.say(user, { type: "endpointUnreachable", poolHandle: POOL, elementId: 2 });

  assert.deepEqual(answers, []);
  assert.equal(harness.registrar.handlespace.elementCount, 1);
});

// --------------------------------------------------------------------------------------------------- announce, errors

Deno.test("§3.6: the registrar announces itself about once each T6-Serverannounce (1 s)", () => {
  const { harness } = begin();
  const before = harness.announces.length;

  harness.run(10_000);

  const count = harness.announces.length - before;
  assert.ok(count >= 9 && count <= 11, `${count} announces`);
});

Deno.test("§2.2.10: an announce has the registrar's ID; transports are optional, and RSPLIB sends none", () => {
  const { harness } = begin();

  const [announce] = harness.announces;

  assert.deepEqual([...announce!], [AsapType.serverAnnounce, 0, 0, 8, ...u32(REGISTRAR_ID)]);
});

Deno.test("§2.2.14: an unknown parameter that wants it is reported in an ASAP_ERROR", () => {
  const { harness, user } = begin();
  const unknown = tlv(0x4077, [1, 2, 3]);

  const answers = harness.octets(user, message(AsapType.handleResolution, 0, [unknown, HANDLE]));

  assert.deepEqual(answers.map(({ type }) => type), ["error"]);
  assert.equal(causeOf(answers[0]), CauseCode.unrecognizedParameter);
});

Deno.test("§4: an ASAP_ERROR is taken, and not answered", () => {
  const { harness, first } = begin();
  harness.register(first, element(1));

  const answers = harness.say(first, { type: "error", error: [{ code: 2, data: Uint8Array.of(1) }] });

  assert.deepEqual(answers, []);
  assert.equal(harness.registrar.handlespace.elementCount, 1);
  assert.ok(!harness.aborted(first));
});

Deno.test("§5: what does not have ASAP's payload protocol identifier is not taken for ASAP", () => {
  const { harness, user } = begin();

  const answers = [0, 4711].flatMap((ppid) =>
    harness.octets(user, message(AsapType.handleResolution, 0, [HANDLE]), ppid)
  );

  assert.deepEqual(answers, []);
});

Deno.test("§5: everything that the registrar says has ASAP's payload protocol identifier, 11", () => {
  const harness = new RegistrarHarness();
  const association = harness.up();
  const { registrar } = harness;

  registrar.handle({
    type: "transport",
    endpoint: "asap",
    event: {
      type: "message",
      association,
      stream: 0,
      ssn: 0,
      tsn: 0,
      ppid: 11,
      unordered: false,
      data: message(AsapType.handleResolution, 0, [HANDLE]),
    },
  }, 0);

  const sends = registrar.drain().flatMap((effect) =>
    effect.type === "transport" && effect.command.type === "send" ? [effect.command] : []
  );
  assert.deepEqual(sends.map(({ ppid }) => ppid), [11]);
});
