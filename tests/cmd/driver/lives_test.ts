import assert from "node:assert/strict";
import { inLives, limited } from "../../../cmd/driver/lives.ts";
import { Log } from "../../../cmd/driver/log.ts";
import { pause } from "../../../cmd/driver/pause.ts";

function quietLog(): Log {
  return new Log({ level: 0, color: false, json: false, write: () => {}, now: () => new Date(0) });
}

/** Resolves when the signal says so. */
function untilAborted(signal: AbortSignal): Promise<number> {
  if (signal.aborted) return Promise.resolve(0);
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(0), { once: true }));
}

Deno.test("inLives() lives once without -uptime, with the user's own signal", async () => {
  const { signal } = new AbortController();
  const world = { signal, log: quietLog() };
  let given: AbortSignal | undefined;
  const exitCode = await inLives({ uptime: 0, downtime: 0 }, world, (own) => {
    given = own;
    return Promise.resolve(3);
  });
  assert.deepEqual([exitCode, given === signal], [3, true]);
});

Deno.test("inLives() ends each life, begins another one, and stops with the user", async () => {
  const user = new AbortController();
  let lives = 0;
  const exitCode = await inLives(
    { uptime: 0.001, downtime: 0.001 },
    { signal: user.signal, log: quietLog() },
    (signal) => {
      if (++lives === 3) user.abort();
      return untilAborted(signal);
    },
  );
  assert.deepEqual([exitCode, lives], [0, 3]);
});

Deno.test("inLives() does not begin again after a life that failed", async () => {
  let lives = 0;
  const world = { signal: new AbortController().signal, log: quietLog() };
  assert.equal(await inLives({ uptime: 100, downtime: 0 }, world, () => Promise.resolve(++lives)), 1);
  assert.equal(lives, 1);
});

Deno.test("limited() does not end at once what may go on for more than a timer's longest time", async () => {
  const { signal } = new AbortController();
  const live = async (own: AbortSignal) => await pause(50, own) ? 0 : 1;
  assert.equal(await limited(2 ** 32 + 1, signal, live), 0);
  assert.equal(await limited(1, signal, (own) => untilAborted(own)), 0);
});
