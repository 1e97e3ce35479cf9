/**
 * Receiving from kernel SCTP: what came on a socket is read in batches; pieces become messages, notifications become
 * events, and what changes the life of an association goes to {@linkcode KernelLife}.
 *
 * @module
 */
import type { KernelAssociation } from "./kernel_association.ts";
import type { KernelEventQueue } from "./kernel_event_queue.ts";
import type { KernelLife } from "./kernel_life.ts";
import type { KernelSending } from "./kernel_sending.ts";
import type { KernelSocket, ReceivedPiece, ReceiveHandler } from "./kernel_socket.ts";
import type { KernelSockets } from "./kernel_sockets.ts";
import { readNotification } from "./notification.ts";

/** Batches read from one socket before the others get their turn. */
const BATCHES_PER_TURN = 4;
/** Batches read for the last words of an association on a socket that others use too. */
const BATCHES_TO_THE_END = 64;

/** What receiving needs of its endpoint. */
export interface ReceivingParts {
  readonly sockets: KernelSockets;
  readonly events: KernelEventQueue;
  readonly sending: KernelSending;
  readonly life: KernelLife;
  /** Longest message in octets; a longer one ends its association. */
  readonly maxMessage: number;
  /** Whether the user says what it has consumed. */
  readonly manual: boolean;
}

/** The way of messages and notifications from the kernel to the user, for all associations of an endpoint. */
export class KernelReceiving {
  readonly #parts: ReceivingParts;
  readonly #handler: ReceiveHandler = {
    onPiece: (piece) => this.#onPiece(piece),
    onNotification: (octets) => this.#onNotification(octets),
  };

  constructor(parts: ReceivingParts) {
    this.#parts = parts;
  }

  /** The poller found a socket ready: reads, sends what had waited for room, and delivers. */
  onReady(socket: KernelSocket): void {
    const { sockets, events, sending } = this.#parts;
    for (let batch = 0; batch < BATCHES_PER_TURN; batch++) {
      if (!socket.receive(this.#handler)) break;
      if (sockets.isHeldBack(socket)) break;
    }
    this.#finishEnded(socket);
    for (const user of [...sockets.users(socket)]) {
      if (user.blocked) sending.flush(user);
    }
    sockets.updateInterest(socket);
    events.deliver();
  }

  /** The user has done with some octets of what it got. */
  consumed(association: KernelAssociation, octets: number): void {
    association.unconsumed = Math.max(0, association.unconsumed - octets);
    this.#parts.sockets.updateInterest(association.socket);
  }

  /** Reads the last words of associations that ended, then tells of their end. */
  #finishEnded(socket: KernelSocket): void {
    const { sockets, life } = this.#parts;
    const users = sockets.users(socket);
    if (![...users].some(({ down }) => down !== undefined)) return;
    for (let batch = 0; batch < BATCHES_TO_THE_END && socket.receive(this.#handler); batch++);
    for (const user of [...users]) if (user.down !== undefined) life.finish(user, user.down);
  }

  #onPiece(piece: ReceivedPiece): void {
    const { life, events, maxMessage, manual } = this.#parts;
    const association = life.byKernelId(piece.kernelId);
    if (association === undefined || association.ending === "abort") return;
    const message = association.join(piece, maxMessage);
    if (message === undefined) return;
    if (message === "too long") {
      life.abort(association, `message longer than ${maxMessage} octets`);
      return;
    }
    if (manual) association.unconsumed += message.data.length;
    const { stream, unordered } = piece;
    events.tellOf(association, {
      type: "message",
      association: association.id,
      stream,
      unordered,
      ...message,
    });
  }

  #onNotification(octets: Uint8Array): void {
    const { life, events } = this.#parts;
    const notification = readNotification(octets);
    if (notification.type === "associationChange") {
      life.onChange(notification);
      return;
    }
    if (notification.type === "other") return;
    const association = life.byKernelId(notification.kernelId);
    if (association === undefined) return;
    switch (notification.type) {
      case "pathChange": {
        const { address, change } = notification;
        if (change === "unreachable") association.unreachable.add(address);
        else if (change === "available") association.unreachable.delete(address);
        events.tellOf(association, { type: "path", association: association.id, address, change });
        break;
      }
      case "remoteError": {
        const { cause } = notification;
        events.tellOf(association, { type: "remoteError", association: association.id, cause });
        break;
      }
      case "sendFailed": {
        const failed = association.fail(notification);
        if (failed !== undefined) events.tellOf(association, failed);
        break;
      }
      case "peerShutdown":
        association.peerShutDown = true;
        events.tellOf(association, { type: "peerShutdown", association: association.id });
        break;
      case "partialDeliveryAborted":
        association.forgetPartial(notification.stream);
        break;
      default:
        notification satisfies never;
    }
  }
}
