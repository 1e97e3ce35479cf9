import { Prng } from "../../machine.ts";
import type { Machine } from "../../machine.ts";
import { isLoopback } from "../../net.ts";
import type {
  AssociationUp,
  ConnectCommand,
  EndpointOpened,
  Instant,
  IpAddress,
  NetworkEffect,
  NetworkInput,
  Ppid,
  TransportCommand,
  TransportEvent,
} from "../../net.ts";
import { assert, encodeText } from "../../wire/mod.ts";
import { EventQueue } from "../event_queue.ts";
import { MessageSide } from "./association.ts";
import type { SideContext } from "./association.ts";
import { OpenPort, placeOf, SimulatedComputer } from "./host.ts";
import { SimulatedProgram } from "./program.ts";
import type { AnyProgram, EffectHandler, ProgramContext, ProgramSetup } from "./program.ts";
import { Ways } from "./ways.ts";

/** INITs that are not answered are sent again after so many milliseconds, as `HUNT_ENDPOINT` has it… */
const INIT_RETRIES_MS = [1000, 2000, 2000] as const;

/** … and after so many more the connect has failed. */
const CONNECT_FAILS_MS = 2000;

/** The user-initiated ABORT of RFC 9260 §3.3.10.12. */
const USER_INITIATED = 12;

type DriverInput = NetworkInput | EndpointOpened | { readonly type: "start" };

/** Sees what happens in a network. */
export interface NetworkObserver {
  /** A program sends a message or, without an endpoint's association, a datagram. The octets are borrowed. */
  readonly onMessage?: (from: AnyProgram, to: MessageSide | string, ppid: Ppid, data: Uint8Array) => void;
  /** A program hears of an association. */
  readonly onEvent?: (program: AnyProgram, endpoint: string, event: TransportEvent) => void;
}

/**
 * A network of whole messages in virtual time: computers with addresses, programs that run machines, associations,
 * multicast groups, cuts and crashes. A world of thousands of machines runs in it much faster than on simulated packets.
 * Everything is seeded: the same seed gives the same course of events.
 */
export class MessageNetwork {
  readonly events: EventQueue = new EventQueue();
  readonly ways: Ways = new Ways();
  observer: NetworkObserver = {};
  readonly #random: Prng;
  readonly #context: SideContext & ProgramContext;
  readonly #hosts: SimulatedComputer[] = [];
  readonly #byAddress = new Map<IpAddress, SimulatedComputer>();
  readonly #programs = new Set<AnyProgram>();
  /** Who hears a group. */
  readonly #groups = new Map<string, { readonly program: AnyProgram; readonly channel: string }[]>();
  #lastAssociation = 0;
  #lastPort = 20_000;

  /** @param seed seeds all chance of the network */
  constructor(seed: number) {
    this.#random = new Prng(seed);
    this.#context = {
      events: this.events,
      random: this.#random,
      ways: this.ways,
      tell: (side, event, onTaken) => this.#tell(side.port, event, onTaken),
      execute: (program, effect) => this.#execute(program, effect),
    };
  }

  /** The virtual time. */
  get now(): Instant {
    return this.events.now;
  }

  /** The programs that live, in order of their start. */
  programs(): IterableIterator<AnyProgram> {
    return this.#programs.values();
  }

  /** Adds a computer. Its loopback addresses, if it has any, are its own affair. */
  host(name: string, ...addresses: IpAddress[]): SimulatedComputer {
    const host = new SimulatedComputer(name, addresses, this.#hosts.length);
    this.#hosts.push(host);
    for (const address of addresses) if (!isLoopback(address)) this.#byAddress.set(address, host);
    return host;
  }

  /** Starts a machine on a computer: opens its endpoints, tells it, and sends `start`. */
  spawn<Input, Effect extends { readonly type: string }>(
    host: SimulatedComputer,
    name: string,
    machine: Machine<Input, Effect>,
    setup: ProgramSetup,
    onEffect?: EffectHandler<Input, Effect>,
  ): SimulatedProgram<Input, Effect> {
    assert(host.downSince === undefined, "a program needs power");
    const program = new SimulatedProgram(this.#context, host, name, machine, setup);
    program.onEffect = onEffect;
    const any = program as unknown as AnyProgram;
    this.#programs.add(any);
    for (const [endpoint, port] of Object.entries(setup.endpoints)) {
      const open = new OpenPort(any, endpoint, port.port ?? this.#freePort(host), port);
      assert(!host.ports.has(open.port), "a port is opened by one program at a time");
      host.ports.set(open.port, open);
      program.ports.set(endpoint, open);
    }
    for (const [channel, { group, deaf }] of Object.entries(setup.channels ?? {})) {
      if (!deaf) this.#group(group).push({ program: any, channel });
    }
    for (const { name: endpoint, port } of program.ports.values()) {
      give(any, { type: "endpointOpened", endpoint, port, addresses: host.addresses });
    }
    give(any, { type: "start" });
    return program;
  }

  /** Ends a program: its associations are aborted, as a kernel does for a program that died. */
  kill<Input, Effect extends { readonly type: string }>(program: SimulatedProgram<Input, Effect>): void {
    const any = program as unknown as AnyProgram;
    if (!this.#remove(any)) return;
    for (const side of [...any.sides.values()]) side.programEnded();
  }

  /** Takes the power away from a computer: its peers find out by time-outs. */
  powerOff(host: SimulatedComputer): void {
    if (host.downSince !== undefined) return;
    host.downSince = this.now;
    for (const program of [...this.#programs]) {
      if (program.host !== host) continue;
      this.#remove(program);
      for (const side of [...program.sides.values()]) side.powerLost();
    }
  }

  /** Gives a computer its power back; nothing runs on it. */
  powerOn(host: SimulatedComputer): void {
    host.downSince = undefined;
  }

  /** Cuts the way from one computer to another, in this direction. */
  cut(from: SimulatedComputer, to: SimulatedComputer): void {
    this.ways.cut(from, to);
    for (const program of this.#programs) {
      if (program.host !== from && program.host !== to) continue;
      const other = program.host === from ? to : from;
      for (const side of program.sides.values()) if (side.remoteHost === other) side.supervise();
    }
  }

  /** Lets time pass. */
  run(durationMs: number): void {
    const end = this.now + durationMs;
    for (let next = this.events.next(); next !== undefined && next <= end; next = this.events.next()) {
      this.events.step();
    }
    this.events.advance(end);
  }

  /**
   * Lets time pass until something is so.
   *
   * @returns whether it became so within the time
   */
  runUntil(condition: () => boolean, limitMs: number): boolean {
    const end = this.now + limitMs;
    for (;;) {
      if (condition()) return true;
      const next = this.events.next();
      if (next === undefined || next > end) break;
      this.events.step();
    }
    this.events.advance(end);
    return condition();
  }

  #remove(program: AnyProgram): boolean {
    if (!this.#programs.delete(program)) return false;
    program.end();
    for (const { port } of program.ports.values()) program.host.ports.delete(port);
    for (const { group } of Object.values(program.setup.channels ?? {})) {
      const members = this.#group(group);
      const index = members.findIndex((member) => member.program === program);
      if (index >= 0) members.splice(index, 1);
    }
    return true;
  }

  #group(name: string): { readonly program: AnyProgram; readonly channel: string }[] {
    let members = this.#groups.get(name);
    if (members === undefined) this.#groups.set(name, members = []);
    return members;
  }

  #freePort(host: SimulatedComputer): number {
    do this.#lastPort = this.#lastPort >= 65_000 ? 20_001 : this.#lastPort + 1; while (
      host.ports.has(this.#lastPort)
    );
    return this.#lastPort;
  }

  #execute(program: AnyProgram, effect: NetworkEffect): void {
    if (effect.type === "datagram") return this.#multicast(program, effect.channel, effect.data);
    const { endpoint, command } = effect;
    const port = program.ports.get(endpoint);
    assert(port !== undefined, "a machine speaks of endpoints that it has");
    if (command.type === "connect") return this.#connect(port, command);
    const side = program.sides.get(command.association);
    if (side !== undefined) this.#command(side, command);
  }

  #command(side: MessageSide, command: Exclude<TransportCommand, ConnectCommand>): void {
    switch (command.type) {
      case "send":
        if (side.state === "up") {
          this.observer.onMessage?.(side.port.program, side, command.ppid, command.data);
        }
        return side.send(command);
      case "shutdown":
        return side.shutdown();
      case "abort":
        return side.abort({ code: USER_INITIATED, info: encodeText(command.reason ?? "") });
      case "consumed":
        return side.consumed(command.octets);
      default: // paths, streams and heartbeats do not matter here
        return;
    }
  }

  // ------------------------------------------------------------------------------------------------- set-up

  #connect(port: OpenPort, command: ConnectCommand): void {
    const { host } = port.program;
    const target = this.#reach(host, command.addresses);
    const place = target === undefined ? -this.#lastAssociation : placeOf(target, command.port);
    const side = new MessageSide(
      this.#context,
      ++this.#lastAssociation,
      port,
      target ?? host,
      place,
      command.request,
    );
    // A second association between the same endpoints cannot be: its INIT would look like a restart.
    if (port.sides.has(place) || place === port.place) {
      this.events.schedule(this.now, () => side.end("refused", "local", undefined));
      return;
    }
    port.sides.set(place, side);
    port.program.sides.set(side.association, side);
    if (target !== undefined) return this.#attempt(side, command, 0);
    this.#retryConnect(side, command, 0);
  }

  #reach(from: SimulatedComputer, addresses: readonly IpAddress[]): SimulatedComputer | undefined {
    for (const address of addresses) {
      const host = isLoopback(address) ? from : this.#byAddress.get(address);
      if (host !== undefined) return host;
    }
    return undefined;
  }

  /** INIT, INIT ACK, COOKIE ECHO: then the other side has an association. */
  #attempt(side: MessageSide, command: ConnectCommand, retries: number): void {
    const { host, remoteHost } = side;
    const there = () => this.ways.transitMs(host, remoteHost, this.#random);
    const back = this.ways.transitMs(remoteHost, host, this.#random);
    this.events.schedule(this.now + there() + back + there(), () => {
      if (side.state !== "connecting") return; // gone, or established by a collision
      if (!side.isOpen) return this.#retryConnect(side, command, retries);
      const port = remoteHost.ports.get(command.port);
      const existing = port?.sides.get(side.port.place);
      if (port === undefined || (!port.listen && existing === undefined)) {
        return side.end("refused", "peer", undefined);
      }
      const cookieAckAt = this.now + this.ways.transitMs(remoteHost, host, this.#random);
      const far = this.#accept(side, port, existing, command);
      far.lastArrivalAt = Math.max(far.lastArrivalAt, cookieAckAt);
      this.events.schedule(cookieAckAt, () => {
        if (side.state !== "connecting") return;
        if (far.partner !== side || !far.alive) return side.end("refused", "peer", undefined);
        side.establish(far);
        this.#tell(side.port, this.#up(side, command.addresses));
      });
    });
  }

  /** The other side's part: a new association, its half of a collision, or a restart (RFC 9260 §5.2). */
  #accept(
    side: MessageSide,
    port: OpenPort,
    existing: MessageSide | undefined,
    command: ConnectCommand,
  ): MessageSide {
    if (existing?.alive) {
      existing.restart(side);
      return existing;
    }
    const { host } = side;
    const far = existing ??
      new MessageSide(this.#context, ++this.#lastAssociation, port, host, side.port.place, undefined);
    port.sides.set(side.port.place, far);
    port.program.sides.set(far.association, far);
    far.establish(side);
    this.#tell(port, this.#up(far, command.addresses));
    return far;
  }

  #retryConnect(side: MessageSide, command: ConnectCommand, retries: number): void {
    const waitMs = INIT_RETRIES_MS[retries];
    this.events.schedule(this.now + (waitMs ?? CONNECT_FAILS_MS), () => {
      if (side.state !== "connecting") return;
      if (waitMs === undefined) side.end("timeout", "local", undefined);
      else if (side.remotePlace < 0) this.#retryConnect(side, command, retries + 1);
      else this.#attempt(side, command, retries + 1);
    });
  }

  #up(side: MessageSide, named: readonly IpAddress[]): AssociationUp {
    const overLoopback = side.host === side.remoteHost && named.some(isLoopback);
    const { addresses } = side.remoteHost;
    return {
      type: "up",
      association: side.association,
      request: side.request,
      peerAddresses: overLoopback ? addresses : addresses.filter((address) => !isLoopback(address)),
      peerPort: side.remotePlace % 0x1_0000,
      outboundStreams: 10,
      inboundStreams: 10,
    };
  }

  #tell(port: OpenPort, event: TransportEvent, onTaken?: () => void): void {
    this.observer.onEvent?.(port.program, port.name, event);
    give(port.program, { type: "transport", endpoint: port.name, event }, onTaken);
  }

  // ---------------------------------------------------------------------------------------------- multicast

  /** All that hear it hear it at the same instant: announces are what worlds of many machines are full of. */
  #multicast(program: AnyProgram, channel: string, data: Uint8Array): void {
    const joined = program.setup.channels?.[channel];
    if (joined === undefined) return;
    this.observer.onMessage?.(program, joined.group, 0, data);
    const { host } = program;
    const port = program.ports.get(joined.from ?? "")?.port ?? 0;
    const source = { address: host.addresses[0] ?? "", port };
    const { delayMs, jitterMs } = this.ways.usual;
    this.events.schedule(this.now + delayMs + jitterMs * this.#random.uniform(), () => {
      for (const { program: hearer, channel } of [...this.#group(joined.group)]) {
        if (hearer === program || !this.ways.isOpen(host, hearer.host)) continue;
        const { loss } = this.ways.conditions(host, hearer.host);
        if (loss > 0 && this.#random.chance(loss)) continue;
        give(hearer, { type: "datagram", channel, source, data }, undefined, true);
      }
    });
  }
}

function give(program: AnyProgram, input: DriverInput, onTaken?: () => void, droppable = false): void {
  (program as unknown as SimulatedProgram<DriverInput, { readonly type: string }>)
    .input(input, onTaken, droppable);
}
