import type { Prng } from "../../machine.ts";
import type { SimulatedComputer } from "./host.ts";
import { LOCAL_NETWORK } from "./ways.ts";
import type { ElementActor, PoolWorld, RegistrarActor, UserActor } from "./world.ts";

/** The longest that a program is stopped: longer than most time-outs. */
const MAX_PAUSE_MS = 40_000;

/** The longest that something broken stays broken before it is mended in the midst of other faults. */
const MAX_TROUBLE_MS = 60_000;

/** A kind of fault, with how often it comes beside the others. */
interface FaultKind {
  readonly weight: number;
  /** @returns what was done, in words; undefined = nothing could be done */
  readonly strike: (trouble: Troublemaker) => string | undefined;
}

/** Breaks things in a world, and mends them. */
export class Troublemaker {
  readonly world: PoolWorld;
  readonly random: Prng;
  /** What is to be mended. */
  readonly #mends = new Set<() => void>();

  /** @param random which faults, where, for how long */
  constructor(world: PoolWorld, random: Prng) {
    this.world = world;
    this.random = random;
  }

  /** Breaks something. */
  strike(): string {
    for (let tries = 0; tries < 20; tries++) {
      let ticket = this.random.below(TOTAL_WEIGHT);
      const kind = FAULTS.find(({ weight }) => (ticket -= weight) < 0);
      const told = kind?.strike(this);
      if (told !== undefined) return told;
    }
    return "nothing";
  }

  /** Mends all; at least one registrar runs. */
  healAll(): void {
    for (const mend of [...this.#mends]) mend();
    const { world } = this;
    world.network.ways.heal();
    const running = world.liveRegistrars().length;
    for (const registrar of world.registrars) {
      if (registrar.stopping) world.end(registrar, "abort");
      if (registrar.program === undefined && (running === 0 || this.random.chance(0.7))) {
        world.startRegistrar(registrar);
      }
    }
    for (const element of world.elements) {
      if (element.program === undefined && this.random.chance(0.7)) world.startElement(element);
    }
  }

  /** Something is to be mended after a while, or when everything is. */
  mendLater(mend: () => void, afterMs: number): void {
    const once = () => {
      if (this.#mends.delete(once)) mend();
    };
    this.#mends.add(once);
    this.world.network.events.schedule(this.world.now + afterMs, once);
  }

  /** How long a trouble lasts, in milliseconds. */
  duration(mostMs: number): number {
    return mostMs * this.random.uniform();
  }

  /** One of some. */
  pick<Item>(items: readonly Item[]): Item | undefined {
    return items[this.random.below(items.length)];
  }

  /** A registrar that runs. */
  registrar(): RegistrarActor | undefined {
    return this.pick(this.world.liveRegistrars());
  }

  /** An element that runs. */
  element(): ElementActor | undefined {
    return this.pick(this.world.elements.filter(({ program }) => program !== undefined));
  }

  /** Anybody, registrars most of all. */
  anybody(): RegistrarActor | ElementActor | UserActor | undefined {
    return this.random.chance(0.6)
      ? this.registrar()
      : this.pick<ElementActor | UserActor>([...this.world.elements, ...this.world.users]);
  }

  /** Cuts a way, in one direction or in both. */
  cut(from: SimulatedComputer, to: SimulatedComputer, both: boolean): void {
    const { network } = this.world;
    network.cut(from, to);
    if (both) network.cut(to, from);
    this.mendLater(() => {
      network.ways.mend(from, to);
      if (both) network.ways.mend(to, from);
    }, this.duration(MAX_TROUBLE_MS));
  }
}

/** The kinds of faults. */
const FAULTS: readonly FaultKind[] = [
  { weight: 6, strike: crashRegistrar },
  { weight: 6, strike: startSomebody },
  { weight: 6, strike: cutRegistrars },
  { weight: 2, strike: divide },
  { weight: 4, strike: cutElement },
  { weight: 6, strike: endElement },
  { weight: 4, strike: pauseSomebody },
  { weight: 3, strike: slowSomebody },
  { weight: 3, strike: lose },
  { weight: 2, strike: stopRegistrar },
  { weight: 6, strike: changeLoad },
];

const TOTAL_WEIGHT: number = FAULTS.reduce((sum, { weight }) => sum + weight, 0);

function crashRegistrar(trouble: Troublemaker): string | undefined {
  const registrar = trouble.registrar();
  if (registrar === undefined) return undefined;
  const how = trouble.random.chance(0.5) ? "abort" : "power";
  trouble.world.end(registrar, how);
  // Some come back before anybody has noticed that they were gone.
  if (trouble.random.chance(0.5)) {
    trouble.mendLater(() => trouble.world.startRegistrar(registrar), trouble.duration(30_000));
  }
  return `${registrar.name} ends (${how})`;
}

function stopRegistrar(trouble: Troublemaker): string | undefined {
  const registrar = trouble.registrar();
  if (registrar === undefined) return undefined;
  trouble.world.end(registrar, "stop");
  return `${registrar.name} is told to stop`;
}

function startSomebody(trouble: Troublemaker): string | undefined {
  const { world } = trouble;
  const gone = [...world.registrars, ...world.elements].filter(({ program }) => program === undefined);
  const actor = trouble.pick(gone);
  if (actor === undefined) return undefined;
  if (actor.kind === "registrar") world.startRegistrar(actor);
  else world.startElement(actor);
  return `${actor.name} is started`;
}

function cutRegistrars(trouble: Troublemaker): string | undefined {
  const one = trouble.registrar(), other = trouble.registrar();
  if (one === undefined || other === undefined || one === other) return undefined;
  const both = trouble.random.chance(0.5);
  trouble.cut(one.host, other.host, both);
  return `${one.name} ${both ? "and" : "to"} ${other.name}: cut`;
}

/** Everybody is on one side or on the other. */
function divide(trouble: Troublemaker): string | undefined {
  const { world, random } = trouble;
  const sides: [SimulatedComputer[], SimulatedComputer[]] = [[], []];
  for (const { host } of [...world.registrars, ...world.elements, ...world.users]) {
    sides[random.below(2)]!.push(host);
  }
  const { network } = world;
  for (const one of sides[0]) {
    for (const other of sides[1]) {
      network.ways.cut(one, other);
      network.ways.cut(other, one);
    }
  }
  for (const program of network.programs()) for (const side of program.sides.values()) side.supervise();
  trouble.mendLater(() => {
    for (const one of sides[0]) {
      for (const other of sides[1]) {
        network.ways.mend(one, other);
        network.ways.mend(other, one);
      }
    }
  }, trouble.duration(MAX_TROUBLE_MS));
  return `the network falls into parts of ${sides[0].length} and ${sides[1].length}`;
}

function cutElement(trouble: Troublemaker): string | undefined {
  const registrar = trouble.registrar();
  const somebody = trouble.pick<ElementActor | UserActor>([
    ...trouble.world.elements,
    ...trouble.world.users,
  ]);
  if (registrar === undefined || somebody === undefined) return undefined;
  const both = trouble.random.chance(0.3), there = trouble.random.chance(0.5);
  const [from, to] = there ? [registrar, somebody] : [somebody, registrar];
  trouble.cut(from.host, to.host, both);
  return `${from.name} ${both ? "and" : "to"} ${to.name}: cut`;
}

function endElement(trouble: Troublemaker): string | undefined {
  const element = trouble.element();
  if (element === undefined) return undefined;
  const how = trouble.pick(["stop", "abort", "power"] as const) ?? "stop";
  trouble.world.end(element, how);
  if (trouble.random.chance(0.5)) {
    trouble.mendLater(() => trouble.world.startElement(element), trouble.duration(30_000));
  }
  return `${element.name} ends (${how})`;
}

function pauseSomebody(trouble: Troublemaker): string | undefined {
  const program = trouble.anybody()?.program;
  if (program === undefined || program.paused) return undefined;
  program.pause();
  const forMs = trouble.duration(MAX_PAUSE_MS);
  trouble.mendLater(() => program.resume(), forMs);
  return `${program.name} stands still for ${(forMs / 1000).toFixed(1)} s`;
}

function slowSomebody(trouble: Troublemaker): string | undefined {
  const program = trouble.anybody()?.program;
  if (program === undefined || program.costMs > 0) return undefined;
  program.costMs = trouble.duration(20);
  trouble.mendLater(() => program.costMs = 0, trouble.duration(MAX_TROUBLE_MS));
  return `${program.name} takes ${program.costMs.toFixed(1)} ms for everything`;
}

/** No fault, but a change that has to find its way to all registrars. */
function changeLoad(trouble: Troublemaker): string | undefined {
  const element = trouble.element();
  if (element?.program === undefined || !("load" in element.policy)) return undefined;
  const load = trouble.random.uniform();
  element.program.input({ type: "setLoad", load });
  return `${element.name} has a load of ${load.toFixed(2)}`;
}

/** One computer's network card, or the whole network. */
function lose(trouble: Troublemaker): string | undefined {
  const { world, random } = trouble;
  const { ways } = world.network;
  const conditions = {
    delayMs: trouble.duration(200),
    jitterMs: trouble.duration(200),
    loss: 0.3 * random.uniform(),
  };
  const told = `loses ${(100 * conditions.loss).toFixed(0)} %, takes ${conditions.delayMs.toFixed(0)} ms`;
  if (random.chance(0.3)) {
    ways.usual = conditions;
    trouble.mendLater(() => ways.usual = LOCAL_NETWORK, trouble.duration(MAX_TROUBLE_MS));
    return `the network ${told}`;
  }
  const somebody = trouble.anybody();
  if (somebody === undefined) return undefined;
  const others = [...world.registrars, ...world.elements, ...world.users].filter((other) =>
    other !== somebody
  );
  for (const { host } of others) {
    ways.set(somebody.host, host, conditions);
    ways.set(host, somebody.host, conditions);
  }
  trouble.mendLater(() => {
    for (const { host } of others) {
      ways.set(somebody.host, host, undefined);
      ways.set(host, somebody.host, undefined);
    }
  }, trouble.duration(MAX_TROUBLE_MS));
  return `${somebody.name} ${told}`;
}
