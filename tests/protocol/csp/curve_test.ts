import assert from "node:assert/strict";
import { RECENT_SAMPLES, RecentCurve, WHOLE_POINTS, WholeCurve } from "../../../protocol/csp/curve.ts";
import { fc } from "../../properties.ts";

Deno.test("RecentCurve keeps the last samples as they came", () => {
  const curve = new RecentCurve(2);
  for (let second = 0; second < RECENT_SAMPLES + 5; second++) {
    curve.add(1000 * second, [second, second % 2 === 0 ? Number.NaN : 1]);
  }
  const { times, columns: [numbers, gaps] } = curve.points();
  assert.equal(times.length, RECENT_SAMPLES);
  assert.deepEqual([times[0], times.at(-1)], [5000, 1000 * (RECENT_SAMPLES + 4)]);
  assert.deepEqual([numbers?.[0], numbers?.at(-1)], [5, RECENT_SAMPLES + 4]);
  assert.deepEqual(gaps?.slice(0, 3), [1, Number.NaN, 1]);
});

Deno.test("WholeCurve keeps the whole time in steps that double, in bounded room", () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 20 * WHOLE_POINTS }), (count) => {
    const curve = new WholeCurve(1);
    for (let index = 0; index < count; index++) curve.add(index, [index]);
    const { times, columns } = curve.points();
    assert.ok(times.length < WHOLE_POINTS && times.length >= Math.min(count, WHOLE_POINTS / 2 - 1));
    // Values are their times here, so their means are equal as well.
    assert.deepEqual(columns[0], times);
    const step = times.length < 2 ? 1 : times[1]! - times[0]!;
    for (let index = 1; index < times.length; index++) {
      assert.equal(times[index]! - times[index - 1]!, step);
    }
    assert.ok(count - 1 - (times.at(-1) ?? 0) < 2 * step, "the last point is not far behind");
  }));
});

Deno.test("WholeCurve leaves missing values out of means", () => {
  const curve = new WholeCurve(1);
  for (let index = 0; index < WHOLE_POINTS; index++) {
    curve.add(index, [index < 2 ? Number.NaN : index % 2 === 0 ? 4 : NaN]);
  }
  const { columns: [values] } = curve.points();
  assert.deepEqual(values?.slice(0, 3), [Number.NaN, 4, 4]);
});
