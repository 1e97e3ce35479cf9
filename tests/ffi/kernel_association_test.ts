import assert from "node:assert/strict";
import { KernelAssociation } from "../../ffi/kernel_association.ts";
import type { KernelSocket, ReceivedPiece } from "../../ffi/kernel_socket.ts";
import type { SendFailedNotification } from "../../ffi/notification.ts";

const NO_SOCKET = {} as KernelSocket; // nothing here touches it

function association(): KernelAssociation {
  return new KernelAssociation(1, 3, undefined, NO_SOCKET, 0);
}

function piece(data: number[], endOfRecord: boolean, stream = 0, unordered = false): ReceivedPiece {
  return {
    kernelId: 3,
    stream,
    ssn: 5,
    tsn: 100,
    ppid: 11,
    unordered,
    endOfRecord,
    data: Uint8Array.from(data),
  };
}

/** One chunk that came back: "B" = first of its message, "E" = last, "BE" = only one. */
function failed(chunk: string, data: number[], sent = false, context = 0): SendFailedNotification {
  const begins = chunk.includes("B"), ends = chunk.includes("E");
  return {
    type: "sendFailed",
    kernelId: 3,
    stream: 2,
    ppid: 11,
    context,
    sent,
    begins,
    ends,
    data: Uint8Array.from(data),
  };
}

Deno.test("join() gives a message of one piece at once, as a copy", () => {
  const borrowed = piece([1, 2, 3], true);
  const message = association().join(borrowed, 100);
  borrowed.data[0] = 9;
  assert.deepEqual(message, { ssn: 5, tsn: 100, ppid: 11, data: Uint8Array.of(1, 2, 3) });
});

Deno.test("join() puts pieces together, streams and unordered messages apart", () => {
  const into = association();
  assert.equal(into.join(piece([1], false, 4), 100), undefined);
  assert.equal(into.join(piece([7], false, 4, true), 100), undefined);
  assert.equal(into.join(piece([2], false, 4), 100), undefined);
  const unordered = into.join(piece([8], true, 4, true), 100);
  const ordered = into.join(piece([3], true, 4), 100);
  assert.ok(typeof unordered === "object" && typeof ordered === "object");
  assert.deepEqual([...unordered.data], [7, 8]);
  assert.deepEqual([...ordered.data], [1, 2, 3]);
});

Deno.test("join() refuses what grows above the limit", () => {
  const into = association();
  assert.equal(into.join(piece([1, 2], false), 3), undefined);
  assert.equal(into.join(piece([3, 4], true), 3), "too long");
});

Deno.test("join() begins anew after the peer gave a message up", () => {
  const into = association();
  into.join(piece([1], false), 100);
  into.forgetPartial(0);
  const message = into.join(piece([2], true), 100);
  assert.ok(typeof message === "object");
  assert.deepEqual([...message.data], [2]);
});

Deno.test("fail() joins the chunks of a message and tells it with the last one", () => {
  const of = association();
  assert.deepEqual(of.fail(failed("B", [1, 2])), []);
  assert.deepEqual(of.fail(failed("", [3], true)), []);
  const [first] = of.fail(failed("E", [4], false, 0));
  assert.deepEqual([first?.sent, [...first!.data]], [true, [1, 2, 3, 4]]);
  assert.deepEqual(of.fail(failed("BE", [5], false, 7)).map(({ data, context }) => [...data, context]), [[
    5,
    7,
  ]]);
  assert.deepEqual(of.takeFailed(), []);
});

Deno.test("fail() tells messages apart whose first or last chunks the peer has acknowledged", () => {
  const of = association();
  assert.deepEqual(of.fail(failed("", [1])), []);
  assert.deepEqual(of.fail(failed("B", [2])).map(({ data }) => [...data]), [[1]]);
  assert.deepEqual(of.fail(failed("", [3], false, 9)).map(({ data }) => [...data]), [[2]]);
  assert.deepEqual(of.takeFailed().map(({ data }) => [...data]), [[3]]);
});

Deno.test("fail() says that a message was abandoned as long as the association lives", () => {
  const of = association();
  assert.equal(of.fail(failed("BE", [1]))[0]?.failure, "abandoned");
  of.ending = "abort";
  assert.equal(of.fail(failed("BE", [1]))[0]?.failure, "association-ended");
});

Deno.test("the queue keeps its order and its count of octets however long it gets", () => {
  const of = association();
  const count = 5000;
  let next = 0;
  const take = (messages: number) => {
    for (const { context } of of.dequeue(messages)) assert.equal(context, next++);
  };
  for (let context = 0; context < count; context++) {
    of.enqueue({ data: new Uint8Array(3), stream: 0, ppid: 0, flags: 0, context });
    if (context % 3 === 0) take(2);
    assert.equal(of.queuedOctets, 3 * of.waiting);
  }
  take(of.waiting);
  assert.deepEqual([next, of.waiting, of.queuedOctets], [count, 0, 0]);
});
