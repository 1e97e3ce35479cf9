/** What the options of the services mean to their machines. */
import assert from "node:assert/strict";
import type { OptionTable, OptionValues } from "../../../cmd/options.ts";
import { parseOptions } from "../../../cmd/parse_options.ts";
import { calcAppServerOptions, calcAppServiceOptions } from "../../../cmd/server/calcapp_service.ts";
import { fractalServerOptions, fractalServiceOptions } from "../../../cmd/server/fractal_service.ts";
import { scriptingServerOptions, scriptingServiceOptions } from "../../../cmd/server/scripting_service.ts";

function parse<Table extends OptionTable>(table: Table, ...line: string[]): OptionValues<Table> {
  return parseOptions(table, line, () => undefined).values as OptionValues<Table>;
}

Deno.test("fractalServerOptions() carries each option to its place, and has RSPLIB's defaults", () => {
  const given = parse(
    fractalServiceOptions,
    "-fgpmaxthreads=101",
    "-fgpfailureafter=102",
    "-fgptestmode",
    "-fgptransmittimeout=103",
    "-fgpdatamaxtime=104",
    "-fgpcookiemaxtime=105",
    "-fgpcookiemaxpackets=106",
    "-fgpmaxrate=107",
  );
  assert.deepEqual(fractalServerOptions(given), {
    maxThreads: 101,
    failureAfter: 102,
    testMode: true,
    transmitTimeoutMs: 103,
    dataMaxTimeMs: 104,
    cookieMaxTimeMs: 105,
    cookieMaxPackets: 106,
    maxRate: 107,
  });
  assert.deepEqual(fractalServerOptions(parse(fractalServiceOptions)), {
    maxThreads: 4,
    failureAfter: 0,
    testMode: false,
    transmitTimeoutMs: 2500,
    dataMaxTimeMs: 1000,
    cookieMaxTimeMs: 1000,
    cookieMaxPackets: 10,
    maxRate: 0,
  });
});

Deno.test("calcAppServerOptions() carries each option to its place, and has RSPLIB's defaults", () => {
  const given = parse(
    calcAppServiceOptions,
    "-capmaxjobs=101",
    "-capcapacity=102.5",
    "-capkeepalivetransmissioninterval=103",
    "-capkeepalivetimeoutinterval=104",
    "-capcookiemaxtime=0.5",
    "-capcookiemaxcalculations=106.5",
    "-capcleanshutdownprobability=0.25",
  );
  assert.deepEqual(calcAppServerOptions(given), {
    maxJobs: 101,
    capacity: 102.5,
    keepAliveIntervalMs: 103,
    keepAliveTimeoutMs: 104,
    cookieMaxTimeMs: 500,
    cookieMaxCalculations: 106.5,
    cleanShutdownProbability: 0.25,
  });
  assert.deepEqual(calcAppServerOptions(parse(calcAppServiceOptions)), {
    maxJobs: 10,
    capacity: 1_000_000,
    keepAliveIntervalMs: 2500,
    keepAliveTimeoutMs: 2500,
    cookieMaxTimeMs: 5000,
    cookieMaxCalculations: 5_000_000,
    cleanShutdownProbability: 1,
  });
});

Deno.test("scriptingServerOptions() carries each time to its place, and has RSPLIB's defaults", () => {
  const times = (...line: string[]) => {
    const options = scriptingServerOptions(parse(scriptingServiceOptions, ...line));
    return [options.transmitTimeoutMs, options.keepAliveIntervalMs, options.keepAliveTimeoutMs];
  };
  assert.deepEqual(
    times("-sstransmittimeout=101", "-sskeepaliveinterval=102", "-sskeepalivetimeout=103"),
    [101, 102, 103],
  );
  assert.deepEqual(times(), [30_000, 15_000, 10_000]);
});
