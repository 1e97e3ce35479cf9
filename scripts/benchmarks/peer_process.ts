/**
 * The other process of the benchmarks: takes messages and says how many came and how fast, or sends them back. One
 * line of JSON for each association that ended.
 *
 * @module
 */
import { type EmbeddedTransportOptions, openEmbeddedTransport } from "../../cmd/driver/embedded_transport.ts";
import { openKernelTransport } from "../../ffi/kernel_sctp.ts";
import type { AssociationId, Endpoint, EndpointOptions, TransportEvent } from "../../protocol/net.ts";

/** What the peer is to do, given as JSON in its only argument. */
export interface BenchPeerTask {
  readonly transport: EmbeddedTransportOptions | "kernel";
  /** Sends every message back. */
  readonly echo: boolean;
  /** How many endpoints listen; default 1. */
  readonly endpoints?: number;
  readonly options?: EndpointOptions;
}

/** A line of the peer's output. */
export type BenchPeerReport =
  /** It listens, with each endpoint on a port. */
  | { readonly type: "ready"; readonly ports: readonly number[] }
  /** An association ended. */
  | {
    readonly type: "received";
    readonly messages: number;
    readonly octets: number;
    /** From the first message to the last one. */
    readonly ms: number;
    /** The longest time without a message. */
    readonly longestGapMs: number;
  }
  /** The answer to a line on standard input. */
  | { readonly type: "memory"; readonly heapBytes: number; readonly rssBytes: number };

interface Tally {
  messages: number;
  octets: number;
  readonly firstAt: number;
  lastAt: number;
  longestGapMs: number;
}

/** Octets of JavaScript heap after a collection, and of the whole process. */
export function memoryInUse(): { readonly heapBytes: number; readonly rssBytes: number } {
  const { gc } = globalThis as { gc?: () => void };
  gc?.();
  gc?.();
  const { heapUsed, external, rss } = Deno.memoryUsage();
  return { heapBytes: heapUsed + external, rssBytes: rss };
}

function say(line: BenchPeerReport): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(line)}\n`));
}

async function main(task: BenchPeerTask): Promise<void> {
  const transport = task.transport === "kernel"
    ? openKernelTransport()
    : openEmbeddedTransport(task.transport);
  const tallies = new Map<AssociationId, Tally>();
  const handle = (endpoint: Endpoint, event: TransportEvent, now: number) => {
    if (event.type === "message") {
      count(tallies, event.association, event.data.length, now);
      if (!task.echo) return;
      const { association, data, ppid } = event;
      endpoint.execute({ type: "send", association, data, ppid });
    } else if (event.type === "down") {
      const tally = tallies.get(event.association);
      if (tally === undefined) return;
      tallies.delete(event.association);
      const { messages, octets, firstAt, lastAt, longestGapMs } = tally;
      say({ type: "received", messages, octets, ms: lastAt - firstAt, longestGapMs });
    }
  };
  const endpoints = Array.from({ length: task.endpoints ?? 1 }, () => {
    const endpoint: Endpoint = transport.open({ ...task.options, listen: true }, (events) => {
      const now = performance.now();
      for (const event of events) handle(endpoint, event, now);
    });
    return endpoint;
  });
  say({ type: "ready", ports: endpoints.map(({ port }) => port) });
  for await (const _line of Deno.stdin.readable) say({ type: "memory", ...memoryInUse() });
  await transport.close(); // the benchmark has closed our input
}

function count(
  tallies: Map<AssociationId, Tally>,
  association: AssociationId,
  octets: number,
  now: number,
): void {
  let tally = tallies.get(association);
  if (tally === undefined) {
    tally = { messages: 0, octets: 0, firstAt: now, lastAt: now, longestGapMs: 0 };
    tallies.set(association, tally);
  }
  tally.messages++;
  tally.octets += octets;
  if (now - tally.lastAt > tally.longestGapMs) tally.longestGapMs = now - tally.lastAt;
  tally.lastAt = now;
}

if (import.meta.main) await main(JSON.parse(Deno.args[0]!));
