import { Prng, TimerQueue } from "../machine.ts";
import { SocketOptionError } from "../net.ts";
import type {
  AssociationId,
  AssociationStatistics,
  AssociationStatus,
  ConnectCommand,
  EndpointOptions,
  Instant,
  IpAddress,
  PacketError,
  PacketMeta,
  PacketTransmit,
  SocketOptionName,
  SocketOptionTarget,
  SocketOptionValue,
  TransportCommand,
} from "../net.ts";
import { assert } from "../wire/assert.ts";
import { DecodeError, StateError } from "../wire/errors.ts";
import { Connecting } from "./connecting.ts";
import { checksumMatches } from "./crc32c.ts";
import { onPacket, onPacketError } from "./demultiplexing.ts";
import { Endpoint } from "./endpoint.ts";
import {
  addEndpointAddress,
  askForPrimary,
  hostAddressesChanged,
  removeEndpointAddress,
} from "./endpoint_addresses.ts";
import { EndpointHandles } from "./endpoint_handles.ts";
import type { EndpointHandle } from "./endpoint_handles.ts";
import { newCounters } from "./environment.ts";
import type { StackCounters, StackEnvironment, StackEvent } from "./environment.ts";
import { LentOctets } from "./lent_octets.ts";
import { MAX_ASSOCIATIONS } from "./limits.ts";
import { completeOptions } from "./options.ts";
import { makePacket, MIN_PACKET_OCTETS, readU16, readU32, viewBehind } from "./packet.ts";
import type { Host, Party } from "./party.ts";
import { NEVER } from "./path.ts";
import { getSocketOption, optionScope, setSocketOption } from "./socket_options.ts";
import { TransmitQueue } from "./transmit_queue.ts";

/** How long a closed endpoint waits for the driver to fetch its last packets before it looks again. */
const LAST_PACKETS_RETRY_MS = 1;

/**
 * The embedded SCTP stack (RFC 9260, RFC 6951): endpoints, their associations, and the way from packets to events.
 *
 * It is a machine without a clock, a socket or a random source. Its driver feeds packets, ICMP messages and commands,
 * then fetches packets with `pollTransmit` until there are none, takes the events with `drain`, and calls `tick` at
 * `nextTimeout`. No call throws on what came from the network.
 */
export class SctpStack {
  readonly #counters: StackCounters = newCounters();
  readonly #environment: StackEnvironment;
  readonly #host: Host;
  readonly #ports = new Map<number, Endpoint>();
  readonly #parties = new Map<AssociationId, Party>();
  readonly #handles = new EndpointHandles(this.#parties);
  readonly #timers = new TimerQueue<Party>();
  /** When a closing endpoint aborts what is left, or tells that it is closed. */
  readonly #closings = new TimerQueue<EndpointHandle>();
  readonly #queue = new TransmitQueue();
  #events: StackEvent[] = [];
  #lastId = 0;
  #now: Instant = 0;

  /**
   * Makes a stack without endpoints.
   *
   * @param environment what the stack cannot make itself
   */
  constructor(environment: StackEnvironment) {
    this.#environment = environment;
    this.#host = this.#makeHost();
  }

  /** What was counted since the stack was made. */
  get counters(): Readonly<StackCounters> {
    return this.#counters;
  }

  /**
   * Opens an endpoint.
   *
   * @param endpoint the caller's handle; its events carry it
   * @param options the port must be concrete, and free within this stack
   * @throws {StateError} when the handle or the port is in use
   */
  open(endpoint: number, options: EndpointOptions & { readonly port: number }, now: Instant): void {
    this.#now = now;
    if (this.#ports.has(options.port)) throw new StateError(`Port ${options.port} is in use`);
    const opened = new Endpoint(endpoint, completeOptions(options), this.#environment);
    this.#handles.add(endpoint, opened);
    this.#ports.set(options.port, opened);
  }

  /** Carries out a command. One for an association that is gone is ignored. */
  execute(endpoint: number, command: TransportCommand, now: Instant): void {
    this.#now = now;
    const owner = this.#handles.find(endpoint);
    if (owner === undefined) return;
    if (command.type === "connect") return this.#connect(owner, command, now);
    this.#handles.partyOf(owner, command.association)?.execute(command, now);
  }

  #connect(owner: EndpointHandle, command: ConnectCommand, now: Instant): void {
    const { endpoint } = owner;
    if (owner.association !== undefined) return this.#refuse(owner, command.request);
    const attempt = new Connecting(this.#host, endpoint, command, this.#host.newId());
    // A second association between the same endpoints cannot be: its INIT would look like a restart.
    const taken = attempt.peerAddresses.some((address) =>
      endpoint.byAddress(address, command.port) !== undefined
    );
    const itself = command.port === endpoint.port &&
      attempt.peerAddresses.some((peer) => endpoint.isLocal(peer));
    if (taken || itself || endpoint.closing || endpoint.size >= MAX_ASSOCIATIONS) {
      return attempt.execute(GIVE_UP, now);
    }
    this.#host.replace(undefined, attempt);
    attempt.start(now);
  }

  /** A peeled-off association's endpoint has that one alone. */
  #refuse({ handle }: EndpointHandle, request: number): void {
    const event = { association: this.#host.newId(), request, reason: "refused", origin: "local" } as const;
    this.#events.push({ endpoint: handle, event: { type: "down", ...event, cause: undefined } });
  }

  /**
   * Closes an endpoint: it takes no new associations, shuts down those that it has and, after `lingerMs`, aborts the
   * rest. The event `closed` is its last one and comes after its last packet was fetched.
   */
  close(endpoint: number, lingerMs: number, now: Instant): void {
    this.#now = now;
    const closing = this.#handles.find(endpoint);
    if (closing === undefined || closing.closing) return;
    closing.closing = true;
    if (closing.association === undefined) {
      closing.endpoint.closing = true;
      closing.endpoint.listening = false;
    }
    for (const party of this.#handles.partiesOf(closing)) {
      party.execute({ type: "shutdown", association: party.id }, now);
    }
    this.#closings.set(closing, this.#handles.isIdle(closing) ? now : now + lingerMs);
  }

  /**
   * Takes a packet.
   *
   * @param packet an SCTP packet, without IP and UDP headers; borrowed until the call returns
   */
  receive(packet: Uint8Array, meta: PacketMeta, now: Instant): void {
    this.#now = now;
    this.#counters.packetsReceived++;
    if (packet.length < MIN_PACKET_OCTETS) {
      this.#counters.malformed++;
      return;
    }
    // The port is looked at before the checksum: raw sockets hear what is meant for others, too.
    const endpoint = this.#ports.get(readU16(packet, 2));
    if (endpoint === undefined) {
      this.#counters.foreignPort++;
      return;
    }
    if (!checksumMatches(viewBehind(packet), packet.byteOffset, packet.length)) {
      this.#counters.checksumErrors++;
      return;
    }
    try {
      onPacket(this.#host, endpoint, packet, meta, now);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#counters.malformed++;
    }
  }

  /** Takes an ICMP message about a packet of this stack. */
  receiveError(error: PacketError, now: Instant): void {
    this.#now = now;
    onPacketError(this.#ports, error, now);
  }

  /** Runs what is due. Extra calls are harmless. */
  tick(now: Instant): void {
    this.#now = now;
    for (let party = this.#timers.takeDue(now); party !== undefined; party = this.#timers.takeDue(now)) {
      party.scheduledAt = NEVER;
      const next = party.tick(now);
      if (this.#parties.get(party.id) === party && next < party.scheduledAt) this.#host.schedule(party, next);
    }
    for (let due = this.#closings.takeDue(now); due !== undefined; due = this.#closings.takeDue(now)) {
      this.#goOnClosing(due, now);
    }
  }

  #goOnClosing(closing: EndpointHandle, now: Instant): void {
    const { handle, endpoint } = closing;
    for (const party of this.#handles.partiesOf(closing)) {
      if (this.#queue.isFull) break; // there is no room for its ABORT yet
      party.execute({ type: "abort", association: party.id }, now);
    }
    if (!this.#handles.isIdle(closing) || this.#queue.hasReplyFrom(endpoint.port)) {
      this.#closings.set(closing, now + LAST_PACKETS_RETRY_MS);
      return;
    }
    if (this.#handles.delete(closing)) this.#ports.delete(endpoint.port);
    this.#closings.clear(closing);
    this.#events.push({ endpoint: handle, event: { type: "closed" } });
  }

  /** When `tick` has something to do; undefined = never. */
  nextTimeout(): Instant | undefined {
    const party = this.#timers.next(), closing = this.#closings.next();
    if (party === undefined || closing === undefined) return party ?? closing;
    return Math.min(party, closing);
  }

  /**
   * Builds the next packet in place.
   *
   * @param buffer at least as long as the path MTU of every path
   * @param transmit filled in when there is a packet
   * @returns false when there is nothing to send; call it until then
   */
  pollTransmit(buffer: Uint8Array, transmit: PacketTransmit, now: Instant): boolean {
    this.#now = now;
    if (!this.#queue.buildPacket(buffer, transmit, now)) return false;
    this.#counters.packetsSent++;
    return true;
  }

  /** Whether `drain` has something to give; `pollTransmit` may have told of messages that were given up. */
  get hasEvents(): boolean {
    return this.#events.length > 0;
  }

  /** Events since the last drain, in order. */
  drain(): StackEvent[] {
    const events = this.#events;
    if (events.length > 0) this.#events = [];
    return events;
  }

  /** What is known of an association; undefined when it is gone. */
  status(association: AssociationId): AssociationStatus | undefined {
    return this.#parties.get(association)?.status();
  }

  /** What was counted of an association; undefined when it is gone. */
  statistics(association: AssociationId): AssociationStatistics | undefined {
    return this.#parties.get(association)?.statistics();
  }

  /**
   * Reads a socket option.
   *
   * @throws {SocketOptionError} when there is no such option, or nothing to say for this target
   */
  getOption(endpoint: number, name: SocketOptionName, target: SocketOptionTarget): SocketOptionValue {
    return getSocketOption(optionScope(this.#handles, endpoint, name, target, this.#now));
  }

  /**
   * Sets a socket option.
   *
   * @throws {SocketOptionError} when the value or the target is refused
   */
  setOption(
    endpoint: number,
    name: SocketOptionName,
    value: SocketOptionValue,
    target: SocketOptionTarget,
    now: Instant,
  ): void {
    this.#now = now;
    setSocketOption(optionScope(this.#handles, endpoint, name, target, now), value);
  }

  /** The addresses that peers can reach an endpoint at; none when it is closed. */
  localAddresses(endpoint: number): readonly IpAddress[] {
    return this.#handles.find(endpoint)?.endpoint.localAddresses() ?? [];
  }

  /**
   * Adds an address to an endpoint. Living associations with dynamic addresses tell their peers (RFC 5061), others stay as
   * they are.
   *
   * @throws {SocketOptionError} EADDRNOTAVAIL or EINVAL
   */
  addAddress(endpoint: number, address: IpAddress, now: Instant): void {
    this.#now = now;
    addEndpointAddress(this.#handles.get(endpoint).endpoint, address, now);
  }

  /**
   * Takes an address from an endpoint.
   *
   * @throws {SocketOptionError} EINVAL when it is the last one, or not one of the endpoint's
   */
  removeAddress(endpoint: number, address: IpAddress, now: Instant): void {
    this.#now = now;
    removeEndpointAddress(this.#handles.get(endpoint).endpoint, address, now);
  }

  /**
   * Asks a peer to send to one of this side's addresses in the first place.
   *
   * @throws {SocketOptionError} ENOTCONN when the association is gone, EPERM when it has no dynamic addresses,
   * EADDRNOTAVAIL when the address is not this side's
   */
  setPeerPrimary(endpoint: number, association: AssociationId, address: IpAddress, now: Instant): void {
    this.#now = now;
    askForPrimary(this.#handles.associationOf(this.#handles.find(endpoint), association), address, now);
  }

  /**
   * The addresses or routes of this host have changed: paths get new source addresses, and associations with dynamic
   * addresses tell their peers if their endpoint is bound to all addresses.
   */
  localAddressesChanged(now: Instant): void {
    this.#now = now;
    for (const endpoint of this.#ports.values()) hostAddressesChanged(endpoint, now);
  }

  /**
   * Gives an association an endpoint of its own: a new handle, whose events are the association's from now on.
   *
   * @throws {SocketOptionError} ENOTCONN when the association is gone
   */
  peelOff(endpoint: number, association: AssociationId, handle: number, now: Instant): void {
    this.#now = now;
    const owner = this.#handles.find(endpoint);
    if (owner === undefined || this.#handles.associationOf(owner, association) === undefined) {
      throw new SocketOptionError("ENOTCONN", `There is no association ${association} that is up`);
    }
    if (owner.association !== undefined) {
      throw new SocketOptionError("EINVAL", `Association ${association} is peeled off already`);
    }
    this.#handles.add(handle, owner.endpoint, association);
    this.#events = this.#events.map((waiting) => {
      const { event } = waiting;
      return event.type !== "closed" && event.association === association
        ? { endpoint: handle, event }
        : waiting;
    });
    if (owner.closing && this.#handles.isIdle(owner)) this.#closings.set(owner, now);
  }

  /**
   * Ends a batch of received packets. SACKs are written when packets are fetched, one for all that was received until
   * then, so there is nothing to be done; the call marks where the driver may fetch.
   */
  endOfBatch(now: Instant): void {
    this.#now = now;
  }

  /**
   * Checks everything that must hold between two calls.
   *
   * @throws {InvariantError} when something does not
   */
  checkInvariants(): void {
    let timers = 0;
    for (const [id, party] of this.#parties) {
      assert(party.id === id, "a party is found by its ID");
      assert(party.endpoint.byTag(party.localTag) === party, "a party is found by its tag");
      assert(
        (this.#timers.dueAt(party) ?? NEVER) === party.scheduledAt,
        "a party knows when its timer is due",
      );
      if (party.scheduledAt !== NEVER) timers++;
      party.checkInvariants();
    }
    assert(this.#timers.size === timers, "every timer belongs to a living party");
    let associations = 0;
    for (const endpoint of new Set(this.#ports.values())) associations += endpoint.size;
    assert(associations === this.#parties.size, "every party belongs to an endpoint");
  }

  #makeHost(): Host {
    const seed = new Uint8Array(4);
    this.#environment.random(seed);
    return {
      environment: this.#environment,
      counters: this.#counters,
      lentOctets: new LentOctets(),
      prng: new Prng(readU32(seed, 0)),
      randomTag: () => this.#randomTag(),
      newId: () => ++this.#lastId,
      wake: (party) => this.#queue.wake(party),
      schedule: (party, dueAt) => {
        party.scheduledAt = dueAt;
        this.#timers.set(party, dueAt);
      },
      emit: (endpoint, event) => {
        this.#events.push({ endpoint: this.#handles.listenerOf(endpoint, event.association), event });
      },
      replace: (old, next) => this.#replace(old, next),
      remove: (party) => this.#remove(party),
      isClosing: (party) => this.#handles.ownerOf(party)?.closing === true,
      reply: (endpoint, target, peerPort, tag, chunks) => {
        if (this.#queue.isFull) {
          this.#counters.limited++;
          return;
        }
        this.#queue.reply(makePacket(endpoint.port, peerPort, tag, chunks), target, endpoint.port);
      },
    };
  }

  #randomTag(): number {
    const octets = new Uint8Array(4);
    for (;;) {
      this.#environment.random(octets);
      const tag = readU32(octets, 0);
      if (tag !== 0) return tag;
    }
  }

  #replace(old: Party | undefined, next: Party): void {
    if (old !== undefined) this.#forget(old);
    this.#parties.set(next.id, next);
    next.endpoint.add(next);
  }

  #remove(party: Party): void {
    if (this.#parties.get(party.id) === party) this.#forget(party);
    const owner = this.#handles.ownerOf(party);
    if (owner?.closing && this.#handles.isIdle(owner)) this.#closings.set(owner, this.#now);
  }

  #forget(party: Party): void {
    this.#parties.delete(party.id);
    this.#timers.clear(party);
    party.scheduledAt = NEVER;
    party.endpoint.remove(party, this.#now);
  }
}

const GIVE_UP: TransportCommand = { type: "abort", association: 0 };
