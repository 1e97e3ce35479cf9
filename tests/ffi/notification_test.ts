import assert from "node:assert/strict";
import { type AssociationChangeNotification, firstCause, readNotification } from "../../ffi/notification.ts";

/** An association change: state, error in network order, 10 streams out, 5 in, association 7, and the causes. */
function associationChange(state: number, error: number, causes = ""): Uint8Array {
  const view = new DataView(new ArrayBuffer(20));
  view.setUint16(0, 0x8001, true);
  view.setUint32(4, 20 + causes.length / 2, true);
  view.setUint16(8, state, true);
  view.setUint16(10, error);
  view.setUint16(12, 10, true);
  view.setUint16(14, 5, true);
  view.setInt32(16, 7, true);
  return Uint8Array.from([...new Uint8Array(view.buffer), ...Uint8Array.fromHex(causes)]);
}

function change(octets: Uint8Array): AssociationChangeNotification {
  const notification = readNotification(octets);
  assert.equal(notification.type, "associationChange");
  return notification as AssociationChangeNotification;
}

Deno.test("readNotification() reads COMM_UP with its numbers of streams", () => {
  const { state, kernelId, outboundStreams, inboundStreams, causes } = change(associationChange(0, 0));
  assert.deepEqual({ state, kernelId, outboundStreams, inboundStreams }, {
    state: "up",
    kernelId: 7,
    outboundStreams: 10,
    inboundStreams: 5,
  });
  assert.equal(causes.length, 0);
});

Deno.test("readNotification() knows each state of an association, and no other", () => {
  const states = [0, 1, 2, 3, 4].map((state) => change(associationChange(state, 0)).state);
  assert.deepEqual(states, ["up", "lost", "restart", "shutdownComplete", "cannotStart"]);
  assert.equal(readNotification(associationChange(5, 0)).type, "other");
});

Deno.test("firstCause() takes the cause out of the peer's ABORT", () => {
  const lost = change(associationChange(1, 12, "000c0006" + "6869" + "0000"));
  assert.deepEqual(firstCause(lost), { code: 12, info: Uint8Array.fromHex("6869") });
});

Deno.test("firstCause() falls back to the code alone, and to nothing", () => {
  assert.deepEqual(firstCause(change(associationChange(1, 12))), { code: 12, info: new Uint8Array(0) });
  assert.deepEqual(firstCause(change(associationChange(1, 12, "000cffff"))), {
    code: 12,
    info: new Uint8Array(0),
  });
  assert.equal(firstCause(change(associationChange(1, 0))), undefined);
});

Deno.test("readNotification() reads a change of a path", () => {
  const view = new DataView(new ArrayBuffer(148));
  view.setUint16(0, 0x8002, true);
  view.setUint32(4, 148, true);
  view.setUint16(8, 2, true); // AF_INET
  view.setUint32(12, 0x0a630002);
  view.setInt32(136, 1, true);
  view.setInt32(144, 9, true);
  assert.deepEqual(readNotification(new Uint8Array(view.buffer)), {
    type: "pathChange",
    kernelId: 9,
    address: "10.99.0.2",
    change: "unreachable",
  });
});

Deno.test("readNotification() reads a chunk that was not sent", () => {
  const view = new DataView(new ArrayBuffer(35));
  view.setUint16(0, 0x800d, true);
  view.setUint16(12, 3, true); // stream
  view.setUint16(14, 2, true); // flags of the chunk: B
  view.setUint32(16, 11); // PPID in network order
  view.setUint32(20, 0xabcdef01, true); // context
  view.setInt32(28, 4, true);
  view.setUint8(34, 77);
  assert.deepEqual(readNotification(new Uint8Array(view.buffer)), {
    type: "sendFailed",
    kernelId: 4,
    stream: 3,
    ppid: 11,
    context: 0xabcdef01,
    sent: false,
    begins: true,
    ends: false,
    data: Uint8Array.of(0, 0, 77),
  });
});

Deno.test("readNotification() reads what extensions tell", () => {
  const cases: [hex: string, expected: ReturnType<typeof readNotification>][] = [
    ["07800000" + "10000000" + "78563412" + "05000000", {
      type: "adaptation",
      kernelId: 5,
      indication: 0x12345678,
    }],
    ["08800000" + "14000000" + "07000000" + "01000000" + "05000000", {
      type: "authentication",
      kernelId: 5,
      indication: "free-key",
      keyId: 7,
    }],
    ["09800000" + "0c000000" + "05000000", { type: "senderDry", kernelId: 5 }],
    ["0a800100" + "10000000" + "05000000" + "01000302", {
      type: "streamsReset",
      kernelId: 5,
      direction: "incoming",
      streams: [1, 0x0203],
      outcome: "performed",
    }],
    ["0a800600" + "0c000000" + "05000000", {
      type: "streamsReset",
      kernelId: 5,
      direction: "outgoing",
      streams: [],
      outcome: "denied",
    }],
    ["0b800800" + "14000000" + "05000000" + "01000000" + "02000000", {
      type: "associationReset",
      kernelId: 5,
      localTsn: 2,
      peerTsn: 1,
      outcome: "failed",
    }],
    ["0c800000" + "10000000" + "05000000" + "01000200", {
      type: "streamsAdded",
      kernelId: 5,
      outcome: "performed",
    }],
  ];
  for (const [hex, expected] of cases) assert.deepEqual(readNotification(Uint8Array.fromHex(hex)), expected);
  const unknown = Uint8Array.fromHex("08800000" + "14000000" + "07000000" + "09000000" + "05000000");
  assert.equal(readNotification(unknown).type, "other");
});

Deno.test("readNotification() reads what it is given when it stands within other octets", () => {
  const octets = new Uint8Array(20);
  octets.set(Uint8Array.fromHex("05800000" + "0c000000" + "03000000"), 5);
  assert.deepEqual(readNotification(octets.subarray(5, 17)), { type: "peerShutdown", kernelId: 3 });
});

Deno.test("readNotification() takes any octets", () => {
  const whole = [associationChange(1, 12, "000c0008" + "68696a6b"), new Uint8Array(148).fill(0x80)];
  for (const type of [0x1234, ...Array.from({ length: 16 }, (_, i) => 0x8000 + i)]) {
    for (const octets of whole) {
      octets[0] = type & 255;
      octets[1] = type >> 8;
      for (let length = 0; length <= octets.length; length++) {
        assert.equal(typeof readNotification(octets.subarray(0, length)).type, "string");
      }
    }
  }
});
