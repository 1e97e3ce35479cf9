/**
 * A UDP socket that only hears: batches of datagrams into memory that is used again, so that thousands a second cost
 * little. (node:dgram makes 64 KiB of garbage for each of them.)
 *
 * @module
 */
import type { TransportAddress } from "../protocol/net.ts";
import { errno, SctpError } from "./errno.ts";
import { leaseLibc } from "./libc.ts";
import type { LibcLease } from "./libc.ts";
import { sharedPoller } from "./poller.ts";
import type { Watch } from "./poller.ts";
import { AddressFamily, encodeSockaddr, familyOf, readSockaddr } from "./sockaddr.ts";
import { Ipv6Option, MessageFlag, MessageSlots, Protocol, SocketOption, SocketType } from "./structs.ts";

/** Datagrams read at once, and batches before others get their turn. */
const SLOTS = 32, BATCHES_PER_TURN = 4;

/** The longest datagram there is. */
const SLOT_BYTES = 65_536;

/** A socket that hears. */
export interface DatagramSocket {
  /** Where it hears. */
  readonly at: TransportAddress;
  /** When it resolves, nothing native of the socket is left. Idempotent. */
  close(): Promise<void>;
}

/** Where to hear, and who is told. */
export interface DatagramSocketOptions {
  /** `::` hears IPv4, too; port 0 = any that is free. */
  readonly at: TransportAddress;
  /** Octets that the kernel may buffer. */
  readonly receiveBuffer: number;
  /** Takes a datagram. Borrowed: its memory is used again after the call. */
  readonly onDatagram: (source: TransportAddress, data: Uint8Array) => void;
}

/**
 * Opens a socket.
 *
 * @throws {SctpError} EADDRINUSE when another socket has the port, EADDRNOTAVAIL, EACCES, …
 * @throws {LibraryError} when this is not Linux
 */
export function openDatagramSocket(options: DatagramSocketOptions): DatagramSocket {
  return new LinuxDatagramSocket(options);
}

class LinuxDatagramSocket implements DatagramSocket {
  readonly at: TransportAddress;
  readonly #options: DatagramSocketOptions;
  readonly #libc: LibcLease = leaseLibc();
  readonly #slots = new MessageSlots(SLOTS, { data: SLOT_BYTES, name: 28, control: 0 });
  readonly #fd: number;
  readonly #watch: Watch;
  #isOpen = true;

  constructor(options: DatagramSocketOptions) {
    this.#options = options;
    try {
      this.#fd = this.#bound();
    } catch (error) {
      this.#libc.close();
      throw error;
    }
    const name = new Uint8Array(28);
    this.#libc.symbols.getsockname(this.#fd, name, new Uint32Array([name.length]));
    this.at = { ...options.at, port: readSockaddr(new DataView(name.buffer), 0)?.port ?? options.at.port };
    this.#watch = sharedPoller().watch(this.#fd, { read: true, write: false }, () => this.#read());
  }

  async close(): Promise<void> {
    if (this.#isOpen) {
      this.#isOpen = false;
      this.#watch.close();
      this.#libc.symbols.close(this.#fd);
      this.#libc.close();
    }
    await sharedPoller().settled();
  }

  #bound(): number {
    const { at, receiveBuffer } = this.#options, { symbols } = this.#libc, family = familyOf(at.address);
    const flags = SocketType.nonBlocking | SocketType.closeOnExec;
    const fd = symbols.socket(family, SocketType.datagram | flags, Protocol.udp);
    if (fd < 0) throw new SctpError("socket", errno(), "Cannot make a UDP socket");
    const set = (level: number, option: number, value: number) =>
      symbols.setsockopt(fd, level, option, new Int32Array([value]), 4);
    if (family === AddressFamily.inet6) set(Protocol.ipv6, Ipv6Option.v6Only, 0);
    set(SocketOption.level, SocketOption.receiveBuffer, receiveBuffer);
    const address = encodeSockaddr(at);
    if (symbols.bind(fd, address, address.length) < 0) {
      const error = new SctpError("bind", errno(), `Cannot use UDP port ${at.port}`);
      symbols.close(fd);
      throw error;
    }
    return fd;
  }

  #read(): void {
    for (let batch = 0; this.#isOpen && batch < BATCHES_PER_TURN; batch++) {
      if (this.#readBatch() < SLOTS) return;
    }
  }

  #readBatch(): number {
    const slots = this.#slots, { recvmmsg } = this.#libc.symbols;
    slots.prepareReceive();
    const count = recvmmsg(this.#fd, slots.pointer(0), SLOTS, MessageFlag.dontWait, null);
    for (let slot = 0; slot < count && this.#isOpen; slot++) {
      const source = readSockaddr(slots.names, slots.nameOffset(slot));
      if (source === undefined) continue;
      this.#options.onDatagram(source, slots.data[slot]!.subarray(0, slots.receivedBytes(slot)));
    }
    return count;
  }
}
