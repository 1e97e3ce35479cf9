import assert from "node:assert/strict";
import { ChargenServer, UNREAD_LIMIT_MS } from "../../../../protocol/app/chargen/server.ts";
import type { ChargenReport } from "../../../../protocol/app/chargen/server.ts";
import { closed, message, opened, RecordedOutlet } from "../outlet.ts";

function make() {
  const outlet = new RecordedOutlet<never, ChargenReport>();
  return { outlet, server: new ChargenServer(outlet) };
}

Deno.test("ChargenServer sends blocks of RSPLIB's characters, turn by turn", () => {
  const { outlet, server } = make();
  server.sessionEvent(opened(), 5);
  assert.equal(server.nextTimeout(), 5);
  server.tick(5);
  const sent = outlet.take("send");
  assert.equal(sent.length, 32);
  for (const { data, ppid } of sent) {
    assert.equal(ppid, 0);
    assert.equal(data.length, 1024);
    data.forEach((octet, index) => assert.equal(octet, 30 + index % 98));
  }
  assert.equal(server.nextTimeout(), 5, "the next turn is due at once");
  server.tick(5);
  assert.equal(outlet.take("send").length, 32);
});

Deno.test("ChargenServer waits while a session is blocked, and serves the others meanwhile", () => {
  const { outlet, server } = make();
  server.sessionEvent(opened(1), 0);
  server.sessionEvent(opened(2), 0);
  server.sessionEvent({ type: "sessionBlocked", session: 1 }, 0);
  server.tick(0);
  assert.ok(outlet.take("send").every(({ session }) => session === 2));
  server.sessionEvent({ type: "sessionBlocked", session: 2 }, 0);
  assert.equal(server.nextTimeout(), UNREAD_LIMIT_MS, "there is nothing to do at once");
  server.tick(1);
  assert.deepEqual(outlet.take("send"), []);
  server.sessionEvent({ type: "sessionWritable", session: 1 }, 7);
  server.tick(7);
  assert.equal(outlet.take("send").filter(({ session }) => session === 1).length, 32);
});

Deno.test("ChargenServer gives up a user that takes nothing", () => {
  const { outlet, server } = make();
  server.sessionEvent(opened(), 0);
  server.sessionEvent({ type: "sessionBlocked", session: 1 }, 0);
  server.tick(UNREAD_LIMIT_MS);
  assert.deepEqual(outlet.commands, [{ type: "closeSession", session: 1, how: "abort" }]);
  server.sessionEvent({ type: "sessionWritable", session: 1 }, UNREAD_LIMIT_MS);
  assert.equal(server.nextTimeout(), undefined, "it gets nothing any more");
});

Deno.test("ChargenServer gives nobody up that has taken something meanwhile", () => {
  const { outlet, server } = make();
  server.sessionEvent(opened(), 0);
  server.sessionEvent({ type: "sessionBlocked", session: 1 }, 0);
  server.sessionEvent({ type: "sessionWritable", session: 1 }, UNREAD_LIMIT_MS - 1);
  server.sessionEvent({ type: "sessionBlocked", session: 1 }, UNREAD_LIMIT_MS - 1);
  server.tick(UNREAD_LIMIT_MS);
  assert.deepEqual(outlet.take("closeSession"), []);
  server.sessionEvent({ type: "sessionWritable", session: 1 }, UNREAD_LIMIT_MS + 1);
  server.tick(3 * UNREAD_LIMIT_MS);
  assert.deepEqual(outlet.take("closeSession"), []);
});

Deno.test("ChargenServer ends with its sessions, and does not listen to them", () => {
  const { outlet, server } = make();
  server.sessionEvent(opened(), 0);
  server.tick(0);
  server.sessionEvent(message(new Uint8Array(5)), 1);
  server.sessionEvent(closed(), 2);
  assert.equal(server.nextTimeout(), undefined);
  assert.deepEqual(outlet.reports.at(-1), { type: "chargenEnded", session: 1, blockCount: 32 });
  outlet.take("send");
  server.sessionEvent(opened(2), 3);
  server.stop();
  assert.deepEqual(outlet.commands, [{ type: "closeSession", session: 2, how: "shutdown" }]);
  server.sessionEvent(closed(2), 4);
  assert.equal(
    outlet.reports.filter(({ type }) => type === "chargenEnded").length,
    2,
    "each end is told once",
  );
  assert.equal(server.nextTimeout(), undefined);
});
