/**
 * This side's requests to reconfigure streams (RFC 6525 §5.1, §5.2.7): one is under way at a time, the others wait.
 *
 *     add ──→ waits ──its turn has come, what was queued before it is sent──→ sent ──response──→ finished
 *                                                                            │  ↑
 *                                                                            └──┘ timer; "in progress" excuses the peer
 *
 * A request for the peer's own streams is answered by a request of the peer. When it says "in progress" it has promised
 * that, and ours makes room for the next one: else two sides that ask each other would wait for ever.
 *
 * Messages for streams that are to be reset are held from `add` on, so that they come behind the reset.
 */
import type { Instant } from "../net.ts";
import type { AssociationParts } from "./association_parts.ts";
import { MAX_RECONFIGURATION_REQUESTS } from "./limits.ts";
import { NEVER } from "./path.ts";
import type { Path } from "./path.ts";
import { makeReconfiguration, ReconfigurationResult } from "./reconfiguration_chunk.ts";
import type {
  OutgoingReset,
  ReconfigurationParameter,
  ReconfigurationRequest,
  ReconfigurationResponse,
} from "./reconfiguration_chunk.ts";
import { conclude } from "./reconfiguration_outcome.ts";
import type { StreamRequest } from "./reconfiguration_outcome.ts";
import { tsnAdd } from "./serial.ts";

/** The request that waits for its response. */
interface Pending {
  readonly request: StreamRequest;
  readonly parameter: ReconfigurationRequest;
}

/** Requests of one association. */
export class ReconfigurationRequests {
  /** The re-configuration timer. */
  dueAt: Instant = NEVER;
  readonly #parts: AssociationParts;
  #nextNumber: number;
  readonly #lastOfPeer: () => number;
  readonly #waiting: StreamRequest[] = [];
  #pending: Pending | undefined = undefined;
  /** Requests for the peer's streams that it has promised to answer, oldest first. */
  #promised: Pending[] = [];
  /**
   * Requests for incoming streams since the last one that the peer is known to have seen. An Add Outgoing Streams Request
   * was taken for their answer; it does not say what it answers, and may have crossed them instead (§5.2.6).
   */
  #unproved: Pending[] = [];
  #path: Path | undefined = undefined;
  /** How often the pending request was sent, and when last. */
  #sends = 0;
  #sentAt: Instant = 0;
  /** The RTO, doubled with each expiry. */
  #timeoutMs = 0;
  /** The peer has said that it works at it: its silence is no error (§5.2.7 H2). */
  #excused = false;

  /**
   * @param firstNumber the initial TSN of this side (§4.1)
   * @param lastOfPeer the last request number of the peer that was processed
   */
  constructor(parts: AssociationParts, firstNumber: number, lastOfPeer: () => number) {
    this.#parts = parts;
    this.#nextNumber = firstNumber;
    this.#lastOfPeer = lastOfPeer;
  }

  /** What is under way. */
  get pending(): ReconfigurationRequest["type"] | undefined {
    return this.#pending?.request.type;
  }

  get isFull(): boolean {
    return this.#waiting.length + this.#promised.length >= MAX_RECONFIGURATION_REQUESTS;
  }

  /** Streams that requests under way or waiting will add to those that this side sends on. */
  get addedOutgoing(): number {
    const requests = [...this.#waiting, ...(this.#pending === undefined ? [] : [this.#pending.request])];
    return requests.reduce((sum, { type, count }) => sum + (type === "addOutgoing" ? count : 0), 0);
  }

  /** Resets outgoing streams. @param answers the peer's request that asks for it */
  resetOutgoing(streams: readonly number[], answers?: number): void {
    const hold = this.#parts.outbound.hold(streams);
    this.#waiting.push({ type: "resetOutgoing", streams, count: 0, answers, hold });
  }

  /** Asks the peer to reset streams that it sends on. */
  resetIncoming(streams: readonly number[]): void {
    this.#waiting.push({ type: "resetIncoming", streams, count: 0, answers: undefined, hold: undefined });
  }

  /** Resets all TSNs and SSNs. */
  resetAssociation(): void {
    const hold = this.#parts.outbound.hold([]);
    this.#waiting.push({ type: "resetAssociation", streams: [], count: 0, answers: undefined, hold });
  }

  /** Adds streams. @param answers the peer's request that asks for it */
  add(type: "addOutgoing" | "addIncoming", count: number, answers?: number): void {
    this.#waiting.push({ type, streams: [], count, answers, hold: undefined });
  }

  /** Whether the request that was added last can go at once. */
  get isReady(): boolean {
    const [request] = this.#waiting;
    return this.#isFree && this.#waiting.length === 1 && request !== undefined && this.#canGo(request);
  }

  /** Whether nothing is under way but what the peer has promised. */
  get #isFree(): boolean {
    const pending = this.#pending;
    if (pending === undefined) return true;
    const { type } = pending.request;
    return this.#excused && (type === "resetIncoming" || type === "addIncoming");
  }

  /** Whether all of these streams are about to be reset by a request that was sent (§5.2.3). */
  covers(streams: readonly number[]): boolean {
    const request = this.#pending?.request;
    if (request?.type !== "resetOutgoing") return false;
    if (request.streams.length === 0) return true;
    return streams.length > 0 && streams.every((stream) => request.streams.includes(stream));
  }

  /**
   * Sends the next request if nothing is in its way.
   *
   * @param responses what the peer is to be told in the same chunk
   * @returns whether they were sent
   */
  startNext(responses: readonly ReconfigurationResponse[], now: Instant): boolean {
    const [request] = this.#waiting;
    if (request === undefined && this.#pending === undefined) this.#remind(now);
    if (request === undefined || !this.#isFree || !this.#canGo(request)) return false;
    this.#waiting.shift();
    if (this.#pending !== undefined) this.#promised.push(this.#pending);
    const parameter = this.#parameterOf(request);
    this.#pending = { request, parameter };
    this.#excused = false;
    this.#timeoutMs = 0;
    this.#sends = 0;
    const together = responses.length === 0 || (responses.length === 1 && request.type === "resetOutgoing"); // §3.1
    this.#send(together ? [...responses, parameter] : [parameter], this.#parts.paths.forData(), now);
    return together;
  }

  /** The last messages of before must have their TSNs; a reset of all TSNs waits for their acknowledgement, too (C2). */
  #canGo({ type, hold }: StreamRequest): boolean {
    if (hold !== undefined && !hold.isDrained()) return false;
    return type !== "resetAssociation" || this.#parts.outbound.flight.count === 0;
  }

  #parameterOf({ type, streams, count, answers }: StreamRequest): ReconfigurationRequest {
    const request = this.#nextNumber;
    this.#nextNumber = tsnAdd(request, 1);
    switch (type) {
      case "resetOutgoing":
        return {
          type,
          request,
          response: answers ?? this.#lastOfPeer(),
          lastTsn: tsnAdd(this.#parts.outbound.flight.nextTsn, -1),
          streams,
        };
      case "resetIncoming":
        return { type, request, streams };
      case "resetAssociation":
        this.#parts.outbound.expectRestart();
        return { type, request };
      case "addOutgoing":
      case "addIncoming":
        return { type, request, count };
      default:
        return type satisfies never;
    }
  }

  #send(parameters: readonly ReconfigurationParameter[], path: Path, now: Instant): void {
    this.#path = path;
    this.#sends++;
    this.#sentAt = now;
    this.#parts.send(makeReconfiguration(parameters), path);
    this.#restartTimer(path, now);
  }

  #restartTimer(path: Path, now: Instant): void {
    this.#timeoutMs = Math.max(this.#timeoutMs, path.timeout.rtoMs);
    this.dueAt = now + this.#timeoutMs;
    this.#parts.arm(this.dueAt);
  }

  /** The timer has expired (§5.1.1). */
  tick(now: Instant): void {
    const pending = this.#pending, path = this.#path;
    this.dueAt = NEVER;
    if (pending === undefined || path === undefined) return;
    const { paths, settings } = this.#parts;
    this.#timeoutMs = Math.min(2 * this.#timeoutMs, settings.rtoMaxMs);
    if (!this.#excused && !this.#parts.unanswered(path)) return; // when excused, it is not the path that is slow
    this.#send([pending.parameter], paths.forRetransmission(path), now);
  }

  /**
   * The peer has repeated a request that one of ours answers.
   *
   * @returns what has become of ours
   */
  repeatAnswer(number: number, now: Instant): "waiting" | "sent" | "finished" {
    if (this.#waiting.some(({ answers }) => answers === number)) return "waiting";
    if (this.#pending?.request.answers !== number) return "finished";
    this.#send([this.#pending.parameter], this.#parts.paths.forData(), now);
    return "sent";
  }

  /** Takes a response (§5.2.7). */
  onResponse({ response, result, tsns }: ReconfigurationResponse, now: Instant): void {
    const pending = [...this.#promised, this.#pending].find((each) => each?.parameter.request === response);
    if (pending === undefined) return; // H1
    this.#answered(pending, now);
    if (result === ReconfigurationResult.badSequenceNumber && this.#stepBack(pending)) return;
    if (pending === this.#pending) this.#unproved = [];
    if (result === ReconfigurationResult.inProgress) {
      if (pending !== this.#pending) return;
      if (!this.#excused) this.#timeoutMs = 0;
      this.#excused = true;
      if (this.#path !== undefined) this.#restartTimer(this.#path, now);
      return;
    }
    this.#fulfil((each) => each === pending);
    conclude(this.#parts, pending.request, result, tsns);
  }

  /** The path works. What was sent just once measures it: else its back-off would last (RFC 9260 §6.3.1 C5). */
  #answered(pending: Pending, now: Instant): void {
    const path = this.#path;
    if (path === undefined) return;
    this.#parts.supervision.answered(path);
    const measures = pending === this.#pending && this.#sends === 1 && !this.#excused;
    if (measures) path.timeout.measured(now - this.#sentAt);
    this.#parts.wake(); // data may prefer the path that has come back
  }

  /** The peer misses the number before: that request was not answered, but lost. It goes again, and then this one. */
  #stepBack(pending: Pending): boolean {
    const lost = pending === this.#pending ? this.#unproved.pop() : undefined;
    if (lost === undefined) return false;
    this.#waiting.unshift(lost.request, pending.request);
    this.#nextNumber = lost.parameter.request;
    this.#clear();
    return true;
  }

  /** An Outgoing SSN Reset Request of the peer may be the answer to an incoming one of ours (§5.2.2 E1). */
  isAnswer({ response }: OutgoingReset): boolean {
    return this.#fulfil((pending) =>
      pending.request.type === "resetIncoming" && pending.parameter.request === response
    );
  }

  /** An Add Outgoing Streams Request of the peer may be the answer to an incoming one of ours (§5.2.6). */
  isAddedAnswer(): boolean {
    const pending = this.#pending, seen = this.#excused;
    const fulfilled = this.#fulfil(({ request }) => request.type === "addIncoming");
    if (pending !== undefined && this.#pending === undefined && !seen) this.#unproved.push(pending);
    return fulfilled;
  }

  /** @returns whether a request for the peer's streams has been answered by this */
  #fulfil(matches: (pending: Pending) => boolean): boolean {
    const promised = this.#promised.find(matches);
    if (promised !== undefined) {
      this.#promised = this.#promised.filter((other) => other !== promised);
      return true;
    }
    if (this.#pending === undefined || !matches(this.#pending)) return false;
    this.#clear();
    return true;
  }

  #clear(): void {
    this.#pending = undefined;
    this.dueAt = NEVER;
    this.#parts.wake(); // the next one has its turn
  }

  /** Nothing is under way: the peer will be reminded of what it has promised. */
  #remind(now: Instant): void {
    this.#pending = this.#promised.shift();
    if (this.#pending === undefined) return;
    this.#excused = true;
    this.#timeoutMs = 0;
    this.#path = this.#parts.paths.forData();
    this.#restartTimer(this.#path, now);
  }
}
