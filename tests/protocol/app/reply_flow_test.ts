import assert from "node:assert/strict";
import { MAX_WITHHELD_MESSAGES, ReplyFlow, UNREAD_LIMIT_MS } from "../../../protocol/app/reply_flow.ts";
import type { ReplyFlowReport } from "../../../protocol/app/reply_flow.ts";
import { closed, RecordedOutlet } from "./outlet.ts";

function make() {
  const outlet = new RecordedOutlet<never, ReplyFlowReport>();
  return { outlet, flow: new ReplyFlow(outlet) };
}

const blocked = { type: "sessionBlocked", session: 1 } as const;
const writable = { type: "sessionWritable", session: 1 } as const;

Deno.test("ReplyFlow gives each message back at once while answers find room", () => {
  const { outlet, flow } = make();
  flow.answered(1, 100);
  assert.deepEqual(outlet.commands, [{ type: "consumed", session: 1, octets: 100 }]);
  assert.equal(flow.nextTimeout(), undefined);
});

Deno.test("ReplyFlow withholds a blocked session's messages, and gives all back when it is writable", () => {
  const { outlet, flow } = make();
  flow.sessionEvent(blocked, 0);
  flow.answered(1, 100);
  flow.answered(1, 50);
  flow.answered(2, 7);
  assert.deepEqual(outlet.take("consumed"), [{ type: "consumed", session: 2, octets: 7 }]);
  flow.sessionEvent(writable, 10);
  assert.deepEqual(outlet.take("consumed"), [{ type: "consumed", session: 1, octets: 150 }]);
  flow.answered(1, 3);
  assert.deepEqual(outlet.take("consumed"), [{ type: "consumed", session: 1, octets: 3 }]);
  assert.equal(flow.nextTimeout(), undefined, "nobody is waited for");
});

Deno.test("ReplyFlow gives up a user that reads nothing for a minute", () => {
  const { outlet, flow } = make();
  flow.sessionEvent(blocked, 500);
  assert.equal(flow.nextTimeout(), 500 + UNREAD_LIMIT_MS);
  flow.tick(499 + UNREAD_LIMIT_MS);
  assert.deepEqual(outlet.commands, []);
  flow.tick(500 + UNREAD_LIMIT_MS);
  assert.deepEqual(outlet.commands, [{ type: "closeSession", session: 1, how: "abort" }]);
  assert.equal(outlet.reports[0]?.reason, "the user has taken no answer for 60 s");
  assert.equal(flow.nextTimeout(), undefined);
});

Deno.test("ReplyFlow gives up a user that sends more tiny messages than it may keep", () => {
  const { outlet, flow } = make();
  flow.sessionEvent(blocked, 0);
  for (let count = 0; count < MAX_WITHHELD_MESSAGES; count++) flow.answered(1, 1);
  assert.deepEqual(outlet.commands, [], "the limit itself is allowed");
  flow.answered(1, 1);
  assert.deepEqual(outlet.commands, [{ type: "closeSession", session: 1, how: "abort" }]);
  assert.match(outlet.reports[0]?.reason ?? "", /sends and does not read/);
});

Deno.test("ReplyFlow forgets a session that ends", () => {
  const { outlet, flow } = make();
  flow.sessionEvent(blocked, 0);
  flow.sessionEvent(closed(), 5);
  assert.equal(flow.nextTimeout(), undefined);
  flow.sessionEvent(writable, 6);
  assert.deepEqual(outlet.commands, []);
});
