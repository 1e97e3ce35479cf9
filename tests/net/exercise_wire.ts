/**
 * What the course sheet asks the students to find in the capture of its first half (exercise, section 1), in which a sender
 * and a listener have four paths. tshark, an independent dissector, says what went over the wire.
 */
import assert from "node:assert/strict";
import { packets } from "./dissect.ts";
import type { Pc } from "./lab.ts";
import { addressesOf } from "./sctp_lab.ts";

/** A user message, by the numbers that it has on the wire. */
interface MessageName {
  readonly stream: number;
  readonly ssn: number;
}

/** What was done, and by whom. */
export interface Exercise {
  readonly sender: Pc;
  readonly listener: Pc;
  /** PCs whose packets are judged: those on which our programs run. */
  readonly judged: readonly Pc[];
  readonly judgesChecksums: boolean;
  /** Row 1.4: the message of 10,000 octets. */
  readonly long: MessageName;
  /** Row 1.6: the first message behind `primary=` with the listener's yellow IPv4 address. */
  readonly moved: MessageName;
  /** Row 1.7: when the listener's yellow cable was out, as Date.now() counts, and how many time-outs a path survives. */
  readonly outage: { readonly from: number; readonly until: number; readonly pathMax: number };
  /** Row 1.8: how many associations were shut down, and how many aborted. */
  readonly shutdowns: number;
  readonly aborts: number;
}

/** Goes through the rows. The recording must have each packet once, and those that do not arrive, too. */
export async function judgeWire(t: Deno.TestContext, recording: string, exercise: Exercise): Promise<void> {
  const { sender, listener, judged, judgesChecksums } = exercise;
  const seen = await dissect(recording, judgesChecksums);
  const sent = seen.filter(({ source }) => addressesOf(sender).includes(source));
  await t.step("wire, 1.4: INIT, INIT ACK, COOKIE ECHO, COOKIE ACK, and then DATA and SACK", () => {
    const order = seen.flatMap(({ chunks }) => chunks);
    const [init, initAck, echo, ack, data, sack] = [1, 2, 10, 11, 0, 3].map((type) => order.indexOf(type));
    assert.equal(init, 0);
    assert.deepEqual([init, initAck, echo, ack].toSorted((a, b) => a! - b!), [init, initAck, echo, ack]);
    assert.ok(data! > initAck! && sack! > data!, `chunks: ${order.slice(0, 20)}`);
  });
  await t.step("wire, 1.4: the message has one SSN and many TSNs", () => {
    const tsns = new Set(
      sent.flatMap(({ data }) => data).filter(belongsTo(exercise.long)).map(({ tsn }) => tsn),
    );
    assert.ok(tsns.size >= 7, `${tsns.size} TSNs`);
  });
  await t.step("wire, 1.5: INIT and INIT ACK list all addresses", () => {
    for (const [type, pc] of [[1, sender], [2, listener]] as const) {
      const packet = seen.find(({ chunks, source }) =>
        chunks.includes(type) && addressesOf(pc).includes(source)
      );
      assert.deepEqual(packet?.listed.toSorted(), addressesOf(pc).toSorted());
    }
  });
  await t.step("wire, 1.5: HEARTBEAT and HEARTBEAT ACK on each path", () => {
    for (const type of [4, 5]) {
      const pairs = new Set(sent.filter(({ chunks }) => chunks.includes(type)).map(pairOf));
      const wanted = addressesOf(sender).map((address, i) => `${address}>${addressesOf(listener)[i]}`);
      for (const pair of wanted) assert.ok(pairs.has(pair), `chunk type ${type}: ${pair} in ${[...pairs]}`);
    }
  });
  await t.step("wire, 1.6: data goes to the new primary address", () => {
    const packet = sent.find(({ data }) => data.some(belongsTo(exercise.moved)));
    assert.equal(packet?.destination, yellowOf(listener));
  });
  await t.step(
    "wire, 1.7: the first time-out moves the data, and the last one leaves the dead address",
    () => {
      judgeOutage(sent, yellowOf(listener), exercise.outage);
    },
  );
  await t.step(
    "wire, 1.8: SHUTDOWN, SHUTDOWN ACK, SHUTDOWN COMPLETE, and no ABORT that nobody wanted",
    () => {
      const count = (type: number) => seen.filter(({ chunks }) => chunks.includes(type)).length;
      for (const type of [7, 8, 14]) assert.ok(count(type) >= exercise.shutdowns, `chunk type ${type}`);
      assert.equal(seen.reduce((sum, { aborts }) => sum + aborts, 0), exercise.aborts);
    },
  );
  await t.step("wire: tshark finds no packet malformed, no wrong checksum, and has no warning", () => {
    const ours = judged.flatMap(addressesOf);
    const faults = seen.filter(({ source }) => ours.includes(source)).flatMap((packet) => packet.faults);
    assert.deepEqual(faults.slice(0, 5), []);
  });
}

/** A time-out later than this behind the one before is one of an idle path's probes, in milliseconds. */
const TIMEOUT_MS = 1000;

/**
 * No data that was sent to the dead address is sent there again. And a sender that is late does not look as if it tried more
 * often.
 */
function judgeOutage(
  sent: readonly SeenPacket[],
  dead: string,
  { from, until, pathMax }: Exercise["outage"],
): void {
  const meanwhile = sent.filter(({ at }) => at >= from && at < until);
  // A sender may have left the address just before: the listener stood still for longer than a time-out.
  assert.ok(sentAgain(sent.filter(({ at }) => at < until), dead).length > 0, "data was on its way");
  assert.deepEqual(sentAgain(meanwhile, dead).filter((way) => way.slice(1).includes(dead)), []);

  const probes = meanwhile.filter(({ destination, chunks }) =>
    destination === dead && chunks.includes(HEARTBEAT)
  );
  const hasty = probes.filter(({ at }, i) => i > 0 && at - probes[i - 1]!.at < TIMEOUT_MS);
  assert.ok(hasty.length <= pathMax, `${probes.map(({ at }) => Math.round(at - from))}`);
}

/** The ways of data that was sent to an address first, and then again: the addresses that it was sent to. */
function sentAgain(packets: readonly SeenPacket[], address: string): string[][] {
  const ways = new Map<string, string[]>();
  for (const { destination, data } of packets) {
    for (const { tsn } of data) ways.set(tsn, [...ways.get(tsn) ?? [], destination]);
  }
  return [...ways.values()].filter((way) => way.length > 1 && way[0] === address);
}

const HEARTBEAT = 4;

/** The listener's IPv4 address on the yellow network. */
function yellowOf(listener: Pc): string {
  return addressesOf(listener)[2]!; // of four
}

function belongsTo({ stream, ssn }: MessageName): (data: SeenData) => boolean {
  return (data) => data.stream === stream && data.ssn === ssn;
}

interface SeenData extends MessageName {
  readonly tsn: string;
}

interface SeenPacket {
  /** In milliseconds, as Date.now() counts. */
  readonly at: number;
  readonly source: string;
  readonly destination: string;
  readonly chunks: readonly number[];
  /** ABORTs that end an association; others, with the T bit, answer what still comes for one that has ended. */
  readonly aborts: number;
  readonly data: readonly SeenData[];
  /** Addresses that it lists. */
  readonly listed: readonly string[];
  /** What tshark has to complain of. */
  readonly faults: readonly string[];
}

const FIELDS = [
  ...["frame.time_epoch", "ip.src", "ipv6.src", "ip.dst", "ipv6.dst"],
  ...["sctp.chunk_type", "sctp.abort_t_bit"],
  ...["sctp.data_sid", "sctp.data_ssn", "sctp.data_tsn"],
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
    const worst = Math.max(0, ...list("_ws.expert.severity").map(Number));
    const complaints = worst < WARNING
      ? []
      : list("_ws.expert.message").filter((text) =>
        !EXCUSED.test(text) && (judgesChecksums || !BAD_CHECKSUM.test(text))
      );
    const isBad = judgesChecksums && list("sctp.checksum.status").includes(CHECKSUM_BAD);
    return {
      at: 1000 * Number(list("frame.time_epoch")[0]),
      source: list("ip.src")[0] ?? list("ipv6.src")[0]!,
      destination: list("ip.dst")[0] ?? list("ipv6.dst")[0]!,
      chunks: list("sctp.chunk_type").map(Number),
      aborts: list("sctp.abort_t_bit").filter((bit) => bit === "0" || bit === "False").length,
      data: streams.map((stream, i) => ({ stream: Number(stream), ssn: Number(ssns[i]), tsn: tsns[i]! })),
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

function pairOf({ source, destination }: SeenPacket): string {
  return `${source}>${destination}`;
}
