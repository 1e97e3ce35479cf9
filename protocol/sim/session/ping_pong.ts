import { ApplicationMachine } from "../../app/mod.ts";
import { PingPongClient } from "../../app/pingpong/client.ts";
import type { PingPongClientEffect, PingPongClientReport } from "../../app/pingpong/client.ts";
import { PingPongServer } from "../../app/pingpong/server.ts";
import type { PingPongServerReport } from "../../app/pingpong/server.ts";
import { Prng } from "../../machine.ts";
import { ServiceHost, SessionClient } from "../../session/mod.ts";
import type { Workload, WorkloadContext } from "./workload.ts";

/** Pings of a user in all. */
const PINGS = 600;

/**
 * Ping-pong: every Ping is answered, with its own data, and reply numbers leave none out over failovers. A number may come
 * again: an element that dies between a Pong and its cookie makes the next one repeat it.
 */
export function pingPongWorkload(context: WorkloadContext, users: number): Workload {
  const clients: PingPongClient[] = [];
  const statistics = () => clients.map((client) => client.statistics);
  return {
    sessions: 2,
    total: users * PINGS,
    get done() {
      return statistics().reduce((sum, { answered }) => sum + answered, 0);
    },
    get failovers() {
      return statistics().reduce((sum, { failovers }) => sum + failovers, 0);
    },
    server: (options) => ({
      machine: new ApplicationMachine<never, never, PingPongServerReport>(
        new ServiceHost(options),
        (outlet) => new PingPongServer(outlet, { failureAfter: 40 }),
      ),
      onEffect: () => {},
    }),
    client: (options, poolHandle) => ({
      machine: new ApplicationMachine<never, PingPongClientEffect, PingPongClientReport>(
        new SessionClient(options),
        (outlet) => {
          const client = new PingPongClient(outlet, {
            poolHandle,
            intervalMs: 700,
            count: PINGS,
            receiveTimeoutMs: 5000,
            payload: (number) => Uint8Array.of(Number(number & 255n), Number(number >> 8n & 255n)),
            prng: new Prng(options.seed),
          });
          clients.push(client);
          return client;
        },
      ),
      onEffect: (effect) => check(effect as Reported, context),
    }),
  };
}

type Reported = { readonly type: "report"; readonly report: PingPongClientReport } | {
  readonly type: "stopped";
};

function check(effect: Reported, { violated }: WorkloadContext): void {
  if (effect.type !== "report") return;
  const { report } = effect;
  if (report.type === "replyGap") violated(`${report.missing} reply numbers were left out`);
  if (report.type === "replyRepeated" && report.expected - report.replyNumber > 1n) {
    violated(`reply number ${report.replyNumber} came where ${report.expected} was due: a cookie was lost`);
  }
  if (report.type === "pongInvalid") violated(`a Pong is not as it should be: ${report.reason}`);
}
