import { Prng } from "../../machine.ts";
import { PolicyType } from "../../param/policy.ts";
import type { PolicyParameter } from "../../param/policy.ts";
import { findPolicy } from "../../policy/mod.ts";
import { RFC_TIMES, RSPLIB_TIMES } from "../../registrar/mod.ts";
import type { RegistrarTimes } from "../../registrar/mod.ts";
import { WorldChecker } from "./checker.ts";
import { convergenceComplaints } from "./convergence.ts";
import { Troublemaker } from "./faults.ts";
import { PoolWorld } from "./world.ts";
import type { PoolWorldOptions } from "./world.ts";
import { worldTrace } from "./world_trace.ts";

/** The structures are checked so often, in virtual milliseconds. */
const CHECK_INTERVAL_MS = 20_000;

/** How often a world is looked at while it settles. */
const SETTLED_INTERVAL_MS = 2000;

/** How long news take in a quiet network; an element that stops may wait for its sessions first. */
const NEWS_MS = 3000;

/** A hunt may begin with a connect to a registrar that is gone. */
const CONNECT_MS = 10_000;

/** How long a settled world is watched before it is disturbed again. */
const CALM_MS = 30_000;

/** The longest time of faults between two times of peace. */
const MAX_TROUBLE_MS = 180_000;

/** Mean time between two faults. */
const FAULT_INTERVAL_MS = 8000;

/** How large random worlds are, and how long they last. */
export interface RandomWorldSize {
  readonly registrars: number;
  readonly elements: number;
  readonly users: number;
  readonly durationMs: number;
}

/** What the soak wants: an hour of 5 registrars and 200 elements. */
export const HOUR_WORLD: RandomWorldSize = { registrars: 5, elements: 200, users: 20, durationMs: 3_600_000 };

/** What happened in a random world. */
export interface RandomWorldResult {
  readonly seed: number;
  readonly faults: number;
  /** How often the world was left in peace, settled, and was found in order. */
  readonly settled: number;
  /** The longest time from the end of the faults until all was in order, in virtual milliseconds. */
  readonly slowestSettleMs: number;
  readonly messages: number;
  readonly resolutions: number;
  readonly calmAnswers: number;
  readonly takeovers: number;
  readonly synchronizations: number;
}

/** A world's options by its seed. */
export function randomWorldOptions(seed: number, size: RandomWorldSize): PoolWorldOptions {
  const random = new Prng(seed ^ 0x0b5e55ed);
  const announceIntervalMs = 4000 + 6000 * random.uniform();
  const times: RegistrarTimes = random.chance(0.15)
    ? { ...RFC_TIMES, announceIntervalMs }
    : { ...RSPLIB_TIMES, announceIntervalMs, keepAliveIntervalMs: 5000 + 10_000 * random.uniform() };
  const pools = 1 + random.below(4);
  return {
    seed,
    registrars: size.registrars,
    elements: size.elements,
    users: size.users,
    policies: Array.from({ length: pools }, () => randomPolicy(random)),
    registrarOptions: { ...times, takeoverSuggestion: random.chance(0.3) },
    hunt: { announceLifeMs: 5 * announceIntervalMs },
    reregistrationIntervalMs: random.chance(0.5) ? 30_000 : 10_000 + random.below(50_000),
    clockDrift: random.chance(0.3) ? 0.05 * random.uniform() : 0,
    freshIds: random.chance(0.7),
    items: random.chance(0.7) ? 1 : 1 + random.below(5),
    multicast: random.chance(0.8),
    rsplibLike: random.chance(0.2) ? random.below(size.registrars) : 0,
  };
}

/**
 * In a quiet network the news of an element is with every registrar at once, without a table: it leaves in order or dies,
 * and comes again.
 */
function gentleChanges(
  world: PoolWorld,
  checker: WorldChecker,
  trouble: Troublemaker,
  say: (text: string) => void,
): void {
  const element = trouble.element();
  if (element === undefined) return;
  const before = synchronizationsOf(world);
  const how = trouble.random.chance(0.5) ? "stop" : "abort";
  say(`* ${element.name} ends (${how}), and nothing else`);
  world.end(element, how);
  world.network.run(NEWS_MS);
  checker.settled();
  world.startElement(element);
  say(`* ${element.name} is started, and nothing else`);
  const announceMs = world.options.registrarOptions?.announceIntervalMs ?? 0;
  world.network.run(1.5 * announceMs + CONNECT_MS + NEWS_MS);
  checker.settled();
  if (synchronizationsOf(world) > before) {
    checker.complain("a table was asked for where updates told everything");
  }
}

function synchronizationsOf({ registrars }: PoolWorld): number {
  return registrars.reduce((sum, { machine }) => sum + (machine?.statistics.synchronizations ?? 0), 0);
}

function randomPolicy(random: Prng): PolicyParameter {
  const known = [
    { name: "RoundRobin", type: PolicyType.RoundRobin },
    { name: "WeightedRoundRobin", type: PolicyType.WeightedRoundRobin, weight: 1 + random.below(5) },
    { name: "Random", type: PolicyType.Random },
    { name: "WeightedRandom", type: PolicyType.WeightedRandom, weight: 1 + random.below(5) },
    { name: "Priority", type: PolicyType.Priority, priority: random.below(5) },
    { name: "LeastUsed", type: PolicyType.LeastUsed, load: 0 },
    {
      name: "LeastUsedDegradation",
      type: PolicyType.LeastUsedDegradation,
      load: 0,
      loadDegradation: 1 << 24,
    },
  ] as const satisfies readonly PolicyParameter[];
  const usable = known.filter(({ type }) => findPolicy(type) !== undefined);
  return usable[random.below(usable.length)]!;
}

/**
 * Runs a world that is disturbed again and again, and left in peace in between; its checkers watch.
 *
 * @param note gets a line for every fault
 * @param trace whether it gets what the machines tell, too
 * @throws {WorldViolation} when a rule is broken; whatever a machine throws, too
 */
export function runRandomWorld(
  seed: number,
  size: RandomWorldSize = HOUR_WORLD,
  note: (line: string) => void = () => {},
  trace = false,
): RandomWorldResult {
  const options = randomWorldOptions(seed, size);
  const world = new PoolWorld(options);
  const random = new Prng(seed ^ 0x7407b1e);
  const trouble = new Troublemaker(world, random);
  const say = (text: string) => note(`${(world.now / 1000).toFixed(3)} ${text}`);
  const checker = new WorldChecker(world, trace ? worldTrace(world, say) : {});
  let faults = 0, slowestSettleMs = 0;
  const pass = (durationMs: number) => {
    for (let left = durationMs; left > 0; left -= CHECK_INTERVAL_MS) {
      world.network.run(Math.min(left, CHECK_INTERVAL_MS));
      checker.check();
    }
  };
  world.startAll(20_000);
  pass(20_000);
  for (let first = true; world.now < size.durationMs || first; first = false) {
    if (!first) {
      const troubleEnds = world.now + MAX_TROUBLE_MS * random.uniform();
      while (world.now < troubleEnds) {
        pass(2 * FAULT_INTERVAL_MS * random.uniform());
        say(`* ${trouble.strike()}`);
        faults++;
      }
      trouble.healAll();
      say("* everything is mended");
    }
    const mendedAt = world.now;
    let settledAt: number | undefined;
    while (world.now < mendedAt + checker.bounds.settleMs) {
      world.network.run(SETTLED_INTERVAL_MS);
      settledAt = convergenceComplaints(world).length > 0 ? undefined : settledAt ?? world.now;
    }
    checker.settled();
    slowestSettleMs = Math.max(slowestSettleMs, (settledAt ?? world.now) - mendedAt);
    say("* settled");
    checker.calm = true;
    pass(CALM_MS);
    checker.settled();
    checker.calm = false;
    gentleChanges(world, checker, trouble, say);
  }
  const { messages, resolutions, calmAnswers, settled } = checker.counts;
  const synchronizations = synchronizationsOf(world);
  let takeovers = 0;
  for (const { machine } of world.registrars) takeovers += machine?.statistics.takeoversCompleted ?? 0;
  return {
    seed,
    faults,
    slowestSettleMs,
    settled,
    messages,
    resolutions,
    calmAnswers,
    takeovers,
    synchronizations,
  };
}
