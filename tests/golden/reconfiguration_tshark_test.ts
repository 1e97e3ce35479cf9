/** tshark reads every parameter of RE-CONFIG as this stack means it. */
import assert from "node:assert/strict";
import { makePacket } from "../../protocol/sctp/packet.ts";
import { makeReconfiguration } from "../../protocol/sctp/reconfiguration_chunk.ts";
import type { ReconfigurationParameter } from "../../protocol/sctp/reconfiguration_chunk.ts";
import { Writer } from "../../protocol/wire/writer.ts";
import { tshark } from "./tshark.ts";

const CHUNKS: readonly (readonly ReconfigurationParameter[])[] = [
  [{ type: "resetOutgoing", request: 11, response: 12, lastTsn: 13, streams: [1, 2, 3] }],
  [{ type: "resetIncoming", request: 21, streams: [4] }],
  [{ type: "resetAssociation", request: 31 }],
  [{ type: "addOutgoing", request: 41, count: 5 }],
  [{ type: "addIncoming", request: 51, count: 6 }],
  [{ type: "response", response: 61, result: 6 }],
  [{ type: "response", response: 71, result: 1, tsns: { sender: 72, receiver: 73 } }],
  [
    { type: "response", response: 81, result: 1 },
    { type: "resetOutgoing", request: 82, response: 81, lastTsn: 83, streams: [] },
  ],
];

/** A pcap file of packets that begin with the SCTP header (link type 248). */
function capture(packets: readonly Uint8Array[]): Uint8Array {
  const w = new Writer();
  for (const word of [0xa1b2c3d4, 0x0002_0004, 0, 0, 65_535, 248]) w.u32(word);
  for (const packet of packets) {
    for (const word of [0, 0, packet.length, packet.length]) w.u32(word);
    w.bytes(packet);
  }
  return w.finish();
}

Deno.test("tshark dissects every RE-CONFIG parameter, and finds none malformed", async () => {
  const path = await Deno.makeTempFile({ suffix: ".pcap" });
  try {
    await Deno.writeFile(
      path,
      capture(CHUNKS.map((parameters) => makePacket(1, 2, 3, [makeReconfiguration(parameters)]))),
    );
    const lines = await tshark(path, "-T", "fields", "-e", "sctp.chunk_type", "-e", "sctp.parameter_type");
    const types = {
      resetOutgoing: 13,
      resetIncoming: 14,
      resetAssociation: 15,
      response: 16,
      addOutgoing: 17,
      addIncoming: 18,
    };
    const expected = CHUNKS.map((parameters) =>
      `130\t${parameters.map(({ type }) => `0x${types[type].toString(16).padStart(4, "0")}`).join(",")}`
    );
    assert.deepEqual(lines, expected);
    assert.deepEqual(await tshark(path, "-Y", "_ws.malformed || _ws.expert.severity >= warning"), []);
  } finally {
    await Deno.remove(path);
  }
});
