import { Prng } from "../../protocol/machine.ts";
import type { Machine } from "../../protocol/machine.ts";
import { formatTransportAddress, messageOctets } from "../../protocol/net.ts";
import type {
  AssociationDown,
  AssociationId,
  ConnectCommand,
  DownReason,
  EndpointOpened,
  Instant,
  IpAddress,
  NetworkEffect,
  NetworkInput,
  TransportCommand,
  TransportEvent,
} from "../../protocol/net.ts";
import { encodeText } from "../../protocol/wire/mod.ts";

/**
 * A network of whole messages in virtual time, for tests of machines above SCTP: hosts with addresses, processes that
 * run machines, associations that deliver in order and do not lose, multicast groups, cuts and crashes. Everything is
 * seeded: the same seed gives the same trace.
 */

/** One way delay of everything, in milliseconds: this and up to as much again. */
const DELAY_MS = 2;

/** How long a message may be held up by a cut before its association is given up. */
const GIVE_UP_MS = 10_000;

/** How often a held up message is tried again. */
const RETRY_MS = 200;

/** How long a connect to a silent address takes to fail. */
const CONNECT_FAILS_MS = 30_000;

/** An endpoint that a process opens. */
export interface EndpointSetup {
  /** Absent = the network chooses. */
  readonly port?: number;
  readonly listen?: boolean;
}

/** A multicast channel that a process joins. */
export interface ChannelSetup {
  readonly group: string;
  /** The endpoint whose port datagrams come from. */
  readonly from?: string;
}

/** What a process opens for its machine. */
export interface ProcessSetup {
  readonly endpoints: Readonly<Record<string, EndpointSetup>>;
  readonly channels?: Readonly<Record<string, ChannelSetup>>;
}

/** A computer. */
export interface Host {
  readonly name: string;
  readonly addresses: readonly IpAddress[];
}

interface Scheduled {
  readonly at: Instant;
  readonly serial: number;
  readonly run: () => void;
}

/** One side of an association. */
interface Side {
  readonly process: AnyProcess;
  readonly endpoint: string;
  readonly association: AssociationId;
  request: number | undefined;
  /** What is under way to this side, in order. */
  readonly queue: TransportEvent[];
  alive: boolean;
  stuckSince: Instant | undefined;
  pumping: boolean;
  peer: Side;
  /** The pair of endpoints. */
  link: string;
}

/** A pair of endpoints that has an association, or is about to. */
interface Link {
  /** The side that answers the connect. */
  readonly far: Side;
  isUp: boolean;
}

interface OpenEndpoint {
  readonly name: string;
  readonly port: number;
  readonly listen: boolean;
}

type AnyProcess = Process<never, { readonly type: string }>;

type DriverInput = NetworkInput | EndpointOpened | { readonly type: "start" } | { readonly type: "stop" };

/** A machine on a host. */
export class Process<Input, Effect extends { readonly type: string }> {
  readonly name: string;
  readonly host: Host;
  readonly machine: Machine<Input, Effect>;
  readonly setup: ProcessSetup;
  readonly endpoints: OpenEndpoint[] = [];
  readonly sides: Map<AssociationId, Side> = new Map();
  /** Everything the machine asked for that the network does not do, with its time. */
  readonly effects: { readonly at: Instant; readonly effect: Exclude<Effect, NetworkEffect> }[] = [];
  /** Called for each of these effects, so that a test can play the application. */
  onEffect: ((effect: Exclude<Effect, NetworkEffect>) => void) | undefined;
  alive = true;
  readonly #network: MessageNetwork;

  /** Made by {@linkcode MessageNetwork.spawn}. */
  constructor(
    network: MessageNetwork,
    host: Host,
    name: string,
    machine: Machine<Input, Effect>,
    setup: ProcessSetup,
  ) {
    this.#network = network;
    this.host = host;
    this.name = name;
    this.machine = machine;
    this.setup = setup;
  }

  /** Gives the machine an input and does what it asks for. */
  input(input: Input): void {
    if (!this.alive) return;
    this.machine.handle(input, this.#network.now);
    this.flush();
  }

  /** Lets the machine run what is due. */
  tick(): void {
    this.machine.tick(this.#network.now);
    this.flush();
  }

  /** Does what the machine asks for. */
  flush(): void {
    for (let effects = this.machine.drain(); effects.length > 0; effects = this.machine.drain()) {
      for (const effect of effects) {
        if (isNetworkEffect(effect)) {
          this.#network.execute(this as unknown as AnyProcess, effect);
        } else {
          const other = effect as Exclude<Effect, NetworkEffect>;
          this.effects.push({ at: this.#network.now, effect: other });
          this.#network.note(`${this.name}: ${describe(effect)}`);
          this.onEffect?.(other);
        }
      }
    }
  }
}

function isNetworkEffect(effect: { readonly type: string }): effect is NetworkEffect {
  return effect.type === "transport" || effect.type === "datagram";
}

/** See the head of this file. */
export class MessageNetwork {
  now: Instant = 0;
  /** One line for everything that happened. */
  readonly trace: string[] = [];
  readonly #random: Prng;
  readonly #agenda: Scheduled[] = [];
  readonly #processes: AnyProcess[] = [];
  readonly #hosts: Host[] = [];
  readonly #cuts = new Set<string>();
  /** Pairs of endpoints with an association, or the attempt at one: they have one at most (RFC 9260 §1.3). */
  readonly #links = new Map<string, Link>();
  #serial = 0;
  #lastAssociation = 0;
  #lastPort = 20_000;
  /** Called after every event: a place for invariants. */
  afterEvent: (() => void) | undefined;

  constructor(seed: number) {
    this.#random = new Prng(seed);
  }

  /** Adds a host. */
  host(name: string, ...addresses: IpAddress[]): Host {
    const host = { name, addresses };
    this.#hosts.push(host);
    return host;
  }

  /** Starts a machine on a host: opens its endpoints, tells it, and sends `start`. */
  spawn<Input, Effect extends { readonly type: string }>(
    host: Host,
    name: string,
    machine: Machine<Input, Effect>,
    setup: ProcessSetup,
  ): Process<Input, Effect> {
    const process = new Process(this, host, name, machine, setup);
    this.#processes.push(process as unknown as AnyProcess);
    for (const [endpoint, { port, listen }] of Object.entries(setup.endpoints)) {
      process.endpoints.push({ name: endpoint, port: port ?? ++this.#lastPort, listen: listen ?? false });
    }
    for (const { name: endpoint, port } of process.endpoints) {
      this.#give(process as unknown as AnyProcess, {
        type: "endpointOpened",
        endpoint,
        port,
        addresses: host.addresses,
      });
    }
    this.#give(process as unknown as AnyProcess, { type: "start" });
    return process;
  }

  /**
   * Ends a process from one moment to the next.
   *
   * @param how "abort": its associations are aborted, as a kernel does for a process that died; "silent": the host is
   *   gone, peers find out by time-out
   */
  kill<Input, Effect extends { readonly type: string }>(
    process: Process<Input, Effect>,
    how: "abort" | "silent",
  ): void {
    this.note(`${process.name} is killed (${how})`);
    process.alive = false;
    for (const side of process.sides.values()) {
      side.alive = false;
      this.#links.delete(side.link);
      if (how === "abort") this.#end(side.peer, "aborted", "peer", this.#delay());
      else this.#end(side.peer, "timeout", "local", GIVE_UP_MS);
    }
    process.sides.clear();
  }

  /** Cuts two hosts from each other. */
  cut(a: Host, b: Host): void {
    this.#cuts.add(pair(a, b));
  }

  /** Mends a cut. */
  mend(a: Host, b: Host): void {
    this.#cuts.delete(pair(a, b));
  }

  /** Lets time pass. */
  run(durationMs: number): void {
    const end = this.now + durationMs;
    while (this.#step(end));
    this.now = end;
  }

  /**
   * Lets time pass until something is so.
   *
   * @returns whether it became so within the time
   */
  runUntil(condition: () => boolean, limitMs: number): boolean {
    const end = this.now + limitMs;
    while (!condition()) if (!this.#step(end)) return condition();
    return true;
  }

  /** Adds a line to the trace. */
  note(line: string): void {
    this.trace.push(`${this.now.toFixed(3)} ${line}`);
  }

  /** Does what a machine asks for. */
  execute(process: AnyProcess, effect: NetworkEffect): void {
    if (effect.type === "datagram") return this.#multicast(process, effect.channel, effect.data);
    const { endpoint, command } = effect;
    if (command.type === "connect") return this.#connect(process, endpoint, command);
    const side = process.sides.get(command.association);
    if (side !== undefined) this.#command(side, command);
  }

  #command(side: Side, command: Exclude<TransportCommand, ConnectCommand>): void {
    const { association } = side;
    switch (command.type) {
      case "send": {
        this.#arrive(side.peer, {
          type: "message",
          association: side.peer.association,
          stream: command.stream ?? 0,
          ssn: 0,
          tsn: 0,
          ppid: command.ppid,
          unordered: command.unordered ?? false,
          data: messageOctets(command).slice(),
        });
        return;
      }
      case "shutdown":
        this.#arrive(side.peer, { type: "peerShutdown", association: side.peer.association });
        this.#arrive(side.peer, downEvent(side.peer, "shutdown", "peer"));
        return this.#end(side, "shutdown", "local", 2 * DELAY_MS + this.#delay());
      case "abort": {
        const cause = { code: 12, info: encodeText(command.reason ?? "") };
        this.note(`${side.process.name}: aborts ${association}: ${command.reason ?? ""}`);
        side.peer.queue.length = 0;
        this.#end(side.peer, "aborted", "peer", this.#delay(), cause);
        return this.#end(side, "aborted", "local", 0);
      }
      default: // paths do not matter here
        return;
    }
  }

  #connect(process: AnyProcess, endpoint: string, command: ConnectCommand): void {
    const { request, addresses, port } = command;
    const host = this.#hosts.find((host) => addresses.some((a) => reaches(process.host, host, a)));
    const fail = (reason: DownReason, afterMs: number, origin: "local" | "peer" = "peer") =>
      this.#after(afterMs, () => {
        const event = {
          type: "down",
          association: 0,
          request,
          reason,
          origin,
          cause: undefined,
        } as const;
        if (process.alive) this.#event(process, endpoint, event);
      });
    if (host === undefined || this.#cuts.has(pair(host, process.host))) {
      return fail("timeout", CONNECT_FAILS_MS);
    }
    const target = this.#processes.find((p) =>
      p.alive && p.host === host && p.endpoints.some((e) => e.listen && e.port === port)
    );
    if (target === undefined) return fail("refused", this.#delay());
    const listener = target.endpoints.find((e) => e.port === port)!;
    const overLoopback = host === process.host && addresses.some(isLoopback);
    const link = [`${process.name}/${endpoint}`, `${target.name}/${listener.name}`].sort().join(" ");
    const present = this.#links.get(link);
    if (present !== undefined) {
      // Two that connect to each other at once get one association (RFC 9260 §5.2.1); a second one is refused.
      const collides = !present.isUp && present.far.process === process && present.far.request === undefined;
      if (!collides) return fail("refused", 0, "local");
      present.far.request = request;
      return;
    }
    const near = this.#side(process, endpoint, request);
    const far = this.#side(target, listener.name, undefined);
    near.peer = far;
    far.peer = near;
    near.link = far.link = link;
    const state = { far, isUp: false };
    this.#links.set(link, state);
    const myPort = process.endpoints.find((e) => e.name === endpoint)!.port;
    const streams = { outboundStreams: 10, inboundStreams: 10 };
    const shown = (host: Host) =>
      overLoopback ? host.addresses : host.addresses.filter((a) => !isLoopback(a));
    this.#after(this.#delay() + DELAY_MS, () => {
      if (!process.alive || !target.alive) {
        this.#links.delete(link);
        if (process.alive) fail("refused", 0);
        else if (target.alive && far.request !== undefined) {
          this.#event(target, listener.name, downEvent(far, "refused", "peer"));
        }
        return;
      }
      state.isUp = true;
      process.sides.set(near.association, near);
      target.sides.set(far.association, far);
      this.#arrive(far, {
        type: "up",
        association: far.association,
        request: far.request,
        peerAddresses: shown(process.host),
        peerPort: myPort,
        ...streams,
      });
      this.#event(process, endpoint, {
        type: "up",
        association: near.association,
        request,
        peerAddresses: shown(host),
        peerPort: port,
        ...streams,
      });
    });
  }

  #side(process: AnyProcess, endpoint: string, request: number | undefined): Side {
    const association = ++this.#lastAssociation;
    const side: Omit<Side, "peer"> = {
      process,
      endpoint,
      association,
      request,
      queue: [],
      alive: true,
      stuckSince: undefined,
      pumping: false,
      link: "",
    };
    return side as Side;
  }

  /** Something is under way to a side; what was sent before arrives before. */
  #arrive(side: Side, event: TransportEvent): void {
    if (!side.alive) return;
    side.queue.push(event);
    if (!side.pumping) this.#pump(side, this.#delay());
  }

  #pump(side: Side, delayMs: number): void {
    side.pumping = true;
    this.#after(delayMs, () => {
      side.pumping = false;
      if (!side.alive || side.queue.length === 0) return;
      if (this.#cuts.has(pair(side.process.host, side.peer.process.host))) {
        side.stuckSince ??= this.now;
        if (this.now - side.stuckSince <= GIVE_UP_MS) return this.#pump(side, RETRY_MS);
        side.queue.length = 0;
        this.#end(side, "timeout", "local", 0);
        return this.#end(side.peer, "timeout", "local", 0);
      }
      side.stuckSince = undefined;
      const event = side.queue.shift()!;
      if (side.queue.length > 0) this.#pump(side, 0);
      this.#deliver(side, event);
    });
  }

  #end(
    side: Side,
    reason: DownReason,
    origin: "local" | "peer",
    afterMs: number,
    cause?: AssociationDown["cause"],
  ): void {
    this.#after(afterMs, () => {
      if (side.alive) this.#deliver(side, downEvent(side, reason, origin, cause));
    });
  }

  #deliver(side: Side, event: TransportEvent): void {
    if (event.type === "down") {
      side.alive = false;
      side.process.sides.delete(side.association);
      this.#links.delete(side.link);
    }
    this.#event(side.process, side.endpoint, event);
  }

  #event(process: AnyProcess, endpoint: string, event: TransportEvent): void {
    this.note(`${process.name}/${endpoint}: ${describe(event)}`);
    this.#give(process, { type: "transport", endpoint, event });
  }

  #multicast(process: AnyProcess, channel: string, data: Uint8Array): void {
    const joined = process.setup.channels?.[channel];
    if (joined === undefined) return;
    const port = process.endpoints.find((e) => e.name === joined.from)?.port ?? 0;
    for (const receiver of this.#processes) {
      const theirs = Object.entries(receiver.setup.channels ?? {}).find(([, c]) => c.group === joined.group);
      if (theirs === undefined || receiver === process || !receiver.alive) continue;
      if (this.#cuts.has(pair(process.host, receiver.host))) continue;
      const address = process.host.addresses[0]!;
      if (isLoopback(address) && receiver.host !== process.host) continue;
      this.#after(this.#delay(), () => {
        this.note(`${receiver.name}/${theirs[0]}: datagram of ${formatTransportAddress({ address, port })}`);
        this.#give(receiver, { type: "datagram", channel: theirs[0], source: { address, port }, data });
      });
    }
  }

  #give(process: AnyProcess, input: DriverInput): void {
    (process as unknown as Process<DriverInput, { readonly type: string }>).input(input);
  }

  #delay(): number {
    return DELAY_MS * (1 + this.#random.uniform());
  }

  #after(delayMs: number, run: () => void): void {
    const scheduled = { at: this.now + delayMs, serial: this.#serial++, run };
    let index = this.#agenda.length;
    while (index > 0 && this.#agenda[index - 1]!.at > scheduled.at) index--;
    this.#agenda.splice(index, 0, scheduled);
  }

  #step(end: Instant): boolean {
    const next = this.#agenda[0];
    let sleeper: AnyProcess | undefined;
    let dueAt = next?.at ?? Infinity;
    for (const process of this.#processes) {
      const timeout = process.alive ? process.machine.nextTimeout() ?? Infinity : Infinity;
      if (timeout < dueAt) [dueAt, sleeper] = [timeout, process];
    }
    if (dueAt > end) return false;
    this.now = Math.max(this.now, dueAt);
    if (sleeper === undefined) this.#agenda.shift()!.run();
    else sleeper.tick();
    this.afterEvent?.();
    return true;
  }
}

function downEvent(
  side: Side,
  reason: DownReason,
  origin: "local" | "peer",
  cause?: AssociationDown["cause"],
): AssociationDown {
  return { type: "down", association: side.association, request: side.request, reason, origin, cause };
}

function pair(a: Host, b: Host): string {
  return [a.name, b.name].sort().join("|");
}

function reaches(from: Host, to: Host, address: IpAddress): boolean {
  return to.addresses.includes(address) && (!isLoopback(address) || from === to);
}

function isLoopback(address: IpAddress): boolean {
  return address === "::1" || address.startsWith("127.");
}

function describe(value: object): string {
  return JSON.stringify(value, (_key, field) => {
    return field instanceof Uint8Array ? field.toHex() : typeof field === "bigint" ? String(field) : field;
  });
}
