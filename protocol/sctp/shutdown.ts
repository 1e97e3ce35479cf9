/**
 * The graceful end of an association (RFC 9260 §9.2), from the moment that one side asks for it.
 *
 *     user's shutdown ─→ shutdown-pending ──all acknowledged, SHUTDOWN──→ shutdown-sent ──SHUTDOWN ACK──→ ended
 *                              │ SHUTDOWN                                       │ SHUTDOWN
 *                              ↓                                                ↓
 *     SHUTDOWN ───────→ shutdown-received ──all acknowledged, SHUTDOWN ACK─→ shutdown-ack-sent ──SHUTDOWN COMPLETE──→ ended
 *
 * T2 repeats SHUTDOWN and SHUTDOWN ACK, on another path if there is one; T5 guards the side that asked against a peer
 * that never comes to an end.
 */
import type { DownReason, ErrorCause, Instant } from "../net.ts";
import type { AssociationState } from "./association_seed.ts";
import { CauseCode, makeAbort, textCause } from "./causes.ts";
import { ChunkType, makeChunk } from "./chunk.ts";
import type { Inbound } from "./inbound.ts";
import type { EndpointSettings } from "./options.ts";
import type { Outbound } from "./outbound.ts";
import { NEVER } from "./path.ts";
import type { Path } from "./path.ts";
import type { PathSet } from "./path_set.ts";

/** T5-shutdown-guard in units of RTO.Max (RFC 9260 §9.2). */
const SHUTDOWN_GUARD_RTOS = 5;

/** The association that comes to its end, and what the shutdown needs of it. */
export interface ShutdownOwner {
  readonly association: { state: AssociationState };
  readonly paths: PathSet;
  readonly inbound: Inbound;
  readonly outbound: Outbound;
  /** What was sent there was not answered in time. @returns false when that has ended the association */
  unanswered(path: Path): boolean;
  readonly settings: EndpointSettings;
  /** Sends a chunk, in the place of one of the same type that still waits. */
  sendLatest(chunk: Uint8Array, path: Path): void;
  /** Sends a last packet, which outlives the association. */
  reply(chunk: Uint8Array): void;
  /** A timer of the association is due then. */
  arm(dueAt: Instant): void;
  end(reason: DownReason, origin: "local" | "peer", cause: ErrorCause | undefined): void;
}

/** The shutdown of one association. */
export class Shutdown {
  readonly #owner: ShutdownOwner;
  /** T2-shutdown, and the path whose answer it waits for. */
  #t2At: Instant = NEVER;
  #t2Path: Path | undefined = undefined;
  /** T5-shutdown-guard. */
  #t5At: Instant = NEVER;

  constructor(owner: ShutdownOwner) {
    this.#owner = owner;
  }

  /** When the first of its timers is due. */
  get dueAt(): Instant {
    return Math.min(this.#t2At, this.#t5At);
  }

  /** Whether T2 runs, for the invariants. */
  get repeats(): boolean {
    return this.#t2At !== NEVER;
  }

  /** The user asks for it, or the peer: no new data is taken, and the last chunk asks for a SACK at once. */
  begin(state: "shutdown-pending" | "shutdown-received", now: Instant): void {
    this.#owner.association.state = state;
    this.#owner.outbound.writer.hurry = true;
    this.goOn(now);
  }

  /** Takes the next step if all data is acknowledged. */
  goOn(now: Instant): void {
    const { association, outbound, settings } = this.#owner;
    if (!outbound.idle) return;
    if (association.state === "shutdown-pending") {
      association.state = "shutdown-sent";
      this.#t5At = now + SHUTDOWN_GUARD_RTOS * settings.rtoMaxMs;
      this.#owner.arm(this.#t5At);
      this.repeat(now);
    } else if (association.state === "shutdown-received") {
      this.acknowledge(now);
    }
  }

  /** Answers the peer's SHUTDOWN. */
  acknowledge(now: Instant): void {
    this.#owner.association.state = "shutdown-ack-sent";
    this.repeat(now);
  }

  /** Sends SHUTDOWN or SHUTDOWN ACK, again if need be; T2 begins anew. */
  repeat(now: Instant, path: Path = this.#owner.paths.forData()): void {
    const { association: { state }, inbound } = this.#owner;
    if (state === "shutdown-sent") {
      const { cumulativeTsn } = inbound;
      this.#owner.sendLatest(makeChunk(ChunkType.shutdown, 0, (w) => w.u32(cumulativeTsn)), path);
    } else if (state === "shutdown-ack-sent") {
      this.#owner.sendLatest(makeChunk(ChunkType.shutdownAck, 0), path);
    } else {
      return;
    }
    this.#t2Path = path;
    this.#t2At = now + path.timeout.rtoMs;
    this.#owner.arm(this.#t2At);
  }

  /** SHUTDOWN ACK has come. */
  onAcknowledged(): void {
    const { state } = this.#owner.association;
    if (state !== "shutdown-sent" && state !== "shutdown-ack-sent") return;
    this.#owner.reply(makeChunk(ChunkType.shutdownComplete, 0));
    this.#owner.end("shutdown", state === "shutdown-sent" ? "local" : "peer", undefined);
  }

  tick(now: Instant): void {
    if (this.#t2At <= now) this.#onT2(now);
    if (this.#t5At <= now && this.#owner.association.state !== "closed") this.#onT5();
  }

  #onT2(now: Instant): void {
    this.#t2At = NEVER;
    const path = this.#t2Path;
    if (path === undefined || !this.#owner.unanswered(path)) return;
    this.repeat(now, this.#owner.paths.forRetransmission(path));
  }

  /** The peer has had time enough. */
  #onT5(): void {
    this.#t5At = NEVER;
    const cause = textCause(CauseCode.userInitiatedAbort, "The shutdown took too long.");
    this.#owner.reply(makeAbort(0, cause));
    this.#owner.end("timeout", "local", cause);
  }
}
