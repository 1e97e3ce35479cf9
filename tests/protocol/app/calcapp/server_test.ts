import assert from "node:assert/strict";
import {
  CalcAppServer,
  readCalcApp,
  readCalcAppCookie,
  writeCalcApp,
  writeCalcAppCookie,
} from "../../../../protocol/app/calcapp/mod.ts";
import type {
  CalcAppCookie,
  CalcAppMessage,
  CalcAppServerOptions,
  CalcAppServerReport,
} from "../../../../protocol/app/calcapp/mod.ts";
import { MAX_WITHHELD_MESSAGES, UNREAD_LIMIT_MS } from "../../../../protocol/app/reply_flow.ts";
import { Prng } from "../../../../protocol/machine.ts";
import { Ppid } from "../../../../protocol/net.ts";
import type { SessionCommand } from "../../../../protocol/session/types.ts";
import { encodeText } from "../../../../protocol/wire/text.ts";

/** A service whose sessions are the test's. */
class Bench {
  readonly server: CalcAppServer;
  readonly reports: CalcAppServerReport[] = [];
  readonly #commands: SessionCommand[] = [];
  now = 1000;

  constructor(options: Partial<CalcAppServerOptions> = {}) {
    this.server = new CalcAppServer({
      command: (command) => this.#commands.push(command),
      effect: () => {},
      report: (report) => this.reports.push(report),
    }, { prng: new Prng(1), capacity: 1000, cookieMaxTimeMs: 1e9, cookieMaxCalculations: 1e9, ...options });
  }

  open(session: number): void {
    this.server.sessionEvent({ type: "sessionOpened", session, peer: [], elementId: 1 }, this.now);
  }

  say(session: number, message: CalcAppMessage | Uint8Array, ppid: number = Ppid.calcApp): void {
    const data = message instanceof Uint8Array ? message : writeCalcApp(message);
    this.server.sessionEvent({ type: "sessionMessage", session, ppid, stream: 0, data }, this.now);
  }

  echo(session: number, cookie: CalcAppCookie | Uint8Array): void {
    const octets = cookie instanceof Uint8Array ? cookie : writeCalcAppCookie(cookie);
    this.server.sessionEvent({ type: "sessionCookie", session, cookie: octets }, this.now);
  }

  /** Lets time pass, timer by timer. */
  pass(milliseconds: number): void {
    const end = this.now + milliseconds;
    for (let turn = 0; turn < 10_000; turn++) {
      const due = this.server.nextTimeout();
      if (due === undefined || due > end) break;
      this.now = Math.max(this.now, due);
      this.server.tick(this.now);
    }
    this.now = end;
  }

  /** Octets of messages whose place in the receive window was given back since the last call. */
  consumed = 0;

  /** What was done since the last call, in short. */
  take(): string[] {
    const commands = this.#commands.splice(0);
    this.consumed = 0;
    for (const command of commands) if (command.type === "consumed") this.consumed += command.octets;
    return commands.filter(({ type }) => type !== "consumed").map((command) => {
      switch (command.type) {
        case "send": {
          const message = readCalcApp(command.data);
          const done = message.type === "complete" ? ` ${message.completed}/${message.jobSize}` : "";
          return `${command.session}: ${message.type} ${message.jobId}${done}`;
        }
        case "sendCookie": {
          const { jobId, jobSize, completed } = readCalcAppCookie(command.cookie);
          return `${command.session}: cookie ${jobId} ${completed}/${jobSize}`;
        }
        case "closeSession":
          return `${command.session}: ${command.how}`;
        case "setLoad":
          return `load ${command.load}`;
        default:
          return command.type;
      }
    });
  }
}

const request = (jobId: number, jobSize: number) => ({ type: "request", jobId, jobSize }) as const;

Deno.test("a CalcAppServer accepts a job, calculates it and completes it", () => {
  const bench = new Bench();
  bench.open(1);
  bench.say(1, request(7, 2000));
  assert.deepEqual(bench.take(), ["1: accept 7", "load 0.1"]);
  bench.pass(1999);
  assert.deepEqual(bench.take(), []);
  bench.pass(1);
  assert.deepEqual(bench.take(), ["1: complete 7 2000/2000", "load 0"]);
});

Deno.test("a CalcAppServer with all places taken rejects, and a session may have several jobs", () => {
  const bench = new Bench({ maxJobs: 2 });
  bench.open(1);
  bench.open(2);
  bench.say(1, request(1, 1000));
  bench.say(1, request(2, 1000));
  bench.say(2, request(1, 1000));
  assert.deepEqual(bench.take(), ["1: accept 1", "load 0.5", "1: accept 2", "load 1", "2: reject 1"]);
  bench.pass(2000);
  assert.deepEqual(bench.take(), [
    "1: complete 1 1000/1000",
    "load 0.5",
    "1: complete 2 1000/1000",
    "load 0",
  ]);
  bench.say(2, request(1, 1000));
  assert.deepEqual(bench.take(), ["2: accept 1", "load 0.5"]);
});

Deno.test("a CalcAppServer goes on from a cookie, and a job that was done already is completed at once", () => {
  const bench = new Bench();
  bench.open(1);
  bench.echo(1, { jobId: 3, jobSize: 5000, completed: 4000 });
  bench.open(2);
  bench.echo(2, { jobId: 4, jobSize: 5000, completed: 5000 });
  bench.take();
  bench.pass(0);
  assert.deepEqual(bench.take(), ["2: complete 4 5000/5000", "load 0.1"]);
  bench.pass(1000);
  assert.deepEqual(bench.take(), ["1: complete 3 5000/5000", "load 0"]);
});

Deno.test("a CalcAppServer sends cookies by age and by calculations, whichever comes first", () => {
  const bench = new Bench({ cookieMaxTimeMs: 1000, cookieMaxCalculations: 400, keepAliveIntervalMs: 1e6 });
  bench.open(1);
  bench.say(1, request(1, 1e6));
  bench.take();
  bench.pass(850);
  assert.deepEqual(bench.take(), ["1: cookie 1 400/1000000", "1: cookie 1 800/1000000"]);
  for (const jobId of [2, 3, 4]) bench.say(1, request(jobId, 1e6));
  bench.take();
  bench.pass(1000);
  assert.deepEqual(bench.take().filter((line) => line.includes("cookie 1")), ["1: cookie 1 1087/1000000"]);
});

Deno.test("a CalcAppServer asks a quiet user for a sign of life, and ends its jobs when there is none", () => {
  const bench = new Bench();
  bench.open(1);
  bench.say(1, request(1, 1e9));
  bench.take();
  bench.pass(2500);
  assert.deepEqual(bench.take(), ["1: keepAlive 1"]);
  bench.pass(2000);
  bench.say(1, { type: "keepAliveAck", jobId: 1 });
  bench.pass(2499);
  assert.deepEqual(bench.take(), []);
  bench.pass(1);
  assert.deepEqual(bench.take(), ["1: keepAlive 1"]);
  bench.say(1, { type: "keepAlive", jobId: 1 });
  bench.say(1, { type: "keepAlive", jobId: 2 });
  assert.deepEqual(bench.take(), ["1: keepAliveAck 1"], "a job that it does not know gets no answer");
  bench.pass(2500);
  assert.deepEqual(bench.take(), ["load 0", "1: abort"]);
  assert.equal(bench.server.jobCount, 0);
});

Deno.test("a job may take longer than a session may be without one", () => {
  const bench = new Bench();
  bench.open(1);
  bench.say(1, request(1, 100_000));
  for (let second = 0; second < 99; second++) {
    bench.pass(1000);
    bench.say(1, { type: "keepAliveAck", jobId: 1 });
  }
  bench.take();
  bench.pass(1000);
  assert.deepEqual(bench.take(), ["1: complete 1 100000/100000", "load 0"]);
});

Deno.test("a job ends with its session, or when its user gives it up", () => {
  const bench = new Bench();
  for (const session of [1, 2]) {
    bench.open(session);
    bench.say(session, request(1, 1e9));
  }
  bench.take();
  bench.server.sessionEvent({ type: "sessionClosed", session: 1, reason: "gone" }, bench.now);
  bench.say(2, { type: "abort", jobId: 1 });
  bench.say(2, { type: "abort", jobId: 1 });
  assert.deepEqual(bench.take(), ["load 0.1", "load 0"]);
  const ended = bench.reports.filter(({ type }) => type === "jobEnded");
  assert.equal(ended.length, 2);
});

Deno.test("a session without a job is shut down after half a minute", () => {
  const bench = new Bench();
  bench.open(1);
  bench.pass(29_999);
  assert.deepEqual(bench.take(), []);
  bench.pass(1);
  assert.deepEqual(bench.take(), ["1: shutdown"]);
  bench.open(2);
  bench.say(2, request(1, 1000));
  bench.pass(30_999);
  assert.ok(!bench.take().includes("2: shutdown"), "from the end of its job on");
  bench.pass(1);
  assert.deepEqual(bench.take(), ["2: shutdown"]);
});

const HOSTILE: readonly (readonly [string, (bench: Bench) => void])[] = [
  ["noise", (bench) => bench.say(1, encodeText("noise"))],
  ["nothing", (bench) => bench.say(1, new Uint8Array())],
  ["another payload protocol", (bench) => bench.say(1, request(2, 1), Ppid.pingPong)],
  ["an Accept", (bench) => bench.say(1, { type: "accept", jobId: 1 })],
  ["a Reject", (bench) => bench.say(1, { type: "reject", jobId: 1 })],
  ["a Complete", (bench) => bench.say(1, { type: "complete", jobId: 1, jobSize: 1, completed: 1 })],
  ["the same job again", (bench) => bench.say(1, request(1, 1))],
  ["a cookie that is none", (bench) => bench.echo(1, encodeText("cookie"))],
];
for (const [what, act] of HOSTILE) {
  Deno.test(`a user that sends ${what} is aborted, and its job ends`, () => {
    const bench = new Bench();
    bench.open(1);
    bench.say(1, request(1, 1e9));
    bench.take();
    act(bench);
    assert.deepEqual(bench.take(), ["load 0", "1: abort"]);
    assert.equal(bench.server.jobCount, 0);
    act(bench);
    bench.pass(1e6);
    assert.deepEqual(bench.take(), [], "nothing of it is left");
  });
}

Deno.test("a service that stops gives each job's user a cookie, or some of them", () => {
  const stopped = (cleanShutdownProbability: number) => {
    const bench = new Bench({ cleanShutdownProbability, maxJobs: 100 });
    for (let session = 1; session <= 100; session++) {
      bench.open(session);
      bench.say(session, request(session, 1e9));
    }
    bench.pass(1000);
    bench.take();
    bench.server.stop(bench.now);
    const lines = bench.take();
    assert.equal(lines.filter((line) => line.endsWith("shutdown")).length, 100);
    return lines.filter((line) => line.includes("cookie"));
  };
  assert.deepEqual(stopped(1).slice(0, 2), ["1: cookie 1 10/1000000000", "2: cookie 2 10/1000000000"]);
  assert.equal(stopped(1).length, 100);
  assert.equal(stopped(0).length, 0);
  const half = stopped(0.5).length;
  assert.ok(half > 30 && half < 70, `${half} of 100`);
});

/** A service with a job of session 1, whose user does not read. */
function blockedBench(): Bench {
  const bench = new Bench();
  bench.open(1);
  bench.say(1, request(1, 1e9));
  bench.server.sessionEvent({ type: "sessionBlocked", session: 1 }, bench.now);
  bench.take();
  return bench;
}

Deno.test("a CalcAppServer takes no more messages from a user that does not read its answers", () => {
  const bench = blockedBench();
  bench.say(1, { type: "keepAlive", jobId: 1 });
  assert.deepEqual(bench.take(), ["1: keepAliveAck 1"]);
  assert.equal(bench.consumed, 0);
  bench.server.sessionEvent({ type: "sessionWritable", session: 1 }, bench.now);
  assert.deepEqual([bench.take(), bench.consumed], [[], 24]);
  bench.say(1, { type: "keepAlive", jobId: 1 });
  assert.deepEqual([bench.take(), bench.consumed], [["1: keepAliveAck 1"], 24]);
});

Deno.test("a CalcAppServer gives up a user that floods it and does not read", () => {
  const bench = blockedBench();
  for (let count = 0; count < MAX_WITHHELD_MESSAGES; count++) {
    bench.say(1, { type: "keepAlive", jobId: 1 });
  }
  assert.equal(bench.take().includes("1: abort"), false, "the limit itself is allowed");
  bench.say(1, { type: "keepAlive", jobId: 1 });
  assert.deepEqual(bench.take(), ["1: keepAliveAck 1", "1: abort"]);
});

Deno.test("a CalcAppServer gives up a user that says it lives and reads nothing for a minute", () => {
  const bench = blockedBench();
  for (let passed = 0; passed < UNREAD_LIMIT_MS - 2000; passed += 2000) {
    bench.pass(2000);
    bench.say(1, { type: "keepAliveAck", jobId: 1 });
  }
  assert.deepEqual(bench.take(), []);
  bench.pass(2000);
  assert.deepEqual(bench.take(), ["1: abort"]);
});

Deno.test("a CalcAppServer takes what comes of a session that it has shut down, so that its end arrives", () => {
  const bench = new Bench();
  bench.open(1);
  bench.pass(30_000);
  bench.take();
  bench.say(1, request(1, 1000));
  assert.deepEqual([bench.take(), bench.consumed], [[], 24]);
});
