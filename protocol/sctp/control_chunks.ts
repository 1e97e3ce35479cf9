/**
 * The chunks an association receives besides DATA and SACK, each type handed to the part that it is about. A chunk of an
 * extension that the peers have not agreed upon is one of an unknown type: its action bits say what is done with it.
 */
import type { ErrorCause, Instant, PacketMeta } from "../net.ts";
import { DecodeError } from "../wire/errors.ts";
import type { AssociationParts } from "./association_parts.ts";
import { CauseCode, readCauses } from "./causes.ts";
import { ChunkType, makeChunk, reportsUnknown, skipsUnknown, TAG_REFLECTED } from "./chunk.ts";
import { MAX_HEARTBEAT_OCTETS, MAX_REPORTED_OCTETS } from "./limits.ts";
import { readU32 } from "./packet.ts";
import type { Path } from "./path.ts";
import type { Reception } from "./reception.ts";

/** Takes the control chunks of one association. */
export class ControlChunks {
  readonly #parts: AssociationParts;
  readonly #reception: Reception;

  constructor(parts: AssociationParts, reception: Reception) {
    this.#parts = parts;
    this.#reception = reception;
  }

  /**
   * Takes a chunk.
   *
   * @param chunk header and value
   * @param tag of its packet
   * @param path that the packet came on; undefined = from an address that is none of the peer's
   * @returns whether the rest of the packet is to be read
   * @throws {DecodeError} when the chunk cannot be read
   */
  take(
    type: number,
    chunk: Uint8Array,
    tag: number,
    path: Path | undefined,
    meta: PacketMeta,
    now: Instant,
  ): boolean {
    const { association, counts, shutdown, dynamic } = this.#parts;
    counts.controlChunksReceived++;
    switch (type) {
      case ChunkType.heartbeat:
        this.#onHeartbeat(chunk, path, meta);
        return true;
      case ChunkType.heartbeatAck:
        this.#onHeartbeatAck(chunk, now);
        return true;
      case ChunkType.abort:
        if (dynamic?.isLeaving(meta.destination) === true) return false;
        if (!this.#tagRuleBroken(chunk, tag)) this.#onAbort(chunk);
        return false;
      case ChunkType.shutdown:
        this.#onShutdown(chunk, path, now);
        return true;
      case ChunkType.shutdownAck:
        shutdown.onAcknowledged();
        return true;
      case ChunkType.shutdownComplete:
        if (association.state === "shutdown-ack-sent" && !this.#tagRuleBroken(chunk, tag)) {
          this.#parts.end("shutdown", "peer", undefined);
        }
        return false;
      case ChunkType.forwardTsn:
      case ChunkType.iForwardTsn:
        return this.#onForwardTsn(type, chunk, now);
      case ChunkType.data:
      case ChunkType.iData:
        return this.#onWrongFormat();
      case ChunkType.reconfiguration:
        return this.#onReconfiguration(chunk, now);
      case ChunkType.error:
        return this.#onError(chunk, now);
      case ChunkType.cookieAck:
        association.cookieAcknowledged(now);
        return true;
      case ChunkType.asconf:
        if (dynamic === undefined) return this.#onUnknown(type, chunk, now);
        if (association.state !== "cookie-echoed") dynamic.onAsconf(chunk, meta, now);
        return true;
      case ChunkType.asconfAck:
        if (dynamic === undefined) return this.#onUnknown(type, chunk, now);
        dynamic.onAsconfAck(chunk, now);
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
    const { peerTag, localTag } = this.#parts.association;
    return tag !== ((chunk[1]! & TAG_REFLECTED) !== 0 ? peerTag : localTag);
  }

  #onHeartbeat(chunk: Uint8Array, path: Path | undefined, meta: PacketMeta): void {
    if (chunk.length > MAX_HEARTBEAT_OCTETS) return;
    const target = path ?? this.#parts.endpoint.targetOf(meta);
    this.#parts.send(makeChunk(ChunkType.heartbeatAck, 0, (w) => w.bytes(chunk.subarray(4))), target);
  }

  /** HEARTBEATs are sent for three reasons, each with nonces of its own. */
  #onHeartbeatAck(chunk: Uint8Array, now: Instant): void {
    const { association, reconfiguration, pathMtu, supervision, progress } = this.#parts;
    if (association.state === "cookie-echoed") return;
    if (reconfiguration?.confirm(chunk)) return progress.relieved(now);
    if (pathMtu.acknowledged(chunk, now)) return;
    const path = supervision.acknowledged(chunk, now);
    if (path === undefined) return;
    pathMtu.start(path, now);
    this.#parts.arm(path.heartbeatAt);
    this.#parts.wake(); // data may prefer the path that has come back
  }

  #onAbort(chunk: Uint8Array): void {
    const [cause] = readCauses(chunk); // one that cannot be read is discarded (§3.3.7)
    const refused = this.#parts.association.state === "cookie-echoed";
    this.#parts.end(refused ? "refused" : "aborted", "peer", cause);
  }

  #onShutdown(chunk: Uint8Array, path: Path | undefined, now: Instant): void {
    const { association, progress, outbound, shutdown, events } = this.#parts;
    if (chunk.length < 8) throw new DecodeError("truncated", "SHUTDOWN needs 8 octets", 0);
    if (association.state === "cookie-echoed" || association.state === "shutdown-ack-sent") return;
    progress.acknowledged(readU32(chunk, 4), outbound.peerWindow, chunk, 0, -1, path, now);
    const { state } = association;
    if (state === "closed" || state === "shutdown-received") return;
    if (state === "shutdown-sent") return shutdown.acknowledge(now); // both sides shut down at once
    events.peerShutdown();
    shutdown.begin("shutdown-received", now);
  }

  /**
   * DATA and I-DATA, FORWARD TSN and I-FORWARD-TSN belong to each other, and an association has one of the pairs (RFC 8260
   * §2.2.3, §2.3.1). Without partial reliability a FORWARD TSN is just a chunk of an unknown type (RFC 3758 §3.3.1).
   * The peer may send an I-FORWARD-TSN where this side has listed it: Linux does so, and does not list it itself.
   */
  #onForwardTsn(type: number, chunk: Uint8Array, now: Instant): boolean {
    const { format, settings } = this.#parts;
    const partialReliability = this.#parts.partialReliability ||
      format.interleaved && settings.partialReliability;
    if (!partialReliability && type === ChunkType.forwardTsn) return this.#onUnknown(type, chunk, now);
    if (!partialReliability || type !== format.forwardChunkType) return this.#onWrongFormat();
    this.#reception.forwardTsn(chunk, now);
    return true;
  }

  #onWrongFormat(): boolean {
    this.#parts.violation("DATA and I-DATA, and what goes with them, are not mixed.");
    return false;
  }

  #onReconfiguration(chunk: Uint8Array, now: Instant): boolean {
    const parts = this.#parts;
    if (!parts.seed.extensions.reconfiguration) return this.#onUnknown(ChunkType.reconfiguration, chunk, now);
    // Who has sent SHUTDOWN still answers: the peer's data may wait behind a request, and its SHUTDOWN ACK behind the data.
    const { mayCarryData, state } = parts.association;
    if (!mayCarryData && state !== "shutdown-sent") return true;
    parts.reconfigure().receive(chunk, now);
    parts.progress.relieved(now);
    return true;
  }

  #onError(chunk: Uint8Array, now: Instant): boolean {
    const { association, dynamic, events } = this.#parts;
    for (const cause of readCauses(chunk)) {
      if (association.state !== "cookie-echoed") {
        if (cause.code === CauseCode.unrecognizedChunk && cause.info[0] === ChunkType.asconf) {
          dynamic?.refused();
        }
        if (cause.code !== CauseCode.staleCookie) events.remoteError(cause); // of an old cookie: §5.2.6
      } else if (cause.code === CauseCode.staleCookie) {
        this.#onStaleCookie(cause, now);
        return false;
      }
    }
    return true;
  }

  /** The way to the peer and back takes longer than its cookies live: begin anew and ask for a longer life (§5.2.6). */
  #onStaleCookie(cause: ErrorCause, now: Instant): void {
    const begunAnew = this.#parts.association.onStaleCookie?.(now) === true;
    if (!begunAnew) this.#parts.end("timeout", "peer", cause);
  }

  #onUnknown(type: number, chunk: Uint8Array, now: Instant): boolean {
    const actionBits = type >>> 6;
    if (reportsUnknown(actionBits)) {
      const info = chunk.slice(0, MAX_REPORTED_OCTETS);
      this.#parts.sendError({ code: CauseCode.unrecognizedChunk, info }, now);
    }
    return skipsUnknown(actionBits);
  }
}
