import assert from "node:assert/strict";
import { CalcAppClient, readCalcApp, writeCalcApp } from "../../../../protocol/app/calcapp/mod.ts";
import type {
  CalcAppClientOptions,
  CalcAppClientReport,
  CalcAppMessage,
} from "../../../../protocol/app/calcapp/mod.ts";
import { Prng } from "../../../../protocol/machine.ts";
import { Ppid } from "../../../../protocol/net.ts";
import type { SessionCommand, SessionEvent, SessionLoss } from "../../../../protocol/session/types.ts";
import { encodeText } from "../../../../protocol/wire/text.ts";

/** A user whose element is the test. */
class Bench {
  readonly client: CalcAppClient;
  readonly reports: CalcAppClientReport[] = [];
  readonly #commands: SessionCommand[] = [];
  now = 0;

  constructor(options: Partial<CalcAppClientOptions> = {}) {
    this.client = new CalcAppClient({
      command: (command) => this.#commands.push(command),
      effect: () => {},
      report: (report) => this.reports.push(report),
    }, { poolHandle: encodeText("CalcAppPool"), prng: new Prng(1), ...options });
  }

  job(jobSize: number): void {
    this.client.input({ type: "job", jobSize }, this.now);
  }

  event(event: SessionEvent): void {
    this.client.sessionEvent(event, this.now);
  }

  opened(session: number): void {
    this.event({ type: "sessionOpened", session, peer: [], elementId: 0x11 });
  }

  failover(session: number, state: "necessary" | "complete", hasCookie = false, loss?: SessionLoss): void {
    this.event({
      type: "sessionFailover",
      session,
      state,
      hasCookie,
      elementId: 0x12,
      loss: state === "complete" ? undefined : loss ?? "silent",
      reason: "lost",
    });
  }

  says(session: number, message: CalcAppMessage | Uint8Array, ppid: number = Ppid.calcApp): void {
    const data = message instanceof Uint8Array ? message : writeCalcApp(message);
    this.event({ type: "sessionMessage", session, ppid, stream: 0, data });
  }

  pass(milliseconds: number): void {
    const end = this.now + milliseconds;
    for (let turn = 0; turn < 10_000; turn++) {
      const due = this.client.nextTimeout();
      if (due === undefined || due > end) break;
      this.now = Math.max(this.now, due);
      this.client.tick(this.now);
    }
    this.now = end;
  }

  take(): string[] {
    return this.#commands.splice(0).map((command) => {
      switch (command.type) {
        case "send": {
          const message = readCalcApp(command.data);
          return `${command.session}: ${message.type} ${message.jobId}`;
        }
        case "failover":
          return `${command.session}: failover${command.reportUnreachable ? ", unreachable" : ""}`;
        case "closeSession":
          return `${command.session}: ${command.how}`;
        case "openSession":
          return `${command.session}: open`;
        default:
          return command.type;
      }
    });
  }

  told(type: CalcAppClientReport["type"]): number {
    return this.reports.filter((report) => report.type === type).length;
  }
}

const accept = { type: "accept", jobId: 1 } as const;
const complete = { type: "complete", jobId: 1, jobSize: 500, completed: 500 } as const;

/** A user whose first job, of 500 calculations, was accepted in session 1. */
function calculating(options: Partial<CalcAppClientOptions> = {}): Bench {
  const bench = new Bench(options);
  bench.job(500);
  bench.opened(1);
  bench.says(1, accept);
  assert.deepEqual(bench.take(), ["1: open", "1: request 1"]);
  return bench;
}

Deno.test("a CalcAppClient has jobs done one at a time, each in a session of its own", () => {
  const bench = calculating();
  bench.job(700);
  assert.equal(bench.client.queueLength, 1);
  bench.says(1, complete);
  assert.deepEqual(bench.take(), ["1: shutdown", "2: open"]);
  bench.opened(2);
  assert.deepEqual(bench.take(), ["2: request 2"]);
  bench.event({ type: "sessionClosed", session: 1, reason: "closed" });
  bench.says(1, complete);
  assert.equal(bench.told("jobCompleted"), 1);
});

Deno.test("a CalcAppClient has jobs done in the order in which they came, those that came in between behind the others", () => {
  const bench = calculating();
  for (const jobSize of [2, 3, 4]) bench.job(jobSize);
  bench.says(1, complete);
  const order: number[] = [];
  for (let session = 2; session <= 7; session++) {
    bench.opened(session);
    const jobSize = session;
    if (session < 5) bench.job(jobSize + 3);
    order.push(Number(bench.take().at(-1)?.split(" ").at(-1)));
    bench.says(session, { type: "accept", jobId: session });
    bench.says(session, { type: "complete", jobId: session, jobSize, completed: jobSize });
  }
  assert.deepEqual(order, [2, 3, 4, 5, 6, 7]);
  assert.equal(bench.client.queueLength, 0);
  assert.equal(bench.told("jobCompleted"), 7);
});

Deno.test("a CalcAppClient asks a quiet element for a sign of life, and leaves one that gives none", () => {
  const bench = calculating();
  bench.pass(5000);
  assert.deepEqual(bench.take(), ["1: keepAlive 1"]);
  bench.says(1, { type: "keepAliveAck", jobId: 1 });
  bench.pass(5000);
  assert.deepEqual(bench.take(), ["1: keepAlive 1"]);
  bench.pass(5000);
  assert.deepEqual(bench.take(), ["1: failover, unreachable"]);
  bench.failover(1, "complete");
  assert.deepEqual(bench.take(), ["1: request 1"], "without a cookie it begins anew");
  bench.pass(5000);
  assert.deepEqual(bench.take(), ["1: failover, unreachable"], "no Accept is no sign of life, either");
});

Deno.test("an Ack that nobody asked for, and a second Accept, do not keep an element", () => {
  const bench = new Bench();
  bench.job(500);
  bench.opened(1);
  bench.says(1, { type: "keepAliveAck", jobId: 1 });
  bench.take();
  bench.pass(5000);
  assert.deepEqual(bench.take(), ["1: failover, unreachable"]);
  bench.failover(1, "complete");
  bench.says(1, accept);
  bench.pass(5000);
  bench.says(1, accept);
  bench.take();
  bench.pass(5000);
  assert.equal(bench.told("jobFailover"), 2);
  assert.equal(bench.told("jobAccepted"), 1);
});

Deno.test("a CalcAppClient acknowledges keep-alives of its job once it is accepted, and of no other", () => {
  const bench = calculating();
  bench.says(1, { type: "keepAlive", jobId: 1 });
  bench.says(1, { type: "keepAlive", jobId: 2 });
  assert.deepEqual(bench.take(), ["1: keepAliveAck 1"]);
});

Deno.test("an element that takes the user for another one gets no answer, and its cookie is dropped", () => {
  const bench = new Bench();
  bench.job(500);
  bench.opened(1);
  bench.take();
  bench.says(1, { type: "keepAlive", jobId: 1 });
  bench.event({ type: "sessionCookieHeld", session: 1 });
  bench.says(1, { type: "reject", jobId: 1 });
  assert.deepEqual(bench.take(), []);
  bench.pass(200);
  assert.deepEqual(bench.take(), ["1: abort", "2: open"]);
  bench.opened(2);
  assert.deepEqual(bench.take(), ["2: request 1"]);
});

Deno.test("an element that calculated another job is left, without its cookie", () => {
  const bench = calculating();
  bench.event({ type: "sessionCookieHeld", session: 1 });
  bench.says(1, { ...complete, jobSize: 499, completed: 499 });
  bench.pass(200);
  assert.deepEqual(bench.take(), ["1: abort", "2: open"]);
  assert.equal(bench.told("jobCompleted"), 0);
});

Deno.test("with a cookie another element goes on without a Request", () => {
  const bench = calculating();
  bench.event({ type: "sessionCookieHeld", session: 1 });
  bench.failover(1, "necessary", true);
  assert.deepEqual(bench.take(), ["1: failover, unreachable"]);
  bench.failover(1, "complete", true);
  assert.deepEqual(bench.take(), []);
  bench.says(1, accept);
  bench.says(1, complete);
  assert.equal(bench.told("jobCompleted"), 1);
});

Deno.test("an element that is silent is called unreachable, one that breaks off is not", () => {
  for (const loss of ["silent", "aborted"] as const) {
    const bench = calculating();
    bench.says(1, { type: "keepAlive", jobId: 1 });
    bench.take();
    bench.failover(1, "necessary", false, loss);
    assert.deepEqual(bench.take(), [loss === "silent" ? "1: failover, unreachable" : "1: failover"]);
  }
});

Deno.test("an element that leaves in order, or gives the job up, is not called unreachable", () => {
  const bench = calculating();
  bench.says(1, { type: "keepAlive", jobId: 1 });
  bench.take();
  bench.failover(1, "necessary", false, "shutdown");
  assert.deepEqual(bench.take(), ["1: failover"]);
  bench.failover(1, "complete");
  bench.says(1, accept);
  bench.says(1, { type: "keepAlive", jobId: 1 });
  bench.take();
  bench.says(1, { type: "abort", jobId: 1 });
  assert.deepEqual(bench.take(), ["1: failover"]);
});

const USELESS: readonly (readonly [string, (bench: Bench) => void])[] = [
  ["reject", (bench) => bench.says(1, { type: "reject", jobId: 1 })],
  ["accept and leave", (bench) => {
    bench.says(1, accept);
    bench.failover(1, "necessary", false, "shutdown");
  }],
];
for (const [what, act] of USELESS) {
  Deno.test(`after elements that ${what} a CalcAppClient waits longer and longer, at most some seconds`, () => {
    const bench = new Bench();
    bench.job(500);
    bench.opened(1);
    const pauses: number[] = [];
    for (let trial = 0; trial < 10; trial++) {
      bench.take();
      act(bench);
      bench.failover(1, "necessary", false, "shutdown"); // the element may leave meanwhile: the pause goes on
      const before = bench.now;
      for (let turn = 0; turn < 10 && !bench.take().includes("1: failover"); turn++) {
        bench.pass(bench.client.nextTimeout()! - bench.now);
      }
      pauses.push(bench.now - before);
      bench.failover(1, "complete");
    }
    assert.ok(pauses[0]! >= 87 && pauses[0]! <= 113, `${pauses}`);
    assert.ok(pauses[9]! >= 2800 && pauses[9]! <= 3600, `${pauses}`);
    bench.says(1, accept);
    bench.says(1, { type: "keepAlive", jobId: 1 });
    bench.take();
    bench.failover(1, "necessary", false, "shutdown");
    assert.deepEqual(bench.take(), ["1: failover"], "one that has served is left at once");
    bench.failover(1, "complete");
    bench.says(1, { type: "reject", jobId: 1 });
    const last = bench.reports.findLast((report) => report.type === "jobRejected");
    assert.ok(last?.type === "jobRejected" && last.pauseMs <= 113, "and makes all well");
  });
}

const WRONG: readonly (readonly [string, CalcAppMessage | Uint8Array, number])[] = [
  ["noise", encodeText("noise"), Ppid.calcApp],
  ["another payload protocol", writeCalcApp(complete), Ppid.none],
  ["a Request", { type: "request", jobId: 1, jobSize: 1 }, Ppid.calcApp],
  ["a Complete of another job", { ...complete, jobId: 2 }, Ppid.calcApp],
  ["a Complete of another size", { ...complete, jobSize: 499, completed: 499 }, Ppid.calcApp],
  ["a Complete of half a job", { ...complete, completed: 250 }, Ppid.calcApp],
];
for (const [what, message, ppid] of WRONG) {
  Deno.test(`a CalcAppClient ignores ${what}, and says so`, () => {
    const bench = calculating();
    bench.says(1, message, ppid);
    assert.deepEqual(bench.take(), []);
    assert.equal(bench.told("jobInvalid"), 1);
    bench.says(1, complete);
    assert.equal(bench.told("jobCompleted"), 1);
  });
}

Deno.test("no more than 100000 jobs wait, and the others are made up later", () => {
  const bench = new Bench({ arrivals: { meanIntervalMs: 0.001, meanJobSize: 10, jobs: 200_000 } });
  bench.client.start(0);
  bench.pass(200);
  while (bench.told("jobQueueFull") === 0 && bench.now < 10_000) bench.pass(50);
  assert.equal(bench.client.queueLength, 100_000);
  assert.ok(bench.told("jobQueueFull") > 0);
});

Deno.test("a CalcAppClient that stops asks for nothing more", () => {
  const bench = calculating();
  bench.client.stop();
  bench.job(1);
  bench.event({ type: "sessionClosed", session: 1, reason: "closed" });
  bench.pass(1e6);
  assert.deepEqual(bench.take(), []);
});
