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
 * ABORT, too many errors, or ICMP's word that the peer's port is gone end it from every state. The parts have files of
 * their own: data out and in (outbound.ts, inbound.ts), paths (supervision.ts), the way to the end (shutdown.ts), and what
 * a packet is made of (packet_builder.ts).
 *
 * Timers are fields that hold an instant, {@linkcode NEVER} when they do not run. The stack keeps one entry per
 * association, which may be too early but never too late: a timer that moves back costs nothing.
 */
import type {
  AssociationId,
  AssociationStatus,
  DownReason,
  ErrorCause,
  Instant,
  IpAddress,
  PacketError,
  PacketMeta,
  PacketTransmit,
  TransportCommand,
} from "../net.ts";
import { assert } from "../wire/assert.ts";
import { DecodeError } from "../wire/errors.ts";
import type { AssociationSeed, AssociationState } from "./association_seed.ts";
import {
  CauseCode,
  invalidStreamCause,
  makeAbort,
  makeError,
  numberCause,
  readCauses,
  textCause,
} from "./causes.ts";
import {
  chunkLengthAt,
  ChunkType,
  makeChunk,
  nextChunkAt,
  reportsUnknown,
  skipsUnknown,
  TAG_REFLECTED,
} from "./chunk.ts";
import { ControlQueue } from "./control_queue.ts";
import { CookieEcho } from "./cookie_echo.ts";
import { DATA_HEADER_OCTETS, DataFlag } from "./data_chunk.ts";
import type { Endpoint } from "./endpoint.ts";
import { ErrorBudget } from "./error_budget.ts";
import { DataOutcome, Inbound } from "./inbound.ts";
import type { MessageSink } from "./inbound.ts";
import { MAX_CHUNKS_PER_PACKET, MAX_HEARTBEAT_OCTETS, MAX_REPORTED_OCTETS } from "./limits.ts";
import { Outbound, SackOutcome } from "./outbound.ts";
import { COMMON_HEADER_OCTETS, readU16, readU32 } from "./packet.ts";
import { PacketBuilder } from "./packet_builder.ts";
import type { Host, Party } from "./party.ts";
import { NEVER, Path } from "./path.ts";
import type { Target } from "./path.ts";
import { PathSet } from "./path_set.ts";
import { gapBlockCount, SACK_HEADER_OCTETS } from "./sack_chunk.ts";
import { SackSchedule } from "./sack_schedule.ts";
import { Shutdown } from "./shutdown.ts";
import type { ShutdownOwner } from "./shutdown.ts";
import { Supervision } from "./supervision.ts";

/** One association. */
export class Association implements Party, MessageSink {
  readonly id: AssociationId;
  readonly endpoint: Endpoint;
  readonly localTag: number;
  readonly peerPort: number;
  readonly peerAddresses: readonly IpAddress[];
  readonly request: number | undefined;
  peerTag: number;
  cookieEndsAt: Instant = -Infinity;
  queuedToSend = false;
  scheduledAt: Instant = NEVER;
  state: AssociationState = "cookie-echoed";

  readonly #host: Host;
  readonly #seed: AssociationSeed;
  readonly #paths: PathSet;
  readonly #inbound: Inbound;
  readonly #outbound: Outbound;
  readonly #control = new ControlQueue();
  readonly #supervision: Supervision;
  readonly #sacks: SackSchedule;
  readonly #builder: PacketBuilder;

  readonly #cookieEcho = new CookieEcho();
  readonly #shutdown: Shutdown;
  #autoCloseAt: Instant = NEVER;

  /** The packet at hand has DATA. */
  #sawData = false;
  /** When the peer last acknowledged something. */
  #lastSackAt: Instant = -Infinity;

  #blocked = false;
  readonly #errors = new ErrorBudget();
  /** For the invariant that it never goes back. */
  #highestAckSeen: number;

  constructor(host: Host, endpoint: Endpoint, seed: AssociationSeed) {
    this.#host = host;
    this.#seed = seed;
    this.endpoint = endpoint;
    this.id = seed.id;
    this.request = seed.request;
    this.localTag = seed.localTag;
    this.peerTag = seed.peerTag;
    this.peerPort = seed.peerPort;
    this.peerAddresses = seed.addresses;
    const { settings } = endpoint;
    const paths = seed.addresses.map((address, index) =>
      new Path(index, address, seed.encapsulationPort, endpoint.route(address), settings)
    );
    paths[0]!.confirmed = true; // a seed has at least one address: the packet's source
    this.#paths = new PathSet(paths[0]!);
    for (const path of paths.slice(1)) this.#paths.list.push(path);
    this.#outbound = new Outbound(
      this.#paths,
      host.counters,
      seed.localTsn,
      seed.outboundStreams,
      seed.peerWindow,
    );
    this.#inbound = new Inbound(seed.peerTsn, seed.inboundStreams, settings, this, host.counters);
    this.#supervision = new Supervision(this.#paths, settings, host, this.#control, (path, change) => {
      host.emit(endpoint, { type: "path", association: this.id, address: path.address, change });
    });
    this.#sacks = new SackSchedule(settings, this.#paths.primary);
    this.#builder = new PacketBuilder(endpoint.port, this.peerPort, host.counters, {
      paths: this.#paths,
      inbound: this.#inbound,
      outbound: this.#outbound,
      control: this.#control,
      sacks: this.#sacks,
    });
    this.#shutdown = new Shutdown(this.#shutdownOwner());
    this.#builder.measureFragments();
    this.#highestAckSeen = this.#outbound.cumulativeAck;
  }

  #shutdownOwner(): ShutdownOwner {
    return {
      association: this,
      paths: this.#paths,
      inbound: this.#inbound,
      outbound: this.#outbound,
      supervision: this.#supervision,
      settings: this.endpoint.settings,
      sendLatest: (chunk, path) => this.#sendLatest(chunk, path),
      reply: (chunk) => this.#reply(this.#paths.forData(), chunk),
      arm: (dueAt) => this.#arm(dueAt),
      end: (reason, origin, cause) => this.#end(reason, origin, cause),
    };
  }

  // ------------------------------------------------------------------------------------------------ setting up

  /** Initiator: the INIT ACK has come, its cookie goes back. */
  echoCookie(chunks: readonly Uint8Array[], now: Instant): void {
    this.#cookieEcho.chunks = chunks;
    this.#sendCookieEcho(now);
  }

  #sendCookieEcho(now: Instant): void {
    const path = this.#paths.primary;
    for (const chunk of this.#cookieEcho.chunks) this.#sendLatest(chunk, path);
    this.#cookieEcho.sent(now, path.timeout);
    this.#arm(this.#cookieEcho.dueAt);
  }

  /** Listener, or either side of a collision: the peer's cookie was good. */
  acceptCookie(now: Instant): void {
    if (this.state === "cookie-echoed") this.#established(now);
    this.#sendLatest(makeChunk(ChunkType.cookieAck, 0), this.#paths.primary);
  }

  /** Takes on the tag that the peer used in a collision (§5.2.4, action B). */
  adoptPeerTag(tag: number): void {
    this.peerTag = tag;
  }

  /** Same association, a peer that has lost its memory (§5.2.4.1): what was queued fails, the ID stays. */
  restartedFrom(old: Association, now: Instant): void {
    this.state = "established";
    this.#host.emit(this.endpoint, { type: "restarted", association: this.id });
    old.#failQueue();
    old.discard();
    if (old.#blocked) this.#host.emit(this.endpoint, { type: "writable", association: this.id });
    this.#supervise(now);
    this.#sendLatest(makeChunk(ChunkType.cookieAck, 0), this.#paths.primary);
  }

  #established(now: Instant): void {
    this.state = "established";
    this.#cookieEcho.drop();
    this.#host.counters.associationsUp++;
    this.#host.emit(this.endpoint, {
      type: "up",
      association: this.id,
      request: this.request,
      peerAddresses: this.#paths.list.map((path) => path.address),
      peerPort: this.peerPort,
      outboundStreams: this.#outbound.streams,
      inboundStreams: this.#inbound.streams.count,
    });
    this.#supervise(now);
    this.#host.wake(this);
  }

  #supervise(now: Instant): void {
    this.#supervision.start(now);
    for (const path of this.#paths.list) this.#arm(path.heartbeatAt);
    this.#touch(now);
  }

  /** Ends without a word: another party goes on with its tag. */
  discard(): void {
    this.state = "closed";
    this.#control.clear();
  }

  // --------------------------------------------------------------------------------------------------- packets in

  receive(packet: Uint8Array, meta: PacketMeta, now: Instant): void {
    const path = this.#paths.find(meta.source);
    if (path !== undefined && path.encapsulationPort !== meta.udpPort) {
      this.#learnEncapsulation(path, packet, meta);
    }
    const hadGaps = this.#inbound.hasGaps;
    this.#sawData = false;
    try {
      this.#readChunks(packet, path, meta, now);
    } finally { // what stood before a chunk that cannot be read has been taken and is acknowledged
      if (this.#sawData && this.state !== "closed") this.#scheduleSack(path, hadGaps, now);
    }
  }

  #readChunks(packet: Uint8Array, path: Path | undefined, meta: PacketMeta, now: Instant): void {
    let at = COMMON_HEADER_OCTETS;
    for (let count = 0; at < packet.length && count < MAX_CHUNKS_PER_PACKET; count++) {
      const length = chunkLengthAt(packet, at);
      const type = packet[at]!;
      if (type === ChunkType.data) {
        this.#onData(packet, at, length, now);
      } else if (type === ChunkType.sack) {
        this.#onSack(packet, at, length, now);
      } else if (
        !this.#onControl(type, packet.subarray(at, at + length), readU32(packet, 4), path, meta, now)
      ) {
        return;
      }
      if (this.state === "closed") return;
      at = nextChunkAt(at, length);
    }
  }

  /** The peer's UDP port is where its last valid packet came from (RFC 6951 §5.4). */
  #learnEncapsulation(path: Path, packet: Uint8Array, meta: PacketMeta): void {
    if (this.state === "cookie-echoed" || packet[COMMON_HEADER_OCTETS] === ChunkType.initAck) return;
    path.encapsulationPort = meta.udpPort;
    this.#measureFragments();
  }

  #onData(packet: Uint8Array, at: number, length: number, now: Instant): void {
    if (length < DATA_HEADER_OCTETS) throw new DecodeError("truncated", "DATA needs 16 octets", at);
    const tsn = readU32(packet, at + 4);
    if (length === DATA_HEADER_OCTETS) return this.#abort(numberCause(CauseCode.noUserData, tsn), now);
    const { state } = this;
    if (state !== "established" && state !== "shutdown-pending" && state !== "shutdown-sent") return;
    this.#host.counters.dataChunksReceived++;
    this.#sawData = true;
    const flags = packet[at + 1]!;
    const stream = readU16(packet, at + 8);
    const outcome = this.#inbound.receive(
      packet,
      at + DATA_HEADER_OCTETS,
      at + length,
      tsn,
      stream,
      readU16(packet, at + 10),
      readU32(packet, at + 12),
      flags,
    );
    if ((flags & DataFlag.immediate) !== 0 || outcome !== DataOutcome.inOrder) this.#sacks.due = true;
    if (outcome >= DataOutcome.dropped) this.#onOddData(outcome, stream, now);
  }

  #onOddData(outcome: number, stream: number, now: Instant): void {
    if (outcome === DataOutcome.dropped) this.#host.counters.limited++;
    if (outcome === DataOutcome.badStream) this.#sendError(invalidStreamCause(stream), now);
    if (outcome === DataOutcome.tooLong) {
      this.#abort(textCause(CauseCode.outOfResource, "The message is too long for this endpoint."), now);
    }
    if (outcome === DataOutcome.violation) {
      this.#violation("The fragments of a message contradict each other.", now);
    }
  }

  #scheduleSack(path: Path | undefined, hadGaps: boolean, now: Instant): void {
    if (hadGaps || this.#inbound.hasGaps) this.#sacks.due = true;
    this.#sacks.received(path, now);
    this.#touch(now);
    if (this.state === "shutdown-sent") this.#shutdown.repeat(now); // with a SACK (§9.2)
    if (this.#sacks.due) this.#host.wake(this);
    else this.#arm(this.#sacks.dueAt);
  }

  #onSack(packet: Uint8Array, at: number, length: number, now: Instant): void {
    const gaps = gapBlockCount(packet, at, length);
    this.#host.counters.sacksReceived++;
    if (this.state === "cookie-echoed") return;
    this.#acknowledge(
      readU32(packet, at + 4),
      readU32(packet, at + 8),
      packet,
      at + SACK_HEADER_OCTETS,
      gaps,
      now,
    );
  }

  #acknowledge(
    cumulative: number,
    window: number,
    packet: Uint8Array,
    gapsAt: number,
    gaps: number,
    now: Instant,
  ): void {
    const outbound = this.#outbound;
    const outcome = outbound.acknowledge(cumulative, window, packet, gapsAt, gaps, now);
    if (outcome === SackOutcome.violation) {
      return this.#violation("A TSN was acknowledged that was not sent.", now);
    }
    if (outcome === SackOutcome.old) return;
    this.#lastSackAt = now;
    if (outbound.probing) this.#supervision.errors = 0; // it answers probes of its closed window, so it lives
    const paths = this.#paths.list;
    for (let i = 0; i < paths.length; i++) {
      const path = paths[i]!;
      if (path.anyAcked) this.#supervision.answered(path);
      this.#arm(path.t3At);
    }
    if (this.#blocked && outbound.queuedOctets < this.endpoint.settings.sendBuffer / 2) {
      this.#blocked = false;
      this.#host.emit(this.endpoint, { type: "writable", association: this.id });
    }
    this.#touch(now);
    if (outbound.markedCount > 0 || outbound.queue.length > 0) this.#host.wake(this);
    if (this.state !== "established") this.#shutdown.goOn(now);
  }

  /** @returns whether the rest of the packet is to be read */
  #onControl(
    type: number,
    chunk: Uint8Array,
    tag: number,
    path: Path | undefined,
    meta: PacketMeta,
    now: Instant,
  ): boolean {
    switch (type) {
      case ChunkType.heartbeat:
        this.#onHeartbeat(chunk, path, meta);
        return true;
      case ChunkType.heartbeatAck:
        this.#onHeartbeatAck(chunk, now);
        return true;
      case ChunkType.abort:
        if (!this.#tagRuleBroken(chunk, tag)) this.#onAbort(chunk);
        return false;
      case ChunkType.shutdown:
        this.#onShutdown(chunk, now);
        return true;
      case ChunkType.shutdownAck:
        this.#shutdown.onAcknowledged();
        return true;
      case ChunkType.shutdownComplete:
        if (this.state === "shutdown-ack-sent" && !this.#tagRuleBroken(chunk, tag)) {
          this.#end("shutdown", "peer", undefined);
        }
        return false;
      case ChunkType.error:
        return this.#onError(chunk, now);
      case ChunkType.cookieAck:
        if (this.state === "cookie-echoed") {
          this.#cookieEcho.answered(now, this.#paths.primary.timeout);
          this.#established(now);
        }
        return true;
      case ChunkType.init: // with this association's tag instead of 0: discarded (§8.5.1 A)
      case ChunkType.initAck: // answers another candidate, or comes twice (§5.2.3)
      case ChunkType.cookieEcho: // the stack has seen to it
      case ChunkType.ecnEcho:
      case ChunkType.cwr:
        return true;
      default:
        return this.#onUnknown(type, chunk, now);
    }
  }

  /** With the T bit the tag must be the peer's own, without it ours (§8.5.1 B, C). */
  #tagRuleBroken(chunk: Uint8Array, tag: number): boolean {
    return tag !== ((chunk[1]! & TAG_REFLECTED) !== 0 ? this.peerTag : this.localTag);
  }

  #onHeartbeat(chunk: Uint8Array, path: Path | undefined, meta: PacketMeta): void {
    if (chunk.length > MAX_HEARTBEAT_OCTETS) return;
    const target = path ?? this.endpoint.targetOf(meta);
    this.#sendControl(makeChunk(ChunkType.heartbeatAck, 0, (w) => w.bytes(chunk.subarray(4))), target);
  }

  #onHeartbeatAck(chunk: Uint8Array, now: Instant): void {
    if (this.state === "cookie-echoed") return;
    const path = this.#supervision.acknowledged(chunk, now);
    if (path === undefined) return;
    this.#arm(path.heartbeatAt);
    this.#host.wake(this); // data may prefer the path that has come back
  }

  #onAbort(chunk: Uint8Array): void {
    const [cause] = readCauses(chunk); // one that cannot be read is discarded (§3.3.7)
    this.#end(this.state === "cookie-echoed" ? "refused" : "aborted", "peer", cause);
  }

  #onError(chunk: Uint8Array, now: Instant): boolean {
    for (const cause of readCauses(chunk)) {
      if (this.state !== "cookie-echoed") {
        this.#host.emit(this.endpoint, { type: "remoteError", association: this.id, cause });
      } else if (cause.code === CauseCode.staleCookie) {
        this.#onStaleCookie(cause, now);
        return false;
      }
    }
    return true;
  }

  /** The way to the peer and back takes longer than its cookies live: begin anew and ask for a longer life (§5.2.6). */
  #onStaleCookie(cause: ErrorCause, now: Instant): void {
    const restart = this.onStaleCookie;
    if (restart === undefined || !restart(cause, now)) return this.#end("timeout", "peer", cause);
  }

  /** What the initiator does with a stale cookie; true = it starts over and this association is gone. */
  onStaleCookie: ((cause: ErrorCause, now: Instant) => boolean) | undefined = undefined;

  #onUnknown(type: number, chunk: Uint8Array, now: Instant): boolean {
    const actionBits = type >>> 6;
    if (reportsUnknown(actionBits)) {
      const info = chunk.slice(0, MAX_REPORTED_OCTETS);
      this.#sendError({ code: CauseCode.unrecognizedChunk, info }, now);
    }
    return skipsUnknown(actionBits);
  }

  receiveError(error: PacketError, now: Instant): void {
    const path = this.#paths.find(error.destination);
    // Only a message that quotes our packet with the right tag can be trusted (RFC 9260 §10, RFC 6951 §5.5).
    const trusted = error.packet.length >= 8 && readU32(error.packet, 4) === this.peerTag;
    if (path === undefined || !trusted || path.encapsulationPort !== error.udpPort) return;
    if (error.kind === "too-big") {
      if (error.mtu !== undefined && path.lowerMtu(error.mtu)) this.#measureFragments();
    } else if (error.kind !== "host-unreachable" && path.confirmed) {
      this.#end("refused", "peer", undefined);
    } else if (this.state !== "cookie-echoed") {
      this.#supervision.probeSoon(path, now);
      this.#arm(path.heartbeatAt);
    }
  }

  #onShutdown(chunk: Uint8Array, now: Instant): void {
    if (chunk.length < 8) throw new DecodeError("truncated", "SHUTDOWN needs 8 octets", 0);
    if (this.state === "cookie-echoed" || this.state === "shutdown-ack-sent") return;
    this.#acknowledge(readU32(chunk, 4), this.#outbound.peerWindow, chunk, 0, -1, now);
    if (this.state === "closed") return;
    if (this.state === "shutdown-sent") return this.#shutdown.acknowledge(now); // both sides shut down at once
    if (this.state === "shutdown-received") return;
    this.#host.emit(this.endpoint, { type: "peerShutdown", association: this.id });
    this.#shutdown.begin("shutdown-received", now);
  }

  /** The peer begins anew while we wait for its SHUTDOWN COMPLETE (§5.2.2, §9.2): it hears the SHUTDOWN ACK again. */
  repeatShutdownAck(now: Instant): void {
    if (this.state === "shutdown-ack-sent") this.#shutdown.repeat(now);
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
        for (const path of this.#paths.list) {
          if (command.address !== undefined && command.address !== path.address) continue;
          if (this.state === "cookie-echoed") continue;
          this.#supervision.probe(path, now);
          this.#arm(path.heartbeatAt);
        }
        return this.#host.wake(this);
      case "consumed":
        return this.#consumed(command.octets);
      case "connect":
        return assert(false, "a connect has no association yet");
      default:
        return command satisfies never;
    }
  }

  #send(command: Extract<TransportCommand, { type: "send" }>, now: Instant): void {
    const { data, ppid, stream = 0, unordered = false, sackImmediately = false } = command;
    const { settings } = this.endpoint;
    const open = this.state === "established" || this.state === "cookie-echoed";
    const possible = data.length > 0 && data.length <= settings.maxMessage && stream < this.#outbound.streams;
    if (!open || !possible) {
      return this.#host.emit(this.endpoint, {
        type: "sendFailed",
        association: this.id,
        stream,
        ppid,
        data,
        sent: false,
      });
    }
    this.#host.counters.messagesSent++;
    this.#outbound.send({ data, ppid, stream, unordered, immediate: sackImmediately, ssn: 0, taken: 0 });
    if (!this.#blocked && this.#outbound.queuedOctets > settings.sendBuffer) {
      this.#blocked = true;
      this.#host.emit(this.endpoint, { type: "blocked", association: this.id });
    }
    this.#touch(now);
    this.#host.wake(this);
  }

  /** Sends what is queued, then SHUTDOWN. */
  shutdown(now: Instant): void {
    if (this.state === "cookie-echoed") return this.abort("", now);
    if (this.state !== "established") return;
    this.#autoCloseAt = NEVER;
    this.#shutdown.begin("shutdown-pending", now);
  }

  /** ABORT with "user-initiated abort". */
  abort(reason: string, _now: Instant): void {
    const cause = textCause(CauseCode.userInitiatedAbort, reason);
    this.#reply(this.#paths.forData(), makeAbort(0, cause));
    this.#end("aborted", "local", cause);
  }

  #setPrimary(address: IpAddress): void {
    const path = this.#paths.list.find((candidate) => candidate.address === address);
    if (path === undefined || path === this.#paths.primary || !path.confirmed) return;
    this.#paths.primary = path;
    this.#host.emit(this.endpoint, { type: "path", association: this.id, address, change: "made-primary" });
    this.#host.wake(this);
  }

  /** The reader has taken messages: when that opens a closed window, the peer is told (§6.2). */
  #consumed(octets: number): void {
    const inbound = this.#inbound;
    if (!this.endpoint.settings.manualReceive) return;
    inbound.unconsumedOctets = Math.max(0, inbound.unconsumedOctets - octets);
    const { receiveBuffer } = this.endpoint.settings;
    const growth = inbound.window - inbound.advertised;
    const segment = Math.min(this.#outbound.fragmentOctets, receiveBuffer / 2);
    const reopens = inbound.advertised < segment && inbound.window >= segment;
    if (!reopens && growth < receiveBuffer / 2) return; // small steps would make small packets: silly windows
    this.#sacks.due = true;
    this.#host.wake(this);
  }

  // ------------------------------------------------------------------------------------------------------- timers

  tick(now: Instant): Instant {
    if (this.#sacks.tick(now)) this.#host.wake(this);
    if (this.#cookieEcho.dueAt <= now) this.#onT1(now);
    if (this.#shutdown.dueAt <= now) this.#shutdown.tick(now);
    for (const path of this.#paths.list) {
      if (path.t3At <= now && this.state !== "closed") this.#onT3(path, now);
      if (path.heartbeatAt <= now && this.state !== "closed") this.#onHeartbeatTimer(path, now);
    }
    if (this.#autoCloseAt <= now && this.state !== "closed") this.#onAutoClose(now);
    return this.state === "closed" ? NEVER : this.#nextDeadline();
  }

  #nextDeadline(): Instant {
    let next = Math.min(this.#sacks.dueAt, this.#cookieEcho.dueAt, this.#shutdown.dueAt, this.#autoCloseAt);
    for (const path of this.#paths.list) next = Math.min(next, path.t3At, path.heartbeatAt);
    return next;
  }

  /** T1-cookie (§5.1 C). */
  #onT1(now: Instant): void {
    if (this.#cookieEcho.repetitions >= this.endpoint.settings.maxInitRetransmissions) {
      return this.#end("timeout", "local", undefined);
    }
    this.#paths.primary.timeout.backOff();
    this.#sendCookieEcho(now);
  }

  /** T3-rtx (§6.3.3). A closed window is not the path's fault as long as the peer says that it is closed (§6.1 A). */
  #onT3(path: Path, now: Instant): void {
    const excused = this.#outbound.probing && this.#lastSackAt >= path.lastSentAt;
    this.#outbound.timedOut(path);
    if (path.takeRoute(this.endpoint.route(path.address))) this.#measureFragments();
    if (!excused) {
      this.#supervision.countError(path);
      if (this.#supervision.failed) return this.#end("timeout", "local", undefined);
      if (this.#paths.forRetransmission(path) !== path) this.#supervision.probeSoon(path, now);
    }
    this.#host.wake(this);
  }

  #onHeartbeatTimer(path: Path, now: Instant): void {
    if (this.state === "shutdown-sent" || this.state === "shutdown-ack-sent") {
      path.heartbeatAt = NEVER; // T2 does it from here on (§8.3)
      return;
    }
    if (path.takeRoute(this.endpoint.route(path.address))) this.#measureFragments();
    this.#supervision.tick(path, now);
    if (this.#supervision.failed) return this.#end("timeout", "local", undefined);
    this.#host.wake(this);
  }

  #onAutoClose(now: Instant): void {
    this.#autoCloseAt = NEVER;
    this.shutdown(now);
  }

  /** Something was sent or received for the user: the idle time begins anew. */
  #touch(now: Instant): void {
    const { autoCloseMs } = this.endpoint.settings;
    if (autoCloseMs === 0 || this.state !== "established") return;
    this.#autoCloseAt = now + autoCloseMs;
    this.#arm(this.#autoCloseAt);
  }

  #arm(dueAt: Instant): void {
    if (dueAt < this.scheduledAt) this.#host.schedule(this, dueAt);
  }

  // -------------------------------------------------------------------------------------------------- packets out

  buildPacket(buffer: Uint8Array, transmit: PacketTransmit, now: Instant): boolean {
    if (this.state === "closed") return false;
    const path = this.#builder.build(buffer, transmit, this.peerTag, this.#mayCarryData, now);
    if (path === undefined) return false;
    this.#arm(path.t3At);
    return true;
  }

  get #mayCarryData(): boolean {
    return this.state === "established" || this.state === "shutdown-pending" ||
      this.state === "shutdown-received";
  }

  #sendControl(chunk: Uint8Array, target: Target): void {
    if (!this.#control.push(chunk, target)) this.#host.counters.limited++;
    this.#host.wake(this);
  }

  /** As above, in the place of a chunk of the same type that still waits. */
  #sendLatest(chunk: Uint8Array, target: Target): void {
    this.#control.removeType(chunk[0]!);
    this.#sendControl(chunk, target);
  }

  #sendError(cause: ErrorCause, now: Instant): void {
    if (this.#errors.spend(now)) this.#sendControl(makeError(cause), this.#paths.forData());
    else this.#host.counters.limited++;
  }

  #reply(target: Target, chunk: Uint8Array): void {
    this.#host.reply(this.endpoint, target, this.peerPort, this.peerTag, [chunk]);
  }

  #measureFragments(): void {
    this.#builder.measureFragments();
    if (this.state !== "cookie-echoed") this.#host.wake(this); // a smaller chunk may fit into the peer's window
  }

  // ---------------------------------------------------------------------------------------------------------- end

  #violation(text: string, now: Instant): void {
    this.#abort(textCause(CauseCode.protocolViolation, text), now);
  }

  #abort(cause: ErrorCause, _now: Instant): void {
    this.#reply(this.#paths.forData(), makeAbort(0, cause));
    this.#end("aborted", "local", cause);
  }

  #end(reason: DownReason, origin: "local" | "peer", cause: ErrorCause | undefined): void {
    if (this.state === "closed") return;
    // Once SHUTDOWN ACK was sent both sides have all data. If SHUTDOWN COMPLETE does not come, it was lost, and the
    // peer has perhaps gone away with its port: the shutdown was graceful all the same.
    const complete = this.state === "shutdown-ack-sent";
    this.#failQueue();
    this.discard();
    this.#host.counters.associationsDown++;
    this.#host.emit(this.endpoint, {
      type: "down",
      association: this.id,
      request: this.request,
      reason: complete ? "shutdown" : reason,
      origin: complete ? "peer" : origin,
      cause: complete ? undefined : cause,
    });
    this.#host.remove(this);
  }

  #failQueue(): void {
    for (const { message, sent } of this.#outbound.unacknowledged()) {
      const { stream, ppid, data } = message;
      this.#host.emit(this.endpoint, { type: "sendFailed", association: this.id, stream, ppid, data, sent });
    }
  }

  // -------------------------------------------------------------------------------------------------- for the host

  deliver(
    stream: number,
    ssn: number,
    tsn: number,
    ppid: number,
    unordered: boolean,
    data: Uint8Array,
  ): void {
    this.#host.emit(this.endpoint, {
      type: "message",
      association: this.id,
      stream,
      ssn,
      tsn,
      ppid,
      unordered,
      data,
    });
  }

  status(): AssociationStatus {
    assert(this.state !== "closed", "a closed association has no status");
    return {
      state: this.state,
      peerPort: this.peerPort,
      outboundStreams: this.#outbound.streams,
      inboundStreams: this.#inbound.streams.count,
      peerReceiveWindow: Math.max(0, this.#outbound.peerWindow - this.#outbound.flightOctets),
      queuedOctets: this.#outbound.queuedOctets,
      paths: this.#paths.list.map((path) => path.status(this.#paths.primary)),
    };
  }

  /** The tags and TSNs this association was made with, for INITs that collide with it. */
  get seed(): AssociationSeed {
    return this.#seed;
  }

  checkInvariants(): void {
    const outbound = this.#outbound;
    outbound.checkInvariants();
    this.#inbound.checkInvariants();
    assert(this.state !== "closed", "a closed association is forgotten");
    assert((outbound.cumulativeAck - this.#highestAckSeen | 0) >= 0, "the cumulative ack never goes back");
    this.#highestAckSeen = outbound.cumulativeAck;
    const waiting = this.#control.length > 0 || this.#sacks.due ||
      (this.#mayCarryData && outbound.nextPath() !== undefined);
    assert(!waiting || this.queuedToSend, "what could be sent is about to be");
    const data = outbound.queue.length > 0 || outbound.markedCount > 0;
    if (data && this.#mayCarryData && !this.queuedToSend) {
      assert(this.#paths.list.some((path) => path.t3At !== NEVER), "data that waits has something in flight");
    }
    this.#sacks.checkInvariants();

    if (this.state === "shutdown-sent" || this.state === "shutdown-ack-sent") {
      assert(this.#shutdown.repeats, "T2 runs while a shutdown waits for its answer");
    }
    if (this.state === "cookie-echoed") {
      assert(this.#cookieEcho.dueAt !== NEVER, "T1 runs while the cookie waits for its answer");
    }
    assert(this.scheduledAt <= this.#nextDeadline(), "the stack will call before the first timer is due");
  }
}
