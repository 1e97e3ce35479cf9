/**
 * The address functions of RFC 6458 §9: by Debian's `libsctp.so.1` where it is installed, else by the socket options that
 * the library itself uses, so that a bare machine needs nothing but its C library.
 *
 * @module
 */
import type { TransportAddress } from "../protocol/net.ts";
import { F_SETFD, FD_CLOEXEC, PEEL_OFF_FLAGS, SctpOption } from "./kernel_abi.ts";
import { Errno, errno } from "./errno.ts";
import { addressOf, type Libc } from "./libc.ts";
import { encodeSockaddrs, readSockaddr, SOCKADDR_IN6_BYTES, sockaddrBytes } from "./sockaddr.ts";
import { Protocol } from "./structs.ts";

/** Symbols of libsctp with their C declarations. */
const LIBSCTP_SYMBOLS = {
  sctp_bindx: {
    parameters: [
      "i32", // int sd
      "buffer", // struct sockaddr *addrs
      "i32", // int addrcnt
      "i32", // int flags
    ],
    result: "i32",
  },
  sctp_getpaddrs: {
    parameters: [
      "i32", // int sd
      "i32", // sctp_assoc_t id
      "buffer", // struct sockaddr **addrs
    ],
    result: "i32",
  },
  sctp_freepaddrs: {
    parameters: [
      "pointer", // struct sockaddr *addrs
    ],
    result: "i32",
  },
  sctp_getladdrs: {
    parameters: [
      "i32", // int sd
      "i32", // sctp_assoc_t id
      "buffer", // struct sockaddr **addrs
    ],
    result: "i32",
  },
  sctp_freeladdrs: {
    parameters: [
      "pointer", // struct sockaddr *addrs
    ],
    result: "i32",
  },
  sctp_peeloff: {
    parameters: [
      "i32", // int sd
      "i32", // sctp_assoc_t id
    ],
    result: "i32",
  },
} as const;

type LibsctpSymbols = Deno.DynamicLibrary<typeof LIBSCTP_SYMBOLS>["symbols"];

/** SCTP_BINDX_ADD_ADDR */
const BINDX_ADD = 1;
/** SCTP_BINDX_REM_ADDR */
const BINDX_REMOVE = 2;

/** What the address functions need and how they are done. Functions return 0 or a count, or a negative errno. */
export interface SctpLibrary {
  readonly name: "libsctp.so.1" | "the C library";
  /** Binds a socket to further addresses. */
  bindAdd(fd: number, addresses: readonly TransportAddress[]): number;
  /** Takes addresses away from a socket. */
  bindRemove(fd: number, addresses: readonly TransportAddress[]): number;
  /**
   * Starts an association.
   *
   * @returns the kernel's ID of the association, or a negative errno. That it goes on (EINPROGRESS) is no error.
   */
  connect(fd: number, addresses: readonly TransportAddress[]): number;
  /** Addresses of the peer; empty when the association is gone. */
  peerAddresses(fd: number, kernelId: number): TransportAddress[];
  /** Own addresses of an association, or of the endpoint with ID 0. */
  localAddresses(fd: number, kernelId: number): TransportAddress[];
  /** Gives an association a descriptor of its own, or returns a negative errno. */
  peelOff(fd: number, kernelId: number): number;
  /** Closes the library; its functions must not be called any more. */
  close(): void;
}

/**
 * Opens the address functions.
 *
 * @param libc a C library that stays open longer than what is returned
 * @param choice `libc` leaves libsctp out even where it is installed. Default `auto`.
 */
export function openSctpLibrary(libc: Libc, choice: "auto" | "libc" = "auto"): SctpLibrary {
  const byOptions = new OptionLibrary(libc);
  if (choice === "libc") return byOptions;
  try {
    return new NativeLibrary(Deno.dlopen("libsctp.so.1", LIBSCTP_SYMBOLS), byOptions);
  } catch {
    return byOptions; // nothing is lost but a wrapper
  }
}

/** Room for the addresses of an association, in octets: kernel limits keep it far below. */
const ADDRESSES_BYTES = 64 * 1024;

/** By socket options alone. */
class OptionLibrary implements SctpLibrary {
  readonly name = "the C library";
  readonly #libc: Libc;

  constructor(libc: Libc) {
    this.#libc = libc;
  }

  bindAdd(fd: number, addresses: readonly TransportAddress[]): number {
    return this.#bind(fd, SctpOption.bindAdd, addresses);
  }

  bindRemove(fd: number, addresses: readonly TransportAddress[]): number {
    return this.#bind(fd, SctpOption.bindRemove, addresses);
  }

  connect(fd: number, addresses: readonly TransportAddress[]): number {
    // struct sctp_getaddrs_old { id, octets, pointer }, and behind it what it points to: one block lives as one.
    const packed = encodeSockaddrs(addresses);
    const block = new Uint8Array(16 + packed.length);
    block.set(packed, 16);
    const argument = new DataView(block.buffer);
    argument.setInt32(4, packed.length, true);
    argument.setBigUint64(8, BigInt(Deno.UnsafePointer.value(addressOf(block))) + 16n, true);
    const length = new Uint32Array([16]);
    const result = this.#libc.getsockopt(fd, Protocol.sctp, SctpOption.connect, argument, length);
    if (result < 0 && errno() !== Errno.EINPROGRESS) return -errno();
    return argument.getInt32(0, true);
  }

  peerAddresses(fd: number, kernelId: number): TransportAddress[] {
    return this.#addresses(fd, kernelId, SctpOption.peerAddresses);
  }

  localAddresses(fd: number, kernelId: number): TransportAddress[] {
    return this.#addresses(fd, kernelId, SctpOption.localAddresses);
  }

  peelOff(fd: number, kernelId: number): number {
    const argument = new DataView(new ArrayBuffer(12)); // struct sctp_peeloff_flags_arg_t { id, sd, flags }
    argument.setInt32(0, kernelId, true);
    argument.setUint32(8, PEEL_OFF_FLAGS, true);
    const length = new Uint32Array([12]);
    const result = this.#libc.getsockopt(fd, Protocol.sctp, SctpOption.peelOffFlags, argument, length);
    if (result >= 0) return argument.getInt32(4, true);
    if (errno() !== Errno.ENOPROTOOPT) return -errno();
    length[0] = 8; // kernels before 4.13; every call here is non-blocking by its own flag
    if (this.#libc.getsockopt(fd, Protocol.sctp, SctpOption.peelOff, argument, length) < 0) return -errno();
    return this.closeOnExec(argument.getInt32(4, true));
  }

  closeOnExec(fd: number): number {
    this.#libc.fcntl(fd, F_SETFD, FD_CLOEXEC);
    return fd;
  }

  close(): void {}

  #bind(fd: number, option: number, addresses: readonly TransportAddress[]): number {
    const packed = encodeSockaddrs(addresses);
    const result = this.#libc.setsockopt(fd, Protocol.sctp, option, packed, packed.length);
    return result < 0 ? -errno() : result;
  }

  #addresses(fd: number, kernelId: number, option: number): TransportAddress[] {
    const argument = new DataView(new ArrayBuffer(8 + ADDRESSES_BYTES)); // struct sctp_getaddrs
    argument.setInt32(0, kernelId, true);
    const length = new Uint32Array([argument.byteLength]);
    if (this.#libc.getsockopt(fd, Protocol.sctp, option, argument, length) < 0) return [];
    return readPacked(argument, 8, argument.getUint32(4, true));
  }
}

/** By libsctp. */
class NativeLibrary implements SctpLibrary {
  readonly name = "libsctp.so.1";
  readonly #library: Deno.DynamicLibrary<typeof LIBSCTP_SYMBOLS>;
  readonly #options: OptionLibrary;

  constructor(library: Deno.DynamicLibrary<typeof LIBSCTP_SYMBOLS>, options: OptionLibrary) {
    this.#library = library;
    this.#options = options;
  }

  get #symbols(): LibsctpSymbols {
    return this.#library.symbols;
  }

  bindAdd(fd: number, addresses: readonly TransportAddress[]): number {
    return this.#bind(fd, BINDX_ADD, addresses);
  }

  bindRemove(fd: number, addresses: readonly TransportAddress[]): number {
    return this.#bind(fd, BINDX_REMOVE, addresses);
  }

  /**
   * Not by `sctp_connectx`: the library has three versions of it under one name, and the loader, asked without a
   * version, gives the oldest, which does not say the association's ID.
   */
  connect(fd: number, addresses: readonly TransportAddress[]): number {
    return this.#options.connect(fd, addresses);
  }

  peerAddresses(fd: number, kernelId: number): TransportAddress[] {
    const place = new BigUint64Array(1);
    const count = this.#symbols.sctp_getpaddrs(fd, kernelId, place);
    return takeAddresses(count, place[0]!, this.#symbols.sctp_freepaddrs);
  }

  localAddresses(fd: number, kernelId: number): TransportAddress[] {
    const place = new BigUint64Array(1);
    const count = this.#symbols.sctp_getladdrs(fd, kernelId, place);
    return takeAddresses(count, place[0]!, this.#symbols.sctp_freeladdrs);
  }

  /** libsctp exports no call with flags, and without them the descriptor would be inherited by every child. */
  peelOff(fd: number, kernelId: number): number {
    const peeled = this.#options.peelOff(fd, kernelId);
    if (peeled !== -Errno.ENOPROTOOPT) return peeled;
    const result = this.#symbols.sctp_peeloff(fd, kernelId);
    return result < 0 ? -errno() : this.#options.closeOnExec(result);
  }

  close(): void {
    this.#library.close();
  }

  #bind(fd: number, flags: number, addresses: readonly TransportAddress[]): number {
    const result = this.#symbols.sctp_bindx(fd, encodeSockaddrs(addresses), addresses.length, flags);
    return result < 0 ? -errno() : result;
  }
}

/** Copies addresses out of memory that the library allocated, and frees it. */
function takeAddresses(
  count: number,
  place: bigint,
  free: (pointer: Deno.PointerValue) => number,
): TransportAddress[] {
  const pointer = Deno.UnsafePointer.create(place);
  if (count <= 0 || pointer === null) return [];
  const memory = new Deno.UnsafePointerView(pointer);
  const packed = new DataView(new ArrayBuffer(count * SOCKADDR_IN6_BYTES));
  let length = 0; // entry by entry, since the block ends with the last one
  for (let i = 0; i < count; i++) {
    packed.setUint16(length, memory.getUint16(length), true);
    const bytes = sockaddrBytes(packed, length);
    if (bytes === 0) break;
    for (let at = length; at < length + bytes; at++) packed.setUint8(at, memory.getUint8(at));
    length += bytes;
  }
  free(pointer);
  return readPacked(packed, 0, count);
}

/** Reads socket addresses that stand back to back. */
function readPacked(view: DataView, start: number, count: number): TransportAddress[] {
  const found: TransportAddress[] = [];
  for (let i = 0, offset = start; i < count && offset + 16 <= view.byteLength; i++) {
    const bytes = sockaddrBytes(view, offset);
    const address = bytes === 0 ? undefined : readSockaddr(view, offset);
    if (address === undefined) break;
    found.push(address);
    offset += bytes;
  }
  return found;
}
