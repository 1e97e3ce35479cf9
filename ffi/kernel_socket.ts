/**
 * One SCTP socket of the kernel: options, and messages in batches. It knows layouts and errno; what messages mean is
 * the endpoint's.
 *
 * @module
 */
import type { PartialReliability, Ppid, TransportAddress } from "../protocol/net.ts";
import { Errno, errno, SctpError } from "./errno.ts";
import {
  AUTHINFO_BYTES,
  ControlType,
  MEMINFO_WRITE_QUEUED,
  PRINFO_BYTES,
  RCVINFO_BYTES,
  ReliabilityPolicy,
  SendFlag,
  SNDINFO_BYTES,
  SO_MEMINFO,
} from "./kernel_abi.ts";
import { keepFreedMemory } from "./freed_memory.ts";
import type { Libc } from "./libc.ts";
import { SOCKADDR_IN6_BYTES, writeSockaddr } from "./sockaddr.ts";
import {
  CMSGHDR_BYTES,
  controlSpace,
  findControl,
  MessageFlag,
  MessageSlots,
  Protocol,
  SocketOption,
  SocketType,
  writeControlHeader,
} from "./structs.ts";

/** A received message or, without `endOfRecord`, a piece of one. */
export interface ReceivedPiece {
  readonly kernelId: number;
  readonly stream: number;
  readonly ssn: number;
  readonly tsn: number;
  readonly ppid: Ppid;
  readonly unordered: boolean;
  readonly endOfRecord: boolean;
  /** Borrowed: valid until the handler returns. */
  readonly data: Uint8Array;
}

/** Takes what a socket received, in order. */
export interface ReceiveHandler {
  onPiece(piece: ReceivedPiece): void;
  /** Takes one notification; borrowed. */
  onNotification(octets: Uint8Array): void;
}

/** A message for an association. */
export interface OutgoingMessage {
  readonly data: Uint8Array;
  readonly stream: number;
  readonly ppid: Ppid;
  /** Of {@linkcode SendFlag}: what is said of the message itself. */
  readonly flags: number;
  /** Comes back with a failure. */
  readonly context: number;
  /** What few messages have. */
  readonly extras?: SendExtras | undefined;
}

/** What is said of a message besides the common. */
export interface SendExtras {
  readonly reliability: PartialReliability | undefined;
  /** The peer's address to send to. */
  readonly destination: TransportAddress | undefined;
  readonly authKeyId: number | undefined;
}

/** What one look at a socket's queue gave. */
export type ReceiveOutcome =
  /** The queue may hold more. */
  | "more"
  | "empty"
  /** An error of a one-to-one socket, told once; the queue may hold more. */
  | "failed"
  /** A one-to-one socket whose peer has shut down: only notifications may come. */
  | "ended";

/** Messages of one system call. */
export const BATCH = 32;
/** Octets that one receive slot takes; longer messages come in pieces. Memory that is never touched costs nothing. */
const SLOT_BYTES = 64 * 1024;
/**
 * Messages from here on are sent from where they are. To look up an address costs as much as to copy some thousand
 * octets, but the copy also takes the place of other things in the processor's caches.
 */
const IN_PLACE_BYTES = 4096;
/** Copies of messages from here on take up so much that it matters where their memory comes from. */
const LONG_BYTES = 4096;
/** Messages that cannot be sent from where they are go in batches up to here, and one by one beyond. */
const BATCHED_SEND_BYTES = 64 * 1024;
/** The kernel pads each received piece of ancillary data; nothing but RCVINFO is asked for. */
const RECEIVE_CONTROL_BYTES = 128;

/** SNDINFO, PRINFO and AUTHINFO. */
const SEND_CONTROL_BYTES = controlSpace(SNDINFO_BYTES) + controlSpace(PRINFO_BYTES) +
  controlSpace(AUTHINFO_BYTES);
/** An error of a one-to-one socket is told once, and notifications may wait behind it. */
const TOLD_ONCE: ReadonlySet<number> = new Set([
  Errno.ECONNRESET,
  Errno.ECONNREFUSED,
  Errno.ECONNABORTED,
  Errno.ETIMEDOUT,
  Errno.EHOSTUNREACH,
  Errno.ENETUNREACH,
  Errno.EPIPE,
]);
/** SHUT_WR of shutdown(). */
const SHUTDOWN_WRITE = 1;

const SEND_FLAGS = MessageFlag.dontWait | MessageFlag.noSignal;

/**
 * Memory for the batches. One for the whole process: calls are synchronous, and what they leave in the slots is copied
 * before the next call.
 */
let slots: { readonly receive: MessageSlots; readonly send: MessageSlots } | undefined;

/**
 * Messages that stand in the send slots, from `next` on: those that the kernel had no room for need not be copied again,
 * which would cost more than to send the few that have room after each acknowledgement.
 */
const staged: { fd: number; kernelId: number; next: number; readonly messages: OutgoingMessage[] } = {
  fd: -1,
  kernelId: 0,
  next: 0,
  messages: [],
};

function unstage(): void {
  staged.messages.length = staged.next = 0;
}

function sharedSlots(): { readonly receive: MessageSlots; readonly send: MessageSlots } {
  slots ??= {
    receive: new MessageSlots(BATCH, { data: SLOT_BYTES, name: 128, control: RECEIVE_CONTROL_BYTES }),
    send: new MessageSlots(BATCH, {
      data: BATCHED_SEND_BYTES,
      name: SOCKADDR_IN6_BYTES, // used only with an address that overrides the primary path
      control: SEND_CONTROL_BYTES,
    }),
  };
  return slots;
}

/** A non-blocking SCTP socket and its descriptor. */
export class KernelSocket {
  readonly #libc: Libc;
  readonly #fd: number;
  /** Whether it is of the one-to-one style (SOCK_STREAM), where an association is ended by other means. */
  readonly oneToOne: boolean;
  #open = true;

  /** Takes over an open descriptor. */
  constructor(libc: Libc, fd: number, oneToOne: boolean = false) {
    this.#libc = libc;
    this.#fd = fd;
    this.oneToOne = oneToOne;
  }

  /** The descriptor; not to be used after `close`. */
  get fd(): number {
    return this.#fd;
  }

  /**
   * Sets an option.
   *
   * @returns 0, or an errno
   */
  set(level: number, option: number, value: Uint8Array | DataView | number): number {
    if (!this.#open) return Errno.EBADF;
    const octets = typeof value === "number" ? new Int32Array([value]) : value;
    const result = this.#libc.setsockopt(
      this.#fd,
      level,
      option,
      octets as Uint8Array<ArrayBuffer>,
      octets.byteLength,
    );
    return result < 0 ? errno() : 0;
  }

  /**
   * Sets an option that an endpoint cannot do without.
   *
   * @throws {SctpError}
   */
  require(level: number, option: number, value: Uint8Array | DataView | number, purpose: string): void {
    const number = this.set(level, option, value);
    if (number !== 0) throw new SctpError("setsockopt", number, `Cannot ${purpose}`);
  }

  /**
   * Reads an option.
   *
   * @param view holds what is asked for, and takes the answer
   * @returns octets of the answer, or -1
   */
  get(level: number, option: number, view: DataView<ArrayBuffer>): number {
    if (!this.#open) return -1;
    const length = new Uint32Array([view.byteLength]);
    return this.#libc.getsockopt(this.#fd, level, option, view, length) < 0 ? -1 : length[0]!;
  }

  /** Sets the send buffer as far as the system allows; the kernel doubles it for its own overhead. */
  setSendBuffer(octets: number): void {
    const { level, sendBuffer, sendBufferForce } = SocketOption;
    if (this.set(level, sendBufferForce, octets) !== 0) this.set(level, sendBuffer, octets);
  }

  /**
   * Sets the receive buffer as far as the system allows; the kernel doubles it. An association takes half of what its
   * socket has when it is set up as its window.
   */
  setReceiveBuffer(octets: number): void {
    const { level, receiveBuffer, receiveBufferForce } = SocketOption;
    if (this.set(level, receiveBufferForce, octets) !== 0) this.set(level, receiveBuffer, octets);
  }

  /**
   * Makes the send buffer long enough for one message; the kernel refuses longer ones for good.
   *
   * @returns false when it is long enough already, or may not grow
   */
  growSendBuffer(messageBytes: number): boolean {
    const { level, sendBuffer } = SocketOption;
    const view = new DataView(new ArrayBuffer(4));
    if (this.get(level, sendBuffer, view) < 0 || view.getInt32(0, true) >= messageBytes) return false;
    this.setSendBuffer(messageBytes);
    return this.get(level, sendBuffer, view) >= 0 && view.getInt32(0, true) >= messageBytes;
  }

  /** Octets queued for sending with the kernel's overhead: SO_MEMINFO. */
  queuedOctets(): number {
    const view = new DataView(new ArrayBuffer(64));
    const length = this.get(SocketOption.level, SO_MEMINFO, view);
    return length >= (MEMINFO_WRITE_QUEUED + 1) * 4 ? view.getUint32(MEMINFO_WRITE_QUEUED * 4, true) : 0;
  }

  /** Reads one batch. */
  receive(handler: ReceiveHandler): ReceiveOutcome {
    if (!this.#open) return "empty";
    const { receive } = sharedSlots();
    receive.prepareReceive();
    const count = this.#libc.recvmmsg(this.#fd, receive.pointer(0), BATCH, MessageFlag.dontWait, null);
    if (count < 0) {
      const number = errno();
      if (number === Errno.EINTR) return "more";
      return TOLD_ONCE.has(number) ? "failed" : "empty"; // anything else is told by notifications
    }
    let ended = false;
    for (let slot = 0; slot < count; slot++) {
      if (receive.receivedBytes(slot) > 0) this.#dispatch(receive, slot, handler);
      else ended = true; // a notification may have come behind it, in the same call
    }
    if (ended) return "ended";
    return count === BATCH ? "more" : "empty";
  }

  #dispatch(receive: MessageSlots, slot: number, handler: ReceiveHandler): void {
    const data = receive.data[slot]!.subarray(0, receive.receivedBytes(slot));
    const flags = receive.flags(slot);
    if ((flags & MessageFlag.notification) !== 0) {
      handler.onNotification(data);
      return;
    }
    if (data.length >= LONG_BYTES) keepFreedMemory(this.#libc);
    const view = receive.controls;
    const at = findControl(
      view,
      receive.controlOffset(slot),
      receive.controlBytes(slot),
      Protocol.sctp,
      ControlType.receiveInfo,
    );
    if (at < 0 || receive.controlBytes(slot) < CMSGHDR_BYTES + RCVINFO_BYTES) return; // whose data it is cannot be told
    const unordered = (view.getUint16(at + 4, true) & SendFlag.unordered) !== 0;
    handler.onPiece({
      stream: view.getUint16(at, true),
      ssn: unordered ? 0 : view.getUint16(at + 2, true),
      unordered,
      ppid: view.getUint32(at + 8), // the kernel hands it on as it is on the wire
      tsn: view.getUint32(at + 12, true),
      kernelId: view.getInt32(at + 24, true),
      endOfRecord: (flags & MessageFlag.endOfRecord) !== 0,
      data,
    });
  }

  /**
   * Sends as many messages as the kernel takes.
   *
   * @returns how many were taken, and the errno that stopped it (0 = none). EAGAIN after some were taken may stand for
   * another one, which the next call tells: the socket is ready for that at once.
   */
  send(
    kernelId: number,
    messages: readonly OutgoingMessage[],
    from: number,
  ): { sent: number; error: number } {
    if (!this.#open) return { sent: 0, error: Errno.EBADF };
    const { send } = sharedSlots();
    if (!this.#isStaged(send, kernelId, messages[from]!)) this.#stage(send, kernelId, messages, from);
    const { next, messages: { length } } = staged;
    if (length === 0) {
      const error = this.#sendOne(kernelId, messages[from]!);
      return { sent: error === 0 ? 1 : 0, error };
    }
    const sent = this.#libc.sendmmsg(this.#fd, send.pointer(next), length - next, SEND_FLAGS);
    if (sent < 0) return { sent: 0, error: errno() };
    staged.next += sent;
    if (staged.next < length) return { sent, error: Errno.EAGAIN };
    unstage();
    return { sent, error: 0 };
  }

  /** Whether what was left of the last batch is what is to be sent now. A user may have taken buffers away meanwhile. */
  #isStaged(send: MessageSlots, kernelId: number, message: OutgoingMessage): boolean {
    const { fd, next, messages } = staged;
    if (messages[next] !== message || fd !== this.#fd || staged.kernelId !== kernelId) return false;
    for (let slot = next; slot < messages.length; slot++) {
      if (messages[slot]!.data.length !== send.sentBytes(slot)) return false;
    }
    return true;
  }

  #stage(send: MessageSlots, kernelId: number, messages: readonly OutgoingMessage[], from: number): void {
    unstage();
    staged.fd = this.#fd;
    staged.kernelId = kernelId;
    for (let i = from, slot = 0; i < messages.length && slot < BATCH; i++, slot++) {
      const message = messages[i]!, { data } = message;
      const inPlace = data.length >= IN_PLACE_BYTES && data.buffer instanceof ArrayBuffer &&
        !data.buffer.resizable;
      if (!inPlace && data.length > BATCHED_SEND_BYTES) break;
      send.load(slot, data, inPlace);
      prepareMessage(send, slot, kernelId, message);
      staged.messages.push(message);
    }
  }

  /**
   * Ends an association: SHUTDOWN when everything is out, or ABORT at once. An ABORT of a one-to-one socket closes it,
   * and takes no reason.
   *
   * @returns 0, or an errno
   */
  end(kernelId: number, how: "shutdown" | "abort", reason: Uint8Array = new Uint8Array(0)): number {
    if (!this.#open) return Errno.EBADF;
    if (!this.oneToOne) {
      const flags = how === "abort" ? SendFlag.abort : SendFlag.eof;
      return this.#sendOne(kernelId, { data: reason, stream: 0, ppid: 0, flags, context: 0 });
    }
    if (how === "shutdown") return this.#libc.shutdown(this.#fd, SHUTDOWN_WRITE) < 0 ? errno() : 0;
    // struct linger: on, for no time.
    return this.set(SocketOption.level, SocketOption.linger, new Uint8Array(new Int32Array([1, 0]).buffer));
  }

  #sendOne(kernelId: number, message: OutgoingMessage): number {
    const { length } = message.data;
    unstage(); // the first slot is used for something else
    const send = length <= BATCHED_SEND_BYTES
      ? sharedSlots().send
      : new MessageSlots(1, { data: length, name: SOCKADDR_IN6_BYTES, control: SEND_CONTROL_BYTES });
    send.load(0, message.data, false);
    prepareMessage(send, 0, kernelId, message);
    const result = this.#libc.sendmsg(this.#fd, send.pointer(0), SEND_FLAGS);
    return result < 0 ? errno() : 0;
  }

  /**
   * Takes an association of a listening one-to-one socket.
   *
   * @returns its socket; undefined when there is none, or no descriptor is left
   */
  accept(): KernelSocket | undefined {
    if (!this.#open) return undefined;
    const flags = SocketType.nonBlocking | SocketType.closeOnExec;
    const fd = this.#libc.accept4(this.#fd, null, null, flags);
    return fd < 0 ? undefined : new KernelSocket(this.#libc, fd, true);
  }

  /** Starts or stops listening. @returns 0, or an errno */
  listen(backlog: number): number {
    if (!this.#open) return Errno.EBADF;
    return this.#libc.listen(this.#fd, backlog) < 0 ? errno() : 0;
  }

  /** Closes the descriptor. Idempotent. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#libc.close(this.#fd);
  }
}

function prepareMessage(send: MessageSlots, slot: number, kernelId: number, message: OutgoingMessage): void {
  const view = send.controls, at = send.controlOffset(slot), { extras } = message;
  writeControlHeader(view, at, Protocol.sctp, ControlType.sendInfo, SNDINFO_BYTES);
  const info = at + CMSGHDR_BYTES;
  view.setUint16(info, message.stream, true);
  view.setUint16(info + 2, message.flags, true);
  view.setUint32(info + 4, message.ppid); // network order: the kernel sends it as it stands
  view.setUint32(info + 8, message.context, true);
  view.setInt32(info + 12, kernelId, true);
  if (extras === undefined) send.prepareSend(slot, message.data.length, 0, controlSpace(SNDINFO_BYTES));
  else prepareExtras(send, slot, message, extras);
}

function prepareExtras(send: MessageSlots, slot: number, message: OutgoingMessage, extras: SendExtras): void {
  const view = send.controls, start = send.controlOffset(slot);
  const { reliability, destination, authKeyId } = extras;
  let at = start + controlSpace(SNDINFO_BYTES), nameBytes = 0;
  if (reliability !== undefined) {
    writeControlHeader(view, at, Protocol.sctp, ControlType.partialReliability, PRINFO_BYTES);
    view.setUint16(at + CMSGHDR_BYTES, ReliabilityPolicy[reliability.policy], true);
    view.setUint32(at + CMSGHDR_BYTES + 4, reliabilityValue(reliability), true);
    at += controlSpace(PRINFO_BYTES);
  }
  if (authKeyId !== undefined) {
    writeControlHeader(view, at, Protocol.sctp, ControlType.authentication, AUTHINFO_BYTES);
    view.setUint16(at + CMSGHDR_BYTES, authKeyId, true);
    at += controlSpace(AUTHINFO_BYTES);
  }
  if (destination !== undefined) {
    view.setUint16(start + CMSGHDR_BYTES + 2, message.flags | SendFlag.addressOverride, true);
    nameBytes = writeSockaddr(send.names, send.nameOffset(slot), destination.address, destination.port);
  }
  send.prepareSend(slot, message.data.length, nameBytes, at - start);
}

function reliabilityValue(reliability: PartialReliability): number {
  switch (reliability.policy) {
    case "ttl":
      return reliability.lifetimeMs;
    case "rtx":
      return reliability.retransmissions;
    default:
      return reliability.priority;
  }
}
