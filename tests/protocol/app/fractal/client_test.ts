import assert from "node:assert/strict";
import { FractalClient } from "../../../../protocol/app/fractal/client.ts";
import type { FractalClientReport, ImageStatistics } from "../../../../protocol/app/fractal/client_types.ts";
import { readFractal, writeFractal } from "../../../../protocol/app/fractal/messages.ts";
import type { FractalParameter } from "../../../../protocol/app/fractal/messages.ts";
import { Prng } from "../../../../protocol/machine.ts";
import { Ppid } from "../../../../protocol/net.ts";
import type {
  SessionClientEffect,
  SessionClientInput,
  SessionLoss,
} from "../../../../protocol/session/types.ts";
import { encodeText } from "../../../../protocol/wire/text.ts";
import { IMAGE, ScriptedMachine, wholeImage } from "./fixture.ts";

const SMALL: FractalParameter = { ...IMAGE, width: 10, height: 10 };

/** A fractal client above a session client that the test plays. */
class Bench {
  readonly sessions: ScriptedMachine<SessionClientInput, SessionClientEffect> = new ScriptedMachine();
  readonly client: FractalClient;
  readonly reports: FractalClientReport[] = [];
  now = 0;

  constructor() {
    this.client = new FractalClient(this.sessions, {
      poolHandle: encodeText("FractalGeneratorPool"),
      prng: new Prng(1),
    });
  }

  start(parameter: FractalParameter = SMALL, sessions = 1): void {
    this.client.handle({ type: "image", parameter, sessions }, this.now);
    this.collect();
  }

  hear(...effects: SessionClientEffect[]): void {
    for (const effect of effects) this.sessions.emit(effect);
    this.client.tick(this.now);
    this.collect();
  }

  open(session: number, elementId = 0xa): void {
    this.hear({ type: "sessionOpened", session, peer: [], elementId });
  }

  data(session: number, startX: number, startY: number, values: number | Uint32Array): void {
    const points = typeof values === "number" ? new Uint32Array(values).fill(7) : values;
    this.message(session, writeFractal({ type: "data", startX, startY, values: points }));
  }

  end(session: number): void {
    this.message(session, writeFractal({ type: "end" }));
  }

  message(session: number, data: Uint8Array, ppid: number = Ppid.fractalGenerator): void {
    this.hear({ type: "sessionMessage", session, ppid, stream: 0, data });
  }

  failover(
    session: number,
    state: "necessary" | "complete",
    hasCookie: boolean,
    elementId = 0xa,
    { reason = "", loss = "silent" as SessionLoss } = {},
  ): void {
    this.hear({
      type: "sessionFailover",
      session,
      state,
      hasCookie,
      elementId,
      loss: state === "complete" ? undefined : loss,
      reason,
    });
  }

  until(instant: number): void {
    for (let due = this.client.nextTimeout(); due !== undefined && due <= instant;) {
      this.now = due;
      this.client.tick(due);
      due = this.client.nextTimeout();
    }
    this.now = instant;
    this.collect();
  }

  collect(): void {
    for (const effect of this.client.drain()) {
      if (effect.type === "report") this.reports.push(effect.report as FractalClientReport);
    }
  }

  /** Commands in short words: `open 1`, `ask 1 10x10`, `failover 1 unreachable`, `shutdown 1`. */
  words(): string[] {
    return this.sessions.take().map((input) => {
      if (input.type === "openSession") return `open ${input.session}`;
      if (input.type === "failover") {
        return `failover ${input.session}${input.reportUnreachable ? " unreachable" : ""}`;
      }
      if (input.type === "closeSession") return `${input.how} ${input.session}`;
      if (input.type !== "send") return input.type;
      const message = readFractal(input.data);
      assert.ok(message.type === "parameter");
      return `ask ${input.session} ${message.width}x${message.height}`;
    });
  }

  /** Types of the reports since the last call, without points. */
  told(): string[] {
    return this.reports.splice(0).map(({ type }) => type).filter((type) => type !== "points");
  }

  statistics(): ImageStatistics | undefined {
    const last = this.reports.find((report) => report.type === "imageCompleted");
    return last?.type === "imageCompleted" ? last.statistics : undefined;
  }
}

Deno.test("FractalClient has an image computed, part by part, and shuts each session down", () => {
  const bench = new Bench();
  bench.start(SMALL, 2);
  assert.deepEqual(bench.words(), ["open 1", "open 2"]);
  bench.open(1);
  bench.open(2, 0xb);
  assert.deepEqual(bench.words(), ["ask 1 5x10", "ask 2 5x10"]);
  bench.data(2, 0, 0, 50);
  bench.end(2);
  assert.deepEqual(bench.words(), ["shutdown 2"]);
  bench.data(1, 0, 0, 7);
  bench.data(1, 2, 1, 43);
  assert.equal(bench.statistics(), undefined, "the end marker is waited for");
  bench.end(1);
  assert.deepEqual(bench.words(), ["shutdown 1"]);
  assert.deepEqual(bench.statistics()?.elements, [
    { elementId: 0xb, messages: 1, points: 50, repeated: 0 },
    { elementId: 0xa, messages: 2, points: 50, repeated: 0 },
  ]);
  assert.equal(bench.client.nextTimeout(), undefined);
});

Deno.test("FractalClient tells where points lie in the image", () => {
  const bench = new Bench();
  bench.start(SMALL, 2);
  bench.open(2);
  bench.data(2, 3, 4, Uint32Array.of(1, 2, 3));
  const points = bench.reports.find((report) => report.type === "points");
  assert.ok(points?.type === "points");
  assert.deepEqual(points.area, { left: 5, top: 0, width: 5, height: 10 });
  assert.deepEqual([points.x, points.y, points.missing, points.part], [8, 4, 97, 1]);
  assert.deepEqual([...points.values], [1, 2, 3]);
});

Deno.test("FractalClient fails over at once when its PE has worked, and goes on from the cookie", () => {
  const bench = new Bench();
  bench.start();
  bench.open(1);
  bench.data(1, 0, 0, 60);
  bench.words();
  bench.failover(1, "necessary", true, 0xa, { reason: "the peer does not answer" });
  assert.deepEqual(bench.words(), ["failover 1 unreachable"]);
  bench.failover(1, "complete", true, 0xb);
  assert.deepEqual(bench.words(), [], "nothing is asked for: the PE has the cookie");
  bench.data(1, 9, 5, 41);
  bench.end(1);
  const statistics = bench.statistics();
  assert.equal(statistics?.failovers, 1);
  assert.deepEqual(statistics.elements, [
    { elementId: 0xa, messages: 1, points: 60, repeated: 0 },
    { elementId: 0xb, messages: 1, points: 40, repeated: 1 },
  ]);
});

Deno.test("FractalClient calls a PE unreachable that is silent, and no other", () => {
  const bench = new Bench();
  bench.start();
  bench.open(1);
  bench.data(1, 0, 0, 60);
  bench.words();
  bench.failover(1, "necessary", true, 0xa, { loss: "shutdown" });
  assert.deepEqual(bench.words(), ["failover 1"]);
  bench.failover(1, "complete", true, 0xb);
  bench.data(1, 0, 6, 10);
  bench.failover(1, "necessary", true, 0xb, { loss: "aborted" });
  assert.deepEqual(bench.words(), ["failover 1"]);
  bench.failover(1, "complete", true, 0xa);
  bench.data(1, 0, 7, 10);
  bench.failover(1, "necessary", true, 0xa, { loss: "silent", reason: "the machine was shut down" });
  assert.deepEqual(bench.words(), ["failover 1 unreachable"], "words are for people");
});

Deno.test("FractalClient asks for its whole part again when it fails over without a cookie", () => {
  const bench = new Bench();
  bench.start();
  bench.open(1);
  bench.data(1, 0, 0, 33);
  bench.words();
  bench.failover(1, "necessary", false);
  bench.failover(1, "complete", false, 0xb);
  assert.deepEqual(bench.words(), ["failover 1 unreachable", "ask 1 10x10"]);
  bench.data(1, 0, 0, 100);
  assert.equal(bench.statistics()?.elements[1]?.repeated, 33);
});

Deno.test("FractalClient leaves a PE that sends nothing for 5 s", () => {
  const bench = new Bench();
  bench.start();
  bench.open(1);
  bench.until(4000);
  bench.data(1, 0, 0, 10);
  bench.words();
  bench.until(8999);
  assert.deepEqual(bench.words(), []);
  bench.until(9000);
  assert.deepEqual(bench.words(), ["failover 1 unreachable"]);
  bench.data(1, 0, 1, 10);
  assert.ok(!bench.told().includes("partCompleted"));
});

Deno.test("FractalClient says of a silent PE whether there is a cookie to go on from", () => {
  for (const hasCookie of [false, true]) {
    const bench = new Bench();
    bench.start();
    bench.open(1);
    if (hasCookie) bench.hear({ type: "sessionCookieHeld", session: 1 });
    bench.until(5000);
    const [failover] = bench.reports.filter((report) => report.type === "partFailover");
    assert.equal(failover?.hasCookie, hasCookie);
    assert.equal(failover?.reason, "no points for 5000 ms");
  }
});

Deno.test("FractalClient asks its new PE though the association with the last one was blocked", () => {
  const bench = new Bench();
  bench.start();
  bench.open(1);
  bench.hear({ type: "sessionBlocked", session: 1 });
  bench.words();
  bench.failover(1, "necessary", false);
  bench.until(100);
  bench.failover(1, "complete", false, 0xb);
  assert.deepEqual(bench.words(), ["failover 1 unreachable", "ask 1 10x10"]);
});

Deno.test("FractalClient leaves a PE that sends the same points for ever", () => {
  const bench = new Bench();
  bench.start();
  bench.open(1);
  bench.words();
  for (let i = 0; i < 100; i++) {
    bench.until(bench.now + 1000);
    bench.data(1, 0, 0, 10);
    if (bench.words().includes("failover 1 unreachable")) return;
  }
  assert.fail("it never left");
});

Deno.test("FractalClient pauses longer and longer when PEs give nothing", () => {
  const bench = new Bench();
  bench.start();
  bench.open(1);
  const pauses: number[] = [];
  for (let i = 0; i < 8; i++) {
    bench.failover(1, "necessary", false, 0xa, { loss: "shutdown" });
    const before = bench.now;
    const due = bench.client.nextTimeout();
    assert.ok(due !== undefined);
    bench.words();
    bench.until(due);
    assert.deepEqual(bench.words(), ["failover 1"]);
    pauses.push(due - before);
    bench.failover(1, "complete", false, 0xb);
  }
  for (const [index, pause] of pauses.entries()) {
    const longest = Math.min(100 * 2 ** index, 1000);
    assert.ok(pause >= longest / 2 && pause <= longest, `pause ${index} is ${pause} ms`);
  }
});

Deno.test("FractalClient asks again when points are missing at the end marker, in a new session until they are there", () => {
  const bench = new Bench();
  bench.start();
  bench.open(1);
  bench.data(1, 0, 0, 24);
  bench.data(1, 5, 3, 65); // (4, 2) to (4, 3) are left out, as RSPLIB's PE does with a cookie ahead of its data
  bench.words();
  bench.end(1);
  assert.deepEqual(bench.words(), ["shutdown 1", "open 2"]);
  assert.ok(bench.told().includes("partIncomplete"));
  bench.open(2);
  assert.deepEqual(bench.words(), ["ask 2 10x10"]);
  bench.data(2, 0, 0, 34);
  assert.deepEqual(bench.words(), []);
  bench.data(2, 4, 3, 10);
  assert.deepEqual(bench.words(), ["shutdown 2"], "the rest is there");
  assert.equal(bench.statistics()?.repairs, 1);
});

Deno.test("FractalClient reports and ignores what cannot be right", () => {
  const bench = new Bench();
  bench.start();
  bench.open(1);
  bench.data(1, 10, 0, 1);
  bench.data(1, 0, 10, 1);
  bench.data(1, 9, 9, 2);
  bench.data(1, 0, 0, 0);
  bench.message(1, Uint8Array.of(2, 0, 0, 16));
  bench.message(1, writeFractal(SMALL));
  bench.message(1, writeFractal({ type: "end" }), 33);
  assert.equal(bench.told().filter((type) => type === "partInvalid").length, 7);
  bench.data(1, 0, 0, 100);
  bench.end(1);
  assert.equal(bench.statistics()?.invalid, 7);
});

Deno.test("FractalClient is content when only the end marker is lost", () => {
  const bench = new Bench();
  bench.start();
  bench.open(1);
  bench.data(1, 0, 0, wholeImage(SMALL));
  bench.words();
  bench.failover(1, "necessary", true);
  assert.deepEqual(bench.words(), ["shutdown 1"]);
  assert.ok(bench.statistics() !== undefined);
});

/** A client whose part has a cookie that PE after PE is lost with. Returns how many were, until it was dropped. */
function loseWithCookie(bench: Bench, loss: SessionLoss, atMost: number): number | undefined {
  bench.start();
  bench.open(1);
  bench.data(1, 0, 0, 50);
  bench.failover(1, "necessary", true);
  bench.failover(1, "complete", true, 0xb);
  bench.words();
  for (let count = 1; count <= atMost; count++) {
    bench.failover(1, "necessary", true, 0xb, { loss });
    bench.until(bench.now + 2000);
    const words = bench.words();
    if (words.includes("shutdown 1")) {
      assert.deepEqual(words, ["shutdown 1", "open 2"]);
      return count;
    }
    bench.failover(1, "complete", true, 0xb);
  }
  return undefined;
}

for (const loss of ["aborted", "silent"] as const) {
  Deno.test(`FractalClient drops a cookie that no PE makes anything of: all are ${loss}`, () => {
    const bench = new Bench();
    assert.equal(loseWithCookie(bench, loss, 20), 12);
    bench.open(2);
    assert.deepEqual(bench.words(), ["ask 2 10x10"]);
  });
}

Deno.test("FractalClient keeps its cookie when PEs leave in order, as those do that have no place", () => {
  assert.equal(loseWithCookie(new Bench(), "shutdown", 50), undefined);
});

Deno.test("FractalClient opens another session when the session layer ends one", () => {
  const bench = new Bench();
  bench.start();
  bench.open(1);
  bench.words();
  bench.hear({ type: "sessionClosed", session: 1, reason: "for a reason" });
  bench.until(200);
  assert.deepEqual(bench.words(), ["open 2"]);
});

Deno.test("FractalClient takes one image at a time, and the next one after it", () => {
  const bench = new Bench();
  bench.start();
  assert.throws(() => bench.start(), { name: "StateError" });
  bench.open(1);
  bench.data(1, 0, 0, 100);
  bench.end(1);
  bench.words();
  bench.start();
  assert.deepEqual(bench.words(), ["open 2"]);
});

Deno.test("FractalClient aborts the sessions of a cancelled image, and the next one waits until they are over", () => {
  const bench = new Bench();
  bench.start(SMALL, 2);
  bench.open(1);
  bench.words();
  bench.client.handle({ type: "cancel" }, bench.now);
  bench.collect();
  assert.deepEqual(bench.words(), ["abort 1", "abort 2"]);
  assert.ok(bench.told().includes("imageCancelled"));
  bench.start();
  assert.throws(() => bench.start(), { name: "StateError" });
  bench.data(1, 0, 0, 100); // under way when the session was left
  bench.hear({ type: "sessionClosed", session: 2, reason: "closed" });
  assert.deepEqual([bench.words(), bench.told()], [[], []]);
  bench.until(70);
  bench.hear({ type: "sessionClosed", session: 1, reason: "closed" });
  assert.deepEqual(bench.words(), ["open 3"]);
  bench.open(3);
  bench.data(3, 0, 0, 100);
  bench.end(3);
  assert.equal(bench.statistics()?.durationMs, 70, "it counts from the wish");
});

Deno.test("FractalClient forgets an image that waits when it is cancelled, too, or when it stops", () => {
  for (const type of ["cancel", "stop"] as const) {
    const bench = new Bench();
    bench.start();
    bench.client.handle({ type: "cancel" }, 0);
    bench.start();
    bench.client.handle({ type }, 0);
    bench.words();
    bench.hear({ type: "sessionClosed", session: 1, reason: "closed" });
    assert.deepEqual(bench.words(), [], type);
  }
});

Deno.test("FractalClient takes a cancel when there is nothing to cancel", () => {
  const bench = new Bench();
  bench.client.handle({ type: "cancel" }, 0);
  bench.start();
  assert.deepEqual([bench.words(), bench.told()], [["open 1"], ["imageStarted"]]);
});

Deno.test("FractalClient closes its sessions when it stops", () => {
  const bench = new Bench();
  bench.start(SMALL, 2);
  bench.open(1);
  bench.words();
  bench.client.handle({ type: "stop" }, 0);
  assert.deepEqual(bench.words(), ["shutdown 1", "shutdown 2", "stop"]);
  assert.equal(bench.client.nextTimeout(), undefined);
});
