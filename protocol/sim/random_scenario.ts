import type { EndpointOptions } from "../net.ts";
import { Prng } from "../machine.ts";
import type { LinkConditions } from "./link.ts";
import type { Scenario } from "./scenario.ts";
import type { TalkOptions } from "./talker.ts";

/** Quick timers, so that a scenario with many losses does not last for virtual days. */
const QUICK: EndpointOptions = {
  rto: { initialMs: 500, minMs: 200, maxMs: 4000 },
  heartbeatIntervalMs: 2000,
  associationMaxRetransmissions: 20,
  maxInitRetransmissions: 20,
};

/**
 * Makes up a scenario. What two hosts can go through is drawn from everything that {@linkcode Scenario} knows.
 *
 * @param seed the same seed gives the same scenario
 */
export function randomScenario(seed: number): Scenario {
  const prng = new Prng(seed);
  const pick = <Item>(items: readonly Item[]): Item => items[prng.below(items.length)]!;
  const sometimes = (probability: number, part: () => Partial<Scenario>) =>
    prng.chance(probability) ? part() : {};
  const link: Partial<LinkConditions> = {
    delayMs: pick([0.1, 1, 10, 50, 200]),
    jitterMs: pick([0, 0, 1, 20, 100]),
    loss: pick([0, 0, 0.01, 0.05, 0.1, 0.2, 0.3]),
    duplication: pick([0, 0, 0.01, 0.1]),
    corruption: pick([0, 0, 0.01, 0.05]),
    ...(prng.chance(0.2) ? { bitsPerSecond: pick([1e5, 1e6, 1e7]), queueOctets: pick([5000, 50_000]) } : {}),
    mtu: pick([1500, 1500, 1500, 1280, 1400, 9000]),
  };
  const mover = pick(["client", "server", "both"] as const);
  const heavy = (link.loss ?? 0) >= 0.2 || (link.bitsPerSecond ?? 1e9) < 1e6;
  const talk = (): TalkOptions => {
    const maxOctets = pick(heavy ? [1, 50, 1000, 5000] : [1, 100, 2000, 20_000, 100_000]);
    const octets = heavy ? 100_000 : 1_500_000;
    return {
      messages: Math.max(5, Math.min(pick([10, 100, 300]), Math.floor(octets / maxOctets))),
      minOctets: 1,
      maxOctets,
      streams: pick([1, 1, 3, 10]),
      unordered: pick([0, 0, 0.3, 1]),
      intervalMs: pick([0, 0, 0, 5, 100]),
      shutdown: pick(["sent", "both", "never"] as const),
      ...(prng.chance(0.25)
        ? { readOctetsPerSecond: pick([20_000, 200_000, 2_000_000]), readPauseMs: pick([0, 1000, 20_000]) }
        : {}),
    };
  };
  const limited = (): TalkOptions => prng.chance(0.4) ? { limited: pick([0.1, 0.5, 1]) } : {};
  const scheduled = (): TalkOptions =>
    prng.chance(0.4) ? { scheduler: pick(["rr", "prio", "fc", "wfq"]) } : {};
  const authenticated = prng.chance(0.4), dynamic = authenticated && prng.chance(0.7);
  const guarded = (): TalkOptions =>
    authenticated && prng.chance(0.5)
      ? { authenticated: pick([[0, 64], [0x80, 0x82], [3, 4, 5], [6, 10, 192]]) }
      : {};
  const reconfigures = prng.chance(0.25);
  const reconfiguring = (): TalkOptions => reconfigures ? { reconfigureEveryMs: pick([50, 500, 3000]) } : {};
  const client = { ...talk(), ...limited(), ...scheduled(), ...guarded(), ...reconfiguring() };
  const server = prng.chance(0.7)
    ? { ...talk(), ...limited(), ...scheduled(), ...guarded(), ...reconfiguring() }
    : { messages: 0 };
  const who = () => pick(["client", "server", "both"] as const);
  return {
    seed,
    segments: pick([1, 1, 2, 2, 3]),
    families: pick(["both", "v4", "v6"] as const),
    link,
    client,
    server,
    encapsulation: pick(["auto", "raw", "udp"] as const),
    associations: pick([1, 1, 1, 3]),
    endpoint: {
      ...(heavy || prng.chance(0.8)
        ? QUICK
        : { associationMaxRetransmissions: 20, maxInitRetransmissions: 12 }),
      receiveBuffer: pick([1500, 4000, 20_000, 1 << 20]),
      sendBuffer: pick([5000, 100_000, 1 << 20]),
      sackDelayMs: pick([0, 200, 500]),
      sackFrequency: pick([1, 2, 4]),
      interleaving: prng.chance(0.4),
      senderDryEvents: prng.chance(0.3),
      authentication: authenticated,
      dynamicAddresses: dynamic,
      plpmtudProbeIntervalMs: pick([0, 0, 5000]),
    },
    clientHost: { batchMs: pick([0, 0, 1, 5]), interfaceMtu: pick([1500, 1500, 1280]) },
    serverHost: { batchMs: pick([0, 0, 1, 5]) },
    limitMs: 600_000,
    stallMs: 300_000,
    ...sometimes(0.3, () => ({
      flaps: {
        count: 5,
        firstMs: pick([0, 1000, 5000]),
        everyMs: pick([1000, 5000]),
        downMs: pick([300, 3000]),
        oneWay: prng.chance(0.5),
        all: prng.chance(0.3),
      },
    })),
    ...(dynamic
      ? sometimes(0.7, () => ({
        moves: {
          count: pick([1, 3, 10]),
          firstMs: pick([0, 500, 5000]),
          everyMs: pick([2000, 5000]),
          overlapMs: mover === "both" ? 3000 : pick([3000, 500, 0, -10, -1000]), // else they lose each other
          who: mover,
          all: prng.chance(0.3),
          peerPrimary: prng.chance(0.3),
        },
      }))
      : {}),
    ...sometimes(0.2, () => ({ backLink: { delayMs: pick([0.1, 30]), loss: pick([0, 0.05, 0.2]) } })),
    ...sometimes(0.2, () => ({ clientAddresses: pick([1, 2]) })),
    ...sometimes(0.2, () => ({ knownAddresses: 1 })),
    ...sometimes(0.2, () => ({ primaryEveryMs: pick([1000, 10_000]) })),
    ...sometimes(0.1, () => ({ simultaneousConnect: true })),
    ...sometimes(0.15, () => ({ abortAtMs: pick([50, 500, 5000]), abortBy: who() })),
    ...sometimes(0.2, () => ({ shutdownAtMs: pick([50, 500, 5000]), shutdownBy: who() })),
    ...sometimes(0.1, () => ({ crashAtMs: pick([50, 500, 5000]) })),
    ...sometimes(0.15, () => ({ freezes: { everyMs: 1000, spanMs: pick([20, 300]) } })),
  };
}
