/**
 * An association from the moment its peer is known (RFC 9260 §4).
 *
 * Theory of operation. Everything comes in through `receive`, `receiveError`, `execute` and `tick`, and leaves through
 * `buildPacket` and the events of the host. Nothing is sent from within an input: inputs change state, and
 * `buildPacket` asks that state for the most urgent thing. Control chunks come first, then a SACK, then data that was
 * lost, then new data; a packet goes to one path and takes what fits. So one SACK answers a whole batch of packets,
 * and chunks bundle by themselves.
 *
 * | state | enters by | leaves by |
 * |---|---|---|
 * | (cookie-wait) | see connecting.ts | INIT ACK |
 * | cookie-echoed | INIT ACK | COOKIE ACK, or the peer's COOKIE ECHO: established |
 * | established | COOKIE ECHO, COOKIE ACK | user's shutdown: shutdown-pending; SHUTDOWN: shutdown-received |
 * | shutdown-pending | user's shutdown | all data acknowledged: sends SHUTDOWN, shutdown-sent; SHUTDOWN: shutdown-received |
 * | shutdown-received | SHUTDOWN | all data acknowledged: sends SHUTDOWN ACK, shutdown-ack-sent |
 * | shutdown-sent | see shutdown-pending | SHUTDOWN ACK: sends SHUTDOWN COMPLETE, ends; SHUTDOWN: shutdown-ack-sent |
 * | shutdown-ack-sent | see above | SHUTDOWN COMPLETE or SHUTDOWN ACK: ends |
 *
 * ABORT, too many errors, or ICMP's word that the peer's port is gone end it from every state. This file is about being
 * set up, the user's commands, and the end. All else has files of its own, and association_parts.ts joins them: packets
 * are taken apart (packet_reader.ts, control_chunks.ts) and built (packet_builder.ts); data goes out (sending.ts,
 * outbound.ts), is acknowledged (progress.ts), and comes in (reception.ts, inbound.ts); paths are watched over
 * (supervision.ts, path_mtu.ts); time passes (association_timers.ts); a shutdown takes its way (shutdown.ts).
 *
 * Timers are fields that hold an instant, {@linkcode NEVER} when they do not run. The stack keeps one entry per
 * association, which may be too early but never too late: a timer that moves back costs nothing.
 */
import type {
  AssociationId,
  AssociationStatistics,
  AssociationStatus,
  DownReason,
  ErrorCause,
  Instant,
  IpAddress,
  PacketError,
  PacketMeta,
  PacketTransmit,
  Route,
  SendCommand,
  TransportCommand,
} from "../net.ts";
import { assert } from "../wire/assert.ts";
import { AssociationParts } from "./association_parts.ts";
import type { AssociationSeed, AssociationState } from "./association_seed.ts";
import { associationStatus } from "./association_status.ts";
import { AssociationTimers } from "./association_timers.ts";
import type { Authentication } from "./authentication.ts";
import { CauseCode, textCause } from "./causes.ts";
import { ChunkType, makeChunk } from "./chunk.ts";
import type { DynamicAddresses } from "./dynamic_addresses.ts";
import type { Endpoint } from "./endpoint.ts";
import { COMMON_HEADER_OCTETS, readU32 } from "./packet.ts";
import type { EndpointSettings } from "./options.ts";
import { PacketReader } from "./packet_reader.ts";
import type { Host, Party } from "./party.ts";
import { NEVER } from "./path.ts";
import { refuseReconfiguration } from "./reconfiguration.ts";
import type { ReconfigurationCommand } from "./reconfiguration.ts";

/** One association. */
export class Association implements Party {
  readonly id: AssociationId;
  readonly endpoint: Endpoint;
  readonly localTag: number;
  readonly peerPort: number;
  readonly peerAddresses: IpAddress[];
  /** The `request` of the `connect`; undefined for a peer's association. */
  readonly request: number | undefined;
  peerTag: number;
  cookieEndsAt: Instant = -Infinity;
  queuedToSend = false;
  scheduledAt: Instant = NEVER;
  state: AssociationState = "cookie-echoed";
  /** What the initiator does with a stale cookie; true = it starts over and this association is gone. */
  onStaleCookie: ((now: Instant) => boolean) | undefined = undefined;

  /** What it is made of. */
  readonly parts: AssociationParts;
  readonly #reader: PacketReader;
  readonly #timers: AssociationTimers;

  constructor(host: Host, endpoint: Endpoint, seed: AssociationSeed) {
    this.id = seed.id;
    this.endpoint = endpoint;
    this.request = seed.request;
    this.localTag = seed.localTag;
    this.peerTag = seed.peerTag;
    this.peerPort = seed.peerPort;
    this.peerAddresses = [...seed.addresses];
    this.parts = new AssociationParts(this, host, seed);
    this.#reader = new PacketReader(this.parts);
    this.#timers = new AssociationTimers(this.parts);
  }

  /** The tags and TSNs this association was made with, for INITs that collide with it. */
  get seed(): AssociationSeed {
    return this.parts.seed;
  }

  get settings(): EndpointSettings {
    return this.parts.settings;
  }

  /** What is authenticated, and how; undefined = nothing (RFC 4895). */
  get authentication(): Authentication | undefined {
    return this.parts.authentication;
  }

  /** Changes of addresses; undefined = there are none (RFC 5061). */
  get dynamic(): DynamicAddresses | undefined {
    return this.parts.dynamic;
  }

  /** Whether the state lets DATA go out. */
  get mayCarryData(): boolean {
    return this.state === "established" || this.state === "shutdown-pending" ||
      this.state === "shutdown-received";
  }

  // --------------------------------------------------------------------------------------------------- setting up

  /** Initiator: the INIT ACK has come, its cookie goes back. */
  echoCookie(chunks: readonly Uint8Array[], now: Instant): void {
    this.parts.cookieEcho.start(chunks, now);
  }

  /** Initiator: COOKIE ACK has come. */
  cookieAcknowledged(now: Instant): void {
    if (this.state !== "cookie-echoed") return;
    this.parts.cookieEcho.answered(now);
    this.#established(now);
  }

  /**
   * Listener, or either side of a collision: the peer's cookie was good.
   *
   * @param from where the COOKIE ECHO came from, and its answer goes (§6.4)
   */
  acceptCookie(from: IpAddress, now: Instant): void {
    if (this.state === "cookie-echoed") this.#established(now);
    this.#acknowledgeCookie(from, now);
  }

  #acknowledgeCookie(from: IpAddress, now: Instant): void {
    const { paths } = this.parts;
    this.parts.sendToVerify([makeChunk(ChunkType.cookieAck, 0)], paths.find(from) ?? paths.primary, now);
  }

  /** Takes on the tag that the peer used in a collision (§5.2.4, action B). */
  adoptPeerTag(tag: number): void {
    this.peerTag = tag;
  }

  /** Same association, a peer that has lost its memory (§5.2.4.1): what was queued fails, the ID stays. */
  restartedFrom(old: Association, from: IpAddress, now: Instant): void {
    const { events, dynamic } = this.parts, { sending } = old.parts;
    this.state = "established";
    events.restarted();
    sending.failAll();
    old.discard();
    if (sending.blocked) events.writable();
    this.#supervise(now);
    dynamic?.start(now);
    this.#acknowledgeCookie(from, now);
  }

  #established(now: Instant): void {
    this.onStaleCookie = undefined; // the attempt behind it is over, and holds the INIT and more
    const { cookieEcho, host, events, dynamic } = this.parts;
    this.state = "established";
    cookieEcho.drop();
    host.counters.associationsUp++;
    events.up();
    this.#supervise(now);
    dynamic?.start(now);
    this.parts.wake();
  }

  #supervise(now: Instant): void {
    const { supervision, paths, pathMtu, autoClose } = this.parts;
    supervision.start(now);
    for (const path of paths.list) {
      this.parts.arm(path.heartbeatAt);
      if (path.confirmed) pathMtu.start(path, now);
    }
    autoClose.touch(now);
  }

  // ------------------------------------------------------------------------------------------------ packets and time

  /** @param from where to start; behind an AUTH chunk that was verified with other keys than this association's */
  receive(packet: Uint8Array, meta: PacketMeta, now: Instant, from: number = COMMON_HEADER_OCTETS): void {
    this.#reader.read(packet, meta, now, from);
  }

  receiveError(error: PacketError, now: Instant): void {
    const { paths, pathMtu, supervision } = this.parts;
    const path = paths.find(error.destination);
    // Only a message that quotes our packet with the right tag can be trusted (RFC 9260 §10, RFC 6951 §5.5).
    const trusted = error.packet.length >= 8 && readU32(error.packet, 4) === this.peerTag;
    if (path === undefined || !trusted || path.encapsulationPort !== error.udpPort) return;
    if (error.kind === "too-big") {
      if (error.mtu !== undefined) pathMtu.tooBig(path, error.mtu, now);
    } else if (error.kind !== "host-unreachable" && path.confirmed && !this.#doubtsIcmp) {
      this.end("refused", "peer", undefined);
    } else if (this.state !== "cookie-echoed") {
      supervision.probeSoon(path, now);
      this.parts.arm(path.heartbeatAt);
    }
  }

  /** Who takes no ABORT without a proof takes none from a router either: nothing in ICMP is authenticated (RFC 4895 §6.3). */
  get #doubtsIcmp(): boolean {
    return this.authentication?.expects(ChunkType.abort) === true;
  }

  buildPacket(buffer: Uint8Array, transmit: PacketTransmit, now: Instant): boolean {
    if (this.state === "closed") return false;
    const { parts } = this;
    if (this.mayCarryData) {
      parts.outbound.prepare(now); // what is too old to be sent is given up
      if (parts.reconfiguration !== undefined) {
        parts.reconfiguration.progress(now);
        parts.outbound.prepare(now); // what was held back may have become too old meanwhile
      }
      if (parts.sending.abandonedAny) parts.progress.relieved(now);
    }
    const path = parts.builder.build(buffer, transmit, this.peerTag, this.mayCarryData, now);
    if (path === undefined) return false;
    parts.arm(path.t3At);
    return true;
  }

  tick(now: Instant): Instant {
    this.#timers.tick(now);
    return this.state === "closed" ? NEVER : this.#timers.next();
  }

  // ----------------------------------------------------------------------------------------------------- commands

  execute(command: TransportCommand, now: Instant): void {
    switch (command.type) {
      case "send":
        return this.#send(command, now);
      case "shutdown":
        return this.shutdown(now);
      case "abort":
        return this.abort(command.reason ?? "", now);
      case "setPrimary":
        return this.#setPrimary(command.address);
      case "heartbeat":
        return this.#requestHeartbeats(command.address, now);
      case "consumed":
        return this.#consumed(command.octets);
      case "resetStreams":
      case "resetAssociation":
      case "addStreams":
        return this.#reconfigure(command, now);
      case "connect":
        return assert(false, "a connect has no association yet");
      default:
        return command satisfies never;
    }
  }

  #send(command: SendCommand, now: Instant): void {
    const open = this.state === "established" || this.state === "cookie-echoed";
    if (!this.parts.sending.send(command, open, now)) return;
    this.parts.autoClose.touch(now);
    this.parts.wake();
  }

  /** Sends what is queued, then SHUTDOWN. */
  shutdown(now: Instant): void {
    if (this.state === "cookie-echoed") return this.abort("", now);
    if (this.state !== "established") return;
    this.parts.autoClose.stop();
    this.parts.shutdown.begin("shutdown-pending", now);
  }

  /** ABORT with "user-initiated abort". */
  abort(reason: string, _now: Instant): void {
    this.parts.abort(textCause(CauseCode.userInitiatedAbort, reason));
  }

  #setPrimary(address: IpAddress): void {
    const path = this.parts.paths.find(address);
    if (path !== undefined) this.parts.setPrimary(path);
  }

  /** @param address undefined = all of the peer's */
  #requestHeartbeats(address: IpAddress | undefined, now: Instant): void {
    if (this.state === "cookie-echoed") return this.parts.wake();
    for (const path of this.parts.paths.list) {
      if (address !== undefined && address !== path.address) continue;
      this.parts.supervision.request(path, now);
      this.parts.arm(path.heartbeatAt);
    }
    this.parts.wake();
  }

  /** The reader has taken messages: when that opens a closed window, the peer is told (§6.2). */
  #consumed(octets: number): void {
    const { inbound, outbound, settings: { manualReceive, receiveBuffer } } = this.parts;
    if (!manualReceive) return;
    inbound.consumed(octets);
    const growth = inbound.window - inbound.advertised;
    const segment = Math.min(outbound.writer.fragmentOctets, receiveBuffer / 2);
    const reopens = inbound.advertised < segment && inbound.window >= segment;
    if (!reopens && growth < receiveBuffer / 2) return; // small steps would make small packets: silly windows
    this.parts.acknowledge();
  }

  #reconfigure(command: ReconfigurationCommand, now: Instant): void {
    const possible = this.seed.extensions.reconfiguration && this.state === "established";
    if (!possible) return refuseReconfiguration(this.parts, command);
    const reconfiguration = this.parts.reconfigure();
    reconfiguration.execute(command, now);
    reconfiguration.progress(now);
  }

  // ------------------------------------------------------------------------------------------------------- routes

  /** The route to an address, from one that the association may use. */
  routeTo(address: IpAddress): Route | undefined {
    return this.endpoint.routeFrom(address, this.dynamic?.sources ?? this.parts.settings.addresses);
  }

  /** The addresses or routes of this host have changed. */
  renewRoutes(): void {
    let changed = false;
    for (const path of this.parts.paths.list) changed = path.takeRoute(this.routeTo(path.address)) || changed;
    if (changed) this.parts.measureFragments();
  }

  // ---------------------------------------------------------------------------------------------------------- end

  /** The peer begins anew while we wait for its SHUTDOWN COMPLETE (§5.2.2, §9.2): it hears the SHUTDOWN ACK again. */
  repeatShutdownAck(now: Instant): void {
    if (this.state === "shutdown-ack-sent") this.parts.shutdown.repeat(now);
  }

  /** Ends, whatever the reason is: the user hears of it, and what was not acknowledged has failed. */
  end(reason: DownReason, origin: "local" | "peer", cause: ErrorCause | undefined): void {
    if (this.state === "closed") return;
    const { sending, host, events } = this.parts;
    // Once SHUTDOWN ACK was sent both sides have all data. If SHUTDOWN COMPLETE does not come, it was lost, and the
    // peer has perhaps gone away with its port: the shutdown was graceful all the same.
    const complete = this.state === "shutdown-ack-sent";
    sending.failAll();
    this.discard();
    host.counters.associationsDown++;
    if (complete) events.down("shutdown", "peer", undefined);
    else events.down(reason, origin, cause);
    host.remove(this);
  }

  /** Ends without a word: another party goes on with its tag. */
  discard(): void {
    this.state = "closed";
    this.parts.control.clear();
  }

  // ------------------------------------------------------------------------------------------------------ questions

  status(): AssociationStatus {
    return associationStatus(this.parts);
  }

  statistics(): AssociationStatistics {
    return this.parts.counts.take(this.parts.paths.list);
  }

  checkInvariants(): void {
    this.parts.invariants.check(this.#timers.next());
  }
}
