import assert from "node:assert/strict";
import { KernelEventQueue } from "../../ffi/kernel_event_queue.ts";
import type { TransportEvent } from "../../protocol/net.ts";

Deno.test("KernelEventQueue delivers what its handler makes it tell, in a batch of its own", async () => {
  const batches: (readonly TransportEvent[])[] = [];
  let handling = false;
  const queue = new KernelEventQueue((events) => {
    assert.ok(!handling, "never from within the handler");
    handling = true;
    batches.push(events);
    if (batches.length === 1) queue.tell({ type: "writable", association: 2 });
    handling = false;
  }, () => {});
  queue.tell({ type: "writable", association: 1 });
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(batches, [[{ type: "writable", association: 1 }], [{ type: "writable", association: 2 }]]);
});

Deno.test("KernelEventQueue sends what was asked for in the handler at the end of the same turn", async () => {
  const order: string[] = [];
  const queue = new KernelEventQueue(() => order.push("handler"), () => order.push("flush"));
  queue.tell({ type: "writable", association: 1 });
  await undefined;
  assert.deepEqual(order, ["flush", "handler", "flush"]);
});
