import assert from "node:assert/strict";
import type { MessageReceived, SendFailed } from "../../../protocol/net.ts";
import { DeliveryLedger } from "../../../protocol/sim/ledger.ts";

function message(data: Uint8Array, stream = 0, unordered = false): MessageReceived {
  return { type: "message", association: 1, stream, ssn: 0, tsn: 1, ppid: 1, unordered, data };
}

function failure(data: Uint8Array, sent: boolean): SendFailed {
  return { type: "sendFailed", association: 1, stream: 0, ppid: 1, data, sent };
}

Deno.test("DeliveryLedger accepts streams that overtake each other", () => {
  const ledger = new DeliveryLedger(1);
  const a = ledger.compose(0, false, 10), b = ledger.compose(1, false, 1), c = ledger.compose(0, false, 3);
  ledger.delivered(message(b, 1));
  ledger.delivered(message(a));
  ledger.delivered(message(c));
  ledger.finish("shutdown");
  assert.equal(ledger.deliveredCount, 3);
});

Deno.test("DeliveryLedger sees a stream out of order", () => {
  const ledger = new DeliveryLedger(1);
  ledger.compose(0, false, 10);
  const second = ledger.compose(0, false, 10);
  assert.throws(() => ledger.delivered(message(second)), /delivers message 0/);
});

Deno.test("DeliveryLedger lets unordered messages come in any order, but once", () => {
  const ledger = new DeliveryLedger(1);
  const first = ledger.compose(0, true, 10), second = ledger.compose(0, true, 10);
  ledger.delivered(message(second, 0, true));
  ledger.delivered(message(first, 0, true));
  assert.throws(() => ledger.delivered(message(first, 0, true)), /not outstanding/);
});

Deno.test("DeliveryLedger sees a changed octet", () => {
  const ledger = new DeliveryLedger(1);
  const data = ledger.compose(0, false, 1000);
  data[700]! ^= 1;
  assert.throws(() => ledger.delivered(message(data)));
});

Deno.test("DeliveryLedger sees a message that was lost without a word", () => {
  const ledger = new DeliveryLedger(1);
  ledger.compose(0, false, 5);
  assert.throws(() => ledger.finish("broken"), /neither delivered nor reported/);
  ledger.finish("crashed");
});

Deno.test("DeliveryLedger accepts a reported loss, and a delivery that was not acknowledged", () => {
  const ledger = new DeliveryLedger(1);
  const first = ledger.compose(0, false, 5), second = ledger.compose(0, false, 5);
  ledger.delivered(message(first));
  ledger.failed(failure(first, true));
  ledger.failed(failure(second, false));
  ledger.finish("broken");
  assert.throws(() => ledger.finish("shutdown"), /after a graceful end/);
});

Deno.test("DeliveryLedger sees a delivered message that claims never to have been sent", () => {
  const ledger = new DeliveryLedger(1);
  const data = ledger.compose(0, false, 5);
  ledger.delivered(message(data));
  assert.throws(() => ledger.failed(failure(data, false)), /never sent/);
});

Deno.test("DeliveryLedger counts messages that are too short to tell apart", () => {
  const ledger = new DeliveryLedger(1);
  const all = Array.from({ length: 257 }, () => ledger.compose(0, false, 1)); // the first and the last look the same
  for (const data of all.slice(0, 256)) ledger.delivered(message(data));
  assert.throws(() => ledger.finish("broken"), /neither delivered nor reported/);
  ledger.failed(failure(all[0]!, true)); // delivered, but not acknowledged
  ledger.failed(failure(all[256]!, false));
  ledger.finish("broken");
  ledger.failed(failure(all[256]!, false));
  assert.throws(() => ledger.finish("broken"));
});
