/**
 * What the kernel transport keeps of one association: its queue, what has come in of unfinished messages, and how it
 * ended.
 *
 * @module
 */
import type {
  AssociationDown,
  AssociationId,
  IpAddress,
  PartialReliability,
  Ppid,
  SendFailed,
  SendFailure,
  TransportEvent,
} from "../protocol/net.ts";
import type { FullBuffer } from "./full_buffer.ts";
import type { KernelSocket, OutgoingMessage, ReceivedPiece } from "./kernel_socket.ts";
import type { SendFailedNotification } from "./notification.ts";

/** A message whose fragments the kernel gives back one by one. */
interface FailedMessage {
  readonly context: number;
  readonly stream: number;
  readonly ppid: Ppid;
  readonly failure: SendFailure;
  readonly pieces: Uint8Array[];
  sent: boolean;
}

/** A message that has come in part. */
interface PartialMessage {
  readonly ssn: number;
  readonly tsn: number;
  readonly ppid: Ppid;
  readonly pieces: Uint8Array[];
  octets: number;
}

/** A whole message, joined. */
export interface WholeMessage {
  readonly ssn: number;
  readonly tsn: number;
  readonly ppid: Ppid;
  readonly data: Uint8Array;
}

/** One association of a kernel endpoint. */
export class KernelAssociation {
  readonly id: AssociationId;
  /** The kernel's ID, valid until the association ended. */
  readonly kernelId: number;
  /** The `connect` that asked for it. */
  readonly request: number | undefined;
  /** When `connect` was called, on the clock of the driver. */
  readonly startedAt: number;
  /** Its own socket once it is peeled off; the endpoint's before and where that failed. */
  socket: KernelSocket;
  up = false;
  /** Events of the kernel that came before COMM_UP, which must be told first. */
  early: TransportEvent[] = [];
  /** What this side asked for. */
  ending: "no" | "shutdown" | "abort" = "no";
  /** SHUTDOWN went to the kernel: nothing can be sent any more. */
  shutdownSent = false;
  /** The kernel takes no messages of it any more. */
  sendingOver = false;
  peerShutDown = false;
  /** Set when the kernel said that it is over; told once everything else is. */
  down: AssociationDown | undefined;
  blocked = false;
  /** Messages that the kernel has not taken yet, from `queueStart` on. */
  queue: OutgoingMessage[] = [];
  queueStart = 0;
  queuedOctets = 0;
  /** Sets the kernel's send buffer where it is to drain within a time. */
  fullBuffer: FullBuffer | undefined;
  /** Octets delivered and not yet consumed; with `manualReceive` only. */
  unconsumed = 0;
  /** When messages are given up that do not say it themselves. */
  reliability: PartialReliability | undefined;
  peerPort = 0;
  peerAddresses: readonly IpAddress[] = [];
  readonly unreachable: Set<IpAddress> = new Set();
  readonly #partial = new Map<number, PartialMessage>();
  #failed: FailedMessage | undefined;

  constructor(
    id: AssociationId,
    kernelId: number,
    request: number | undefined,
    socket: KernelSocket,
    now: number,
  ) {
    this.id = id;
    this.kernelId = kernelId;
    this.request = request;
    this.socket = socket;
    this.startedAt = now;
  }

  /** Messages that wait. */
  get waiting(): number {
    return this.queue.length - this.queueStart;
  }

  /** Puts a message behind those that wait. */
  enqueue(message: OutgoingMessage): void {
    this.queue.push(message);
    this.queuedOctets += message.data.length;
  }

  /** Takes messages that the kernel took, or refused, off the front. */
  dequeue(count: number): OutgoingMessage[] {
    const taken = this.queue.slice(this.queueStart, this.queueStart + count);
    this.queueStart += taken.length;
    for (const message of taken) this.queuedOctets -= message.data.length;
    if (this.queueStart === this.queue.length) {
      this.queue = [];
      this.queueStart = 0;
    } else if (this.queueStart > 1024 && 2 * this.queueStart > this.queue.length) {
      this.queue = this.queue.slice(this.queueStart);
      this.queueStart = 0;
    }
    return taken;
  }

  /**
   * Joins the pieces of a message: each stream has at most one unfinished ordered and one unfinished unordered message
   * in delivery (RFC 6458 §3.2, MSG_EOR).
   *
   * @param limit longest message in octets
   * @returns the whole message, undefined while more is to come, or "too long"
   */
  join(piece: ReceivedPiece, limit: number): WholeMessage | undefined | "too long" {
    const key = piece.stream * 2 + (piece.unordered ? 1 : 0);
    const begun = this.#partial.get(key);
    if ((begun?.octets ?? 0) + piece.data.length > limit) return "too long";
    if (begun === undefined) {
      const { ssn, tsn, ppid } = piece;
      const data = piece.data.slice();
      if (piece.endOfRecord) return { ssn, tsn, ppid, data };
      this.#partial.set(key, { ssn, tsn, ppid, pieces: [data], octets: data.length });
      return undefined;
    }
    begun.pieces.push(piece.data.slice());
    begun.octets += piece.data.length;
    if (!piece.endOfRecord) return undefined;
    this.#partial.delete(key);
    return {
      ssn: begun.ssn,
      tsn: begun.tsn,
      ppid: begun.ppid,
      data: concatenate(begun.pieces, begun.octets),
    };
  }

  /** Forgets the unfinished message of a stream: the peer gave it up. */
  forgetPartial(stream: number): void {
    this.#partial.delete(stream * 2);
    this.#partial.delete(stream * 2 + 1);
  }

  /** Forgets everything that a restart of the peer made void. */
  restart(): void {
    this.#partial.clear();
    this.unreachable.clear();
  }

  /**
   * Takes a chunk that came back. The kernel gives back the chunks of a message in order, but for those that the peer
   * has acknowledged, which may be the first or the last ones.
   *
   * @returns messages that are complete now
   */
  fail(chunk: SendFailedNotification): SendFailed[] {
    const told: SendFailed[] = [];
    const { context, stream, ppid, sent, begins, ends, data } = chunk;
    let failed = this.#failed;
    if (
      failed === undefined || begins || failed.context !== context || failed.stream !== stream ||
      failed.ppid !== ppid
    ) {
      told.push(...this.takeFailed());
      const failure = this.down === undefined && this.ending !== "abort" ? "abandoned" : "association-ended";
      this.#failed = failed = { context, stream, ppid, failure, sent, pieces: [data] };
    } else {
      failed.pieces.push(data);
      failed.sent ||= sent;
    }
    if (ends) told.push(...this.takeFailed());
    return told;
  }

  /** The message whose chunks came back last, if there is one. */
  takeFailed(): SendFailed[] {
    const failed = this.#failed;
    if (failed === undefined) return [];
    this.#failed = undefined;
    const { stream, ppid, sent, failure, context, pieces } = failed;
    const octets = pieces.reduce((sum, piece) => sum + piece.length, 0);
    return [this.failureOf({ stream, ppid, context, data: concatenate(pieces, octets) }, sent, failure)];
  }

  /** The event that gives a message back. */
  failureOf(message: FailedContent, sent: boolean, failure: SendFailure): SendFailed {
    const { stream, ppid, data, context } = message;
    return { type: "sendFailed", association: this.id, stream, ppid, data, sent, failure, context };
  }
}

/** What a message that is given back has of its own. */
export interface FailedContent {
  readonly stream: number;
  readonly ppid: Ppid;
  readonly data: Uint8Array;
  readonly context: number;
}

function concatenate(pieces: readonly Uint8Array[], octets: number): Uint8Array {
  const whole = new Uint8Array(octets);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
