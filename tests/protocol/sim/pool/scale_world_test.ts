import assert from "node:assert/strict";
import { ScaleWorld } from "../../../../protocol/sim/pool/mod.ts";

Deno.test("a thousand elements and 6 registrars synchronise, survive a takeover, and let a registrar join", () => {
  const world = new ScaleWorld({ seed: 1, registrars: 6, elements: 1000, pools: 7 });
  for (const phase of [world.synchronize(), world.takeOver(), world.join()]) {
    assert.ok(phase.ok, phase.name);
    assert.ok(phase.virtualMs <= 30_000, `${phase.name} took ${phase.virtualMs} ms`);
  }
});
