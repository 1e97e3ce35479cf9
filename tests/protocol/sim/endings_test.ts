/** How associations begin and end: crossing, in mid-transfer, by force. */
import assert from "node:assert/strict";
import { runScenario, type Scenario } from "../../../protocol/sim/scenario.ts";
import { hmacSha256 } from "./mac.ts";

const QUICK = { rto: { initialMs: 500, minMs: 200, maxMs: 4000 }, heartbeatIntervalMs: 2000 } as const;
const TALK = { messages: 200, maxOctets: 3000, streams: 3 } as const;

function results(scenario: Omit<Scenario, "seed">, seeds: number) {
  return Array.from(
    { length: seeds },
    (_, i) => runScenario({ endpoint: QUICK, ...scenario, seed: i + 1 }, hmacSha256),
  );
}

Deno.test("an association comes up at a loss of 30 %, or its failure is told", () => {
  const client = { messages: 3, shutdown: "sent" } as const;
  for (const result of results({ link: { loss: 0.3 }, client }, 30)) {
    assert.equal(result.clientDown.length + result.failedConnects.length, 1);
    if (result.clientDown[0] === "shutdown") assert.equal(result.delivered, 3);
  }
});

Deno.test("a connect to a dead link fails by time-out, and no sooner than it must", () => {
  const link = { up: false };
  for (const result of results({ link, client: TALK, endpoint: { maxInitRetransmissions: 3 } }, 2)) {
    assert.deepEqual(result.failedConnects, ["timeout"]);
    assert.ok(result.endedAtMs >= 15_000, `${result.endedAtMs} ms`);
  }
});

Deno.test("both sides shut down at the same time in mid-transfer: all that was taken arrives", () => {
  for (const loss of [0, 0.1]) {
    const scenario = {
      link: { delayMs: 10, loss },
      client: TALK,
      server: TALK,
      shutdownAtMs: 60,
      shutdownBy: "both",
    };
    for (const result of results(scenario as Omit<Scenario, "seed">, 8)) {
      assert.equal(result.delivered + result.failed, result.sent);
      assert.deepEqual([...result.clientDown, ...result.serverDown], ["shutdown", "shutdown"]);
    }
  }
});

Deno.test("one side shuts down in mid-transfer: the other side's queue arrives too", () => {
  for (const result of results({ link: { delayMs: 10 }, client: TALK, server: TALK, shutdownAtMs: 60 }, 5)) {
    assert.equal(result.delivered + result.failed, result.sent);
    assert.deepEqual([...result.clientDown, ...result.serverDown], ["shutdown", "shutdown"]);
  }
});

for (const abortBy of ["client", "server", "both"] as const) {
  Deno.test(`an abort by ${abortBy} in mid-transfer: what did not arrive is reported`, () => {
    for (
      const result of results(
        { link: { delayMs: 10 }, client: TALK, server: TALK, abortAtMs: 60, abortBy },
        5,
      )
    ) {
      assert.deepEqual([...result.clientDown, ...result.serverDown], ["aborted", "aborted"]);
      assert.ok(result.failed > 0 && result.delivered > 0);
    }
  });
}

Deno.test("an abort whose packet is lost is noticed later", () => {
  const scenario = { link: { delayMs: 10, loss: 0.5 }, client: TALK, server: TALK, abortAtMs: 3000 };
  for (const result of results(scenario, 8)) {
    assert.equal(result.clientDown.length + result.failedConnects.length >= 1, true);
  }
});

Deno.test("a peer that loses its power is given up, and what it did not get is reported", () => {
  for (
    const result of results(
      { link: { delayMs: 10 }, client: { ...TALK, intervalMs: 50 }, crashAtMs: 3000 },
      4,
    )
  ) {
    assert.deepEqual(result.clientDown, ["timeout"]);
    assert.ok(result.failed > 0);
  }
});

Deno.test("many associations of one server at once", () => {
  const client = { messages: 20, shutdown: "both" } as const;
  const scenario = { associations: 40, link: { delayMs: 5, loss: 0.02 }, client, server: { messages: 20 } };
  for (const result of results(scenario, 2)) {
    assert.equal(result.delivered, result.sent);
    assert.equal(result.sent, 2 * 20 * 40);
  }
});

Deno.test("somebody on the path tampers with packets: the stack survives, and everything ends", () => {
  for (let seed = 1; seed <= 30; seed++) {
    const result = runScenario({
      seed,
      segments: 2,
      endpoint: QUICK,
      link: { delayMs: 5, loss: 0.02 },
      client: { ...TALK, messages: 100, shutdown: "sent" },
      server: { ...TALK, messages: 100 },
      tampering: 0.05,
      limitMs: 120_000,
    }, hmacSha256);
    assert.equal(result.clientDown.length + result.failedConnects.length >= 1, true);
  }
});

Deno.test("both sides connect to each other at the same time: one association comes of it", () => {
  const scenarios: Omit<Scenario, "seed">[] = [0, 0.1].flatMap((loss) =>
    (["raw", "udp", "auto"] as const).map((encapsulation) => ({
      simultaneousConnect: true,
      encapsulation,
      segments: 2,
      link: { delayMs: 10, jitterMs: loss === 0 ? 0 : 5, loss },
      client: { messages: 50, shutdown: "both" as const },
      server: { messages: 50, shutdown: "both" as const },
    }))
  );
  for (const scenario of scenarios) {
    for (const result of results(scenario, 6)) {
      assert.deepEqual(
        [...result.clientDown, ...result.serverDown],
        ["shutdown", "shutdown"],
        JSON.stringify(result),
      );
      assert.deepEqual(result.failedConnects, []);
      assert.equal(result.delivered, 100);
    }
  }
});
