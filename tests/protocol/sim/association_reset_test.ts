/** Association resets (RFC 6525 §5.1.4) of two stacks: what was said before and after them arrives in order. */
import assert from "node:assert/strict";
import type { TransportEvent } from "../../../protocol/net.ts";
import { SimulatedNetwork } from "../../../protocol/sim/network.ts";
import { insecureMac } from "./mac.ts";

const MESSAGES = 20, ROUNDS = 3;

for (const interleaving of [false, true]) {
  for (const loss of [0, 0.1]) {
    const how = `${interleaving ? "with" : "without"} interleaving, at a loss of ${loss * 100} %`;
    Deno.test(`association resets that cross, ${how}, lose nothing and reorder nothing`, () => {
      for (let seed = 1; seed <= 5; seed++) {
        const network = new SimulatedNetwork({ seed, mac: insecureMac });
        const segments = [network.addSegment({ delayMs: 10, loss })];
        const hosts = [network.addHost(segments), network.addHost(segments)];
        const events: TransportEvent[][] = [[], []];
        const options = {
          interleaving,
          associationMaxRetransmissions: 50,
          rto: { initialMs: 500, minMs: 200, maxMs: 1000 },
        };
        const sides = hosts.map((host, i) =>
          host.open(
            { ...options, port: 7000 + i, listen: i === 1 },
            (batch) => void events[i]!.push(...batch),
          )
        );
        const [addresses] = [hosts[1]!.addresses];
        sides[0]!.execute({ type: "connect", request: 1, addresses, port: 7001, encapsulationPort: 0 });
        network.runUntil(() => events.every((list) => list.some(({ type }) => type === "up")), 60_000);
        const ids = events.map((list) => list.find((event) => event.type === "up")!.association);

        for (let round = 0; round < ROUNDS; round++) {
          sides.forEach((side, i) => {
            for (let n = 0; n < MESSAGES; n++) {
              const data = new Uint8Array(5000).fill(round * MESSAGES + n);
              side.execute({ type: "send", association: ids[i]!, data, ppid: 0, stream: n % 3 });
            }
          });
          network.run(50); // messages are half received by now
          sides.forEach((side, i) => side.execute({ type: "resetAssociation", association: ids[i]! }));
          network.run(60_000);
        }

        sides[0]!.execute({ type: "resetAssociation", association: ids[0]! });
        network.run(60_000);

        for (const list of events) {
          assert.deepEqual(list.filter(({ type }) => type === "down"), [], `seed ${seed}`);
          const resets = list.filter((event) => event.type === "associationReset");
          // Requests that truly cross fail on both sides (§5.2.1, result 4), and everybody is told; one alone succeeds.
          assert.ok(resets.length > ROUNDS, JSON.stringify(resets));
          assert.equal(resets.at(-1)!.outcome, "performed");
          for (const stream of [0, 1, 2]) {
            const said = list.flatMap((event) =>
              event.type === "message" && event.stream === stream ? [event.data[0]!] : []
            );
            const expected = Array.from({ length: ROUNDS * MESSAGES }, (_, n) => n)
              .filter((n) => n % MESSAGES % 3 === stream);
            assert.deepEqual(said, expected, `seed ${seed}`);
          }
        }
      }
    });
  }
}
