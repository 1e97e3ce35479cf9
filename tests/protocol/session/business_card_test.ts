import assert from "node:assert/strict";
import { effectsOf, makeEcho, POOL, reportsOf, World } from "./world.ts";
import type { ClientProcess } from "./world.ts";

/** A user that fails over when it is told, and reports nobody. */
function goOn(client: ClientProcess): void {
  client.onEffect = (effect) => {
    if (effect.type !== "sessionFailover" || effect.state !== "necessary") return;
    client.input({ type: "failover", session: 1, reportUnreachable: false });
  };
}

/** Three elements, a user that one of them serves, and the registrar; all with business cards or without. */
function build(businessCards: boolean) {
  const world = new World(), { network } = world;
  const registrar = world.registrar();
  const servers = [0x11, 0x12, 0x13].map((id) => world.server(`server${id}`, id, { businessCards }));
  for (const server of servers) makeEcho(server);
  network.run(15_000);
  const client = world.client("client", { connectTimeoutMs: 500 });
  goOn(client);
  client.input({ type: "openSession", session: 1, poolHandle: POOL });
  network.run(1000);
  client.input({ type: "send", session: 1, ppid: 4711, data: Uint8Array.of(1) });
  network.run(100);
  const kill = () => {
    const used = reportsOf(client, "sessionUp").at(-1).elementId;
    network.kill(servers.find((_, n) => [0x11, 0x12, 0x13][n] === used)!, "abort");
  };
  const completed = () => effectsOf(client, "sessionFailover").filter(({ state }) => state === "complete");
  return { network, registrar, client, kill, completed };
}

Deno.test("with business cards sessions outlive the registrar and all elements but the last", () => {
  const { network, registrar, client, kill, completed } = build(true);
  network.kill(registrar, "silent");
  for (let failover = 1; failover <= 2; failover++) {
    kill();
    assert.ok(network.runUntil(() => completed().length === failover, 3000), `failover ${failover}`);
    assert.ok(completed().at(-1)!.hasCookie);
    client.input({ type: "send", session: 1, ppid: 4711, data: Uint8Array.of(1) });
    network.run(100);
  }
  assert.equal(effectsOf(client, "sessionMessage").length, 3, "each served");
  kill();
  network.run(20_000);
  assert.equal(completed().length, 2, "nobody is left");
});

Deno.test("without business cards a failover waits for a registrar", () => {
  const { network, registrar, kill, completed } = build(false);
  network.kill(registrar, "silent");
  kill();
  network.run(20_000);
  assert.equal(completed().length, 0);
});

Deno.test("a failover by business card takes no longer than the round trips to the element", () => {
  const { network, kill, completed } = build(true);
  kill();
  assert.ok(network.runUntil(() => completed().length === 1, 60));
});
