/**
 * The course sheet's first half (exercise, section 1), row by row, with `rsp darn`: three PCs on two networks, four paths
 * between each two. A listener, a sender with commands, and a second sender besides it. A cable is pulled out in
 * mid-transfer. tshark, an independent dissector, says what went over the wire.
 */
import assert from "node:assert/strict";
import { packets } from "./dissect.ts";
import { Lab } from "./lab.ts";
import type { Pc, Program } from "./lab.ts";
import { addressesOf, record } from "./sctp_lab.ts";

/**
 * Messages that are sent while the cable is pulled out and put in again, and how many a second. The guest's only processor
 * runs all three PCs and tcpdump, at a twentieth of the speed.
 */
const MESSAGES = { embedded: { count: 20_000, rate: 8000 }, kernel: { count: 4000, rate: 400 } } as const;

/** A path is dead after PATH_MAX + 1 time-outs; with these values that is a matter of two seconds. */
const PATH_MAX = 2, RTO_MIN_MS = 300, RTO_MAX_MS = 600, HEARTBEAT_MS = 1000;

const TIMERS = [
  `-hbinterval=${HEARTBEAT_MS}`,
  `-path-max=${PATH_MAX}`,
  `-rto-initial=${RTO_MIN_MS}`,
  `-rto-min=${RTO_MIN_MS}`,
  `-rto-max=${RTO_MAX_MS}`,
];

/** How long anything may take that takes moments, and seconds in the guest. */
const SOON_MS = 40_000;

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
    const recording = `${directory}/listener.pcap`;
    const recorder = await record(there, recording);
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

    await t.step(`1.7: the yellow cable is pulled out while ${count} messages are sent`, async () => {
      await sender.types(`snd=64 count=${count} rate=${rate} sid=5 ppid=4712`);
      await listener.says(new RegExp(`"stream":5,"ssn":${count / 5},`), SOON_MS);
      await there.cable("yellow", "out");
      const pulledAt = performance.now();
      await sender.says(pathLine("ADDR_UNREACHABLE", yellow), SOON_MS);
      const noticedMs = performance.now() - pulledAt;
      // A time-out each, doubled up to the longest one, and a moment until data or a HEARTBEAT is on its way.
      const limitMs = (PATH_MAX + 1) * RTO_MAX_MS + HEARTBEAT_MS;
      assert.ok(noticedMs <= limitMs, `noticed after ${Math.round(noticedMs)} ms of ${limitMs}`);
      await listener.says(new RegExp(`"stream":5,"ssn":${count - 1},`), SOON_MS);
      for (const address of blue) assert.doesNotMatch(sender.output, pathLine("ADDR_UNREACHABLE", address));
    });
    await t.step("1.7: none was lost, none came twice, all in order, and the gap was short", () => {
      const got = messagesOf(listener, 5);
      assert.deepEqual(got.map(({ ssn }) => ssn), Array.from({ length: count }, (_, i) => i));
      const gapMs = Math.max(...got.slice(1).map(({ at }, i) => at - got[i]!.at));
      // Alternate path retransmission: the first time-out moves the data, not the last one.
      assert.ok(gapMs < 2 * RTO_MAX_MS, `nothing came for ${gapMs} ms`);
    });
    await t.step("1.7: the path returns with the cable", async () => {
      await there.cable("yellow", "in");
      await sender.says(pathLine("ADDR_AVAILABLE", yellow), SOON_MS);
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
    await checkWire(t, recording, here, there, transport);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** What the sheet asks the students to find in the capture. */
async function checkWire(
  t: Deno.TestContext,
  recording: string,
  here: Pc,
  there: Pc,
  transport: "kernel" | "embedded",
): Promise<void> {
  // The guest's kernel leaves checksums to hardware that its virtual cables do not have.
  const seen = await dissect(recording, transport === "embedded");
  const sent = seen.filter(({ source }) => addressesOf(here).includes(source));
  await t.step("wire, 1.4: INIT, INIT ACK, COOKIE ECHO, COOKIE ACK, and then DATA and SACK", () => {
    const order = seen.flatMap(({ chunks }) => chunks);
    const [init, initAck, echo, ack, data, sack] = [1, 2, 10, 11, 0, 3].map((type) => order.indexOf(type));
    assert.equal(init, 0);
    assert.deepEqual([init, initAck, echo, ack].toSorted((a, b) => a! - b!), [init, initAck, echo, ack]);
    assert.ok(data! > initAck! && sack! > data!, `chunks: ${order.slice(0, 20)}`);
  });
  await t.step("wire, 1.4: the message has one SSN and many TSNs", () => {
    const first = sent.flatMap(({ data }) => data).filter(({ stream, ssn }) => stream === 0 && ssn === 0);
    const tsns = new Set(first.map(({ tsn }) => tsn));
    assert.ok(tsns.size >= 7, `${tsns.size} TSNs`);
  });
  await t.step("wire, 1.5: INIT and INIT ACK list all addresses", () => {
    for (const [type, pc] of [[1, here], [2, there]] as const) {
      const packet = seen.find(({ chunks, source }) =>
        chunks.includes(type) && addressesOf(pc).includes(source)
      );
      assert.deepEqual(packet?.listed.toSorted(), addressesOf(pc).toSorted());
    }
  });
  await t.step("wire, 1.5: HEARTBEAT and HEARTBEAT ACK on each path", () => {
    for (const type of [4, 5]) {
      const pairs = new Set(sent.filter(({ chunks }) => chunks.includes(type)).map(pairOf));
      const wanted = addressesOf(here).map((address, i) => `${address}>${addressesOf(there)[i]}`);
      for (const pair of wanted) assert.ok(pairs.has(pair), `chunk type ${type}: ${pair} in ${[...pairs]}`);
    }
  });
  await t.step("wire, 1.6: data goes to the new primary address", () => {
    const packet = sent.find(({ data }) => data.some(({ ppid }) => ppid === 4711));
    assert.equal(packet?.destination, addressesOf(there)[2]);
  });
  await t.step("wire, 1.8: SHUTDOWN, SHUTDOWN ACK, SHUTDOWN COMPLETE, and no ABORT", () => {
    const count = (type: number) => seen.filter(({ chunks }) => chunks.includes(type)).length;
    for (const type of [7, 8, 14]) assert.ok(count(type) >= 2, `chunk type ${type}`);
    assert.equal(count(6), 0);
  });
  await t.step("wire: tshark finds no packet malformed, no wrong checksum, and has no warning", () => {
    const faults = seen.flatMap((packet) => packet.faults);
    assert.deepEqual(faults.slice(0, 5), []);
    assert.ok(seen.length > 1000);
  });
}

interface SeenPacket {
  readonly source: string;
  readonly destination: string;
  readonly chunks: readonly number[];
  readonly data: readonly {
    readonly stream: number;
    readonly ssn: number;
    readonly tsn: string;
    readonly ppid: number;
  }[];
  /** Addresses that it lists. */
  readonly listed: readonly string[];
  /** What tshark has to complain of. */
  readonly faults: readonly string[];
}

const FIELDS = [
  ...["ip.src", "ipv6.src", "ip.dst", "ipv6.dst", "sctp.chunk_type"],
  ...["sctp.data_sid", "sctp.data_ssn", "sctp.data_tsn", "sctp.data_payload_proto_id"],
  ...["sctp.parameter_ipv4_address", "sctp.parameter_ipv6_address"],
  ...["sctp.checksum.status", "_ws.expert.severity", "_ws.expert.message"],
];

/** tshark's numbers: an expert warning, and a checksum that is wrong. */
const WARNING = 0x600000, CHECKSUM_BAD = "0";

/** Everything in one pass: in the guest tshark takes its time. */
async function dissect(recording: string, judgesChecksums: boolean): Promise<SeenPacket[]> {
  return (await packets(recording, "sctp and !icmp and !icmpv6", FIELDS)).map((line) => {
    const fields = line.split("\t");
    const list = (name: string): string[] => {
      const field = fields[FIELDS.indexOf(name)] ?? "";
      return field === "" ? [] : field.split(",");
    };
    const streams = list("sctp.data_sid"), ssns = list("sctp.data_ssn"), tsns = list("sctp.data_tsn");
    const ppids = list("sctp.data_payload_proto_id");
    const worst = Math.max(0, ...list("_ws.expert.severity").map(Number));
    const complaints = worst < WARNING
      ? []
      : list("_ws.expert.message").filter((text) =>
        !EXCUSED.test(text) && (judgesChecksums || !BAD_CHECKSUM.test(text))
      );
    const isBad = judgesChecksums && list("sctp.checksum.status").includes(CHECKSUM_BAD);
    return {
      source: list("ip.src")[0] ?? list("ipv6.src")[0]!,
      destination: list("ip.dst")[0] ?? list("ipv6.dst")[0]!,
      chunks: list("sctp.chunk_type").map(Number),
      data: streams.map((stream, i) => ({
        stream: Number(stream),
        ssn: Number(ssns[i]),
        tsn: tsns[i]!,
        ppid: Number(ppids[i]),
      })),
      listed: [...list("sctp.parameter_ipv4_address"), ...list("sctp.parameter_ipv6_address")],
      faults: isBad ? [...complaints, "wrong checksum"] : complaints,
    };
  });
}

/** What tshark says of a checksum that was left to hardware. */
const BAD_CHECKSUM = /^Bad SCTP checksum/;

/**
 * Long gaps are no fault of a SACK: while a lost packet waits for its time-out, others arrive over other paths. And a
 * message that belongs to a complaint which is excused, or to a mere note, is no complaint.
 */
const EXCUSED = /TSNs were gap-acknowledged|retransmi|ack'd|duplicate/i;

/** The original's commands (reference/sctp.md §1.3). */
const ORIGINAL_COMMANDS = [
  ...["snd", "rcv", "bindx-add", "bindx-rem", "sndbuf", "rcvbuf", "primary", "peer_primary"],
  ...["heartbeat", "maxseg", "nodelay", "shutdown", "abort", "stats"],
];

function pairOf({ source, destination }: SeenPacket): string {
  return `${source}>${destination}`;
}

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
