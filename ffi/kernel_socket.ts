/**
 * One SCTP socket of the kernel: options, and messages in batches. It knows layouts and errno; what messages mean is
 * the endpoint's.
 *
 * @module
 */
import type { Ppid } from "../protocol/net.ts";
import { Errno, errno, SctpError } from "./errno.ts";
import {
  ControlType,
  MEMINFO_WRITE_QUEUED,
  RCVINFO_BYTES,
  SendFlag,
  SNDINFO_BYTES,
  SO_MEMINFO,
} from "./kernel_abi.ts";
import type { Libc } from "./libc.ts";
import {
  CMSGHDR_BYTES,
  controlSpace,
  findControl,
  MessageFlag,
  MessageSlots,
  Protocol,
  SocketOption,
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
  readonly unordered: boolean;
  readonly sackImmediately: boolean;
  /** Comes back with a failure. */
  readonly context: number;
}

/** Messages of one system call. */
export const BATCH = 32;
/** Octets that one receive slot takes; longer messages come in pieces. Memory that is never touched costs nothing. */
const SLOT_BYTES = 64 * 1024;
/** Messages up to here are sent in batches by a copy; longer ones go one by one. */
const BATCHED_SEND_BYTES = 64 * 1024;
/** The kernel pads each received piece of ancillary data; nothing but RCVINFO is asked for. */
const RECEIVE_CONTROL_BYTES = 128;

const SEND_FLAGS = MessageFlag.dontWait | MessageFlag.noSignal;

/**
 * Memory for the batches. One for the whole process: calls are synchronous, and what they leave in the slots is copied
 * before the next call.
 */
let slots: { readonly receive: MessageSlots; readonly send: MessageSlots } | undefined;

function sharedSlots(): { readonly receive: MessageSlots; readonly send: MessageSlots } {
  slots ??= {
    receive: new MessageSlots(BATCH, { data: SLOT_BYTES, name: 128, control: RECEIVE_CONTROL_BYTES }),
    send: new MessageSlots(BATCH, {
      data: BATCHED_SEND_BYTES,
      name: 8, // not used: the association ID says where to
      control: controlSpace(SNDINFO_BYTES),
    }),
  };
  return slots;
}

/** A non-blocking SCTP socket and its descriptor. */
export class KernelSocket {
  readonly #libc: Libc;
  readonly #fd: number;
  #open = true;

  /** Takes over an open descriptor. */
  constructor(libc: Libc, fd: number) {
    this.#libc = libc;
    this.#fd = fd;
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

  /**
   * Reads one batch.
   *
   * @returns whether the queue may hold more
   */
  receive(handler: ReceiveHandler): boolean {
    if (!this.#open) return false;
    const { receive } = sharedSlots();
    receive.prepareReceive();
    const count = this.#libc.recvmmsg(this.#fd, receive.pointer(0), BATCH, MessageFlag.dontWait, null);
    if (count < 0) return errno() === Errno.EINTR; // EAGAIN: empty; anything else is told by notifications
    for (let slot = 0; slot < count; slot++) this.#dispatch(receive, slot, handler);
    return count === BATCH;
  }

  #dispatch(receive: MessageSlots, slot: number, handler: ReceiveHandler): void {
    const data = receive.data[slot]!.subarray(0, receive.receivedBytes(slot));
    const flags = receive.flags(slot);
    if ((flags & MessageFlag.notification) !== 0) {
      handler.onNotification(data);
      return;
    }
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
   * @returns how many were taken, and the errno that stopped it (0 = none)
   */
  send(
    kernelId: number,
    messages: readonly OutgoingMessage[],
    from: number,
  ): { sent: number; error: number } {
    if (!this.#open) return { sent: 0, error: Errno.EBADF };
    const { send } = sharedSlots();
    let prepared = 0;
    for (let i = from; i < messages.length && prepared < BATCH; i++, prepared++) {
      const message = messages[i]!;
      if (message.data.length > BATCHED_SEND_BYTES) break;
      send.data[prepared]!.set(message.data);
      prepareMessage(send, prepared, kernelId, message, message.unordered ? SendFlag.unordered : 0);
    }
    if (prepared === 0) {
      const message = messages[from]!;
      const error = this.#sendOne(kernelId, message, message.unordered ? SendFlag.unordered : 0);
      return { sent: error === 0 ? 1 : 0, error };
    }
    const sent = this.#libc.sendmmsg(this.#fd, send.pointer(0), prepared, SEND_FLAGS);
    if (sent < 0) return { sent: 0, error: errno() };
    return { sent, error: 0 }; // why the rest was not taken is told by the next call
  }

  /**
   * Ends an association: SHUTDOWN when everything is out, or ABORT at once.
   *
   * @returns 0, or an errno
   */
  end(kernelId: number, how: "shutdown" | "abort", reason: Uint8Array = new Uint8Array(0)): number {
    if (!this.#open) return Errno.EBADF;
    const message = {
      data: reason,
      stream: 0,
      ppid: 0,
      unordered: false,
      sackImmediately: false,
      context: 0,
    };
    return this.#sendOne(kernelId, message, how === "abort" ? SendFlag.abort : SendFlag.eof);
  }

  #sendOne(kernelId: number, message: OutgoingMessage, flags: number): number {
    const { length } = message.data;
    const send = length <= BATCHED_SEND_BYTES
      ? sharedSlots().send
      : new MessageSlots(1, { data: length, name: 8, control: controlSpace(SNDINFO_BYTES) });
    send.data[0]!.set(message.data);
    prepareMessage(send, 0, kernelId, message, flags);
    const result = this.#libc.sendmsg(this.#fd, send.pointer(0), SEND_FLAGS);
    return result < 0 ? errno() : 0;
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

function prepareMessage(
  send: MessageSlots,
  slot: number,
  kernelId: number,
  message: OutgoingMessage,
  flags: number,
): void {
  const view = send.controls, at = send.controlOffset(slot);
  writeControlHeader(view, at, Protocol.sctp, ControlType.sendInfo, SNDINFO_BYTES);
  const info = at + CMSGHDR_BYTES;
  view.setUint16(info, message.stream, true);
  view.setUint16(info + 2, flags | (message.sackImmediately ? SendFlag.sackImmediately : 0), true);
  view.setUint32(info + 4, message.ppid); // network order: the kernel sends it as it stands
  view.setUint32(info + 8, message.context, true);
  view.setInt32(info + 12, kernelId, true);
  send.prepareSend(slot, message.data.length, 0, controlSpace(SNDINFO_BYTES));
}
