/**
 * The other process of the benchmarks: takes messages and says how many came and how fast, or sends them back. One
 * line of JSON for each association that ended.
 *
 * @module
 */
import { type EmbeddedTransportOptions, openEmbeddedTransport } from "../cmd/driver/embedded_transport.ts";
import type { AssociationId, Endpoint } from "../protocol/net.ts";

/** What the peer is to do, given as JSON in its only argument. */
export interface BenchPeerTask {
  readonly transport: EmbeddedTransportOptions;
  /** Sends every message back. */
  readonly echo: boolean;
}

/** A line of the peer's output. */
export type BenchPeerReport =
  /** It listens. */
  | { readonly type: "ready"; readonly port: number }
  /** An association ended. */
  | { readonly type: "received"; readonly messages: number; readonly octets: number; readonly ms: number }
  /** The answer to a line on standard input. */
  | { readonly type: "memory"; readonly heapBytes: number; readonly rssBytes: number };

interface Tally {
  messages: number;
  octets: number;
  firstAt: number;
  lastAt: number;
}

/** Octets of JavaScript heap after a collection, and of the whole process. */
export function memoryInUse(): { readonly heapBytes: number; readonly rssBytes: number } {
  const { gc } = globalThis as { gc?: () => void };
  gc?.();
  gc?.();
  const { heapUsed, rss } = Deno.memoryUsage();
  return { heapBytes: heapUsed, rssBytes: rss };
}

function say(line: BenchPeerReport): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(line)}\n`));
}

async function main(task: BenchPeerTask): Promise<void> {
  const transport = openEmbeddedTransport(task.transport);
  const tallies = new Map<AssociationId, Tally>();
  const endpoint: Endpoint = transport.open({ listen: true }, (events) => {
    const now = performance.now();
    for (const event of events) {
      if (event.type === "message") {
        let tally = tallies.get(event.association);
        if (tally === undefined) {
          tally = { messages: 0, octets: 0, firstAt: now, lastAt: now };
          tallies.set(event.association, tally);
        }
        tally.messages++;
        tally.octets += event.data.length;
        tally.lastAt = now;
        if (task.echo) {
          const { association, data, ppid } = event;
          endpoint.execute({ type: "send", association, data, ppid });
        }
      } else if (event.type === "down") {
        const tally = tallies.get(event.association);
        if (tally === undefined) continue;
        tallies.delete(event.association);
        const { messages, octets, firstAt, lastAt } = tally;
        say({ type: "received", messages, octets, ms: lastAt - firstAt });
      }
    }
  });
  say({ type: "ready", port: endpoint.port });
  for await (const _line of Deno.stdin.readable) say({ type: "memory", ...memoryInUse() });
  await transport.close(); // the benchmark has closed our input
}

if (import.meta.main) await main(JSON.parse(Deno.args[0]!));
