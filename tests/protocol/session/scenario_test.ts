import assert from "node:assert/strict";
import { encodeText, showText } from "../../../protocol/wire/mod.ts";
import { effectsOf, LEAST_USED, makeEcho, POOL, reportsOf, World } from "./world.ts";
import type { ClientProcess } from "./world.ts";

const PPID = 4711;

function say(client: ClientProcess, session: number, text: string): void {
  client.input({ type: "send", session, ppid: PPID, data: encodeText(text) });
}

function heard(client: ClientProcess, session?: number): string[] {
  return effectsOf(client, "sessionMessage")
    .filter((message) => session === undefined || message.session === session)
    .map(({ data }) => showText(data));
}

Deno.test("a pool element registers by itself, a pool user resolves it, and they talk", () => {
  const { network, ...world } = build();
  const registrar = world.registrar();
  const server = world.server("alpha", 0x11);
  const client = world.client();
  makeEcho(server);
  client.input({ type: "openSession", session: 1, poolHandle: POOL });
  assert.ok(network.runUntil(() => effectsOf(client, "sessionOpened").length === 1, 5000));
  assert.equal(effectsOf(client, "sessionOpened")[0]!.elementId, 0x11);
  network.run(10);
  assert.equal(effectsOf(server, "sessionOpened")[0]!.elementId, 0x11);
  say(client, 1, "hello");
  assert.ok(network.runUntil(() => heard(client).length === 1, 100));
  assert.deepEqual(heard(client), ["alpha hello"]);
  const registered = reportsOf(server, "registered");
  assert.equal(registered.length, 1);
  assert.equal(registered[0].registrarId, 0xcafe0001);
  assert.deepEqual(
    reportsOf(registrar, "registered")[0].addresses.map(({ address }: { address: string }) => address),
    ["10.1.0.2", "10.2.0.2"],
  );
  client.input({ type: "closeSession", session: 1, how: "shutdown" });
  assert.ok(network.runUntil(() => effectsOf(server, "sessionClosed").length === 1, 100));
  network.run(10);
  assert.equal(effectsOf(client, "sessionClosed").length, 1);
});

Deno.test("a pool element registers again at the interval, and its registration lives three times as long", () => {
  const { network, ...world } = build();
  const registrar = world.registrar();
  const server = world.server("alpha", 0x11, { reregistrationIntervalMs: 2000 });
  network.run(7000);
  assert.equal(reportsOf(registrar, "registered").filter(({ again }) => again).length, 3);
  // The element answers keep-alives, but its registration is not renewed: it ends all the same.
  server.machine.nextTimeout = () => undefined;
  network.run(6500);
  assert.deepEqual(reportsOf(registrar, "removed").map(({ reason }) => reason), ["registration expired"]);
});

Deno.test("a pool element that stops deregisters first, then ends its sessions", () => {
  const { network, ...world } = build();
  const registrar = world.registrar();
  const server = world.server("alpha", 0x11);
  const client = world.client();
  client.input({ type: "openSession", session: 1, poolHandle: POOL });
  network.run(2000);
  server.input({ type: "stop" });
  assert.ok(network.runUntil(() => effectsOf(server, "stopped").length === 1, 5000));
  assert.deepEqual(reportsOf(server, "deregistered").map(({ confirmed }) => confirmed), [true]);
  assert.equal(reportsOf(registrar, "deregistered").length, 1);
  assert.equal(reportsOf(registrar, "removed").length, 0);
  const [necessary] = effectsOf(client, "sessionFailover");
  assert.deepEqual([necessary?.state, necessary?.loss], ["necessary", "shutdown"]);
  assert.equal(server.effects.at(-1)!.effect.type, "stopped");
});

Deno.test("a pool element with another policy is refused with the pool's policy, and told so in words", () => {
  const { network, ...world } = build();
  const registrar = world.registrar();
  world.server("alpha", 0x11);
  network.run(1500);
  const stranger = world.server("beta", 0x12, { policy: LEAST_USED });
  network.run(10_000);
  const refusals = reportsOf(stranger, "registrationRefused");
  assert.ok(refusals.length >= 3, "it tries again");
  assert.deepEqual(refusals.slice(0, 3).map(({ retryMs }) => retryMs), [1000, 2000, 4000]);
  assert.equal(refusals[0].causeCode, 5);
  assert.match(refusals[0].reason, /policy/);
  assert.equal(reportsOf(registrar, "refused").length, 1, "the registrar tells it once");
  assert.equal(reportsOf(registrar, "registered").filter(({ elementId }) => elementId === 0x12).length, 0);
});

Deno.test("a refused pool element that is not to try again stops", () => {
  const { network, ...world } = build();
  world.registrar();
  world.server("alpha", 0x11);
  network.run(1500);
  const stranger = world.server("beta", 0x12, { policy: LEAST_USED, retryRefused: false });
  assert.ok(network.runUntil(() => effectsOf(stranger, "stopped").length === 1, 5000));
  assert.deepEqual(reportsOf(stranger, "registrationRefused").map(({ retryMs }) => retryMs), [undefined]);
});

Deno.test("an unknown pool is told clearly and asked for again with back-off until it exists", () => {
  const { network, ...world } = build();
  world.registrar();
  const client = world.client();
  client.input({ type: "openSession", session: 1, poolHandle: POOL });
  network.run(10_000);
  const waits = reportsOf(client, "sessionWaiting");
  assert.ok(waits.length >= 4 && waits.length <= 8, `${waits.length} attempts in 10 s`);
  assert.ok(waits.every(({ reason }) => reason === "unknown pool handle"));
  assert.ok(waits[0].retryMs < 300 && waits.at(-1).retryMs > 2000);
  world.server("alpha", 0x11);
  assert.ok(network.runUntil(() => effectsOf(client, "sessionOpened").length === 1, 10_000));
});

Deno.test("an element that no longer answers keep-alives is removed", () => {
  const { network, ...world } = build();
  const registrar = world.registrar();
  const server = world.server("alpha", 0x11);
  network.run(3000);
  server.machine.handle = () => {}; // it hangs: its association stands
  network.run(11_000);
  assert.deepEqual(reportsOf(registrar, "removed").map(({ reason }) => reason), [
    "no answer to a keep-alive",
  ]);
  assert.equal(server.sides.size, 0, "its association was aborted");
});

Deno.test("a healthy element answers keep-alives and stays", () => {
  const { network, ...world } = build();
  const registrar = world.registrar();
  world.server("alpha", 0x11);
  network.run(120_000);
  assert.equal(reportsOf(registrar, "removed").length, 0);
  assert.ok(reportsOf(registrar, "registered").length >= 4);
});

Deno.test("an element whose association is lost is removed at once", () => {
  const { network, ...world } = build();
  const registrar = world.registrar();
  const server = world.server("alpha", 0x11);
  network.run(3000);
  network.kill(server, "abort");
  network.run(10);
  assert.deepEqual(reportsOf(registrar, "removed").map(({ reason }) => reason), ["association lost"]);
});

Deno.test("elements and users outlive their registrar and find the next one", () => {
  const { network, ...world } = build();
  const host = world.host();
  const first = world.registrar({}, host);
  const server = world.server("alpha", 0x11);
  const client = world.client();
  makeEcho(server);
  client.input({ type: "openSession", session: 1, poolHandle: POOL });
  network.run(3000);
  network.kill(first, "abort");
  network.run(3000);
  say(client, 1, "still there?");
  network.run(100);
  assert.deepEqual(heard(client), ["alpha still there?"], "a session needs no registrar");
  assert.equal(reportsOf(server, "registrarLost").length, 1);
  const second = world.registrar({ registrarId: 0xcafe0002 }, host);
  assert.ok(network.runUntil(() => reportsOf(second, "registered").length === 1, 15_000));
  network.run(10);
  assert.equal(reportsOf(server, "registered").at(-1).registrarId, 0xcafe0002);
  client.input({ type: "openSession", session: 2, poolHandle: POOL });
  assert.ok(network.runUntil(() => effectsOf(client, "sessionOpened").length === 2, 15_000));
});

Deno.test("a registrar that vanishes without a word is left after its time-outs", () => {
  const { network, ...world } = build();
  const first = world.registrar();
  const server = world.server("alpha", 0x11, { reregistrationIntervalMs: 5000 });
  network.run(3000);
  network.kill(first, "silent");
  const second = world.registrar({ registrarId: 0xcafe0002 });
  assert.ok(network.runUntil(() => reportsOf(second, "registered").length === 1, 20_000));
  assert.match(reportsOf(server, "registrarLost")[0].reason, /does not answer/);
});

Deno.test("a pool element is killed in mid-session: the user goes on with another one from the cookie", () => {
  const { network, ...world } = build();
  world.registrar();
  const servers = [world.server("alpha", 0x11), world.server("beta", 0x12)];
  servers.forEach(makeEcho);
  const client = world.client();
  network.run(1500);
  client.input({ type: "openSession", session: 1, poolHandle: POOL });
  network.run(500);
  say(client, 1, "one");
  say(client, 1, "two");
  network.run(100);
  const used = effectsOf(client, "sessionOpened")[0]!.elementId;
  const [victim, other] = used === 0x11 ? [servers[0]!, servers[1]!] : [servers[1]!, servers[0]!];
  network.kill(victim, "abort");
  assert.ok(network.runUntil(() => effectsOf(client, "sessionFailover").length === 1, 100));
  const necessary = effectsOf(client, "sessionFailover")[0]!;
  assert.deepEqual([necessary.state, necessary.hasCookie, necessary.elementId], ["necessary", true, used]);
  assert.equal(necessary.loss, "aborted");
  assert.equal(effectsOf(client, "sessionCookieHeld").length, 1, "told once, though two cookies came");
  client.input({ type: "failover", session: 1, reportUnreachable: true });
  assert.ok(network.runUntil(() => effectsOf(client, "sessionFailover").length === 2, 10_000));
  const complete = effectsOf(client, "sessionFailover")[1]!;
  assert.deepEqual([complete.state, complete.hasCookie], ["complete", true]);
  assert.notEqual(complete.elementId, used);
  network.run(10);
  assert.deepEqual(effectsOf(other, "sessionCookie").map(({ cookie }) => cookie.toHex()), ["00020000"]);
  say(client, 1, "three");
  network.run(100);
  assert.equal(heard(client).at(-1), `${other.name} three`);
  assert.deepEqual(effectsOf(client, "sessionClosed"), []);
});

for (
  const [how, reason, loss] of [
    ["ended in order", "shutdown", "shutdown"],
    ["was aborted", "aborted", "aborted"],
    ["found nobody at the other end", "refused", "aborted"],
    ["got no answers any more", "timeout", "silent"],
  ] as const
) {
  Deno.test(`an association that ${how} is told as a loss: ${loss}`, () => {
    const { network, ...world } = build();
    world.registrar();
    world.server("alpha", 0x11);
    const client = world.client();
    client.input({ type: "openSession", session: 1, poolHandle: POOL });
    network.run(2000);
    const { endpoint, association } = [...client.sides.values()].find((side) => side.endpoint !== "hunt")!;
    const down = {
      type: "down",
      association,
      request: undefined,
      reason,
      origin: "peer",
      cause: undefined,
    } as const;
    client.input({ type: "transport", endpoint, event: down });
    assert.deepEqual(effectsOf(client, "sessionFailover").map((failover) => failover.loss), [loss]);
  });
}

Deno.test("an element that answers its registrar but no users is removed when three of them say so", () => {
  const { network, ...world } = build();
  const registrar = world.registrar({ keepAliveIntervalMs: 60_000, keepAliveTimeoutMs: 60_000 });
  const server = world.server("alpha", 0x11);
  const clients = [1, 2, 3].map((n) => world.client(`client${n}`, { connectTimeoutMs: 500, seed: n }));
  network.run(1500);
  for (const client of clients) {
    network.cut(server.host, client.host);
    client.input({ type: "openSession", session: 1, poolHandle: POOL });
    network.run(2000);
  }
  assert.deepEqual(reportsOf(registrar, "unreachable").map(({ count }) => count), [1, 2, 3]);
  assert.deepEqual(reportsOf(registrar, "removed").map(({ reason }) => reason), ["reported unreachable"]);
  for (const client of clients) {
    const failures = reportsOf(client, "sessionConnectFailed");
    assert.ok(failures.length > 0 && failures.every(({ reason }) => reason === "no association in time"));
  }
});

Deno.test("one user alone, with however many sessions, does not have an element removed that answers its registrar", () => {
  const { network, ...world } = build();
  const registrar = world.registrar();
  const server = world.server("alpha", 0x11);
  const client = world.client("client", { connectTimeoutMs: 2000 });
  network.run(1500);
  network.cut(server.host, client.host);
  for (let session = 1; session <= 8; session++) {
    client.input({ type: "openSession", session, poolHandle: POOL });
  }
  network.run(180_000);
  const reports = reportsOf(registrar, "unreachable");
  assert.ok(reports.length >= 5 && reports.length <= 6, `${reports.length} reports in three minutes`);
  assert.ok(reports.every(({ count }) => count <= 2));
  assert.equal(reportsOf(registrar, "removed").length, 0);
  network.mend(server.host, client.host);
  // This network takes 30 s for an attempt that met a cut, however early that is mended.
  assert.ok(network.runUntil(() => effectsOf(client, "sessionOpened").length === 8, 40_000));
});

Deno.test("an element that is dead is removed by the first report: the registrar asks it at once", () => {
  const { network, ...world } = build();
  const registrar = world.registrar({ keepAliveIntervalMs: 600_000, keepAliveTimeoutMs: 5000 });
  const server = world.server("alpha", 0x11);
  const client = world.client("client", { connectTimeoutMs: 500 });
  network.run(1500);
  server.machine.handle = () => {}; // it hangs: its associations stand
  network.cut(server.host, client.host);
  client.input({ type: "openSession", session: 1, poolHandle: POOL });
  network.run(7000);
  assert.equal(reportsOf(registrar, "unreachable").length, 1);
  assert.deepEqual(reportsOf(registrar, "removed").map(({ reason }) => reason), [
    "no answer to a keep-alive",
  ]);
});

Deno.test("unreachable reports are forgotten after a time", () => {
  const { network, ...world } = build();
  const registrar = world.registrar({ reportMemoryMs: 1000 });
  const server = world.server("alpha", 0x11);
  const client = world.client("client", { connectTimeoutMs: 2000 });
  network.run(1500);
  network.cut(server.host, client.host);
  client.input({ type: "openSession", session: 1, poolHandle: POOL });
  network.run(200_000);
  assert.ok(reportsOf(registrar, "unreachable").length > 5);
  assert.ok(reportsOf(registrar, "unreachable").every(({ count }) => count === 1));
  assert.equal(reportsOf(registrar, "removed").length, 0);
});

Deno.test("an attempt to connect that a session gave up is gone on with, not repeated beside it", () => {
  const { network, ...world } = build();
  world.registrar();
  const server = world.server("alpha", 0x11);
  const client = world.client("client", { connectTimeoutMs: 2000, endpoints: 1 });
  network.run(1500);
  network.cut(server.host, client.host);
  client.input({ type: "openSession", session: 1, poolHandle: POOL });
  network.run(20_000);
  const tried = reportsOf(client, "sessionConnecting").length;
  assert.ok(tried >= 3, `tried ${tried} times`);
  assert.ok(!reportsOf(client, "sessionWaiting").some(({ reason }) => reason.includes("endpoints")));
});

Deno.test("what one session could not connect to, the others of the program avoid too", () => {
  const { network, ...world } = build();
  world.registrar({ keepAliveIntervalMs: 600_000 });
  const unreachable = world.server("alpha", 0x11);
  const client = world.client("client", { connectTimeoutMs: 5000 });
  network.run(1500);
  network.cut(unreachable.host, client.host);
  client.input({ type: "openSession", session: 1, poolHandle: POOL });
  network.run(4000);
  world.server("beta", 0x12);
  network.run(6000);
  assert.deepEqual(effectsOf(client, "sessionOpened").map(({ elementId }) => elementId), [0x12]);
  for (let session = 2; session <= 9; session++) {
    client.input({ type: "openSession", session, poolHandle: POOL });
  }
  network.run(1000);
  assert.equal(
    effectsOf(client, "sessionOpened").length,
    9,
    "nobody waited for the time-out of a connect again",
  );
});

Deno.test("two elements share the sessions by round robin", () => {
  const { network, ...world } = build();
  world.registrar();
  const alpha = world.server("alpha", 0x11);
  const beta = world.server("beta", 0x12);
  const client = world.client();
  network.run(1500);
  for (let session = 1; session <= 10; session++) {
    client.input({ type: "openSession", session, poolHandle: POOL });
  }
  network.run(1000);
  assert.equal(effectsOf(alpha, "sessionOpened").length, 5);
  assert.equal(effectsOf(beta, "sessionOpened").length, 5);
});

Deno.test("a full element refuses, and the user tries until there is room", () => {
  const { network, ...world } = build();
  world.registrar();
  const server = world.server("alpha", 0x11, { maxSessions: 2 });
  makeEcho(server);
  const client = world.client();
  client.onEffect = (effect) => {
    if (effect.type === "sessionOpened") say(client, effect.session, "work");
    if (effect.type === "sessionFailover") {
      if (effect.state === "complete") say(client, effect.session, "work");
      else client.input({ type: "failover", session: effect.session, reportUnreachable: false });
    }
  };
  network.run(1500);
  for (const session of [1, 2, 3]) client.input({ type: "openSession", session, poolHandle: POOL });
  network.run(5000);
  const refused = reportsOf(server, "sessionRefused");
  assert.ok(refused.length >= 3 && refused.length <= 8, `${refused.length} attempts in 5 s`);
  assert.equal(heard(client).length, 2);
  assert.ok(effectsOf(client, "sessionFailover").some(({ reason }) => /fully loaded/.test(reason)));
  const served = effectsOf(client, "sessionMessage").map(({ session }) => session);
  client.input({ type: "closeSession", session: served[0]!, how: "shutdown" });
  assert.ok(network.runUntil(() => heard(client).length === 3, 10_000));
});

Deno.test("a cookie echo that is not the first message ends the session", () => {
  const { network, ...world } = build();
  world.registrar();
  const server = world.server("alpha", 0x11);
  const client = world.client();
  client.input({ type: "openSession", session: 1, poolHandle: POOL });
  network.run(2000);
  say(client, 1, "first");
  const { endpoint, association } = [...client.sides.values()].find((side) => side.endpoint !== "hunt")!;
  const data = fromHex("0c000010000d000c0011223344556677");
  const command = { type: "send", association, ppid: 11, data } as const;
  network.execute(client as never, { type: "transport", endpoint, command });
  network.run(100);
  assert.equal(effectsOf(server, "sessionMessage").length, 1);
  assert.equal(effectsOf(server, "sessionCookie").length, 0);
  assert.equal(effectsOf(server, "sessionClosed").length, 1);
  assert.equal(reportsOf(server, "sessionViolation").length, 1);
  assert.equal(effectsOf(client, "sessionFailover").length, 1);
});

Deno.test("everything works on one machine that has the loopback interface only", () => {
  const { network, ...world } = build();
  const host = network.host("alone", "127.0.0.1", "::1");
  world.registrar({}, host);
  world.server("alpha", 0x11, {}, host);
  const client = world.client("client", {}, host);
  client.input({ type: "openSession", session: 1, poolHandle: POOL });
  assert.ok(network.runUntil(() => effectsOf(client, "sessionOpened").length === 1, 5000));
});

Deno.test("sessions that need an endpoint of their own wait until one is free", () => {
  const { network, ...world } = build();
  world.registrar();
  makeEcho(world.server("alpha", 0x11));
  const client = world.client("client", { endpoints: 1 });
  network.run(1500);
  client.input({ type: "openSession", session: 1, poolHandle: POOL });
  client.input({ type: "openSession", session: 2, poolHandle: POOL });
  network.run(3000);
  assert.deepEqual(effectsOf(client, "sessionOpened").map(({ session }) => session), [1]);
  assert.match(reportsOf(client, "sessionWaiting")[0].reason, /endpoints/);
  client.input({ type: "closeSession", session: 1, how: "abort" });
  assert.ok(network.runUntil(() => effectsOf(client, "sessionOpened").length === 2, 6000));
});

Deno.test("a pool user resolves from its cache while that is fresh", () => {
  const { network, ...world } = build();
  const registrar = world.registrar();
  world.server("alpha", 0x11);
  world.server("beta", 0x12);
  network.run(1500);
  const client = world.client("client", { cacheLifeMs: 10_000 });
  const open = (session: number) => client.input({ type: "openSession", session, poolHandle: POOL });
  open(1);
  network.run(1500);
  for (let session = 2; session <= 6; session++) open(session);
  network.run(500);
  assert.equal(reportsOf(registrar, "resolved").length, 1);
  const used = effectsOf(client, "sessionOpened").map(({ elementId }) => elementId);
  assert.equal(used.filter((id) => id === 0x11).length, 3, "the cache goes round robin, too");
  network.run(10_000);
  open(7);
  network.run(500);
  assert.equal(reportsOf(registrar, "resolved").length, 2);
});

Deno.test("the same seed gives the same trace, another seed another one", () => {
  const story = (seed: number) => {
    const world = new World(seed);
    world.registrar();
    const servers = [world.server("alpha", 0x11), world.server("beta", 0x12)];
    servers.forEach(makeEcho);
    const client = world.client();
    client.onEffect = (effect) => {
      if (effect.type !== "sessionFailover" || effect.state !== "necessary") return;
      client.input({ type: "failover", session: effect.session, reportUnreachable: true });
    };
    for (let session = 1; session <= 5; session++) {
      client.input({ type: "openSession", session, poolHandle: POOL });
    }
    world.network.run(4000);
    world.network.kill(servers[0]!, "abort");
    world.network.run(10_000);
    return world.network.trace.join("\n");
  };
  assert.equal(story(3), story(3));
  assert.notEqual(story(3), story(4));
});

function build() {
  const world = new World();
  return {
    network: world.network,
    host: world.host.bind(world),
    registrar: world.registrar.bind(world),
    server: world.server.bind(world),
    client: world.client.bind(world),
  };
}

function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g)!, (octet) => Number.parseInt(octet, 16));
}
