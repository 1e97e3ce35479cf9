import assert from "node:assert/strict";
import { leaseLibc } from "../../ffi/libc.ts";
import { MessageFlag, MessageSlots } from "../../ffi/structs.ts";

const SIZES = { data: 8192, name: 8, control: 8 };

/** A UDP socket that is connected to itself, so that what is sent comes back. */
function withLoop(
  test: (loop: { send(octets: Uint8Array): void; receive(slots: MessageSlots): void }) => void,
): void {
  using libc = leaseLibc();
  const { socket, bind, connect, getsockname, sendmsg, recvmmsg, close } = libc.symbols;
  const fd = socket(2, 2, 0);
  try {
    const name = new Uint8Array(16);
    name.set([2, 0, 0, 0, 127, 0, 0, 1]);
    assert.equal(bind(fd, name, 16), 0);
    assert.equal(getsockname(fd, new DataView(name.buffer), new Uint32Array([16])), 0);
    assert.equal(connect(fd, name, 16), 0);
    const outgoing = new MessageSlots(1, SIZES);
    test({
      send: (octets) => {
        outgoing.load(0, octets, octets.length >= 4096);
        outgoing.prepareSend(0, octets.length, 0, 0);
        assert.equal(sendmsg(fd, outgoing.pointer(0), 0), octets.length);
      },
      receive: (slots) => assert.equal(recvmmsg(fd, slots.pointer(0), 1, MessageFlag.dontWait, null), 1),
    });
  } finally {
    close(fd);
  }
}

function octets(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i * 7 + seed & 255);
}

Deno.test("MessageSlots sends a copy from a slot that had pointed at another message", () => {
  withLoop(({ send, receive }) => {
    const slots = new MessageSlots(1, SIZES);
    for (const message of [octets(5000, 1), octets(20, 2), octets(6000, 3)]) {
      send(message);
      slots.prepareReceive();
      receive(slots);
      assert.deepEqual(slots.data[0]!.slice(0, slots.receivedBytes(0)), message);
    }
  });
});
