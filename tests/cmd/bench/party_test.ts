import assert from "node:assert/strict";
import { type Control, CONTROL_PPID, type Plan, VERSION, writeControl } from "../../../cmd/bench/control.ts";
import { Party } from "../../../cmd/bench/party.ts";
import { QUIET_LIMIT_MS, Receiving } from "../../../cmd/bench/receiving.ts";
import type { TransportCommand } from "../../../protocol/net.ts";
import { FakeTransport } from "../darn/fake_endpoint.ts";

const association = 7;

const PLAN: Plan = {
  mode: "latency",
  direction: "send",
  size: 3,
  streams: 1,
  unordered: false,
  ppid: 0,
  warmUpMs: 0,
  durationMs: 0,
  count: 100,
  rate: 0,
};

/** The answering side of an association. */
function answerer() {
  const transport = new FakeTransport(), common = { ssn: 0, tsn: 0, unordered: false, stream: 0 };
  const up = { peerAddresses: ["10.1.0.2"], peerPort: 1, outboundStreams: 1, inboundStreams: 1 };
  const party = new Party(
    transport.open({}, () => {}),
    { type: "up", association, request: undefined, ...up },
    { onRun: () => {}, onForeign: () => {} },
  );
  const message = (data: Uint8Array, ppid: number) =>
    party.handle({ type: "message", association, data, ppid, ...common }, 0);
  return {
    /** What was asked of the transport since the last call. */
    asked: () => (transport.asked.splice(0) as TransportCommand[]).map(({ type }) => type),
    ping: () => message(new Uint8Array(3), 0),
    control: (control: Control) => message(writeControl(control), CONTROL_PPID),
    blocked: () => party.handle({ type: "blocked", association }, 0),
    writable: () => party.handle({ type: "writable", association }, 0),
  };
}

Deno.test("a peer that sends many messages of a latency run and reads none is aborted", () => {
  const { asked, ping, control, blocked } = answerer();
  control({ type: "run", version: VERSION, plan: PLAN });
  blocked();
  for (let i = 0; i < 8; i++) ping();
  assert.deepEqual(asked(), Array(9).fill("send"));
  ping();
  assert.deepEqual(asked(), ["abort"]);
});

Deno.test("a peer that asks for runs and reads no answer is aborted", () => {
  const { asked, control, blocked } = answerer();
  blocked();
  for (let i = 0; i < 9; i++) control({ type: "run", version: 99, plan: PLAN });
  assert.deepEqual(asked(), [...Array(8).fill("send"), "abort"]);
});

Deno.test("messages of a latency run that fill the send buffer one by one are answered", () => {
  const { asked, ping, control, blocked, writable } = answerer();
  control({ type: "run", version: VERSION, plan: PLAN });
  for (let i = 0; i < 50; i++) {
    ping();
    blocked();
    writable();
  }
  assert.deepEqual(asked(), Array(51).fill("send"));
});

Deno.test("Receiving has one timer, however often the peer says that it has ended", () => {
  const timers = new Set<unknown>(), { setTimeout, clearTimeout } = globalThis;
  try {
    globalThis.setTimeout = ((_work: () => void, ms: number) => {
      assert.equal(ms, QUIET_LIMIT_MS);
      const timer = { number: timers.size };
      timers.add(timer);
      return timer;
    }) as unknown as typeof setTimeout;
    globalThis.clearTimeout = ((timer: unknown) => void timers.delete(timer)) as typeof clearTimeout;
    const receiving = new Receiving(() => {});
    for (let i = 0; i < 1000; i++) receiving.end(5);
    assert.equal(timers.size, 1);
    receiving.cancel();
    assert.equal(timers.size, 0);
  } finally {
    Object.assign(globalThis, { setTimeout, clearTimeout });
  }
});
