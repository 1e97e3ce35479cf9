import assert from "node:assert/strict";
import { DaytimeServer } from "../../../../protocol/app/daytime/server.ts";
import type { DaytimeReport } from "../../../../protocol/app/daytime/server.ts";
import { EchoServer } from "../../../../protocol/app/echo/server.ts";
import type { EchoReport } from "../../../../protocol/app/echo/server.ts";
import { MAX_WAITING_INPUT, TerminalClient } from "../../../../protocol/app/terminal/client.ts";
import type {
  TerminalClientEffect,
  TerminalClientInput,
  TerminalClientReport,
} from "../../../../protocol/app/terminal/client.ts";
import { Prng } from "../../../../protocol/machine.ts";
import { encodeText, showText } from "../../../../protocol/wire/text.ts";
import { reportsOf } from "../../session/world.ts";
import { failover, message, opened, RecordedOutlet } from "../outlet.ts";
import { PoolLab } from "../pool_lab.ts";

const POOL = encodeText("SomePool");
const HELLO = encodeText("hello\n");

/** A terminal that has started at 0. */
class Bench {
  readonly outlet = new RecordedOutlet<TerminalClientEffect, TerminalClientReport>();
  readonly client: TerminalClient;

  constructor() {
    this.client = new TerminalClient(this.outlet, { poolHandle: POOL, quietMs: 1000, prng: new Prng(1) });
    this.client.start();
    assert.deepEqual(this.outlet.commands.splice(0), [{ type: "openSession", session: 1, poolHandle: POOL }]);
  }

  say(now: number, data: Uint8Array = HELLO): void {
    this.client.input({ type: "say", data }, now);
  }

  end(now: number): void {
    this.client.input({ type: "endOfInput" }, now);
  }

  get isOver(): boolean {
    return this.outlet.effects.some(({ type }) => type === "conversationOver");
  }
}

Deno.test("TerminalClient keeps what is said until somebody is there, and then sends it at once", () => {
  const { client, outlet } = new Bench();
  client.input({ type: "say", data: HELLO }, 1);
  client.input({ type: "say", data: encodeText("world\n") }, 2);
  assert.deepEqual(outlet.commands, []);
  assert.equal(client.saidAll, false);
  client.sessionEvent(opened(), 3);
  client.input({ type: "say", data: encodeText("!\n") }, 4);
  const sent = outlet.take("send");
  assert.deepEqual(sent.map(({ data }) => showText(data)), ["hello\\x0a", "world\\x0a", "!\\x0a"]);
  assert.ok(sent.every(({ ppid, session }) => ppid === 0 && session === 1));
  assert.equal(client.saidAll, true);
});

Deno.test("TerminalClient lets the input pause while much waits, and resumes it", () => {
  const bench = new Bench();
  bench.say(0, new Uint8Array(MAX_WAITING_INPUT - 1));
  assert.deepEqual(bench.outlet.effects, []);
  bench.say(0, new Uint8Array(1));
  bench.say(0, new Uint8Array(1));
  assert.deepEqual(bench.outlet.effects, [{ type: "pauseInput" }]);
  bench.client.sessionEvent(opened(), 1);
  assert.deepEqual(bench.outlet.effects, [{ type: "pauseInput" }, { type: "resumeInput" }]);
  bench.client.sessionEvent({ type: "sessionBlocked", session: 1 }, 2);
  bench.say(3);
  assert.equal(bench.outlet.take("send").length, 3, "not what came while the association was blocked");
  bench.client.sessionEvent({ type: "sessionWritable", session: 1 }, 4);
  assert.equal(bench.outlet.take("send").length, 1);
});

Deno.test("TerminalClient ends when the input has ended and no answer has come for a while", () => {
  const bench = new Bench();
  bench.say(0);
  bench.end(0);
  assert.equal(bench.client.nextTimeout(), undefined, "what was said is not sent yet");
  bench.client.sessionEvent(opened(), 5000);
  assert.equal(bench.client.nextTimeout(), 6000);
  bench.client.sessionEvent(message(HELLO), 5900);
  assert.equal(bench.client.nextTimeout(), 6900);
  bench.client.tick(6899);
  assert.equal(bench.isOver, false);
  bench.client.tick(6900);
  assert.equal(bench.isOver, true);
  assert.equal(bench.client.nextTimeout(), undefined);
});

Deno.test("TerminalClient does not end while what was said finds no room in the send buffer", () => {
  const bench = new Bench();
  bench.client.sessionEvent(opened(), 0);
  bench.say(0);
  bench.end(0);
  bench.client.sessionEvent({ type: "sessionBlocked", session: 1 }, 1);
  assert.equal(bench.client.saidAll, false);
  bench.client.tick(10_000);
  assert.equal(bench.isOver, false);
  bench.client.sessionEvent(message(HELLO), 11_000);
  bench.client.tick(20_000);
  assert.equal(bench.isOver, false);
  bench.client.sessionEvent({ type: "sessionWritable", session: 1 }, 30_000);
  assert.equal(bench.client.saidAll, true);
  assert.equal(bench.client.nextTimeout(), 31_000);
  bench.client.tick(31_000);
  assert.equal(bench.isOver, true);
});

Deno.test("TerminalClient has said all when an element has taken it, answered and left in order", () => {
  const bench = new Bench();
  bench.client.sessionEvent(opened(), 0);
  bench.say(0);
  bench.client.sessionEvent({ type: "sessionBlocked", session: 1 }, 1);
  bench.client.sessionEvent(message(HELLO), 10);
  bench.client.sessionEvent(failover("necessary", { loss: "shutdown" }), 20);
  assert.equal(bench.client.saidAll, true);
});

Deno.test("TerminalClient rests when an element has answered at once and whole, until there is something to say", () => {
  const bench = new Bench();
  bench.client.sessionEvent(opened(), 0);
  bench.client.sessionEvent(message(HELLO), 10);
  bench.client.sessionEvent(failover("necessary", { loss: "shutdown" }), 20);
  assert.deepEqual(bench.outlet.reports.at(-1), { type: "terminalAnswered", elementId: 7 });
  assert.equal(bench.client.nextTimeout(), undefined);
  assert.deepEqual(bench.outlet.commands, []);
  bench.say(90_000);
  assert.deepEqual(bench.outlet.commands, [{ type: "failover", session: 1, reportUnreachable: false }]);
  bench.client.sessionEvent(failover("complete", { elementId: 8 }), 90_010);
  assert.equal(bench.outlet.take("send").length, 1);
  bench.client.sessionEvent(message(HELLO), 90_020);
  bench.client.sessionEvent(failover("necessary", { loss: "shutdown", elementId: 8 }), 90_030);
  bench.end(90_040);
  assert.equal(bench.isOver, true, "there is nothing to wait for");
});

Deno.test("TerminalClient ends after a whole answer when the input has ended before", () => {
  const bench = new Bench();
  bench.end(0);
  bench.client.sessionEvent(opened(), 0);
  bench.client.sessionEvent(message(HELLO), 10);
  bench.client.sessionEvent(failover("necessary", { loss: "shutdown" }), 20);
  assert.equal(bench.isOver, true);
});

const NOT_WHOLE: readonly (readonly [string, (bench: Bench) => void, boolean])[] = [
  ["is lost", ({ client }) => client.sessionEvent(failover("necessary"), 20), true],
  [
    "leaves in order without an answer",
    ({ client }) => client.sessionEvent(failover("necessary", { loss: "shutdown" }), 20),
    false,
  ],
  [
    "leaves in order with a state to go on from",
    ({ client }) => client.sessionEvent(failover("necessary", { loss: "shutdown", hasCookie: true }), 20),
    true,
  ],
  [
    "leaves in order after a while",
    ({ client }) => client.sessionEvent(failover("necessary", { loss: "shutdown" }), 2500),
    true,
  ],
];
for (const [what, lose, answers] of NOT_WHOLE) {
  Deno.test(`TerminalClient finds another element when one ${what}`, () => {
    const bench = new Bench();
    bench.client.sessionEvent(opened(), 0);
    if (answers) bench.client.sessionEvent(message(HELLO), 10);
    lose(bench);
    const report = bench.outlet.reports.at(-1);
    assert.ok(report?.type === "terminalFailover");
    assert.equal(report.failoverCount, 1);
    bench.client.tick(bench.client.nextTimeout()!);
    assert.deepEqual(bench.outlet.commands, [{ type: "failover", session: 1, reportUnreachable: false }]);
  });
}

Deno.test("TerminalClient does not take the answer of one element for that of the next", () => {
  const bench = new Bench();
  bench.client.sessionEvent(opened(), 0);
  bench.client.sessionEvent(message(HELLO), 10);
  bench.client.sessionEvent(failover("necessary"), 3000);
  bench.client.tick(3000);
  bench.client.sessionEvent(failover("complete"), 3010);
  bench.client.sessionEvent(failover("necessary", { loss: "shutdown" }), 3020);
  assert.equal(bench.outlet.reports.at(-1)?.type, "terminalFailover", "a full one has answered nothing");
});

Deno.test("TerminalClient finds another element after a whole answer when there is more to say", () => {
  const bench = new Bench();
  bench.client.sessionEvent(opened(), 0);
  bench.client.sessionEvent(message(HELLO), 10);
  bench.client.sessionEvent({ type: "sessionBlocked", session: 1 }, 15);
  bench.say(16);
  bench.client.sessionEvent(failover("necessary", { loss: "shutdown" }), 20);
  bench.client.tick(bench.client.nextTimeout()!);
  assert.equal(bench.outlet.take("failover").length, 1);
  bench.client.sessionEvent(failover("complete"), 200);
  assert.equal(bench.outlet.take("send").length, 1, "the new association is not blocked");
});

Deno.test("TerminalClient waits longer and longer when elements answer and die", () => {
  const bench = new Bench();
  bench.client.sessionEvent(opened(), 0);
  const pauses: number[] = [];
  let now = 0;
  for (let round = 0; round < 5; round++) {
    bench.client.sessionEvent(message(HELLO), now);
    bench.client.sessionEvent(failover("necessary"), now);
    pauses.push(bench.client.nextTimeout()! - now);
    now += pauses.at(-1)!;
    bench.client.tick(now);
    bench.client.sessionEvent(failover("complete"), now);
  }
  assert.ok(pauses.every((pauseMs, index) => index === 0 || pauseMs > 1.5 * pauses[index - 1]!), `${pauses}`);
});

Deno.test("TerminalClient does nothing more when it is stopped", () => {
  const bench = new Bench();
  bench.client.sessionEvent(opened(), 0);
  bench.client.stop();
  bench.client.sessionEvent(failover("necessary"), 1);
  bench.client.tick(10_000);
  assert.deepEqual(bench.outlet.commands, []);
  assert.equal(bench.client.nextTimeout(), undefined);
});

/** A terminal in a pool. */
function startTerminal(lab: PoolLab) {
  return lab.user<TerminalClientInput, TerminalClientEffect, TerminalClientReport>((outlet) => {
    return new TerminalClient(outlet, { poolHandle: POOL, quietMs: 1000, prng: new Prng(1) });
  });
}

Deno.test("a terminal talks to an echo pool over the death of its element", () => {
  const lab = new PoolLab(1, POOL);
  const { network } = lab.world;
  const servers = [1, 2].map((elementId) =>
    lab.server<EchoReport>(elementId, (outlet) => new EchoServer(outlet))
  );
  const user = startTerminal(lab);
  const heard = () => reportsOf(user, "terminalMessage");
  user.input({ type: "say", data: HELLO });
  assert.ok(network.runUntil(() => heard().length === 1, 10_000));
  network.kill(servers[heard()[0].elementId - 1]!, "abort");
  assert.ok(network.runUntil(() => reportsOf(user, "terminalConnected").length === 2, 10_000));
  user.input({ type: "say", data: encodeText("again\n") });
  user.input({ type: "endOfInput" });
  assert.ok(network.runUntil(() => user.effects.at(-1)?.effect.type === "conversationOver", 10_000));
  assert.deepEqual(heard().map(({ data }) => showText(data)), ["hello\\x0a", "again\\x0a"]);
});

Deno.test("a terminal in a daytime pool asks once, and once more for each line", () => {
  const lab = new PoolLab(2, POOL);
  const { network } = lab.world;
  const date = { year: 2026, month: 1, day: 1, weekday: 4, hour: 0, minute: 0, second: 0, microsecond: 0 };
  const servers = [1, 2].map((elementId) =>
    lab.server<DaytimeReport>(elementId, (outlet) => new DaytimeServer(outlet, () => date))
  );
  const told = () => servers.flatMap((server) => reportsOf(server, "timeTold")).length;
  const user = startTerminal(lab);
  network.run(60_000);
  assert.equal(told(), 1, "RSPLIB's terminal would have asked thousands of times");
  user.input({ type: "say", data: encodeText("\n") });
  network.run(60_000);
  assert.equal(told(), 2);
  assert.equal(reportsOf(user, "terminalMessage").length, 2);
  assert.equal(reportsOf(user, "terminalFailover").length, 0);
});
