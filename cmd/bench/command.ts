/** `rsp bench`: throughput and latency of SCTP and of registrars. */
import { defineCommand } from "../command.ts";
import type { Command, Context } from "../command.ts";
import { resolveHosts, resolveLocal } from "../driver/host_names.ts";
import { openTransport, transportFailure } from "../driver/transport.ts";
import { OptionError, readHostSocket } from "../options.ts";
import type { HostSocket, Socket } from "../options.ts";
import { loadRegistrar } from "./asap_client.ts";
import { ASAP_PORT, asapOptions } from "./asap_options.ts";
import { asapHeadline, asapJsonLine, type AsapLine, asapTextLine } from "./asap_report.ts";
import { plansOf, runClient } from "./client.ts";
import type { ConnectTask } from "./connect.ts";
import { CONTROL_PPID } from "./control.ts";
import { benchOptions } from "./options.ts";
import type { BenchOptionValues } from "./options.ts";
import { RunFailure } from "./party.ts";
import { headline, jsonLine, type ReportLine, textLine } from "./report.ts";
import { serve } from "./server.ts";
import { formatTransportAddresses, transportAddresses } from "../../protocol/net.ts";
import type { Endpoint, Transport } from "../../protocol/net.ts";

/** The command. */
export const command: Command = defineCommand({
  name: "bench",
  summary: "Measures how fast SCTP is, and how fast registrars answer",
  description: [
    "One side waits with -listen, the other one names it and says what is to be measured. The receiver counts, and " +
    "its figures are shown at both sides; retransmissions are the sender's. One line a run: length of a message, " +
    "messages, octets, seconds, messages and megabytes (10^6) a second, retransmitted chunks, direction. Ctrl+C " +
    "ends a run with the figures so far.",
    "The side that listens counts what other programs send, such as tsctp; with -discard this side sends to any " +
    "server that reads. The options of the group Association hold for the side where they are given.",
    "With -asap the other side is a registrar, of whatever make: users resolve a pool, or elements register there, as " +
    "fast as it answers. A line a run: users, answers, refusals among them, answers a second, times from request to " +
    "answer.",
  ],
  exitCodes: {
    1: "There was no association, or the peer went away",
  },
  operands: "[HOST[:PORT]]",
  options: benchOptions,
  examples: [
    { line: "rsp bench -listen", text: "Wait for the other side" },
    { line: "rsp bench 10.1.0.1 -size=64,1K,16K", text: "Send for five seconds with each of three sizes" },
    {
      line: "rsp bench 10.1.0.1,10.2.0.1 -both -interval=1",
      text: "Two paths, both directions, a line a second",
    },
    { line: "rsp bench 10.1.0.1 -latency -count=10000 -size=64", text: "Round-trip times" },
    { line: "rsp bench 10.1.0.1 -parallel=4 -streams=16 -unordered", text: "Four associations" },
    { line: "rsp bench 10.1.0.1 -asap=resolve,register -users=1,10,100", text: "Load on a registrar" },
    { line: "rsp bench 10.1.0.1:9 -discard -json", text: "Send to a discard server, for programs" },
  ],
  run: (context) => runBench(context),
});

/** How this side is on the network. */
type Way = Pick<ConnectTask, "transport" | "local">;

const ALL_ADDRESSES: HostSocket = { hosts: [], port: 0 };

async function runBench(context: Context<BenchOptionValues>): Promise<number> {
  const { options, stderr } = context;
  checkOptions(context);
  let transport: Transport | undefined;
  try {
    const peers = options.listen
      ? []
      : await resolveHosts([readHostSocket(context.positionals[0]!, defaultPort(context))]);
    const { addresses: local } = await resolveLocal(
      typeof options.local === "object" ? options.local : ALL_ADDRESSES,
    );
    const opened = transport = openTransport(options.transport, options.encapsulation, {
      path: options.capture,
      onProblem: (sentence) => stderr.write(`${context.program}: ${sentence}\n`),
    });
    const way = { transport: opened, local };
    if (peers[0] === undefined) await listen(context, way);
    else await askPeer(context, way, peers[0]);
    return 0;
  } catch (error) {
    if (error instanceof OptionError) throw error;
    stderr.write(
      `${context.program}: ${error instanceof RunFailure ? error.message : transportFailure(error)}\n`,
    );
    return 1;
  } finally {
    await transport?.close();
  }
}

function defaultPort({ options, given }: Context<BenchOptionValues>): number {
  return options.asap.length > 0 && !given.has("port") ? ASAP_PORT : options.port;
}

async function askPeer(
  context: Context<BenchOptionValues>,
  way: Way,
  peer: Socket,
): Promise<void> {
  const { options, signal } = context;
  const { description, kind } = way.transport;
  tell(context, `SCTP is carried by ${description}`, { kind });
  if (options.asap.length > 0) {
    await loadRegistrar({ ...way, options, peer, emit: asapPrinter(context), signal });
  } else {
    const plans = plansOf(options), emit = printer(context, options.latency);
    await runClient({ ...way, options, peer, plans, emit, signal });
  }
}

async function listen(context: Context<BenchOptionValues>, way: Way): Promise<void> {
  const { options, signal } = context, line = printer(context, false);
  await serve({ ...way, options, signal }, {
    listening: (endpoint) => tellListening(context, way.transport, endpoint),
    line,
  });
}

function tellListening(context: Context<BenchOptionValues>, transport: Transport, endpoint: Endpoint): void {
  const { kind, description } = transport, { port, addresses } = endpoint;
  const where = formatTransportAddresses(transportAddresses(addresses, port));
  tell(context, `listening on ${where}, ${description}`, { event: "listening", kind, port, addresses });
}

/** Something besides results: on standard error for people, a line of its own type for programs. */
function tell(
  { options, stdout, stderr }: Context<BenchOptionValues>,
  sentence: string,
  fields: Readonly<Record<string, unknown>>,
): void {
  if (options.json) stdout.write(`${JSON.stringify({ type: "transport", text: sentence, ...fields })}\n`);
  else stderr.write(`${sentence}\n`);
}

function printer(context: Context<BenchOptionValues>, latency: boolean): (line: ReportLine) => void {
  return printLines(context, { headline: headline(latency), text: textLine, json: jsonLine });
}

function asapPrinter(context: Context<BenchOptionValues>): (line: AsapLine) => void {
  return printLines(context, { headline: asapHeadline(), text: asapTextLine, json: asapJsonLine });
}

/** Prints a table with its headline, or an object a line. */
function printLines<Line>(
  { options, stdout }: Context<BenchOptionValues>,
  show: {
    readonly headline: string;
    readonly text: (line: Line) => string;
    readonly json: (line: Line) => string;
  },
): (line: Line) => void {
  let begun = false;
  return (line) => {
    if (!begun && !options.json) stdout.write(show.headline);
    begun = true;
    stdout.write(options.json ? `${show.json(line)}\n` : show.text(line));
  };
}

/** @throws {OptionError} when options contradict each other */
function checkOptions({ options, given, positionals }: Context<BenchOptionValues>): void {
  const forbid = (names: readonly string[], why: string) => {
    const name = names.find((one) => given.has(one));
    if (name !== undefined) throw new OptionError(`option -${name} ${why}`);
  };
  if (options.listen) {
    if (positionals.length > 0) throw new OptionError("takes either -listen or a host, not both");
    forbid(
      [
        "size",
        "duration",
        "count",
        "latency",
        "reverse",
        "both",
        "discard",
        "parallel",
        "warmup",
        "rate",
        "bitrate",
        ...Object.keys(asapOptions),
      ],
      "is for the side that names the other one",
    );
    return;
  }
  if (positionals.length !== 1) {
    throw new OptionError(
      positionals.length === 0 ? "wants a host to measure to, or -listen" : "measures to one host at a time",
    );
  }
  forbid(["once"], "goes with -listen");
  if (options.asap.length > 0) {
    const ofMessages = [
      "size",
      "latency",
      "reverse",
      "both",
      "discard",
      "parallel",
      "streams",
      "unordered",
      "ppid",
    ];
    forbid(
      [...ofMessages, "rate", "bitrate"],
      "does not go with -asap, which has its own messages and users",
    );
  } else forbid(Object.keys(asapOptions), "goes with -asap");
  if (given.has("count")) forbid(["duration"], "and -count are two ways to end a run: choose one");
  if (given.has("rate")) forbid(["bitrate"], "and -rate are two limits: choose one");
  if (options.both) forbid(["reverse"], "and -both are different directions: choose one");
  if (options.latency) {
    forbid(["reverse", "both", "discard"], "does not go with -latency, where messages come back");
  }
  if (options.discard) forbid(["reverse", "both"], "does not go with -discard, where nobody answers");
  if (options.ppid === CONTROL_PPID) {
    throw new OptionError(`option -ppid: ${CONTROL_PPID} is what rsp bench tells its other side by`);
  }
}
