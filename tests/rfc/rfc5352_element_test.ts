/** RFC 5352 as far as it concerns a pool element. Each test: init, act, check. */
import assert from "node:assert/strict";
import { AsapType } from "../../protocol/asap/mod.ts";
import type { AsapMessage } from "../../protocol/asap/mod.ts";
import type { ServiceHostOptions } from "../../protocol/session/mod.ts";
import { encodeText } from "../../protocol/wire/mod.ts";
import {
  accepted,
  ELEMENT_ID,
  member,
  message,
  messages,
  newElement,
  POOL,
  REGISTRAR,
  registrars,
  resolution,
  ROUND_ROBIN,
  tlv,
} from "./asap_bench.ts";
import type { ElementBench } from "./asap_bench.ts";

const HOME_ID = 0x2222;
const OTHER_ID = 0x3333;
const ACK: AsapMessage = { type: "endpointKeepAliveAck", poolHandle: POOL, elementId: ELEMENT_ID };
const REFUSED: AsapMessage = {
  type: "registrationResponse",
  rejected: true,
  poolHandle: POOL,
  elementId: ELEMENT_ID,
  error: [{ code: 5, data: new Uint8Array() }],
};

function keepAlive(registrarId: number, home: boolean, fields: { elementId?: number } = {}): AsapMessage {
  return { type: "endpointKeepAlive", home, registrarId, poolHandle: POOL, ...fields };
}

/** Types of messages, for short comparisons. */
function types(sent: readonly AsapMessage[]): string[] {
  return sent.map(({ type }) => type);
}

/** A member with a session over association 9. */
function serving(options: Partial<ServiceHostOptions> = {}): ElementBench {
  const bench = member(options);
  bench.up("data", 9, undefined, "10.1.0.88");
  return bench;
}

// ------------------------------------------------------------------------------------------------------ registration

Deno.test("§3.1: an element without a home registrar hunts for one first, and registers then", () => {
  const bench = newElement();
  const before = bench.sent.length;

  const sent = bench.up("hunt", 7, 1, REGISTRAR);

  assert.equal(before, 0);
  assert.deepEqual(types(messages(sent)), ["registration"]);
});

Deno.test("§3.1 R2: a registration says pool, identifier, life, user transport and policy, and no ASAP transport", () => {
  const bench = newElement();

  const [sent] = bench.up("hunt", 7, 1, REGISTRAR);

  assert.ok(sent?.message?.type === "registration");
  assert.deepEqual(sent.message, {
    type: "registration",
    poolHandle: POOL,
    element: {
      elementId: ELEMENT_ID,
      homeRegistrarId: 0,
      registrationLifeMs: 90_000,
      userTransport: { protocol: "sctp", port: 40_002, use: "data+control", addresses: ["10.1.0.77"] },
      policy: ROUND_ROBIN,
    },
  });
});

Deno.test("§3.1 R3, §5: a registration goes over the registrar's SCTP association, with ASAP's identifier", () => {
  const bench = newElement();

  const [sent] = bench.up("hunt", 7, 1, REGISTRAR);

  assert.deepEqual([sent?.endpoint, sent?.association, sent?.ppid, sent?.stream], ["hunt", 7, 11, 0]);
});

Deno.test("§3.1: an element that gets no response hunts for another registrar, and registers there", () => {
  const bench = newElement({ hunt: { registrars: registrars(2), maxParallel: 1 } });
  bench.up("hunt", 7, 1, REGISTRAR);

  bench.run(3000); // T2-registration; RSPLIB's 3 s (reference/rsplib.md §3.11) instead of 30 s
  const connects = bench.connects();
  const sent = bench.up("hunt", 8, connects.at(-1)!.request, "10.1.0.2");

  assert.ok(bench.aborted(7));
  assert.notDeepEqual(connects[0]!.addresses, connects.at(-1)!.addresses);
  assert.deepEqual(types(messages(sent)), ["registration"]);
});

Deno.test("§3.1: with the response the timer stops, and the element is a member", () => {
  const bench = newElement();
  bench.up("hunt", 7, 1, REGISTRAR);

  bench.say("hunt", 7, accepted());
  bench.run(20_000);

  assert.ok(!bench.aborted(7));
  assert.equal(bench.reportsOf("registered").length, 1);
});

Deno.test("§3.1: a refusal is told to the upper layer", () => {
  const bench = newElement({ retryRefused: false });
  bench.up("hunt", 7, 1, REGISTRAR);

  bench.say("hunt", 7, REFUSED);

  const [refusal] = bench.reportsOf("registrationRefused");
  assert.deepEqual([refusal?.["causeCode"], refusal?.["retryMs"]], [5, undefined]);
});

Deno.test("§3.1: an element that is told so does not try a refused registration again", () => {
  const bench = newElement({ retryRefused: false });
  bench.up("hunt", 7, 1, REGISTRAR);

  bench.say("hunt", 7, REFUSED);
  const sent = bench.run(600_000);

  assert.deepEqual(sent, []);
});

Deno.test("§3.1: after MAX-REG-ATTEMPT registrations without success the upper layer is told, and that was it", () => {
  const bench = newElement({ maxRegistrationAttempts: 3 });
  bench.up("hunt", 7, 1, REGISTRAR);

  for (let refusal = 1; refusal <= 3; refusal++) {
    bench.say("hunt", 7, REFUSED);
    bench.run(1000 * 2 ** (refusal - 1));
  }
  const later = bench.run(600_000);

  const refusals = bench.reportsOf("registrationRefused");
  assert.deepEqual(refusals.map(({ retryMs }) => retryMs !== undefined), [true, true, true, false]);
  assert.deepEqual([later, messages(bench.sent).length], [[], 3]);
});

Deno.test("§3.1: an accepted registration starts the count of attempts anew", () => {
  const bench = member({ maxRegistrationAttempts: 2, reregistrationIntervalMs: 30_000 });

  for (let round = 0; round < 10; round++) {
    bench.run(30_000);
    bench.say("hunt", 7, accepted());
  }

  assert.equal(bench.reportsOf("registered").length, 11);
  assert.deepEqual(bench.reportsOf("registrationRefused"), []);
});

Deno.test("§3.1: T4-reregistration makes the element register again, and again after that", () => {
  const bench = member({ reregistrationIntervalMs: 600_000 });

  const first = bench.run(600_000);
  bench.say("hunt", 7, accepted());
  const second = bench.run(600_000);

  assert.deepEqual([types(first), types(second)], [["registration"], ["registration"]]);
});

Deno.test("§3.1: a re-registration has the same identifier, and comes before the registration expires", () => {
  const bench = member();
  const [registration] = messages(bench.sent);
  assert.ok(registration?.type === "registration");

  const [again] = bench.run(registration.element.registrationLifeMs - 1);

  assert.ok(again?.type === "registration");
  assert.equal(again.element.elementId, ELEMENT_ID);
});

Deno.test("§3.1: an element whose policy value changes registers again", () => {
  const bench = member({ policy: { name: "LeastUsed", type: 0x40000001, load: 0 } });

  const sent = messages(bench.give({ type: "setLoad", load: 0.5 }));

  assert.deepEqual(types(sent), ["registration"]);
});

Deno.test("§3.7.1: an element whose registrar is gone hunts, and registers with the next one", () => {
  const bench = member();

  bench.down("hunt", 7);
  bench.run(500);
  const sent = bench.up("hunt", 8, bench.connects().at(-1)!.request, REGISTRAR);

  assert.deepEqual(types(messages(sent)), ["registration"]);
});

// --------------------------------------------------------------------------------------------------- deregistration

Deno.test("§3.2: an element deregisters with the handle and identifier of its registration, over that association", () => {
  const bench = member();

  const [sent] = bench.give({ type: "stop" });

  assert.equal(sent?.association, 7);
  assert.deepEqual(sent.message, { type: "deregistration", poolHandle: POOL, elementId: ELEMENT_ID });
});

Deno.test("§3.2: the deregistration is over with its response", () => {
  const bench = member();
  bench.give({ type: "stop" });

  bench.say("hunt", 7, { type: "deregistrationResponse", poolHandle: POOL, elementId: ELEMENT_ID });

  assert.deepEqual(bench.reportsOf("deregistered").map(({ confirmed }) => confirmed), [true]);
  assert.equal(bench.effectsOf("stopped").length, 1);
});

Deno.test("§3.2: an element that has deregistered still serves those who are connected", () => {
  const bench = serving();
  bench.give({ type: "stop" });
  bench.say("hunt", 7, { type: "deregistrationResponse", poolHandle: POOL, elementId: ELEMENT_ID });

  bench.say("data", 9, encodeText("last words"), 4711);

  assert.equal(bench.effectsOf("sessionMessage").length, 1);
});

Deno.test("§3.2: an element whose registration is said to have expired, and that wants to go on, registers again", () => {
  const bench = member();

  const answers = bench.say("hunt", 7, {
    type: "deregistrationResponse",
    poolHandle: POOL,
    elementId: ELEMENT_ID,
  });

  assert.deepEqual(types(answers), ["registration"]);
  assert.ok(!bench.aborted(7));
});

Deno.test("§3.2: the word that a registration has expired may cross the registration that renews it", () => {
  const bench = member();
  bench.run(30_000);

  const answers = bench.say("hunt", 7, {
    type: "deregistrationResponse",
    poolHandle: POOL,
    elementId: ELEMENT_ID,
  });
  bench.say("hunt", 7, accepted());

  assert.deepEqual(answers, []);
  assert.ok(!bench.aborted(7));
  assert.equal(bench.reportsOf("registered").length, 2);
});

// -------------------------------------------------------------------------------------------------------- keep-alive

Deno.test("§3.4 KA1: a keep-alive for another pool is discarded silently", () => {
  const bench = member();

  const answers = bench.say("hunt", 7, {
    type: "endpointKeepAlive",
    home: true,
    registrarId: HOME_ID,
    poolHandle: encodeText("Another"),
  });

  assert.deepEqual(answers, []);
  assert.ok(!bench.aborted(7));
});

Deno.test("§3.4 KA2: a keep-alive is answered with the element's pool handle and identifier", () => {
  const bench = member();

  const answers = bench.say("hunt", 7, keepAlive(HOME_ID, false));

  assert.deepEqual(answers, [ACK]);
});

Deno.test("§2.2.7: a keep-alive is answered whether the H bit is set or not", () => {
  const bench = member();

  const answers = [false, true].flatMap((home) => bench.say("hunt", 7, keepAlive(HOME_ID, home)));

  assert.deepEqual(answers, [ACK, ACK]);
});

Deno.test("§3.4 KA2: a keep-alive with RSPLIB's PE identifier is answered if it names the element, and only then", () => {
  const bench = member();

  const ours = bench.say("hunt", 7, keepAlive(HOME_ID, false, { elementId: ELEMENT_ID }));
  const others = bench.say("hunt", 7, keepAlive(HOME_ID, false, { elementId: ELEMENT_ID + 1 }));

  assert.deepEqual([ours, others], [[ACK], []]);
});

Deno.test("§3.4 KA2.3: the answer goes over the association of the registrar that asked", () => {
  const bench = member();
  bench.up("hunt", 8, undefined, "10.1.0.2");

  bench.say("hunt", 8, keepAlive(OTHER_ID, false));

  assert.equal(bench.sent.at(-1)!.association, 8);
  assert.deepEqual(bench.sent.at(-1)!.message, ACK);
});

Deno.test("§3.4 KA2.4: with the H bit the sender becomes the home registrar", () => {
  const bench = member();
  bench.up("hunt", 8, undefined, "10.1.0.2");

  const answers = bench.say("hunt", 8, keepAlive(OTHER_ID, true));
  const [again] = bench.run(30_000);

  assert.deepEqual(answers, [ACK]);
  assert.ok(bench.aborted(7));
  assert.equal(bench.sent.at(-1)!.association, 8);
  assert.ok(again?.type === "registration" && again.element.homeRegistrarId === OTHER_ID);
});

Deno.test("§3.4 KA2.4: an element without a home registrar adopts who asks with the H bit", () => {
  const bench = newElement({ hunt: {} });
  bench.up("hunt", 8, undefined, "10.1.0.2");

  const answers = bench.say("hunt", 8, keepAlive(OTHER_ID, true));

  assert.deepEqual(answers[0], ACK);
  assert.deepEqual(
    types(answers.slice(1)),
    ["registration"],
    "it does not know whether it is registered there",
  );
  assert.deepEqual(bench.reportsOf("registrarFound").map(({ adopted }) => adopted), [true]);
});

Deno.test("§3.4 KA2.4: without the H bit the home registrar stays", () => {
  const bench = member();
  bench.up("hunt", 8, undefined, "10.1.0.2");

  bench.say("hunt", 8, keepAlive(OTHER_ID, false));
  bench.run(30_000);

  assert.ok(!bench.aborted(7));
  assert.equal(bench.sent.at(-1)!.association, 7, "the re-registration goes where it went");
});

// --------------------------------------------------------------------------------------- errors, unknown parameters

Deno.test("§4, §2.2.14: an ASAP_ERROR ends the registration under way", () => {
  const bench = newElement({ retryRefused: false });
  bench.up("hunt", 7, 1, REGISTRAR);

  bench.say("hunt", 7, { type: "error", error: [{ code: 3, data: new Uint8Array() }] });

  assert.deepEqual(bench.reportsOf("registrationRefused").map(({ causeCode }) => causeCode), [3]);
});

Deno.test("§2.2.14: an unknown parameter that stops the message and wants to be reported is reported", () => {
  const bench = member();
  const unknown = tlv(0x4077, [1, 2, 3, 4]);

  const answers = bench.say("hunt", 7, message(AsapType.endpointKeepAliveAck, 0, [unknown]));

  assert.deepEqual(answers, [{ type: "error", error: [{ code: 1, data: Uint8Array.from(unknown) }] }]);
  assert.ok(!bench.aborted(7));
});

Deno.test("§2.2.14: an unknown parameter that is skipped and wants to be reported is reported beside the answer", () => {
  const bench = member();
  const unknown = tlv(0xc077, [1, 2, 3, 4]);
  const parts = [[0, 0, 0x22, 0x22], tlv(0x0009, POOL), unknown];

  const answers = bench.say("hunt", 7, message(AsapType.endpointKeepAlive, 0, parts));

  assert.deepEqual(answers, [{ type: "error", error: [{ code: 1, data: Uint8Array.from(unknown) }] }, ACK]);
});

// ------------------------------------------------------------------------------------------------------ control channel

Deno.test("§3.8, §5: a cookie goes over the control channel: with ASAP's identifier", () => {
  const bench = serving();

  const sent = bench.give({ type: "sendCookie", session: 1, cookie: Uint8Array.of(1, 2, 3, 4) });

  assert.deepEqual(sent.map(({ association, ppid }) => [association, ppid]), [[9, 11]]);
  assert.deepEqual(messages(sent), [{ type: "cookie", cookie: Uint8Array.of(1, 2, 3, 4) }]);
});

Deno.test("§2.2.12: a cookie echo is handed to the application as it came", () => {
  const bench = serving();

  bench.say("data", 9, { type: "cookieEcho", cookie: Uint8Array.of(1, 2, 3) });

  assert.deepEqual(bench.effectsOf("sessionCookie").map(({ cookie }) => cookie), [Uint8Array.of(1, 2, 3)]);
});

Deno.test("§3.8: a cookie echo is the first message; a later one ends the session, as with RSPLIB", () => {
  const bench = serving();
  bench.say("data", 9, encodeText("hello"), 4711);

  bench.say("data", 9, { type: "cookieEcho", cookie: Uint8Array.of(1, 2, 3, 4) });

  // reference/rsplib.md §4.2
  assert.deepEqual(bench.effectsOf("sessionCookie"), []);
  assert.ok(bench.aborted(9));
});

Deno.test("§5: messages of the control channel are not the application's", () => {
  const bench = serving();

  bench.say("data", 9, { type: "error", error: [{ code: 1, data: new Uint8Array() }] });
  bench.say("data", 9, encodeText("hello"), 4711);

  assert.deepEqual(bench.effectsOf("sessionMessage").map(({ ppid }) => ppid), [4711]);
});

Deno.test("§5: the application cannot send data with ASAP's identifier", () => {
  const bench = serving();

  const send = () => bench.give({ type: "send", session: 1, ppid: 11, data: encodeText("hello") });

  assert.throws(send, { message: /payload protocol/ });
});

Deno.test("§3.9: a business card is understood, and does not disturb the session", () => {
  const bench = serving();
  const card = resolution(1, 2);
  assert.ok(card.type === "handleResolutionResponse");
  const { poolHandle, elements } = card;

  const answers = bench.say("data", 9, { type: "businessCard", poolHandle, elements });

  assert.deepEqual(answers, []);
  assert.ok(!bench.aborted(9));
});

/** The business cards among messages. */
function cards(sent: readonly AsapMessage[]): number[][] {
  return sent.flatMap((message) =>
    message.type === "businessCard" ? [message.elements.map(({ elementId }) => elementId)] : []
  );
}

/** Where the element asks for its own pool, its registrar names these. */
function names(bench: ElementBench, ...elementIds: number[]): AsapMessage[] {
  return bench.say("hunt", 7, resolution(...elementIds));
}

Deno.test("§3.9: a pool element gives each user a business card when the communication begins, without itself", () => {
  const bench = serving({ businessCards: true });

  const onChange = names(bench, 1, ELEMENT_ID, 2);
  const atStart = bench.up("data", 10, undefined, "10.1.3.3");

  assert.deepEqual([cards(onChange), cards(messages(atStart))], [[[1, 2]], [[1, 2]]]);
  assert.ok(atStart.every(({ ppid, stream }) => ppid === 11 && stream === 0));
});

Deno.test("§3.9: a business card is updated when other elements are in the pool, and only then", () => {
  const bench = serving({ businessCards: true });
  names(bench, 1, 2);

  bench.run(2000);
  const reordered = names(bench, 2, 1);
  bench.run(2500);
  const changed = names(bench, 1);

  assert.deepEqual([cards(reordered), cards(changed)], [[], [[1]]]);
});

Deno.test("§3.9: without the option there is no business card, since RSPLIB's users cannot read one", () => {
  const bench = serving();

  bench.run(30_000);
  bench.up("data", 10, undefined, "10.1.3.3");

  assert.deepEqual(cards(messages(bench.sent)), []);
  assert.ok(!bench.sent.some(({ message }) => message?.type === "handleResolution"));
});
