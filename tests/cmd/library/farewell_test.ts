import assert from "node:assert/strict";
import { Farewell, MAX_IDLE_LOOKS, MAX_LAST_LOOKS } from "../../../cmd/library/farewell.ts";
import { within } from "./pools.ts";

/** Counts the looks until the other side is given up, which has `untaken(look)` octets before it at each look. */
async function looksUntilGivenUp(untaken: (look: number) => number): Promise<number> {
  let look = -1; // the first one says what there is to begin with
  const over = Promise.withResolvers<void>();
  const farewell = new Farewell(() => untaken(++look), () => over.resolve(), 1);
  await within("the end", over.promise).finally(() => farewell.end());
  return look;
}

Deno.test("Farewell waits as long as the other side takes something now and then, and a little when all is taken", async () => {
  const looks = 5 * MAX_IDLE_LOOKS;
  const slow = (look: number) => Math.max(0, looks - look) >> 3; // one octet at each eighth look
  assert.equal(await looksUntilGivenUp(slow), looks - 7 + MAX_LAST_LOOKS);
});

Deno.test("Farewell gives one up that takes nothing more, and at once when there is nothing to take", async () => {
  assert.equal(await looksUntilGivenUp((look) => Math.max(1000 - look, 900)), 100 + MAX_IDLE_LOOKS);
  assert.equal(await looksUntilGivenUp(() => 0), MAX_LAST_LOOKS);
});

Deno.test("Farewell that is over looks no more", async () => {
  let looks = 0;
  const farewell = new Farewell(() => ++looks, () => assert.fail("it is over"), 1);
  farewell.end();
  await looksUntilGivenUp(() => 0);
  assert.equal(looks, 1);
});
