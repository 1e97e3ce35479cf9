/**
 * Layouts and constants of Linux's socket calls, the same on x86_64 and aarch64 (both little-endian, 64 bits): message
 * headers with their vectors, ancillary data, `struct pollfd`.
 *
 * @module
 */
import { addressOf } from "./libc.ts";

/** `sizeof (struct mmsghdr)`: a `struct msghdr` of 56 octets, then `unsigned int msg_len`. */
const MMSGHDR_BYTES = 64;
/** `sizeof (struct iovec)`: `void *iov_base`, `size_t iov_len`. */
const IOVEC_BYTES = 16;
/** `sizeof (struct cmsghdr)`: `size_t cmsg_len`, `int cmsg_level`, `int cmsg_type`. */
export const CMSGHDR_BYTES = 16;
/** `sizeof (struct pollfd)`: `int fd`, `short events`, `short revents`. */
export const POLLFD_BYTES = 8;

/** Offsets within `struct msghdr`. */
const MSG_NAME = 0, MSG_NAMELEN = 8, MSG_IOV = 16, MSG_IOVLEN = 24, MSG_CONTROL = 32, MSG_CONTROLLEN = 40;
const MSG_FLAGS = 48, MSG_LEN = 56;

/** Types of socket and the flags that go with them in `socket()`. */
export const SocketType = {
  stream: 1,
  datagram: 2,
  raw: 3,
  seqPacket: 5,
  nonBlocking: 0x800,
  closeOnExec: 0x80000,
} as const;

/** Protocol numbers, which are the levels of their socket options too. */
export const Protocol = { ip: 0, icmp: 1, udp: 17, ipv6: 41, icmpv6: 58, sctp: 132 } as const;

/** Options of level SOL_SOCKET. */
export const SocketOption = {
  level: 1,
  reuseAddress: 2,
  error: 4,
  sendBuffer: 7,
  receiveBuffer: 8,
  linger: 13,
  attachFilter: 26,
  sendBufferForce: 32,
  receiveBufferForce: 33,
  /** SO_TIMESTAMPNS; the ancillary data bears the same number. */
  timestamp: 35,
} as const;

/** Options of level IPPROTO_IP; the ancillary data types bear the same numbers. */
export const IpOption = {
  packetInfo: 8,
  mtuDiscover: 10,
  receiveErrors: 11,
  mtu: 14,
} as const;

/** Options of level IPPROTO_IPV6. */
export const Ipv6Option = {
  mtuDiscover: 23,
  mtu: 24,
  receiveErrors: 25,
  v6Only: 26,
  receivePacketInfo: 49,
  packetInfo: 50,
} as const;

/** Flags of `sendmsg` and `recvmsg`. */
export const MessageFlag = {
  peek: 2,
  controlTruncated: 8,
  truncated: 0x20,
  dontWait: 0x40,
  endOfRecord: 0x80,
  errorQueue: 0x2000,
  noSignal: 0x4000,
  /** Received: the message is a notification of the kernel's SCTP. */
  notification: 0x8000,
} as const;

/** Events of `poll`. */
export const PollEvent = { in: 1, out: 4, error: 8, hangUp: 16, invalid: 32 } as const;

/** Octets that ancillary data of this length occupies (`CMSG_SPACE`). */
export function controlSpace(dataBytes: number): number {
  return CMSGHDR_BYTES + (dataBytes + 7 & ~7);
}

/**
 * Writes the header of one piece of ancillary data.
 *
 * @param offset of the header; the data goes to `offset + CMSGHDR_BYTES`, the next header to
 * `offset + controlSpace(dataBytes)`
 */
export function writeControlHeader(
  view: DataView,
  offset: number,
  level: number,
  type: number,
  dataBytes: number,
): void {
  view.setUint32(offset, CMSGHDR_BYTES + dataBytes, true);
  view.setUint32(offset + 4, 0, true);
  view.setInt32(offset + 8, level, true);
  view.setInt32(offset + 12, type, true);
}

/**
 * Finds a piece of ancillary data.
 *
 * @param view over the control octets
 * @param start of the control octets
 * @param length octets of it, as the kernel said
 * @returns offset of its data, or -1
 */
export function findControl(
  view: DataView,
  start: number,
  length: number,
  level: number,
  type: number,
): number {
  const end = start + length;
  for (let offset = start; offset + CMSGHDR_BYTES <= end;) {
    const size = view.getUint32(offset, true);
    if (size < CMSGHDR_BYTES || offset + size > end) return -1;
    if (view.getInt32(offset + 8, true) === level && view.getInt32(offset + 12, true) === type) {
      return offset + CMSGHDR_BYTES;
    }
    offset += size + 7 & ~7;
  }
  return -1;
}

/** Sizes of the parts of one slot, in octets. */
export interface SlotSizes {
  /** The longest message. */
  readonly data: number;
  /** For `struct sockaddr_in6`: 28; for kernel SCTP's, 128. */
  readonly name: number;
  /** Ancillary data, headers included. */
  readonly control: number;
}

/**
 * Message headers with their address, data and ancillary data, prepared once: `sendmmsg` and `recvmmsg` take them as an
 * array, `sendmsg` and `recvmsg` one by one (a `struct mmsghdr` starts with its `struct msghdr`).
 *
 * Memory that was never touched costs nothing, so data buffers may be as long as the longest packet.
 */
export class MessageSlots {
  /** How many slots there are. */
  readonly count: number;
  /** Data of each slot, the whole buffer. */
  readonly data: readonly Uint8Array<ArrayBuffer>[];
  /** A view over the names of all slots; see {@linkcode nameOffset}. */
  readonly names: DataView<ArrayBuffer>;
  /** A view over the ancillary data of all slots; see {@linkcode controlOffset}. */
  readonly controls: DataView<ArrayBuffer>;
  readonly #sizes: SlotSizes;
  readonly #headers: DataView<ArrayBuffer>;
  readonly #vectors: DataView<ArrayBuffer>;
  readonly #pointers: readonly Deno.PointerObject[];
  /** Address of each slot's own data. */
  readonly #homes: readonly bigint[];
  /** Slots that point at somebody else's data. */
  readonly #away: boolean[];
  /** The buffer whose address was looked up last: that takes as long as to copy some thousand octets. */
  #known: ArrayBuffer | undefined;
  #knownAt = 0n;

  /**
   * @param count slots
   * @param sizes of each slot; name and control are rounded up to multiples of 8
   */
  constructor(count: number, sizes: SlotSizes) {
    const name = sizes.name + 7 & ~7, control = sizes.control + 7 & ~7;
    this.count = count;
    this.#sizes = { data: sizes.data, name, control };
    // Buffers at multiples of a large power of two would share the same few lines of the processor's caches.
    const stride = (sizes.data + 63 & ~63) + 33 * 64;
    const block = new Uint8Array(stride * count);
    this.data = Array.from({ length: count }, (_, i) => block.subarray(i * stride, i * stride + sizes.data));
    this.names = new DataView(new ArrayBuffer(name * count));
    this.controls = new DataView(new ArrayBuffer(Math.max(8, control * count)));
    this.#headers = new DataView(new ArrayBuffer(MMSGHDR_BYTES * count));
    this.#vectors = new DataView(new ArrayBuffer(IOVEC_BYTES * count));
    const address = (view: DataView<ArrayBuffer>) =>
      BigInt(Deno.UnsafePointer.value(addressOf(new Uint8Array(view.buffer))));
    const dataAt = BigInt(Deno.UnsafePointer.value(addressOf(block)));
    const headersAt = address(this.#headers), vectorsAt = address(this.#vectors);
    const namesAt = address(this.names), controlsAt = address(this.controls);
    const pointers: Deno.PointerObject[] = [], homes: bigint[] = [];
    for (let i = 0; i < count; i++) {
      const header = i * MMSGHDR_BYTES, vector = i * IOVEC_BYTES;
      this.#headers.setBigUint64(header + MSG_NAME, namesAt + BigInt(i * name), true);
      this.#headers.setBigUint64(header + MSG_IOV, vectorsAt + BigInt(vector), true);
      this.#headers.setBigUint64(header + MSG_IOVLEN, 1n, true);
      this.#headers.setBigUint64(header + MSG_CONTROL, controlsAt + BigInt(i * control), true);
      homes.push(dataAt + BigInt(i * stride));
      this.#vectors.setBigUint64(vector, homes[i]!, true);
      this.#vectors.setBigUint64(vector + 8, BigInt(sizes.data), true);
      pointers.push(Deno.UnsafePointer.create(headersAt + BigInt(header))!);
    }
    this.#pointers = pointers;
    this.#homes = homes;
    this.#away = homes.map(() => false);
  }

  /** Address of a slot's header: the rest of the array follows it. */
  pointer(slot: number): Deno.PointerObject {
    return this.#pointers[slot]!;
  }

  /** Where in `names` the address of a slot stands. */
  nameOffset(slot: number): number {
    return slot * this.#sizes.name;
  }

  /** Where in `controls` the ancillary data of a slot stands. */
  controlOffset(slot: number): number {
    return slot * this.#sizes.control;
  }

  /** Makes the first slots ready to receive: the kernel overwrites all these lengths with what it wrote. */
  prepareReceive(count: number = this.count): void {
    const headers = this.#headers, { name, control } = this.#sizes;
    for (let slot = 0, header = 0; slot < count; slot++, header += MMSGHDR_BYTES) {
      headers.setUint32(header + MSG_NAMELEN, name, true);
      headers.setUint32(header + MSG_CONTROLLEN, control, true);
      headers.setUint32(header + MSG_FLAGS, 0, true);
    }
  }

  /**
   * Puts a message into a slot: copies it, or points at it.
   *
   * @param message where it is not copied, its buffer must stay what it is until it is sent
   * @param inPlace not to copy it; for a buffer that neither shrinks nor is shared
   */
  load(slot: number, message: Uint8Array, inPlace: boolean): void {
    if (inPlace) {
      this.#pointAt(slot, this.#addressOf(message as Uint8Array<ArrayBuffer>));
      this.#away[slot] = true;
      return;
    }
    if (this.#away[slot]) this.#pointAt(slot, this.#homes[slot]!);
    this.#away[slot] = false;
    this.data[slot]!.set(message);
  }

  #pointAt(slot: number, address: bigint): void {
    this.#vectors.setBigUint64(slot * IOVEC_BYTES, address, true);
  }

  #addressOf({ buffer, byteOffset }: Uint8Array<ArrayBuffer>): bigint {
    if (buffer !== this.#known) {
      this.#knownAt = BigInt(Deno.UnsafePointer.value(addressOf(new Uint8Array(buffer))));
      this.#known = buffer;
    }
    return this.#knownAt + BigInt(byteOffset);
  }

  /** Octets to send from a slot, as `prepareSend` was told. */
  sentBytes(slot: number): number {
    return this.#vectors.getUint32(slot * IOVEC_BYTES + 8, true);
  }

  /**
   * Makes a slot ready to send what stands in its parts.
   *
   * @param nameBytes 0 = no address
   * @param controlBytes 0 = no ancillary data
   */
  prepareSend(slot: number, dataBytes: number, nameBytes: number, controlBytes: number): void {
    const headers = this.#headers, header = slot * MMSGHDR_BYTES;
    headers.setUint32(header + MSG_NAMELEN, nameBytes, true);
    headers.setUint32(header + MSG_CONTROLLEN, controlBytes, true);
    headers.setUint32(header + MSG_FLAGS, 0, true);
    this.#vectors.setUint32(slot * IOVEC_BYTES + 8, dataBytes, true);
  }

  /** Octets received into a slot by `recvmmsg` (`recvmsg` returns them itself). */
  receivedBytes(slot: number): number {
    return this.#headers.getUint32(slot * MMSGHDR_BYTES + MSG_LEN, true);
  }

  /** Octets of address received with a slot; 0 = none. */
  nameBytes(slot: number): number {
    return this.#headers.getUint32(slot * MMSGHDR_BYTES + MSG_NAMELEN, true);
  }

  /** Octets of ancillary data received with a slot. */
  controlBytes(slot: number): number {
    return this.#headers.getUint32(slot * MMSGHDR_BYTES + MSG_CONTROLLEN, true);
  }

  /** Flags that came with a slot, of {@linkcode MessageFlag}. */
  flags(slot: number): number {
    return this.#headers.getUint32(slot * MMSGHDR_BYTES + MSG_FLAGS, true);
  }
}
