/**
 * What goes wrong below: `errno` of the C library, and the errors made of it.
 *
 * @module
 */

/** Linux error numbers (asm-generic/errno.h) that the sockets of this program can meet, the same on x86_64 and aarch64. */
export const Errno = {
  EPERM: 1,
  ENOENT: 2,
  EINTR: 4,
  EIO: 5,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  ENODEV: 19,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  EPIPE: 32,
  ENOTSOCK: 88,
  EDESTADDRREQ: 89,
  EMSGSIZE: 90,
  EPROTOTYPE: 91,
  ENOPROTOOPT: 92,
  EPROTONOSUPPORT: 93,
  ESOCKTNOSUPPORT: 94,
  EOPNOTSUPP: 95,
  EAFNOSUPPORT: 97,
  EADDRINUSE: 98,
  EADDRNOTAVAIL: 99,
  ENETDOWN: 100,
  ENETUNREACH: 101,
  ECONNABORTED: 103,
  ECONNRESET: 104,
  ENOBUFS: 105,
  EISCONN: 106,
  ENOTCONN: 107,
  ESHUTDOWN: 108,
  ETIMEDOUT: 110,
  ECONNREFUSED: 111,
  EHOSTDOWN: 112,
  EHOSTUNREACH: 113,
  EALREADY: 114,
  EINPROGRESS: 115,
} as const;

/** The name of an error number this program knows, `EADDRINUSE` for example. */
export type ErrnoName = keyof typeof Errno;

const NAMES: ReadonlyMap<number, ErrnoName> = new Map(
  Object.entries(Errno).map(([name, value]) => [value, name as ErrnoName]),
);

/** What the numbers mean to people who do not know them; the rest are told by their name. */
const MEANINGS: { readonly [name in ErrnoName]?: string } = {
  EPERM: "operation not permitted",
  EACCES: "permission denied",
  EADDRINUSE: "address already in use",
  EADDRNOTAVAIL: "no such address on this host",
  EAFNOSUPPORT: "address family not supported",
  ECONNREFUSED: "connection refused",
  EHOSTUNREACH: "no route to the host",
  EINVAL: "invalid argument",
  EMFILE: "too many open files in this process",
  EMSGSIZE: "message too long",
  ENETUNREACH: "network unreachable",
  ENOBUFS: "no buffer space left",
  ENOMEM: "out of memory",
  ENOPROTOOPT: "option not known to this kernel",
  EPROTONOSUPPORT: "protocol not supported by this kernel",
  ESOCKTNOSUPPORT: "socket type not supported",
  ETIMEDOUT: "timed out",
};

let errnoView: Int32Array | undefined;

/**
 * Tells this module where the C library keeps `errno` for the JavaScript thread. Called by `libc.ts` when it opens the
 * library; the place belongs to the thread and outlives the library handle.
 */
export function locateErrno(location: Deno.PointerValue): void {
  if (errnoView !== undefined || location === null) return;
  errnoView = new Int32Array(Deno.UnsafePointerView.getArrayBuffer(location, 4));
}

/**
 * `errno` of the last native call. Read it at once after a *synchronous* call that returned -1: anything that Deno does
 * in between may overwrite it, and a non-blocking call sets that of another thread.
 *
 * @returns an error number, or 0 when no library was opened yet
 */
export function errno(): number {
  return errnoView?.[0] ?? 0;
}

/** The name of an error number, `EADDRINUSE` or, of one this program does not know, `E4711`. */
export function errnoName(number: number): string {
  return NAMES.get(number) ?? `E${number}`;
}

/** What an error number means to people; undefined when its name must do. */
export function errnoMeaning(number: number): string | undefined {
  return MEANINGS[errnoName(number) as ErrnoName];
}

/** A system call failed. */
export class SctpError extends Error {
  /** Name of the error: `EADDRINUSE`, `EACCES`, … */
  readonly code: string;
  /** Its number on Linux. */
  readonly errno: number;
  /** The call that failed: `bind`, `setsockopt`, … */
  readonly syscall: string;

  /**
   * @param syscall the call that failed
   * @param number the error number, from {@linkcode errno} or {@linkcode Errno}
   * @param message a sentence for people without a full stop: what was tried and what to do; the error's meaning and
   * name are put behind it. Default: `Cannot <syscall>`.
   */
  constructor(syscall: string, number: number, message: string = `Cannot ${syscall}`) {
    const code = errnoName(number), meaning = errnoMeaning(number);
    super(`${message}${meaning === undefined ? "" : `: ${meaning}`} (${code} from ${syscall})`);
    this.name = "SctpError";
    this.code = code;
    this.errno = number;
    this.syscall = syscall;
  }
}

/** A native library could not be loaded. */
export class LibraryError extends Error {
  /** One line for each name that was tried, with what the loader said. */
  readonly tried: readonly string[];

  /**
   * @param library what was wanted, for people: `the C library`
   * @param tried one line for each name that was tried
   * @param why said instead of the list when nothing was tried
   */
  constructor(library: string, tried: readonly string[], why?: string) {
    super(`Cannot load ${library}: ${why ?? `tried ${tried.join("; ")}`}`);
    this.name = "LibraryError";
    this.tried = tried;
  }
}
