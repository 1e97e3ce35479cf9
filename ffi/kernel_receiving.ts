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
import type { KernelSocket, ReceivedPiece, ReceiveHandler, ReceiveOutcome } from "./kernel_socket.ts";
import type { KernelSockets } from "./kernel_sockets.ts";
import { type KernelNotification, readNotification } from "./notification.ts";

/** Notifications about extensions of SCTP. */
type ExtensionNotification = Extract<
  KernelNotification,
  {
    type:
      | "adaptation"
      | "authentication"
      | "senderDry"
      | "streamsReset"
      | "associationReset"
      | "streamsAdded";
  }
>;

/** Batches read from one socket before the others get their turn. */
const BATCHES_PER_TURN = 4;
/** Associations taken from a listening one-to-one socket before the others get their turn. */
const ACCEPTS_PER_TURN = 16;
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
  /** The socket that is being read. */
  #source: KernelSocket;
  readonly #handler: ReceiveHandler = {
    onPiece: (piece) => this.#onPiece(piece),
    onNotification: (octets) => this.#onNotification(octets),
  };

  constructor(parts: ReceivingParts) {
    this.#parts = parts;
    this.#source = parts.sockets.main;
  }

  /**
   * The poller found a socket ready: reads if there is something, and sends what had waited for room. What there is to
   * tell is delivered at the end of the turn, together with what came on other sockets, unless it is much.
   */
  onReady(socket: KernelSocket, readable: boolean): void {
    const { sockets, events, sending } = this.#parts;
    if (socket === sockets.main && socket.oneToOne && !sockets.peeled) this.#accept();
    else if (readable) this.#read(socket);
    this.#finishEnded(socket);
    for (const user of [...sockets.users(socket)]) {
      if (user.blocked) sending.flush(user);
    }
    sockets.updateInterest(socket);
    events.deliverMuch();
  }

  /** The user has done with some octets of what it got. */
  consumed(association: KernelAssociation, octets: number): void {
    association.unconsumed = Math.max(0, association.unconsumed - octets);
    this.#parts.sockets.updateInterest(association.socket);
  }

  #accept(): void {
    const { sockets } = this.#parts;
    for (let count = 0; count < ACCEPTS_PER_TURN; count++) {
      const socket = sockets.main.accept();
      if (socket === undefined) return;
      sockets.add(socket);
      this.onReady(socket, true); // which tells whose it is
      sockets.discard(socket);
    }
  }

  #read(socket: KernelSocket): void {
    const { sockets, life } = this.#parts;
    let outcome: ReceiveOutcome = "more";
    this.#source = socket;
    for (let batch = 0; batch < BATCHES_PER_TURN && !sockets.isHeldBack(socket); batch++) {
      outcome = socket.receive(this.#handler);
      if (outcome === "failed") life.check(socket);
      if (outcome === "empty" || outcome === "ended") break;
    }
    if (outcome === "ended" && !life.check(socket)) sockets.rest(socket);
  }

  /** Reads the last words of associations that ended, then tells of their end. */
  #finishEnded(socket: KernelSocket): void {
    const { sockets, life } = this.#parts;
    const users = sockets.users(socket);
    if (![...users].some(({ down }) => down !== undefined)) return;
    this.#source = socket;
    const batches = sockets.isOwn(socket) ? Infinity : BATCHES_TO_THE_END; // nothing is added there any more
    for (let batch = 0; batch < batches; batch++) {
      const outcome = socket.receive(this.#handler);
      if (outcome === "empty" || outcome === "ended") break;
    }
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
      life.onChange(notification, this.#source);
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
        else if (change === "added" || change === "removed") life.readPeerAddresses(association);
        events.tellOf(association, { type: "path", association: association.id, address, change });
        break;
      }
      case "remoteError": {
        const { cause } = notification;
        events.tellOf(association, { type: "remoteError", association: association.id, cause });
        break;
      }
      case "sendFailed": {
        for (const failed of association.fail(notification)) events.tellOf(association, failed);
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
        this.#tellExtension(association, notification);
    }
  }

  #tellExtension(owner: KernelAssociation, notification: ExtensionNotification): void {
    const { events, life } = this.#parts, association = owner.id;
    switch (notification.type) {
      case "adaptation":
        events.tellOf(owner, { type: "adaptation", association, indication: notification.indication });
        break;
      case "authentication": {
        const { indication, keyId } = notification;
        events.tellOf(owner, { type: "authentication", association, indication, keyId });
        break;
      }
      case "senderDry":
        events.tellOf(owner, { type: "senderDry", association });
        break;
      case "streamsReset": {
        const { direction, streams, outcome } = notification;
        events.tellOf(owner, { type: "streamsReset", association, direction, streams, outcome });
        break;
      }
      case "associationReset": {
        const { localTsn, peerTsn, outcome } = notification;
        events.tellOf(owner, { type: "associationReset", association, localTsn, peerTsn, outcome });
        break;
      }
      case "streamsAdded": {
        const { inboundStreams = 0, outboundStreams = 0 } = life.status(owner) ?? {};
        const { outcome } = notification;
        events.tellOf(owner, { type: "streamsAdded", association, inboundStreams, outboundStreams, outcome });
        break;
      }
      default:
        notification satisfies never;
    }
  }
}
