import assert from "node:assert/strict";
import { LogLevel } from "../../../cmd/driver/log.ts";
import { leastLevelOf, registrarLine } from "../../../cmd/registrar/report_line.ts";
import type { RegistrarReport } from "../../../protocol/registrar/report.ts";
import { encodeText } from "../../../protocol/wire/mod.ts";

const poolHandle = encodeText("FractalGeneratorPool"), elementId = 0x11223344, association = 7;
const addresses = [{ address: "10.1.0.2", port: 4711 }, { address: "fd01::2", port: 4711 }];

const cases: [RegistrarReport, LogLevel, string][] = [
  [
    { type: "registered", poolHandle, elementId, association, addresses, policy: "RoundRobin", again: false },
    LogLevel.note,
    "pool FractalGeneratorPool: element 0x11223344 registered at 10.1.0.2:4711 [fd01::2]:4711, policy RoundRobin",
  ],
  [
    {
      type: "registered",
      poolHandle,
      elementId,
      association,
      addresses: [],
      policy: "RoundRobin",
      again: true,
    },
    LogLevel.action,
    "pool FractalGeneratorPool: element 0x11223344 registered again at no address yet, policy RoundRobin",
  ],
  [
    {
      type: "refused",
      poolHandle,
      elementId,
      association,
      causeCode: 5,
      reason: "inconsistent policy (0x5)",
    },
    LogLevel.warning,
    "pool FractalGeneratorPool: element 0x11223344 was refused: inconsistent policy (0x5)",
  ],
  [
    { type: "removed", poolHandle, elementId, reason: "no answer to a keep-alive" },
    LogLevel.warning,
    "pool FractalGeneratorPool: element 0x11223344 was removed: no answer to a keep-alive",
  ],
  [
    { type: "poolUnknown", poolHandle: Uint8Array.of(0x1b, 0x5b), association },
    LogLevel.note,
    "association 7 asks for pool \\x1b[, which has no elements",
  ],
  [
    { type: "unreachable", poolHandle, elementId, association, count: 2, limit: 3 },
    LogLevel.note,
    "pool FractalGeneratorPool: element 0x11223344 was reported unreachable (2 of 3)",
  ],
];

for (const [report, level, text] of cases) {
  Deno.test(`registrarLine() says of ${report.type}: ${text}`, () => {
    const line = registrarLine(report);
    assert.deepEqual([line.level, line.text], [level, text]);
    assert.doesNotThrow(() => JSON.stringify(line.fields));
    assert.ok(leastLevelOf(report) <= level, "it is shown at its level");
  });
}
