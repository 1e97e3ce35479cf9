/**
 * The options of `sctp_darn`, one after another: the original and `rsp darn` are given the same words, each with the other one
 * as its peer, on kernel SCTP in namespaces of the guest.
 */
import assert from "node:assert/strict";
import { packets } from "../net/dissect.ts";
import { Lab } from "../net/lab.ts";
import type { Pc, Program } from "../net/lab.ts";
import { original } from "./original_darn.ts";

/** What takes seconds in the guest. */
const PATIENCE_MS = 120_000;
const LISTENER_PORT = 1234;
/** A third IPv4 address of the sender's PC. */
const THIRD = "10.2.0.12";
/** A line of the input as the original sends it: with its end, and a NUL. */
const LINE = "hello", LINE_OCTETS = 7;

type Make = "ours" | "original";
const OTHER: Readonly<Record<Make, Make>> = { ours: "original", original: "ours" };

/** A sender that is given these words sends a line. */
interface SenderCase {
  readonly name: string;
  /** Its own port stands in the place of PORT. */
  readonly words: readonly string[];
  /** The addresses that its INIT lists: none when there is only one. */
  readonly listed: readonly string[];
  /** Where its first DATA goes. */
  readonly destination?: string;
}

const TO_BLUE = ["-h", "10.1.0.1", "-p", `${LISTENER_PORT}`, "-s"];
const CASES: readonly SenderCase[] = [
  { name: "-H with an address", words: ["-H", "10.1.0.2", "-P", "PORT", ...TO_BLUE], listed: [] },
  {
    name: "-H 0.0.0.0",
    words: ["-H", "0.0.0.0", "-P", "PORT", ...TO_BLUE],
    listed: ["10.1.0.2", "10.2.0.2", THIRD],
  },
  {
    name: "-H ::",
    words: ["-H", "::", "-P", "PORT", ...TO_BLUE],
    listed: ["10.1.0.2", "fd01::2", "10.2.0.2", THIRD, "fd02::2"],
  },
  {
    name: "-B",
    words: ["-H", "10.1.0.2", "-B", "10.2.0.2", "-P", "PORT", ...TO_BLUE],
    listed: ["10.1.0.2", "10.2.0.2"],
  },
  {
    name: "-b",
    words: ["-H", "10.1.0.2", "-B", "10.2.0.2", "-B", THIRD, "-b", "10.2.0.2", "-P", "PORT", ...TO_BLUE],
    listed: ["10.1.0.2", THIRD],
  },
  {
    name: "long names",
    words: [
      ...["--local=10.1.0.2", "--local-port=PORT", "--bindx-add=10.2.0.2", "--bindx-add", THIRD],
      ...["--bindx-rem=10.2.0.2", "--remote=10.1.0.1", `--remote-port=${LISTENER_PORT}`, "--send"],
    ],
    listed: ["10.1.0.2", THIRD],
  },
  {
    name: "-c, of which the first is nobody's",
    words: ["-H", "10.1.0.2", "-B", "10.2.0.2", "-P", "PORT", "-c", "10.1.0.77", "-c", "10.2.0.1", "-p"]
      .concat(`${LISTENER_PORT}`, "-s"),
    listed: ["10.1.0.2", "10.2.0.2"],
    destination: "10.2.0.1",
  },
  { name: "-m", words: ["-H", "10.1.0.2", "-m", "131072", "-P", "PORT", ...TO_BLUE], listed: [] },
];

/** The port of a case's sender. */
function portOf(make: Make, index: number): number {
  return (make === "ours" ? 3000 : 4000) + index;
}

function start(pc: Pc, make: Make, ...words: readonly string[]): Program {
  return make === "original" ? original(pc, ...words) : pc.rspTyping("darn", "-transport=kernel", ...words);
}

/** A listener of a make, and how it shows a message of so many octets. */
async function startListener(pc: Pc, make: Make, ...words: readonly string[]): Promise<Program> {
  const json = make === "ours" ? ["-json"] : [];
  const listener = start(pc, make, "-l", "-H", "::", ...json, ...words);
  await listener.says(make === "ours" ? /"event":"started"/ : /listening/, PATIENCE_MS);
  return listener;
}

function shown(make: Make, octets: number): string {
  return make === "ours" ? `"length":${octets},` : `DATA(${octets}):`;
}

/** What a sender's INIT and first DATA say. */
interface Seen {
  readonly listed: readonly string[];
  readonly window: number;
  readonly destination: string;
}

const FIELDS = [
  ...["sctp.srcport", "sctp.chunk_type", "ip.dst", "sctp.init_credit"],
  ...["sctp.parameter_ipv4_address", "sctp.parameter_ipv6_address"],
];

/** What tshark has seen of the senders, by their ports; in one go, for in the guest it takes its time. */
async function sendersOf(recording: string): Promise<(port: number) => Seen> {
  const filter = "(sctp.chunk_type == 1 or sctp.chunk_type == 0) and !icmp";
  const lines = (await packets(recording, filter, FIELDS)).map((line) => line.split("\t"));
  return (port) => {
    const own = lines.filter(([source]) => source === `${port}`);
    const init = own.find(([, types]) => types === "1"), data = own.find(([, types]) => types !== "1");
    const [, , , window, ipv4 = "", ipv6 = ""] = init ?? [];
    const listed = [...ipv4.split(","), ...ipv6.split(",")].filter((address) => address !== "");
    return { listed, window: Number(window), destination: data?.[2] ?? "" };
  };
}

Deno.test("options of sctp_darn as the sender: the same words do the same to the original and to rsp darn", async (t) => {
  const directory = await Deno.makeTempDir();
  try {
    await using lab = await Lab.open(2);
    const there = lab.pc(1), here = lab.pc(2);
    await here.run("ip", "address", "add", `${THIRD}/24`, "dev", "eth0");
    for (const name of ["rto_initial", "rto_min"]) {
      await here.run("sysctl", "-q", "-w", `net.sctp.${name}=300`);
    }
    const recording = `${directory}/options.pcap`;
    const recorder = await lab.capture(recording);
    for (const make of ["original", "ours"] as const) {
      const listener = await startListener(there, OTHER[make], "-P", `${LISTENER_PORT}`);
      for (const [index, { name, words }] of CASES.entries()) {
        await t.step(`${name}: ${make}`, async () => {
          const line = words.map((word) => word.replace("PORT", `${portOf(make, index)}`));
          const sender = start(here, make, ...make === "ours" ? ["-line-end=lf-nul"] : [], ...line);
          await sender.types(LINE);
          await listener.saysTimes(shown(OTHER[make], LINE_OCTETS), index + 1, PATIENCE_MS);
          await sender.interrupt();
        });
      }
      await listener.interrupt();
    }
    await recorder.interrupt();
    const seenOf = await sendersOf(recording);
    for (const [index, { name, words, listed, destination }] of CASES.entries()) {
      await t.step(`wire, ${name}`, () => {
        const theirs = seenOf(portOf("original", index)), ours = seenOf(portOf("ours", index));
        assert.deepEqual(theirs.listed.toSorted(), listed.toSorted());
        assert.deepEqual(ours.listed.toSorted(), listed.toSorted());
        assert.equal(ours.destination, theirs.destination);
        if (destination !== undefined) assert.equal(ours.destination, destination);
        if (words.includes("-m")) assert.equal(ours.window, theirs.window);
      });
    }
    await t.step("wire: -m makes another window", () => {
      for (const make of ["original", "ours"] as const) {
        assert.notEqual(seenOf(portOf(make, CASES.length - 1)).window, seenOf(portOf(make, 0)).window);
      }
    });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

for (const make of ["original", "ours"] as const) {
  const other = OTHER[make];

  Deno.test(`-e, -t, -i with -z, --interface: ${make === "ours" ? "rsp darn" : "sctp_darn"} as the sender`, async (t) => {
    await using lab = await Lab.open(2);
    const there = lab.pc(1), here = lab.pc(2);

    await t.step("--interface tells where a link-local address is", async () => {
      const listener = await startListener(there, other, "-P", "1300");
      const linkLocal = /inet6 (fe80:[0-9a-f:]+)\//.exec(
        await there.run("ip", "-6", "-o", "addr", "show", "eth1"),
      );
      const words = ["-H", "::", "-h", linkLocal![1]!, "--interface=eth1", "-p", "1300", "-s"];
      const sender = start(here, make, ...words);
      await sender.types("link");
      await listener.saysTimes(shown(other, make === "ours" ? 5 : 6), 1, PATIENCE_MS);
      await sender.interrupt();
    });
    await t.step("-t: one association a socket", async () => {
      const listener = await startListener(there, other, "-P", "1301", "-t");
      const sender = start(here, make, "-H", "::", "-h", "10.1.0.1", "-p", "1301", "-s", "-I", "-t");
      for (let i = 0; i < 2; i++) await sender.types("snd=4");
      await listener.saysTimes(shown(other, 4), 2, PATIENCE_MS);
      await sender.signal("SIGKILL");
    });
    await t.step("-i with -z: it sends as fast as it may", async () => {
      const listener = await startListener(there, other, "-P", "1302");
      const words = ["-H", "::", "-P", "1400", "-i", "1", "--use-poll", "-z", "1000"];
      const sender = start(here, make, ...words, "-h", "10.1.0.1", "-p", "1302");
      await listener.saysTimes(shown(other, 1000), 100, PATIENCE_MS);
      await sender.interrupt();
    });
    if (make === "original") return; // it shows nothing of what comes back
    await t.step("-e: what is sent comes back", async () => {
      await startListener(there, other, "-P", "1303", "-e");
      const sender = start(here, make, "-H", "::", "-h", "10.1.0.1", "-p", "1303", "-s", "-I");
      await sender.types("snd=17");
      await sender.says(/DATA\(17\)/, PATIENCE_MS);
      assert.equal(await sender.interrupt(), 0, sender.output);
    });
  });
}

/** Words that contradict each other. */
const REFUSED: readonly (readonly string[])[] = [
  ["-H", "::", "-l", "-s"],
  ["-H", "::", "-s"],
  ["-H", "::", "-h", "10.1.0.1", "-p", "7", "-c", "10.1.0.1", "-s"],
  ["-H", "::", "-P", "7", "-l", "-n"],
];

Deno.test("both refuse what contradicts itself, in words", async () => {
  await using lab = await Lab.open(1);
  for (const words of REFUSED) {
    for (const make of ["original", "ours"] as const) {
      const program = start(lab.pc(1), make, ...words);
      assert.equal(await program.exitCode(PATIENCE_MS), make === "ours" ? 2 : 1, words.join(" "));
      assert.match(program.output, /\w+ \w+/, words.join(" "));
    }
  }
});
