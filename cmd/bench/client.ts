/** The side of `rsp bench` that asks for runs. */
import type { Endpoint } from "../../protocol/net.ts";
import { connect, connectAll, type ConnectTask, showPeer } from "./connect.ts";
import type { Plan } from "./control.ts";
import { type DirectionResult, sumDirections, sumFigures } from "./figures.ts";
import { Histogram } from "./histogram.ts";
import { sumProgress, watchProgress } from "./intervals.ts";
import type { BenchOptionValues } from "./options.ts";
import { Party, type Progress, RunFailure, type RunResult } from "./party.ts";
import type { ReportLine } from "./report.ts";
import { createSending, type Sending } from "./sending.ts";

/** What a client is to do. */
export interface ClientTask extends ConnectTask {
  readonly plans: readonly Plan[];
  readonly emit: (line: ReportLine) => void;
  /** Aborted: come to an end now, with the figures so far. */
  readonly signal: AbortSignal;
}

/** Carries out all runs. @throws {RunFailure} with a sentence for people */
export async function runClient(task: ClientTask): Promise<void> {
  await (task.options.discard ? discardRuns(task) : askedRuns(task));
}

async function askedRuns(task: ClientTask): Promise<void> {
  const { options, peer, plans, emit, signal } = task;
  const links = await connectAll(options.parallel, () => openLink(task));
  const stop = () => links.forEach(({ party }) => party.stop());
  signal.addEventListener("abort", stop);
  try {
    for (const plan of plans) {
      if (signal.aborted) break;
      checkStreams(links, plan);
      using _watch = watchProgress(
        options.interval,
        plan.size,
        () => sumProgress(links.map(({ party }) => party.progress())),
        emit,
      );
      const results = await Promise.all(links.map(({ party }) => party.ask(plan)));
      tellResults(plan, results, emit);
    }
  } catch (error) {
    throw error instanceof RunFailure ? new RunFailure(`${showPeer(peer)} ${error.message}`) : error;
  } finally {
    signal.removeEventListener("abort", stop);
    await Promise.all(links.map(({ endpoint }) => endpoint.close()));
  }
}

function tellResults(plan: Plan, results: readonly RunResult[], emit: (line: ReportLine) => void): void {
  const facts = { size: plan.size, associations: results.length };
  const outbound = joined(results.map((result) => result.outbound));
  const inbound = joined(results.map((result) => result.inbound));
  if (plan.mode === "latency") {
    const histogram = new Histogram();
    for (const result of results) if (result.histogram !== undefined) histogram.merge(result.histogram);
    const figures = sumFigures(results.flatMap((result) => result.outbound?.sent ?? []));
    const { retransmissions } = outbound ?? { retransmissions: undefined };
    emit({ type: "latency", ...facts, figures, histogram, retransmissions });
    return;
  }
  if (outbound !== undefined) emit({ type: "result", ...facts, direction: "sent", result: outbound });
  if (inbound !== undefined) emit({ type: "result", ...facts, direction: "received", result: inbound });
}

function joined(results: readonly (DirectionResult | undefined)[]): DirectionResult | undefined {
  const known = results.filter((result) => result !== undefined);
  return known.length === 0 ? undefined : sumDirections(known);
}

/** An association of this side. SCTP has one between two endpoints, so each has an endpoint of its own. */
interface Link {
  readonly endpoint: Endpoint;
  readonly party: Party;
}

async function openLink(task: ClientTask): Promise<Link> {
  const link: { party?: Party } = {};
  const { endpoint, up } = await connect(task, (event, now) => link.party?.handle(event, now));
  link.party = new Party(endpoint, up, { onRun: () => {}, onForeign: () => {} });
  return { endpoint, party: link.party };
}

function checkStreams(links: readonly Link[], { streams, direction }: Plan): void {
  if (direction === "receive") return;
  const granted = Math.min(...links.map(({ party }) => party.up.outboundStreams));
  if (streams > granted) throw new RunFailure(`grants ${granted} streams, not ${streams}`);
}

// ---------------------------------------------------------------------------------------------- to a discard server

/** One association for each run and each parallel one: its SHUTDOWN says that everything was acknowledged. */
async function discardRuns(task: ClientTask): Promise<void> {
  for (const plan of task.plans) {
    if (task.signal.aborted) break;
    const senders: Sending[] = [];
    const size = plan.size;
    const progress = (): Progress => {
      const messages = senders.reduce((sum, { tally }) => sum + tally.total, 0);
      return { sentMessages: messages, sentOctets: messages * size, receivedMessages: 0, receivedOctets: 0 };
    };
    using _watch = watchProgress(task.options.interval, size, progress, task.emit);
    const results = await Promise.all(
      Array.from({ length: task.options.parallel }, () => discardRun(task, plan, (one) => senders.push(one))),
    );
    const result = sumDirections(results);
    task.emit({ type: "result", size, direction: "sent", associations: results.length, result });
  }
}

async function discardRun(
  task: ClientTask,
  plan: Plan,
  onSending: (sending: Sending) => void,
): Promise<DirectionResult> {
  const { peer, signal } = task;
  const ended = Promise.withResolvers<void>();
  ended.promise.catch(() => {}); // waited for below, unless the association does not even come up
  let sending: Sending | undefined;
  const { endpoint, up } = await connect(task, (event) => {
    if (event.type === "blocked") sending?.blocked();
    else if (event.type === "writable") sending?.writable();
    else if (event.type === "down") {
      if (event.reason === "shutdown" && event.origin === "local") ended.resolve();
      else ended.reject(new RunFailure(`${showPeer(peer)} ended the association (${event.reason})`));
    }
  });
  const { association, outboundStreams } = up, { ppid, unordered } = plan;
  let retransmissions: number | undefined;
  const stop = () => sending?.stop();
  try {
    if (plan.streams > outboundStreams) {
      throw new RunFailure(`${showPeer(peer)} grants ${outboundStreams} streams, not ${plan.streams}`);
    }
    sending = createSending(plan, {
      send: (data, stream) => endpoint.execute({ type: "send", association, data, ppid, stream, unordered }),
      onStart: () => {},
      onEnd: () => {
        retransmissions = endpoint.statistics(association)?.retransmittedChunks;
        endpoint.execute({ type: "shutdown", association });
      },
    });
    onSending(sending);
    signal.addEventListener("abort", stop);
    sending.begin();
    await ended.promise;
    return { sent: sending.tally.figures(performance.now()), received: undefined, retransmissions };
  } finally {
    signal.removeEventListener("abort", stop);
    sending?.cancel();
    await endpoint.close();
  }
}

/** What the command line asks for, one plan for each size. */
export function plansOf(options: BenchOptionValues): Plan[] {
  const { latency, reverse, both, streams, unordered, ppid, warmup, duration, count, rate, bitrate } =
    options;
  return options.size.map((size) => ({
    mode: latency ? "latency" : "throughput",
    direction: both ? "both" : reverse ? "receive" : "send",
    size,
    streams,
    unordered,
    ppid,
    warmUpMs: warmup * 1000,
    durationMs: count === undefined ? duration * 1000 : 0,
    count: count ?? 0,
    rate: bitrate > 0 ? bitrate / 8 / size : rate,
  }));
}
