/**
 * The peer's requests to reconfigure streams (RFC 6525 §5.2). Each has the number that follows the one before; the last
 * few are remembered, and a repeated one is answered as it was.
 *
 * | request | performed at once, unless | then "in progress", and later |
 * |---|---|---|
 * | its outgoing streams reset | TSNs up to its last one are missing | performed when they have come |
 * | its incoming streams reset | messages wait for them here, or another request is under way | an outgoing request of ours |
 * | association reset | data of ours is not acknowledged | performed when it is |
 * | its outgoing streams added | | |
 * | its incoming streams added | another request is under way | an outgoing request of ours |
 *
 * After a reset of the association, data of ours must not overtake the response: it would have old TSNs and new SSNs for
 * the peer. So the response goes together with a HEARTBEAT, and what is to be sent waits for its acknowledgement.
 */
import type { Instant } from "../net.ts";
import type { AssociationParts } from "./association_parts.ts";
import { answersHeartbeat, makeHeartbeat, makeNonce } from "./heartbeat_chunk.ts";
import { MAX_RECONFIGURATION_REQUESTS, MAX_STREAMS_ON_DEMAND } from "./limits.ts";
import type { OutboundHold } from "./outbound_hold.ts";
import { NEVER } from "./path.ts";
import { makeReconfiguration, ReconfigurationResult } from "./reconfiguration_chunk.ts";
import type {
  OutgoingReset,
  ReconfigurationRequest,
  ReconfigurationResponse,
} from "./reconfiguration_chunk.ts";
import { tellAssociationReset, tellStreamsAdded, tellStreamsReset } from "./reconfiguration_events.ts";
import type { ReconfigurationRequests } from "./reconfiguration_requests.ts";
import { tsnAdd, tsnDifference } from "./serial.ts";

/** How far the TSNs of the peer jump when the association is reset (§5.2.4 G1). */
const TSN_JUMP = 0x8000_0000;

/** Answers that are remembered: one chunk can hold two requests, and some are answered late. */
const MAX_ANSWERS = 2 * MAX_RECONFIGURATION_REQUESTS;

/** What a request was answered. */
interface Answer {
  readonly number: number;
  /** Undefined = a request of ours is the answer. */
  response: ReconfigurationResponse | undefined;
}

/** A reset of the association whose response has not arrived as far as is known. */
interface Unconfirmed {
  readonly hold: OutboundHold;
  /** Response and HEARTBEAT. */
  readonly chunks: Uint8Array;
  readonly nonce: Uint8Array;
}

/** The peer's requests of one association. */
export class ReconfigurationAnswers {
  /** When the response to a reset of the association goes again. */
  dueAt: Instant = NEVER;
  readonly #parts: AssociationParts;
  readonly #requests: ReconfigurationRequests;
  #expected: number;
  #answers: Answer[] = [];
  /** "Deferred reset processing" (E2). */
  #deferred: OutgoingReset | undefined = undefined;
  /** The association is to be reset when all of our data is acknowledged. */
  #resetting: { readonly number: number; readonly hold: OutboundHold } | undefined = undefined;
  #unconfirmed: Unconfirmed | undefined = undefined;

  /** @param firstNumber the initial TSN of the peer */
  constructor(parts: AssociationParts, firstNumber: number, requests: ReconfigurationRequests) {
    this.#parts = parts;
    this.#expected = firstNumber;
    this.#requests = requests;
  }

  /** The number of the peer's last request. */
  get last(): number {
    return tsnAdd(this.#expected, -1);
  }

  /** Whether a DATA chunk is of after a reset that waits for what was before (E2): it counts as lost. */
  defers(tsn: number, stream: number): boolean {
    const deferred = this.#deferred;
    if (deferred === undefined || tsnDifference(tsn, deferred.lastTsn) <= 0) return false;
    return deferred.streams.length === 0 || deferred.streams.includes(stream);
  }

  /**
   * Takes a request.
   *
   * @returns what to answer; undefined = the answer is a request of ours, or goes by itself
   */
  take(request: ReconfigurationRequest, now: Instant): ReconfigurationResponse | undefined {
    const { request: number } = request;
    if (number === this.#expected) {
      this.#expected = tsnAdd(number, 1);
      const answer: Answer = { number, response: undefined };
      this.#answers = [...this.#answers.slice(1 - MAX_ANSWERS), answer];
      const response = this.#perform(request, now);
      if (response !== undefined) answer.response = response;
      return response;
    }
    const known = this.#answers.find((answer) => answer.number === number);
    if (known === undefined) return respond(number, ReconfigurationResult.badSequenceNumber);
    if (known.response?.tsns !== undefined && this.#unconfirmed !== undefined) {
      this.#sendUnconfirmed(now);
      return undefined;
    }
    return known.response?.result === ReconfigurationResult.inProgress || known.response === undefined
      ? this.#repeated(known, now)
      : known.response;
  }

  /** A request of ours is the answer to this one, or it is still being worked at. */
  #repeated({ number, response }: Answer, now: Instant): ReconfigurationResponse | undefined {
    if (this.#deferred?.request === number || this.#resetting?.number === number) return response;
    switch (this.#requests.repeatAnswer(number, now)) {
      case "waiting":
        return respond(number, ReconfigurationResult.inProgress);
      case "sent":
        return undefined;
      case "finished":
        return respond(number, ReconfigurationResult.performed);
    }
  }

  #perform(request: ReconfigurationRequest, now: Instant): ReconfigurationResponse | undefined {
    const { request: number } = request;
    switch (request.type) {
      case "resetOutgoing":
        return respond(number, this.#resetIncoming(request));
      case "resetIncoming":
        return this.#resetOutgoing(number, request.streams);
      case "resetAssociation":
        return this.#resetAssociation(number, now);
      case "addOutgoing":
        return respond(number, this.#addIncoming(request.count));
      case "addIncoming":
        return this.#addOutgoing(number, request.count);
      default:
        return request satisfies never;
    }
  }

  get #allowed(): AssociationParts["settings"]["streamReset"] {
    return this.#parts.settings.streamReset;
  }

  /** Their outgoing streams are our incoming ones (§5.2.2). */
  #resetIncoming(request: OutgoingReset): number {
    const answersOurs = this.#requests.isAnswer(request);
    const { inbound } = this.#parts;
    if (!answersOurs && !this.#allowed.streams) return ReconfigurationResult.denied;
    if (request.streams.some((stream) => stream >= inbound.streams.count)) {
      return ReconfigurationResult.wrongSsn;
    }
    if (this.#deferred !== undefined) return ReconfigurationResult.requestInProgress;
    if (tsnDifference(request.lastTsn, inbound.cumulativeTsn) > 0) {
      this.#deferred = request;
      return ReconfigurationResult.inProgress;
    }
    this.#finishIncoming(request.streams);
    return ReconfigurationResult.performed;
  }

  #finishIncoming(streams: readonly number[]): void {
    this.#parts.inbound.streams.reset(streams);
    tellStreamsReset(this.#parts, "incoming", streams, "performed");
  }

  /** Their incoming streams are our outgoing ones: we are to ask for it (§5.2.3). */
  #resetOutgoing(number: number, streams: readonly number[]): ReconfigurationResponse | undefined {
    const { outbound } = this.#parts;
    if (!this.#allowed.streams || this.#requests.isFull) return respond(number, ReconfigurationResult.denied);
    if (streams.some((stream) => stream >= outbound.streams.count)) {
      return respond(number, ReconfigurationResult.wrongSsn);
    }
    if (this.#requests.covers(streams) || outbound.streams.areFresh(streams)) {
      return respond(number, ReconfigurationResult.nothingToDo);
    }
    this.#requests.resetOutgoing(streams, number);
    return this.#requests.isReady ? undefined : respond(number, ReconfigurationResult.inProgress);
  }

  #resetAssociation(number: number, now: Instant): ReconfigurationResponse | undefined {
    if (!this.#allowed.association) return respond(number, ReconfigurationResult.denied);
    const busy = this.#requests.pending !== undefined || this.#deferred !== undefined;
    if (busy || this.#resetting !== undefined || this.#unconfirmed !== undefined) {
      return respond(number, ReconfigurationResult.requestInProgress);
    }
    this.#resetting = { number, hold: this.#parts.outbound.hold([]) };
    this.#goOnResetting(now);
    return this.#resetting === undefined ? undefined : respond(number, ReconfigurationResult.inProgress);
  }

  /** §5.2.4. What was in flight is acknowledged, so that nothing of it is lost (G3 would have it forgotten). */
  #goOnResetting(now: Instant): void {
    const resetting = this.#resetting;
    const { outbound, inbound } = this.#parts;
    if (resetting === undefined || !resetting.hold.isDrained() || outbound.flight.count > 0) return;
    this.#resetting = undefined;
    const sender = outbound.flight.nextTsn;
    const receiver = tsnAdd(inbound.cumulativeTsn, 1 + TSN_JUMP);
    outbound.streams.reset([]);
    inbound.restart(receiver);
    const response = {
      ...respond(resetting.number, ReconfigurationResult.performed),
      tsns: { sender, receiver },
    };
    this.#remember(response);
    tellAssociationReset(this.#parts, "performed");
    const nonce = makeNonce(this.#parts.host.environment.random);
    const chunks = join(makeReconfiguration([response]), makeHeartbeat(nonce));
    this.#unconfirmed = { hold: resetting.hold, chunks, nonce };
    this.#sendUnconfirmed(now);
  }

  #sendUnconfirmed(now: Instant): void {
    if (this.#unconfirmed === undefined) return;
    const path = this.#parts.paths.forData();
    this.#parts.send(this.#unconfirmed.chunks, path);
    this.dueAt = now + path.timeout.rtoMs;
    this.#parts.arm(this.dueAt);
  }

  /** The response to a reset of the association is not known to have arrived. */
  tick(now: Instant): void {
    this.dueAt = NEVER;
    const path = this.#parts.paths.forData();
    if (this.#parts.unanswered(path)) this.#sendUnconfirmed(now);
  }

  /** @returns whether this HEARTBEAT ACK shows that the response to a reset of the association has arrived */
  confirm(chunk: Uint8Array): boolean {
    const unconfirmed = this.#unconfirmed;
    if (unconfirmed === undefined || !answersHeartbeat(chunk, unconfirmed.nonce)) return false;
    this.#unconfirmed = undefined;
    this.dueAt = NEVER;
    this.#parts.supervision.answered(this.#parts.paths.forData());
    this.#parts.outbound.release(unconfirmed.hold);
    this.#parts.wake();
    return true;
  }

  /** Their outgoing streams are our incoming ones (§5.2.5). */
  #addIncoming(count: number): number {
    const answersOurs = this.#requests.isAddedAnswer();
    const { inbound: { streams }, settings } = this.#parts;
    if (!answersOurs && !this.#allowed.change) return ReconfigurationResult.denied;
    if (streams.count + count > settings.maxInboundStreams) return ReconfigurationResult.denied;
    if (count === 0) return ReconfigurationResult.nothingToDo;
    streams.count += count;
    tellStreamsAdded(this.#parts, "performed");
    return ReconfigurationResult.performed;
  }

  /** §5.2.6 */
  #addOutgoing(number: number, count: number): ReconfigurationResponse | undefined {
    const { outbound: { streams } } = this.#parts;
    const total = streams.count + this.#requests.addedOutgoing + count;
    const denied = !this.#allowed.change || this.#requests.isFull || total > MAX_STREAMS_ON_DEMAND;
    if (denied) return respond(number, ReconfigurationResult.denied);
    if (count === 0) return respond(number, ReconfigurationResult.nothingToDo);
    this.#requests.add("addOutgoing", count, number);
    return this.#requests.isReady ? undefined : respond(number, ReconfigurationResult.inProgress);
  }

  /** Data has come, or was acknowledged: what was deferred may be possible now. */
  progress(now: Instant): void {
    const deferred = this.#deferred;
    if (deferred !== undefined && tsnDifference(deferred.lastTsn, this.#parts.inbound.cumulativeTsn) <= 0) {
      this.#deferred = undefined;
      this.#finishIncoming(deferred.streams);
      const response = respond(deferred.request, ReconfigurationResult.performed);
      this.#remember(response);
      this.#parts.send(makeReconfiguration([response]), this.#parts.paths.forData());
    }
    this.#goOnResetting(now);
  }

  #remember(response: ReconfigurationResponse): void {
    const answer = this.#answers.find(({ number }) => number === response.response);
    if (answer !== undefined) answer.response = response;
  }
}

function respond(response: number, result: number): ReconfigurationResponse {
  return { type: "response", response, result };
}

function join(first: Uint8Array, second: Uint8Array): Uint8Array {
  const joined = new Uint8Array(first.length + second.length);
  joined.set(first);
  joined.set(second, first.length);
  return joined;
}
