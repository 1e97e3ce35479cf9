import assert from "node:assert/strict";
import { EchoServer } from "../../../../protocol/app/echo/server.ts";
import type { EchoReport } from "../../../../protocol/app/echo/server.ts";
import { UNREAD_LIMIT_MS } from "../../../../protocol/app/reply_flow.ts";
import { encodeText } from "../../../../protocol/wire/text.ts";
import { message, opened, RecordedOutlet } from "../outlet.ts";

Deno.test("EchoServer gives a message back with its payload protocol, on its stream", () => {
  const outlet = new RecordedOutlet<never, EchoReport>();
  const server = new EchoServer(outlet);
  const data = encodeText("hello");
  server.sessionEvent(opened(5), 0);
  server.sessionEvent(message(data, { session: 5, ppid: 4711, stream: 3 }), 1);
  assert.deepEqual(outlet.commands, [
    { type: "send", session: 5, ppid: 4711, stream: 3, data },
    { type: "consumed", session: 5, octets: 5 },
  ]);
  assert.deepEqual(outlet.reports, [{ type: "echoed", session: 5, lengthBytes: 5 }]);
});

Deno.test("EchoServer takes no more from a user that does not read, and gives it up in the end", () => {
  const outlet = new RecordedOutlet<never, EchoReport>();
  const server = new EchoServer(outlet);
  server.sessionEvent(opened(), 0);
  server.sessionEvent({ type: "sessionBlocked", session: 1 }, 0);
  server.sessionEvent(message(new Uint8Array(1000)), 1);
  assert.deepEqual(outlet.take("consumed"), []);
  assert.equal(server.nextTimeout(), UNREAD_LIMIT_MS);
  server.tick(UNREAD_LIMIT_MS);
  assert.deepEqual(outlet.take("closeSession"), [{ type: "closeSession", session: 1, how: "abort" }]);
});
