/**
 * The C library: one table of the functions that the packet driver and the kernel transport call. The table is data;
 * what the calls mean stands where they are made.
 *
 * The library is opened with the first lease and closed with the last one, so that a program (and a test) that has
 * closed its transports holds nothing.
 *
 * @module
 */
import { LibraryError, locateErrno } from "./errno.ts";

/**
 * Symbols of the C library with their C declarations. `pointer` stands where blocks are prepared once and the address
 * is kept, since a `buffer` costs five times as much per call; 64-bit parameters take `bigint` constants.
 * `ssize_t` results are declared `i32`: no call here moves 2 GiB, and a 64-bit result would cost a bigint.
 */
const LIBC_SYMBOLS = {
  socket: {
    parameters: [
      "i32", // int domain
      "i32", // int type
      "i32", // int protocol
    ],
    result: "i32",
  },
  bind: {
    parameters: [
      "i32", // int sockfd
      "buffer", // const struct sockaddr *addr
      "u32", // socklen_t addrlen
    ],
    result: "i32",
  },
  listen: {
    parameters: [
      "i32", // int sockfd
      "i32", // int backlog
    ],
    result: "i32",
  },
  accept4: {
    parameters: [
      "i32", // int sockfd
      "buffer", // struct sockaddr *addr, may be null
      "buffer", // socklen_t *addrlen, may be null
      "i32", // int flags
    ],
    result: "i32",
  },
  connect: {
    parameters: [
      "i32", // int sockfd
      "buffer", // const struct sockaddr *addr
      "u32", // socklen_t addrlen
    ],
    result: "i32",
  },
  shutdown: {
    parameters: [
      "i32", // int sockfd
      "i32", // int how
    ],
    result: "i32",
  },
  close: {
    parameters: [
      "i32", // int fd
    ],
    result: "i32",
  },
  getsockname: {
    parameters: [
      "i32", // int sockfd
      "buffer", // struct sockaddr *addr
      "buffer", // socklen_t *addrlen
    ],
    result: "i32",
  },
  getpeername: {
    parameters: [
      "i32", // int sockfd
      "buffer", // struct sockaddr *addr
      "buffer", // socklen_t *addrlen
    ],
    result: "i32",
  },
  getsockopt: {
    parameters: [
      "i32", // int sockfd
      "i32", // int level
      "i32", // int optname
      "buffer", // void *optval
      "buffer", // socklen_t *optlen
    ],
    result: "i32",
  },
  setsockopt: {
    parameters: [
      "i32", // int sockfd
      "i32", // int level
      "i32", // int optname
      "buffer", // const void *optval
      "u32", // socklen_t optlen
    ],
    result: "i32",
  },
  sendmsg: {
    parameters: [
      "i32", // int sockfd
      "pointer", // const struct msghdr *msg
      "i32", // int flags
    ],
    result: "i32",
  },
  recvmsg: {
    parameters: [
      "i32", // int sockfd
      "pointer", // struct msghdr *msg
      "i32", // int flags
    ],
    result: "i32",
  },
  sendmmsg: {
    parameters: [
      "i32", // int sockfd
      "pointer", // struct mmsghdr *msgvec
      "u32", // unsigned int vlen
      "i32", // int flags
    ],
    result: "i32",
  },
  recvmmsg: {
    parameters: [
      "i32", // int sockfd
      "pointer", // struct mmsghdr *msgvec
      "u32", // unsigned int vlen
      "i32", // int flags
      "pointer", // struct timespec *timeout, always null here
    ],
    result: "i32",
  },
  poll: {
    parameters: [
      "buffer", // struct pollfd *fds
      "u64", // nfds_t nfds
      "i32", // int timeout
    ],
    result: "i32",
  },
  // The same function on the pool of native threads, for the one call of the process that waits.
  parkedPoll: {
    name: "poll",
    parameters: [
      "buffer", // struct pollfd *fds
      "u64", // nfds_t nfds
      "i32", // int timeout
    ],
    result: "i32",
    nonblocking: true,
  },
  mallopt: {
    parameters: [
      "i32", // int param
      "i32", // int value
    ],
    result: "i32",
    optional: true, // of glibc
  },
  ppoll: {
    parameters: [
      "buffer", // struct pollfd *fds
      "u64", // nfds_t nfds
      "buffer", // const struct timespec *tmo_p
      "pointer", // const sigset_t *sigmask, always null here
    ],
    result: "i32",
  },
  sched_yield: {
    parameters: [],
    result: "i32",
  },
  eventfd: {
    parameters: [
      "u32", // unsigned int initval
      "i32", // int flags
    ],
    result: "i32",
  },
  read: {
    parameters: [
      "i32", // int fd
      "buffer", // void *buf
      "usize", // size_t count
    ],
    result: "i32",
  },
  write: {
    parameters: [
      "i32", // int fd
      "buffer", // const void *buf
      "usize", // size_t count
    ],
    result: "i32",
  },
  fcntl: {
    parameters: [
      "i32", // int fd
      "i32", // int cmd
      "i32", // int arg
    ],
    result: "i32",
  },
  access: {
    parameters: [
      "buffer", // const char *pathname, ends with a zero octet
      "i32", // int mode
    ],
    result: "i32",
  },
  errnoLocation: {
    name: "__errno_location",
    parameters: [],
    result: "pointer",
  },
} as const;

/** The functions of the C library, ready to call. */
export type Libc = Deno.DynamicLibrary<typeof LIBC_SYMBOLS>["symbols"];

/** Where the C library is found: glibc by its soname, then musl by its own. */
const LIBC_NAMES: readonly string[] = [
  "libc.so.6",
  `libc.musl-${Deno.build.arch}.so.1`,
];

let library: Deno.DynamicLibrary<typeof LIBC_SYMBOLS> | undefined;
let leaseCount = 0;

/**
 * The right to call the C library. Whoever keeps descriptors keeps a lease as long; a call after the last lease was
 * closed would end the process.
 */
export class LibcLease implements Disposable {
  /** The functions. Do not keep them longer than the lease. */
  readonly symbols: Libc;
  #open = true;

  /** Use {@linkcode leaseLibc}. */
  constructor(symbols: Libc) {
    this.symbols = symbols;
    leaseCount++;
  }

  /** Gives the lease back; the last one closes the library. Idempotent. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    if (--leaseCount > 0) return;
    library?.close();
    library = undefined;
  }

  /** The same as `close`. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * Opens the C library if no one else has, and takes a lease of it.
 *
 * @returns the lease; close it, or hold it with `using`
 * @throws {LibraryError} when there is no C library with these functions, or no permission to load it
 *
 * @example Ask for the process's limit of one poll: nothing to wait for, so it returns 0
 * ```ts
 * import assert from "node:assert/strict";
 *
 * using libc = leaseLibc();
 * assert.equal(libc.symbols.poll(new Uint8Array(8), 0n, 0), 0);
 * ```
 */
export function leaseLibc(): LibcLease {
  library ??= openLibrary(LIBC_NAMES);
  return new LibcLease(library.symbols);
}

/** The address of a buffer, for `pointer` parameters and for nesting. Keep the buffer referenced as long as it is used. */
export function addressOf(buffer: Uint8Array<ArrayBuffer>): Deno.PointerObject {
  const pointer = Deno.UnsafePointer.of(buffer);
  if (pointer === null) throw new RangeError("Cannot take the address of an empty buffer");
  return pointer;
}

function openLibrary(names: readonly string[]): Deno.DynamicLibrary<typeof LIBC_SYMBOLS> {
  if (Deno.build.os !== "linux") {
    throw new LibraryError(
      "the C library",
      [],
      `the native calls are laid out for Linux, not ${Deno.build.os}`,
    );
  }
  const tried: string[] = [];
  for (const name of names) {
    try {
      const opened = Deno.dlopen(name, LIBC_SYMBOLS);
      locateErrno(opened.symbols.errnoLocation());
      return opened;
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) throw error; // the message says which flag is missing
      tried.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new LibraryError("the C library", tried);
}
