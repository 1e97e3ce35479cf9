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
import { agree, hasWrongRandom } from "./auth_endpoint.ts";
import type { AuthenticationOffer } from "./auth_offer.ts";
import { CauseCode, makeAbort, makeError, missingParameterCause, readCauses, textCause } from "./causes.ts";
import { chunkAt, ChunkType } from "./chunk.ts";
import { putChecksum } from "./crc32c.ts";
import { encapsulationPort } from "./encapsulation.ts";
import type { Endpoint } from "./endpoint.ts";
import { agreedExtensions, offeredExtensions } from "./extensions.ts";
import { readInit, writeInit } from "./init_chunk.ts";
import type { InitChunk } from "./init_chunk.ts";
import { MAX_PEER_ADDRESSES, MIN_RECEIVE_WINDOW } from "./limits.ts";
import type { EndpointSettings } from "./options.ts";
import { COMMON_HEADER_OCTETS, readU32, viewBehind, writeHeader } from "./packet.ts";
import { ParameterType } from "./parameters.ts";
import type { Host, Party } from "./party.ts";
import { NEVER } from "./path.ts";
import type { Target } from "./path.ts";

/** How long the second kind of candidates waits for the first, as Happy Eyeballs (RFC 8305 §5) does. */
const SECOND_KIND_DELAY_MS = 250;

/** Tries without an answer that count as refusal when another candidate was refused outright. */
const SILENT_TRIES = 2;

/** How often a stale cookie is answered by an INIT that asks for a longer life. */
const MAX_STALE_COOKIES = 2;

/** What is asked for beyond the round trip (§5.2.6): a cookie that lives long can be replayed for long. */
const COOKIE_RESERVE_MS = 1000;

/** Longest life that is asked for. */
const MAX_COOKIE_PRESERVATIVE_MS = 60_000;

interface Candidate extends Target {
  readonly kind: number;
  tries: number;
  refused: boolean;
  /** A router says that the host cannot be reached just now. */
  unreachable: boolean;
}

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
  readonly #candidates: Candidate[];
  readonly #toSend: Candidate[] = [];
  /** The addresses of this side that the INIT lists. */
  #listed: readonly IpAddress[] = [];
  #init: Uint8Array;
  /** Candidates of kinds below this one have been tried. */
  #startedKinds = 0;
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
    this.#candidates = this.#findCandidates(
      command.encapsulationPort ?? this.settings.remoteEncapsulationPort,
    );
    this.#init = this.#makeInit(undefined);
  }

  #findCandidates(encapsulation: number | undefined): Candidate[] {
    const ports = encapsulation !== undefined
      ? [encapsulation]
      : this.#host.environment.raw
      ? [0, encapsulationPort(this.peerPort)]
      : [encapsulationPort(this.peerPort)];
    return ports.flatMap((port, kind) =>
      this.peerAddresses.map((address) => ({
        address,
        encapsulationPort: port,
        source: this.endpoint.route(address)?.source,
        kind,
        tries: 0,
        refused: false,
        unreachable: false,
      }))
    );
  }

  #makeInit(cookiePreservativeMs: number | undefined): Uint8Array {
    const { settings } = this;
    this.#listed = addressesForPeer(this.endpoint.localAddresses(), this.peerAddresses);
    return writeInit(ChunkType.init, {
      initiateTag: this.localTag,
      receiveWindow: settings.receiveBuffer,
      outboundStreams: settings.outboundStreams,
      inboundStreams: settings.maxInboundStreams,
      initialTsn: this.localTsn,
      addresses: this.#listed,
      extensions: offeredExtensions(settings),
      adaptation: settings.adaptation,
      authentication: this.offer,
      ...(cookiePreservativeMs === undefined ? {} : { cookiePreservativeMs }),
    });
  }

  /** Sends the first INITs. */
  start(now: Instant): void {
    if (this.#candidates.length === 0) return this.#end("refused", "local", undefined);
    this.#t1At = now + this.#rtoMs;
    this.#startKind(now);
    this.#host.schedule(this, Math.min(this.#t1At, this.#nextKindAt));
  }

  #startKind(now: Instant): void {
    const kind = this.#startedKinds++;
    this.#sendTo(this.#candidates.filter((candidate) => candidate.kind === kind));
    const more = this.#candidates.some((candidate) => candidate.kind >= this.#startedKinds);
    this.#nextKindAt = more ? now + SECOND_KIND_DELAY_MS : NEVER;
    if (this.#nextKindAt < this.scheduledAt) this.#host.schedule(this, this.#nextKindAt);
  }

  #sendTo(candidates: readonly Candidate[]): void {
    for (const candidate of candidates) {
      if (!candidate.refused && !this.#toSend.includes(candidate)) this.#toSend.push(candidate);
    }
    this.#host.wake(this);
  }

  buildPacket(buffer: Uint8Array, transmit: PacketTransmit, _now: Instant): boolean {
    const candidate = this.#toSend.shift();
    if (candidate === undefined || this.#over) return false;
    candidate.tries++;
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
    const wrong = this.#whatIsWrong(init);
    if (cookie === undefined || wrong !== undefined) {
      this.#host.reply(this.endpoint, this.endpoint.targetOf(meta), this.peerPort, init.initiateTag, [
        makeAbort(0, wrong),
      ]);
      return this.#end("refused", "peer", wrong);
    }
    const { settings } = this;
    const authentication = agree(this.offer, init.authentication);
    const association = new Association(this.#host, this.endpoint, {
      id: this.id,
      request: this.request,
      localTag: this.localTag,
      localTsn: this.localTsn,
      peerTag: init.initiateTag,
      peerTsn: init.initialTsn,
      peerWindow: init.receiveWindow,
      peerPort: this.peerPort,
      addresses: usablePeerAddresses(meta.source, init.addresses, this.endpoint.localAddresses()),
      listed: this.#listed,
      encapsulationPort: meta.udpPort,
      outboundStreams: Math.min(settings.outboundStreams, init.inboundStreams),
      inboundStreams: Math.min(settings.maxInboundStreams, init.outboundStreams),
      extensions: agreedExtensions(settings, init.extensions, authentication),
      adaptation: init.adaptation,
      authentication,
      settings,
    });
    association.cookieEndsAt = this.cookieEndsAt;
    association.onStaleCookie = (later) => this.#onStaleCookie(association, later);
    this.#toSend.length = 0;
    this.#host.replace(this, association);
    association.echoCookie(cookieEcho(cookie, init.unrecognized ?? []), now);
  }

  #whatIsWrong(init: InitChunk): ErrorCause | undefined {
    if (init.cookie === undefined) return missingParameterCause(ParameterType.stateCookie);
    if (init.hostName !== undefined) return { code: CauseCode.unresolvableAddress, info: init.hostName };
    if (init.outboundStreams === 0 || init.inboundStreams === 0) {
      return textCause(CauseCode.invalidParameter, "There must be streams.");
    }
    if (init.receiveWindow < MIN_RECEIVE_WINDOW) {
      return textCause(CauseCode.invalidParameter, "The receiver window is too small.");
    }
    if (this.settings.authentication && hasWrongRandom(init.authentication)) {
      return textCause(CauseCode.protocolViolation, "The random number must have 32 octets.");
    }
    return undefined;
  }

  /** @returns whether a new INIT asks for a cookie that lives longer (§5.2.6) */
  #onStaleCookie(association: Association, now: Instant): boolean {
    if (this.#staleCookies++ >= MAX_STALE_COOKIES) return false;
    const neededMs = Math.ceil(association.parts.cookieEcho.waitedMs(now)) + COOKIE_RESERVE_MS;
    this.#init = this.#makeInit(Math.min(neededMs, MAX_COOKIE_PRESERVATIVE_MS));
    association.discard();
    this.#host.replace(association, this);
    this.#sendTo(this.#candidates.filter((candidate) => candidate.kind < this.#startedKinds));
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
    const matches = (candidate: Candidate): boolean =>
      candidate.address === error.destination && candidate.encapsulationPort === error.udpPort;
    if (error.kind === "port-unreachable" || error.kind === "protocol-unreachable") {
      const portIsFree = error.udpPort !== 0 && this.endpoint.isLocal(error.destination);
      this.#refused(
        (candidate) => matches(candidate) || (portIsFree && candidate.address === error.destination),
        now,
      );
    } else if (error.kind === "host-unreachable") {
      for (const candidate of this.#candidates) candidate.unreachable ||= matches(candidate);
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

  #refused(matches: (candidate: Candidate) => boolean, now: Instant): void {
    for (const candidate of this.#candidates) candidate.refused ||= candidate.tries > 0 && matches(candidate);
    if (this.#candidates.every((candidate) => candidate.refused)) {
      return this.#end("refused", "peer", this.#lastCause);
    }
    this.#goOn(now);
  }

  /** Nothing can be hoped for from the kinds that were tried: the next one does not wait. */
  #goOn(now: Instant): void {
    const hopeless = this.#candidates.every((candidate) =>
      candidate.kind >= this.#startedKinds || candidate.refused || candidate.unreachable
    );
    if (hopeless && this.#nextKindAt !== NEVER) this.#startKind(now);
  }

  tick(now: Instant): Instant {
    if (this.#nextKindAt <= now) this.#startKind(now);
    if (this.#t1At <= now) this.#onT1(now);
    return this.#over ? NEVER : Math.min(this.#t1At, this.#nextKindAt);
  }

  /** T1-init (§5.1 A). */
  #onT1(now: Instant): void {
    const silent = this.#candidates.filter((candidate) => !candidate.refused);
    const someRefused = silent.length < this.#candidates.length;
    if (someRefused && silent.every((candidate) => candidate.tries >= SILENT_TRIES)) {
      return this.#end("refused", "peer", this.#lastCause);
    }
    if (this.#retransmissions++ >= this.settings.maxInitRetransmissions) {
      return this.#end("timeout", "local", undefined);
    }
    this.#rtoMs = Math.min(2 * this.#rtoMs, this.settings.maxInitTimeoutMs);
    this.#t1At = now + this.#rtoMs;
    this.#sendTo(silent.filter((candidate) => candidate.kind < this.#startedKinds));
  }

  execute(command: TransportCommand, _now: Instant): void {
    if (command.type === "abort" || command.type === "shutdown") this.#end("aborted", "local", undefined);
  }

  /** The peer's INIT was faster: its COOKIE ECHO makes the association (§5.2.4). */
  discard(): void {
    this.#over = true;
    this.#toSend.length = 0;
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
  const writer = new Writer(cookie.length + 8);
  writer.u8(ChunkType.cookieEcho);
  writer.u8(0);
  writer.u16(4 + cookie.length);
  writer.bytes(cookie);
  writer.pad();
  const chunks = [writer.finish()];
  if (unrecognized.length > 0) {
    const info = new Writer(256);
    for (const parameter of unrecognized) {
      info.bytes(parameter);
      info.pad();
    }
    chunks.push(makeError({ code: CauseCode.unrecognizedParameters, info: info.finish() }));
  }
  return chunks;
}
