import assert from "node:assert/strict";
import { sumDirections, sumFigures, Tally } from "../../../cmd/bench/figures.ts";
import { Histogram } from "../../../cmd/bench/histogram.ts";
import { headline, jsonLine, textLine } from "../../../cmd/bench/report.ts";

Deno.test("Histogram keeps percentiles to one percent over six orders of magnitude", () => {
  for (const scale of [1e-3, 1, 1000]) {
    const histogram = new Histogram();
    for (let i = 1; i <= 10_000; i++) histogram.record(i * scale);
    for (const percent of [1, 50, 90, 99, 99.9, 100]) {
      const exact = percent * 100 * scale;
      assert.ok(Math.abs(histogram.percentile(percent) / exact - 1) < 0.01, `${percent} % of ${scale}`);
    }
    assert.equal(histogram.min, scale);
    assert.equal(histogram.max, 10_000 * scale);
  }
});

Deno.test("Histogram of nothing has no values", () => {
  const { count, mean } = new Histogram();
  assert.deepEqual({ count, mean, p50: new Histogram().percentile(50) }, { count: 0, mean: 0, p50: 0 });
});

Deno.test("Histogram takes durations beyond its last class", () => {
  const histogram = new Histogram();
  histogram.record(1e12);
  histogram.record(0);
  assert.equal(histogram.count, 2);
  assert.equal(histogram.max, 1e12);
});

Deno.test("Histogram.merge() is as if one had taken all", () => {
  const one = new Histogram(), other = new Histogram(), all = new Histogram();
  for (let i = 1; i <= 100; i++) {
    (i % 2 === 0 ? one : other).record(i);
    all.record(i);
  }
  one.merge(other);
  assert.equal(one.percentile(50), all.percentile(50));
  assert.deepEqual([one.count, one.min, one.max, one.mean], [all.count, all.min, all.max, all.mean]);
});

Deno.test("Tally leaves the warm-up out of the figures, not out of the total", () => {
  const tally = new Tally(0);
  tally.add(5, 10);
  tally.start(20);
  tally.add(7, 520);
  assert.equal(tally.total, 2);
  assert.deepEqual(tally.figures(), { messages: 1, octets: 7, seconds: 0.5 });
});

const FIGURES = { messages: 1000, octets: 64_000, seconds: 0.5 };

Deno.test("sumFigures() adds counts and takes the longest time", () => {
  assert.deepEqual(sumFigures([FIGURES, { messages: 1, octets: 2, seconds: 1 }]), {
    messages: 1001,
    octets: 64_002,
    seconds: 1,
  });
});

Deno.test("sumDirections() does not know what one of them does not know", () => {
  const known = { sent: FIGURES, received: FIGURES, retransmissions: 1 };
  assert.equal(sumDirections([known, known]).retransmissions, 2);
  const sum = sumDirections([known, { sent: FIGURES, received: undefined, retransmissions: undefined }]);
  assert.deepEqual([sum.received, sum.retransmissions], [undefined, undefined]);
});

Deno.test("a result is a line of the table and an object", () => {
  const result = { sent: FIGURES, received: FIGURES, retransmissions: 3 };
  const line = { type: "result", size: 64, direction: "sent", associations: 1, result } as const;
  assert.equal(
    headline(false) + textLine(line),
    "  length   messages        octets   seconds      msg/s      MB/s   retrans  direction\n" +
      "      64       1000         64000     0.500       2000      0.13         3  sent\n",
  );
  const { messagesPerSecond, megabytesPerSecond } = JSON.parse(jsonLine(line));
  assert.deepEqual([messagesPerSecond, megabytesPerSecond], [2000, 0.128]);
});

Deno.test("a table of latency has its columns below the headline", () => {
  const histogram = new Histogram();
  histogram.record(0.05);
  const line = textLine({
    type: "latency",
    size: 64,
    associations: 1,
    figures: FIGURES,
    histogram,
    retransmissions: 0,
  });
  assert.equal(line.length, headline(true).length);
});

Deno.test("a run of no time at all has no rate", () => {
  const none = { messages: 0, octets: 0, seconds: 0 };
  const result = { sent: none, received: none, retransmissions: undefined };
  assert.match(
    textLine({ type: "result", size: 1, direction: "sent", associations: 1, result }),
    / 0\.000 +0 +0\.00 +- +sent/,
  );
});
