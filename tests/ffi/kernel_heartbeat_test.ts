import assert from "node:assert/strict";
import type { KernelAssociation } from "../../ffi/kernel_association.ts";
import type { TimedPacketObserver } from "../../ffi/kernel_capture.ts";
import { KernelHeartbeats } from "../../ffi/kernel_heartbeat.ts";
import type { HeartbeatAnswered } from "../../protocol/net.ts";

const HERE = "10.1.0.1", THERE = "10.1.0.2", SILENT = "10.2.0.2";

/** A packet of one HEARTBEAT or HEARTBEAT ACK between the ports 7 and 9. */
function heartbeat(type: 4 | 5, info: number): Uint8Array {
  const [source, destination] = type === 4 ? [7, 9] : [9, 7];
  return Uint8Array.of(0, source, 0, destination, 0, 0, 0, 1, 0, 0, 0, 0, type, 0, 0, 8, 0, 1, 0, info);
}

Deno.test("KernelHeartbeats tells of answers however many HEARTBEATs to another address have none", () => {
  const told: HeartbeatAnswered[] = [];
  let see: TimedPacketObserver = () => assert.fail("nothing is captured");
  const heartbeats = new KernelHeartbeats(7, (event) => told.push(event), (_ports, onPacket) => {
    see = onPacket;
    return { [Symbol.dispose]: () => {} };
  });
  const association = { id: 1, peerPort: 9, up: true, down: undefined } as KernelAssociation;
  const pass = (type: 4 | 5, info: number, at: number) => {
    const [source, destination] = type === 4 ? [HERE, THERE] : [THERE, HERE];
    const direction = type === 4 ? "sent" : "received";
    const udp = { sourceUdpPort: 0, destinationUdpPort: 0 };
    see({ direction, source, destination, ...udp, sctp: heartbeat(type, info) }, at);
  };
  try {
    for (let i = 0; i < 300; i++) heartbeats.expect(association, [SILENT]);
    for (let i = 0; i < 3; i++) {
      heartbeats.expect(association, [SILENT, THERE]);
      pass(4, i, 100 * i);
      pass(5, i, 100 * i + 7);
    }
  } finally {
    heartbeats.close();
  }
  const answer = { type: "heartbeatAck", association: 1, address: THERE, roundTripMs: 7 };
  assert.deepEqual(told, [answer, answer, answer]);
});
