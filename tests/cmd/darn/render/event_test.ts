import assert from "node:assert/strict";
import { Associations } from "../../../../cmd/darn/associations.ts";
import { renderEvent } from "../../../../cmd/darn/render/event.ts";
import type { MessageView } from "../../../../cmd/darn/render/message.ts";
import { renderStatistics } from "../../../../cmd/darn/render/statistics.ts";
import { renderAssociations, renderPaths, tableLines } from "../../../../cmd/darn/render/association.ts";
import type {
  AssociationStatistics,
  Endpoint,
  MessageReceived,
  TransportEvent,
} from "../../../../protocol/net.ts";

const endpoint = { port: 1234, addresses: ["10.1.0.1"] } as unknown as Endpoint;
const UP: TransportEvent = {
  type: "up",
  association: 77,
  request: undefined,
  peerAddresses: ["10.1.0.2", "fd01::2"],
  peerPort: 2345,
  outboundStreams: 10,
  inboundStreams: 5,
};
const VIEW: MessageView = { view: "text", octetsShown: 64, verbose: false };

function world() {
  const associations = new Associations();
  return { associations, association: associations.take(UP, endpoint)! };
}

function lines(event: TransportEvent, view = VIEW): readonly string[] {
  return renderEvent(event, world().association, view).lines;
}

function message(text: string, more: Partial<MessageReceived> = {}): MessageReceived {
  const data = new TextEncoder().encode(text);
  return {
    type: "message",
    association: 77,
    stream: 3,
    ssn: 4,
    tsn: 5,
    ppid: 11,
    unordered: false,
    data,
    ...more,
  };
}

Deno.test("a new association is told with all addresses of the peer, ports behind brackets", () => {
  const { association } = world();
  assert.deepEqual(renderEvent(UP, association, VIEW).lines, [
    "NOTIFICATION: ASSOC_CHANGE - COMM_UP (#1)",
    "New connection, peer addresses; 10 streams out, 5 in",
    "10.1.0.2:2345",
    "[fd01::2]:2345",
  ]);
});

Deno.test("a message is shown whole, to its last octet, with stream, SSN, TSN and PPID in host order", () => {
  assert.deepEqual(lines(message("0123456789")), [
    "DATA(10):  0123456789",
    "   #1 10.1.0.2:2345, stream 3, SSN 4, TSN 5, PPID 11 (ASAP)",
  ]);
  assert.deepEqual(lines(message("a\u0007", { unordered: true })), [
    "DATA(2):  a.",
    "   #1 10.1.0.2:2345, stream 3, unordered, TSN 5, PPID 11 (ASAP)",
  ]);
});

Deno.test("a long message is one message, and what is not shown of it is counted", () => {
  const [first, more] = lines(message("x".repeat(70_000)));
  assert.equal(first, `DATA(70000):  ${"x".repeat(64)}`);
  assert.match(more!, /PPID 11 \(ASAP\), 69936 octets not shown$/);
});

Deno.test("messages can be viewed as hex dump, as UTF-8, and not at all; no control character gets out", () => {
  assert.deepEqual(lines(message("AB"), { ...VIEW, view: "hex" }).slice(0, 2), [
    "DATA(2):",
    "   0000  41 42                                            AB",
  ]);
  assert.equal(lines(message("ä\u001b[2J\u202e"), { ...VIEW, view: "utf8" })[0], "DATA(9):  ä.[2J.");
  assert.equal(lines(message("AB"), { ...VIEW, view: "none" })[0], "DATA(2):");
});

Deno.test("-verbose puts the original's SNDRCV block in front of a message", () => {
  assert.deepEqual(lines(message("A"), { ...VIEW, verbose: true }).slice(0, 5), [
    "SNDRCV",
    "   sinfo_stream 3",
    "   sinfo_ssn 4",
    "   sinfo_flags 0x0",
    "   sinfo_ppid 11",
  ]);
});

const down = { type: "down", association: 77, request: undefined, cause: undefined } as const;
const EVENTS: readonly (readonly [event: TransportEvent, line: string])[] = [
  [
    { ...down, reason: "shutdown", origin: "peer" },
    "NOTIFICATION: ASSOC_CHANGE - SHUTDOWN_COMP: shut down by the peer (#1)",
  ],
  [
    {
      ...down,
      reason: "aborted",
      origin: "peer",
      cause: { code: 12, info: new TextEncoder().encode("bye") },
    },
    'NOTIFICATION: ASSOC_CHANGE - COMM_LOST: aborted by the peer: User-Initiated Abort ("bye") (#1)',
  ],
  [
    { ...down, reason: "timeout", origin: "local" },
    "NOTIFICATION: ASSOC_CHANGE - COMM_LOST: the peer does not answer (#1)",
  ],
  [{ type: "restarted", association: 77 }, "NOTIFICATION: ASSOC_CHANGE - RESTART (#1)"],
  [
    { type: "path", association: 77, address: "fd01::2", change: "unreachable" },
    "NOTIFICATION: PEER_ADDR_CHANGE - ADDR_UNREACHABLE: fd01::2 (#1)",
  ],
  [
    { type: "path", association: 77, address: "fd01::2", change: "potentially-failed" },
    "NOTIFICATION: PEER_ADDR_CHANGE - ADDR_POTENTIALLY_FAILED: fd01::2 (#1)",
  ],
  [
    {
      type: "sendFailed",
      association: 77,
      stream: 1,
      ppid: 3,
      data: new Uint8Array(9),
      sent: true,
      failure: "abandoned",
    },
    "NOTIFICATION: SEND_FAILED - SENT: 9 octets, stream 1, PPID 3 (M3UA), given up (#1)",
  ],
  [
    { type: "remoteError", association: 77, cause: { code: 1, info: new Uint8Array([0, 9, 0, 0]) } },
    "NOTIFICATION: REMOTE_ERROR - Invalid Stream Identifier (stream 9) (#1)",
  ],
  [
    { type: "peerShutdown", association: 77 },
    "NOTIFICATION: SHUTDOWN_EVENT - the peer takes no more messages (#1)",
  ],
  [
    { type: "heartbeatAck", association: 77, address: "10.1.0.2", roundTripMs: 0.4567 },
    "HEARTBEAT ACK from 10.1.0.2: 0.457 ms (#1)",
  ],
  [{ type: "senderDry", association: 77 }, "NOTIFICATION: SENDER_DRY - all is acknowledged (#1)"],
  [
    { type: "adaptation", association: 77, indication: 0x1234 },
    "NOTIFICATION: ADAPTATION_INDICATION - 0x00001234 (#1)",
  ],
  [
    { type: "authentication", association: 77, indication: "new-key", keyId: 3 },
    "NOTIFICATION: AUTHENTICATION - NEW_KEY: key 3 (#1)",
  ],
  [
    { type: "streamsReset", association: 77, direction: "incoming", streams: [], outcome: "performed" },
    "NOTIFICATION: STREAM_RESET - incoming, all streams (#1)",
  ],
  [
    { type: "streamsReset", association: 77, direction: "outgoing", streams: [1, 2], outcome: "denied" },
    "NOTIFICATION: STREAM_RESET - outgoing, streams 1, 2 - DENIED by the peer (#1)",
  ],
  [
    { type: "associationReset", association: 77, localTsn: 8, peerTsn: 9, outcome: "performed" },
    "NOTIFICATION: ASSOC_RESET: next TSN 8, the peer's 9 (#1)",
  ],
  [
    { type: "streamsAdded", association: 77, inboundStreams: 12, outboundStreams: 20, outcome: "performed" },
    "NOTIFICATION: STREAM_CHANGE - 20 streams out, 12 in (#1)",
  ],
];

for (const [event, line] of EVENTS) {
  Deno.test(`an event is shown as ${line}`, () => {
    const shown = renderEvent(event, world().association, VIEW);
    assert.deepEqual(shown.lines, [line]);
    assert.equal(shown.fields.event, event.type);
    assert.equal(shown.fields["association"], 1);
    assert.doesNotThrow(() => JSON.stringify(shown.fields));
  });
}

Deno.test("a connect that failed is CANT_STR_ASSOC with its reason", () => {
  const shown = renderEvent({ ...down, request: 1, reason: "refused", origin: "peer" }, undefined, VIEW);
  assert.deepEqual(shown.lines, ["NOTIFICATION: ASSOC_CHANGE - CANT_STR_ASSOC: Connection refused"]);
});

Deno.test("what comes many times a second has no line", () => {
  assert.deepEqual(lines({ type: "blocked", association: 77 }), []);
});

const STATISTICS: AssociationStatistics = {
  maxRtoMs: 1000.4,
  maxRtoAddress: "fd01::2",
  sacksReceived: 1,
  sacksSent: 2,
  packetsSent: 3,
  packetsReceived: 4,
  retransmittedChunks: 5,
  outOfSequenceTsns: 6,
  duplicateChunks: 7,
  gapAcksReceived: 8,
  unorderedChunksSent: 9,
  unorderedChunksReceived: 10,
  orderedChunksSent: 11,
  orderedChunksReceived: 12,
  controlChunksSent: 13,
  controlChunksReceived: 14,
};

Deno.test("stats are the fifteen lines of the original, in its order", () => {
  const { association } = world();
  const { lines } = renderStatistics(association, { statistics: STATISTICS, at: 0 }, undefined);
  assert.deepEqual(lines, [
    "Retransmitted Chunks: 5",
    "Gap Acknowledgements Received: 8",
    "TSN received > next expected: 6",
    "SACKs sent: 2",
    "SACKs received: 1",
    "Control chunks sent: 13",
    "Control chunks received: 14",
    "Ordered data chunks sent: 11",
    "Ordered data chunks received: 12",
    "Unordered data chunks sent: 9",
    "Unordered data chunks received: 10",
    "Dups received (ordered+unordered): 7",
    "Packets sent: 3",
    "Packets received: 4",
    "Maximum Observed RTO this period: 1000 - Transport: [fd01::2]:2345",
  ]);
});

Deno.test("stats tell the second time what was added, and how fast", () => {
  const { association } = world();
  const later = { ...STATISTICS, packetsSent: 13 };
  const { lines, fields } = renderStatistics(association, { statistics: later, at: 2000 }, {
    statistics: STATISTICS,
    at: 0,
  });
  assert.equal(lines[12], "Packets sent: 13 (+10, 5.0/s)");
  assert.equal(lines[13], "Packets received: 4");
  assert.equal(fields["seconds"], 2);
});

Deno.test("tables have numbers at the right and words at the left", () => {
  assert.deepEqual(tableLines([["No", "Name"], ["1", "a"], ["10", "bc"]]), ["No  Name", " 1  a", "10  bc"]);
});

Deno.test("the table of associations says when there is none", () => {
  assert.deepEqual(renderAssociations([]).lines, ["No association is present now!!"]);
});

Deno.test("the table of paths leaves out what no path tells", () => {
  const { lines } = renderPaths(world().association, [{
    address: "10.1.0.2",
    localAddress: undefined,
    encapsulationPort: 0,
    state: "active",
    primary: true,
    cwnd: 4380,
    srttMs: 0.5,
    rtoMs: 1000,
    mtu: 1500,
    ssthresh: 0xffff_ffff,
  }], [""]);
  assert.deepEqual(lines, [
    "Path (* primary)  State   cwnd  SRTT/ms  RTO/ms   MTU",
    "*10.1.0.2         active  4380      0.5    1000  1500",
  ]);
});
