/**
 * The packet driver of Linux: per address family one raw SCTP socket for the process, if it may have one, and for each
 * SCTP port its UDP sockets.
 *
 * Theory of operation: packets come in batches of up to 32 by `recvmmsg` into slots that all sockets share, since a
 * batch is dealt with before the next is read. Packets go out of slots likewise: the stack builds each in place, and
 * `flush` sends runs of packets of the same socket by `sendmmsg`. The source address of each packet goes with it
 * (IP_PKTINFO), and the address that a packet was sent to comes with it: so every path of a multi-homed association keeps its pair.
 *
 * @module
 */
import type { PacketError, PacketTransmit, Route } from "../protocol/net.ts";
import { StateError } from "../protocol/wire/errors.ts";
import { Errno, SctpError } from "./errno.ts";
import { AddressWatch } from "./address_watch.ts";
import { leaseLibc, type LibcLease } from "./libc.ts";
import { LocalAddressCache } from "./local_addresses.ts";
import type { PacketDriver, PacketDriverOptions, PacketHandler } from "./packet_driver.ts";
import { ErrorQueueReader } from "./packet_errors.ts";
import { COMMON_HEADER_BYTES, PacketSender, type PacketSocket, SLOT_BYTES, SLOTS } from "./packet_sender.ts";
import {
  attachPortFilter,
  canBind,
  familyIsMissing,
  openRawSocket,
  openSilencingSocket,
  openUdpSocket,
  whyNotRaw,
} from "./packet_socket.ts";
import { type Readiness, sharedPoller, type Watch } from "./poller.ts";
import { RouteTable } from "./route_table.ts";
import {
  AddressFamily,
  familyOf,
  readIpv4,
  readIpv6,
  readSockaddrAddress,
  readSockaddrPort,
} from "./sockaddr.ts";
import {
  findControl,
  IpOption,
  Ipv6Option,
  MessageFlag,
  MessageSlots,
  Protocol,
  SocketOption,
} from "./structs.ts";

/** Batches read from one socket before the others get their turn. */
const BATCHES_PER_TURN = 4;

/** Octets to deal with before they are answered: a sender of long packets would wait for its SACK until all are. */
const BATCH_OCTETS = 512 * 1024;

/** The shortest IPv4 header. */
const IPV4_HEADER_BYTES = 20;

type FamilySockets = Map<AddressFamily, PacketSocket>;

/**
 * What the driver would use, without opening anything for longer than the question takes.
 *
 * @param options as for {@linkcode openPacketDriver}
 * @throws {SctpError} EPERM when `raw` is "on" and this process may not
 * @throws {LibraryError} when this is not Linux
 */
export function probePacketDriver(
  options: PacketDriverOptions = {},
): Pick<PacketDriver, "raw" | "encapsulation"> {
  using libc = leaseLibc();
  const whyNot = whyNotRaw(libc.symbols, options.raw ?? "auto");
  return { raw: whyNot === undefined, encapsulation: encapsulationText(whyNot) };
}

/**
 * Opens the driver.
 *
 * @param handler takes packets and errors
 * @param options whether plain SCTP over IP is wanted
 * @throws {SctpError} EPERM when `raw` is "on" and this process may not
 * @throws {LibraryError} when this is not Linux
 */
export function openPacketDriver(handler: PacketHandler, options: PacketDriverOptions = {}): PacketDriver {
  return new LinuxPacketDriver(handler, options);
}

class LinuxPacketDriver implements PacketDriver {
  readonly raw: boolean;
  readonly encapsulation: string;
  readonly #handler: PacketHandler;
  readonly #socketBuffer: number | undefined;
  readonly #libc: LibcLease;
  readonly #routes: RouteTable;
  readonly #addresses = new LocalAddressCache();
  readonly #errors: ErrorQueueReader;
  readonly #addressWatch: AddressWatch;
  readonly #received = new MessageSlots(SLOTS, { data: SLOT_BYTES, name: 28, control: 64 });
  readonly #sender: PacketSender;
  readonly #rawSockets: FamilySockets = new Map();
  /** Descriptors of sockets that only keep the kernel from answering in our stead. */
  readonly #silencers: number[] = [];
  readonly #ports = new Map<number, { readonly first: FamilySockets; readonly all: PacketSocket[] }>();
  /** Packets to read at once, by the length of the last ones. */
  #batchPackets = SLOTS;
  #closed = false;

  constructor(handler: PacketHandler, { raw = "auto", socketBuffer }: PacketDriverOptions) {
    this.#handler = handler;
    this.#socketBuffer = socketBuffer;
    this.#libc = leaseLibc();
    this.#routes = new RouteTable(this.#libc);
    this.#errors = new ErrorQueueReader(this.#libc.symbols);
    this.#sender = new PacketSender(this.#libc.symbols, this.#routes, handler);
    try {
      const whyNot = whyNotRaw(this.#libc.symbols, raw);
      this.raw = whyNot === undefined;
      this.encapsulation = encapsulationText(whyNot);
      if (this.raw) this.#openRaw();
      this.#addressWatch = new AddressWatch(this.#libc, () => this.#addressesChanged());
    } catch (error) {
      this.#closeRaw();
      this.#libc.close();
      throw error;
    }
  }

  #addressesChanged(): void {
    this.#addresses.forget();
    this.#routes.forgetAll();
    this.#handler.addressesChanged?.();
  }

  get sendStalls(): number {
    return this.#sender.stalls;
  }

  openPort(port: number, udpPorts: readonly number[]): void {
    if (this.#closed) throw new StateError("Cannot open a port: the packet driver is closed");
    if (this.#ports.has(port)) {
      throw new SctpError(
        "bind",
        Errno.EADDRINUSE,
        `Cannot open SCTP port ${port}: this process has it open`,
      );
    }
    const first: FamilySockets = new Map();
    const all: PacketSocket[] = [];
    try {
      udpPorts.forEach((udpPort, i) => {
        for (const family of [AddressFamily.inet, AddressFamily.inet6]) {
          const socket = this.#openUdp(family, port, udpPort);
          if (socket === undefined) continue;
          all.push(socket);
          if (i === 0) first.set(family, socket);
        }
      });
    } catch (error) {
      for (const socket of all) this.#closeSocket(socket);
      throw error;
    }
    this.#ports.set(port, { first, all });
    this.#filterPorts();
  }

  closePort(port: number): void {
    const sockets = this.#ports.get(port);
    if (sockets === undefined) return;
    this.#ports.delete(port);
    for (const socket of sockets.all) this.#closeSocket(socket);
    this.#filterPorts();
  }

  route(destination: string): Route | undefined {
    return this.#closed ? undefined : this.#routes.route(destination);
  }

  localAddresses(): readonly string[] {
    return this.#addresses.addresses();
  }

  hasAddress(address: string): boolean {
    return this.localAddresses().includes(address) || canBind(this.#libc.symbols, address);
  }

  async close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      for (const port of [...this.#ports.keys()]) this.closePort(port);
      this.#closeRaw();
      this.#addressWatch.close();
      this.#libc.close();
    }
    await sharedPoller().settled();
  }

  nextBuffer(): Uint8Array | undefined {
    return this.#sender.nextBuffer();
  }

  commit(transmit: PacketTransmit): void {
    const family = familyOf(transmit.destination);
    const socket = transmit.udpPort === 0
      ? this.#rawSockets.get(family)
      : this.#ports.get(transmit.localPort)?.first.get(family);
    if (socket !== undefined) this.#sender.commit(socket, transmit);
  }

  flush(): void {
    this.#sender.flush();
  }

  // ----------------------------------------------------------------------------------------------------- receiving

  #onReady(socket: PacketSocket, ready: Readiness): void {
    if (ready.writable) this.#sender.unblock(socket);
    if (ready.error && socket.open) this.#readErrors(socket);
    for (let batch = 0; ready.readable && socket.open && batch < BATCHES_PER_TURN; batch++) {
      const most = this.#batchPackets;
      if (this.#receive(socket, most) < most) break;
    }
  }

  #readErrors(socket: PacketSocket): void {
    this.#errors.read(socket, (error) => {
      if (this.#concernsUs(error)) {
        if (error.kind === "too-big") this.#routes.forget(error.destination);
        this.#handler.error(error);
      }
    });
    // Takes the pending error itself off the socket, or poll() would tell it again and again.
    this.#libc.symbols.getsockopt(socket.fd, SocketOption.level, SocketOption.error, ERROR_SINK, FOUR);
    this.#handler.endOfBatch();
  }

  /** A raw socket hears of the packets of all processes: those of ours bear one of our ports as source. */
  #concernsUs({ packet, localPort }: PacketError): boolean {
    if (localPort !== 0 || packet.length < 2) return true;
    return this.#ports.has(packet[0]! << 8 | packet[1]!);
  }

  /** Reads one batch. @returns how many packets it had */
  #receive(socket: PacketSocket, most: number): number {
    const slots = this.#received;
    slots.prepareReceive();
    const { recvmmsg } = this.#libc.symbols;
    const count = recvmmsg(socket.fd, slots.pointer(0), most, MessageFlag.dontWait, null);
    if (count <= 0) return 0; // nothing there, or the error of an earlier packet, which the error queue tells
    let octets = 0;
    for (let slot = 0; slot < count && socket.open; slot++) {
      octets += slots.receivedBytes(slot);
      this.#deliver(socket, slot);
    }
    this.#batchPackets = Math.max(1, Math.min(SLOTS, Math.floor(BATCH_OCTETS * count / octets)));
    this.#handler.endOfBatch();
    return count;
  }

  #deliver(socket: PacketSocket, slot: number): void {
    const slots = this.#received, { family, encapsulated } = socket;
    if ((slots.flags(slot) & MessageFlag.truncated) !== 0) return;
    const name = slots.nameOffset(slot);
    const source = readSockaddrAddress(slots.names, name);
    const destination = this.#destinationOf(slot, family);
    if (source === undefined || destination === undefined) return;
    let start = 0, end = slots.receivedBytes(slot);
    const data = slots.data[slot]!;
    if (!encapsulated && family === AddressFamily.inet) { // raw IPv4 sockets deliver the IP header, IPv6 ones do not
      const header = data[0]!, totalLength = data[2]! << 8 | data[3]!;
      start = (header & 15) * 4;
      if (end < IPV4_HEADER_BYTES || header >> 4 !== 4 || start < IPV4_HEADER_BYTES || totalLength > end) {
        return;
      }
      end = totalLength;
    }
    if (end - start < COMMON_HEADER_BYTES) return;
    const udpPort = encapsulated ? readSockaddrPort(slots.names, name) : 0;
    const localUdpPort = socket.udpPort;
    this.#handler.packet(data.subarray(start, end), { source, destination, udpPort, localUdpPort });
  }

  /** The local address a packet was sent to; undefined for broadcasts and multicasts, which SCTP does not answer. */
  #destinationOf(slot: number, family: AddressFamily): string | undefined {
    const slots = this.#received, control = slots.controls;
    const start = slots.controlOffset(slot), length = slots.controlBytes(slot);
    if (family === AddressFamily.inet) {
      const info = findControl(control, start, length, Protocol.ip, IpOption.packetInfo);
      if (info < 0 || control.getUint32(info + 4) !== control.getUint32(info + 8)) return undefined;
      return readIpv4(control, info + 8);
    }
    const info = findControl(control, start, length, Protocol.ipv6, Ipv6Option.packetInfo);
    if (info < 0 || control.getUint8(info) === 0xff) return undefined;
    return readIpv6(control, info, control.getUint32(info + 16, true));
  }

  // ------------------------------------------------------------------------------------------------------- sockets

  #openRaw(): void {
    for (const family of [AddressFamily.inet, AddressFamily.inet6]) {
      try {
        const fd = openRawSocket(this.#libc.symbols, family, this.#socketBuffer);
        this.#rawSockets.set(family, this.#watched(fd, family, 0, 0));
        this.#silencers.push(openSilencingSocket(this.#libc.symbols, family));
      } catch (error) {
        if (!familyIsMissing(error)) throw error;
      }
    }
    this.#filterPorts();
  }

  #closeRaw(): void {
    for (const socket of this.#rawSockets.values()) this.#closeSocket(socket);
    this.#rawSockets.clear();
    for (const fd of this.#silencers.splice(0)) this.#libc.symbols.close(fd);
  }

  #openUdp(family: AddressFamily, port: number, udpPort: number): PacketSocket | undefined {
    try {
      const fd = openUdpSocket(this.#libc.symbols, family, udpPort, this.#socketBuffer);
      return this.#watched(fd, family, port, udpPort);
    } catch (error) {
      if (familyIsMissing(error) && family === AddressFamily.inet6) return undefined;
      if (!(error instanceof SctpError) || error.errno !== Errno.EADDRINUSE) throw error;
      throw new SctpError(
        "bind",
        Errno.EADDRINUSE,
        `Cannot open SCTP port ${port}: another program has it (or UDP port ${udpPort}, which stands for it on this ` +
          "host); stop that program or take another port",
      );
    }
  }

  /** @param udpPort 0 = a raw socket */
  #watched(fd: number, family: AddressFamily, port: number, udpPort: number): PacketSocket {
    const onReady = (ready: Readiness) => this.#onReady(socket, ready);
    let watch: Watch;
    try {
      watch = sharedPoller().watch(fd, { read: true, write: false }, onReady);
    } catch (error) {
      this.#libc.symbols.close(fd);
      throw error;
    }
    const socket: PacketSocket = {
      fd,
      family,
      encapsulated: udpPort !== 0,
      port,
      udpPort,
      watch,
      open: true,
    };
    return socket;
  }

  #closeSocket(socket: PacketSocket): void {
    socket.open = false;
    socket.watch.close();
    this.#libc.symbols.close(socket.fd);
    this.#sender.unblock(socket);
  }

  #filterPorts(): void {
    const ports = [...this.#ports.keys()];
    for (const { fd, family } of this.#rawSockets.values()) {
      attachPortFilter(this.#libc.symbols, fd, family, ports);
    }
  }
}

const ERROR_SINK = new Int32Array(1), FOUR = new Uint32Array([4]);

function encapsulationText(whyNotRaw: string | undefined): string {
  return whyNotRaw === undefined ? "IP and UDP" : `UDP (${whyNotRaw})`;
}
