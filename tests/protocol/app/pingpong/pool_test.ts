import assert from "node:assert/strict";
import { PingPongClient } from "../../../../protocol/app/pingpong/client.ts";
import type { PingPongClientEffect, PingPongClientReport } from "../../../../protocol/app/pingpong/client.ts";
import { PingPongServer } from "../../../../protocol/app/pingpong/server.ts";
import type {
  PingPongServerOptions,
  PingPongServerReport,
} from "../../../../protocol/app/pingpong/server.ts";
import { SessionLimit } from "../../../../protocol/app/session_limit.ts";
import type { SessionLimitReport } from "../../../../protocol/app/session_limit.ts";
import { Prng } from "../../../../protocol/machine.ts";
import { encodeText } from "../../../../protocol/wire/text.ts";
import { reportsOf } from "../../session/world.ts";
import { PoolLab } from "../pool_lab.ts";
import type { ApplicationProcess } from "../pool_lab.ts";

const POOL = encodeText("PingPongPool");

type ServerReport = PingPongServerReport | SessionLimitReport;
type Server = ApplicationProcess<never, never, ServerReport>;

/** Ping-pong servers and one client. */
class Lab extends PoolLab {
  client: PingPongClient | undefined;

  constructor(seed: number) {
    super(seed, POOL);
  }

  pingPong(elementId: number, options: PingPongServerOptions = {}, maxSessions = 4): Server {
    return this.server<ServerReport>(elementId, (outlet) => {
      return new SessionLimit(outlet, new PingPongServer(outlet, options), maxSessions);
    });
  }

  pinger(count: number, seed = 1): ApplicationProcess<never, PingPongClientEffect, PingPongClientReport> {
    return this.user<never, PingPongClientEffect, PingPongClientReport>((outlet) => {
      return this.client = new PingPongClient(outlet, {
        poolHandle: POOL,
        intervalMs: 50,
        count,
        receiveTimeoutMs: 3000,
        payload: (messageNumber) => encodeText(`Ping ${messageNumber}`),
        prng: new Prng(seed),
      });
    });
  }
}

function isDone(
  user: { readonly effects: readonly { readonly effect: { readonly type: string } }[] },
): boolean {
  return user.effects.some(({ effect }) => effect.type === "allAnswered");
}

for (const how of ["abort", "silent"] as const) {
  Deno.test(`Pings are answered without gap or loss while PEs die (${how}), in many worlds`, () => {
    let failovers = 0, sentAgain = 0;
    for (let seed = 1; seed <= 25; seed++) {
      const lab = new Lab(seed), random = new Prng(seed);
      const { network } = lab.world;
      const servers = [1, 2, 3].map((elementId) => ({ elementId, process: lab.pingPong(elementId) }));
      network.run(3000); // all have registered
      const user = lab.pinger(300, seed);
      network.runUntil(() => lab.client!.statistics.answered > 0, 10_000);
      for (let round = 0; round < 5; round++) {
        network.runUntil(() => isDone(user), 200 + 4000 * random.uniform());
        const { elementId } = reportsOf(user, "pingPongConnected").at(-1);
        const used = Math.max(0, servers.findIndex((server) => server.elementId === elementId));
        const [victim] = servers.splice(random.chance(0.8) ? used : random.below(3), 1);
        network.kill(victim!.process, how);
        servers.push({ elementId: 4 + round, process: lab.pingPong(4 + round) });
      }
      assert.ok(network.runUntil(() => isDone(user), 120_000), `all are answered, seed ${seed}`);
      const { statistics } = lab.client!;
      assert.equal(statistics.answered, 300);
      assert.equal(statistics.gaps, 0, `seed ${seed}`);
      assert.equal(statistics.invalid, 0);
      const numbers = reportsOf(user, "pongReceived").map(({ messageNumber }) => messageNumber);
      assert.deepEqual(
        numbers,
        Array.from({ length: 300 }, (_, index) => BigInt(index + 1)),
        "in order, each once",
      );
      failovers += statistics.failovers;
      sentAgain += statistics.sentAgain;
    }
    assert.ok(failovers >= 50, `${failovers} failovers`);
    assert.ok(sentAgain > 0, "some Pings were lost and sent again");
  });
}

Deno.test("Pings are answered in a pool whose PEs abort every session after three replies", () => {
  const lab = new Lab(5);
  lab.pingPong(1, { failureAfter: 3 });
  lab.pingPong(2, { failureAfter: 3 });
  const user = lab.pinger(50);
  assert.ok(lab.world.network.runUntil(() => isDone(user), 60_000));
  const { statistics } = lab.client!;
  assert.deepEqual([statistics.gaps, statistics.repeatedReplies, statistics.answered], [0, 0, 50]);
  assert.ok(statistics.failovers >= 16);
  assert.ok(reportsOf(user, "unreachableReported").length === 0, "who aborts is not unreachable");
});

Deno.test("a user finds the PE that has a place, and waits when none has one", () => {
  const lab = new Lab(6);
  const full = lab.pingPong(1, {}, 1);
  const { network } = lab.world;
  network.run(3000);
  const first = lab.pinger(1000);
  assert.ok(network.runUntil(() => lab.client!.statistics.answered > 2, 10_000));
  const late = lab.pinger(10);
  assert.ok(!network.runUntil(() => isDone(late), 5000), "there is no place for it");
  assert.ok(reportsOf(full, "serverFull").length >= 2);
  assert.ok(reportsOf(full, "serverFull").length < 10, "it does not ask for ever and ever");
  lab.pingPong(2);
  assert.ok(network.runUntil(() => isDone(late), 30_000), "the other PE has places");
  assert.equal(isDone(first), false);
  assert.equal(reportsOf(full, "serverLoad").at(-1)?.load, 1);
});
