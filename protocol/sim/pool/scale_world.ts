import type { Instant } from "../../net.ts";
import { encodeText } from "../../wire/mod.ts";
import { Puppeteer } from "./puppets.ts";
import type { Puppet, PuppeteerInput } from "./puppets.ts";
import type { NetworkEffect } from "../../net.ts";
import { ASAP_PORT, PoolWorld } from "./world.ts";
import type { RegistrarActor } from "./world.ts";

/** Elements that share a program and an association: less than a registrar's limit. */
const PUPPETS_EACH = 100;

/** How long anything of this may take, in virtual milliseconds. */
const LIMIT_MS = 600_000;

/** How often it is looked at whether it is done. */
const LOOK_MS = 500;

/** How large. */
export interface ScaleOptions {
  readonly seed: number;
  readonly registrars: number;
  readonly elements: number;
  readonly pools: number;
}

/** One part of what happens, with what it cost. */
export interface ScalePhase {
  readonly name: string;
  readonly ok: boolean;
  /** Virtual time that it took. */
  readonly virtualMs: number;
  readonly messages: number;
}

/** A world of puppets: it synchronises, loses a registrar, and gets a new one. */
export class ScaleWorld {
  readonly world: PoolWorld;
  readonly #options: ScaleOptions;
  readonly #puppeteers: Puppeteer[] = [];
  #messages = 0;

  /** @param options how large */
  constructor(options: ScaleOptions) {
    this.#options = options;
    const { seed, registrars, elements, pools } = options;
    this.world = new PoolWorld({
      seed,
      registrars: registrars + 1, // the last one joins at the end
      elements: 0,
      users: 0,
      policies: [{ name: "RoundRobin", type: 1 }],
      registrarOptions: { maxElements: 2 * elements, maxPools: 2 * pools },
    });
    this.world.network.observer = { onMessage: () => this.#messages++ };
  }

  /** Starts all registrars but a spare one, then all elements, and waits until everybody knows everything. */
  synchronize(): ScalePhase {
    const { world } = this;
    for (const registrar of world.registrars.slice(0, -1)) world.startRegistrar(registrar);
    world.network.run(10_000);
    return this.#phase("registration", () => this.#startElements(), () => this.#agreed());
  }

  /** A registrar loses its power; another one takes over. */
  takeOver(): ScalePhase {
    const [victim] = this.world.registrars;
    return this.#phase(
      "takeover",
      () => victim === undefined || this.world.end(victim, "power"),
      () => victim !== undefined && this.#agreed() && this.#ownedBy(victim.registrarId) === 0,
    );
  }

  /** Another registrar starts, and takes everything from its mentor. */
  join(): ScalePhase {
    const newcomer = this.world.registrars.at(-1);
    return this.#phase(
      "join",
      () => newcomer === undefined || this.world.startRegistrar(newcomer),
      () => this.#agreed(),
    );
  }

  /** How long a quiet time takes, with nothing but keep-alives and registrations. */
  rest(durationMs: number): ScalePhase {
    const endsAt = this.world.now + durationMs;
    return this.#phase("rest", () => {}, () => this.world.now >= endsAt);
  }

  #startElements(): void {
    const { elements, pools } = this.#options;
    const { network } = this.world;
    const homes = this.world.registrars.slice(0, -1).map(({ host }) => ({
      address: host.addresses[0]!,
      port: ASAP_PORT,
    }));
    for (let first = 0; first < elements; first += PUPPETS_EACH) {
      const n = first / PUPPETS_EACH;
      const puppets: Puppet[] = [];
      for (let element = first; element < Math.min(first + PUPPETS_EACH, elements); element++) {
        puppets.push({
          elementId: element + 1,
          poolHandle: encodeText(`Pool${element % pools}`),
          policy: { name: "RoundRobin", type: 1 },
        });
      }
      const at = n % homes.length;
      const machine = new Puppeteer({
        puppets,
        registrars: [...homes.slice(at), ...homes.slice(0, at)],
        reregistrationIntervalMs: 30_000,
      });
      this.#puppeteers.push(machine);
      const host = network.host(`puppets ${n}`, `10.200.${n >> 8}.${n & 255}`);
      const start = () =>
        network.spawn<PuppeteerInput, NetworkEffect>(host, `puppets ${n}`, machine, {
          endpoints: { hunt: { listen: true } },
        });
      network.events.schedule(network.now + 5000 * n * PUPPETS_EACH / elements, start);
    }
  }

  /** All registrars that run know all elements, and have the same checksum for each of them. */
  #agreed(): boolean {
    const running = this.world.liveRegistrars();
    if (this.#puppeteers.length === 0) return false;
    return running.every(({ machine }) => machine!.handlespace.elementCount === this.#options.elements) &&
      running.every((owner) => running.every((other) => sameChecksum(owner, other))) &&
      running.reduce((sum, { registrarId }) => sum + this.#ownedBy(registrarId), 0) ===
        this.#options.elements;
  }

  #ownedBy(registrarId: number): number {
    const [, other] = this.world.liveRegistrars();
    return other?.machine?.handlespace.ownedCount(registrarId) ?? 0;
  }

  #phase(name: string, act: () => unknown, isDone: () => boolean): ScalePhase {
    const startedAt: Instant = this.world.now, before = this.#messages;
    act();
    let ok = false;
    while (!ok && this.world.now - startedAt < LIMIT_MS) {
      this.world.network.run(LOOK_MS);
      ok = isDone();
    }
    for (const { machine } of this.world.registrars) machine?.checkInvariants();
    return { name, ok, virtualMs: this.world.now - startedAt, messages: this.#messages - before };
  }
}

function sameChecksum(owner: RegistrarActor, other: RegistrarActor): boolean {
  const { registrarId } = owner;
  return owner.machine!.handlespace.checksum(registrarId) ===
    other.machine!.handlespace.checksum(registrarId);
}
