import { Prng } from "../../machine.ts";
import type { Instant } from "../../net.ts";
import { PolicyType } from "../../param/policy.ts";
import { PoolWorld, Troublemaker, WorldViolation } from "../pool/mod.ts";
import type { WorldApplication } from "../pool/mod.ts";
import type { Workload, WorkloadMaker } from "./workload.ts";

/** Mean time between two faults. */
const FAULT_INTERVAL_MS = 5000;

/** Trouble and peace take turns, until all is done. */
const MAX_TROUBLE_MS = 60_000, PEACE_MS = 60_000;

/**
 * In peace something of the work is done within this time, whatever was before: registrars settle, elements register, the
 * longest waits of users are over, and a job that was begun anew is through.
 */
const PROGRESS_MS = 150_000;

/** After so many troubles a world is left in peace for good. */
const TROUBLES = 8;

/** All is done then: a world that takes longer hangs. */
const LIMIT_MS = 3_600_000;

/** How large these worlds are. */
const REGISTRARS = 3, ELEMENTS = 4, USERS = 4;

/** What happened in a world of sessions. */
export interface SessionWorldResult {
  readonly seed: number;
  readonly faults: number;
  readonly failovers: number;
  readonly done: number;
  /** Virtual time until all was done. */
  readonly durationMs: number;
}

/**
 * Runs an application in a world that is disturbed again and again: registrars, elements and ways fail. The workload sees
 * that nothing is lost; here it is seen that the work goes on whenever there is peace, and comes to its end.
 *
 * @param note gets a line for every fault
 * @throws {WorldViolation} when a rule is broken; whatever a machine throws, too
 */
export function runSessionWorld(
  seed: number,
  make: WorkloadMaker,
  note: (line: string) => void = () => {},
): SessionWorldResult {
  const random = new Prng(seed ^ 0x5e5510);
  let now: () => Instant = () => 0;
  const violated = (sentence: string) => {
    throw new WorldViolation(now(), sentence);
  };
  const workload = make({ random: new Prng(seed ^ 0xb0b), now: () => now(), violated }, USERS);
  const world = makeWorld(seed, random, workload);
  now = () => world.now;
  const { network } = world;
  const trouble = new Troublemaker(world, random);
  const say = (text: string) => note(`${(now() / 1000).toFixed(3)} ${text}`);
  let faults = 0;
  world.startAll(5000);
  for (let times = 0; times < TROUBLES && !isDone(workload); times++) {
    network.run(PEACE_MS * random.uniform());
    for (const end = now() + MAX_TROUBLE_MS * random.uniform(); now() < end; faults++) {
      network.run(2 * FAULT_INTERVAL_MS * random.uniform());
      say(`* ${random.chance(0.5) ? strikeServer(trouble) : trouble.strike()}`);
    }
    trouble.healAll();
    for (const element of world.elements) world.startElement(element);
    say(`* everything is mended, ${workload.done} of ${workload.total} are done`);
    const before = workload.done;
    if (!network.runUntil(() => workload.done > before || isDone(workload), PROGRESS_MS)) {
      violated("there is peace, and nothing goes on");
    }
  }
  if (!network.runUntil(() => isDone(workload), LIMIT_MS)) {
    violated(`there is peace, and only ${workload.done} of ${workload.total} were done`);
  }
  say("* all is done");
  return { seed, faults, failovers: workload.failovers, done: workload.done, durationMs: now() };
}

/** What sessions feel most: a server ends, and another program comes in its place. */
function strikeServer(trouble: Troublemaker): string {
  const element = trouble.element();
  if (element === undefined) return trouble.strike();
  const how = trouble.pick(["stop", "abort", "power"] as const) ?? "abort";
  trouble.world.end(element, how);
  trouble.mendLater(() => trouble.world.startElement(element), trouble.duration(20_000));
  return `${element.name} ends (${how})`;
}

function isDone({ done, total }: Workload): boolean {
  return done >= total;
}

function makeWorld(seed: number, random: Prng, application: WorldApplication): PoolWorld {
  return new PoolWorld({
    seed,
    registrars: 1 + random.below(REGISTRARS),
    elements: 2 + random.below(ELEMENTS - 1),
    users: USERS,
    policies: [{ name: "RoundRobin", type: PolicyType.RoundRobin }],
    clockDrift: random.chance(0.3) ? 0.02 : 0,
    multicast: random.chance(0.8),
    application: {
      sessions: application.sessions,
      client: application.client,
      server: (options) => application.server({ ...options, businessCards: seed % 2 === 0 }),
    },
  });
}
