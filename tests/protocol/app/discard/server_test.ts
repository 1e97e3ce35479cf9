import assert from "node:assert/strict";
import { DiscardServer } from "../../../../protocol/app/discard/server.ts";
import type { DiscardReport } from "../../../../protocol/app/discard/server.ts";
import { closed, message, opened, RecordedOutlet } from "../outlet.ts";

Deno.test("DiscardServer says what it has thrown away, and nothing to its user", () => {
  const outlet = new RecordedOutlet<never, DiscardReport>();
  const server = new DiscardServer(outlet);
  for (const event of [opened(), message(new Uint8Array(12)), closed()]) server.sessionEvent(event);
  assert.deepEqual(outlet.reports, [{ type: "discarded", session: 1, lengthBytes: 12 }]);
  assert.deepEqual(outlet.commands, []);
});
