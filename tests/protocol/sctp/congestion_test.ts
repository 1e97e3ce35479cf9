import assert from "node:assert/strict";
import { Congestion, initialWindow } from "../../../protocol/sctp/congestion.ts";
import { RetransmissionTimeout } from "../../../protocol/sctp/rto.ts";
import { tsnAdd, tsnDifference } from "../../../protocol/sctp/serial.ts";

const LIMITS = { rtoInitialMs: 3000, rtoMinMs: 1000, rtoMaxMs: 60_000 };

Deno.test("RetransmissionTimeout starts with RTO.Initial and keeps between RTO.Min and RTO.Max", () => {
  const timeout = new RetransmissionTimeout(LIMITS);
  assert.equal(timeout.rtoMs, 3000);
  assert.equal(timeout.srttMs, 0);
  timeout.measured(10);
  assert.equal(timeout.rtoMs, 1000);
  timeout.measured(1_000_000);
  assert.equal(timeout.rtoMs, 60_000);
});

Deno.test("RetransmissionTimeout smooths as RFC 9260 §6.3.1 C2 and C3 say", () => {
  const timeout = new RetransmissionTimeout({ ...LIMITS, rtoMinMs: 1 });
  timeout.measured(800);
  assert.equal(timeout.srttMs, 800);
  assert.equal(timeout.rtoMs, 800 + 4 * 400);
  timeout.measured(400);
  assert.equal(timeout.srttMs, 750); // 7/8 · 800 + 1/8 · 400
  assert.equal(timeout.rtoMs, 750 + 4 * 400); // 3/4 · 400 + 1/4 · |800 − 400|
});

Deno.test("RetransmissionTimeout doubles up to RTO.Max and comes back with a measurement", () => {
  const timeout = new RetransmissionTimeout(LIMITS);
  const seen = Array.from({ length: 6 }, () => {
    timeout.backOff();
    return timeout.rtoMs;
  });
  assert.deepEqual(seen, [6000, 12_000, 24_000, 48_000, 60_000, 60_000]);
  timeout.measured(0);
  assert.equal(timeout.rtoMs, 1000);
});

Deno.test("initialWindow() follows RFC 9260 §7.2.1", () => {
  assert.deepEqual([576, 1200, 1500, 9000].map(initialWindow), [2304, 4404, 4404, 18_000]);
});

Deno.test("Congestion grows by the octets acknowledged, at most two MTUs, in slow start and with a full window", () => {
  const congestion = new Congestion(1500, { maxBurst: 4 });
  congestion.acknowledged(1000, 4404, 3404, true, 1);
  assert.equal(congestion.cwnd, 5404);
  congestion.acknowledged(4000, 6000, 2000, true, 2);
  assert.equal(congestion.cwnd, 8404);
  congestion.acknowledged(3000, 3000, 0, true, 3); // was not full
  congestion.acknowledged(3000, 9000, 6000, false, 4); // the cumulative TSN did not move
  assert.equal(congestion.cwnd, 8404);
});

Deno.test("Congestion grows by an MTU a SACK in the slow start after a time-out", () => {
  const congestion = new Congestion(1000, { maxBurst: 4 });
  congestion.cwnd = 40_000;
  congestion.timedOut();
  congestion.acknowledged(3000, 3000, 0, true, 1);
  assert.equal(congestion.cwnd, 2000);
});

Deno.test("Congestion takes SACKs of one instant together", () => {
  const congestion = new Congestion(1000, { maxBurst: 4 });
  congestion.cwnd = 20_000;
  congestion.acknowledged(8000, 20_000, 12_000, true, 1);
  congestion.acknowledged(8000, 12_000, 4000, true, 1);
  assert.equal(congestion.cwnd, 24_000, "the window was full before both");
  assert.ok(congestion.allows(23_999), "both make room for new data");
  congestion.acknowledged(1000, 4000, 3000, true, 2);
  assert.equal(congestion.cwnd, 24_000);
  assert.ok(congestion.allows(7999) && !congestion.allows(8000));
});

Deno.test("Congestion grows by an MTU for each window in congestion avoidance", () => {
  const congestion = new Congestion(1500, { maxBurst: 4 });
  congestion.cwnd = 12_000;
  congestion.fastRetransmit(5);
  congestion.inRecovery = false;
  assert.deepEqual([congestion.ssthresh, congestion.cwnd], [6000, 6000]);
  congestion.cwnd = 6001;
  congestion.acknowledged(3000, 7000, 4000, true, 1);
  assert.equal(congestion.cwnd, 6001);
  congestion.acknowledged(3500, 7000, 3500, true, 2);
  assert.equal(congestion.cwnd, 7501);
});

Deno.test("Congestion halves once in fast recovery and falls to an MTU after T3", () => {
  const congestion = new Congestion(1000, { maxBurst: 4 });
  congestion.cwnd = 40_000;
  congestion.fastRetransmit(5);
  congestion.fastRetransmit(9);
  assert.deepEqual([congestion.cwnd, congestion.recoveryExit], [20_000, 5]);
  congestion.acknowledged(2000, 30_000, 28_000, true, 1);
  assert.equal(congestion.cwnd, 20_000);
  congestion.timedOut();
  assert.deepEqual([congestion.cwnd, congestion.ssthresh, congestion.inRecovery], [1000, 10_000, false]);
  congestion.timedOut();
  assert.equal(congestion.ssthresh, 4000);
});

Deno.test("Congestion forgets half of an idle window each RTO, down to 4 MTU", () => {
  const congestion = new Congestion(1000, { maxBurst: 4 });
  congestion.cwnd = 64_000;
  congestion.resumed(2500, 1000);
  assert.equal(congestion.cwnd, 16_000);
  assert.equal(congestion.ssthresh, 64_000, "up to where it was it may grow fast again");
  congestion.resumed(1e9, 1000);
  assert.equal(congestion.cwnd, 4000);
});

Deno.test("Congestion lets no burst of more than 4 MTU out beyond what was acknowledged", () => {
  const congestion = new Congestion(1000, { maxBurst: 4 });
  congestion.cwnd = 64_000;
  congestion.resumed(0, 1000);
  assert.ok(congestion.allows(3999));
  assert.ok(!congestion.allows(4000));
  congestion.acknowledged(2000, 4000, 2000, true, 1);
  assert.ok(congestion.allows(7999));
  assert.ok(!congestion.allows(8000));
});

Deno.test("tsnDifference() and tsnAdd() wrap", () => {
  assert.equal(tsnDifference(1, 0xffffffff), 2);
  assert.equal(tsnDifference(0xffffffff, 1), -2);
  assert.equal(tsnAdd(0xffffffff, 3), 2);
});
