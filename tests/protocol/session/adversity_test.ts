/**
 * A pool user whose way to a server is blocked: it says why, tries ever less often, and is served soon after the cause has
 * gone.
 */
import assert from "node:assert/strict";
import { effectsOf, POOL, reportsOf, World } from "./world.ts";
import type { ClientProcess } from "./world.ts";

/** When each effect of a type came. */
function times(client: ClientProcess, type: string): number[] {
  return client.effects
    .filter(({ effect }) => effect.type === "report" && effect.report.type === type)
    .map(({ at }) => at);
}

/** Waits between attempts grow up to a limit; jitter and the time of an attempt are allowed for. */
function assertGrowing(instants: readonly number[], limitMs: number): void {
  const waits = instants.slice(1).map((at, n) => at - instants[n]!);
  assert.ok(waits.length >= 4, `too few attempts to judge: ${waits}`);
  for (let n = 1; n < waits.length; n++) {
    const isLonger = waits[n]! > waits[n - 1]!, isAtLimit = waits[n]! > 0.8 * limitMs;
    assert.ok(isLonger || isAtLimit, `wait ${n} of ${waits.map(Math.round)}`);
  }
  assert.ok(waits.every((wait) => wait < 1.2 * limitMs), `${waits.map(Math.round)} above ${limitMs}`);
}

function open(client: ClientProcess): void {
  client.input({ type: "openSession", session: 1, poolHandle: POOL });
}

function isOpen(client: ClientProcess): boolean {
  return effectsOf(client, "sessionOpened").length === 1;
}

Deno.test("no registrar: it says once that it waits for one, sends nothing, and is served within a second of the announce", () => {
  const world = new World(), { network } = world;
  const host = world.host();
  const client = world.client();
  open(client);
  network.run(3_600_000);
  assert.deepEqual(client.effects.map(({ effect }) => effect.type === "report" && effect.report.type), [
    "huntWaiting",
  ]);
  world.registrar({}, host);
  world.server("alpha", 0x11);
  assert.ok(network.runUntil(() => isOpen(client), 3000));
});

Deno.test("a registrar that is named and not there: each attempt is told, ever less often, and the first that succeeds counts", () => {
  const world = new World(), { network } = world;
  const host = world.host();
  const registrars = [[{ address: host.addresses[0]!, port: 3863 }]];
  const client = world.client("client", { hunt: { registrars } });
  open(client);
  network.run(120_000);
  const failures = reportsOf(client, "huntFailed");
  assertGrowing(times(client, "huntFailed"), 10_000);
  assert.deepEqual(failures.slice(0, 4).map(({ retryMs }) => retryMs), [500, 1000, 2000, 4000]);
  assert.equal(failures.at(-1).retryMs, 10_000);
  assert.match(failures[0].reason, /refused/);
  world.registrar({}, host);
  world.server("alpha", 0x11);
  assert.ok(network.runUntil(() => isOpen(client), 10_500), "the longest wait is 10 s");
});

Deno.test("a registrar that dies: its loss is told, and the next one that announces itself is used at once", () => {
  const world = new World(), { network } = world;
  const first = world.registrar();
  const client = world.client();
  network.run(2000);
  network.kill(first, "silent");
  open(client);
  network.run(60_000);
  assert.equal(reportsOf(client, "registrarLost").length, 1);
  assert.match(reportsOf(client, "registrarLost")[0].reason, /answer/);
  assert.equal(reportsOf(client, "huntWaiting").length, 2, "before the first announce, and after the loss");
  world.registrar({ registrarId: 0xcafe0002 });
  world.server("alpha", 0x11);
  assert.ok(network.runUntil(() => isOpen(client), 4000));
});

Deno.test("a registrar that hangs: it is given up after the response time-out, and the session is not forgotten", () => {
  const world = new World(), { network } = world;
  const host = world.host();
  const first = world.registrar({}, host);
  world.server("alpha", 0x11);
  const client = world.client();
  network.run(2000);
  first.machine.handle = () => {};
  first.machine.nextTimeout = () => undefined;
  open(client);
  network.run(3500);
  assert.deepEqual(reportsOf(client, "registrarLost").map(({ reason }) => reason), ["it does not answer"]);
  network.run(30_000);
  network.kill(first, "abort");
  world.registrar({ registrarId: 0xcafe0002 }, host);
  assert.ok(network.runUntil(() => isOpen(client), 45_000), "the element has to find the new registrar, too");
});

Deno.test("an unknown pool: told as that, asked for ever less often, served within the longest wait", () => {
  const world = new World(), { network } = world;
  world.registrar();
  const client = world.client();
  open(client);
  network.run(60_000);
  assertGrowing(times(client, "sessionWaiting"), 5000);
  assert.ok(reportsOf(client, "sessionWaiting").every(({ reason }) => reason === "unknown pool handle"));
  world.server("alpha", 0x11);
  assert.ok(network.runUntil(() => isOpen(client), 7000));
});

Deno.test("only dead elements: each failure is told, attempts come ever less often, and a new element is found", () => {
  const world = new World(), { network } = world;
  // The registrar believes in them for an hour, as one does whose keep-alives are rare.
  world.registrar({ keepAliveIntervalMs: 3_600_000, keepAliveTimeoutMs: 3_600_000, maxBadReports: 100 });
  const dead = [0x11, 0x12, 0x13].map((elementId) => world.server(`dead${elementId}`, elementId));
  const client = world.client("client", { connectTimeoutMs: 500 });
  network.run(3000);
  for (const server of dead) network.cut(server.host, client.host);
  open(client);
  network.run(120_000);
  const failures = times(client, "sessionConnectFailed");
  assertGrowing(failures, 5500);
  assert.ok(failures.length < 30, `${failures.length} attempts in two minutes`);
  const tried = reportsOf(client, "sessionConnectFailed").map(({ elementId }) => elementId);
  assert.equal(new Set(tried).size, 3, "each had its turn");
  world.server("alpha", 0x21);
  assert.ok(network.runUntil(() => isOpen(client), 12_000));
  assert.equal(effectsOf(client, "sessionOpened")[0]!.elementId, 0x21);
});

Deno.test("elements that refuse at once: no loop without delay", () => {
  const world = new World(), { network } = world;
  world.registrar();
  const full = world.server("full", 0x11, { maxSessions: 1 });
  const first = world.client("first");
  network.run(1500);
  open(first);
  network.run(100);
  assert.ok(isOpen(first));
  const client = world.client("client");
  client.onEffect = (effect) => {
    if (effect.type !== "sessionFailover" || effect.state !== "necessary") return;
    client.input({ type: "failover", session: 1, reportUnreachable: false });
  };
  open(client);
  network.run(60_000);
  const refused = reportsOf(full, "sessionRefused").length;
  assert.ok(refused >= 10 && refused < 25, `${refused} attempts in a minute`);
  first.input({ type: "closeSession", session: 1, how: "shutdown" });
  network.run(7000);
  assert.equal(effectsOf(full, "sessionOpened").length, 2, "the next attempt is served");
});
