/**
 * Stream reconfiguration (RFC 6525) of one association: streams start again at SSN 0, all TSNs start anew, streams are
 * added. Made when it is first used; both halves have files of their own, this side's requests
 * (reconfiguration_requests.ts) and the peer's (reconfiguration_answers.ts).
 */
import type { AddStreamsCommand, Instant, ResetStreamsCommand, TransportCommand } from "../net.ts";
import type { AssociationParts } from "./association_parts.ts";
import { COMMON_HEADER_OCTETS } from "./packet.ts";
import { ReconfigurationAnswers } from "./reconfiguration_answers.ts";
import { makeReconfiguration, OUTGOING_RESET_OCTETS, readReconfiguration } from "./reconfiguration_chunk.ts";
import type { ReconfigurationResponse } from "./reconfiguration_chunk.ts";
import { tellAssociationReset, tellStreamsAdded, tellStreamsReset } from "./reconfiguration_events.ts";
import { ReconfigurationRequests } from "./reconfiguration_requests.ts";

/** Commands that are about streams. */
export type ReconfigurationCommand = Extract<
  TransportCommand,
  { type: "resetStreams" | "resetAssociation" | "addStreams" }
>;

/** Stream numbers have 16 bits, of which the last one is not used (RFC 6525 §5.1.5). */
const MAX_STREAMS = 65_535;

/** How long a packet may live in the network (§5.1.4). */
const MAX_SEGMENT_LIFETIME_MS = 30_000;

/** The streams of one association and how they change. */
export class Reconfiguration {
  readonly #parts: AssociationParts;
  readonly #requests: ReconfigurationRequests;
  readonly #answers: ReconfigurationAnswers;
  #nextAssociationResetAt: Instant = -Infinity;

  constructor(parts: AssociationParts) {
    const { seed } = parts.association;
    this.#parts = parts;
    this.#requests = new ReconfigurationRequests(parts, seed.localTsn, () => this.#answers.last);
    this.#answers = new ReconfigurationAnswers(parts, seed.peerTsn, this.#requests);
  }

  /** When `tick` has something to do. */
  get dueAt(): Instant {
    return Math.min(this.#requests.dueAt, this.#answers.dueAt);
  }

  tick(now: Instant): void {
    if (this.#requests.dueAt <= now) this.#requests.tick(now);
    if (this.#answers.dueAt <= now && this.#parts.association.state !== "closed") this.#answers.tick(now);
  }

  /** Carries out a command, or refuses it. */
  execute(command: ReconfigurationCommand, now: Instant): void {
    switch (command.type) {
      case "resetStreams":
        return this.#resetStreams(command);
      case "resetAssociation":
        return this.#resetAssociation(now);
      case "addStreams":
        return this.#addStreams(command);
      default:
        return command satisfies never;
    }
  }

  /** Two in a row could make TSNs mean something else while packets with the old ones are still under way (§5.1.4). */
  #resetAssociation(now: Instant): void {
    const tooSoon = now < this.#nextAssociationResetAt;
    if (tooSoon || this.#requests.isFull) return tellAssociationReset(this.#parts, "failed");
    this.#nextAssociationResetAt = now + MAX_SEGMENT_LIFETIME_MS;
    this.#requests.resetAssociation();
  }

  #resetStreams({ direction, streams }: ResetStreamsCommand): void {
    if (direction !== "incoming") this.#reset("outgoing", streams);
    if (direction !== "outgoing") this.#reset("incoming", streams);
  }

  /** As many requests as it takes: a list may be longer than a packet. */
  #reset(direction: "incoming" | "outgoing", listed: readonly number[]): void {
    const { inbound, outbound, paths } = this.#parts;
    const count = direction === "incoming" ? inbound.streams.count : outbound.streams.count;
    const streams = [...new Set(listed)];
    if (streams.some((stream) => !Number.isInteger(stream) || stream < 0 || stream >= count)) {
      return tellStreamsReset(this.#parts, direction, streams, "failed");
    }
    const room = paths.primary.packetOctets - COMMON_HEADER_OCTETS - OUTGOING_RESET_OCTETS >> 1;
    const all = streams.length === count ? [] : streams;
    for (let from = 0; from === 0 || from < all.length; from += room) {
      const part = all.slice(from, from + room);
      if (this.#requests.isFull) tellStreamsReset(this.#parts, direction, part, "failed");
      else if (direction === "outgoing") this.#requests.resetOutgoing(part);
      else this.#requests.resetIncoming(part);
    }
  }

  #addStreams({ outbound: more, inbound: wanted }: AddStreamsCommand): void {
    const { inbound, outbound } = this.#parts;
    const possible = more >= 0 && wanted >= 0 && more + wanted > 0 &&
      outbound.streams.count + this.#requests.addedOutgoing + more <= MAX_STREAMS &&
      inbound.streams.count + wanted <= MAX_STREAMS;
    if (!possible || this.#requests.isFull) return tellStreamsAdded(this.#parts, "failed");
    if (more > 0) this.#requests.add("addOutgoing", more);
    if (wanted > 0) this.#requests.add("addIncoming", wanted);
  }

  /**
   * Takes a RE-CONFIG chunk (§5.2.1).
   *
   * @param chunk header and value
   * @throws {DecodeError} when it cannot be read
   */
  receive(chunk: Uint8Array, now: Instant): void {
    const responses: ReconfigurationResponse[] = [];
    let asked = false;
    for (const parameter of readReconfiguration(chunk)) {
      if (parameter.type === "response") {
        this.#requests.onResponse(parameter, now);
        continue;
      }
      asked = true;
      const response = this.#answers.take(parameter, now);
      if (response !== undefined) responses.push(response);
    }
    const sent = this.#requests.startNext(responses, now);
    if (!sent && responses.length > 0) {
      this.#parts.send(makeReconfiguration(responses), this.#parts.paths.forData());
    }
    if (asked) this.#parts.acknowledge();
  }

  /** Data was sent or received or acknowledged: something may have waited for it. */
  progress(now: Instant): void {
    this.#answers.progress(now);
    this.#requests.startNext([], now);
  }

  /** Whether a DATA chunk counts as lost, since it came before the reset that it stands behind. */
  defers(tsn: number, stream: number): boolean {
    return this.#answers.defers(tsn, stream);
  }

  /** @returns whether a HEARTBEAT ACK was for this */
  confirm(chunk: Uint8Array): boolean {
    return this.#answers.confirm(chunk);
  }
}

/** Tells that a command cannot be carried out: the peer does not take part, or the association is not open. */
export function refuseReconfiguration(parts: AssociationParts, command: ReconfigurationCommand): void {
  switch (command.type) {
    case "resetStreams":
      if (command.direction !== "incoming") tellStreamsReset(parts, "outgoing", command.streams, "failed");
      if (command.direction !== "outgoing") tellStreamsReset(parts, "incoming", command.streams, "failed");
      return;
    case "resetAssociation":
      return tellAssociationReset(parts, "failed");
    case "addStreams":
      return tellStreamsAdded(parts, "failed");
    default:
      return command satisfies never;
  }
}
