import assert from "node:assert/strict";
import {
  counts,
  scalarText,
  STATISTICS_HEADER,
  statisticsLine,
  sumOfCounts,
} from "../../../cmd/registrar/statistics_files.ts";
import { TimeAverage } from "../../../cmd/registrar/time_average.ts";
import { newStatistics } from "../../../protocol/registrar/statistics.ts";

const COUNTED = counts({
  ...newStatistics(),
  registrations: 1,
  reregistrations: 3,
  deregistrations: 1,
  resolutions: 1,
});

Deno.test("statisticsLine() writes rspregistrar's columns", () => {
  // As rspregistrar 3.4.4 wrote it, which counts re-registrations as registrations, too.
  const line = statisticsLine({
    serial: 25,
    now: 1_795_389_875_457.357,
    startedAt: 1_795_389_851_410.164,
    runtimeMs: 0,
    userMs: 0,
    systemMs: 0,
    peers: 1,
    pools: 0,
    elements: 0,
    ownedElements: 0,
    counts: COUNTED,
  });
  assert.equal(
    line,
    "000025 1795389875.457357 24.047193   0.000000 0.000000 0.000000   1 0 0 0   4 3 1 1 0 0 0 0\n",
  );
  assert.equal(
    STATISTICS_HEADER,
    "AbsTime RelTime Runtime UserTime SystemTime   Peers Pools PoolElements OwnedPoolElements   Registrations " +
      "Reregistrations Deregistrations HandleResolutions FailureReports Synchronizations HandleUpdates " +
      "EndpointKeepAlives\n",
  );
});

Deno.test("scalarText() writes rspregistrar's file", () => {
  const text = scalarText("reg1", COUNTED, {
    pools: 0.375771,
    elements: 0.375771,
    ownedElements: 0.375771,
    peers: 0.79924,
  });
  assert.equal(
    text,
    `run 1 "scenario"
scalar "reg1" "Registrar Total Registrations"               4
scalar "reg1" "Registrar Total Reregistrations"             3
scalar "reg1" "Registrar Total Deregistrations"             1
scalar "reg1" "Registrar Total Handle Resolutions"          1
scalar "reg1" "Registrar Total Failure Reports"             0
scalar "reg1" "Registrar Total Synchronizations"            0
scalar "reg1" "Registrar Total Handle Updates"              0
scalar "reg1" "Registrar Total Endpoint Keep Alives"        0
scalar "reg1" "Registrar Average Number Of Pools"               0.375771
scalar "reg1" "Registrar Average Number Of Pool Elements"       0.375771
scalar "reg1" "Registrar Average Number Of Owned Pool Elements" 0.375771
scalar "reg1" "Registrar Average Number Of Peers"               0.799240
`,
  );
});

Deno.test("sumOfCounts() adds the lives of a failure tester", () => {
  assert.equal(sumOfCounts(COUNTED, COUNTED)["Registrations"], 8);
});

Deno.test("TimeAverage weighs values by their time", () => {
  const average = new TimeAverage(1000);
  assert.equal(average.until(1000), 0);
  average.is(10, 2000);
  average.is(0, 3000);
  assert.equal(average.until(5000), 2.5);
});
