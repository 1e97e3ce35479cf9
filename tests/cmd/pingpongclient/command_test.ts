/** The ping-pong client with real services, over the embedded stack and loopback. */
import assert from "node:assert/strict";
import { command as pingPong } from "../../../cmd/pingpongclient/command.ts";
import { command as server } from "../../../cmd/server/command.ts";
import { Program, startRegistrar } from "../program.ts";

Deno.test("rsp pingpongclient counts without a gap over elements that abort again and again", async () => {
  const { program: pr, option } = await startRegistrar();
  const servers = [1, 2].map((id) =>
    new Program(server, "-pingpong", option, `-identifier=${id}`, "-pppfailureafter=4")
  );
  try {
    for (const one of servers) await one.event("registered");
    const user = new Program(
      pingPong,
      option,
      "-count=30",
      "-interval=5",
      "-recvtimeout=60000",
      "-timeout=60",
    );
    assert.equal(await user.ended, 0);
    const { answered, unanswered, gaps, repeatedReplies, failovers, elements } = await user.event(
      "statistics",
    );
    assert.deepEqual([answered, unanswered, gaps, repeatedReplies], [30, 0, 0, 0]);
    assert.ok(Number(failovers) >= 7, `${failovers} failovers`);
    assert.equal((elements as unknown[]).length, 2);
    const replies = user.lines.filter(({ event }) => event === "pongReceived");
    const numbers = replies.map(({ messageNumber, replyNumber }) => [messageNumber, replyNumber]);
    assert.deepEqual(numbers, Array.from({ length: 30 }, (_, index) => [`${index + 1}`, `${index + 1}`]));
    assert.ok(servers.every((one) => one.lines.some(({ event }) => event === "pingPongResumed")));
    assert.ok(!user.lines.some(({ event }) => event === "unreachableReported"), "who aborts is there");
  } finally {
    for (const one of [...servers, pr]) assert.equal(await one.stop(), 0);
  }
});

Deno.test("rsp pingpongclient ends by Ctrl+C, with statistics and without messages when it is quiet", async () => {
  const { program: pr, option } = await startRegistrar();
  const pe = new Program(server, "-pingpong", option, "-loglevel=4");
  try {
    await pe.event("registered");
    const user = new Program(pingPong, option, "-interval=10", "-quiet");
    await pe.event("pingAnswered", 5); // long after the first reply has come
    assert.equal(await user.stop(), 0);
    assert.deepEqual(user.lines.map(({ event }) => event), ["statistics"]);
    const { sent, answered } = user.lines[0]!;
    assert.ok(Number(answered) >= 1 && Number(answered) <= Number(sent));
  } finally {
    for (const one of [pe, pr]) assert.equal(await one.stop(), 0);
  }
});

Deno.test("rsp pingpongclient fails when nobody answers in its time", async () => {
  const { program: pr, option } = await startRegistrar();
  try {
    const user = new Program(pingPong, option, "-timeout=0.5");
    assert.equal(await user.ended, 1);
    const { sent, answered, roundTrips } = await user.event("statistics");
    assert.deepEqual([sent, answered, roundTrips], [0, 0, undefined]);
  } finally {
    assert.equal(await pr.stop(), 0);
  }
});

Deno.test("a ping-pong pool whose only element is full has its user wait, and serves it when there is a place", async () => {
  const { program: pr, option } = await startRegistrar();
  const pe = new Program(server, "-pingpong", option, "-pppmaxthreads=1");
  try {
    await pe.event("registered");
    const first = new Program(pingPong, option, "-interval=20");
    await first.event("pongReceived");
    const second = new Program(pingPong, option, "-count=3", "-interval=5", "-timeout=60");
    await pe.event("serverFull");
    assert.equal(await first.stop(), 0);
    assert.equal(await second.ended, 0);
    assert.equal((await second.event("statistics"))["answered"], 3);
  } finally {
    for (const one of [pe, pr]) assert.equal(await one.stop(), 0);
  }
});
