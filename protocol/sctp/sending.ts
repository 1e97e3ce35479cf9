/**
 * The user's side of sending: takes messages, refuses impossible ones, and tells what becomes of them (`sendFailed`,
 * `blocked`, `writable`, `senderDry`).
 */
import type { AssociationId, Instant, PartialReliability, SendCommand, SendFailure } from "../net.ts";
import type { Authentication } from "./authentication.ts";
import type { Endpoint } from "./endpoint.ts";
import type { EndpointSettings } from "./options.ts";
import type { Outbound } from "./outbound.ts";
import { newMessage } from "./outbound_message.ts";
import type { MessageLimit, OutboundMessage } from "./outbound_message.ts";
import type { Host } from "./party.ts";
import { NEVER } from "./path.ts";

/** What stands behind the sending of one association. */
export interface SendingOwner {
  readonly id: AssociationId;
  readonly endpoint: Endpoint;
  readonly host: Host;
  readonly settings: EndpointSettings;
  readonly outbound: Outbound;
  readonly authentication: Authentication | undefined;
  /** Whether the peer takes part in partial reliability. */
  readonly partialReliability: boolean;
}

/** Messages of one association, as its user sees them. */
export class Sending {
  /** The user has been told to stop. */
  blocked = false;
  /** Messages were abandoned since `relieved` was called. */
  abandonedAny = false;
  readonly #owner: SendingOwner;
  /** Something was sent since the user was told that all is acknowledged. */
  #wet = false;

  constructor(owner: SendingOwner) {
    this.#owner = owner;
  }

  /**
   * Takes a message.
   *
   * @param open whether the association's state lets messages in
   * @returns false when it was refused
   */
  send(command: SendCommand, open: boolean, now: Instant): boolean {
    const { settings, outbound, host, partialReliability, authentication } = this.#owner;
    const { stream = 0, lent = false, reliability = settings.defaultReliability } = command;
    const data = lent ? host.lentOctets.keep(command.data, command.head) : command.data;
    const message = newMessage({
      data,
      lent,
      ppid: command.ppid,
      stream,
      unordered: command.unordered ?? false,
      immediate: command.sackImmediately ?? false,
      context: command.context ?? 0,
      destination: command.destination,
      limit: reliability !== undefined && partialReliability ? limitOf(reliability, now) : undefined,
      authKeyId: authentication?.keyForData(command.authKeyId) ?? -1,
    });
    const keyThere = message.authKeyId < 0 || authentication?.keys.isUsable(message.authKeyId) === true;
    const longest = settings.disableFragments
      ? Math.min(settings.maxMessage, outbound.writer.fragmentOctets)
      : settings.maxMessage;
    const possible = keyThere && data.length > 0 && data.length <= longest &&
      stream < outbound.streams.count;
    if (!open || !possible) {
      this.#failed(message, false, "refused");
      return false;
    }
    host.counters.messagesSent++;
    const { limit } = message;
    const excess = outbound.queuedOctets + data.length - settings.sendBuffer;
    if (limit?.policy === "prio" && excess > 0) outbound.abandonment.makeRoom(limit.priority, excess);
    outbound.send(message);
    this.#wet = true;
    if (!this.blocked && this.#fills(settings.sendBuffer)) {
      this.blocked = true;
      this.#tell("blocked");
    }
    return true;
  }

  /** A message was given up. */
  abandoned(message: OutboundMessage, sent: boolean): void {
    this.abandonedAny = true;
    this.#failed(message, sent, "abandoned");
  }

  /** Something was acknowledged or abandoned. */
  relieved(): void {
    const { outbound, settings } = this.#owner;
    this.abandonedAny = false;
    if (this.blocked && !this.#fills(settings.sendBuffer / 2)) {
      this.blocked = false;
      this.#tell("writable");
    }
    if (!this.#wet || !outbound.idle) return;
    this.#wet = false;
    if (settings.senderDryEvents) this.#tell("senderDry");
  }

  /** The association has ended: what was not acknowledged has failed. */
  failAll(): void {
    for (const { message, sent } of this.#owner.outbound.unacknowledged()) {
      this.#failed(message, sent, "association-ended");
    }
  }

  /** Whether more waits than fits: messages may be small, but then not very many. */
  #fills(octets: number): boolean {
    const { outbound } = this.#owner;
    return outbound.queuedOctets > octets || outbound.queuedCost > 2 * octets;
  }

  #failed({ stream, ppid, data, context }: OutboundMessage, sent: boolean, failure: SendFailure): void {
    const { host, endpoint, id: association } = this.#owner;
    host.emit(endpoint, { type: "sendFailed", association, stream, ppid, data, sent, failure, context });
  }

  #tell(type: "blocked" | "writable" | "senderDry"): void {
    const { host, endpoint, id: association } = this.#owner;
    host.emit(endpoint, { type, association });
  }
}

function limitOf(reliability: PartialReliability, now: Instant): MessageLimit {
  const { policy } = reliability;
  return {
    policy,
    expiresAt: policy === "ttl" ? now + reliability.lifetimeMs : NEVER,
    retransmissions: policy === "rtx" ? reliability.retransmissions : Infinity,
    priority: policy === "prio" ? reliability.priority : -1,
  };
}
