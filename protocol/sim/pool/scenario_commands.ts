import type { SimulatedComputer } from "./host.ts";
import { convergenceComplaints, homesOf } from "./convergence.ts";
import { parseTime } from "./scenario_time.ts";
import type { WorldChecker } from "./checker.ts";
import { LOCAL_NETWORK } from "./ways.ts";
import type { Actor, ElementActor, PoolWorld, RegistrarActor } from "./world.ts";

/** What a scenario runs in. */
export interface ScenarioStage {
  readonly world: PoolWorld;
  readonly checker: WorldChecker;
}

/** Something to do, or to expect: an expectation gives what is wrong. */
export type ScenarioAction = (stage: ScenarioStage) => string | undefined;

/** A command of the language. */
export interface ScenarioCommand {
  /** As people write it, with words in capitals for what varies. */
  readonly form: string;
  readonly pattern: RegExp;
  /** @throws {TypeError} with a clause, when the words are wrong */
  readonly make: (words: readonly string[]) => ScenarioAction;
}

/** WHO: `registrar 2`, `registrars`, `elements 1-3`, `registrar 1, element 2`, `everybody`. */
const WHO = "(everybody|[a-z]+(?: [0-9,-]+)?(?:, ?[a-z]+(?: [0-9-]+)?)*)";
const ONE = "([a-z]+ \\d+)";
const TIME = "([0-9.]+(?:ms|s|min))";

/** Every command. */
export const SCENARIO_COMMANDS: readonly ScenarioCommand[] = [
  command("start WHO", `start ${WHO}`, ([who]) => each(who, start)),
  command("stop WHO", `stop ${WHO}`, ([who]) => each(who, (stage, actor) => end(stage, actor, "stop"))),
  command("crash WHO", `crash ${WHO}`, ([who]) => each(who, (stage, actor) => end(stage, actor, "abort"))),
  command(
    "power off WHO",
    `power off ${WHO}`,
    ([who]) => each(who, (stage, actor) => end(stage, actor, "power")),
  ),
  command(
    "cut ONE -> ONE",
    `cut ${ONE} -> ${ONE}`,
    ([from, to]) => pair(from, to, ({ world: { network } }, a, b) => network.cut(a, b)),
  ),
  command(
    "cut ONE <-> ONE",
    `cut ${ONE} <-> ${ONE}`,
    ([from, to]) =>
      pair(from, to, ({ world: { network } }, a, b) => {
        network.cut(a, b);
        network.cut(b, a);
      }),
  ),
  command("divide WHO | WHO", `divide ${WHO} \\| ${WHO}`, ([one, other]) => divide(one, other)),
  command("heal", "heal", () => (stage) => heal(stage)),
  command(
    "lose N %",
    "lose (\\d+) %",
    ([share]) => conditions((usual) => ({ ...usual, loss: Number(share) / 100 })),
  ),
  command(
    "delay TIME",
    `delay ${TIME}`,
    ([delay]) => conditions((usual) => ({ ...usual, delayMs: milliseconds(delay) })),
  ),
  command("pause WHO for TIME", `pause ${WHO} for ${TIME}`, ([who, time]) => pause(who, milliseconds(time))),
  command(
    "slow WHO to TIME",
    `slow ${WHO} to ${TIME}`,
    ([who, time]) =>
      each(who, (_stage, { program }) => {
        if (program !== undefined) program.costMs = milliseconds(time);
      }),
  ),
  command("demand service", "demand service", () => ({ checker }) => {
    checker.calm = true;
    return undefined;
  }),
  command("excuse failures", "excuse failures", () => ({ checker }) => {
    checker.calm = false;
    return undefined;
  }),
  command("expect settled", "expect settled", () => ({ world }) => {
    const complaints = convergenceComplaints(world);
    return complaints.length === 0 ? undefined : complaints.join("; ");
  }),
  command(
    "expect REGISTRAR owns N elements",
    `expect ${ONE} owns (\\d+) elements?`,
    ([who, count]) =>
      counted(
        who,
        count,
        "owns",
        "elements",
        ({ machine, registrarId }) => machine?.handlespace.ownedCount(registrarId),
      ),
  ),
  command(
    "expect REGISTRAR knows N elements",
    `expect ${ONE} knows (\\d+) elements?`,
    ([who, count]) =>
      counted(who, count, "knows", "elements", ({ machine }) => machine?.handlespace.elementCount),
  ),
  command(
    "expect REGISTRAR has N peers",
    `expect ${ONE} has (\\d+) peers?`,
    ([who, count]) =>
      counted(who, count, "has", "peers", ({ machine }) => machine && [...machine.peers.identified()].length),
  ),
  command("expect ELEMENT at REGISTRAR", `expect ${ONE} at ${ONE}`, ([who, where]) => expectHome(who, where)),
  command("expect ELEMENT gone", `expect ${ONE} gone`, ([who]) => ({ world }) => {
    const element = elementOf(world, who);
    const knowing = world.liveRegistrars().filter(({ machine }) =>
      machine?.handlespace.find(element.poolHandle, element.elementId) !== undefined
    );
    return knowing.length === 0 ? undefined : `${knowing.map(({ name }) => name).join(", ")} still know it`;
  }),
];

/** The action that a command line asks for; undefined = no command is written so. */
export function findCommand(text: string): ScenarioAction | undefined {
  for (const { pattern, make } of SCENARIO_COMMANDS) {
    const match = pattern.exec(text);
    if (match !== null) return make(match.slice(1));
  }
  return undefined;
}

function command(form: string, pattern: string, make: ScenarioCommand["make"]): ScenarioCommand {
  return { form, pattern: new RegExp(`^${pattern}$`), make };
}

function milliseconds(text: string | undefined): number {
  return parseTime(text ?? "") ?? 0; // the pattern has seen to it
}

/** Everybody that a list names. */
function actorsOf(world: PoolWorld, who: string | undefined): Actor[] {
  const everybody = { registrar: world.registrars, element: world.elements, user: world.users };
  if (who === "everybody") return Object.values(everybody).flat();
  const actors: Actor[] = [];
  for (const item of (who ?? "").split(/, ?/)) {
    const match = /^(registrar|element|user)s?(?: (\d+)(?:-(\d+))?)?$/.exec(item);
    if (match === null) throw new TypeError(`"${item}" is nobody`);
    const kind: readonly Actor[] = everybody[match[1] as keyof typeof everybody];
    const first = Number(match[2] ?? 1);
    const last = Number(match[3] ?? match[2] ?? kind.length);
    if (first < 1 || last > kind.length) throw new TypeError(`there is no ${item}`);
    actors.push(...kind.slice(first - 1, last));
  }
  return actors;
}

function oneOf(world: PoolWorld, who: string | undefined): Actor {
  const [actor] = actorsOf(world, who);
  if (actor === undefined) throw new TypeError(`"${who}" is nobody`);
  return actor;
}

function registrarOf(world: PoolWorld, who: string | undefined): RegistrarActor {
  const actor = oneOf(world, who);
  if (actor.kind !== "registrar") throw new TypeError(`${actor.name} is no registrar`);
  return actor;
}

function elementOf(world: PoolWorld, who: string | undefined): ElementActor {
  const actor = oneOf(world, who);
  if (actor.kind !== "element") throw new TypeError(`${actor.name} is no element`);
  return actor;
}

function each(who: string | undefined, act: (stage: ScenarioStage, actor: Actor) => void): ScenarioAction {
  return (stage) => {
    for (const actor of actorsOf(stage.world, who)) act(stage, actor);
    return undefined;
  };
}

function pair(
  one: string | undefined,
  other: string | undefined,
  act: (stage: ScenarioStage, one: SimulatedComputer, other: SimulatedComputer) => void,
): ScenarioAction {
  return (stage) => {
    act(stage, oneOf(stage.world, one).host, oneOf(stage.world, other).host);
    return undefined;
  };
}

function start({ world }: ScenarioStage, actor: Actor): void {
  if (actor.kind === "registrar") world.startRegistrar(actor);
  else if (actor.kind === "element") world.startElement(actor);
  else world.startUser(actor);
}

function end({ world }: ScenarioStage, actor: Actor, how: "stop" | "abort" | "power"): void {
  if (actor.kind === "user") throw new TypeError("users are not ended");
  world.end(actor, how);
}

function divide(one: string | undefined, other: string | undefined): ScenarioAction {
  return ({ world }) => {
    for (const a of actorsOf(world, one)) {
      for (const b of actorsOf(world, other)) {
        world.network.cut(a.host, b.host);
        world.network.cut(b.host, a.host);
      }
    }
    return undefined;
  };
}

function heal({ world }: ScenarioStage): undefined {
  world.network.ways.heal();
  world.network.ways.usual = LOCAL_NETWORK;
  for (const program of world.network.programs()) {
    program.resume();
    program.costMs = 0;
  }
}

function conditions(change: (usual: typeof LOCAL_NETWORK) => typeof LOCAL_NETWORK): ScenarioAction {
  return ({ world: { network: { ways } } }) => {
    ways.usual = change(ways.usual);
    return undefined;
  };
}

function pause(who: string | undefined, forMs: number): ScenarioAction {
  return each(who, ({ world: { network: { events } } }, { program }) => {
    program?.pause();
    events.schedule(events.now + forMs, () => program?.resume());
  });
}

function counted(
  who: string | undefined,
  expected: string | undefined,
  verb: string,
  what: string,
  count: (registrar: RegistrarActor) => number | undefined,
): ScenarioAction {
  return ({ world }) => {
    const registrar = registrarOf(world, who);
    const found = count(registrar);
    return found === Number(expected) ? undefined : `${registrar.name} ${verb} ${found ?? "no"} ${what}`;
  };
}

function expectHome(who: string | undefined, where: string | undefined): ScenarioAction {
  return ({ world }) => {
    const element = elementOf(world, who), registrar = registrarOf(world, where);
    const homes = homesOf(element, world.liveRegistrars());
    const others = [...homes].filter(([, homeId]) => homeId !== registrar.registrarId).map((
      [knower, homeId],
    ) =>
      `${knower.name} has it ${
        homeId === undefined ? "not at all" : `at ${world.registrarNames.get(homeId) ?? homeId}`
      }`
    );
    return others.length === 0 ? undefined : others.join(", ");
  };
}
