/**
 * The user's side of sending: takes messages, refuses impossible ones, and tells what becomes of them (`sendFailed`,
 * `blocked`, `writable`, `senderDry`).
 */
import type { AssociationId, Instant, PartialReliability, SendCommand, SendFailure } from "../net.ts";
import { SendRoom } from "../net/send_room.ts";
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
  /** Undefined = as much room as the send buffer has. */
  readonly #room: SendRoom | undefined;
  #blockedAt: Instant = 0;
  /** Octets that were queued when the user was told to stop, or have come since. */
  #blockedOctets = 0;

  constructor(owner: SendingOwner) {
    this.#owner = owner;
    const { sendBufferMs, sendBuffer } = owner.settings;
    if (sendBufferMs !== undefined) this.#room = new SendRoom(sendBufferMs, sendBuffer);
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
    if (this.blocked) this.#blockedOctets += data.length;
    else if (this.#fills(this.#limit)) this.#block(now);
    return true;
  }

  /** A message was given up. */
  abandoned(message: OutboundMessage, sent: boolean): void {
    this.abandonedAny = true;
    this.#failed(message, sent, "abandoned");
  }

  /** Something was acknowledged or abandoned. */
  relieved(now: Instant): void {
    const { outbound, settings } = this.#owner;
    this.abandonedAny = false;
    if (this.blocked && !this.#fills(this.#limit / 2)) this.#unblock(now);
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

  #block(now: Instant): void {
    this.blocked = true;
    this.#blockedAt = now;
    this.#blockedOctets = this.#owner.outbound.queuedOctets;
    this.#owner.outbound.writer.full = this.#room !== undefined;
    this.#tell("blocked");
  }

  #unblock(now: Instant): void {
    this.blocked = false;
    this.#owner.outbound.writer.full = false;
    this.#room?.drained(this.#blockedOctets - this.#owner.outbound.queuedOctets, now - this.#blockedAt);
    this.#tell("writable");
  }

  /** Octets that may wait. */
  get #limit(): number {
    const { sendBuffer } = this.#owner.settings;
    return this.#room === undefined ? sendBuffer : Math.min(sendBuffer, this.#room.octets);
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
