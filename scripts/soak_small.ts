/**
 * Runs every small world: each sequence of a few faults on two or three registrars.
 *
 *     scripts/soak small                                   two faults on two, then on three registrars
 *     scripts/soak small --depth 3 --registrars 2          three faults: 19,773 worlds
 *     scripts/soak small --depth 3 --step 17 --offset 5    one in 17 of them
 *
 * A world that fails is printed as a scenario for `rsp simulate`. Exit code 1 when there was one.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { runSmallWorld, smallWorld, smallWorldCount } from "../protocol/sim/pool/mod.ts";
import type { SmallWorldSize } from "../protocol/sim/pool/mod.ts";

/** Failures that are shown whole. */
const MAX_SHOWN = 5;

const { values } = parseArgs({
  options: {
    registrars: { type: "string" },
    elements: { type: "string", default: "2" },
    depth: { type: "string", default: "2" },
    step: { type: "string", default: "1" },
    offset: { type: "string", default: "0" },
  },
});

let failures = 0;

function runAll(size: SmallWorldSize): void {
  const count = smallWorldCount(size);
  const startedAt = performance.now();
  let ran = 0;
  for (let index = Number(values.offset); index < count; index += Number(values.step)) {
    ran++;
    const complaints = runSmallWorld(size, index);
    if (complaints.length === 0) continue;
    if (failures++ < MAX_SHOWN) {
      process.stdout.write(`FAILED world ${index}: ${complaints.join("\n  ")}\n${smallWorld(size, index)}\n`);
    }
  }
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
  process.stdout.write(
    `${size.registrars} registrars, ${size.depth} faults: ${ran} of ${count} worlds, ${failures} failed, ${seconds} s\n`,
  );
}

for (const registrars of values.registrars === undefined ? [2, 3] : [Number(values.registrars)]) {
  runAll({ registrars, elements: Number(values.elements), depth: Number(values.depth) });
}
process.exitCode = failures > 0 ? 1 : 0;
