/** Addresses that come and go while data flows (RFC 5061): nothing hangs, nothing is lost, nobody else moves them. */
import assert from "node:assert/strict";
import { runScenario, type Scenario } from "../../../protocol/sim/scenario.ts";
import { Prng } from "../../../protocol/machine.ts";
import type { TransportEvent } from "../../../protocol/net.ts";
import type { SimulatedHost } from "../../../protocol/sim/host.ts";
import { SimulatedNetwork } from "../../../protocol/sim/network.ts";
import { repairChecksum } from "../../../protocol/sim/wire_rules.ts";
import { hmacSha1, hmacSha256 } from "./mac.ts";

const ENDPOINT = {
  rto: { initialMs: 500, minMs: 200, maxMs: 4000 },
  heartbeatIntervalMs: 2000,
  associationMaxRetransmissions: 30,
  maxInitRetransmissions: 20,
  authentication: true,
  dynamicAddresses: true,
} as const;
const TALK = { messages: 100, maxOctets: 3000, streams: 3, intervalMs: 100, shutdown: "both" } as const;

/** Runs a scenario in which nothing may get lost. */
function complete(scenario: Omit<Scenario, "seed">, seeds: number): void {
  for (let seed = 1; seed <= seeds; seed++) {
    const result = runScenario(
      { endpoint: ENDPOINT, client: TALK, server: TALK, ...scenario, seed },
      hmacSha256,
    );
    assert.equal(result.delivered, result.sent, `seed ${seed}: ${JSON.stringify(result)}`);
    assert.equal(result.failed, 0);
    assert.deepEqual([...result.clientDown, ...result.serverDown], ["shutdown", "shutdown"], `seed ${seed}`);
  }
}

for (const loss of [0, 0.05, 0.1, 0.2, 0.3]) {
  for (const who of ["client", "server"] as const) {
    Deno.test(`the ${who} moves to new addresses while data flows, at a loss of ${loss * 100} %`, () => {
      const moves = { count: 4, firstMs: 1000, everyMs: 3000, overlapMs: 1500, who };
      complete({ segments: 2, link: { loss, delayMs: 5 }, moves }, 4);
    });
  }
}

Deno.test("a host that changes its only network goes on when it has the new one, however long that takes", () => {
  for (const overlapMs of [2000, 0, -20, -300, -3000]) {
    for (const families of ["v4", "v6", "both"] as const) {
      const moves = { count: 3, firstMs: 500, everyMs: 8000, overlapMs, all: true };
      complete({ families, link: { delayMs: 5, loss: 0.05 }, moves }, 2);
    }
  }
});

Deno.test("a server that changes its only network is found by its client", () => {
  for (const overlapMs of [2000, 0, -300, -3000]) {
    const moves = { count: 3, firstMs: 500, everyMs: 8000, overlapMs, all: true, who: "server" } as const;
    complete({ link: { delayMs: 5, loss: 0.05 }, moves }, 3);
  }
});

for (const loss of [0, 0.1, 0.3]) {
  Deno.test(`both sides move at once, at a loss of ${loss * 100} %`, () => {
    const moves = { count: 2, firstMs: 4000, everyMs: 5000, overlapMs: 4000, who: "both" } as const;
    complete({ segments: 2, link: { delayMs: 5, loss }, moves }, 4);
    complete({ segments: 1, link: { delayMs: 5, loss }, moves }, 4);
  });
}

Deno.test("both sides change one of two networks without a moment of overlap", () => {
  const moves = { count: 4, firstMs: 1000, everyMs: 5000, overlapMs: 0, who: "both" } as const;
  complete({ segments: 2, families: "v4", link: { delayMs: 5, loss: 0.02 }, moves }, 5);
});

Deno.test("endpoints that are bound to some addresses move by adding and removing them", () => {
  const moves = { count: 3, firstMs: 500, everyMs: 4000, overlapMs: 1000, all: true } as const;
  complete({ segments: 2, clientAddresses: 4, link: { delayMs: 5, loss: 0.05 }, moves }, 4);
});

Deno.test("the peer follows when it is asked for a new primary path", () => {
  const moves = { count: 4, firstMs: 500, everyMs: 2000, overlapMs: 1000, peerPrimary: true } as const;
  for (const loss of [0, 0.2]) complete({ segments: 2, link: { delayMs: 5, loss }, moves }, 4);
});

Deno.test("hosts move with many authenticated chunk types, interleaving and path MTU probes", () => {
  const moves = { count: 3, firstMs: 500, everyMs: 4000, overlapMs: 1500, who: "both" } as const;
  const talk = { ...TALK, authenticated: [0, 3, 4, 5, 64, 130], maxOctets: 10_000 };
  const endpoint = { ...ENDPOINT, interleaving: true, plpmtudProbeIntervalMs: 5000 };
  complete({ segments: 2, link: { delayMs: 5, loss: 0.1 }, endpoint, client: talk, server: talk, moves }, 4);
});

Deno.test("three associations of one host move together", () => {
  const moves = { count: 3, firstMs: 500, everyMs: 4000, overlapMs: 500 } as const;
  for (let seed = 1; seed <= 3; seed++) {
    const result = runScenario(
      {
        seed,
        segments: 2,
        associations: 3,
        link: { delayMs: 5, loss: 0.1 },
        endpoint: ENDPOINT,
        client: TALK,
        moves,
      },
      hmacSha256,
    );
    assert.deepEqual([result.delivered, result.failed], [300, 0]);
  }
});

Deno.test("addresses that change during the handshake are told as soon as the association is up", () => {
  const moves = { count: 1, firstMs: 12, everyMs: 1, overlapMs: 5000, all: true } as const;
  for (const who of ["client", "server"] as const) {
    complete({ link: { delayMs: 10, loss: 0.05 }, moves: { ...moves, who } }, 4);
  }
});

Deno.test("an attacker with the right tag and without the key moves nobody", () => {
  for (let seed = 1; seed <= 5; seed++) {
    const network = new SimulatedNetwork({ seed, mac: hmacSha256, macSha1: hmacSha1 });
    const segments = [network.addSegment({ delayMs: 5 }, "v4")];
    const [client, server, attacker] = [1, 2, 3].map(() => network.addHost(segments)) as [
      SimulatedHost,
      SimulatedHost,
      SimulatedHost,
    ];
    const events: TransportEvent[] = [];
    const take = (batch: readonly TransportEvent[]) => void events.push(...batch);
    const options = { authentication: true, dynamicAddresses: true, plpmtudProbeIntervalMs: 0 };
    const listener = server.open({ ...options, port: 7000, listen: true }, take);
    const caller = client.open({ ...options, port: 8000 }, take);
    const tags = new Map<string, Uint8Array>();
    network.observe((packet) => tags.set(packet.destination, packet.octets.slice(0, 12)));
    caller.execute({
      type: "connect",
      request: 1,
      addresses: server.addresses,
      port: 7000,
      encapsulationPort: 0,
    });
    network.run(1000);
    const ups = events.filter((event) => event.type === "up");
    const paths = () => [caller, listener].map((one, i) => one.status(ups[i]!.association)!.paths);
    const before = paths().map((list) => list.map(({ address, primary }) => [address, primary]));

    const prng = new Prng(seed);
    for (const victim of [client, server]) {
      const header = tags.get(victim.addresses[0]!)!;
      for (let i = 0; i < 200; i++) {
        const octets = forgery(header, prng, attacker.addresses[0]!);
        const source = prng.chance(0.5)
          ? attacker.addresses[0]!
          : (victim === client ? server : client).addresses[0]!;
        victim.accept({ source, destination: victim.addresses[0]!, udpSource: 0, udpDestination: 0, octets });
        network.run(10);
      }
    }

    assert.equal(ups.length, 2);
    assert.deepEqual(paths().map((list) => list.map(({ address, primary }) => [address, primary])), before);
    assert.deepEqual(events.filter((event) => event.type === "down" || event.type === "path"), []);
  }
});

/** ASCONF or ASCONF-ACK, with or without an AUTH chunk of a key that is not known. */
function forgery(header: Uint8Array, prng: Prng, address: string): Uint8Array {
  const parameter = [0, 5, 0, 8, ...address.split(".").map(Number)];
  const serial = Array.from({ length: 4 }, () => prng.below(256));
  const type = [1, 2, 4][prng.below(3)]!; // add, delete, set primary
  const asconf = [...serial, ...parameter, 0xc0, type, 0, 16, 0, 0, 0, 1, ...parameter];
  const body = prng.chance(0.3) ? [0x80, 0, 0, 8, ...serial] : [0xc1, 0, 0, 4 + asconf.length, ...asconf];
  const hmac = Array.from({ length: 32 }, () => prng.below(256));
  const auth = prng.chance(0.5) ? [15, 0, 0, 40, 0, 0, 0, 3, ...hmac] : [];
  const octets = Uint8Array.from([...header, ...auth, ...body]);
  repairChecksum(octets);
  return octets;
}
