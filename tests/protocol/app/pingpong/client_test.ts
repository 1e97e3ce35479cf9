import assert from "node:assert/strict";
import { MAX_UNANSWERED_PINGS, PingPongClient } from "../../../../protocol/app/pingpong/client.ts";
import type {
  PingPongClientOptions,
  PingPongClientReport,
} from "../../../../protocol/app/pingpong/client.ts";
import { readPingPong, writePingPong } from "../../../../protocol/app/pingpong/messages.ts";
import { Prng } from "../../../../protocol/machine.ts";
import { Ppid } from "../../../../protocol/net.ts";
import { encodeText } from "../../../../protocol/wire/text.ts";
import { failover, message, opened, RecordedOutlet } from "../outlet.ts";

const POOL = encodeText("PingPongPool");

const payload = (messageNumber: bigint) => encodeText(`Ping ${messageNumber}`);

/** A client that has started at 0, and what is known of it. */
class Bench {
  readonly outlet = new RecordedOutlet<{ type: "allAnswered" }, PingPongClientReport>();
  readonly client: PingPongClient;

  constructor(options: Partial<PingPongClientOptions> = {}) {
    this.client = new PingPongClient(this.outlet, {
      poolHandle: POOL,
      intervalMs: 100,
      count: 0,
      receiveTimeoutMs: 5000,
      payload,
      prng: new Prng(1),
      ...options,
    });
    this.client.start(0);
  }

  /** The message numbers of the Pings that were sent since the last call. */
  pings(): bigint[] {
    return this.outlet.take("send").map(({ data, ppid }) => {
      assert.equal(ppid, Ppid.pingPong);
      return readPingPong(data).messageNumber;
    });
  }

  pong(
    messageNumber: bigint,
    replyNumber: bigint,
    now: number,
    data: Uint8Array = payload(messageNumber),
  ): void {
    const octets = writePingPong({ type: "pong", messageNumber, replyNumber, data });
    this.client.sessionEvent(message(octets, { ppid: Ppid.pingPong }), now);
  }

  /** The reports of a type. */
  told(type: PingPongClientReport["type"]): PingPongClientReport[] {
    return this.outlet.reports.filter((report) => report.type === type);
  }
}

Deno.test("PingPongClient sends a Ping when it is connected, and one an interval", () => {
  const { client, outlet } = new Bench();
  assert.deepEqual(outlet.commands, [{ type: "openSession", session: 1, poolHandle: POOL }]);
  assert.equal(client.nextTimeout(), undefined);
  client.sessionEvent(opened(), 1000);
  assert.equal(outlet.take("send").length, 1);
  assert.equal(client.nextTimeout(), 1100);
  client.tick(1099);
  assert.equal(outlet.take("send").length, 0);
  client.tick(1100);
  assert.equal(outlet.take("send").length, 1);
  assert.equal(client.nextTimeout(), 1200);
});

Deno.test("PingPongClient ends when all Pings of its count are answered", () => {
  const bench = new Bench({ count: 2 });
  bench.client.sessionEvent(opened(), 0);
  bench.client.tick(100);
  bench.client.tick(200);
  assert.deepEqual(bench.pings(), [1n, 2n], "and no more");
  bench.pong(1n, 1n, 210);
  assert.deepEqual(bench.outlet.effects, []);
  bench.pong(2n, 2n, 230);
  assert.deepEqual(bench.outlet.effects, [{ type: "allAnswered" }]);
  const { sent, answered, gaps, roundTrips, elements } = bench.client.statistics;
  assert.deepEqual([sent, answered, gaps], [2, 2, 0]);
  assert.deepEqual(roundTrips, { minMs: 130, averageMs: 170, maxMs: 210, deviationMs: 40 });
  assert.deepEqual(elements, [{ elementId: 7, replies: 2 }]);
  assert.equal(bench.client.nextTimeout(), undefined);
});

Deno.test("PingPongClient tells of gaps and of repeated replies, and counts on from there", () => {
  const bench = new Bench();
  bench.client.sessionEvent(opened(), 0);
  for (let now = 100; now <= 400; now += 100) bench.client.tick(now);
  bench.pong(1n, 1n, 410);
  bench.pong(2n, 5n, 410);
  bench.pong(3n, 4n, 410);
  bench.pong(4n, 5n, 410);
  assert.deepEqual(bench.told("replyGap"), [{ type: "replyGap", elementId: 7, missing: 3n }]);
  assert.deepEqual(bench.told("replyRepeated"), [
    { type: "replyRepeated", elementId: 7, replyNumber: 4n, expected: 6n },
  ]);
  const { gaps, missingReplies, repeatedReplies, answered } = bench.client.statistics;
  assert.deepEqual([gaps, missingReplies, repeatedReplies, answered], [1, 3n, 1, 4]);
});

Deno.test("PingPongClient notices that the first reply is not number 1", () => {
  const bench = new Bench();
  bench.client.sessionEvent(opened(), 0);
  bench.pong(1n, 2n, 10);
  assert.equal(bench.client.statistics.missingReplies, 1n);
});

Deno.test("PingPongClient sends lost Pings to the next PE, one first and two more with each Pong, before any new one", () => {
  const bench = new Bench();
  bench.client.sessionEvent(opened(), 0);
  for (let now = 100; now <= 500; now += 100) bench.client.tick(now);
  bench.pong(1n, 1n, 510);
  bench.pings();
  bench.client.sessionEvent(failover("necessary", { hasCookie: true }), 520);
  assert.equal(bench.client.nextTimeout(), 520, "a PE that has served is left at once");
  bench.client.tick(520);
  assert.deepEqual(bench.outlet.take("failover"), [
    { type: "failover", session: 1, reportUnreachable: false },
  ]);
  bench.client.tick(700);
  assert.deepEqual(bench.pings(), [], "there is nobody to send to");
  bench.client.sessionEvent(failover("complete", { elementId: 8, hasCookie: true }), 900);
  assert.deepEqual(bench.pings(), [2n]);
  bench.client.tick(1000);
  assert.deepEqual(bench.pings(), [], "the lost ones come first");
  bench.pong(2n, 2n, 1010);
  assert.deepEqual(bench.pings(), [3n, 4n]);
  bench.pong(3n, 3n, 1020);
  assert.deepEqual(bench.pings(), [5n, 6n, 7n], "the rest, and the new one that is due");
  const { sent, sentAgain, failovers, roundTrips } = bench.client.statistics;
  assert.deepEqual([sent, sentAgain, failovers], [7, 5, 1]);
  assert.equal(roundTrips?.maxMs, 510, "what was sent again says nothing about the network");
  assert.equal(bench.client.statistics.longestWaitMs, 910, "but was waited for");
  assert.equal(bench.client.statistics.gaps, 0);
});

Deno.test("PingPongClient leaves a PE that owes a Pong and is silent, and tells the registrar", () => {
  const bench = new Bench({ count: 1 });
  bench.client.sessionEvent(opened(), 0);
  bench.client.sessionEvent({ type: "sessionCookieHeld", session: 1 }, 1);
  assert.equal(bench.client.nextTimeout(), 5000);
  bench.client.tick(5000);
  assert.deepEqual(bench.outlet.take("failover"), [{
    type: "failover",
    session: 1,
    reportUnreachable: true,
  }]);
  assert.deepEqual(bench.told("pingPongFailover"), [{
    type: "pingPongFailover",
    elementId: 7,
    hasCookie: true,
    reason: "no answer for 5 s",
    pauseMs: 0,
    unanswered: 1,
  }]);
  assert.equal(bench.client.nextTimeout(), undefined, "the session layer looks for another one");
});

Deno.test("PingPongClient waits for a Pong from the last one on, and for none when all are there", () => {
  const bench = new Bench({ count: 2 });
  bench.client.sessionEvent(opened(), 0);
  bench.client.tick(100);
  bench.pong(1n, 1n, 3000);
  assert.equal(bench.client.nextTimeout(), 8000);
  bench.pong(2n, 2n, 4000);
  assert.equal(bench.client.nextTimeout(), undefined);
});

Deno.test("PingPongClient waits longer and longer before it leaves PEs that speak and do not answer", () => {
  const bench = new Bench();
  bench.client.sessionEvent(opened(), 0);
  const pauses: number[] = [];
  let now = 0;
  for (let round = 0; round < 4; round++) {
    bench.client.sessionEvent(message(Uint8Array.of(1), { ppid: Ppid.pingPong }), now);
    bench.client.sessionEvent(failover("necessary"), now);
    pauses.push(bench.client.nextTimeout()! - now);
    now = bench.client.nextTimeout()!;
    bench.client.tick(now);
    bench.client.sessionEvent(failover("complete"), now);
  }
  assert.ok(pauses.every((pauseMs, index) => index === 0 || pauseMs > 1.5 * pauses[index - 1]!), `${pauses}`);
  assert.equal(bench.client.statistics.invalid, 4);
});

/** Loses PE after PE with a cookie. Returns how many were lost until the cookie was dropped. */
function loseWithCookie(
  bench: Bench,
  lose: (now: number) => void,
  { answers = false, atMost = 20 } = {},
): number | undefined {
  bench.client.sessionEvent(opened(), 0);
  bench.client.sessionEvent({ type: "sessionCookieHeld", session: 1 }, 0);
  bench.pong(1n, 1n, 0);
  let now = 0;
  for (let count = 0; count <= atMost; count++) {
    lose(now);
    now = Math.max(now, bench.client.nextTimeout() ?? now);
    bench.client.tick(now);
    if (bench.outlet.take("closeSession").length > 0) return count; // the first one has served
    bench.client.sessionEvent(failover("complete", { hasCookie: true }), now);
    if (!answers) continue;
    now += 500;
    bench.client.tick(now);
    bench.pong(bench.pings().at(-1)!, 2n, now);
  }
  return undefined;
}

Deno.test("PingPongClient drops a cookie that PE after PE aborts it for, and counts anew in another session", () => {
  const bench = new Bench();
  const lose = (now: number) =>
    bench.client.sessionEvent(failover("necessary", { hasCookie: true, loss: "aborted" }), now);
  assert.equal(loseWithCookie(bench, lose), 12);
  assert.deepEqual(bench.outlet.take("openSession").map(({ session }) => session), [1, 2]);
  bench.pings();
  bench.client.sessionEvent({ type: "sessionClosed", session: 1, reason: "closed" }, 9000);
  bench.client.sessionEvent(opened(2, 8), 9000);
  assert.deepEqual(bench.pings(), [2n], "what was lost is sent again");
  assert.equal(bench.outlet.take("failover").length, 12, "and none in the new session");
});

Deno.test("PingPongClient drops a cookie that PE after PE is silent to", () => {
  const bench = new Bench({ receiveTimeoutMs: 50, intervalMs: 1 });
  const lose = (now: number) => {
    for (let passed = 0; passed <= 60; passed++) bench.client.tick(now + passed);
  };
  assert.equal(loseWithCookie(bench, lose), 12);
});

Deno.test("PingPongClient keeps its cookie when PEs leave in order, or answer before they are lost", () => {
  const leaves = new Bench();
  const leave = (now: number) =>
    leaves.client.sessionEvent(failover("necessary", { hasCookie: true, loss: "shutdown" }), now);
  assert.equal(loseWithCookie(leaves, leave), undefined);
  const dies = new Bench();
  const die = (now: number) => dies.client.sessionEvent(failover("necessary", { hasCookie: true }), now);
  assert.equal(loseWithCookie(dies, die, { answers: true }), undefined);
});

const INVALID: readonly (readonly [string, (bench: Bench) => void])[] = [
  ["a Pong for a message that was not sent", (bench) => bench.pong(9n, 1n, 1)],
  ["a Pong with other data", (bench) => bench.pong(1n, 1n, 1, encodeText("other."))],
  ["a Pong with less data", (bench) => bench.pong(1n, 1n, 1, encodeText("Ping "))],
  ["another payload protocol", ({ client }) => client.sessionEvent(message(encodeText("hello")), 1)],
  [
    "a Ping",
    ({ client }) => {
      const data = writePingPong({ type: "ping", messageNumber: 1n, data: payload(1n) });
      client.sessionEvent(message(data, { ppid: Ppid.pingPong }), 1);
    },
  ],
  [
    "what is no message",
    ({ client }) => client.sessionEvent(message(encodeText("hello"), { ppid: Ppid.pingPong }), 1),
  ],
];
for (const [what, send] of INVALID) {
  Deno.test(`PingPongClient ignores ${what}`, () => {
    const bench = new Bench();
    bench.client.sessionEvent(opened(), 0);
    send(bench);
    assert.equal(bench.told("pongInvalid").length, 1);
    assert.equal(bench.client.statistics.answered, 0);
    bench.pong(1n, 1n, 2);
    bench.pong(1n, 2n, 2);
    assert.equal(bench.client.statistics.answered, 1, "each Ping is answered once");
    assert.equal(bench.client.statistics.gaps, 0);
  });
}

Deno.test("PingPongClient sends nothing while the association is blocked, or too much is unanswered", () => {
  const bench = new Bench({ intervalMs: 1 });
  bench.client.sessionEvent(opened(), 0);
  bench.client.sessionEvent({ type: "sessionBlocked", session: 1 }, 0);
  bench.client.tick(10);
  assert.deepEqual(bench.pings(), [1n]);
  bench.client.sessionEvent({ type: "sessionWritable", session: 1 }, 20);
  assert.deepEqual(bench.pings(), [2n]);
  for (let now = 21; now < 3000; now++) bench.client.tick(now);
  assert.equal(bench.client.statistics.sent, MAX_UNANSWERED_PINGS);
  bench.pong(1n, 1n, 3000);
  assert.equal(bench.client.statistics.sent, MAX_UNANSWERED_PINGS + 1);
});

Deno.test("PingPongClient sends to the next PE though the last one's association was blocked", () => {
  const bench = new Bench();
  bench.client.sessionEvent(opened(), 0);
  bench.pong(1n, 1n, 10);
  bench.client.sessionEvent({ type: "sessionBlocked", session: 1 }, 20);
  bench.client.sessionEvent(failover("necessary"), 200);
  bench.client.tick(200);
  bench.pings();
  bench.client.sessionEvent(failover("complete", { elementId: 8 }), 300);
  assert.deepEqual(bench.pings(), [2n]);
});

Deno.test("PingPongClient does nothing more when it is stopped", () => {
  const bench = new Bench();
  bench.client.sessionEvent(opened(), 0);
  bench.client.stop();
  assert.equal(bench.client.nextTimeout(), undefined);
  bench.outlet.commands.length = 0;
  bench.client.sessionEvent(failover("necessary"), 1);
  bench.client.tick(10_000);
  assert.deepEqual(bench.outlet.commands, []);
});
