/**
 * One large world: many elements, many registrars. It synchronises, rests, loses a registrar, and gets a new one; figures
 * of each.
 *
 *     scripts/soak scale                                     100,000 elements and 20 registrars; some 4 GiB, some minutes
 *     scripts/soak scale --elements 10000 --registrars 10
 *
 * Exit code 1 when something does not come to its end.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { ScaleWorld } from "../protocol/sim/pool/mod.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    elements: { type: "string", default: "100000" },
    registrars: { type: "string", default: "20" },
    pools: { type: "string", default: "100" },
  },
});

const world = new ScaleWorld({
  seed: Number(values.seed),
  registrars: Number(values.registrars),
  elements: Number(values.elements),
  pools: Number(values.pools),
});
process.stdout.write(`${values.elements} elements, ${values.registrars} registrars, seed ${values.seed}\n`);
for (
  const phase of [
    () => world.synchronize(),
    () => world.rest(30_000),
    () => world.takeOver(),
    () => world.join(),
  ]
) {
  const startedAt = performance.now();
  const { name, ok, virtualMs, messages } = phase();
  const wallSeconds = (performance.now() - startedAt) / 1000;
  const heapMiB = Deno.memoryUsage().heapUsed / 2 ** 20;
  process.stdout.write(
    `${name.padEnd(12)} ${ok ? "ok" : "FAILED"}: ${(virtualMs / 1000).toFixed(1)} s virtual, ` +
      `${messages} messages, ${wallSeconds.toFixed(1)} s wall, heap ${heapMiB.toFixed(0)} MiB\n`,
  );
  if (!ok) process.exitCode = 1;
}
