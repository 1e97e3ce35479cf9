import assert from "node:assert/strict";
import { WorldViolation } from "../../../../protocol/sim/pool/mod.ts";
import { ledgerWorkload, runSessionWorld, WORKLOADS } from "../../../../protocol/sim/session/mod.ts";

for (const [name, make] of Object.entries(WORKLOADS)) {
  Deno.test(`${name}: nothing is lost and nothing hangs, whatever fails`, () => {
    let failovers = 0, faults = 0;
    for (let seed = 1; seed <= 15; seed++) {
      const result = runSessionWorld(seed, make);
      failovers += result.failovers;
      faults += result.faults;
    }
    assert.ok(failovers > 90 && faults > 90, `${failovers} failovers by ${faults} faults show nothing`);
  });
}

Deno.test("a bank that does not give a cookie with every acknowledgement is caught", () => {
  let caught = 0;
  for (let seed = 1; seed <= 10; seed++) {
    try {
      runSessionWorld(seed, (context, users) => ledgerWorkload(context, users, 3));
    } catch (error) {
      assert.ok(error instanceof WorldViolation, String(error));
      assert.match(error.message, /some were lost|forgotten/);
      caught++;
    }
  }
  assert.equal(caught, 10);
});

Deno.test("the same seed makes the same world of sessions", () => {
  const told = (seed: number) => {
    const lines: string[] = [];
    return { result: runSessionWorld(seed, WORKLOADS["ledger"]!, (line) => lines.push(line)), lines };
  };
  assert.deepEqual(told(3), told(3));
  assert.notDeepEqual(told(3).lines, told(4).lines);
});
