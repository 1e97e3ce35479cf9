import assert from "node:assert/strict";
import { FailoverPause } from "../../../protocol/app/failover_pause.ts";
import { Prng } from "../../../protocol/machine.ts";

Deno.test("FailoverPause grows with every useless element, to a limit, and starts anew after one that served", () => {
  const pause = new FailoverPause(new Prng(3));
  const pauses = Array.from({ length: 9 }, () => pause.next("useless"));
  for (const [index, least] of [100, 200, 400, 800, 1600, 3200, 3200, 3200, 3200].entries()) {
    const pauseMs = pauses[index]!;
    assert.ok(
      pauseMs >= 0.875 * least - 1 && pauseMs <= 1.125 * least + 1,
      `pause ${index} is ${pauseMs} ms`,
    );
  }
  assert.equal(pause.next("silent"), 0, "the session layer waits after those");
  assert.ok(pause.next("useless") > 2000, "and they are no service");
  assert.equal(pause.next("served"), 0);
  assert.ok(pause.next("useless") < 120);
});
