import assert from "node:assert/strict";
import { MAX_REPORTED_ELEMENTS, REPORT_INTERVAL_MS, ReportPace } from "../../../protocol/user/report_pace.ts";
import { encodeText } from "../../../protocol/wire/mod.ts";

const POOL = encodeText("EchoPool");

Deno.test("ReportPace admits a report of each element once in its interval", () => {
  const pace = new ReportPace();
  assert.ok(pace.admits(POOL, 1, 0));
  pace.reported(POOL, 1, 0);
  assert.ok(!pace.admits(POOL, 1, REPORT_INTERVAL_MS - 1));
  assert.ok(pace.admits(POOL, 1, REPORT_INTERVAL_MS));
  assert.ok(pace.admits(POOL, 2, 1), "another element");
  assert.ok(pace.admits(encodeText("OtherPool"), 1, 1), "another pool");
});

Deno.test("ReportPace remembers a limited number of elements, the newest", () => {
  const pace = new ReportPace();
  for (let element = 0; element <= MAX_REPORTED_ELEMENTS; element++) pace.reported(POOL, element, 0);
  assert.ok(pace.admits(POOL, 0, 1), "the oldest is forgotten");
  assert.ok(!pace.admits(POOL, 1, 1));
  assert.ok(!pace.admits(POOL, MAX_REPORTED_ELEMENTS, 1));
});
