/** RFC 9260 chapter 7: congestion control. Each test: init, act, check. The path MTU is 1500 everywhere. */
import assert from "node:assert/strict";
import {
  accept,
  type BenchOptions,
  Chunk,
  chunksOf,
  type Established,
  sack,
  type SentPacket,
  tsnOf,
} from "./bench.ts";

const MTU = 1500;
/** User octets that fill a packet: 1500 less IP header, common header and DATA header. */
const FULL = 1452;
/** RFC 9260 §7.2.1: min(4 MTU, max(2 MTU, 4404)). */
const INITIAL_CWND = 4404;

/** An association with a wide window on which messages are queued that fill a packet each. */
function busy(messages: number, options: BenchOptions = {}): Established & { first: SentPacket[] } {
  const established = accept({ ...options, endpoint: { heartbeatIntervalMs: 0, ...options.endpoint } }, {
    window: 10_000_000,
  });
  const { bench, association } = established;
  for (let i = 0; i < messages; i++) {
    bench.stack.execute(5, { type: "send", association, data: new Uint8Array(FULL), ppid: 0 }, bench.now);
  }
  return { ...established, first: bench.collect() };
}

function cwndOf({ bench, association }: Established): number {
  return bench.stack.status(association)!.paths[0]!.cwnd;
}

function tsnsOf(packets: readonly SentPacket[]): number[] {
  return chunksOf(packets, Chunk.data).map(tsnOf);
}

/** Opens the congestion window by acknowledging everything for some rounds; returns the next TSN to be sent. */
function openWindow(established: Established & { first: SentPacket[] }, rounds: number): number {
  let inFlight = tsnsOf(established.first);
  let highest = inFlight.at(-1)!;
  for (let i = 0; i < rounds; i++) {
    established.bench.advance(20);
    inFlight = tsnsOf(established.bench.give(established.tag, [sack(highest, [], 10_000_000)]));
    highest = inFlight.at(-1) ?? highest;
  }
  return highest + 1;
}

Deno.test("§7.2.1: the congestion window begins with min(4 MTU, max(2 MTU, 4404))", () => {
  const association = busy(20);

  const sent = tsnsOf(association.first).length * FULL;

  assert.equal(cwndOf(association), INITIAL_CWND);
  assert.ok(sent >= INITIAL_CWND - FULL && sent < INITIAL_CWND + MTU, `${sent} octets in the first flight`);
});

Deno.test("§7.2.1: slow start adds what was acknowledged, an MTU at most, while the window is used up", () => {
  const association = busy(50);
  const { bench, tag, first } = association;

  bench.give(tag, [sack(tsnsOf(first)[0]!, [], 10_000_000)]);

  const grown = cwndOf(association) - INITIAL_CWND;
  assert.ok(grown >= FULL && grown <= MTU, `${grown} octets more`);
});

Deno.test("§7.2.1: the window does not grow while it is not used up", () => {
  const association = busy(1);
  const { bench, tag, first } = association;

  bench.give(tag, [sack(tsnsOf(first)[0]!, [], 10_000_000)]);

  assert.equal(cwndOf(association), INITIAL_CWND);
});

Deno.test("§7.2.1: gap acknowledgements alone do not open the window in slow start", () => {
  const association = busy(50);
  const { bench, tag, tsn } = association;

  bench.give(tag, [sack(tsn - 1, [[2, 2]], 10_000_000)]);

  assert.equal(cwndOf(association), INITIAL_CWND);
});

Deno.test("§7.2.1: the flight doubles with every round trip of slow start", () => {
  const association = busy(200);
  const flights: number[] = [tsnsOf(association.first).length];

  let highest = tsnsOf(association.first).at(-1)!;
  for (let i = 0; i < 3; i++) {
    association.bench.advance(20);
    const sent: number[] = [];
    const from = highest - flights.at(-1)! + 1;
    for (let tsn = from; tsn <= from + flights.at(-1)! - 1; tsn += 2) {
      const upTo = Math.min(tsn + 1, highest);
      sent.push(...tsnsOf(association.bench.give(association.tag, [sack(upTo, [], 10_000_000)])));
    }
    flights.push(sent.length);
    highest = sent.at(-1)!;
  }

  assert.ok(
    flights[1]! > flights[0]! && flights[2]! > flights[1]! && flights[3]! > flights[2]!,
    String(flights),
  );
  assert.ok(flights[3]! <= 8 * flights[0]!);
});

Deno.test("§7.2.2: beyond ssthresh the window grows by an MTU a round trip", () => {
  const association = busy(400);
  const next = openWindow(association, 12);
  const { bench, tag } = association;
  for (let i = 0; i < 3; i++) bench.give(tag, [sack(next - 8, [[2, 3 + i]], 10_000_000)]); // a loss ends slow start
  bench.advance(50);
  let last = tsnsOf(bench.give(tag, [sack(next - 1, [], 10_000_000)])).at(-1)!;
  bench.advance(50);
  last = tsnsOf(bench.give(tag, [sack(last, [], 10_000_000)])).at(-1)!;
  const before = cwndOf(association);

  bench.advance(50);
  bench.give(tag, [sack(last, [], 10_000_000)]);

  assert.ok(cwndOf(association) - before <= MTU, `${cwndOf(association) - before} octets in a round trip`);
});

Deno.test("§7.2.3: a time-out makes the window one PMDCS", () => {
  const association = busy(20);

  const sent = association.bench.advance(1000);

  assert.equal(cwndOf(association), MTU - 20 - 12);
  assert.equal(tsnsOf(sent).length, 1);
});

Deno.test("§7.2.3: after a time-out slow start goes up to half of the former window, at least 4 MTU", () => {
  const association = busy(100);
  const { bench, tag, tsn, first } = association;
  bench.advance(1000);

  let highest = tsnsOf(first).at(-1)!;
  for (let i = 0; i < 12; i++) {
    bench.advance(10);
    const sent = tsnsOf(bench.give(tag, [sack(highest, [], 10_000_000)]));
    highest = Math.max(highest, ...sent);
  }

  assert.ok(highest > tsn + 12);
  assert.ok(cwndOf(association) >= 4 * MTU);
});

Deno.test("§7.2.4: two misses are not enough for a fast retransmission", () => {
  const { bench, tag, tsn } = busy(6);

  const sent = [2, 3].flatMap((gap) => bench.give(tag, [sack(tsn - 1, [[2, gap]], 10_000_000)]));

  assert.ok(!tsnsOf(sent).includes(tsn));
});

Deno.test("§7.2.4: the third miss makes a chunk be sent again at once", () => {
  const association = busy(20);
  const { bench, tag, tsn } = association;

  const sent = [2, 3, 4].map((gap) => tsnsOf(bench.give(tag, [sack(tsn - 1, [[2, gap]], 10_000_000)])));

  assert.ok(!sent[0]!.includes(tsn) && !sent[1]!.includes(tsn));
  assert.equal(sent[2]![0], tsn);
  assert.equal(bench.stack.counters.fastRetransmissions, 1);
});

Deno.test("§7.2.4: the same SACK again is no miss: only what it newly acknowledges counts", () => {
  const { bench, tag, tsn } = busy(6);

  const sent = [3, 3, 3, 3].flatMap((gap) => bench.give(tag, [sack(tsn - 1, [[2, gap]], 10_000_000)]));

  assert.ok(!tsnsOf(sent).includes(tsn));
});

Deno.test("§7.2.4: a fast retransmission halves the window, but leaves 4 MTU", () => {
  const association = busy(400);
  const next = openWindow(association, 14);
  const { bench, tag } = association;
  const before = cwndOf(association);
  const lost = next - 9;

  for (let i = 0; i < 3; i++) bench.give(tag, [sack(lost - 1, [[2, 3 + i]], 10_000_000)]);

  const after = cwndOf(association);
  assert.ok(before > 8 * MTU, `window ${before}`);
  assert.ok(Math.abs(after - before / 2) <= 2 * MTU, `${before} to ${after}`);
});

Deno.test("§7.2.4: in one fast recovery the window is halved once", () => {
  const association = busy(400);
  const next = openWindow(association, 14);
  const { bench, tag } = association;
  const lost = next - 9;
  for (let i = 0; i < 3; i++) bench.give(tag, [sack(lost - 1, [[2, 2], [4, 5 + i]], 10_000_000)]);
  const after = cwndOf(association);

  for (let i = 3; i < 5; i++) bench.give(tag, [sack(lost - 1, [[2, 2], [4, 5 + i]], 10_000_000)]);

  assert.equal(cwndOf(association), after);
});

Deno.test("§7.2.4: a chunk is fast retransmitted once; then only the timer helps", () => {
  const { bench, tag, tsn } = busy(20);
  const first = [2, 3, 4].flatMap((gap) => bench.give(tag, [sack(tsn - 1, [[2, gap]], 10_000_000)]));

  const more = [5, 6, 7, 8].flatMap((gap) =>
    tsnsOf(bench.give(tag, [sack(tsn - 1, [[2, gap]], 10_000_000)]))
  );

  assert.equal(tsnsOf(first).filter((one) => one === tsn).length, 1);
  assert.ok(!more.includes(tsn));
});

Deno.test("§7.2.1: an idle path does not keep a large window", () => {
  const association = busy(60);
  openWindow(association, 14);
  const { bench, association: id, tag } = association;
  const status = () => bench.stack.status(id)!;
  for (let i = 0; i < 50 && status().queuedOctets > 0; i++) {
    bench.give(tag, [sack(association.tsn + 59, [], 10_000_000)]);
  }
  assert.equal(status().queuedOctets, 0);
  const before = cwndOf(association);

  bench.advance(120_000);
  for (let i = 0; i < 60; i++) {
    bench.stack.execute(5, { type: "send", association: id, data: new Uint8Array(FULL), ppid: 0 }, bench.now);
  }
  const burst = tsnsOf(bench.collect()).length * FULL;

  assert.ok(before > 2 * INITIAL_CWND, `window ${before} before`);
  assert.ok(burst <= Math.max(before / 2, 4 * MTU) + MTU, `${burst} octets at once after two idle minutes`);
});
