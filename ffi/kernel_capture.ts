/**
 * Packets of kernel SCTP as they pass: by a packet socket (AF_PACKET), which sees what every interface sends and
 * receives.
 *
 * @module
 */
import type { CapturedPacket } from "../protocol/net.ts";
import { Errno, errno, SctpError } from "./errno.ts";
import { sctpSetting } from "./kernel_option_access.ts";
import { attachFilter } from "./packet_socket.ts";
import { leaseLibc, type Libc, type LibcLease } from "./libc.ts";
import { sharedPoller } from "./poller.ts";
import { readIpv4, readIpv6 } from "./sockaddr.ts";
import {
  controlSpace,
  findControl,
  MessageFlag,
  MessageSlots,
  Protocol,
  SocketOption,
  SocketType,
} from "./structs.ts";

/** AF_PACKET */
const PACKET_FAMILY = 17;
/** ETH_P_ALL, in network order as socket() wants it. */
const ALL_PROTOCOLS = 0x0300;
/** struct sockaddr_ll: pkttype 10. */
const LINK_ADDRESS_BYTES = 20;
/** SOL_PACKET, PACKET_AUXDATA and its struct tpacket_auxdata, of which only u32 tp_status at 0 is read. */
const Auxiliary = { level: 263, option: 8, bytes: 20, checksumNotReady: 1 << 3 } as const;
/** sll_pkttype: PACKET_HOST is to us, PACKET_OUTGOING from us. */
const PacketType = { host: 0, outgoing: 4 } as const;

/** Packets read at once. */
const BATCH = 32;
/** The longest IP packet. Memory that is never touched costs nothing. */
const PACKET_BYTES = 65_535 + 64;
/** The socket's queue: some thousand packets while handlers run. */
const BUFFER_BYTES = 8 * 1024 * 1024;
/** Batches read before other descriptors get their turn. */
const BATCHES_PER_TURN = 4;
/** More than the longest packet. */
const ANY_BYTES = 0x40000;
/** struct timespec */
const TIMESPEC_BYTES = 16;
const UDP_HEADER_BYTES = 8;
const SCTP_HEADER_BYTES = 12;

/** Sees packets, with the time when they passed, in milliseconds since 1970. The packet is borrowed. */
export type TimedPacketObserver = (packet: CapturedPacket, passedAt: number) => void;

/**
 * Shows packets of some SCTP ports until it is disposed of.
 *
 * @param ports the ports, asked for each batch
 * @param onPacket takes the packets
 * @param limitBytes IP packets that are longer are left out. Default: none is.
 * @throws {SctpError} EPERM without CAP_NET_RAW
 */
export function captureKernelPackets(
  ports: () => readonly number[],
  onPacket: TimedPacketObserver,
  limitBytes: number = ANY_BYTES,
): Disposable {
  const libc = leaseLibc();
  const fd = libc.symbols.socket(
    PACKET_FAMILY,
    SocketType.datagram | SocketType.nonBlocking | SocketType.closeOnExec,
    ALL_PROTOCOLS,
  );
  if (fd < 0) {
    const number = errno();
    libc.close();
    const hint = number === Errno.EPERM
      ? "; run as root or give the CAP_NET_RAW capability"
      : number === Errno.EAFNOSUPPORT
      ? "; the kernel has no packet sockets: load the module af_packet"
      : "";
    throw new SctpError("socket", number, `Cannot capture packets${hint}`);
  }
  // Failing, it only costs the checksums that the kernel has not made.
  libc.symbols.setsockopt(fd, Auxiliary.level, Auxiliary.option, new Int32Array([1]), 4);
  const udpPort = Number(sctpSetting("udp_port") ?? 0);
  attachFilter(libc.symbols, fd, captureFilter(udpPort, limitBytes));
  const size = new Int32Array([BUFFER_BYTES]);
  const { level, receiveBuffer, receiveBufferForce, timestamp } = SocketOption;
  libc.symbols.setsockopt(fd, level, timestamp, new Int32Array([1]), 4);
  if (libc.symbols.setsockopt(fd, level, receiveBufferForce, size, 4) < 0) {
    libc.symbols.setsockopt(fd, level, receiveBuffer, size, 4);
  }
  return new KernelCapture(libc, fd, udpPort, ports, onPacket);
}

class KernelCapture implements Disposable {
  readonly #libc: LibcLease;
  readonly #fd: number;
  readonly #udpPort: number;
  readonly #ports: () => readonly number[];
  readonly #onPacket: TimedPacketObserver;
  readonly #slots = new MessageSlots(BATCH, {
    data: PACKET_BYTES,
    name: LINK_ADDRESS_BYTES,
    control: controlSpace(TIMESPEC_BYTES) + controlSpace(Auxiliary.bytes),
  });
  readonly #watch;
  #open = true;

  constructor(
    libc: LibcLease,
    fd: number,
    udpPort: number,
    ports: () => readonly number[],
    onPacket: TimedPacketObserver,
  ) {
    this.#libc = libc;
    this.#fd = fd;
    this.#udpPort = udpPort;
    this.#ports = ports;
    this.#onPacket = onPacket;
    this.#watch = sharedPoller().watch(fd, { read: true, write: false }, () => this.#read());
  }

  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#read(); // what is there already was sent before
    this.#open = false;
    this.#watch.close();
    this.#libc.symbols.close(this.#fd);
    this.#libc.close();
  }

  #read(): void {
    const { symbols } = this.#libc as { readonly symbols: Libc };
    const ports = new Set(this.#ports());
    for (let batch = 0; batch < BATCHES_PER_TURN && this.#open; batch++) {
      this.#slots.prepareReceive();
      const count = symbols.recvmmsg(this.#fd, this.#slots.pointer(0), BATCH, MessageFlag.dontWait, null);
      if (count <= 0) return;
      for (let slot = 0; slot < count; slot++) this.#show(slot, ports);
      if (count < BATCH) return;
    }
  }

  #show(slot: number, ports: ReadonlySet<number>): void {
    const slots = this.#slots;
    const type = slots.names.getUint8(slots.nameOffset(slot) + 10);
    if (type !== PacketType.host && type !== PacketType.outgoing) return;
    const direction = type === PacketType.outgoing ? "sent" : "received";
    const octets = slots.data[slot]!.subarray(0, slots.receivedBytes(slot));
    const packet = dissect(octets, direction, this.#udpPort);
    if (packet === undefined) return;
    const own = direction === "sent" ? 0 : 2; // the port of this side
    if (!ports.has(packet.sctp[own]! << 8 | packet.sctp[own + 1]!)) return;
    // In UDP it is UDP's checksum that is pending.
    const pending = packet.destinationUdpPort === 0 && this.#checksumPending(slot);
    this.#onPacket(pending ? { ...packet, checksumPending: true } : packet, this.#passedAt(slot));
  }

  #checksumPending(slot: number): boolean {
    const slots = this.#slots, { level, option, checksumNotReady } = Auxiliary;
    const at = findControl(
      slots.controls,
      slots.controlOffset(slot),
      slots.controlBytes(slot),
      level,
      option,
    );
    return at >= 0 && (slots.controls.getUint32(at, true) & checksumNotReady) !== 0;
  }

  /** `struct timespec`: seconds and nanoseconds. */
  #passedAt(slot: number): number {
    const slots = this.#slots, view = slots.controls;
    const { level, timestamp } = SocketOption;
    const at = findControl(view, slots.controlOffset(slot), slots.controlBytes(slot), level, timestamp);
    if (at < 0) return Date.now();
    return Number(view.getBigInt64(at, true)) * 1000 + Number(view.getBigInt64(at + 8, true)) / 1e6;
  }
}

/**
 * Finds the SCTP packet in an IP packet.
 *
 * @param octets IP header first; borrowed
 * @param udpPort port of this host for RFC 6951; 0 = none
 * @returns undefined when there is none, or when it is a fragment
 */
export function dissect(
  octets: Uint8Array<ArrayBuffer>,
  direction: CapturedPacket["direction"],
  udpPort: number,
): CapturedPacket | undefined {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  const ip = octets.length < 20
    ? undefined
    : octets[0]! >> 4 === 4
    ? readIpv4Header(view)
    : readIpv6Header(view);
  if (ip === undefined) return undefined;
  const { protocol, source, destination, end } = ip;
  if (end > octets.length) return undefined; // a packet socket sees packets before anybody has looked at their lengths
  let { start } = ip, sourceUdpPort = 0, destinationUdpPort = 0;
  if (protocol === Protocol.udp) {
    if (udpPort === 0 || start + UDP_HEADER_BYTES > end) return undefined;
    sourceUdpPort = view.getUint16(start);
    destinationUdpPort = view.getUint16(start + 2);
    if (sourceUdpPort !== udpPort && destinationUdpPort !== udpPort) return undefined;
    start += UDP_HEADER_BYTES;
  } else if (protocol !== Protocol.sctp) return undefined;
  if (start + SCTP_HEADER_BYTES > end) return undefined;
  const sctp = octets.subarray(start, end);
  return { direction, source, destination, sourceUdpPort, destinationUdpPort, sctp };
}

interface IpHeader {
  readonly protocol: number;
  readonly source: string;
  readonly destination: string;
  /** Where its payload starts and ends. */
  readonly start: number;
  readonly end: number;
}

function readIpv4Header(view: DataView): IpHeader | undefined {
  if ((view.getUint16(6) & 0x3fff) !== 0) return undefined; // a fragment
  return {
    protocol: view.getUint8(9),
    source: readIpv4(view, 12),
    destination: readIpv4(view, 16),
    start: (view.getUint8(0) & 15) * 4,
    end: view.getUint16(2),
  };
}

/** SCTP of Linux puts nothing between the IPv6 header and its own. */
function readIpv6Header(view: DataView): IpHeader | undefined {
  if (view.byteLength < 40 || view.getUint8(0) >> 4 !== 6) return undefined;
  return {
    protocol: view.getUint8(6),
    source: readIpv6(view, 8, 0),
    destination: readIpv6(view, 24, 0),
    start: 40,
    end: 40 + view.getUint16(4),
  };
}

type Instruction = readonly [code: number, jumpTrue: number, jumpFalse: number, operand: number];

/**
 * Classic BPF on an IP packet: lets in SCTP, and UDP from and to the port of RFC 6951.
 *
 * @param limitBytes how much of a packet is copied
 * @returns array of `struct sock_filter`
 */
export function captureFilter(udpPort: number, limitBytes: number = ANY_BYTES): Uint8Array<ArrayBuffer> {
  const accept: Instruction = [0x06, 0, 0, limitBytes], drop: Instruction = [0x06, 0, 0, 0];
  const program: Instruction[] = [
    [0x30, 0, 0, 0], // 0: ldb [0]
    [0x74, 0, 0, 4], // 1: rsh #4
    [0x15, 0, 9, 4], // 2: jeq #4, else to 12
    [0x30, 0, 0, 9], // 3: ldb [9]: protocol
    [0x15, 6, 0, Protocol.sctp], // 4: to 11
    [0x15, 0, 6, Protocol.udp], // 5: else to 12
    [0xb1, 0, 0, 0], // 6: ldxb 4*([0]&0xf)
    [0x48, 0, 0, 0], // 7: ldh [x]: source port
    [0x15, 2, 0, udpPort], // 8: to 11
    [0x48, 0, 0, 2], // 9: ldh [x + 2]
    [0x15, 0, 1, udpPort], // 10: else to 12
    accept, // 11
    [0x30, 0, 0, 0], // 12: ldb [0]
    [0x74, 0, 0, 4], // 13: rsh #4
    [0x15, 0, 8, 6], // 14: jeq #6, else to 23
    [0x30, 0, 0, 6], // 15: ldb [6]: next header
    [0x15, 5, 0, Protocol.sctp], // 16: to 22
    [0x15, 0, 5, Protocol.udp], // 17: else to 23
    [0x28, 0, 0, 40], // 18: ldh [40]
    [0x15, 2, 0, udpPort], // 19: to 22
    [0x28, 0, 0, 42], // 20: ldh [42]
    [0x15, 0, 1, udpPort], // 21: else to 23
    accept, // 22
    drop, // 23
  ];
  const octets = new Uint8Array(program.length * 8);
  const view = new DataView(octets.buffer);
  program.forEach(([code, jumpTrue, jumpFalse, operand], i) => {
    view.setUint16(i * 8, code, true);
    view.setUint8(i * 8 + 2, jumpTrue);
    view.setUint8(i * 8 + 3, jumpFalse);
    view.setUint32(i * 8 + 4, operand, true);
  });
  return octets;
}
