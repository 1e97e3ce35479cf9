import { Prng, TimerQueue } from "../machine.ts";
import { SocketOptionError } from "../net.ts";
import type {
  AssociationId,
  AssociationStatistics,
  AssociationStatus,
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
  TransportEvent,
} from "../net.ts";
import { assert } from "../wire/assert.ts";
import { DecodeError, StateError } from "../wire/errors.ts";
import { isUnicast } from "./addresses.ts";
import { Association } from "./association.ts";
import { behindAuth } from "./auth_chunk.ts";
import { chunkAt, ChunkType, nextChunkAt, TAG_REFLECTED } from "./chunk.ts";
import { Connecting } from "./connecting.ts";
import { checksumMatches } from "./crc32c.ts";
import { Endpoint } from "./endpoint.ts";
import {
  addEndpointAddress,
  askForPrimary,
  hostAddressesChanged,
  removeEndpointAddress,
} from "./endpoint_addresses.ts";
import type { EndpointHandle } from "./endpoint_handle.ts";
import { newCounters } from "./environment.ts";
import type { StackCounters, StackEnvironment, StackEvent } from "./environment.ts";
import { LentOctets } from "./lent_octets.ts";
import { MAX_ASSOCIATIONS, MAX_STATELESS_REPLIES } from "./limits.ts";
import { onCookieEcho, onInit } from "./listener.ts";
import { completeOptions } from "./options.ts";
import { answerToStranger } from "./out_of_the_blue.ts";
import {
  COMMON_HEADER_OCTETS,
  makePacket,
  MIN_PACKET_OCTETS,
  readU16,
  readU32,
  viewBehind,
} from "./packet.ts";
import type { Host, Party } from "./party.ts";
import { NEVER } from "./path.ts";
import type { Target } from "./path.ts";
import type { OptionScope } from "./socket_option_scope.ts";
import { getSocketOption, setSocketOption } from "./socket_options.ts";

/** A packet that is ready to go, of no association or of one that has ended with it. */
interface Reply {
  readonly packet: Uint8Array;
  readonly target: Target;
  readonly localPort: number;
}

/** Packets that one association may send before the next one has its turn. */
const TURN_PACKETS = 32;

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
  readonly #handles = new Map<number, EndpointHandle>();
  /** Associations that have a handle of their own. */
  readonly #peeled = new Map<AssociationId, EndpointHandle>();
  readonly #ports = new Map<number, Endpoint>();
  readonly #parties = new Map<AssociationId, Party>();
  readonly #timers = new TimerQueue<Party>();
  /** When a closing endpoint aborts what is left, or tells that it is closed. */
  readonly #closings = new TimerQueue<EndpointHandle>();
  #ready: Party[] = [];
  #readyHead = 0;
  #turn = 0;
  readonly #replies: Reply[] = [];
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
    if (this.#handles.has(endpoint)) throw new StateError(`Endpoint ${endpoint} is open already`);
    if (this.#ports.has(options.port)) throw new StateError(`Port ${options.port} is in use`);
    const opened = new Endpoint(endpoint, completeOptions(options), this.#environment);
    this.#handles.set(endpoint, {
      handle: endpoint,
      endpoint: opened,
      association: undefined,
      closing: false,
    });
    this.#ports.set(options.port, opened);
  }

  /** Carries out a command. One for an association that is gone is ignored. */
  execute(endpoint: number, command: TransportCommand, now: Instant): void {
    this.#now = now;
    const owner = this.#handles.get(endpoint);
    if (owner === undefined) return;
    if (command.type === "connect") return this.#connect(owner, command, now);
    const party = this.#parties.get(command.association);
    if (party !== undefined && this.#owns(owner, party)) party.execute(command, now);
  }

  #owns(owner: EndpointHandle, party: Party): boolean {
    if (owner.association !== undefined) return owner.association === party.id;
    return party.endpoint === owner.endpoint && !this.#peeled.has(party.id);
  }

  /** The handle that a party belongs to; undefined when it is closed. */
  #ownerOf(party: Party): EndpointHandle | undefined {
    return this.#peeled.get(party.id) ?? this.#handles.get(party.endpoint.handle);
  }

  /** An association of a handle; undefined when it is gone, or another handle's. */
  #associationOf(owner: EndpointHandle | undefined, id: AssociationId): Association | undefined {
    const party = this.#parties.get(id);
    const there = owner !== undefined && party instanceof Association && this.#owns(owner, party);
    return there ? party : undefined;
  }

  #partiesOf(owner: EndpointHandle): Party[] {
    return owner.endpoint.parties().filter((party) => this.#owns(owner, party));
  }

  #connect(
    owner: EndpointHandle,
    command: Extract<TransportCommand, { type: "connect" }>,
    now: Instant,
  ): void {
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

  /**
   * Closes an endpoint: it takes no new associations, shuts down those that it has and, after `lingerMs`, aborts the
   * rest. The event `closed` is its last one and comes after its last packet was fetched.
   */
  close(endpoint: number, lingerMs: number, now: Instant): void {
    this.#now = now;
    const closing = this.#handles.get(endpoint);
    if (closing === undefined || closing.closing) return;
    closing.closing = true;
    if (closing.association === undefined) {
      closing.endpoint.closing = true;
      closing.endpoint.listening = false;
    }
    const parties = this.#partiesOf(closing);
    for (const party of parties) party.execute({ type: "shutdown", association: party.id }, now);
    this.#closings.set(closing, this.#partiesOf(closing).length === 0 ? now : now + lingerMs);
  }

  /** A peeled-off association's endpoint has that one alone. */
  #refuse({ handle }: EndpointHandle, request: number): void {
    const event = { association: this.#host.newId(), request, reason: "refused", origin: "local" } as const;
    this.#events.push({ endpoint: handle, event: { type: "down", ...event, cause: undefined } });
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
      this.#dispatch(endpoint, packet, meta, now);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#counters.malformed++;
    }
  }

  #dispatch(endpoint: Endpoint, packet: Uint8Array, meta: PacketMeta, now: Instant): void {
    const tag = readU32(packet, 4);
    const party = endpoint.byTag(tag);
    const firstAt = behindAuth(packet);
    const type = packet[firstAt]!;
    const peerPort = readU16(packet, 0);
    if (
      (type <= ChunkType.sack || type === ChunkType.iData) && type !== ChunkType.init &&
      party !== undefined && party.peerPort === peerPort
    ) {
      return party.receive(packet, meta, now); // nearly all packets: DATA and SACK
    }
    if (party === undefined && !endpoint.isBoundTo(meta.destination)) {
      this.#counters.outOfTheBlue++; // a wildcard socket hears of addresses that are not this endpoint's
      return;
    }
    if (
      !isUnicast(meta.source) || !isUnicast(meta.destination) || peerPort === 0 ||
      (tag === 0) !== (type === ChunkType.init)
    ) {
      this.#counters.outOfTheBlue++; // a zero tag belongs to INIT, and to nothing else (§8.5.1 A)
    } else if (type === ChunkType.init) {
      this.#onInit(endpoint, packet, peerPort, meta, now);
    } else if (type === ChunkType.cookieEcho) {
      onCookieEcho(this.#host, endpoint, packet, firstAt, tag, peerPort, meta, now)
        ?.receive(packet, meta, now, firstAt);
    } else if (party !== undefined && party.peerPort === peerPort && !isReflected(packet)) {
      party.receive(packet, meta, now);
    } else {
      this.#onStranger(endpoint, packet, tag, peerPort, meta, now);
    }
  }

  /** INIT must be alone in its packet (RFC 9260 §6.10). */
  #onInit(endpoint: Endpoint, packet: Uint8Array, peerPort: number, meta: PacketMeta, now: Instant): void {
    const chunk = chunkAt(packet, COMMON_HEADER_OCTETS);
    if (nextChunkAt(COMMON_HEADER_OCTETS, chunk.length) < packet.length) {
      this.#counters.malformed++;
      return;
    }
    onInit(this.#host, endpoint, chunk, peerPort, meta, now);
  }

  /** The tag names no association: a reflected tag, an old association's packet, or a stranger (§8.4, §8.5). */
  #onStranger(
    endpoint: Endpoint,
    packet: Uint8Array,
    tag: number,
    peerPort: number,
    meta: PacketMeta,
    now: Instant,
  ): void {
    const known = endpoint.byAddress(meta.source, peerPort);
    if (known !== undefined && isReflected(packet) && tag !== 0 && known.peerTag === tag) {
      return known.receive(packet, meta, now);
    }
    const settingUp = known instanceof Connecting ||
      (known instanceof Association && known.state === "cookie-echoed");
    const ending = packet[COMMON_HEADER_OCTETS] === ChunkType.shutdownAck;
    if (known !== undefined && !(settingUp && ending)) { // §8.5.1 E lets a SHUTDOWN ACK through
      this.#counters.wrongTag++;
      return;
    }
    this.#counters.outOfTheBlue++;
    const answer = answerToStranger(packet);
    if (answer !== undefined) {
      this.#host.reply(endpoint, endpoint.targetOf(meta), peerPort, tag, [answer]);
    }
  }

  /** Takes an ICMP message about a packet of this stack. */
  receiveError(error: PacketError, now: Instant): void {
    this.#now = now;
    const { packet } = error;
    const quoted = packet.length >= 4;
    const localPort = quoted ? readU16(packet, 0) : error.localPort;
    const endpoint = this.#ports.get(localPort);
    if (endpoint === undefined) return;
    if (quoted) {
      endpoint.byAddress(error.destination, readU16(packet, 2))?.receiveError(error, now);
      return;
    }
    // Without a quotation only attempts can be told: they match by address and UDP port.
    for (const party of endpoint.parties()) {
      if (party instanceof Connecting && party.peerAddresses.includes(error.destination)) {
        party.receiveError(error, now);
      }
    }
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
    const { handle, endpoint, association } = closing;
    for (const party of this.#partiesOf(closing)) {
      if (this.#replies.length >= MAX_STATELESS_REPLIES) break; // there is no room for its ABORT yet
      party.execute({ type: "abort", association: party.id }, now);
    }
    const more = this.#partiesOf(closing).length > 0;
    if (more || this.#replies.some((reply) => reply.localPort === endpoint.port)) {
      this.#closings.set(closing, now + LAST_PACKETS_RETRY_MS);
      return;
    }
    this.#handles.delete(handle);
    if (association !== undefined) this.#peeled.delete(association);
    const shared = [...this.#handles.values()].some((other) => other.endpoint === endpoint);
    if (!shared) this.#ports.delete(endpoint.port);
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
    transmit.fragmentation = undefined;
    const reply = this.#replies.shift();
    if (reply !== undefined) {
      buffer.set(reply.packet);
      transmit.length = reply.packet.length;
      transmit.source = reply.target.source;
      transmit.destination = reply.target.address;
      transmit.udpPort = reply.target.encapsulationPort;
      transmit.localPort = reply.localPort;
      this.#counters.packetsSent++;
      return true;
    }
    while (this.#readyHead < this.#ready.length) {
      const party = this.#ready[this.#readyHead]!;
      if (party.buildPacket(buffer, transmit, now)) {
        this.#counters.packetsSent++;
        if (++this.#turn >= TURN_PACKETS) this.#nextTurn(party);
        return true;
      }
      party.queuedToSend = false;
      this.#readyHead++;
      this.#turn = 0;
    }
    this.#ready.length = 0;
    this.#readyHead = 0;
    return false;
  }

  /** The party goes behind the others. */
  #nextTurn(party: Party): void {
    this.#turn = 0;
    this.#readyHead++;
    this.#ready.push(party);
    if (this.#readyHead < 1024) return;
    this.#ready = this.#ready.slice(this.#readyHead);
    this.#readyHead = 0;
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
    return getSocketOption(this.#optionScope(endpoint, name, target, this.#now));
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
    setSocketOption(this.#optionScope(endpoint, name, target, now), value);
  }

  #optionScope(
    handle: number,
    name: SocketOptionName,
    target: SocketOptionTarget,
    now: Instant,
  ): OptionScope {
    const owner = this.#handles.get(handle);
    if (owner === undefined) throw new SocketOptionError("EINVAL", "The endpoint is closed");
    const { endpoint } = owner;
    const { address, stream } = target;
    const id = target.association ?? owner.association;
    const associations = (): number[] =>
      this.#partiesOf(owner).map((party) => party.id).sort((a, b) => a - b);
    const scope = { name, endpoint, stream, now, associations };
    if (id === undefined) {
      if (address === undefined) {
        return { ...scope, parts: undefined, path: undefined, settings: endpoint.settings };
      }
      throw new SocketOptionError("EINVAL", "An address belongs to an association: say which one");
    }
    const parts = this.#associationOf(owner, id)?.parts;
    if (parts === undefined) {
      throw new SocketOptionError("ENOTCONN", `There is no association ${id} that is up`);
    }
    const path = address === undefined ? undefined : parts.paths.find(address);
    if (address !== undefined && path === undefined) {
      throw new SocketOptionError("EINVAL", `${address} is not an address of the peer`);
    }
    return { ...scope, parts, path, settings: parts.settings };
  }

  /**
   * Adds an address to an endpoint. Living associations with dynamic addresses tell their peers (RFC 5061), others stay as
   * they are.
   *
   * @throws {SocketOptionError} EADDRNOTAVAIL or EINVAL
   */
  addAddress(endpoint: number, address: IpAddress, now: Instant): void {
    this.#now = now;
    addEndpointAddress(this.#openEndpoint(endpoint), address, now);
  }

  /**
   * Takes an address from an endpoint.
   *
   * @throws {SocketOptionError} EINVAL when it is the last one, or not one of the endpoint's
   */
  removeAddress(endpoint: number, address: IpAddress, now: Instant): void {
    this.#now = now;
    removeEndpointAddress(this.#openEndpoint(endpoint), address, now);
  }

  /**
   * Asks a peer to send to one of this side's addresses in the first place.
   *
   * @throws {SocketOptionError} ENOTCONN when the association is gone, EPERM when it has no dynamic addresses,
   * EADDRNOTAVAIL when the address is not this side's
   */
  setPeerPrimary(endpoint: number, association: AssociationId, address: IpAddress, now: Instant): void {
    this.#now = now;
    askForPrimary(this.#associationOf(this.#handles.get(endpoint), association), address, now);
  }

  #openEndpoint(handle: number): Endpoint {
    const endpoint = this.#handles.get(handle)?.endpoint;
    if (endpoint === undefined) throw new SocketOptionError("EINVAL", "The endpoint is closed");
    return endpoint;
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
    if (this.#handles.has(handle)) throw new StateError(`Endpoint ${handle} is open already`);
    const owner = this.#handles.get(endpoint);
    if (owner === undefined || this.#associationOf(owner, association) === undefined) {
      throw new SocketOptionError("ENOTCONN", `There is no association ${association} that is up`);
    }
    if (owner.association !== undefined) {
      throw new SocketOptionError("EINVAL", `Association ${association} is peeled off already`);
    }
    const peeled = { handle, endpoint: owner.endpoint, association, closing: false };
    this.#handles.set(handle, peeled);
    this.#peeled.set(association, peeled);
    this.#events = this.#events.map((waiting) => {
      const { event } = waiting;
      return event.type !== "closed" && event.association === association
        ? { endpoint: handle, event }
        : waiting;
    });
    if (owner.closing && this.#partiesOf(owner).length === 0) this.#closings.set(owner, now);
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
      wake: (party) => this.#wake(party),
      schedule: (party, dueAt) => {
        party.scheduledAt = dueAt;
        this.#timers.set(party, dueAt);
      },
      emit: (endpoint, event) => this.#emit(endpoint, event),
      replace: (old, next) => this.#replace(old, next),
      remove: (party) => this.#remove(party),
      isClosing: (party) => this.#ownerOf(party)?.closing === true,
      reply: (endpoint, target, peerPort, tag, chunks) => {
        if (this.#replies.length >= MAX_STATELESS_REPLIES) {
          this.#counters.limited++;
          return;
        }
        const packet = makePacket(endpoint.port, peerPort, tag, chunks);
        this.#replies.push({ packet, target, localPort: endpoint.port });
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

  #wake(party: Party): void {
    if (party.queuedToSend) return;
    party.queuedToSend = true;
    this.#ready.push(party);
  }

  #emit(endpoint: Endpoint, event: TransportEvent): void {
    const peeled = this.#peeled.size === 0 ? undefined : this.#peeled.get(event.association);
    this.#events.push({ endpoint: peeled?.handle ?? endpoint.handle, event });
  }

  #replace(old: Party | undefined, next: Party): void {
    if (old !== undefined) this.#forget(old);
    this.#parties.set(next.id, next);
    next.endpoint.add(next);
  }

  #remove(party: Party): void {
    if (this.#parties.get(party.id) === party) this.#forget(party);
    const owner = this.#ownerOf(party);
    if (!owner?.closing) return;
    const last = this.#peeled.size === 0 ? party.endpoint.size === 0 : this.#partiesOf(owner).length === 0;
    if (last) this.#closings.set(owner, this.#now);
  }

  #forget(party: Party): void {
    this.#parties.delete(party.id);
    this.#timers.clear(party);
    party.scheduledAt = NEVER;
    party.endpoint.remove(party, this.#now);
  }
}

const GIVE_UP: TransportCommand = { type: "abort", association: 0 };

/** Whether the packet is an ABORT or SHUTDOWN COMPLETE whose tag is its sender's own. */
function isReflected(packet: Uint8Array): boolean {
  const type = packet[COMMON_HEADER_OCTETS];
  return (type === ChunkType.abort || type === ChunkType.shutdownComplete) &&
    (packet[COMMON_HEADER_OCTETS + 1]! & TAG_REFLECTED) !== 0;
}
