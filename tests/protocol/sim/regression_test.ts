/** Scenarios that once broke the stack, reduced: each says what went wrong. */
import assert from "node:assert/strict";
import { randomScenario } from "../../../protocol/sim/random_scenario.ts";
import { runScenario, type Scenario } from "../../../protocol/sim/scenario.ts";
import { hmacSha256 } from "./mac.ts";

const QUICK = { rto: { initialMs: 500, minMs: 200, maxMs: 4000 }, heartbeatIntervalMs: 2000 } as const;
const DYNAMIC = { authentication: true, dynamicAddresses: true } as const;

const SCENARIOS: readonly {
  readonly name: string;
  readonly scenario: Omit<Scenario, "seed">;
  readonly seeds: number;
}[] = [
  {
    name: "paths that time out together tell nothing of themselves after the association has ended",
    scenario: {
      segments: 3,
      link: { delayMs: 50 },
      endpoint: { ...QUICK, associationMaxRetransmissions: 20, sackDelayMs: 0, receiveBuffer: 4000 },
      client: { messages: 300, intervalMs: 100, shutdown: "sent" },
      crashAtMs: 500,
    },
    seeds: 60,
  },
  {
    name: "a path that fails while the cookie waits for its answer is not told before the association is up",
    scenario: { link: { delayMs: 5, loss: 0.5 }, endpoint: QUICK, client: { messages: 5, shutdown: "sent" } },
    seeds: 60,
  },
  {
    name: "what was acknowledged behind a gap and never delivered is reported",
    scenario: {
      link: { delayMs: 10, loss: 0.3 },
      endpoint: QUICK,
      client: { messages: 200 },
      abortAtMs: 800,
    },
    seeds: 40,
  },
  {
    name: "smaller fragments that fit a small window at once are sent at once",
    scenario: {
      link: { delayMs: 50, mtu: 1280 },
      endpoint: { ...QUICK, receiveBuffer: 4000 },
      client: { messages: 15, maxOctets: 100_000, shutdown: "both" },
      server: { messages: 15, maxOctets: 100_000, shutdown: "both" },
    },
    seeds: 20,
  },
  {
    name:
      "who has sent SHUTDOWN still answers a request to reset streams, behind which the peer's data waits",
    scenario: {
      link: { delayMs: 50, loss: 0.05 },
      endpoint: QUICK,
      client: { messages: 50, shutdown: "sent", reconfigureEveryMs: 50 },
      server: { messages: 50, intervalMs: 50, reconfigureEveryMs: 50 },
    },
    seeds: 20,
  },
  {
    name: "messages that are held behind a reset, and too old when they are let go, are given up",
    scenario: {
      link: { delayMs: 50, loss: 0.05 },
      endpoint: QUICK,
      client: { messages: 100, intervalMs: 20, limited: 0.3, shutdown: "sent", reconfigureEveryMs: 50 },
    },
    seeds: 20,
  },
  {
    name: "a client that moves before its COOKIE ACK has come is answered at its new address",
    scenario: {
      link: { delayMs: 200 },
      endpoint: DYNAMIC,
      client: { messages: 10, shutdown: "sent" },
      server: { messages: 10 },
      moves: { count: 1, firstMs: 500, everyMs: 1, overlapMs: -10, who: "client", all: true },
    },
    seeds: 4,
  },
  {
    name: "who aborts while it has no address leaves its peer to its time-outs",
    scenario: {
      families: "v4",
      endpoint: DYNAMIC,
      client: { messages: 100, intervalMs: 100 },
      moves: { count: 1, firstMs: 1000, everyMs: 1, overlapMs: -10, who: "server", all: true },
      abortAtMs: 1005,
      abortBy: "server",
    },
    seeds: 4,
  },
];

for (const { name, scenario, seeds } of SCENARIOS) {
  Deno.test(`once broken: ${name}`, () => {
    for (let seed = 1; seed <= seeds; seed++) {
      const result = runScenario({ ...scenario, seed }, hmacSha256);
      assert.equal(result.clientDown.length + result.failedConnects.length, 1);
    }
  });
}

Deno.test("who tampers with packets may fill more than the window that was told", () => {
  runScenario({ ...randomScenario(31_093), tampering: 0.02 }, hmacSha256);
});
