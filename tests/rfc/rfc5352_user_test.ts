/** RFC 5352 as far as it concerns a pool user, and the server hunt. Each test: init, act, check. */
import assert from "node:assert/strict";
import { AsapType } from "../../protocol/asap/mod.ts";
import type { AsapMessage } from "../../protocol/asap/mod.ts";
import { encodeText } from "../../protocol/wire/mod.ts";
import {
  connectedUser,
  message,
  messages,
  newUser,
  POOL,
  REGISTRAR,
  registrars,
  resolution,
  tlv,
  user,
} from "./asap_bench.ts";
import type { UserBench } from "./asap_bench.ts";

const OPEN = { type: "openSession", session: 1, poolHandle: POOL } as const;
const FAILOVER = { type: "failover", session: 1, reportUnreachable: false } as const;
const UNREACHABLE: AsapMessage = { type: "endpointUnreachable", poolHandle: POOL, elementId: 0x11 };

/** Types of messages, for short comparisons. */
function types(sent: readonly AsapMessage[]): string[] {
  return sent.map(({ type }) => type);
}

/** Makes the element of session 1 fail, and fails over to the element 0x12 over association 10. */
function failOver(bench: UserBench): AsapMessage[] {
  const before = bench.sent.length;
  bench.down("data", 9);
  bench.give(FAILOVER);
  bench.run(500);
  bench.say("hunt", 7, resolution(0x12));
  bench.up("data", 10, bench.connects("data").at(-1)!.request, "10.1.1.1");
  return messages(bench.sent.slice(before).filter(({ endpoint }) => endpoint === "data"));
}

// ------------------------------------------------------------------------------------------------ handle resolution

Deno.test("§3.3 NR1: a pool is resolved by its handle", () => {
  const bench = user();

  const [sent] = bench.give(OPEN);

  assert.ok(sent?.message?.type === "handleResolution");
  assert.deepEqual(sent.message.poolHandle, POOL);
  assert.deepEqual([sent.endpoint, sent.association, sent.ppid], ["hunt", 7, 11]);
});

Deno.test("§3.3 NR2: a pool user without a home registrar hunts for one first, and resolves then", () => {
  const bench = newUser();

  const before = bench.give(OPEN);
  const after = bench.up("hunt", 7, 1, REGISTRAR);

  assert.deepEqual([types(messages(before)), types(messages(after))], [[], ["handleResolution"]]);
});

Deno.test("§3.3 NR4: the response stops the timer, and is used", () => {
  const bench = user();
  bench.give(OPEN);

  bench.say("hunt", 7, resolution(0x11));
  bench.run(4000);

  assert.deepEqual(bench.connects("data").map(({ addresses }) => addresses), [["10.1.1.1"]]);
  assert.ok(!bench.aborted(7));
});

Deno.test("§3.7.1: a request that met the end of its association is sent again to the next registrar", () => {
  const bench = user();
  bench.give(OPEN);

  bench.down("hunt", 7);
  bench.run(500);
  const sent = bench.up("hunt", 8, bench.connects().at(-1)!.request, REGISTRAR);

  assert.deepEqual(types(messages(sent)), ["handleResolution"]);
});

Deno.test("§3.7.2: a request without an answer is repeated MAX-REQUEST-RETRANSMIT (2) times, then told as failed", () => {
  const bench = user();
  bench.give(OPEN);

  let requests = 1;
  for (let association = 8; bench.reportsOf("resolutionFailed").length === 0; association++) {
    assert.ok(association < 20, "it ends");
    bench.run(3000); // T1-ENRPrequest; RSPLIB's 3 s (reference/rsplib.md §3.11) instead of 15 s
    if (bench.reportsOf("resolutionFailed").length > 0) break;
    bench.run(10_000);
    bench.up("hunt", association, bench.connects().at(-1)!.request, REGISTRAR);
    requests++;
  }

  assert.equal(requests, 3);
  assert.equal(bench.reportsOf("resolutionFailed").length, 1);
});

Deno.test("§3.3 C1, C4: a cache entry that is not stale is used, and no request is sent", () => {
  const bench = user({ cacheLifeMs: 30_000 });
  bench.give(OPEN);
  bench.say("hunt", 7, resolution(0x11));

  const sent = bench.give({ ...OPEN, session: 2 });

  assert.deepEqual(sent, []);
  assert.equal(bench.connects("data").length, 2);
});

Deno.test("§3.3 C2: a cache entry that is stale makes a request", () => {
  const bench = user({ cacheLifeMs: 30_000 });
  bench.give(OPEN);
  bench.say("hunt", 7, resolution(0x11));
  bench.up("data", 9, bench.connects("data")[0]!.request, "10.1.1.1");
  bench.run(30_000);

  const sent = messages(bench.give({ ...OPEN, session: 2 }));

  assert.ok(types(sent).includes("handleResolution"));
});

Deno.test("§2.2.6: a response with an error is negative: nobody is connected to", () => {
  const bench = user();
  bench.give(OPEN);

  bench.say("hunt", 7, {
    type: "handleResolutionResponse",
    poolHandle: POOL,
    elements: [],
    error: [{ code: 9, data: new Uint8Array() }],
  });

  assert.equal(bench.connects("data").length, 0);
  assert.equal(bench.reportsOf("poolUnknown").length, 1);
});

Deno.test("§2.2.6: without an overall policy the pool is round robin, whatever its elements say", () => {
  const bench = user({ cacheLifeMs: 30_000 });
  const response = resolution(0x11, 0x12);
  assert.ok(response.type === "handleResolutionResponse");
  const elements = response.elements.map((element) => ({
    ...element,
    policy: { name: "LeastUsed", type: 0x40000001, load: 7 } as const,
  }));
  bench.give(OPEN);
  bench.say("hunt", 7, { type: "handleResolutionResponse", poolHandle: POOL, elements });

  bench.give({ ...OPEN, session: 2 });
  bench.give({ ...OPEN, session: 3 });

  const reached = bench.connects("data").map(({ addresses }) => addresses[0]);
  assert.deepEqual(reached, ["10.1.1.1", "10.1.1.2", "10.1.1.1"]);
});

Deno.test("§4, §2.2.14: an ASAP_ERROR ends the request under way", () => {
  const bench = user();
  bench.give(OPEN);

  bench.say("hunt", 7, { type: "error", error: [{ code: 1, data: new Uint8Array() }] });

  assert.equal(bench.reportsOf("resolutionFailed").length, 1);
});

Deno.test("§2.2.14: an unknown message is discarded if its action bits say so, and the registrar kept", () => {
  const bench = user();

  const answers = bench.say("hunt", 7, message(0x3f, 0, []));

  assert.deepEqual(answers, []);
  assert.ok(!bench.aborted(7));
});

Deno.test("§2.2.14: an unknown message is reported if its action bits say so", () => {
  const bench = user();
  const unknown = message(0x7f, 0, []);

  const answers = bench.say("hunt", 7, unknown);

  assert.deepEqual(answers, [{ type: "error", error: [{ code: 2, data: unknown }] }]);
});

// ------------------------------------------------------------------------------------------------------ unreachable

Deno.test("§3.5: an element that cannot be reached is reported, once", () => {
  const bench = user();
  bench.give(OPEN);
  bench.say("hunt", 7, resolution(0x11));
  const before = bench.sent.length;

  bench.down("data", 0, bench.connects("data")[0]!.request);
  bench.run(200);

  const reports = messages(bench.sent.slice(before)).filter(({ type }) => type === "endpointUnreachable");
  assert.deepEqual(reports, [UNREACHABLE]);
});

Deno.test("§3.5: an element that fails in a session is reported if the application says so, once", () => {
  const bench = connectedUser();
  bench.down("data", 9);

  const once = messages(bench.give({ ...FAILOVER, reportUnreachable: true }));
  const twice = messages(bench.give({ ...FAILOVER, reportUnreachable: true }));

  assert.deepEqual(once.filter(({ type }) => type === "endpointUnreachable"), [UNREACHABLE]);
  assert.deepEqual(twice, []);
});

// ------------------------------------------------------------------------------------------------------- server hunt

Deno.test("§3.6 SH1: no more than three registrars are connected to at a time", () => {
  const bench = newUser({ hunt: { registrars: registrars(5) } });

  const connects = bench.connects();

  assert.equal(connects.length, 3);
  assert.equal(new Set(connects.map(({ addresses }) => addresses[0])).size, 3);
});

Deno.test("§3.6 SH4: when an association fails another transport address is tried", () => {
  const bench = newUser({ hunt: { registrars: registrars(4) } });
  const tried = new Set(bench.connects().map(({ addresses }) => addresses[0]));

  bench.down("hunt", 0, 1);

  const next = bench.connects()[3]!.addresses[0];
  assert.ok(!tried.has(next));
});

Deno.test("§3.6 SH5: an attempt that takes too long is given up, and others are tried", () => {
  const bench = newUser({ hunt: { registrars: registrars(4) } });

  bench.run(7500); // T5-Serverhunt; RSPLIB's 7.5 s (reference/rsplib.md §3.11) instead of 10 s

  assert.equal(new Set(bench.connects().map(({ addresses }) => addresses[0])).size, 4);
});

Deno.test("§3.6 SH5.1: a registrar that fails is left alone twice as long each time, up to a limit", () => {
  const bench = newUser({ hunt: { registrars: registrars(1), retryInitialMs: 1000, retryMaxMs: 4000 } });
  const waits: number[] = [];

  for (let failure = 1; failure <= 4; failure++) {
    const { length } = bench.connects();
    bench.down("hunt", 0, length);
    const failedAt = bench.now;
    while (bench.connects().length === length && bench.now < failedAt + 10_000) bench.run(500);
    waits.push(bench.now - failedAt);
  }

  assert.deepEqual(waits, [1000, 2000, 4000, 4000]);
});

Deno.test("§3.6 SH6: one of the registrars that were reached gets all requests; the others are left", () => {
  const bench = newUser({ hunt: { registrars: registrars(3) } });
  bench.up("hunt", 7, 2, "10.1.0.2");
  bench.up("hunt", 8, 3, "10.1.0.3");

  const sent = bench.give(OPEN);

  assert.deepEqual(sent.map(({ association }) => association), [7]);
  assert.ok(bench.aborted(8) && !bench.aborted(7));
});

Deno.test("§3.6: the transports of an announce are put into the list of registrars", () => {
  const bench = newUser({ hunt: {} });
  const transports = [
    { protocol: "sctp", port: 5000, use: "data", addresses: ["10.3.0.1"] },
    { protocol: "sctp", port: 5001, use: "data", addresses: ["10.3.0.2"] },
  ] as const;

  bench.announce({ type: "serverAnnounce", registrarId: 5, transports }, "10.3.0.9", 3863);

  assert.deepEqual(bench.connects().map(({ addresses }) => addresses), [["10.3.0.1"], ["10.3.0.2"]]);
});

Deno.test("§3.6: an announce without transports means SCTP at its source address, at RSPLIB's port: the source's", () => {
  const bench = newUser({ hunt: {} });

  bench.announce({ type: "serverAnnounce", registrarId: 5 }, "10.3.0.9", 4321);

  // reference/rsplib.md §0.2; the RFC has the well-known port.
  const [first] = bench.commands;
  assert.ok(first?.command.type === "connect");
  assert.deepEqual([first.command.addresses, first.command.port], [["10.3.0.9"], 4321]);
});

Deno.test("§2.2.10: an announce with TCP transports only is of no use to who speaks SCTP", () => {
  const bench = newUser({ hunt: {} });
  const transports = [{ protocol: "tcp", port: 5000, use: "data", addresses: ["10.3.0.1"] }] as const;

  bench.announce({ type: "serverAnnounce", registrarId: 5, transports }, "10.3.0.9", 3863);

  assert.deepEqual(bench.connects(), []);
});

Deno.test("§3.6: an address is forgotten T7-ENRPoutdate (5 s) after its last announce", () => {
  const bench = newUser({ hunt: { retryInitialMs: 6000 } });
  bench.announce({ type: "serverAnnounce", registrarId: 5 }, "10.3.0.9", 3863);
  bench.down("hunt", 0, 1);

  bench.run(60_000);

  assert.equal(bench.connects().length, 1);
});

Deno.test("§3.6: T7-ENRPoutdate starts anew with each announce", () => {
  const bench = newUser({ hunt: { retryInitialMs: 6000 } });
  bench.announce({ type: "serverAnnounce", registrarId: 5 }, "10.3.0.9", 3863);
  bench.down("hunt", 0, 1);

  bench.run(4000);
  bench.announce({ type: "serverAnnounce", registrarId: 5 }, "10.3.0.9", 3863);
  bench.run(4000);

  assert.equal(bench.connects().length, 2);
});

Deno.test("§9.2: a flood of announces does not make more than three connects", () => {
  const bench = newUser({ hunt: {} });

  for (let registrarId = 1; registrarId <= 1000; registrarId++) {
    bench.announce(
      { type: "serverAnnounce", registrarId },
      `10.3.${registrarId >> 8}.${registrarId & 255}`,
      3863,
    );
  }

  assert.equal(bench.connects().length, 3);
});

// ------------------------------------------------------------------------------------------------------------ cookies

Deno.test("§3.8: after a failover the cookie is the first message, unmodified", () => {
  const bench = connectedUser();
  bench.say("data", 9, { type: "cookie", cookie: Uint8Array.of(1, 2, 3, 4, 5) });

  const sent = failOver(bench);

  assert.deepEqual(sent, [{ type: "cookieEcho", cookie: Uint8Array.of(1, 2, 3, 4, 5) }]);
});

Deno.test("§3.8: only the latest cookie is kept", () => {
  const bench = connectedUser();
  bench.say("data", 9, { type: "cookie", cookie: Uint8Array.of(1, 1, 1, 1) });
  bench.say("data", 9, { type: "cookie", cookie: Uint8Array.of(2, 2, 2, 2) });

  const sent = failOver(bench);

  assert.deepEqual(sent, [{ type: "cookieEcho", cookie: Uint8Array.of(2, 2, 2, 2) }]);
});

Deno.test("§2.2.12: without a cookie there is no echo", () => {
  const bench = connectedUser();
  bench.say("data", 9, encodeText("hello"), 4711);

  const sent = failOver(bench);

  assert.deepEqual(sent, []);
});

Deno.test("§3.8: cookies are the control channel's, not the application's", () => {
  const bench = connectedUser();

  bench.say("data", 9, { type: "cookie", cookie: Uint8Array.of(1, 1, 1, 1) });
  bench.say("data", 9, encodeText("hello"), 4711);

  assert.deepEqual(bench.effectsOf("sessionMessage").map(({ ppid }) => ppid), [4711]);
});

Deno.test("§3.9: a business card is understood, and does not disturb the session", () => {
  const bench = connectedUser();
  const element = tlv(0x000a, [
    ...[0, 0, 0, 0x12, 0, 0, 0, 0, 0, 1, 0x5f, 0x90],
    ...tlv(0x0004, [0xa7, 0xe0, 0, 1, ...tlv(0x0001, [10, 1, 1, 2])]),
    ...tlv(0x0008, [0, 0, 0, 1]),
  ]);

  bench.say("data", 9, message(AsapType.businessCard, 0, [tlv(0x0009, POOL), element, element]));

  assert.ok(!bench.aborted(9));
  assert.deepEqual(bench.effectsOf("sessionFailover"), []);
});

/** A card that names elements in this order. */
function card(...elementIds: number[]): AsapMessage {
  const answer = resolution(...elementIds);
  assert.ok(answer.type === "handleResolutionResponse");
  return { type: "businessCard", poolHandle: POOL, elements: answer.elements };
}

Deno.test("§3.9: at a failover the elements of the business card are used in their order, and no registrar is asked", () => {
  const bench = connectedUser();
  bench.say("data", 9, encodeText("hello"), 4711);
  bench.say("data", 9, card(0x21, 0x22));
  const { length } = bench.connects("data");

  bench.down("data", 9);
  const sent = bench.give(FAILOVER);
  const first = bench.connects("data")[length]!;
  bench.down("data", 0, first.request);
  bench.run(500);
  const second = bench.connects("data")[length + 1]!;

  assert.deepEqual(types(messages(sent)), []);
  assert.notDeepEqual(first.addresses, second.addresses);
  assert.deepEqual(bench.reportsOf("sessionConnecting").slice(1).map((report) => report["elementId"]), [
    0x21,
    0x22,
  ]);
});

Deno.test("§3.9: when no element of the business card can be reached, the pool is resolved", () => {
  const bench = connectedUser();
  bench.say("data", 9, encodeText("hello"), 4711);
  bench.say("data", 9, card(0x21));

  bench.down("data", 9);
  bench.give(FAILOVER);
  bench.down("data", 0, bench.connects("data").at(-1)!.request);
  const before = bench.sent.length;
  bench.run(500);

  assert.ok(types(messages(bench.sent.slice(before))).includes("handleResolution"));
});

Deno.test("§3.9: a later business card counts instead of an earlier one, and one for another pool not at all", () => {
  const bench = connectedUser();
  bench.say("data", 9, encodeText("hello"), 4711);
  bench.say("data", 9, card(0x21));
  bench.say("data", 9, card(0x22));
  bench.say("data", 9, { ...card(0x23), poolHandle: encodeText("OtherPool") } as AsapMessage);

  bench.down("data", 9);
  bench.give(FAILOVER);

  assert.equal(bench.reportsOf("sessionConnecting").at(-1)?.["elementId"], 0x22);
});

Deno.test("§3.9: an element that gives a business card and serves nothing is no reason to hurry", () => {
  const bench = connectedUser();
  bench.say("data", 9, card(0x21));
  const { length } = bench.connects("data");

  bench.down("data", 9);
  bench.give(FAILOVER);
  bench.run(100);

  assert.equal(bench.connects("data").length, length);
  bench.run(500);
  assert.equal(bench.connects("data").length, length + 1);
});

Deno.test("§5: the application cannot send data with ASAP's identifier", () => {
  const bench = connectedUser();

  const send = () => bench.give({ type: "send", session: 1, ppid: 11, data: encodeText("hello") });

  assert.throws(send, { message: /payload protocol/ });
});
