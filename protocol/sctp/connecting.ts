/**
 * The attempt to set up an association, up to the INIT ACK (RFC 9260 §5.1, state COOKIE-WAIT).
 *
 * It is not known beforehand whether the peer is reached by plain SCTP or in UDP, nor which of its addresses work. So
 * the same INIT goes to several candidates: plain SCTP to each address (if this host can), 250 ms later UDP to each
 * address at the conventional port. The first INIT ACK wins; later ones find no attempt any more. Whatever all
 * candidates of a kind say by ICMP or ABORT starts the next kind at once.
 *
 * Refused means: every candidate was refused; or some were, and the others stayed silent for two tries (a raw packet
 * to a host without SCTP often gets no answer). On this very host the UDP port alone decides, since every endpoint
 * binds it as its lock.
 */
import type {
  AssociationId,
  AssociationStatistics,
  AssociationStatus,
  ConnectCommand,
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
import { Writer } from "../wire/writer.ts";
import { addressesForPeer, usablePeerAddresses } from "./addresses.ts";
import { Association } from "./association.ts";
import { AssociationCounts } from "./association_statistics.ts";
import { agreeOn, introduction, whatIsWrong } from "./association_terms.ts";
import type { LocalTerms } from "./association_terms.ts";
import type { AuthenticationOffer } from "./auth_offer.ts";
import { candidatePorts, Candidates } from "./candidates.ts";
import { CauseCode, makeAbort, makeError, missingParameterCause, readCauses } from "./causes.ts";
import { chunkAt, ChunkType, makeChunk } from "./chunk.ts";
import { putChecksum } from "./crc32c.ts";
import type { Endpoint } from "./endpoint.ts";
import { readInit, writeInit } from "./init_chunk.ts";
import type { InitChunk } from "./init_chunk.ts";
import { MAX_PEER_ADDRESSES } from "./limits.ts";
import type { EndpointSettings } from "./options.ts";
import { COMMON_HEADER_OCTETS, readU32, viewBehind, writeHeader } from "./packet.ts";
import { ParameterType } from "./parameters.ts";
import type { Host, Party } from "./party.ts";
import { NEVER } from "./path.ts";
import type { Target } from "./path.ts";

/** How long the second kind of candidates waits for the first, as Happy Eyeballs (RFC 8305 §5) does. */
const SECOND_KIND_DELAY_MS = 250;

/** How often a stale cookie is answered by an INIT that asks for a longer life. */
const MAX_STALE_COOKIES = 2;

/** What is asked for beyond the round trip (§5.2.6): a cookie that lives long can be replayed for long. */
const COOKIE_RESERVE_MS = 1000;

/** Longest life that is asked for. */
const MAX_COOKIE_PRESERVATIVE_MS = 60_000;

/** An association in state COOKIE-WAIT. */
export class Connecting implements Party {
  readonly id: AssociationId;
  readonly endpoint: Endpoint;
  readonly request: number;
  readonly localTag: number;
  readonly localTsn: number;
  /** As they were when it began: the INIT speaks of them, and the association keeps to that. */
  readonly settings: EndpointSettings;
  /** What the INIT says of authentication. */
  readonly offer: AuthenticationOffer | undefined;
  readonly peerPort: number;
  readonly peerTag = 0;
  readonly peerAddresses: readonly IpAddress[];
  cookieEndsAt: Instant = -Infinity;
  queuedToSend = false;
  scheduledAt: Instant = NEVER;

  readonly #host: Host;
  readonly #candidates: Candidates;
  /** The addresses of this side that the INIT lists. */
  #listed: readonly IpAddress[] = [];
  #init: Uint8Array;
  #nextKindAt: Instant = NEVER;
  #t1At: Instant = NEVER;
  #rtoMs: number;
  #retransmissions = 0;
  #staleCookies = 0;
  #lastCause: ErrorCause | undefined = undefined;
  #over = false;

  constructor(host: Host, endpoint: Endpoint, command: ConnectCommand, id: AssociationId) {
    this.#host = host;
    this.endpoint = endpoint;
    this.settings = { ...endpoint.settings };
    this.id = id;
    this.request = command.request;
    this.localTag = host.randomTag();
    this.localTsn = host.randomTag();
    this.offer = endpoint.authentication.offer(host.environment.random);
    this.peerPort = command.port;
    this.peerAddresses = [...new Set(command.addresses)]
      .filter((address) => endpoint.canReach(address)).slice(0, MAX_PEER_ADDRESSES);
    this.#rtoMs = this.settings.rtoInitialMs;
    const chosen = command.encapsulationPort ?? this.settings.remoteEncapsulationPort;
    const ports = candidatePorts(chosen, host.environment.raw, command.port);
    this.#candidates = new Candidates(endpoint, this.peerAddresses, ports);
    this.#init = this.#makeInit(undefined);
  }

  #makeInit(cookiePreservativeMs: number | undefined): Uint8Array {
    this.#listed = addressesForPeer(this.endpoint.localAddresses(), this.peerAddresses);
    return writeInit(ChunkType.init, { ...introduction(this.settings, this.#local), cookiePreservativeMs });
  }

  /** What the INIT says. */
  get #local(): LocalTerms {
    const { localTag, localTsn, offer } = this;
    return { localTag, localTsn, listed: this.#listed, offer };
  }

  /** Sends the first INITs. */
  start(now: Instant): void {
    if (this.#candidates.isEmpty) return this.#end("refused", "local", undefined);
    this.#t1At = now + this.#rtoMs;
    this.#startKind(now);
    this.#host.schedule(this, Math.min(this.#t1At, this.#nextKindAt));
  }

  #startKind(now: Instant): void {
    this.#nextKindAt = this.#candidates.startKind() ? now + SECOND_KIND_DELAY_MS : NEVER;
    this.#host.wake(this);
    if (this.#nextKindAt < this.scheduledAt) this.#host.schedule(this, this.#nextKindAt);
  }

  buildPacket(buffer: Uint8Array, transmit: PacketTransmit, _now: Instant): boolean {
    const candidate = this.#candidates.takeNext();
    if (candidate === undefined) return false;
    const view = viewBehind(buffer), start = buffer.byteOffset;
    writeHeader(view, start, this.endpoint.port, this.peerPort, 0);
    buffer.set(this.#init, COMMON_HEADER_OCTETS);
    transmit.length = COMMON_HEADER_OCTETS + this.#init.length;
    putChecksum(view, start, transmit.length);
    transmit.source = candidate.source;
    transmit.destination = candidate.address;
    transmit.udpPort = candidate.encapsulationPort;
    transmit.localPort = this.endpoint.port;
    return true;
  }

  receive(packet: Uint8Array, meta: PacketMeta, now: Instant): void {
    const chunk = chunkAt(packet, COMMON_HEADER_OCTETS);
    if (chunk[0] === ChunkType.initAck) this.#onInitAck(readInit(chunk), meta, now);
    else if (chunk[0] === ChunkType.abort) this.#onAbort(chunk, meta, now);
    // Anything else cannot be meant for this attempt, whatever its tag says.
  }

  #onInitAck(init: InitChunk, meta: PacketMeta, now: Instant): void {
    if (init.initiateTag === 0) return this.#end("refused", "peer", undefined); // §3.3.3: there is no answer to it
    const { cookie } = init;
    const wrong = cookie === undefined
      ? missingParameterCause(ParameterType.stateCookie)
      : whatIsWrong(this.settings, init);
    if (cookie === undefined || wrong !== undefined) {
      const { endpoint, peerPort } = this;
      this.#host.reply(endpoint, endpoint.targetOf(meta), peerPort, init.initiateTag, [makeAbort(0, wrong)]);
      return this.#end("refused", "peer", wrong);
    }
    const { id, request, settings, endpoint, peerPort } = this;
    const addresses = usablePeerAddresses(meta.source, init.addresses, endpoint.localAddresses());
    const place = { peerPort, addresses, encapsulationPort: meta.udpPort };
    const terms = agreeOn(settings, this.#local, init, place);
    const association = new Association(this.#host, endpoint, { ...terms, id, request, settings });
    association.cookieEndsAt = this.cookieEndsAt;
    association.onStaleCookie = (later) => this.#onStaleCookie(association, later);
    this.#candidates.stop();
    this.#host.replace(this, association);
    association.echoCookie(cookieEcho(cookie, init.unrecognized ?? []), now);
  }

  /** @returns whether a new INIT asks for a cookie that lives longer (§5.2.6) */
  #onStaleCookie(association: Association, now: Instant): boolean {
    if (this.#staleCookies++ >= MAX_STALE_COOKIES) return false;
    const neededMs = Math.ceil(association.parts.cookieEcho.waitedMs(now)) + COOKIE_RESERVE_MS;
    this.#init = this.#makeInit(Math.min(neededMs, MAX_COOKIE_PRESERVATIVE_MS));
    association.discard();
    this.#host.replace(association, this);
    this.#repeat();
    this.#t1At = now + this.#rtoMs;
    this.#nextKindAt = NEVER;
    this.#host.schedule(this, this.#t1At);
    return true;
  }

  #onAbort(chunk: Uint8Array, meta: PacketMeta, now: Instant): void {
    try {
      this.#lastCause = readCauses(chunk)[0];
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
    }
    this.#refused(
      (candidate) => candidate.address === meta.source && candidate.encapsulationPort === meta.udpPort,
      now,
    );
  }

  receiveError(error: PacketError, now: Instant): void {
    if (!this.#isQuoted(error)) return;
    const matches = (candidate: Target): boolean =>
      candidate.address === error.destination && candidate.encapsulationPort === error.udpPort;
    if (error.kind === "port-unreachable" || error.kind === "protocol-unreachable") {
      const portIsFree = error.udpPort !== 0 && this.endpoint.isLocal(error.destination);
      this.#refused(
        (candidate) => matches(candidate) || (portIsFree && candidate.address === error.destination),
        now,
      );
    } else if (error.kind === "host-unreachable") {
      this.#candidates.lose(matches);
      this.#goOn(now);
    }
  }

  /**
   * Whether an ICMP message shows our INIT with its tag (§10). One that shows nothing of it came through a UDP socket, whose
   * ports it had right.
   */
  #isQuoted({ packet, udpPort }: PacketError): boolean {
    if (packet.length === 0) return udpPort !== 0;
    return packet.length >= COMMON_HEADER_OCTETS + 8 && readU32(packet, 4) === 0 &&
      packet[COMMON_HEADER_OCTETS] === ChunkType.init &&
      readU32(packet, COMMON_HEADER_OCTETS + 4) === this.localTag;
  }

  #refused(matches: (candidate: Target) => boolean, now: Instant): void {
    if (this.#candidates.refuse(matches)) this.#end("refused", "peer", this.#lastCause);
    else this.#goOn(now);
  }

  /** The next kind does not wait when nothing can be hoped for from those before. */
  #goOn(now: Instant): void {
    if (this.#candidates.isHopeless && this.#nextKindAt !== NEVER) this.#startKind(now);
  }

  tick(now: Instant): Instant {
    if (this.#nextKindAt <= now) this.#startKind(now);
    if (this.#t1At <= now) this.#onT1(now);
    return this.#over ? NEVER : Math.min(this.#t1At, this.#nextKindAt);
  }

  /** T1-init (§5.1 A). */
  #onT1(now: Instant): void {
    if (this.#candidates.isRefused) return this.#end("refused", "peer", this.#lastCause);
    if (this.#retransmissions++ >= this.settings.maxInitRetransmissions) {
      return this.#end("timeout", "local", undefined);
    }
    this.#rtoMs = Math.min(2 * this.#rtoMs, this.settings.maxInitTimeoutMs);
    this.#t1At = now + this.#rtoMs;
    this.#repeat();
  }

  #repeat(): void {
    this.#candidates.repeat();
    this.#host.wake(this);
  }

  execute(command: TransportCommand, _now: Instant): void {
    if (command.type === "abort" || command.type === "shutdown") this.#end("aborted", "local", undefined);
  }

  /** The peer's INIT was faster: its COOKIE ECHO makes the association (§5.2.4). */
  discard(): void {
    this.#over = true;
    this.#candidates.stop();
  }

  #end(reason: DownReason, origin: "local" | "peer", cause: ErrorCause | undefined): void {
    if (this.#over) return;
    this.discard();
    const { id: association, request } = this;
    this.#host.emit(this.endpoint, { type: "down", association, request, reason, origin, cause });
    this.#host.remove(this);
  }

  status(): AssociationStatus {
    const { settings } = this;
    return {
      state: "cookie-wait",
      peerPort: this.peerPort,
      outboundStreams: settings.outboundStreams,
      inboundStreams: settings.maxInboundStreams,
      peerReceiveWindow: 0,
      queuedOctets: 0,
      paths: [],
    };
  }

  /** Nothing is counted before there is an association. */
  statistics(): AssociationStatistics {
    return new AssociationCounts().take([]);
  }

  checkInvariants(): void {
    assert(!this.#over, "an attempt that is over is forgotten");
    const next = Math.min(this.#t1At, this.#nextKindAt);
    assert(this.scheduledAt <= next, "T1 runs while an attempt waits for its INIT ACK");
  }
}

/** COOKIE ECHO, and an ERROR about parameters of the INIT ACK that this stack does not know (§3.2.1). */
function cookieEcho(cookie: Uint8Array, unrecognized: readonly Uint8Array[]): Uint8Array[] {
  const echo = makeChunk(ChunkType.cookieEcho, 0, (writer) => writer.bytes(cookie));
  if (unrecognized.length === 0) return [echo];
  const info = new Writer(256);
  for (const parameter of unrecognized) {
    info.bytes(parameter);
    info.pad();
  }
  return [echo, makeError({ code: CauseCode.unrecognizedParameters, info: info.finish() })];
}

/** The attempt of an endpoint to reach one of these addresses. */
export function attemptAt(
  endpoint: Endpoint,
  addresses: readonly IpAddress[],
  peerPort: number,
): Connecting | undefined {
  for (const address of addresses) {
    const party = endpoint.byAddress(address, peerPort);
    if (party instanceof Connecting) return party;
  }
  return undefined;
}
