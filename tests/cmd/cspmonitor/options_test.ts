import assert from "node:assert/strict";
import { monitorOptionTable, viewSettings } from "../../../cmd/cspmonitor/options.ts";
import type { MonitorOptionValues } from "../../../cmd/cspmonitor/options.ts";
import { parseOptions } from "../../../cmd/parse_options.ts";
import { ComponentGroup } from "../../../protocol/csp/mod.ts";

const parse = (...line: string[]) =>
  parseOptions(monitorOptionTable, line, () => undefined).values as MonitorOptionValues;

Deno.test("viewSettings() carries each option to its place", () => {
  const settings = viewSettings(parse(
    ...["-full", "-maxpr=1", "-maxpe=2", "-maxpu=3", "-maxlocationsize=4", "-sort=load", "-reverse"],
    "-filter=pc1",
  ));
  assert.deepEqual(settings, {
    order: "load",
    isReversed: true,
    filter: "pc1",
    isTyping: false,
    limits: new Map([[ComponentGroup.registrar, 1], [ComponentGroup.element, 2], [ComponentGroup.user, 3]]),
    isLimited: true,
    maxLocation: 4,
    hasAssociations: true,
    isPaused: false,
    offset: 0,
  });
});

Deno.test("viewSettings() has the defaults of RSPLIB, and refuses -compact with -full", () => {
  const { limits, maxLocation, hasAssociations } = viewSettings(parse());
  assert.deepEqual([...limits.values(), maxLocation, hasAssociations], [6, 42, 24, 72, false]);
  assert.throws(() => viewSettings(parse("-compact", "-full")), { name: "OptionError" });
});

Deno.test("rsp cspmonitor takes RSPLIB's times, those of 2010 by their old name", () => {
  const { purgeinterval, updateinterval } = parse();
  assert.deepEqual([purgeinterval, updateinterval], [30_000, 1000]);
  assert.equal(parse("-purge=2000").purgeinterval, 2000);
  assert.equal(parse("-purgeinterval=2000").purgeinterval, 2000);
  assert.deepEqual(parse("-localaddress=10.1.0.9:3000").localaddress, {
    hosts: ["10.1.0.9"],
    port: 3000,
  });
});
