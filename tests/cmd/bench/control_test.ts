import assert from "node:assert/strict";
import { type Control, type Plan, readControl, writeControl } from "../../../cmd/bench/control.ts";

const PLAN: Plan = {
  mode: "throughput",
  direction: "both",
  size: 1024,
  streams: 3,
  unordered: true,
  ppid: 7,
  warmUpMs: 10.5,
  durationMs: 0,
  count: 100,
  rate: 0,
};
const FIGURES = { messages: 1, octets: 2, seconds: 0.5 };

const CONTROLS: readonly Control[] = [
  { type: "run", version: 1, plan: PLAN },
  { type: "ready" },
  { type: "refused", reason: "busy" },
  { type: "start" },
  { type: "end", messages: 12 },
  { type: "result", figures: FIGURES },
  { type: "done", figures: FIGURES, retransmissions: undefined },
  { type: "done", figures: FIGURES, retransmissions: 3 },
  { type: "stop" },
];

for (const control of CONTROLS) {
  Deno.test(`readControl() reads what writeControl() wrote: ${control.type}`, () => {
    assert.deepEqual(readControl(writeControl(control)), control);
  });
}

const octets = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const run = (change: Partial<Record<keyof Plan, unknown>>) =>
  octets({ type: "run", version: 1, plan: { ...PLAN, ...change } });

const REJECTED: readonly [string, Uint8Array][] = [
  ["nothing", new Uint8Array()],
  ["no JSON", new Uint8Array([0x42, 0xff])],
  ["no object", octets([1])],
  ["no type", octets({})],
  ["an unknown type", octets({ type: "reboot" })],
  ["too long a message", octets({ type: "refused", reason: "x".repeat(5000) })],
  ["a negative count", octets({ type: "end", messages: -1 })],
  ["figures without seconds", octets({ type: "result", figures: { messages: 1, octets: 1 } })],
  ["a run without a plan", octets({ type: "run", version: 1 })],
  ["a size of nothing", run({ size: 0 })],
  ["a size beyond all messages", run({ size: 16_777_217 })],
  ["no streams", run({ streams: 0 })],
  ["the control protocol's own payload protocol", run({ ppid: 0x52535042 })],
  ["neither count nor duration", run({ count: 0 })],
  ["both count and duration", run({ durationMs: 1 })],
  ["a run of two days", run({ count: 0, durationMs: 172_800_000 })],
  ["a direction of its own", run({ direction: "up" })],
];

for (const [what, message] of REJECTED) {
  Deno.test(`readControl() rejects ${what}`, () => assert.equal(readControl(message), undefined));
}

Deno.test("readControl() reads the version of a run whose plan it does not understand", () => {
  const control = readControl(octets({ type: "run", version: 2, plan: "new" }));
  assert.ok(control?.type === "run");
  assert.equal(control.version, 2);
});
