import type {
  AssociationId,
  AssociationStatistics,
  AssociationStatus,
  Endpoint,
  EndpointOptions,
  EventHandler,
  Instant,
  IpAddress,
  PacketError,
  PacketTransmit,
  Route,
  SocketOptionName,
  SocketOptionTarget,
  SocketOptionValue,
  TransportCommand,
  TransportEvent,
} from "../net.ts";
import { isIpv4 } from "../net.ts";
import { Prng } from "../machine.ts";
import { encapsulationPort, SctpStack } from "../sctp/mod.ts";
import type { StackEvent } from "../sctp/mod.ts";
import { assert } from "../wire/assert.ts";
import type { NetworkOptions, SimulatedNetwork } from "./network.ts";
import { headerLength, type SimulatedPacket } from "./packet.ts";
import type { Segment } from "./segment.ts";

/** How a host behaves. */
export interface HostOptions {
  /** Whether it sends and receives plain SCTP over IP. Default true; UDP always works. */
  readonly raw?: boolean;
  /** Whether it tells senders of closed UDP ports and unknown protocols. Default true. */
  readonly icmp?: boolean;
  /** What its interfaces are set to, in octets. Default 1500. */
  readonly interfaceMtu?: number;
  /** How long packets wait until they are taken, so that they come in batches. Default 0: those of one instant. */
  readonly batchMs?: number;
  /** Whether the stack's invariants are checked after every event. Default true. */
  readonly checkInvariants?: boolean;
}

/** A refusal of the simulated operating system. */
export class SimulatedError extends Error {
  readonly code: "EADDRINUSE" | "EADDRNOTAVAIL";

  constructor(code: "EADDRINUSE" | "EADDRNOTAVAIL", message: string) {
    super(message);
    this.name = "SimulatedError";
    this.code = code;
  }
}

/** reference/embedded-sctp.md §4: just below the UDP ports that operating systems give away. */
const FIRST_EPHEMERAL_PORT = 20_000;
const EPHEMERAL_PORTS = 2768;
const LOOPBACK_ADDRESSES: readonly IpAddress[] = ["127.0.0.1", "::1"];
const LOOPBACK_MTU = 65_535;
const DEFAULT_INTERFACE_MTU = 1500;
const DEFAULT_LINGER_MS = 2000;
/** More rounds of "events out, commands in" than this at one instant are an endless conversation with oneself. */
const MAX_ROUNDS = 100_000;

/**
 * A host that drives an {@linkcode SctpStack} as the packet driver of a real one does: packets in batches, then
 * `endOfBatch`, events out, packets out, one timer. Checks the stack's invariants each time.
 */
export class SimulatedHost {
  /** 1–254; the last octet of its addresses. */
  readonly number: number;
  /** Addresses on the segments, loopback excluded. They come and go. */
  addresses: readonly IpAddress[];
  readonly segments: readonly Segment[];
  readonly #network: SimulatedNetwork;
  readonly #macs: Pick<NetworkOptions, "mac" | "macSha1">;
  readonly #options: Required<HostOptions>;
  readonly #prng: Prng;
  readonly #buffer: Uint8Array = new Uint8Array(LOOPBACK_MTU);
  readonly #transmit: PacketTransmit = {
    length: 0,
    source: undefined,
    destination: "",
    udpPort: 0,
    localPort: 0,
  };
  /** What ICMP messages have said, as an IP layer remembers it. */
  readonly #pathMtus: Map<IpAddress, number> = new Map<IpAddress, number>();
  #endpoints: Map<number, SimulatedEndpoint> = new Map<number, SimulatedEndpoint>();
  #udpPorts: Set<number> = new Set<number>();
  #stack: SctpStack;
  #nextHandle = 1;
  #inbox: (SimulatedPacket | PacketError)[] = [];
  #pollScheduled = false;
  #pumping = false;
  #wakeAt: Instant = Infinity;
  #wakesAtOnce = 0;
  #lastWake: Instant = -1;
  #frozenUntil: Instant = 0;
  #alive = true;

  constructor(
    network: SimulatedNetwork,
    number: number,
    segments: readonly Segment[],
    macs: Pick<NetworkOptions, "mac" | "macSha1">,
    seed: number,
    options: HostOptions,
  ) {
    this.#network = network;
    this.number = number;
    this.segments = segments;
    this.addresses = segments.flatMap((segment) => segment.addressesOf(number));
    this.#macs = macs;
    this.#prng = new Prng(seed);
    this.#options = {
      raw: options.raw ?? true,
      icmp: options.icmp ?? true,
      interfaceMtu: options.interfaceMtu ?? DEFAULT_INTERFACE_MTU,
      batchMs: options.batchMs ?? 0,
      checkInvariants: options.checkInvariants ?? true,
    };
    this.#stack = this.#newStack();
  }

  /** The stack of this host, to look at. */
  get stack(): SctpStack {
    return this.#stack;
  }

  /** Whether the host is switched on. */
  get alive(): boolean {
    return this.#alive;
  }

  /** The virtual time. */
  get now(): Instant {
    return this.#network.now;
  }

  /** The endpoints that are not closed yet. */
  get endpoints(): readonly SimulatedEndpoint[] {
    return [...this.#endpoints.values()];
  }

  /** Whether an address is one of this host's. */
  has(address: IpAddress): boolean {
    return this.addresses.includes(address);
  }

  /** Whether packets to an address get to this host, when they are on its wire. */
  isReachedAt(address: IpAddress): boolean {
    return this.has(address) || LOOPBACK_ADDRESSES.includes(address) || address.startsWith("127.");
  }

  /** The host gets and loses addresses, on segments that it is on already; its stack is told at once. */
  changeAddresses(gained: readonly IpAddress[], lost: readonly IpAddress[]): void {
    for (const address of gained) {
      assert(this.segments.some((segment) => segment.contains(address)), `${address} is on a segment`);
      this.#network.assign(address, this);
    }
    this.addresses = [...this.addresses.filter((address) => !lost.includes(address)), ...gained];
    if (this.#alive) this.ask((stack, now) => stack.localAddressesChanged(now));
  }

  /**
   * Opens an endpoint.
   *
   * @throws {SimulatedError} EADDRINUSE or EADDRNOTAVAIL
   */
  open(options: EndpointOptions, onEvents: EventHandler): SimulatedEndpoint {
    assert(this.#alive, "an endpoint is opened on a host that is switched on");
    const port = options.port === undefined || options.port === 0 ? this.#ephemeralPort() : options.port;
    const udpPort = encapsulationPort(port);
    if (this.#udpPorts.has(udpPort)) {
      throw new SimulatedError("EADDRINUSE", `SCTP port ${port} is in use on this host`);
    }
    const own = [...this.addresses, ...LOOPBACK_ADDRESSES];
    const addresses = options.addresses === undefined || options.addresses.length === 0
      ? own
      : options.addresses;
    const missing = addresses.find((address) => !own.includes(address));
    if (missing !== undefined) {
      throw new SimulatedError("EADDRNOTAVAIL", `this host does not have the address ${missing}`);
    }
    const handle = this.#nextHandle++;
    const endpoint = new SimulatedEndpoint(this, handle, port, addresses, onEvents);
    this.#endpoints.set(handle, endpoint);
    this.#udpPorts.add(udpPort);
    this.#stack.open(handle, { ...options, port }, this.now);
    this.#schedulePoll();
    return endpoint;
  }

  /** Hands a command to the stack; for {@linkcode SimulatedEndpoint}. */
  execute(handle: number, command: TransportCommand): void {
    if (!this.#alive || !this.#endpoints.has(handle)) return;
    this.#stack.execute(handle, command, this.now);
    if (!this.#pumping) this.#schedulePoll();
  }

  /** As `execute`, for whatever else an endpoint asks of the stack. */
  ask(question: (stack: SctpStack, now: Instant) => void): void {
    question(this.#stack, this.now);
    if (!this.#pumping) this.#schedulePoll();
  }

  /** Gives an association an endpoint of its own; for {@linkcode SimulatedEndpoint}. */
  peelOff(from: SimulatedEndpoint, association: AssociationId, onEvents: EventHandler): SimulatedEndpoint {
    const handle = this.#nextHandle++;
    this.ask((stack, now) => stack.peelOff(from.handle, association, handle, now));
    const endpoint = new SimulatedEndpoint(this, handle, from.port, from.addresses, onEvents);
    this.#endpoints.set(handle, endpoint);
    return endpoint;
  }

  /** Begins to close an endpoint; for {@linkcode SimulatedEndpoint}. */
  close(handle: number, lingerMs: number): void {
    if (!this.#alive || !this.#endpoints.has(handle)) return;
    this.#stack.close(handle, lingerMs, this.now);
    if (!this.#pumping) this.#schedulePoll();
  }

  /** A packet has come in. */
  accept(packet: SimulatedPacket): void {
    if (packet.udpDestination === 0 ? this.#options.raw : this.#udpPorts.has(packet.udpDestination)) {
      this.#inbox.push(packet);
      this.#schedulePoll();
    } else if (this.#options.icmp) {
      const kind = packet.udpDestination === 0 ? "protocol-unreachable" : "port-unreachable";
      this.#network.sendIcmp(this, packet, kind);
    }
  }

  /** An ICMP message has come in. */
  acceptError(error: PacketError): void {
    if (!this.#alive) return;
    if (error.mtu !== undefined) {
      this.#pathMtus.set(error.destination, Math.min(error.mtu, this.#mtuTo(error.destination)));
    }
    this.#inbox.push(error);
    this.#schedulePoll();
  }

  /** Blocks the host's event loop: packets and timers wait. */
  freeze(spanMs: number): void {
    this.#frozenUntil = Math.max(this.#frozenUntil, this.now + spanMs);
  }

  /** Pulls the plug: nothing is sent any more, no event comes. */
  crash(): void {
    this.#alive = false;
    this.#inbox = [];
    for (const endpoint of this.#endpoints.values()) endpoint.finish();
    this.#endpoints = new Map();
    this.#udpPorts = new Set();
    this.#wakeAt = Infinity;
  }

  /** Switches a crashed host on again, with an empty stack and no endpoint. */
  boot(): void {
    assert(!this.#alive, "a host is booted after a crash");
    this.#alive = true;
    this.#stack = this.#newStack();
  }

  #newStack(): SctpStack {
    return new SctpStack({
      random: (octets) => {
        for (let i = 0; i < octets.length; i++) octets[i] = this.#prng.below(256);
      },
      mac: this.#macs.mac,
      ...(this.#macs.macSha1 === undefined ? {} : { macSha1: this.#macs.macSha1 }),
      route: (destination) => this.#route(destination),
      localAddresses: () => [...this.addresses, ...LOOPBACK_ADDRESSES],
      raw: this.#options.raw,
    });
  }

  #route(destination: IpAddress): Route | undefined {
    if (destination.startsWith("127.")) return { source: "127.0.0.1", mtu: LOOPBACK_MTU };
    if (destination === "::1" || this.has(destination)) return { source: destination, mtu: LOOPBACK_MTU };
    const segment = this.segments.find((candidate) => candidate.contains(destination));
    const source = segment === undefined
      ? undefined
      : this.addresses.find((address) =>
        isIpv4(address) === isIpv4(destination) && segment.contains(address)
      );
    return source === undefined ? undefined : { source, mtu: this.#mtuTo(destination) };
  }

  #mtuTo(destination: IpAddress): number {
    return this.#pathMtus.get(destination) ?? this.#options.interfaceMtu;
  }

  #ephemeralPort(): number {
    for (let tries = 0; tries < 2 * EPHEMERAL_PORTS; tries++) {
      const port = FIRST_EPHEMERAL_PORT + this.#prng.below(EPHEMERAL_PORTS);
      if (!this.#udpPorts.has(encapsulationPort(port))) return port;
    }
    throw new SimulatedError("EADDRINUSE", "all ephemeral ports of this host are in use");
  }

  #schedulePoll(): void {
    if (this.#pollScheduled) return;
    this.#pollScheduled = true;
    const delay = Math.max(this.#inbox.length > 0 ? this.#options.batchMs : 0, this.#frozenUntil - this.now);
    this.#network.schedule(delay, () => this.#poll());
  }

  #poll(): void {
    this.#pollScheduled = false;
    if (!this.#alive) return;
    if (this.now < this.#frozenUntil) return this.#schedulePoll();
    const inbox = this.#inbox;
    this.#inbox = [];
    for (const item of inbox) {
      if ("kind" in item) {
        this.#stack.receiveError(item, this.now);
      } else {
        const { source, destination, udpSource } = item;
        // A copy: packets are borrowed from the driver's buffer, which the next packet overwrites.
        this.#buffer.set(item.octets);
        const borrowed = this.#buffer.subarray(0, item.octets.length);
        this.#stack.receive(borrowed, { source, destination, udpPort: udpSource }, this.now);
      }
    }
    if (inbox.length > 0) this.#stack.endOfBatch(this.now);
    this.#pump();
  }

  /** Hands out events and packets until there is neither. */
  #pump(): void {
    this.#pumping = true;
    for (let rounds = 0, quiet = false; !quiet; rounds++) {
      assert(rounds < MAX_ROUNDS, "events and commands of one instant come to an end");
      const events = this.#stack.drain();
      this.#handOut(events);
      quiet = !this.#sendAll() && events.length === 0 && !this.#stack.hasEvents;
    }
    this.#pumping = false;
    if (this.#options.checkInvariants) this.#stack.checkInvariants();
    this.#arm();
  }

  #sendAll(): boolean {
    const transmit = this.#transmit;
    let sent = false;
    while (this.#alive && this.#stack.pollTransmit(this.#buffer, transmit, this.now)) {
      sent = true;
      const source = transmit.source ?? this.#route(transmit.destination)?.source;
      // Without a route, or from an address that is not there any more, the system call fails: the packet is gone.
      if (source === undefined || !this.isReachedAt(source)) continue;
      const packet = {
        source,
        destination: transmit.destination,
        udpSource: transmit.udpPort === 0 ? 0 : encapsulationPort(transmit.localPort),
        udpDestination: transmit.udpPort,
        octets: this.#buffer.slice(0, transmit.length),
      };
      // As Linux does with IP_PMTUDISC_WANT: what is longer than the path MTU known by now is fragmented.
      const mtu = this.#route(packet.destination)?.mtu ?? LOOPBACK_MTU;
      const tooLong = packet.octets.length + headerLength(packet) > mtu;
      const { fragmentation } = transmit;
      const fragmented = fragmentation === "always" || (tooLong && fragmentation !== "never");
      this.#network.send(this, fragmented ? { ...packet, fragmented } : packet);
    }
    return sent;
  }

  #handOut(events: readonly StackEvent[]): void {
    for (let start = 0; start < events.length;) {
      const handle = events[start]!.endpoint;
      const batch: TransportEvent[] = [];
      let closed = false;
      for (; start < events.length && events[start]!.endpoint === handle; start++) {
        const { event } = events[start]!;
        this.#network.trace.add(this.now, event.type.length, this.number);
        assert(!closed, "nothing happens on a closed endpoint");
        if (event.type === "closed") closed = true;
        else batch.push(event);
      }
      const endpoint = this.#endpoints.get(handle);
      assert(endpoint !== undefined || !this.#alive, "events are of open endpoints");
      if (batch.length > 0) endpoint?.take(batch);
      if (closed && endpoint !== undefined) {
        this.#endpoints.delete(handle);
        const shared = this.endpoints.some(({ port }) => port === endpoint.port); // with peeled-off associations
        if (!shared) this.#udpPorts.delete(encapsulationPort(endpoint.port));
        endpoint.finish();
      }
    }
  }

  #arm(): void {
    const next = this.#alive ? this.#stack.nextTimeout() : undefined;
    if (next === undefined || next >= this.#wakeAt) return;
    this.#wakeAt = next;
    const delay = Math.max(next, this.#frozenUntil) - this.now;
    this.#network.schedule(Math.max(delay, 0), () => this.#wake(next));
  }

  #wake(armedFor: Instant): void {
    if (!this.#alive || this.#wakeAt !== armedFor) return;
    this.#wakeAt = Infinity;
    const next = this.#stack.nextTimeout();
    if (next === undefined) return;
    if (next > this.now || this.now < this.#frozenUntil) return this.#arm();
    this.#wakesAtOnce = this.now === this.#lastWake ? this.#wakesAtOnce + 1 : 0;
    this.#lastWake = this.now;
    assert(this.#wakesAtOnce < MAX_ROUNDS, "timers of one instant come to an end");
    this.#stack.tick(this.now);
    this.#pump();
  }
}

/** An endpoint on a simulated host. Its events come in virtual time, from within the network's `step`. */
export class SimulatedEndpoint implements Endpoint {
  readonly port: number;
  readonly addresses: readonly IpAddress[];
  readonly #host: SimulatedHost;
  readonly #handle: number;
  readonly #onEvents: EventHandler;
  readonly #closed: PromiseWithResolvers<void> = Promise.withResolvers<void>();
  #isClosed = false;

  constructor(
    host: SimulatedHost,
    handle: number,
    port: number,
    addresses: readonly IpAddress[],
    onEvents: EventHandler,
  ) {
    this.#host = host;
    this.#handle = handle;
    this.port = port;
    this.addresses = addresses;
    this.#onEvents = onEvents;
  }

  /** The endpoint's handle in its host's stack. */
  get handle(): number {
    return this.#handle;
  }

  /** Whether the endpoint is closed for good. */
  get closed(): boolean {
    return this.#isClosed;
  }

  execute(command: TransportCommand): void {
    this.#host.execute(this.#handle, command);
  }

  status(association: AssociationId): AssociationStatus | undefined {
    return this.#host.stack.status(association);
  }

  statistics(association: AssociationId): AssociationStatistics | undefined {
    return this.#host.stack.statistics(association);
  }

  getOption(name: SocketOptionName, target: SocketOptionTarget = {}): SocketOptionValue {
    return this.#host.stack.getOption(this.#handle, name, target);
  }

  setOption(name: SocketOptionName, value: SocketOptionValue, target: SocketOptionTarget = {}): void {
    this.#host.ask((stack, now) => stack.setOption(this.#handle, name, value, target, now));
  }

  addAddress(address: IpAddress): void {
    this.#host.ask((stack, now) => stack.addAddress(this.#handle, address, now));
  }

  removeAddress(address: IpAddress): void {
    this.#host.ask((stack, now) => stack.removeAddress(this.#handle, address, now));
  }

  setPeerPrimary(association: AssociationId, address: IpAddress): void {
    this.#host.ask((stack, now) => stack.setPeerPrimary(this.#handle, association, address, now));
  }

  peelOff(association: AssociationId, onEvents: EventHandler): Endpoint {
    return this.#host.peelOff(this, association, onEvents);
  }

  close(lingerMs: number = DEFAULT_LINGER_MS): Promise<void> {
    if (!this.#isClosed) this.#host.close(this.#handle, lingerMs);
    return this.#closed.promise;
  }

  /** Takes events from the host. */
  take(events: readonly TransportEvent[]): void {
    this.#onEvents(events);
  }

  /** The host says that the endpoint is closed. */
  finish(): void {
    this.#isClosed = true;
    this.#closed.resolve();
  }
}
