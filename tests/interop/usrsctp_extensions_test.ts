/**
 * The extensions of the embedded stack against those of usrsctp, over IPv4 and IPv6, plain and in UDP, with either side
 * as the client; and tshark's judgement of all packets of ours. Needs root, `ip`, tcpdump, tshark and libusrsctp.so.2.
 */
import assert from "node:assert/strict";
import { ChunkType } from "../../protocol/sctp/chunk.ts";
import { packets, WARNED } from "../net/dissect.ts";
import {
  addressesOf,
  associationValue,
  type Conversation,
  count,
  peerAddressParameters,
  sockaddrStorage,
  structure,
  UsrsctpLab,
} from "./usrsctp_lab.ts";
import { type Side, type Way, whyNoLab, type Wishes } from "./usrsctp_lab.ts";

/** Options of `usrsctp.h`. */
const Option = {
  setPeerPrimary: 0x06,
  adaptation: 0x08,
  peerAddressParameters: 0x0a,
  fragmentInterleave: 0x10,
  authChunk: 0x12,
  authKey: 0x13,
  authActiveKey: 0x15,
  enableStreamReset: 0x900,
  resetStreams: 0x901,
  resetAssociation: 0x902,
  addStreams: 0x903,
  scheduler: 0x1203,
  interleaving: 0x1206,
} as const;

/** SCTP_UNORDERED, SCTP_SACK_IMMEDIATELY */
const UNORDERED = 0x400, SACK_IMMEDIATELY = 0x4000;
/** SCTP_PR_SCTP_TTL, SCTP_PR_SCTP_RTX */
const TTL = 1, RTX = 3;
/** SPP_HB_DISABLE, SPP_HB_DEMAND */
const HB_DISABLE = 2, HB_DEMAND = 4;
/** The I bit of DATA (RFC 7053). */
const I_BIT = 8;

const SIDES = ["ours", "theirs"] as const;
const WAYS: readonly Way[] = SIDES.flatMap((client) =>
  (["ipv4", "ipv6"] as const).flatMap((family) => [false, true].map((udp) => ({ client, family, udp })))
);
/** For what takes its time: each choice at least once. */
const TWO_WAYS: readonly Way[] = [
  { client: "ours", family: "ipv4", udp: false },
  { client: "theirs", family: "ipv6", udp: true },
];

/** As a server, usrsctp does not know the UDP port for new addresses, and sends to them over plain IP. */
const WAYS_WITH_PORTS = WAYS.filter(({ client, udp }) => client === "theirs" || !udp);

const RESETTABLE: Wishes = {
  ours: { sackFrequency: 1 },
  theirs: [{ number: Option.enableStreamReset, value: associationValue(7) }],
};
const INTERLEAVING: Wishes = {
  ours: { interleaving: true },
  theirs: [
    { number: Option.fragmentInterleave, value: structure([4, 2]) },
    { number: Option.interleaving, value: associationValue(1) },
  ],
};

/** A delayed SACK would come when usrsctp's time-out is due, which leaves it with another path. */
const PROMPT: Wishes = { ours: { sackDelayMs: 0 } };

const authKey = (keynumber: number, text: string) =>
  structure([4, 0], [2, keynumber], [2, text.length]) + new TextEncoder().encode(text).toHex();

const AUTHENTICATED: Wishes = {
  ours: { authentication: true },
  ourOptions: [
    { name: "auth_chunk", value: { chunk: ChunkType.data } },
    { name: "auth_key", value: { keynumber: 1, key: "first secret" } },
    { name: "auth_key", value: { keynumber: 2, key: "second secret" } },
    { name: "auth_active_key", value: { keynumber: 1 } },
  ],
  theirs: [
    { number: Option.authChunk, value: structure([1, ChunkType.data]) },
    { number: Option.authKey, value: authKey(1, "first secret") },
    { number: Option.authKey, value: authKey(2, "second secret") },
    { number: Option.authActiveKey, value: structure([4, 0], [2, 1], [2, 0]) },
  ],
};

interface Scenario {
  readonly name: string;
  readonly ways: readonly Way[];
  readonly wishes?: Wishes | ((way: Way) => Wishes);
  /** It is not shut down at the end. */
  readonly staysOpen?: boolean;
  run(one: Conversation, lab: UsrsctpLab): Promise<void>;
}

const SCENARIOS: readonly Scenario[] = [
  { name: "messages of all sizes, ordered and unordered, in DATA", ways: WAYS, run: sendAllSizes },
  {
    name: "messages of all sizes, ordered and unordered, in I-DATA",
    ways: WAYS,
    wishes: INTERLEAVING,
    run: async (one) => {
      await sendAllSizes(one);
      const seen = await one.chunks();
      for (const direction of ["sent", "received"] as const) {
        assert.ok(count(seen, direction, ChunkType.iData) > 100);
        assert.equal(count(seen, direction, ChunkType.data), 0);
      }
    },
  },
  {
    name: "a short message overtakes a long one of another stream (RFC 8260)",
    ways: WAYS,
    wishes: {
      ...INTERLEAVING,
      ourOptions: [{ name: "stream_scheduler", value: { value: "rr" } }],
      theirs: [...INTERLEAVING.theirs!, { number: Option.scheduler, value: associationValue(1) }],
    },
    run: overtake,
  },
  ...["DATA", "I-DATA"].flatMap((format): Scenario[] =>
    SIDES.map((sender) => ({
      name: `${sender === "ours" ? "we abandon" : "usrsctp abandons"} lost ${format} (RFC 3758)`,
      ways: TWO_WAYS,
      wishes: format === "DATA"
        ? PROMPT
        : { ...INTERLEAVING, ours: { ...INTERLEAVING.ours, ...PROMPT.ours } },
      run: (one, lab) =>
        abandon(one, lab, sender, format === "DATA" ? ChunkType.forwardTsn : ChunkType.iForwardTsn),
    }))
  ),
  {
    name: "the I bit asks for a SACK at once (RFC 7053)",
    ways: TWO_WAYS,
    run: async (one) => {
      await one.chunks();
      await one.weSend(10, { sackImmediately: true });
      await one.theyGet(10);
      await one.theySend(11, { flags: SACK_IMMEDIATELY });
      await one.weGet(11);
      const seen = await one.chunks();
      for (const direction of ["sent", "received"]) {
        assert.ok(
          seen.some(([way, type, flags]) =>
            way === direction && type === ChunkType.data && (flags & I_BIT) !== 0
          ),
          `${direction} I bit`,
        );
      }
    },
  },
  { name: "either side resets streams (RFC 6525)", ways: WAYS, wishes: RESETTABLE, run: resetStreams },
  { name: "we reset the association", ways: WAYS, wishes: RESETTABLE, run: resetAssociation },
  {
    name: "usrsctp resets the association",
    ways: WAYS,
    wishes: RESETTABLE,
    staysOpen: true,
    run: theyResetAssociation,
  },
  { name: "either side adds streams", ways: WAYS, wishes: RESETTABLE, run: addStreams },
  // Debian's usrsctp knows SHA-1 alone: it comes to that, whatever we offer besides.
  {
    name: "DATA is authenticated both ways (RFC 4895)",
    ways: WAYS,
    wishes: AUTHENTICATED,
    run: authenticate,
  },
  {
    name: "our addresses come and go (RFC 5061)",
    ways: WAYS_WITH_PORTS,
    wishes: ({ family }) => ({
      ours: {
        authentication: true,
        dynamicAddresses: true,
        addresses: addressesOf("ours", family).slice(0, 1),
      },
    }),
    run: changeOurAddresses,
  },
  {
    name: "their addresses come and go (RFC 5061)",
    // In the other ways usrsctp sends the ASCONF that deletes an address from that very address. We refuse that by cause
    // 0x00A2, as RFC 5061 §5.3 F8 demands; usrsctp aborts then, and its process may come to harm.
    ways: [{ client: "ours", family: "ipv4", udp: false }],
    wishes: ({ family }) => ({
      ours: { authentication: true, dynamicAddresses: true },
      theirAddresses: addressesOf("theirs", family).slice(0, 1),
    }),
    run: changeTheirAddresses,
  },
  {
    name: "adaptation layer indications",
    ways: WAYS,
    wishes: {
      ours: { adaptation: 0x1234_5678 },
      theirs: [{ number: Option.adaptation, value: structure([4, 0x8765_4321]) }],
    },
    run: async (one) => {
      const { indication } = await one.notice("ADAPTATION_INDICATION");
      assert.equal(indication, 0x1234_5678);
      assert.equal((await one.event("adaptation")).indication, 0x8765_4321);
    },
  },
  { name: "heartbeats on demand", ways: WAYS, run: heartbeat },
];

async function sendAllSizes(one: Conversation): Promise<void> {
  for (const length of [1, 3, 100, 1424, 1425, 1440, 1452, 1453, 5000, 100_000]) {
    await one.exchange(length, length % 10);
    await one.weSend(length, { unordered: true, stream: 3 });
    assert.equal((await one.theyGet(length)).unordered, true);
    await one.theySend(length, { flags: UNORDERED, stream: 3 });
    assert.equal((await one.weGet(length)).unordered, true);
  }
}

/** Nothing arrives until both messages wait to be sent: else the long one may be gone before the short one is there. */
async function overtake(one: Conversation, lab: UsrsctpLab): Promise<void> {
  for (const sender of SIDES) {
    const send = (length: number, stream: number) =>
      sender === "ours" ? one.weSend(length, { stream }) : one.theySend(length, { stream });
    await lab.network.cut(sender);
    try {
      await send(300_000, 1);
      await send(50, 2);
    } finally {
      await lab.network.mend(sender);
    }
    for (const length of [50, 300_000]) {
      if (sender === "ours") await one.theyGet(length);
      else await one.weGet(length);
    }
  }
}

/**
 * Some messages are lost, and given up by age or by retransmissions; what comes behind them does not wait for them. They
 * are sent together: usrsctp does not look at what was sent after its first time-out until FORWARD TSN is acknowledged.
 */
async function abandon(one: Conversation, lab: UsrsctpLab, sender: Side, forward: number): Promise<void> {
  await one.exchange(20, 1);
  await one.quiet(); // or a time-out is under way already
  await lab.network.cut(sender);
  try {
    if (sender === "ours") {
      await one.weSendAll([
        ...[101, 102].map((length) => ({
          length,
          fields: { stream: 1, reliability: { policy: "ttl", lifetimeMs: 150 } } as const,
        })),
        { length: 103, fields: { stream: 2, reliability: { policy: "rtx", retransmissions: 1 } } },
        {
          length: 3000,
          fields: { stream: 4, unordered: true, reliability: { policy: "rtx", retransmissions: 0 } },
        },
        { length: 104, fields: { stream: 1 } },
      ]);
      for (let i = 0; i < 4; i++) assert.equal((await one.event("sendFailed")).failure, "abandoned");
    } else {
      await one.theySendAll([
        ...[101, 102].map((length) => ({ length, stream: 1, reliability: { policy: TTL, value: 150 } })),
        { length: 103, stream: 2, reliability: { policy: RTX, value: 1 } },
        { length: 3000, stream: 4, flags: UNORDERED, reliability: { policy: RTX, value: 0 } },
        { length: 104, stream: 1 },
      ]);
      for (const lost of [1, 1, 2, 4]) await one.notice("SEND_FAILED_EVENT", ({ stream }) => stream === lost);
    }
  } finally {
    await lab.network.mend(sender);
  }
  if (sender === "ours") await one.theyGet(104);
  else await one.weGet(104);
  // Not stream 4: usrsctp takes the MID of unordered messages that were skipped for one of ordered messages, and aborts.
  for (const stream of [1, 2, 3]) await one.exchange(50, stream);
  const direction = sender === "ours" ? "sent" : "received";
  assert.ok(count(await one.chunks(), direction, forward) > 0, "FORWARD TSN");
}

/** usrsctp has not got the SACK of its last message yet. */
const EBUSY = 16;

const INCOMING = 1, OUTGOING = 2;
/** Streams each way, where nobody asks for more. */
const STREAMS = 10;

/** Collects streams until they are those that are wanted; none = all. */
async function gather(wanted: readonly number[], next: () => Promise<readonly number[]>): Promise<void> {
  const whole = wanted.length === 0 ? Array.from({ length: STREAMS }, (_, i) => i) : wanted;
  const seen = new Set<number>();
  while (seen.size < whole.length) {
    const streams = await next();
    for (const stream of streams.length === 0 ? whole : streams) seen.add(stream);
  }
  assert.deepEqual([...seen].sort(), whole);
}

async function resetStreams(one: Conversation): Promise<void> {
  const ssns = async (ours: number, theirs: number) => {
    await one.weSend(10, { stream: 1 });
    assert.equal((await one.theyGet(10)).ssn, ours, "our SSN");
    await one.theySend(11, { stream: 1 });
    assert.equal((await one.weGet(11)).ssn, theirs, "their SSN");
  };
  // usrsctp makes several requests where streams are waiting for a SACK
  const outcome = async (direction: "incoming" | "outgoing", wanted: readonly number[]) => {
    const flag = direction === "incoming" ? OUTGOING : INCOMING;
    await gather(wanted, async () => {
      const event = await one.event("streamsReset", (event) => event.direction === direction);
      assert.equal(event.outcome, "performed");
      return event.streams;
    });
    await gather(wanted, async () => {
      const notice = await one.notice("STREAM_RESET_EVENT", ({ flags }) => (Number(flags) & flag) !== 0);
      return notice["streams"] as readonly number[];
    });
  };
  const theyReset = (flags: number, ...streams: number[]) =>
    one.theirOption(
      Option.resetStreams,
      structure([4, 0], [2, flags], [2, streams.length], ...streams.map((id) => [2, id] as const)),
    );
  await ssns(0, 0);
  await one.execute({ type: "resetStreams", direction: "outgoing", streams: [1, 2] });
  await outcome("outgoing", [1, 2]);
  await ssns(0, 1);
  await one.execute({ type: "resetStreams", direction: "incoming", streams: [1, 2] });
  await outcome("incoming", [1, 2]);
  await ssns(1, 0);
  await one.execute({ type: "resetStreams", direction: "both", streams: [1] });
  await outcome("outgoing", [1]);
  await outcome("incoming", [1]);
  await ssns(0, 0);
  await one.execute({ type: "resetStreams", direction: "outgoing", streams: [] });
  await outcome("outgoing", []);
  await ssns(0, 1);
  await theyReset(OUTGOING, 1, 3);
  await outcome("incoming", [1, 3]);
  await ssns(1, 0);
  await theyReset(INCOMING, 1, 3);
  await outcome("outgoing", [1, 3]);
  await ssns(0, 1);
  await theyReset(OUTGOING);
  await outcome("incoming", []);
  await ssns(1, 0);
}

async function resetAssociation(one: Conversation): Promise<void> {
  await one.exchange(10, 1);
  await one.execute({ type: "resetAssociation" });
  const event = await one.event("associationReset");
  const { local } = await one.notice("ASSOC_RESET_EVENT"); // its other number is one more than what it means
  assert.deepEqual([event.outcome, event.peerTsn], ["performed", local]);
  await one.weSend(30, { stream: 1 });
  const theirs = await one.theyGet(30);
  assert.deepEqual([theirs.ssn, theirs.tsn], [0, event.localTsn]);
  await one.theySend(31, { stream: 1 });
  const ours = await one.weGet(31);
  assert.deepEqual([ours.ssn, ours.tsn], [0, event.peerTsn]);
  await one.exchange(5000, 1);
  await one.exchange(10, 2);
}

/**
 * Only as far as it goes: behind a reset of its own, usrsctp may send FORWARD TSN of old TSNs and leave its messages
 * where they are.
 */
async function theyResetAssociation(one: Conversation): Promise<void> {
  await one.exchange(10, 1);
  await one.theirOption(Option.resetAssociation, structure([4, 0]), EBUSY);
  const event = await one.event("associationReset");
  await one.notice("ASSOC_RESET_EVENT");
  assert.equal(event.outcome, "performed");
  await one.weSend(30, { stream: 1 });
  const theirs = await one.theyGet(30);
  assert.deepEqual([theirs.ssn, theirs.tsn], [0, event.localTsn]);
}

async function addStreams(one: Conversation): Promise<void> {
  const { outboundStreams, inboundStreams } = await one.status();
  await one.execute({ type: "addStreams", outbound: 5, inbound: 0 });
  assert.equal((await one.event("streamsAdded")).outboundStreams, outboundStreams + 5);
  assert.equal((await one.notice("STREAM_CHANGE_EVENT"))["inbound"], outboundStreams + 5);
  await one.weSend(10, { stream: outboundStreams + 4 });
  await one.theyGet(10);
  await one.execute({ type: "addStreams", outbound: 0, inbound: 3 });
  assert.equal((await one.event("streamsAdded")).inboundStreams, inboundStreams + 3);
  await one.notice("STREAM_CHANGE_EVENT", ({ outbound }) => outbound === inboundStreams + 3);
  await one.theySend(11, { stream: inboundStreams + 2 });
  await one.weGet(11);
  await one.theirOption(Option.addStreams, structure([4, 0], [2, 0], [2, 4]));
  const added = await one.event("streamsAdded", (event) => event.inboundStreams === inboundStreams + 7);
  assert.equal(added.outcome, "performed");
  await one.notice("STREAM_CHANGE_EVENT", ({ outbound }) => outbound === inboundStreams + 7);
  await one.theySend(12, { stream: inboundStreams + 6 });
  await one.weGet(12);
  await one.theirOption(Option.addStreams, structure([4, 0], [2, 2], [2, 0]));
  await one.event("streamsAdded", (event) => event.outboundStreams === outboundStreams + 7);
  await one.weSend(13, { stream: outboundStreams + 6 });
  await one.theyGet(13);
}

async function authenticate(one: Conversation): Promise<void> {
  await one.chunks();
  await one.exchange(100);
  await one.exchange(50_000, 1);
  await one.weSend(60, { authKeyId: 2 });
  await one.theyGet(60);
  await one.theirOption(Option.authActiveKey, structure([4, 0], [2, 2], [2, 0]));
  await one.theySend(61);
  await one.weGet(61);
  const seen = await one.chunks();
  for (const direction of ["sent", "received"] as const) {
    assert.ok(count(seen, direction, ChunkType.authentication) > 35, `${direction} AUTH`);
  }
}

const Address = { removed: 3, added: 4, madePrimary: 5 } as const;

async function changeOurAddresses(one: Conversation): Promise<void> {
  const [first = "", second = ""] = addressesOf("ours", one.way.family), endpoint = one.name;
  const told = (state: number, address: string) =>
    one.notice("PEER_ADDR_CHANGE", (fields) => fields["state"] === state && fields["address"] === address);
  await one.exchange(10);
  await one.ours({ do: "addAddress", endpoint, address: second });
  await told(Address.added, second);
  await one.exchange(20);
  await one.ours({ do: "setPeerPrimary", endpoint, address: second });
  await told(Address.madePrimary, second);
  await one.exchange(30);
  await one.ours({ do: "removeAddress", endpoint, address: first });
  await told(Address.removed, first);
  await one.exchange(40);
}

async function changeTheirAddresses(one: Conversation): Promise<void> {
  const [first = "", second = ""] = addressesOf("theirs", one.way.family), socket = one.name;
  const told = (change: string, address: string) =>
    one.event("path", (event) => event.change === change && event.address === address);
  await one.exchange(10);
  await one.theirs({ do: "bindx", socket, address: second, add: true });
  await told("added", second);
  await told("confirmed", second);
  await one.exchange(20);
  await one.theirOption(Option.setPeerPrimary, sockaddrStorage(second) + structure([4, 0], [4, 0]));
  await told("made-primary", second);
  await one.exchange(30);
  await one.theirs({ do: "bindx", socket, address: first, add: false });
  await told("removed", first);
  await one.exchange(40);
}

async function heartbeat(one: Conversation): Promise<void> {
  const [address = ""] = addressesOf("theirs", one.way.family),
    [ourAddress = ""] = addressesOf("ours", one.way.family);
  await one.execute({ type: "heartbeat", address });
  const answer = await one.event("heartbeatAck");
  assert.equal(answer.address, address);
  await one.chunks();
  await one.theirOption(
    Option.peerAddressParameters,
    peerAddressParameters(ourAddress, { flags: HB_DEMAND }),
  );
  await one.exchange(10);
  const seen = await one.chunks();
  assert.ok(count(seen, "received", ChunkType.heartbeat) > 0, "HEARTBEAT");
  assert.ok(count(seen, "sent", ChunkType.heartbeatAck) > 0, "HEARTBEAT ACK");
}

function describe({ client, udp, family }: Way): string {
  return `${client === "ours" ? "embedded" : "usrsctp"} client, ${udp ? "UDP" : "IP"}, ${family}`;
}

/** A HEARTBEAT that met the new life of a side before that has set anything up would be answered by ABORT. */
const NO_HEARTBEATS: Wishes = {
  ours: { heartbeatIntervalMs: 0 },
  theirs: [{ number: Option.peerAddressParameters, value: peerAddressParameters("", { flags: HB_DISABLE }) }],
};

/** A side loses its memory in the midst of an association, and sets it up again (RFC 9260 §5.2.4.1). */
async function restart(lab: UsrsctpLab, way: Way, side: Side): Promise<void> {
  const one = await lab.associate(way, NO_HEARTBEATS);
  await one.exchange(100, 1);
  await one.quiet();
  if (side === "ours") {
    await lab.ours.kill();
    lab.startOurs();
  } else {
    await lab.theirs.kill();
    lab.startTheirs();
  }
  await one.open(side, false);
  await one.connect(side);
  if (side === "ours") {
    await one.event("up");
    await one.notice("ASSOC_CHANGE", ({ state }) => state === RESTART);
  } else {
    await one.notice("ASSOC_CHANGE", ({ state }) => state === COMM_UP);
    await one.event("restarted");
  }
  await one.exchange(200, 1);
  await one.exchange(20_000, 2);
  await one.end(side);
}

/** SCTP_COMM_UP, SCTP_RESTART */
const COMM_UP = 1, RESTART = 3;

/** Both sides set up the same association at once; the client's first INIT is lost (RFC 9260 §5.2.1, §5.2.4). */
async function collide(lab: UsrsctpLab, way: Way): Promise<void> {
  const one = lab.prepare(way);
  await one.open("ours", false);
  await one.open("theirs", false);
  await lab.network.cut(way.client);
  try {
    await one.connect(way.client);
    await one.connect(way.client === "ours" ? "theirs" : "ours");
  } finally {
    await lab.network.mend(way.client);
  }
  await one.up();
  await one.exchange(100, 1);
  await one.exchange(20_000, 2);
  await one.end(way.client);
}

/** Nothing malformed, no wrong checksum, no warning. */
async function judge(captures: readonly Uint8Array[]): Promise<void> {
  const ours = (["ipv4", "ipv6"] as const).flatMap((family) =>
    addressesOf("ours", family).map((address) => `${family === "ipv4" ? "ip" : "ipv6"}.src == ${address}`)
  ).join(" or ");
  const file = await Deno.makeTempFile({ suffix: ".pcap" });
  try {
    let good = 0;
    for (const capture of captures) {
      await Deno.writeFile(file, capture);
      good += (await packets(file, `(${ours}) and sctp.checksum.status == "Good"`)).length;
      const faults = await packets(
        file,
        `(${ours}) and (_ws.malformed or sctp.checksum.status == "Bad" or ${WARNED})`,
      );
      assert.deepEqual(faults, []);
    }
    assert.ok(good > 1000, `${good} good packets`);
  } finally {
    await Deno.remove(file);
  }
}

const whyNot = await whyNoLab();

Deno.test({
  name: `extensions of the embedded stack and usrsctp${whyNot === undefined ? "" : ` (${whyNot})`}`,
  ignore: whyNot !== undefined,
  fn: async (t) => {
    await using lab = await UsrsctpLab.open("ext");
    for (const { name, ways, wishes = {}, staysOpen = false, run } of SCENARIOS) {
      for (const way of ways) {
        await t.step(`${name}; ${describe(way)}`, async () => {
          const one = await lab.associate(way, typeof wishes === "function" ? wishes(way) : wishes);
          await run(one, lab);
          if (!staysOpen) await one.end(way.client === "ours" ? "theirs" : "ours");
        });
      }
    }
    for (const way of WAYS) {
      for (const restarting of SIDES) {
        const who = restarting === "ours" ? "we restart" : "usrsctp restarts";
        await t.step(`${who}; ${describe(way)}`, () => restart(lab, way, restarting));
      }
      await t.step(`INITs cross; ${describe(way)}`, () => collide(lab, way));
    }
    await t.step("tshark finds no fault with our packets", async () => {
      await judge(await lab.end());
    });
  },
});
