/**
 * Benchmarks. Figures, not tests: they depend on the machine and on what else it does; ratios are of one run.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { openEmbeddedTransport } from "../cmd/driver/embedded_transport.ts";
import { asapFlood } from "./benchmarks/asap_flood.ts";
import { codec } from "./benchmarks/codec.ts";
import { failover } from "./benchmarks/failover.ts";
import { fractal } from "./benchmarks/fractal.ts";
import { handlespace, handlespaceMemory } from "./benchmarks/handlespace.ts";
import { kernel } from "./benchmarks/kernel.ts";
import { leaks, memory } from "./benchmarks/memory.ts";
import { monitor } from "./benchmarks/monitor.ts";
import { registrar } from "./benchmarks/registrar.ts";
import { type Bench, ratioOf, type Result, type Settings } from "./benchmarks/result.ts";
import { jsonLine, tableLine } from "./benchmarks/table.ts";
import { scripting } from "./benchmarks/scripting.ts";
import { throughput } from "./benchmarks/throughput.ts";
import { idle, latency, setup } from "./benchmarks/timing.ts";
import { usrsctp } from "./benchmarks/usrsctp.ts";

const USAGE = `Usage: scripts/bench [options] [name…]

Benchmarks of both SCTP transports between two processes of this machine.

Names (default: all but those marked *):
  throughput    embedded: messages and octets a second, one way; target 1.0 x the trial
  usrsctp       embedded against usrsctp through FFI in alternation; target 1.5 x
  latency       embedded: round-trip time of small messages
  setup         embedded: associations set up and shut down a second
  failover *    embedded: longest gap when the cable of one of two networks is pulled (root, ip)
  idle          embedded: wake-ups a second of a process with one idle association
  memory        embedded: octets of each of 10,000 living associations
  leaks         embedded: growth over 10,000 associations set up and torn down
  flood         honest users of rsp registrar beside 1000 associations that mean harm, over UDP on
                loopback; target: 99 % of the answers within 50 ms
  codec         encoding and decoding of an ASAP Registration
  handlespace   a registrar's data: registrations, selections, pages and so on, under every policy among 1000,
                10,000 and 100,000 elements; target 200,000 selections of one element a second among the most
  elements      octets of each of 100,000 elements under every policy; target 2.5 KiB
  scripting     a work package of 200 MiB to rsp server -scripting and back, over UDP on loopback; target 0.8 x as many
                octets by rsp bench; processor time of both sides for a MiB, in ms; then 1 GiB in about as much memory
  monitor       rsp cspmonitor while 500 made-up components report every 250 ms: in a pipe, in a terminal, with a page;
                target less than 25 % of a core and 150 MB
  kernel *      kernel transport against a plain C sender and receiver, iperf3 and netperfmeter in the
                kernel lab; target 0.9 x C
  fractal *     points a second: rsp server -fractal against RSPLIB's, in the kernel lab; target 1.0 x; and by two
                Workers against one, here
  registrar *   rsp registrar against RSPLIB's under the load of rsp bench, in the kernel lab; target 1.0 x

Options:
  --seconds N         length of a throughput run (default 2)
  --rounds N          pairs of runs in comparisons (default 3)
  --carrier A,B       of udp and raw (default: both, where raw is allowed)
  --size A,B          octets of a message (default 64,1024,16384)
  --mtu A,B           octets of the longest packet (default 1500,65535)
  --users A,B         of the registrar runs (default 1,10,100)
  --associations N    of the setup, memory, leaks and flood runs (default 2000, 10000, 10000 and 1000)
  --hostility A,B     of the flood run: "unknown pools", malformed, registrations, reports, deaf (default: all)
  --all               those marked *, too
  --json              one JSON object a line
  --out FILE          the JSON objects into a file, too
  --help

Exit status: 0, 1 when a target was missed, 2 for a wrong command line.
`;

const BENCHES: Readonly<Record<string, Bench>> = {
  throughput,
  usrsctp,
  latency,
  setup,
  failover,
  idle,
  memory,
  leaks,
  flood: asapFlood,
  codec,
  handlespace,
  elements: handlespaceMemory,
  scripting,
  monitor,
  kernel,
  registrar,
  fractal,
};
/** These want root, or a boot of the kernel lab. */
const ON_REQUEST: readonly string[] = ["failover", "kernel", "registrar", "fractal"];

function numbers(text: string): number[] {
  return text.split(",").map(Number);
}

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      seconds: { type: "string", default: "2" },
      rounds: { type: "string", default: "3" },
      carrier: { type: "string" },
      size: { type: "string", default: "64,1024,16384" },
      mtu: { type: "string", default: "1500,65535" },
      users: { type: "string", default: "1,10,100" },
      associations: { type: "string" },
      hostility: { type: "string" },
      all: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      out: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  const write = (line: string) => Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
  const unknown = positionals.find((name) => !(name in BENCHES));
  if (values.help || unknown !== undefined) {
    if (unknown !== undefined) write(`There is no benchmark "${unknown}".`);
    write(USAGE);
    return unknown === undefined ? 0 : 2;
  }
  const rawAllowed = openEmbeddedTransport().description.includes("IP and UDP");
  const settings: Settings = {
    seconds: Number(values.seconds),
    rounds: Number(values.rounds),
    carriers: (values.carrier?.split(",") ?? (rawAllowed ? ["udp", "raw"] : ["udp"])) as ("udp" | "raw")[],
    sizes: numbers(values.size),
    mtus: numbers(values.mtu),
    users: numbers(values.users),
    associations: values.associations === undefined ? undefined : Number(values.associations),
    hostilities: values.hostility?.split(","),
  };
  const names = Object.keys(BENCHES).filter((name) => values.all || !ON_REQUEST.includes(name));
  const results: Result[] = [];
  for (const name of positionals.length > 0 ? positionals : names) {
    await BENCHES[name]!(settings, (result) => {
      results.push(result);
      write(values.json ? jsonLine(result) : tableLine(result));
    });
  }
  if (values.out !== undefined) {
    await Deno.writeTextFile(
      values.out,
      results.map((one) => `${jsonLine(one)}\n`).join(""),
    );
  }
  const missed = results.filter((result) => (ratioOf(result) ?? Infinity) < (result.target?.factor ?? 0));
  if (!values.json) write(missed.length === 0 ? "all targets reached" : `${missed.length} targets missed`);
  return missed.length === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exitCode = await main(Deno.args);
