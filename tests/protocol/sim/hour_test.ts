/** Long runs: an hour of failures, and ten thousand associations. */
import assert from "node:assert/strict";
import type { TransportEvent } from "../../../protocol/net.ts";
import { SimulatedNetwork } from "../../../protocol/sim/network.ts";
import { runScenario, type Scenario } from "../../../protocol/sim/scenario.ts";
import { hmacSha256, insecureMac } from "./mac.ts";

const HOUR: Scenario = {
  seed: 2026,
  segments: 2,
  link: { delayMs: 5, jitterMs: 4, loss: 0.02, duplication: 0.01 },
  endpoint: {
    heartbeatIntervalMs: 5000,
    pathMaxRetransmissions: 2,
    rto: { initialMs: 1000, minMs: 300, maxMs: 5000 },
  },
  client: { messages: 72_000, minOctets: 20, maxOctets: 600, streams: 3, intervalMs: 50, shutdown: "sent" },
  flaps: { count: 30, firstMs: 60_000, everyMs: 115_000, downMs: 40_000 },
  limitMs: 4_000_000,
};

Deno.test("an hour of a four-path association with 30 link failures: everything arrives; same seed, same trace", () => {
  const result = runScenario(HOUR, hmacSha256);

  assert.equal(result.sent, 72_000);
  assert.equal(result.delivered, 72_000);
  assert.equal(result.failed, 0);
  assert.deepEqual([...result.clientDown, ...result.serverDown], ["shutdown", "shutdown"]);
  assert.ok(result.endedAtMs >= 3_600_000 && result.endedAtMs < 3_700_000);
});

Deno.test("same seed, same trace; another seed, another one", () => {
  const short: Scenario = { ...HOUR, client: { ...HOUR.client, messages: 3000 } };

  const [first, again, other] = [short, short, { ...short, seed: 2027 }].map((scenario) =>
    runScenario(scenario, hmacSha256)
  );

  assert.deepEqual(first, again);
  assert.notEqual(first!.digest, other!.digest);
});

Deno.test("10,000 associations set up and torn down leave nothing behind", () => {
  const network = new SimulatedNetwork({ seed: 1, mac: insecureMac });
  const segment = network.addSegment({ delayMs: 0.1 });
  const a = network.addHost([segment]), b = network.addHost([segment]);
  let messages = 0, serverDowns = 0, clientDowns = 0;
  const server = b.open({ port: 7000, listen: true }, (events) => {
    for (const event of events) {
      if (event.type === "message") messages++;
      if (event.type === "down") serverDowns++;
    }
  });
  const clients = Array.from({ length: 20 }, (_, i) => {
    let rounds = 0;
    const connect = () =>
      client.execute({
        type: "connect",
        request: ++rounds,
        addresses: ["10.1.0.2"],
        port: 7000,
        encapsulationPort: 0,
      });
    const take = (event: TransportEvent) => {
      if (event.type === "up") {
        const { association } = event;
        client.execute({ type: "send", association, data: new Uint8Array(10), ppid: 0 });
        client.execute({ type: "shutdown", association });
      } else if (event.type === "down") {
        assert.equal(event.reason, "shutdown");
        clientDowns++;
        if (rounds < 500) connect();
      }
    };
    const client = a.open({ port: 8000 + i }, (events) => events.forEach(take));
    connect();
    return client;
  });

  assert.ok(network.runUntil(() => clientDowns === 10_000 && serverDowns === 10_000, 3_600_000));

  assert.equal(messages, 10_000);
  for (const { counters } of [a.stack, b.stack]) {
    assert.deepEqual([counters.associationsUp, counters.associationsDown], [10_000, 10_000]);
  }
  assert.equal(a.stack.nextTimeout(), undefined);
  assert.equal(b.stack.nextTimeout(), undefined);
  for (const endpoint of [...clients, server]) endpoint.close();
  assert.ok(network.runUntil(() => server.closed && clients.every(({ closed }) => closed), 10_000));
});
