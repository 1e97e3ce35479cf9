import assert from "node:assert/strict";
import { runRandomWorld } from "../../../../protocol/sim/pool/mod.ts";

const SMALL = { registrars: 1, elements: 12, users: 4, durationMs: 900_000 };

Deno.test("random worlds with one registrar keep every rule", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const { settled, calmAnswers, faults } = runRandomWorld(seed, SMALL);
    assert.ok(settled >= 4 && calmAnswers > 10 && faults > 5, `seed ${seed} shows nothing`);
  }
});

Deno.test("the same seed makes the same world, another one another", () => {
  const told = (seed: number) => {
    const lines: string[] = [];
    return { result: runRandomWorld(seed, SMALL, (line) => lines.push(line)), lines };
  };
  assert.deepEqual(told(3), told(3));
  assert.notDeepEqual(told(3).lines, told(4).lines);
});
