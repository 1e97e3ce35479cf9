/**
 * The way out of the Linux packet driver: slots that packets are built in, sent in runs by `sendmmsg`.
 *
 * A socket that is full stops the sending of all until it is writable again; the slots keep their packets.
 *
 * @module
 */
import type { PacketTransmit } from "../protocol/net.ts";
import { Errno, errno } from "./errno.ts";
import type { Libc } from "./libc.ts";
import type { PacketHandler } from "./packet_driver.ts";
import type { ErrorSource } from "./packet_errors.ts";
import type { Watch } from "./poller.ts";
import { setFragmentation } from "./packet_socket.ts";
import type { RouteTable } from "./route_table.ts";
import {
  AddressFamily,
  encodeIpAddress,
  readSockaddrAddress,
  readSockaddrPort,
  writeSockaddr,
} from "./sockaddr.ts";
import {
  CMSGHDR_BYTES,
  controlSpace,
  IpOption,
  Ipv6Option,
  MessageFlag,
  MessageSlots,
  PollEvent,
  POLLFD_BYTES,
  Protocol,
  writeControlHeader,
} from "./structs.ts";

/** Packets a system call moves. */
export const SLOTS = 32;

/** Octets of a slot: the longest IP packet. Untouched memory costs nothing, so short packets do not pay for it. */
export const SLOT_BYTES = 65536;

/**
 * Octets that wait for a system call, at most: with more the other end, which could take them meanwhile, would stand still
 * until all of them are built.
 */
const BURST_OCTETS = 256 * 1024;

/** Octets of the SCTP common header. */
export const COMMON_HEADER_BYTES = 12;

/** `struct in_pktinfo`: int ifindex, struct in_addr spec_dst, struct in_addr addr. */
const IN_PKTINFO_BYTES = 12;
/** `struct in6_pktinfo`: struct in6_addr addr, unsigned int ifindex. */
const IN6_PKTINFO_BYTES = 20;

/**
 * How often a packet is tried when the kernel answers with an error of an earlier packet (each try takes one such error
 * off the socket).
 */
const SEND_TRIES = 8;

/** A socket of the driver. */
export interface PacketSocket extends ErrorSource {
  /** Tells when it can be read, and when it can be written again. */
  readonly watch: Watch;
  /** The UDP port it is bound to; 0 = it is a raw socket. */
  readonly udpPort: number;
  /** Until its descriptor is closed. */
  open: boolean;
}

/** Builds and sends packets. */
export class PacketSender {
  readonly #libc: Libc;
  readonly #routes: RouteTable;
  readonly #handler: PacketHandler;
  readonly #slots = new MessageSlots(SLOTS, { data: SLOT_BYTES, name: 28, control: 40 });
  readonly #sockets: (PacketSocket | undefined)[] = Array(SLOTS).fill(undefined);
  readonly #fragmentations: PacketTransmit["fragmentation"][] = Array(SLOTS).fill(undefined);
  /** Slots `#head` up to `#count` hold packets. */
  #head = 0;
  #count = 0;
  /** Octets of the packets up to `#count`. */
  #octets = 0;
  #tries = 0;
  /** The socket that is full, if one is. */
  #blockedBy: PacketSocket | undefined;
  #owesWritable = false;
  #stalls = 0;
  /** A `struct pollfd`. */
  readonly #question = new DataView(new ArrayBuffer(POLLFD_BYTES));

  /**
   * @param libc functions of a lease that outlives the sender
   * @param routes told when a packet found no way
   * @param handler told the same, and when there is room again
   */
  constructor(libc: Libc, routes: RouteTable, handler: PacketHandler) {
    this.#libc = libc;
    this.#routes = routes;
    this.#handler = handler;
  }

  /** How often a full socket has stopped the sending. */
  get stalls(): number {
    return this.#stalls;
  }

  /** Where to build the next packet; undefined when a socket is full. */
  nextBuffer(): Uint8Array | undefined {
    if (this.#count === SLOTS || this.#octets >= BURST_OCTETS) this.flush();
    if (this.#count < SLOTS) return this.#slots.data[this.#count];
    this.#owesWritable = true;
    return undefined;
  }

  /** Queues the packet in the last buffer for a socket, which fits its destination. */
  commit(
    socket: PacketSocket,
    { destination, udpPort, length, source, fragmentation }: PacketTransmit,
  ): void {
    const slot = this.#count, slots = this.#slots;
    // A raw IPv6 socket refuses a port in the address; a raw IPv4 socket does not look at it.
    const nameBytes = writeSockaddr(slots.names, slots.nameOffset(slot), destination, udpPort);
    const controlBytes = source === undefined
      ? 0
      : writePacketInfo(slots.controls, slots.controlOffset(slot), source);
    slots.prepareSend(slot, length, nameBytes, controlBytes);
    this.#sockets[slot] = socket;
    this.#fragmentations[slot] = fragmentation;
    this.#count = slot + 1;
    this.#octets += length;
  }

  /** Sends what was committed, as far as it goes. */
  flush(): void {
    const sockets = this.#sockets;
    while (this.#blockedBy === undefined && this.#head < this.#count) {
      const head = this.#head, socket = sockets[head]!;
      let end = head + 1;
      const fragmentation = this.#fragmentations[head];
      while (
        end < this.#count && sockets[end] === socket && this.#fragmentations[end] === fragmentation
      ) end++;
      if (!socket.open) {
        this.#head = end;
        continue;
      }
      const flags = MessageFlag.dontWait | MessageFlag.noSignal;
      if (fragmentation !== undefined) setFragmentation(this.#libc, socket, fragmentation);
      const sent = this.#libc.sendmmsg(socket.fd, this.#slots.pointer(head), end - head, flags);
      const error = sent > 0 ? 0 : errno();
      if (fragmentation !== undefined) setFragmentation(this.#libc, socket, undefined);
      if (sent > 0) {
        this.#head = head + sent;
        this.#tries = 0;
      } else {
        this.#failed(socket, error);
      }
    }
    if (this.#blockedBy === undefined) this.#head = this.#count = this.#octets = 0;
  }

  /** The packet at the head could not be sent: wait, try again, or drop it as the network would. */
  #failed(socket: PacketSocket, error: number): void {
    if (error === Errno.EAGAIN || (error === Errno.ENOBUFS && this.#isFull(socket))) {
      this.#blockedBy = socket;
      this.#stalls++;
      socket.watch.update({ read: true, write: true });
      return;
    }
    // Of an earlier packet (ECONNREFUSED, EHOSTUNREACH, …): the packet itself was not tried.
    const mayBeOfAnother = error !== Errno.EMSGSIZE && error !== Errno.ENOBUFS && error !== Errno.EINVAL;
    if (mayBeOfAnother && ++this.#tries < SEND_TRIES) return;
    this.#tries = 0;
    const slot = this.#head++;
    const names = this.#slots.names, offset = this.#slots.nameOffset(slot);
    const destination = readSockaddrAddress(names, offset);
    if (destination === undefined) return;
    this.#routes.forget(destination); // perhaps the source address is not ours any more
    if (error !== Errno.ENETUNREACH && error !== Errno.EHOSTUNREACH) return;
    this.#handler.error({ // no ICMP message will tell it
      destination,
      udpPort: socket.encapsulated ? readSockaddrPort(names, offset) : 0,
      kind: "host-unreachable",
      mtu: undefined,
      packet: this.#slots.data[slot]!.slice(0, COMMON_HEADER_BYTES),
      localPort: socket.port,
    });
  }

  /**
   * What ENOBUFS means: a full raw socket says it where a UDP socket says EAGAIN, but both say it of a packet that the
   * interface's queue has dropped, too, and that is a loss like any other.
   */
  #isFull(socket: PacketSocket): boolean {
    const question = this.#question;
    question.setInt32(0, socket.fd, true);
    question.setInt16(4, PollEvent.out, true);
    this.#libc.poll(question, 1n, 0);
    return (question.getInt16(6, true) & PollEvent.out) === 0;
  }

  /** Goes on, if this was the socket that was full: it is writable again, or closed. */
  unblock(socket: PacketSocket): void {
    if (this.#blockedBy !== socket) return;
    this.#blockedBy = undefined;
    if (socket.open) socket.watch.update({ read: true, write: false });
    this.flush();
    if (this.#blockedBy !== undefined || !this.#owesWritable) return;
    this.#owesWritable = false;
    this.#handler.writable();
  }
}

/** Says which source address a packet is to have. @returns octets of ancillary data */
function writePacketInfo(view: DataView, offset: number, source: string): number {
  const { family, octets, zone } = encodeIpAddress(source);
  const data = offset + CMSGHDR_BYTES;
  if (family === AddressFamily.inet) {
    writeControlHeader(view, offset, Protocol.ip, IpOption.packetInfo, IN_PKTINFO_BYTES);
    view.setUint32(data, 0); // any interface: the routing table decides
    for (let i = 0; i < 4; i++) view.setUint8(data + 4 + i, octets[i]!);
    view.setUint32(data + 8, 0);
    return controlSpace(IN_PKTINFO_BYTES);
  }
  writeControlHeader(view, offset, Protocol.ipv6, Ipv6Option.packetInfo, IN6_PKTINFO_BYTES);
  for (let i = 0; i < 16; i++) view.setUint8(data + i, octets[i]!);
  view.setUint32(data + 16, zone, true);
  return controlSpace(IN6_PKTINFO_BYTES);
}
