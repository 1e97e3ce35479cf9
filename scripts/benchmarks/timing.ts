/** Times of the embedded transport: round trips, set-up, wake-ups of an idle process. */
import { openEmbeddedTransport } from "../../cmd/driver/embedded_transport.ts";
import { sharedPoller } from "../../ffi/poller.ts";
import type { AssociationId, Endpoint, Transport } from "../../protocol/net.ts";
import { Churn } from "./churn.ts";
import { connectTo } from "./flood.ts";
import { withPeer } from "./other_process.ts";
import { delay, quantile, type Result, round, type Settings } from "./result.ts";
import { transportOptions } from "./throughput.ts";

/** Round trips of small messages, one at a time. */
export async function latency({ carriers }: Settings, emit: (result: Result) => void): Promise<void> {
  for (const carrier of carriers) {
    const options = transportOptions(carrier, 1500);
    await withPeer({ transport: options, echo: true }, async (peer) => {
      const transport = openEmbeddedTransport(options);
      const times = await roundTrips(transport, peer.ports[0]!, 5000);
      await transport.close();
      times.sort((a, b) => a - b);
      emit({
        name: "latency",
        what: `${carrier}, 64 octets`,
        figures: {
          medianMicroseconds: round(quantile(times, 0.5) * 1000, 0),
          p95Microseconds: round(quantile(times, 0.95) * 1000, 0),
          p99Microseconds: round(quantile(times, 0.99) * 1000, 0),
        },
      });
    });
  }
}

async function roundTrips(transport: Transport, port: number, count: number): Promise<number[]> {
  const { promise, resolve, reject } = Promise.withResolvers<number[]>();
  const data = new Uint8Array(64), times: number[] = [];
  let sentAt = 0;
  const next = (association: AssociationId) => {
    sentAt = performance.now();
    endpoint.execute({ type: "send", association, data, ppid: 0 });
  };
  const endpoint: Endpoint = transport.open({}, (events) => {
    for (const event of events) {
      if (event.type === "up") next(event.association);
      else if (event.type === "down") reject(new Error(`association ended: ${event.reason}`));
      else if (event.type === "message") {
        times.push(performance.now() - sentAt);
        if (times.length < count) next(event.association);
        else resolve(times);
      }
    }
  });
  connectTo(endpoint, port);
  return await promise;
}

/** Associations set up and shut down, one after the other. */
export async function setup(
  { carriers, associations = 2000 }: Settings,
  emit: (result: Result) => void,
): Promise<void> {
  for (const carrier of carriers) {
    const options = transportOptions(carrier, 1500);
    await withPeer({ transport: options, echo: false }, async (peer) => {
      const transport = openEmbeddedTransport(options);
      const churn = new Churn(transport, peer.ports[0]!);
      await churn.run(200); // the first ones pay for the compiler
      const startedAt = performance.now();
      await churn.run(associations);
      const ms = performance.now() - startedAt;
      await transport.close();
      const times = churn.times.sort((a, b) => a - b);
      emit({
        name: "setup",
        what: `${carrier}, ${associations} associations`,
        figures: {
          associationsPerSecond: Math.round(associations / ms * 1000),
          medianMs: round(quantile(times, 0.5), 3),
          p95Ms: round(quantile(times, 0.95), 3),
        },
        // The trial: 1,100 to 1,155 a second.
        target: { figure: "associationsPerSecond", reference: "trial", referenceValue: 1127, factor: 1 },
      });
    });
  }
}

/** How often a process with one idle association wakes up. */
export async function idle({ carriers, seconds }: Settings, emit: (result: Result) => void): Promise<void> {
  const carrier = carriers[0]!;
  const options = transportOptions(carrier, 1500);
  await withPeer({ transport: options, echo: false }, async (peer) => {
    const transport = openEmbeddedTransport(options);
    const up = Promise.withResolvers<void>();
    const endpoint = transport.open(
      {},
      (events) => events.some((event) => event.type === "up") && up.resolve(),
    );
    connectTo(endpoint, peer.ports[0]!);
    await up.promise;
    await delay(500); // a delayed SACK or the first heartbeat is not idleness
    const durationMs = Math.max(3, seconds) * 1000;
    const parksBefore = sharedPoller().parkCount, switchesBefore = voluntarySwitches();
    await delay(durationMs);
    const parks = sharedPoller().parkCount - parksBefore, switches = voluntarySwitches() - switchesBefore;
    await transport.close();
    emit({
      name: "idle",
      what: `${carrier}, one association`,
      figures: {
        parkedCallsPerSecond: round(parks / durationMs * 1000, 2),
        threadWakeUpsPerSecond: round(switches / durationMs * 1000, 2),
      },
    });
  });
}

/** How often any thread of this process has gone to sleep. */
function voluntarySwitches(): number {
  let sum = 0;
  for (const { name } of Deno.readDirSync("/proc/self/task")) {
    const status = Deno.readTextFileSync(`/proc/self/task/${name}/status`);
    sum += Number(/^voluntary_ctxt_switches:\s*(\d+)/m.exec(status)?.[1] ?? 0);
  }
  return sum;
}
