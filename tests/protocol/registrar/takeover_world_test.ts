/** Takeovers in whole operation scopes: registrars, pool elements and pool users on a network of messages. */
import assert from "node:assert/strict";
import { writeAsap } from "../../../protocol/asap/mod.ts";
import { betterHome } from "../../../protocol/registrar/takeover_suggestion.ts";
import { encodeText } from "../../../protocol/wire/mod.ts";
import { effectsOf, makeEcho, POOL, reportsOf } from "../session/world.ts";
import type { ClientProcess, ServerProcess } from "../session/world.ts";
import { core, found, homes, Scope, stages } from "./scope.ts";

/** Detection of a dead peer and the takeover itself: 5 s, 5 s and half a second, and the way. */
const TAKEOVER_MS = 13_000;

/** A registrar gets into service in this time. */
const START_MS = 7000;

/** Where the registrar of this number is reached, for elements that hear no announces. */
function onlyRegistrar(n: number): { registrars: { address: string; port: number }[][] } {
  return { registrars: [[{ address: `10.1.0.${n}`, port: 3863 }]] };
}

/** Registrars 1, 2, …, and servers that know only the first one. */
function scope(
  registrarCount: number,
  serverCount: number,
  seed = 1,
): { scope: Scope; servers: ServerProcess[] } {
  const scope = new Scope(seed);
  for (let id = 1; id <= registrarCount; id++) scope.join(id);
  scope.network.run(START_MS);
  const servers = Array.from({ length: serverCount }, (_, n) => {
    const server = scope.server(`server${n}`, 100 + n, { hunt: { ...onlyRegistrar(1), announceLifeMs: 0 } });
    makeEcho(server);
    return server;
  });
  scope.network.run(3000);
  scope.watch();
  return { scope, servers };
}

/** All elements at one home. */
function allAt(registrarId: number, serverCount: number): Record<number, number> {
  return Object.fromEntries(Array.from({ length: serverCount }, (_, n) => [100 + n, registrarId]));
}

/** A session that sends a message each time it is asked to. */
function talk(client: ClientProcess): { say: () => void; answers: () => string[] } {
  client.input({ type: "openSession", session: 1, poolHandle: POOL });
  return {
    say: () => client.input({ type: "send", session: 1, ppid: 7, data: encodeText("hello") }),
    answers: () => effectsOf(client, "sessionMessage").map(({ data }) => new TextDecoder().decode(data)),
  };
}

Deno.test("Two registrars: when one dies the other takes its elements over, and they do not notice", () => {
  const { scope: world, servers } = scope(2, 5);
  const [first, second] = world.registrars;
  assert.deepEqual(homes(second!), allAt(1, 5));
  world.network.kill(first!, "silent");

  world.network.run(TAKEOVER_MS);

  assert.deepEqual(homes(second!), allAt(2, 5));
  assert.deepEqual(stages(second!), ["started 1 by 2", "completed 1 by 2"]);
  for (const server of servers) assert.deepEqual(found(server), [false, true]);
  world.network.run(200_000);
  assert.deepEqual(homes(second!), allAt(2, 5), "they register again, and answer keep-alives");
  assert.deepEqual(reportsOf(second!, "removed"), []);
  for (const server of servers) assert.deepEqual(found(server), [false, true]);
  assert.ok(core(second!).statistics.reregistrations >= 25);
});

for (const count of [3, 4, 7]) {
  Deno.test(`${count} registrars: one of them takes the elements of a dead one over, and all agree`, () => {
    const { scope: world, servers } = scope(count, 6);
    for (const registrar of world.registrars) assert.deepEqual(homes(registrar), allAt(1, 6));
    world.network.kill(world.registrars[0]!, "silent");

    world.network.run(TAKEOVER_MS);

    const takers = world.living().filter((registrar) => core(registrar).statistics.takeoversCompleted > 0);
    assert.equal(takers.length, 1);
    assert.ok(world.agrees());
    const home = Object.values(homes(takers[0]!))[0]!;
    for (const registrar of world.living()) {
      assert.deepEqual(homes(registrar), allAt(home, 6));
      assert.equal(core(registrar).peers.find(1), undefined);
    }
    world.network.run(200_000);
    for (const registrar of world.living()) {
      assert.deepEqual(homes(registrar), allAt(home, 6));
      assert.deepEqual(reportsOf(registrar, "removed"), []);
    }
    for (const server of servers) assert.deepEqual(found(server), [false, true]);
  });
}

Deno.test("A user of the dead registrar and one of another do not notice: sessions go on, pools are resolved", () => {
  const { scope: world } = scope(3, 3);
  const clients = [1, 2].map((n) => world.client(`client${n}`, { hunt: onlyRegistrar(n + 1) }));
  const talks = clients.map(talk);
  world.network.run(2000);
  world.network.kill(world.registrars[0]!, "silent");

  for (let second = 0; second < 60; second++) {
    for (const { say } of talks) say();
    world.network.run(1000);
  }

  for (const { answers } of talks) assert.equal(answers().length, 60);
  for (const client of clients) {
    assert.deepEqual(reportsOf(client, "sessionDown"), []);
    assert.deepEqual(effectsOf(client, "sessionFailover"), []);
  }
  const late = world.client("late", { hunt: onlyRegistrar(3) });
  talk(late).say();
  world.network.run(1000);
  assert.equal(effectsOf(late, "sessionOpened").length, 1);
});

Deno.test("Elements of a registrar that crashes find another one by themselves; nobody owns them twice", () => {
  const world = new Scope(3);
  for (const id of [1, 2, 3]) world.join(id);
  world.network.run(START_MS);
  for (let n = 0; n < 9; n++) world.server(`server${n}`, 100 + n);
  world.network.run(3000);
  world.watch();
  const owner = Object.values(homes(world.registrars[0]!))[0]!;
  const victim = world.registrars.find(({ name }) => name === `registrar${owner}`)!;

  world.network.kill(victim, "abort");
  world.network.run(TAKEOVER_MS + 5000);

  assert.ok(world.agrees());
  const owners = Object.values(homes(world.living()[0]!));
  assert.equal(Object.keys(homes(world.living()[0]!)).length, 9);
  for (const owner of owners) {
    assert.ok(world.living().some((registrar) => registrar.name === `registrar${owner}`));
  }
});

Deno.test("Elements that die with their registrar are removed everywhere in bounded time", () => {
  const { scope: world, servers } = scope(3, 4);
  world.network.kill(servers[0]!, "silent");
  world.network.kill(world.registrars[0]!, "silent");

  world.network.run(TAKEOVER_MS + 11_000);

  for (const registrar of world.living()) {
    assert.deepEqual(Object.keys(homes(registrar)), ["101", "102", "103"]);
  }
  assert.ok(world.agrees());
});

Deno.test("A registrar that was only cut off loses its elements, and owns none twice when it is back", () => {
  for (const count of [2, 3]) {
    const { scope: world, servers } = scope(count, 4);
    const [first, ...others] = world.registrars;
    for (const other of others) world.network.cut(first!.host, other.host);

    world.network.run(TAKEOVER_MS + 10_000);
    for (const other of others) assert.notEqual(homes(other)[100], 1);
    for (const other of others) world.network.mend(first!.host, other.host);
    world.network.run(90_000);

    assert.ok(world.agrees(), `${count} registrars: ${world.living().map((r) => JSON.stringify(homes(r)))}`);
    assert.equal(Object.keys(homes(first!)).length, 4);
    const owned = world.living().map((registrar) => Object.values(homes(registrar)));
    assert.equal(new Set(owned.flat()).size, 1);
    for (const server of servers) assert.ok(found(server).length <= 3);
  }
});

Deno.test("Two registrars that die at the same time are both taken over", () => {
  const world = new Scope(5);
  for (const id of [1, 2, 3, 4]) world.join(id);
  world.network.run(START_MS);
  for (let n = 0; n < 8; n++) {
    world.server(`server${n}`, 100 + n, { hunt: { ...onlyRegistrar(1 + n % 2), announceLifeMs: 0 } });
  }
  world.network.run(3000);
  world.watch();

  world.network.kill(world.registrars[0]!, "silent");
  world.network.kill(world.registrars[1]!, "silent");
  world.network.run(TAKEOVER_MS + 6000);

  assert.ok(world.agrees());
  const owners = Object.values(homes(world.living()[0]!));
  assert.equal(owners.length, 8);
  for (const owner of owners) assert.ok(owner === 3 || owner === 4);
});

Deno.test("The last one of five registrars ends up with all elements", () => {
  const { scope: world, servers } = scope(5, 6);
  for (let dead = 0; dead < 4; dead++) {
    const owner = Object.values(homes(world.living()[0]!))[0]!;
    world.network.kill(world.registrars.find(({ name }) => name === `registrar${owner}`)!, "silent");
    world.network.run(TAKEOVER_MS + 5000);
    assert.ok(world.agrees());
    assert.equal(Object.keys(homes(world.living()[0]!)).length, 6);
  }
  assert.equal(world.living().length, 1);
  for (const server of servers) assert.equal(found(server).filter((adopted) => adopted).length, 4);
});

Deno.test("With takeover suggestions every element ends up with the registrar that suits it best", () => {
  const world = new Scope(7);
  const ids = [0x10000000, 0x5a5a5a5a, 0xc3c3c3c3];
  for (const id of ids) world.join(id, { takeoverSuggestion: true });
  world.network.run(START_MS);
  const elementIds = Array.from({ length: 12 }, (_, n) => (n * 0x1357_9bdf + 1) >>> 0);
  const hunt = { ...onlyRegistrar(1), announceLifeMs: 0 };
  const servers = elementIds.map((id, n) => world.server(`server${n}`, id, { hunt }));
  world.watch();

  world.network.run(40_000);

  const registrar = world.registrars[0]!;
  for (const elementId of elementIds) {
    const best = betterHome(elementId, ids[0]!, core(registrar).peers)?.registrarId ?? ids[0];
    assert.equal(homes(registrar)[elementId], best);
  }
  assert.ok(world.agrees());
  for (const one of world.registrars) assert.ok(core(one).handlespace.elementCount === 12);
  world.network.run(200_000);
  assert.ok(world.agrees());
  for (const server of servers) assert.ok(found(server).length <= 2, "no element wanders");
});

Deno.test("A healthy element that a user of another registrar reports is asked by that one, and keeps its home", () => {
  const { scope: world, servers } = scope(2, 1);
  const [first, second] = world.registrars;
  talk(world.client("client", { hunt: onlyRegistrar(2) })).say();
  world.network.run(1000);
  const { association } = reportsOf(second!, "associationUp").findLast(({ endpoint }) =>
    endpoint === "asap"
  )!;
  const data = writeAsap({ type: "endpointUnreachable", poolHandle: POOL, elementId: 100 });
  const message = {
    type: "message",
    association,
    stream: 0,
    ssn: 0,
    tsn: 0,
    ppid: 11,
    unordered: false,
    data,
  } as const;

  second!.input({ type: "transport", endpoint: "asap", event: message });
  world.network.run(10_000);

  const asked = reportsOf(servers[0]!, "keepAlive").filter(({ registrarId }) => registrarId === 2);
  assert.deepEqual(asked.map(({ home }) => home), [false]);
  assert.deepEqual([homes(first!), homes(second!)], [allAt(1, 1), allAt(1, 1)]);
  assert.deepEqual(found(servers[0]!), [false]);
  assert.deepEqual(reportsOf(second!, "removed"), []);
});
