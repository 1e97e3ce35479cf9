import assert from "node:assert/strict";
import { parseScenario, runPoolScenario, traceDifference } from "../../../../protocol/sim/pool/mod.ts";

const FOLDER = new URL("../../../scenarios/", import.meta.url);

const paths = [...Deno.readDirSync(FOLDER)].map(({ name }) => name).filter((name) => name.endsWith(".txt"))
  .sort();

Deno.test("there are scenarios", () => assert.ok(paths.length > 0));

for (const path of paths) {
  Deno.test(`scenario ${path} goes as written`, () => {
    const scenario = parseScenario(Deno.readTextFileSync(new URL(path, FOLDER)));
    const { trace, complaints } = runPoolScenario(scenario);
    assert.deepEqual(complaints, []);
    // `rsp simulate -rewrite FILE` writes the trace anew when it is meant to be another one.
    assert.equal(traceDifference(scenario.expectedTrace ?? [], trace), undefined);
  });
}
