/**
 * Sending over kernel SCTP: messages wait in the association's queue until the end of the turn, go to the kernel in
 * batches, and stay in the queue while its buffer is full.
 *
 * @module
 */
import { keptCommand } from "../protocol/net.ts";
import type { SendCommand, SendFailure } from "../protocol/net.ts";
import { Errno } from "./errno.ts";
import type { KernelAssociation } from "./kernel_association.ts";
import { SendFlag } from "./kernel_abi.ts";
import type { KernelEventQueue } from "./kernel_event_queue.ts";
import type { SendExtras } from "./kernel_socket.ts";
import type { KernelSockets } from "./kernel_sockets.ts";

/** What the kernel says when an association takes no messages any more. */
const ENDED: ReadonlySet<number> = new Set([
  Errno.EPIPE,
  Errno.ENOTCONN,
  Errno.ECONNRESET,
  Errno.ECONNABORTED,
  Errno.ESHUTDOWN,
]);

/** The way of messages from `execute` to the kernel, for all associations of an endpoint. */
export class KernelSending {
  readonly #sockets: KernelSockets;
  readonly #events: KernelEventQueue;
  readonly #maxMessage: number;
  /** Associations that have something to send, or SHUTDOWN, at the end of this turn. */
  readonly #unsent = new Set<KernelAssociation>();

  /** @param maxMessage longest message in octets */
  constructor(sockets: KernelSockets, events: KernelEventQueue, maxMessage: number) {
    this.#sockets = sockets;
    this.#events = events;
    this.#maxMessage = maxMessage;
  }

  /** Takes a message of the user's. */
  send(association: KernelAssociation, command: SendCommand): void {
    const { data, ppid, stream = 0, context = 0, destination } = keptCommand(command); // until the end of the turn
    // RFC 9260 §3.3.1: a message of no octets does not exist.
    const possible = data.length > 0 && data.length <= this.#maxMessage && association.ending === "no" &&
      (destination === undefined || association.peerAddresses.includes(destination));
    if (!possible) {
      this.#events.tell(association.failureOf({ data, ppid, stream, context }, false, "refused"));
      return;
    }
    const flags = (command.unordered === true ? SendFlag.unordered : 0) |
      (command.sackImmediately === true ? SendFlag.sackImmediately : 0);
    association.enqueue({ data, ppid, stream, flags, context, extras: extrasOf(association, command) });
    if (association.up && !association.blocked) this.schedule(association);
  }

  /** Sends at the end of the current turn, so that what was asked for at once goes in one system call. */
  schedule(association: KernelAssociation): void {
    this.#unsent.add(association);
    this.#events.schedule();
  }

  /** Sends what was scheduled. */
  flushScheduled(): void {
    for (const association of this.#unsent) this.flush(association);
    this.#unsent.clear();
  }

  /** Gives the kernel what waits, as much as it takes, and SHUTDOWN behind it where that was asked for. */
  flush(association: KernelAssociation): void {
    const { socket, kernelId } = association;
    if (association.ending === "abort" || association.sendingOver) return;
    while (association.waiting > 0 && association.down === undefined) {
      const { sent, error } = socket.send(kernelId, association.queue, association.queueStart);
      if (sent > 0) this.#taken(association, sent);
      if (error === 0) continue;
      if (error === Errno.EAGAIN) {
        this.#block(association);
        return;
      } else if (ENDED.has(error)) {
        association.sendingOver = true; // the end is told behind what is unread, with what was not sent
        this.#sockets.updateInterest(socket);
        return;
      } else if (error !== Errno.EINTR && !enlargeBuffer(association, error)) {
        this.#giveBack(association, 1, "refused"); // no such stream, no such key, too long
      }
    }
    if (association.blocked) {
      association.blocked = false;
      association.fullBuffer?.emptied(socket, performance.now());
      this.#events.tell({ type: "writable", association: association.id });
      this.#sockets.updateInterest(socket);
    }
    if (association.ending === "shutdown" && !association.shutdownSent && association.down === undefined) {
      association.shutdownSent = true;
      socket.end(kernelId, "shutdown");
    }
  }

  /** The association is over: gives back what the kernel has not acknowledged and what it has not even taken. */
  giveUp(association: KernelAssociation): void {
    this.#unsent.delete(association);
    for (const failed of association.takeFailed()) this.#events.tell(failed);
    this.#giveBack(association, association.waiting, "association-ended");
  }

  /** The association goes to another endpoint. */
  forget(association: KernelAssociation): void {
    this.#unsent.delete(association);
  }

  #taken(association: KernelAssociation, count: number): void {
    const before = association.queuedOctets;
    association.dequeue(count);
    association.fullBuffer?.taken(before - association.queuedOctets);
  }

  #block(association: KernelAssociation): void {
    association.fullBuffer?.full(association.socket, performance.now());
    if (association.blocked) return;
    association.blocked = true;
    this.#events.tell({ type: "blocked", association: association.id });
    this.#sockets.updateInterest(association.socket);
  }

  #giveBack(association: KernelAssociation, count: number, failure: SendFailure): void {
    for (const message of association.dequeue(count)) {
      this.#events.tell(association.failureOf(message, false, failure));
    }
  }
}

/** What goes beyond the common message; undefined for that. */
function extrasOf(association: KernelAssociation, command: SendCommand): SendExtras | undefined {
  const { reliability = association.reliability, destination, authKeyId } = command;
  if (reliability === undefined && destination === undefined && authKeyId === undefined) return undefined;
  const target = destination === undefined ? undefined : { address: destination, port: association.peerPort };
  return { reliability, destination: target, authKeyId };
}

/** Linux takes no message that is longer than the send buffer: makes room for this one, if that is allowed. */
function enlargeBuffer(association: KernelAssociation, error: number): boolean {
  if (error !== Errno.EMSGSIZE) return false;
  const message = association.queue[association.queueStart]!;
  return association.socket.growSendBuffer(message.data.length);
}
