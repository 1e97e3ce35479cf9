import { Prng } from "../../machine.ts";
import type { Machine } from "../../machine.ts";
import { transportAddresses } from "../../net.ts";
import type { Instant, IpAddress } from "../../net.ts";
import type { PolicyParameter } from "../../param/policy.ts";
import type { PoolHandle } from "../../param/pool_handle.ts";
import { Registrar } from "../../registrar/mod.ts";
import type {
  RegistrarEffect,
  RegistrarInput,
  RegistrarOptions,
  RegistrarReport,
} from "../../registrar/mod.ts";
import { ServiceHost, sessionClientEndpoints } from "../../session/mod.ts";
import type {
  ServiceHostEffect,
  ServiceHostInput,
  ServiceHostOptions,
  ServiceHostReport,
  SessionClientOptions,
} from "../../session/mod.ts";
import type { HuntOptions } from "../../user/mod.ts";
import { encodeText } from "../../wire/mod.ts";
import type { SimulatedComputer } from "./host.ts";
import { MessageNetwork } from "./network.ts";
import type { SimulatedProgram } from "./program.ts";
import { RsplibLike } from "./rsplib_like.ts";
import { UserHost } from "./user_host.ts";
import type { UserHostEffect, UserHostInput } from "./user_host.ts";

/** ASAP's port at every registrar. */
export const ASAP_PORT = 3863;

/** ENRP's port at every registrar. */
export const ENRP_PORT = 9901;

/** What a world of pools is made of. */
export interface PoolWorldOptions {
  readonly seed: number;
  readonly registrars: number;
  readonly elements: number;
  readonly users: number;
  /** One for each pool; element n joins pool n modulo their number. */
  readonly policies: readonly PolicyParameter[];
  /** For all registrars, beyond ID and seed. */
  readonly registrarOptions?: Partial<RegistrarOptions>;
  /** How elements and users find registrars. */
  readonly hunt?: HuntOptions;
  /** How often elements register again. Default 30000. */
  readonly reregistrationIntervalMs?: number;
  /** Mean time between two resolutions of a user. Default 10000. */
  readonly resolveIntervalMs?: number;
  /** Elements that a user asks for. Default 1. */
  readonly items?: number;
  /** Clocks go wrong by up to this share. Default 0. */
  readonly clockDrift?: number;
  /** A registrar that is started again has another ID. Default true. */
  readonly freshIds?: boolean;
  /**
   * Whether announces and presences are heard. Without them everybody is told beforehand where the registrars are.
   * Default true.
   */
  readonly multicast?: boolean;
  /** So many registrars, the first ones, have the gaps of RSPLIB's. Default 0. */
  readonly rsplibLike?: number;
  /** Applications, in the place of bare service hosts and of users that only resolve. */
  readonly application?: WorldApplication;
}

/** A program of an application, and what it asks for beyond the network. */
export interface WorldProgram {
  readonly machine: Machine<never, { readonly type: string }>;
  /**
   * Takes what the network does not do.
   *
   * @param later gives the machine an input of its own after some milliseconds, if it lives then
   */
  readonly onEffect: (
    effect: { readonly type: string },
    later: (input: { readonly type: string }, afterMs: number) => void,
  ) => void;
}

/** An application that runs in a world: servers on its elements, clients on its users. */
export interface WorldApplication {
  /** Sessions of a user at a time. */
  readonly sessions: number;
  /** A new server. Its host's `stopped` is an effect of its own. */
  server(options: ServiceHostOptions): WorldProgram;
  /** The client of a user. */
  client(options: SessionClientOptions, poolHandle: PoolHandle): WorldProgram;
}

/** A registrar of a world: it may crash and come back. */
export interface RegistrarActor {
  readonly kind: "registrar";
  readonly name: string;
  readonly host: SimulatedComputer;
  /** The ID of the program that runs, or ran last. */
  registrarId: number;
  machine: Registrar | undefined;
  program: SimulatedProgram<RegistrarInput, RegistrarEffect> | undefined;
  /** It was told to stop, and will have ended soon. */
  stopping: boolean;
  /** Since when it runs, or does not. */
  since: Instant;
}

/** A pool element of a world. Another program in its place is another element. */
export interface ElementActor {
  readonly kind: "element";
  readonly name: string;
  readonly host: SimulatedComputer;
  readonly poolHandle: PoolHandle;
  readonly policy: PolicyParameter;
  elementId: number;
  program: SimulatedProgram<ServiceHostInput, ServiceHostEffect> | undefined;
  /** Whether a registrar has confirmed its registration. */
  member: boolean;
  /** Since when it runs, or does not. */
  since: Instant;
}

/** A pool user of a world. */
export interface UserActor {
  readonly kind: "user";
  readonly name: string;
  readonly host: SimulatedComputer;
  program: SimulatedProgram<UserHostInput, UserHostEffect> | undefined;
}

/** Whoever acts in a world. */
export type Actor = RegistrarActor | ElementActor | UserActor;

/** Sees what the machines of a world tell. */
export interface WorldObserver {
  readonly onRegistrarReport?: (registrar: RegistrarActor, report: RegistrarReport) => void;
  readonly onElementReport?: (element: ElementActor, report: ServiceHostReport) => void;
  readonly onUserEffect?: (
    user: UserActor,
    effect: Exclude<UserHostEffect, { type: "transport" | "datagram" }>,
  ) => void;
}

/** What became of a pool element, kept beyond its life. */
export interface ElementFate {
  readonly actor: ElementActor;
  /** When its program ended; undefined = it lives. */
  endedAt: Instant | undefined;
}

/** Registrars, pool elements and pool users on one {@linkcode MessageNetwork}. */
export class PoolWorld {
  readonly options: PoolWorldOptions;
  readonly network: MessageNetwork;
  readonly registrars: RegistrarActor[] = [];
  readonly elements: ElementActor[] = [];
  readonly users: UserActor[] = [];
  readonly poolHandles: readonly PoolHandle[];
  /** Every element that ever was, by its ID. */
  readonly fates: Map<number, ElementFate> = new Map();
  /** Every registrar that ever was, by its ID. */
  readonly registrarNames: Map<number, string> = new Map();
  observer: WorldObserver = {};
  readonly #random: Prng;
  #hosts = 0;

  /**
   * Makes a world in which nothing runs yet.
   *
   * @param options what it is made of
   */
  constructor(options: PoolWorldOptions) {
    this.options = options;
    this.network = new MessageNetwork(options.seed);
    this.#random = new Prng(options.seed ^ 0x5eed);
    this.poolHandles = options.policies.map((_, n) => encodeText(`Pool${n + 1}`));
    for (let n = 0; n < options.registrars; n++) this.#addRegistrar(n + 1);
    for (let n = 0; n < options.elements; n++) this.#addElement(n);
    for (let n = 0; n < options.users; n++) this.#addUser(n + 1);
  }

  /** The virtual time. */
  get now(): Instant {
    return this.network.now;
  }

  /** Starts everybody, spread over some time. */
  startAll(overMs: number): void {
    const { events } = this.network;
    const soon = (action: () => void) => events.schedule(overMs * this.#random.uniform(), action);
    for (const registrar of this.registrars) soon(() => this.startRegistrar(registrar));
    for (const element of this.elements) soon(() => this.startElement(element));
    for (const user of this.users) soon(() => this.startUser(user));
  }

  /** Starts a registrar that does not run. */
  startRegistrar(registrar: RegistrarActor): void {
    if (registrar.program !== undefined) return;
    const { registrarOptions, freshIds, rsplibLike } = this.options;
    if (registrar.registrarId === 0 || (freshIds ?? true)) registrar.registrarId = this.#freshId();
    const { registrarId, host, name } = registrar;
    this.registrarNames.set(registrarId, name);
    const machine = new Registrar({
      ...registrarOptions,
      registrarId,
      seed: this.#random.u32(),
      ...(this.#isMulticast ? {} : { peers: this.#places(ENRP_PORT) }),
    });
    const isRsplibLike = this.registrars.indexOf(registrar) < (rsplibLike ?? 0);
    const program = isRsplibLike ? new RsplibLike(machine) : machine;
    this.network.powerOn(host);
    registrar.machine = machine;
    registrar.since = this.now;
    registrar.program = this.network.spawn<RegistrarInput, RegistrarEffect>(host, name, program, {
      endpoints: {
        asap: { port: ASAP_PORT, listen: true, manualReceive: true },
        enrp: { port: ENRP_PORT, listen: true, manualReceive: true },
      },
      channels: this.#isMulticast
        ? {
          "asap-announce": { group: "asap", from: "asap", deaf: true },
          "enrp-presence": { group: "enrp", from: "enrp" },
        }
        : {},
      ...this.#clock(),
    }, (effect, program) => this.#registrarEffect(registrar, program, effect));
  }

  /** Starts an element that does not run. It gets a new ID, as programs do. */
  startElement(element: ElementActor): void {
    if (element.program !== undefined) return;
    const { reregistrationIntervalMs } = this.options;
    element.elementId = this.#freshId();
    element.member = false;
    element.since = this.now;
    const { elementId, poolHandle, policy, host, name } = element;
    const fate: ElementFate = { actor: element, endedAt: undefined };
    this.fates.set(elementId, fate);
    const options: ServiceHostOptions = {
      elementId,
      poolHandle,
      policy,
      seed: this.#random.u32(),
      reregistrationIntervalMs,
      hunt: this.#hunt(),
    };
    const server = this.options.application?.server(options);
    // What an application's machine takes and gives beyond a host's is between it and its `onEffect`.
    const machine = server === undefined
      ? new ServiceHost(options)
      : server.machine as unknown as ServiceHost;
    this.network.powerOn(host);
    element.program = this.network.spawn<ServiceHostInput, ServiceHostEffect>(host, name, machine, {
      endpoints: { hunt: { listen: true }, data: { listen: true } },
      channels: this.#isMulticast ? { "asap-announce": { group: "asap" } } : {},
      ...this.#clock(),
    }, (effect, program) => {
      if (element.elementId !== elementId) return;
      server?.onEffect(effect, this.#later(program));
      if (effect.type === "report") {
        const { type } = effect.report;
        if (type === "registered") element.member = true;
        else if (type === "registrarLost" || type === "deregistered") element.member = false;
        this.observer.onElementReport?.(element, effect.report);
      } else if (effect.type === "stopped") {
        this.#elementEnded(element, fate);
        if (element.program !== undefined) this.network.kill(element.program);
        element.program = undefined;
      }
    });
  }

  /** Starts a pool user that does not run. */
  startUser(user: UserActor): void {
    if (user.program !== undefined) return;
    if (this.options.application !== undefined) return this.#startClient(user, this.options.application);
    const { resolveIntervalMs, items } = this.options;
    const machine = new UserHost({
      seed: this.#random.u32(),
      poolHandles: this.poolHandles,
      intervalMs: resolveIntervalMs ?? 10_000,
      items: items ?? 1,
      hunt: this.#hunt(),
    });
    user.program = this.network.spawn<UserHostInput, UserHostEffect>(user.host, user.name, machine, {
      endpoints: { hunt: {}, data: {} },
      channels: this.#isMulticast ? { "asap-announce": { group: "asap" } } : {},
      ...this.#clock(),
    }, (effect) => this.observer.onUserEffect?.(user, effect));
  }

  #startClient(user: UserActor, application: WorldApplication): void {
    const poolHandle = this.poolHandles[this.users.indexOf(user) % this.poolHandles.length]!;
    const options = { seed: this.#random.u32(), hunt: this.#hunt() };
    const { machine, onEffect } = application.client(options, poolHandle);
    const { name, host } = user;
    user.program = this.network.spawn(host, name, machine as unknown as UserHost, {
      endpoints: Object.fromEntries(
        Object.keys(sessionClientEndpoints(application.sessions)).map((endpoint) => [endpoint, {}]),
      ),
      channels: this.#isMulticast ? { "asap-announce": { group: "asap" } } : {},
      ...this.#clock(),
    }, (effect, program) => onEffect(effect, this.#later(program)));
  }

  /** Inputs that a program gets after a while: what its driver would have done in that time. */
  #later<Input, Effect extends { readonly type: string }>(
    program: SimulatedProgram<Input, Effect>,
  ): (input: { readonly type: string }, afterMs: number) => void {
    return (input, afterMs) => {
      this.network.events.schedule(this.now + afterMs, () => program.input(input as Input));
    };
  }

  /**
   * Ends an actor's program.
   *
   * @param how "stop": in order; "abort": the program dies; "power": its computer does
   */
  end(actor: RegistrarActor | ElementActor, how: "stop" | "abort" | "power"): void {
    const { program } = actor;
    if (program === undefined) return;
    if (how === "stop") {
      if (actor.kind === "registrar") actor.stopping = true;
      program.act((now) => (program.machine as Registrar | ServiceHost).handle({ type: "stop" }, now));
      return;
    }
    if (how === "power") this.network.powerOff(actor.host);
    else this.network.kill(program as SimulatedProgram<unknown, { readonly type: string }>);
    actor.program = undefined;
    actor.since = this.now;
    if (actor.kind === "registrar") {
      actor.machine = undefined;
      actor.stopping = false;
    } else {
      actor.member = false;
      const fate = this.fates.get(actor.elementId);
      if (fate !== undefined) fate.endedAt ??= this.now;
    }
  }

  /** Registrars that run, and are to go on. */
  liveRegistrars(): RegistrarActor[] {
    return this.registrars.filter(({ machine, stopping }) => machine !== undefined && !stopping);
  }

  #elementEnded(element: ElementActor, fate: ElementFate): void {
    fate.endedAt ??= this.now;
    element.member = false;
    element.since = this.now;
  }

  #addRegistrar(n: number): void {
    this.registrars.push({
      kind: "registrar",
      name: `registrar ${n}`,
      host: this.#host(`registrar ${n}`),
      registrarId: 0,
      machine: undefined,
      program: undefined,
      stopping: false,
      since: 0,
    });
  }

  #addElement(n: number): void {
    const { policies } = this.options;
    const pool = n % policies.length;
    this.elements.push({
      kind: "element",
      name: `element ${n + 1}`,
      host: this.#host(`element ${n + 1}`),
      poolHandle: this.poolHandles[pool]!,
      policy: policies[pool]!,
      elementId: 0,
      program: undefined,
      member: false,
      since: 0,
    });
  }

  #addUser(n: number): void {
    const name = `user ${n}`;
    this.users.push({ kind: "user", name, host: this.#host(name), program: undefined });
  }

  #registrarEffect(
    registrar: RegistrarActor,
    program: SimulatedProgram<RegistrarInput, RegistrarEffect>,
    effect: Exclude<RegistrarEffect, { type: "transport" | "datagram" }>,
  ): void {
    switch (effect.type) {
      case "report":
        return this.observer.onRegistrarReport?.(registrar, effect.report);
      case "measureRoundTrip":
        return this.#measure(registrar, program, effect.association);
      case "stopped":
        return this.end(registrar, "abort");
    }
  }

  /** What SCTP would have measured. */
  #measure(
    { host }: RegistrarActor,
    program: SimulatedProgram<RegistrarInput, RegistrarEffect>,
    association: number,
  ): void {
    const side = program.sides.get(association);
    if (side === undefined) return;
    const { ways } = this.network;
    const there = ways.conditions(host, side.remoteHost);
    const back = ways.conditions(side.remoteHost, host);
    const roundTripMs = there.delayMs + there.jitterMs / 2 + back.delayMs + back.jitterMs / 2;
    program.input({ type: "roundTrip", association, roundTripMs });
  }

  get #isMulticast(): boolean {
    return this.options.multicast ?? true;
  }

  /** Where all registrars are, or will be. */
  #places(port: number): { readonly addresses: readonly IpAddress[]; readonly port: number }[] {
    return this.registrars.map(({ host: { addresses } }) => ({ addresses, port }));
  }

  #hunt(): HuntOptions | undefined {
    const { hunt } = this.options;
    if (this.#isMulticast) return hunt;
    const registrars = this.#places(ASAP_PORT).map(({ addresses, port }) =>
      transportAddresses(addresses, port)
    );
    return { ...hunt, registrars };
  }

  #host(name: string): SimulatedComputer {
    const n = ++this.#hosts;
    return this.network.host(name, `10.${n >> 16}.${n >> 8 & 255}.${n & 255}`);
  }

  #clock(): { readonly clockRate: number; readonly clockOffsetMs: number } {
    const drift = this.options.clockDrift ?? 0;
    const clockRate = 1 + drift * (2 * this.#random.uniform() - 1);
    return { clockRate, clockOffsetMs: drift === 0 ? 0 : 1e6 * this.#random.uniform() };
  }

  #freshId(): number {
    for (;;) {
      const id = this.#random.u32();
      const taken = id === 0 || this.fates.has(id) ||
        this.registrarNames.has(id);
      if (!taken) return id;
    }
  }
}
