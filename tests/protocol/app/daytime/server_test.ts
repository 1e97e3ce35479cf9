import assert from "node:assert/strict";
import { DaytimeServer } from "../../../../protocol/app/daytime/server.ts";
import type { DaytimeReport } from "../../../../protocol/app/daytime/server.ts";
import { daytimeText } from "../../../../protocol/app/daytime/text.ts";
import type { WallClockTime } from "../../../../protocol/app/daytime/text.ts";
import { encodeText } from "../../../../protocol/wire/text.ts";
import { message, opened, RecordedOutlet } from "../outlet.ts";

const TIME: WallClockTime = {
  year: 2026,
  month: 11,
  day: 3,
  weekday: 2,
  hour: 4,
  minute: 5,
  second: 6,
  microsecond: 70_809,
};

Deno.test("daytimeText() has RSPLIB's form", () => {
  assert.equal(daytimeText(TIME), "Tuesday, 03-November-2026 04:05:06.070809\n");
  const last = {
    year: 987,
    month: 12,
    day: 31,
    weekday: 6,
    hour: 23,
    minute: 59,
    second: 59,
    microsecond: 0,
  };
  assert.equal(daytimeText(last), "Saturday, 31-December-0987 23:59:59.000000\n");
});

Deno.test("DaytimeServer tells a new session the time of that instant, and ends it in order", () => {
  const outlet = new RecordedOutlet<never, DaytimeReport>();
  const server = new DaytimeServer(outlet, (now) => ({ ...TIME, second: now }));
  server.sessionEvent(opened(4), 9);
  assert.deepEqual(outlet.commands, [
    { type: "send", session: 4, ppid: 0, data: encodeText("Tuesday, 03-November-2026 04:05:09.070809\n") },
    { type: "closeSession", session: 4, how: "shutdown" },
  ]);
  assert.deepEqual(outlet.reports, [
    { type: "timeTold", session: 4, text: "Tuesday, 03-November-2026 04:05:09.070809" },
  ]);
  server.sessionEvent(message(encodeText("?")), 10);
  assert.equal(outlet.commands.length, 2, "it does not listen");
});
