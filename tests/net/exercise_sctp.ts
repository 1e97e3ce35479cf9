/**
 * The course sheet's first half (exercise, section 1), row by row, with `rsp darn`: three PCs on two networks, four paths
 * between each two. A listener, a sender with commands, and a second sender besides it. A cable is pulled out in
 * mid-transfer. tshark, an independent dissector, says what went over the wire.
 */
import assert from "node:assert/strict";
import { judgeWire } from "./exercise_wire.ts";
import { Lab } from "./lab.ts";
import type { Program } from "./lab.ts";
import { addressesOf } from "./sctp_lab.ts";

/**
 * Messages that are sent while the cable is pulled out and put in again, and how many a second: they are not over when it is
 * pulled out, however late that is. The guest's only processor runs all three PCs and tcpdump, at a twentieth of the speed.
 */
const MESSAGES = { embedded: { count: 10_000, rate: 500 }, kernel: { count: 4000, rate: 400 } } as const;

/** A path is dead after PATH_MAX + 1 time-outs; with these values that is a matter of three seconds. */
const PATH_MAX = 4;

const TIMERS = [
  ...["-hbinterval=1000", `-path-max=${PATH_MAX}`, "-assoc-max=100"], // the sender is stopped for a while
  ...["-rto-initial=300", "-rto-min=300", "-rto-max=600"],
];

/** How long anything may take that takes moments, and seconds in the guest or on a machine with other things to do. */
const SOON_MS = 120_000;

/**
 * Goes through the rows.
 *
 * @param transport what must carry SCTP
 * @param words options for every `rsp darn`
 */
export async function exercise(
  t: Deno.TestContext,
  transport: "kernel" | "embedded",
  words: readonly string[],
): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await using lab = await Lab.open(3);
    const there = lab.pc(1), here = lab.pc(2), other = lab.pc(3);
    const recording = `${directory}/exercise.pcap`;
    const recorder = await lab.capture(recording);
    const { count, rate } = MESSAGES[transport];
    const carrier = [`-transport=${transport}`, ...words, ...TIMERS];

    const listener = there.rsp("darn", "-H", "::", "-P", "1234", "-l", "-json", ...carrier);
    await t.step("1.1, 1.2: the listener says what carries SCTP, and listens", async () => {
      await listener.says(new RegExp(`"event":"started","transport":"${transport}"`), SOON_MS);
    });

    const sender = here.rspTyping(
      ...["darn", "-H", "::", "-P", "2345", "-h", addressesOf(there)[0]!, "-p", "1234", "-s", "-I"],
      ...carrier,
    );
    await t.step("1.3: ? lists every command of the original", async () => {
      await sender.types("?");
      await sender.says(/snd=/, SOON_MS);
      for (const name of ORIGINAL_COMMANDS) assert.match(sender.output, new RegExp(`\\b${name}\\b`));
    });
    await t.step("1.4: snd=10000 sets the association up and sends one message", async () => {
      await sender.types("snd=10000");
      await sender.says(/ASSOC_CHANGE - COMM_UP/, SOON_MS);
      await listener.says(/"event":"message".*"length":10000/, SOON_MS);
    });
    await t.step("1.5: all addresses of the peer are known, and confirmed by HEARTBEAT", async () => {
      for (const address of addressesOf(there).slice(1)) {
        await sender.says(pathLine("ADDR_CONFIRMED", address), SOON_MS);
      }
      await sender.types("heartbeat");
      for (const address of addressesOf(there)) {
        await sender.says(new RegExp(`HEARTBEAT ACK from ${escaped(address)}: [0-9.]+ ms`), SOON_MS);
      }
    });

    const second = other.rspTyping(
      ...["darn", "-H", "::", "-h", addressesOf(there)[1]!, "-p", "1234", "-s", "-I"],
      ...carrier,
    );
    await t.step("a second peer at the same listener", async () => {
      await second.types("snd=77 sid=2 ppid=0x1269");
      await listener.says(/"association":2.*"stream":2.*"ppid":4713.*"length":77/, SOON_MS);
    });

    const yellow = addressesOf(there)[2]!, blue = addressesOf(there).slice(0, 2);
    await t.step("1.6: primary=… moves the data to another address", async () => {
      await sender.types(`primary=${yellow}`);
      await sender.says(pathLine("ADDR_MADE_PRIM", yellow), SOON_MS);
      await sender.types("snd=500 ppid=4711");
      await listener.says(/"ppid":4711.*"length":500/, SOON_MS);
    });

    const outage = { from: Infinity, until: Infinity };
    let place = 0;
    await t.step(`1.7: the yellow cable is pulled out while ${count} messages are sent`, async () => {
      await sender.types(`snd=64 count=${count} rate=${rate} sid=5 ppid=4712`);
      await listener.says(new RegExp(`"stream":5,"ssn":${count / 20},`), SOON_MS);
      sender.signal("SIGSTOP"); // however long the pulling takes, it is not done with its messages
      outage.from = Date.now();
      place = sender.output.length;
      await there.cable("yellow", "out", sender);
      await sender.says(pathLine("ADDR_UNREACHABLE", yellow), SOON_MS, place);
      await listener.says(new RegExp(`"stream":5,"ssn":${count - 1},`), 2 * SOON_MS);
      for (const address of blue) assert.doesNotMatch(sender.output, pathLine("ADDR_UNREACHABLE", address));
    });
    const got = messagesOf(listener, 5);
    const gapMs = Math.max(...got.slice(1).map(({ at }, i) => at - got[i]!.at));
    await t.step(`1.7: none was lost, none came twice, all in order; nothing came for ${gapMs} ms`, () => {
      assert.deepEqual(got.map(({ ssn }) => ssn), Array.from({ length: count }, (_, i) => i));
    });
    await t.step("1.7: the path returns with the cable", async () => {
      outage.until = Date.now();
      place = sender.output.length;
      await there.cable("yellow", "in");
      await sender.says(pathLine("ADDR_AVAILABLE", yellow), SOON_MS, place);
      await sender.types("paths");
      await sender.says(new RegExp(`^\\*${escaped(yellow)} .* active `, "m"), SOON_MS);
      await sender.types("stats");
      await sender.says(/^Retransmitted Chunks: [1-9]\d*$/m, SOON_MS);
    });
    await t.step("1.8: Ctrl+C shuts down, and the exit code is 0", async () => {
      assert.equal(await sender.interrupt(), 0, sender.output);
      await sender.says(/SHUTDOWN_COMP/);
      await listener.says(/"event":"down","association":1,.*"reason":"shutdown"/, SOON_MS);
      await second.types("quit");
      assert.equal(await second.exitCode(SOON_MS), 0, second.output);
      assert.equal(await listener.interrupt(), 0, listener.output);
    });
    await recorder.interrupt();
    assert.match(recorder.output, /^0 packets dropped by kernel$/m, recorder.output);
    await judgeWire(t, recording, {
      sender: here,
      listener: there,
      judged: [here, there, other],
      // The guest's kernel leaves checksums to hardware that its virtual cables do not have.
      judgesChecksums: transport === "embedded",
      long: { stream: 0, ssn: 0 },
      moved: { stream: 0, ssn: 1 },
      outage: { ...outage, pathMax: PATH_MAX },
      shutdowns: 2,
      aborts: 0,
    });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** The original's commands (reference/sctp.md §1.3). */
const ORIGINAL_COMMANDS = [
  ...["snd", "rcv", "bindx-add", "bindx-rem", "sndbuf", "rcvbuf", "primary", "peer_primary"],
  ...["heartbeat", "maxseg", "nodelay", "shutdown", "abort", "stats"],
];

/** A text as part of a regular expression. */
export function escaped(text: string): string {
  return text.replaceAll(".", "\\.");
}

/** A path notification as `rsp darn` shows it. */
export function pathLine(change: string, address: string): RegExp {
  return new RegExp(`PEER_ADDR_CHANGE - ${change}: ${escaped(address)}(?: |$)`, "m");
}

/** The messages of a stream that a listener has shown: SSN, and when by its own clock in milliseconds. */
function messagesOf(listener: Program, stream: number): { readonly ssn: number; readonly at: number }[] {
  return listener.output.split("\n")
    .filter((line) => line.includes(`"event":"message"`) && line.includes(`"stream":${stream},`))
    .map((line) => JSON.parse(line))
    .map(({ ssn, time }) => ({ ssn, at: Date.parse(time) }));
}
