/**
 * The SCTP of Linux as a transport.
 *
 * @module
 */
import type { Endpoint, EndpointOptions, EventHandler, PacketObserver, Transport } from "../protocol/net.ts";
import { effectiveOptions } from "./effective_options.ts";
import { Errno, errno } from "./errno.ts";
import { captureKernelPackets } from "./kernel_capture.ts";
import { type EndpointKeeper, KernelEndpoint } from "./kernel_endpoint.ts";
import { type BoundSocket, type KernelResources, openBoundSocket } from "./kernel_setup.ts";
import { leaseLibc } from "./libc.ts";
import { openSctpLibrary } from "./libsctp.ts";
import { AddressFamily } from "./sockaddr.ts";
import { Protocol, SocketType } from "./structs.ts";

/** Whether the kernel's SCTP can be used, with a reason for people in either case. */
export interface KernelSctpSupport {
  /** Whether a socket could be had. */
  readonly available: boolean;
  /** A clause without a full stop; where there is none, what to do about it. */
  readonly reason: string;
}

/** Choices for {@linkcode openKernelTransport}. */
export interface KernelTransportOptions {
  /** `libc` leaves `libsctp.so.1` out even where it is installed. Default `auto`. */
  readonly library?: "auto" | "libc";
  /**
   * False leaves all associations of an endpoint on one socket, as it is where there are no descriptors left. Default
   * true.
   */
  readonly peelOff?: boolean;
}

/** What socket() says where SCTP cannot be had. */
const REASONS: ReadonlyMap<number, string> = new Map([
  [
    Errno.EPROTONOSUPPORT,
    "the kernel has no SCTP, or its module is not loaded: try `modprobe sctp` as root (package linux-modules-extra on some systems)",
  ],
  [Errno.ESOCKTNOSUPPORT, "the kernel has no SCTP, or its module is not loaded: try `modprobe sctp` as root"],
  [Errno.EACCES, "this process may not open SCTP sockets (a sandbox or a security module forbids it)"],
  [Errno.EPERM, "this process may not open SCTP sockets (a sandbox or a security module forbids it)"],
  [Errno.EAFNOSUPPORT, "the kernel has no Internet protocols that it would let this process use"],
]);

/**
 * Asks the kernel for an SCTP socket, which also makes it load its module where that is allowed.
 *
 * @example Say what carries SCTP on this machine
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const { available, reason } = kernelSctpSupport();
 * assert.equal(typeof available, "boolean");
 * assert.ok(reason.length > 0);
 * ```
 */
export function kernelSctpSupport(): KernelSctpSupport {
  let libc;
  try {
    libc = leaseLibc();
  } catch (error) {
    return { available: false, reason: error instanceof Error ? error.message : String(error) };
  }
  try {
    const type = SocketType.seqPacket | SocketType.closeOnExec;
    const fd = libc.symbols.socket(AddressFamily.inet, type, Protocol.sctp);
    if (fd < 0) {
      const number = errno();
      return {
        available: false,
        reason: REASONS.get(number) ?? `the kernel refuses an SCTP socket (errno ${number})`,
      };
    }
    libc.symbols.close(fd);
    return { available: true, reason: "the kernel has SCTP" };
  } finally {
    libc.close();
  }
}

/**
 * Opens the kernel's SCTP as a transport.
 *
 * Differences to the interface's defaults: a SACK for every packet (`sackFrequency` 1), since the kernel's delayed ones
 * stall senders on a local network; `queuedOctets` of a status counts the kernel's own overhead too; `heartbeatAck` and
 * `capture` need CAP_NET_RAW, since the kernel tells of neither answers nor packets; messages that are given up after they
 * were transmitted are counted (`pr_assoc_status`), but not given back. An association that
 * exists between the same two ports and hosts already cannot be set up a second time: `down`, "refused".
 *
 * @throws {LibraryError} when the C library cannot be loaded
 */
export function openKernelTransport(options: KernelTransportOptions = {}): Transport {
  return new KernelTransport(options);
}

class KernelTransport implements Transport {
  readonly kind = "kernel";
  readonly description: string;
  readonly #options: Required<KernelTransportOptions>;
  readonly #endpoints = new Set<KernelEndpoint>();
  #resources: KernelResources | undefined;
  #closed = false;
  readonly #keeper: EndpointKeeper = {
    opened: (endpoint) => this.#endpoints.add(endpoint),
    closed: (endpoint) => {
      this.#endpoints.delete(endpoint);
      this.#release();
    },
  };

  constructor({ library = "auto", peelOff = true }: KernelTransportOptions) {
    this.#options = { library, peelOff };
    this.description = `kernel SCTP (${kernelSctpSupport().reason})`;
  }

  open(options: EndpointOptions, onEvents: EventHandler): Endpoint {
    if (this.#closed) throw new Error("Cannot open an endpoint: the transport is closed");
    const resources = this.#resources ??= openResources(this.#options);
    let bound: BoundSocket | undefined;
    try {
      bound = openBoundSocket(resources, options);
      const effective = effectiveOptions(bound.socket, options);
      const endpoint = new KernelEndpoint(resources, effective, bound, onEvents, this.#keeper);
      this.#endpoints.add(endpoint);
      return endpoint;
    } catch (error) {
      bound?.socket.close();
      this.#release();
      throw error;
    }
  }

  capture(onPacket: PacketObserver): Disposable {
    return captureKernelPackets(() => [...this.#endpoints].map(({ port }) => port), onPacket);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#endpoints].map((endpoint) => endpoint.close()));
  }

  /** Nothing stays open that no endpoint uses. */
  #release(): void {
    if (this.#endpoints.size > 0 || this.#resources === undefined) return;
    this.#resources.library.close();
    this.#resources.libc.close();
    this.#resources = undefined;
  }
}

function openResources({ library, peelOff }: Required<KernelTransportOptions>): KernelResources {
  const libc = leaseLibc();
  return { libc, library: openSctpLibrary(libc.symbols, library), peelOff };
}
