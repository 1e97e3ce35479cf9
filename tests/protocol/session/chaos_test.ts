import assert from "node:assert/strict";
import { Prng } from "../../../protocol/machine.ts";
import { Registrar } from "../../../protocol/registrar/mod.ts";
import { encodeText } from "../../../protocol/wire/mod.ts";
import { effectsOf, makeEcho, POOL, World } from "./world.ts";
import type { ClientProcess, RegistrarProcess, ServerProcess } from "./world.ts";

const PPID = 4711;
const SERVERS = 3;
const CLIENTS = 3;
const SESSIONS = 3;

/** A user that keeps its sessions busy: fails over when told, says something twice a second. */
function keepBusy(client: ClientProcess): Set<number> {
  const up = new Set<number>();
  client.onEffect = (effect) => {
    if (effect.type === "sessionOpened") up.add(effect.session);
    if (effect.type === "sessionFailover") {
      if (effect.state === "complete") {
        up.add(effect.session);
      } else {
        up.delete(effect.session);
        client.input({ type: "failover", session: effect.session, reportUnreachable: true });
      }
    }
  };
  return up;
}

/**
 * Servers, users and the registrar are killed, hang and come back, hosts are cut from each other. Meanwhile the
 * registrar's structures agree after every event; afterwards everybody is served within a minute.
 */
function chaos(seed: number): void {
  const world = new World(seed);
  const { network } = world;
  const random = new Prng(seed);
  const registrarHost = world.host();
  const serverHosts = Array.from({ length: SERVERS }, () => world.host());
  const clientHosts = Array.from({ length: CLIENTS }, () => world.host());
  let registrar: RegistrarProcess = world.registrar({}, registrarHost);
  let generation = 0;
  const serve = (n: number): ServerProcess => {
    const elementId = 0x1000 + 16 * ++generation + n;
    const server = world.server(
      `server${n}.${generation}`,
      elementId,
      { reregistrationIntervalMs: 4000 },
      serverHosts[n]!,
    );
    makeEcho(server);
    return server;
  };
  const servers = serverHosts.map((_, n) => serve(n));
  const clients = clientHosts.map((host, n) => world.client(`client${n}`, { seed: seed + n }, host));
  const up = clients.map(keepBusy);
  for (const client of clients) {
    for (let session = 1; session <= SESSIONS; session++) {
      client.input({ type: "openSession", session, poolHandle: POOL });
    }
  }
  network.afterEvent = () => {
    if (registrar.alive && registrar.machine instanceof Registrar) registrar.machine.checkInvariants();
  };
  const hosts = [registrarHost, ...serverHosts, ...clientHosts];
  for (let step = 0; step < 100; step++) {
    const how = random.chance(0.5) ? "abort" : "silent";
    switch (random.below(14)) {
      case 0: {
        const n = random.below(SERVERS);
        if (servers[n]!.alive) network.kill(servers[n]!, how);
        else servers[n] = serve(n);
        break;
      }
      case 1:
        if (registrar.alive) network.kill(registrar, how);
        else registrar = world.registrar({ registrarId: 1 + random.below(1000) }, registrarHost);
        break;
      case 2:
        network.cut(hosts[random.below(hosts.length)]!, hosts[random.below(hosts.length)]!);
        break;
      case 3:
        network.mend(hosts[random.below(hosts.length)]!, hosts[random.below(hosts.length)]!);
        break;
      case 4: {
        const server = servers[random.below(SERVERS)]!;
        if (server.alive) server.input({ type: "stop" });
        break;
      }
      default:
        for (const [n, client] of clients.entries()) {
          for (const session of up[n]!) {
            client.input({ type: "send", session, ppid: PPID, data: encodeText("x") });
          }
        }
    }
    network.run(2000 * random.uniform());
  }
  for (const a of hosts) for (const b of hosts) network.mend(a, b);
  if (!registrar.alive) registrar = world.registrar({ registrarId: 7777 }, registrarHost);
  servers.forEach((server, n) => {
    if (server.alive) network.kill(server, "abort");
    servers[n] = serve(n);
  });
  network.run(60_000);
  for (const [n, client] of clients.entries()) {
    assert.equal(up[n]!.size, SESSIONS, `seed ${seed}: ${client.name} has its sessions`);
    const before = effectsOf(client, "sessionMessage").length;
    for (const session of up[n]!) {
      client.input({ type: "send", session, ppid: PPID, data: encodeText("end") });
    }
    network.run(100);
    assert.equal(
      effectsOf(client, "sessionMessage").length,
      before + SESSIONS,
      `seed ${seed}: all are answered`,
    );
    client.input({ type: "stop" });
  }
  for (const server of servers) server.input({ type: "stop" });
  network.run(6000);
  registrar.input({ type: "stop" });
  network.run(3000);
  for (const process of [registrar, ...servers, ...clients]) {
    assert.equal(process.effects.at(-1)?.effect.type, "stopped", `seed ${seed}: ${process.name} has stopped`);
    assert.equal(process.machine.nextTimeout(), undefined, `seed ${seed}: ${process.name} leaves no timer`);
    assert.equal(process.sides.size, 0, `seed ${seed}: ${process.name} leaves no association`);
  }
}

Deno.test("in a world of crashes and cuts the registrar stays consistent and everybody is served in the end", () => {
  for (let seed = 1; seed <= 12; seed++) chaos(seed);
});
