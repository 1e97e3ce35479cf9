import { writeAsap } from "../asap/mod.ts";
import type { AsapMessage } from "../asap/mod.ts";
import type { Instant } from "../net.ts";

/** Requests that may wait for an answer at a time: far more than a lab has sessions in one program. */
export const MAX_PENDING_REQUESTS = 4096;

/** A message type that answers a request. */
export type ResponseType = "registrationResponse" | "deregistrationResponse" | "handleResolutionResponse";

/** How requests behave; default time-outs are RSPLIB's (reference/rsplib.md §1.2). */
export interface RequestOptions {
  /**
   * How long requests may wait for room in the send buffer, in milliseconds; then the registrar is given up. It counts
   * instead of the response time-out while the association is blocked. Default 3000.
   */
  readonly requestTimeoutMs?: number;
  /** How long an answer may take, in milliseconds; then the registrar is given up. Default 3000. */
  readonly responseTimeoutMs?: number;
  /**
   * How many registrars (or the same one, found again) may fail to answer a request that is the first in its row; then it
   * is `unanswered`. Those behind it go on: it may be the one that no registrar can answer. MAX-REQUEST-RETRANSMIT of RFC
   * 5352 §3.3 + 1. Default 3; RSPLIB's is 1.
   */
  readonly maxTrials?: number;
}

/** A request. `Context` is what its owner gave along. */
export interface PendingRequest<Context> {
  readonly context: Context;
  readonly expect: ResponseType;
  readonly octets: Uint8Array;
  /** How often its answer was late. */
  trials: number;
}

/**
 * Requests to whatever registrar there is. ASAP has no transaction numbers: responses come in the order of the requests on
 * one association, and so they are matched.
 *
 *     waiting --a registrar is there--> sent --answer, or late too often--> (taken out)
 *        ^------the registrar is lost----/
 */
export class RequestQueue<Context> {
  readonly #requestTimeoutMs: number;
  readonly #responseTimeoutMs: number;
  readonly #maxTrials: number;
  #waiting: PendingRequest<Context>[] = [];
  #sent: PendingRequest<Context>[] = [];
  /** When the answer to the first request is late. */
  #lateAt: Instant | undefined;
  /** The send buffer of the registrar's association is full. */
  #blocked = false;

  constructor(options: RequestOptions) {
    this.#requestTimeoutMs = options.requestTimeoutMs ?? 3000;
    this.#responseTimeoutMs = options.responseTimeoutMs ?? 3000;
    this.#maxTrials = options.maxTrials ?? 3;
  }

  /** The request whose answer comes next. */
  get first(): PendingRequest<Context> | undefined {
    return this.#sent[0];
  }

  /** Takes a request in. @returns false when there are too many */
  add(message: AsapMessage, expect: ResponseType, context: Context): boolean {
    if (this.#waiting.length + this.#sent.length >= MAX_PENDING_REQUESTS) return false;
    this.#waiting.push({ context, expect, octets: writeAsap(message), trials: 0 });
    return true;
  }

  /** Sends what waits. */
  send(send: (octets: Uint8Array) => void, now: Instant): void {
    if (this.#waiting.length === 0) return;
    if (this.#sent.length === 0) this.#awaitAnswer(now);
    for (const request of this.#waiting) {
      send(request.octets);
      this.#sent.push(request);
    }
    this.#waiting = [];
  }

  /** The first request is answered. */
  answered(now: Instant): void {
    this.#sent.shift();
    if (this.#sent.length > 0) this.#awaitAnswer(now);
    else this.#lateAt = undefined;
  }

  /** The registrar's association takes no more for now, or takes it again. */
  setBlocked(blocked: boolean, now: Instant): void {
    this.#blocked = blocked;
    if (this.#sent.length > 0) this.#awaitAnswer(now);
  }

  /** What was sent on an association that is gone has to be sent again. */
  resume(): void {
    this.#waiting = [...this.#sent, ...this.#waiting];
    this.#sent = [];
    this.#blocked = false;
    this.#lateAt = undefined;
  }

  /** Takes back requests that still wait for a registrar. */
  cancel(which: (context: Context) => boolean): void {
    this.#waiting = this.#waiting.filter(({ context }) => !which(context));
  }

  /** When the answer to the first request is late. */
  nextTimeout(): Instant | undefined {
    return this.#lateAt;
  }

  /**
   * The answer to the first request is late.
   *
   * @returns that request when it was late too often: it is not sent again
   */
  late(): PendingRequest<Context> | undefined {
    this.#lateAt = undefined;
    const { first } = this;
    if (first === undefined || ++first.trials < this.#maxTrials) return undefined;
    return this.#sent.shift();
  }

  #awaitAnswer(now: Instant): void {
    this.#lateAt = now + (this.#blocked ? this.#requestTimeoutMs : this.#responseTimeoutMs);
  }
}
