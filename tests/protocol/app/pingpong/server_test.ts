import assert from "node:assert/strict";
import { writePingPongCookie } from "../../../../protocol/app/pingpong/cookie.ts";
import { readPingPong, writePingPong } from "../../../../protocol/app/pingpong/messages.ts";
import { PingPongServer } from "../../../../protocol/app/pingpong/server.ts";
import type { PingPongServerReport } from "../../../../protocol/app/pingpong/server.ts";
import { Ppid } from "../../../../protocol/net.ts";
import type { SessionEvent } from "../../../../protocol/session/types.ts";
import { encodeText } from "../../../../protocol/wire/text.ts";
import { closed, message, opened, RecordedOutlet } from "../outlet.ts";

function make(failureAfter?: number) {
  const outlet = new RecordedOutlet<never, PingPongServerReport>();
  return { outlet, server: new PingPongServer(outlet, failureAfter === undefined ? {} : { failureAfter }) };
}

const TEXT = encodeText("hello");

function ping(messageNumber: bigint, session = 1): SessionEvent {
  const data = writePingPong({ type: "ping", messageNumber, data: TEXT });
  return message(data, { session, ppid: Ppid.pingPong });
}

Deno.test("PingPongServer answers with the next reply number, and gives the number that follows as a cookie", () => {
  const { outlet, server } = make();
  server.sessionEvent(opened(), 0);
  server.sessionEvent(ping(41n), 1);
  server.sessionEvent(ping(42n), 2);
  const [first, firstCookie, , second, secondCookie] = outlet.commands;
  assert.ok(first?.type === "send" && second?.type === "send");
  assert.ok(
    firstCookie?.type === "sendCookie" && secondCookie?.type === "sendCookie",
    "each behind its Pong",
  );
  assert.equal(first.ppid, Ppid.pingPong);
  assert.deepEqual(readPingPong(first.data), {
    type: "pong",
    messageNumber: 41n,
    replyNumber: 1n,
    data: TEXT,
  });
  assert.deepEqual(readPingPong(second.data), {
    type: "pong",
    messageNumber: 42n,
    replyNumber: 2n,
    data: TEXT,
  });
  assert.equal(firstCookie.cookie.toHex(), "3c50502d5444313e0000000000000002");
  assert.equal(secondCookie.cookie.toHex(), "3c50502d5444313e0000000000000003");
});

Deno.test("PingPongServer counts each session by itself, and goes on from a cookie", () => {
  const { outlet, server } = make();
  server.sessionEvent(opened(1), 0);
  server.sessionEvent(opened(2), 0);
  server.sessionEvent(
    { type: "sessionCookie", session: 2, cookie: writePingPongCookie({ nextReply: 77n }) },
    0,
  );
  server.sessionEvent(ping(1n, 1), 1);
  server.sessionEvent(ping(1n, 2), 1);
  const replies = outlet.take("send").map(({ data }) => readPingPong(data)).map((pong) => {
    return pong.type === "pong" ? pong.replyNumber : undefined;
  });
  assert.deepEqual(replies, [1n, 77n]);
  assert.deepEqual(outlet.reports[0], { type: "pingPongResumed", session: 2, nextReply: 77n });
});

Deno.test("PingPongServer starts its reply numbers again behind the last one of 64 bits", () => {
  const { outlet, server } = make();
  server.sessionEvent(opened(), 0);
  const cookie = writePingPongCookie({ nextReply: 2n ** 64n - 1n });
  server.sessionEvent({ type: "sessionCookie", session: 1, cookie }, 0);
  server.sessionEvent(ping(1n), 1);
  assert.equal(outlet.take("sendCookie")[0]?.cookie.toHex(), "3c50502d5444313e0000000000000000");
});

const HOSTILE: readonly (readonly [string, SessionEvent, RegExp])[] = [
  ["another payload protocol", message(TEXT, { ppid: Ppid.fractalGenerator }), /payload protocol 32/],
  ["what is no message", message(TEXT, { ppid: Ppid.pingPong }), /unknown/],
  [
    "a Pong",
    message(writePingPong({ type: "pong", messageNumber: 1n, replyNumber: 1n, data: TEXT }), {
      ppid: Ppid.pingPong,
    }),
    /only a PE sends/,
  ],
  ["a foreign cookie", { type: "sessionCookie", session: 1, cookie: TEXT }, /cookie has 16 octets/],
];
for (const [what, event, reason] of HOSTILE) {
  Deno.test(`PingPongServer aborts a session that sends ${what}`, () => {
    const { outlet, server } = make();
    server.sessionEvent(opened(), 0);
    server.sessionEvent(event, 1);
    assert.deepEqual(outlet.take("closeSession"), [{ type: "closeSession", session: 1, how: "abort" }]);
    const [report] = outlet.reports;
    assert.ok(report?.type === "pingPongAborted");
    assert.match(report.reason, reason);
    server.sessionEvent(ping(1n), 2);
    assert.deepEqual(outlet.take("send"), [], "nothing more is answered");
    assert.equal(server.nextTimeout(), undefined);
  });
}

Deno.test("PingPongServer aborts after so many replies as it is told, when they have had time to leave", () => {
  const { outlet, server } = make(2);
  server.sessionEvent(opened(), 0);
  for (const number of [1n, 2n, 3n]) server.sessionEvent(ping(number), 10);
  assert.equal(outlet.take("send").length, 2);
  assert.deepEqual(outlet.take("closeSession"), []);
  assert.equal(server.nextTimeout(), 30);
  server.tick(30);
  assert.deepEqual(outlet.take("closeSession"), [{ type: "closeSession", session: 1, how: "abort" }]);
  assert.deepEqual(outlet.reports.at(-1), { type: "pingPongFailure", session: 1, replyCount: 2 });
  assert.equal(server.nextTimeout(), undefined);
});

Deno.test("PingPongServer forgets a session that ends before it is aborted", () => {
  const { outlet, server } = make(1);
  server.sessionEvent(opened(), 0);
  server.sessionEvent(ping(1n), 10);
  server.sessionEvent(closed(), 15);
  assert.equal(server.nextTimeout(), undefined);
  assert.deepEqual(outlet.take("closeSession"), []);
});

Deno.test("PingPongServer aborts a session that never says anything, and no other", () => {
  const { outlet, server } = make();
  server.sessionEvent(opened(1), 0);
  server.sessionEvent(opened(2), 0);
  server.sessionEvent(opened(3), 0);
  server.sessionEvent(ping(1n, 2), 1000);
  server.sessionEvent(closed(3), 1000);
  server.tick(29_999);
  assert.deepEqual(outlet.take("closeSession"), []);
  server.tick(30_000);
  assert.deepEqual(outlet.take("closeSession"), [{ type: "closeSession", session: 1, how: "abort" }]);
  assert.equal(server.nextTimeout(), undefined);
});

Deno.test("PingPongServer waits for the next Ping of a session that comes with a cookie as long as it takes", () => {
  const { outlet, server } = make();
  server.sessionEvent(opened(), 0);
  server.sessionEvent(
    { type: "sessionCookie", session: 1, cookie: writePingPongCookie({ nextReply: 2n }) },
    0,
  );
  assert.equal(server.nextTimeout(), undefined);
  server.tick(60_000);
  assert.deepEqual(outlet.take("closeSession"), []);
});

Deno.test("PingPongServer takes no more Pings from a user that does not read its Pongs", () => {
  const { outlet, server } = make();
  server.sessionEvent(opened(), 0);
  server.sessionEvent(ping(1n), 1);
  assert.equal(outlet.take("consumed").length, 1);
  server.sessionEvent({ type: "sessionBlocked", session: 1 }, 2);
  server.sessionEvent(ping(2n), 3);
  assert.equal(outlet.take("consumed").length, 0);
  server.sessionEvent({ type: "sessionWritable", session: 1 }, 4);
  assert.equal(outlet.take("consumed")[0]?.octets, 17);
});
