import assert from "node:assert/strict";
import { readFractalCookie, writeFractalCookie } from "../../../../protocol/app/fractal/cookie.ts";
import { readFractal, writeFractal } from "../../../../protocol/app/fractal/messages.ts";
import type { FractalParameter } from "../../../../protocol/app/fractal/messages.ts";
import { FractalServer } from "../../../../protocol/app/fractal/server.ts";
import type {
  FractalServerEffect,
  FractalServerOptions,
} from "../../../../protocol/app/fractal/server_types.ts";
import { Ppid } from "../../../../protocol/net.ts";
import type { ServiceHostEffect, ServiceHostInput } from "../../../../protocol/session/types.ts";
import { computeAll, IMAGE, ScriptedMachine, wholeImage } from "./fixture.ts";

/** A fractal server above a host that the test plays. */
class Bench {
  readonly host: ScriptedMachine<ServiceHostInput, ServiceHostEffect> = new ScriptedMachine();
  readonly server: FractalServer;
  now = 0;

  constructor(options: FractalServerOptions = {}) {
    this.server = new FractalServer(this.host, options);
  }

  /** What the host tells, all at once. */
  hear(...effects: ServiceHostEffect[]): void {
    for (const effect of effects) this.host.emit(effect);
    this.server.tick(this.now);
  }

  open(session: number): void {
    this.hear({
      type: "sessionOpened",
      session,
      peer: [{ address: "10.1.0.9", port: 5000 }],
      elementId: 1,
    });
  }

  message(session: number, data: Uint8Array, ppid: number = Ppid.fractalGenerator): void {
    this.hear({ type: "sessionMessage", session, ppid, stream: 0, data });
  }

  ask(session: number, parameter: FractalParameter = IMAGE): void {
    this.message(session, writeFractal(parameter));
  }

  /** Lets time pass up to an instant, timer by timer. */
  until(instant: number): void {
    for (let due = this.server.nextTimeout(); due !== undefined && due <= instant;) {
      this.now = due;
      this.server.tick(due);
      due = this.server.nextTimeout();
    }
    this.now = instant;
  }

  /** Commands to the host in short words: `cookie 0,0`, `data 0,0+324`, `end`, `shutdown`, `load 0.25`. */
  words(): string[] {
    return this.host.take().map((input) => {
      if (input.type === "sendCookie") {
        const { currentX, currentY } = readFractalCookie(input.cookie);
        return `cookie ${currentX},${currentY}`;
      }
      if (input.type === "send") {
        const message = readFractal(input.data);
        return message.type === "data"
          ? `data ${message.startX},${message.startY}+${message.values.length}`
          : message.type;
      }
      if (input.type === "closeSession") return input.how;
      if (input.type === "setLoad") return `load ${input.load}`;
      return input.type;
    });
  }

  reports(effects: readonly FractalServerEffect[]): string[] {
    return effects.map((effect) => effect.type === "report" ? effect.report.type : effect.type);
  }

  /** Answers the compute job that is asked for with this many points, or all that it wants. */
  compute(count?: number): void {
    const job = this.server.drain().find((effect) => effect.type === "compute");
    assert.ok(job !== undefined, "a compute job is asked for");
    const values = new Uint32Array(count ?? job.count);
    this.server.handle({ type: "computed", job: job.job, values }, this.now);
  }
}

Deno.test("FractalServer sends a cookie at once, Data of 324 points, a cookie every 10 Data, and the end marker", () => {
  const bench = new Bench();
  bench.open(7);
  bench.ask(7);
  computeAll(bench.server, 0);
  const words = bench.words();
  assert.deepEqual(words.slice(0, 3), ["load 0.25", "cookie 0,0", "data 0,0+324"]);
  assert.equal(words[12], "cookie 40,32"); // 10 * 324 = 3240 points: the next one is (40, 32)
  assert.deepEqual(words.slice(-4), ["data 8,55+324", "data 32,58+168", "end", "load 0"]);
  assert.equal(words.filter((word) => word.startsWith("data")).length, 19);
});

Deno.test("FractalServer computes what was asked for", () => {
  const bench = new Bench();
  bench.open(1);
  bench.ask(1);
  computeAll(bench.server, 0);
  const values = bench.host.take().flatMap((input) => {
    if (input.type !== "send") return [];
    const message = readFractal(input.data);
    return message.type === "data" ? [...message.values] : [];
  });
  assert.deepEqual(values, [...wholeImage(IMAGE)]);
});

Deno.test("FractalServer goes on from a cookie", () => {
  const bench = new Bench();
  bench.open(1);
  const cookie = writeFractalCookie({ parameter: IMAGE, currentX: 99, currentY: 58 });
  bench.hear({ type: "sessionCookie", session: 1, cookie });
  computeAll(bench.server, 0);
  assert.deepEqual(bench.words(), ["load 0.25", "cookie 99,58", "data 99,58+101", "end", "load 0"]);
});

Deno.test("FractalServer sends partial Data after a second, and a cookie only behind the data it counts", () => {
  const bench = new Bench();
  bench.open(1);
  bench.ask(1);
  bench.now = 100;
  bench.compute(50);
  bench.words();
  bench.until(999);
  assert.deepEqual(bench.words(), []);
  bench.until(1000);
  assert.deepEqual(bench.words(), ["data 0,0+50", "cookie 50,0"]);
  bench.until(20_000);
  assert.deepEqual(bench.words(), [], "without new points there is nothing to send");
  bench.compute(10);
  bench.until(20_000);
  assert.deepEqual(bench.words(), ["data 50,0+10", "cookie 60,0"], "late points are sent at once");
});

Deno.test("FractalServer sends partial Data before the cookie is due when that takes longer", () => {
  const bench = new Bench({ cookieMaxTimeMs: 60_000 });
  bench.open(1);
  bench.ask(1);
  bench.compute(50);
  bench.words();
  bench.until(1000);
  assert.deepEqual(bench.words(), ["data 0,0+50"]);
});

Deno.test("FractalServer leaves a session after failureAfter full Data, with a cookie", () => {
  const bench = new Bench({ failureAfter: 3 });
  bench.open(1);
  bench.ask(1);
  const reports = bench.reports(computeAll(bench.server, 0));
  const words = bench.words();
  assert.deepEqual(words.slice(1), [
    "cookie 0,0",
    "data 0,0+324",
    "data 24,3+324",
    "data 48,6+324",
    "cookie 72,9",
    "shutdown",
    "load 0",
  ]);
  assert.ok(reports.includes("fractalFailure"));
});

Deno.test("FractalServer turns sessions away when all places are taken, and takes new ones when one is free", () => {
  const bench = new Bench({ maxThreads: 2 });
  bench.open(1);
  bench.open(2);
  bench.open(3);
  assert.deepEqual(bench.words(), ["load 0.5", "load 1", "shutdown"]);
  bench.ask(3); // was under way already
  assert.deepEqual(bench.words(), []);
  bench.hear({ type: "sessionClosed", session: 1, reason: "gone" });
  bench.open(4);
  assert.deepEqual(bench.words(), ["load 0.5", "load 1"]);
  assert.equal(bench.server.sessionCount, 2);
});

Deno.test("FractalServer computes nothing for a session that is blocked, and gives it up after a time", () => {
  const bench = new Bench({ transmitTimeoutMs: 2500 });
  bench.open(1);
  bench.ask(1);
  bench.hear({ type: "sessionBlocked", session: 1 });
  bench.compute();
  assert.equal(bench.server.drain().some(({ type }) => type === "compute"), false);
  bench.until(2000);
  bench.hear({ type: "sessionWritable", session: 1 });
  assert.equal(bench.server.drain().some(({ type }) => type === "compute"), true, "it goes on");
  bench.words();
  bench.hear({ type: "sessionBlocked", session: 1 });
  bench.until(4499);
  assert.deepEqual(bench.words(), []);
  bench.until(4500);
  assert.deepEqual(bench.words(), ["abort", "load 0"]);
});

Deno.test("FractalServer aborts on bad messages and says why", () => {
  const cookie = writeFractalCookie({ parameter: IMAGE, currentX: 0, currentY: 0 });
  const broken: readonly ((bench: Bench) => void)[] = [
    (bench) => bench.message(1, Uint8Array.of(1, 2, 3)),
    (bench) => bench.message(1, writeFractal({ type: "end" })),
    (bench) => bench.message(1, writeFractal(IMAGE), 33),
    (bench) => bench.ask(1, { ...IMAGE, width: 65537 }),
    (bench) => bench.ask(1, { ...IMAGE, height: 0 }),
    (bench) => bench.ask(1, { ...IMAGE, maxIterations: 1_000_001 }),
    (bench) => bench.ask(1, { ...IMAGE, c1Real: NaN }),
    (bench) => bench.hear({ type: "sessionCookie", session: 1, cookie: cookie.subarray(4) }),
    (bench) => {
      bench.ask(1);
      bench.hear({ type: "sessionCookie", session: 1, cookie });
    },
    (bench) => {
      for (let i = 0; i < 3; i++) bench.ask(1);
    },
  ];
  for (const [index, act] of broken.entries()) {
    const bench = new Bench();
    bench.open(1);
    act(bench);
    assert.deepEqual(bench.words().slice(-2), ["abort", "load 0"], `case ${index}`);
    const report = bench.server.drain().find((effect) =>
      effect.type === "report" && effect.report.type === "fractalAborted"
    );
    assert.ok(report !== undefined, `case ${index} is reported`);
    assert.equal(bench.server.sessionCount, 0);
  }
});

Deno.test("FractalServer ignores the answer to a job whose session has gone, and cancels the job", () => {
  const bench = new Bench();
  bench.open(1);
  bench.ask(1);
  const job = bench.server.drain().find(({ type }) => type === "compute");
  bench.hear({ type: "sessionClosed", session: 1, reason: "gone" });
  assert.ok(bench.server.drain().some(({ type }) => type === "cancelCompute"));
  bench.words();
  assert.ok(job?.type === "compute");
  bench.server.handle({ type: "computed", job: job.job, values: new Uint32Array(job.count) }, 5);
  assert.deepEqual(bench.words(), []);
});

Deno.test("FractalServer aborts a session whose job cannot be computed", () => {
  const bench = new Bench();
  bench.open(1);
  bench.ask(1);
  const job = bench.server.drain().find(({ type }) => type === "compute");
  assert.ok(job?.type === "compute");
  bench.server.handle({ type: "computeFailed", job: job.job, reason: "no memory" }, 5);
  assert.deepEqual(bench.words().slice(-2), ["abort", "load 0"]);
});

Deno.test("FractalServer computes a second image in the same session after the first", () => {
  const bench = new Bench();
  bench.open(1);
  bench.ask(1, { ...IMAGE, height: 1 });
  bench.ask(1, { ...IMAGE, height: 2 });
  computeAll(bench.server, 0);
  assert.deepEqual(bench.words(), [
    "load 0.25",
    "cookie 0,0",
    "data 0,0+100",
    "end",
    "cookie 0,0",
    "data 0,0+200",
    "end",
    "load 0",
  ]);
});

Deno.test("FractalServer shuts sessions down that ask for nothing, before and after an image", () => {
  const bench = new Bench();
  bench.open(1);
  bench.until(29_999);
  bench.open(2);
  bench.ask(2, { ...IMAGE, height: 1 });
  computeAll(bench.server, bench.now);
  bench.words();
  bench.until(30_000);
  assert.deepEqual(bench.words(), ["shutdown", "load 0"]);
  bench.until(59_999);
  assert.deepEqual(bench.words(), ["shutdown"]);
  assert.equal(bench.server.nextTimeout(), undefined);
});

Deno.test("FractalServer leaves every user a cookie when it stops", () => {
  const bench = new Bench();
  bench.open(1);
  bench.ask(1);
  bench.compute(50);
  bench.words();
  bench.server.handle({ type: "stop" }, 10);
  assert.deepEqual(bench.words(), ["data 0,0+50", "cookie 50,0", "shutdown", "load 0", "stop"]);
  bench.open(2);
  assert.deepEqual(bench.words(), ["shutdown"], "new sessions are turned away");
});

Deno.test("FractalServer asks for less at a time when computing is slow, and for more when it is fast", () => {
  const bench = new Bench();
  bench.open(1);
  bench.ask(1, { ...IMAGE, width: 1000, height: 1000, maxIterations: 1_000_000 });
  const counts: number[] = [];
  for (const elapsed of [500, 500, 500, 500, 10, 10, 10]) {
    const job = bench.server.drain().find(({ type }) => type === "compute");
    assert.ok(job?.type === "compute");
    counts.push(job.count);
    bench.now += elapsed;
    bench.server.handle({ type: "computed", job: job.job, values: new Uint32Array(job.count) }, bench.now);
  }
  assert.deepEqual(counts, [10, 5, 2, 1, 1, 2, 4]);
});

Deno.test("FractalServer computes the test pattern in test mode, and still gives the real Parameter to others", () => {
  const bench = new Bench({ testMode: true });
  bench.open(1);
  bench.ask(1, { ...IMAGE, height: 2 });
  computeAll(bench.server, 0);
  const sent = bench.host.take();
  const cookie = sent.find((input) => input.type === "sendCookie");
  assert.equal(readFractalCookie(cookie!.cookie).parameter.algorithm, 1);
  const data = sent.flatMap((input) => input.type === "send" ? [readFractal(input.data)] : [])
    .find((message) => message.type === "data");
  assert.deepEqual([...data!.values.subarray(100, 104)], [0, 1, 2, 3]);
});

Deno.test("FractalServer computes no more points a second than its limit", () => {
  const bench = new Bench({ maxRate: 1000 });
  bench.open(1);
  bench.ask(1);
  let points = 0;
  while (bench.now < 3000) {
    for (const effect of bench.server.drain()) {
      if (effect.type !== "compute") continue;
      points += effect.count;
      const values = new Uint32Array(effect.count);
      bench.server.handle({ type: "computed", job: effect.job, values }, bench.now);
    }
    bench.until(bench.server.nextTimeout()!);
  }
  assert.ok(points >= 2900 && points <= 3100, `${points} points in 3 s`);
});
