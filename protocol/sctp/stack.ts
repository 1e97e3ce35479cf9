import { Prng, TimerQueue } from "../machine.ts";
import type {
  AssociationId,
  AssociationStatus,
  EndpointOptions,
  Instant,
  PacketError,
  PacketMeta,
  PacketTransmit,
  TransportCommand,
  TransportEvent,
} from "../net.ts";
import { assert } from "../wire/assert.ts";
import { DecodeError, StateError } from "../wire/errors.ts";
import { isUnicast } from "./addresses.ts";
import { Association } from "./association.ts";
import { chunkAt, ChunkType, nextChunkAt, TAG_REFLECTED } from "./chunk.ts";
import { Connecting } from "./connecting.ts";
import { checksumMatches } from "./crc32c.ts";
import { Endpoint } from "./endpoint.ts";
import { newCounters } from "./environment.ts";
import type { StackCounters, StackEnvironment, StackEvent } from "./environment.ts";
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
  readonly #endpoints = new Map<number, Endpoint>();
  readonly #ports = new Map<number, Endpoint>();
  readonly #parties = new Map<AssociationId, Party>();
  readonly #timers = new TimerQueue<Party>();
  /** When a closing endpoint aborts what is left, or tells that it is closed. */
  readonly #closings = new TimerQueue<Endpoint>();
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
    if (this.#endpoints.has(endpoint)) throw new StateError(`Endpoint ${endpoint} is open already`);
    if (this.#ports.has(options.port)) throw new StateError(`Port ${options.port} is in use`);
    const opened = new Endpoint(endpoint, completeOptions(options), this.#environment);
    this.#endpoints.set(endpoint, opened);
    this.#ports.set(options.port, opened);
  }

  /** Carries out a command. One for an association that is gone is ignored. */
  execute(endpoint: number, command: TransportCommand, now: Instant): void {
    this.#now = now;
    const owner = this.#endpoints.get(endpoint);
    if (owner === undefined) return;
    if (command.type === "connect") return this.#connect(owner, command, now);
    const party = this.#parties.get(command.association);
    if (party !== undefined && party.endpoint === owner) party.execute(command, now);
  }

  #connect(endpoint: Endpoint, command: Extract<TransportCommand, { type: "connect" }>, now: Instant): void {
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
    const closing = this.#endpoints.get(endpoint);
    if (closing === undefined || closing.closing) return;
    closing.closing = true;
    closing.listening = false;
    for (const party of closing.parties()) party.execute({ type: "shutdown", association: party.id }, now);
    this.#closings.set(closing, closing.size === 0 ? now : now + lingerMs);
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
    const type = packet[COMMON_HEADER_OCTETS]!;
    const peerPort = readU16(packet, 0);
    if (
      type <= ChunkType.sack && type !== ChunkType.init && party !== undefined && party.peerPort === peerPort
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
      const chunk = chunkAt(packet, COMMON_HEADER_OCTETS);
      onCookieEcho(this.#host, endpoint, chunk, tag, peerPort, meta, now)?.receive(packet, meta, now);
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

  #goOnClosing(endpoint: Endpoint, now: Instant): void {
    for (const party of endpoint.parties()) party.execute({ type: "abort", association: party.id }, now);
    if (this.#replies.some((reply) => reply.localPort === endpoint.port)) {
      this.#closings.set(endpoint, now + LAST_PACKETS_RETRY_MS);
      return;
    }
    this.#endpoints.delete(endpoint.handle);
    this.#ports.delete(endpoint.port);
    this.#closings.clear(endpoint);
    this.#events.push({ endpoint: endpoint.handle, event: { type: "closed" } });
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
    for (const endpoint of this.#endpoints.values()) associations += endpoint.size;
    assert(associations === this.#parties.size, "every party belongs to an endpoint");
  }

  #makeHost(): Host {
    const seed = new Uint8Array(4);
    this.#environment.random(seed);
    return {
      environment: this.#environment,
      counters: this.#counters,
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
    this.#events.push({ endpoint: endpoint.handle, event });
  }

  #replace(old: Party | undefined, next: Party): void {
    if (old !== undefined) this.#forget(old);
    this.#parties.set(next.id, next);
    next.endpoint.add(next);
  }

  #remove(party: Party): void {
    if (this.#parties.get(party.id) === party) this.#forget(party);
    const { endpoint } = party;
    if (endpoint.closing && endpoint.size === 0) this.#closings.set(endpoint, this.#now);
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
