/**
 * The portable packet driver: SCTP over UDP by `node:dgram`, for systems whose native calls this program does not know.
 * It needs no native call and no privilege, and it costs: a packet at a time, no ICMP errors, no word of the address a
 * packet was sent to, and no routing table. What is missing is guessed from the networks of the interfaces.
 *
 * @module
 */
import { createSocket, type Socket } from "node:dgram";
import "node:process"; // sets up the queue of ticks, without which a socket's callbacks may never be called
import {
  addressScope,
  type IpAddress,
  ipAddressOctets,
  isIpv4,
  type PacketTransmit,
  type Route,
} from "../protocol/net.ts";
import { StateError } from "../protocol/wire/errors.ts";
import { Errno, SctpError } from "./errno.ts";
import { LocalAddressCache } from "./local_addresses.ts";
import type { PacketDriver, PacketHandler } from "./packet_driver.ts";

/** Packets under way to the system at a time; more wait in the stack, which has its own order of them. */
const PACKETS_UNDER_WAY = 64;

/** Octets of the buffer that packets are built in. */
const BUFFER_BYTES = 65536;

/** What every Ethernet carries. Without the path's MTU a longer packet would be fragmented, or lost. */
const GUESSED_MTU = 1500;

/** Octets of the SCTP common header. */
const COMMON_HEADER_BYTES = 12;

/**
 * Opens the portable driver.
 *
 * @param handler takes packets; it never gets errors, since `node:dgram` tells of none
 */
export function openDgramDriver(handler: PacketHandler): PacketDriver {
  return new DgramDriver(handler);
}

/** The two sockets of a UDP port; a host without IPv6 has one. */
interface PortSockets {
  readonly inet: Socket | undefined;
  readonly inet6: Socket | undefined;
}

class DgramDriver implements PacketDriver {
  readonly raw = false;
  readonly encapsulation = "UDP (portable driver)";
  sendStalls = 0;
  readonly #handler: PacketHandler;
  readonly #addresses = new LocalAddressCache();
  readonly #ports = new Map<number, readonly PortSockets[]>();
  readonly #closing = new Set<Promise<void>>();
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  /** The addresses that the handler knows of. */
  #known: readonly IpAddress[];
  #underWay = 0;
  #owesWritable = false;
  #batch: ReturnType<typeof setImmediate> | undefined;
  #closed = false;

  constructor(handler: PacketHandler) {
    this.#handler = handler;
    this.#known = this.#addresses.addresses();
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
    const sockets: PortSockets[] = [];
    try {
      for (const udpPort of udpPorts) {
        const inet = this.#bind("udp4", port, udpPort);
        sockets.push({ inet, inet6: undefined });
        sockets.push({ inet: undefined, inet6: this.#bind("udp6", port, udpPort) });
      }
    } catch (error) {
      for (const pair of sockets) this.#closeSockets(pair);
      throw error;
    }
    this.#ports.set(port, sockets);
  }

  closePort(port: number): void {
    for (const pair of this.#ports.get(port) ?? []) this.#closeSockets(pair);
    this.#ports.delete(port);
  }

  /** Routes are asked for when a path fails, too: then it shows that addresses have changed. Nobody tells of it here. */
  route(destination: IpAddress): Route | undefined {
    const networks = this.#addresses.networks();
    this.#notice();
    const family = networks.filter(({ address }) => isIpv4(address) === isIpv4(destination));
    const source = family.find(({ address, prefixBits }) => samePrefix(address, destination, prefixBits)) ??
      family.find(({ address }) => addressScope(address) === "global") ??
      family.find(({ address }) => addressScope(address) === "site-local");
    return source === undefined ? undefined : { source: source.address, mtu: GUESSED_MTU };
  }

  localAddresses(): readonly IpAddress[] {
    return this.#addresses.addresses();
  }

  /** Only what interfaces show: the system says neither where packets went to, nor lets it be said where they come from. */
  hasAddress(address: IpAddress): boolean {
    return this.localAddresses().includes(address);
  }

  #notice(): void {
    const addresses = this.#addresses.addresses();
    if (addresses === this.#known) return;
    this.#known = addresses;
    setImmediate(() => this.#closed || this.#handler.addressesChanged?.());
  }

  nextBuffer(): Uint8Array | undefined {
    if (this.#underWay < PACKETS_UNDER_WAY) return this.#buffer;
    this.#owesWritable = true;
    this.sendStalls++;
    return undefined;
  }

  commit({ localPort, destination, udpPort, length }: PacketTransmit): void {
    const ipv4 = isIpv4(destination);
    const socket = this.#ports.get(localPort)?.map((pair) => ipv4 ? pair.inet : pair.inet6).find((one) =>
      one
    );
    if (socket === undefined || udpPort === 0) return;
    this.#underWay++;
    // The system reads the octets later, when the buffer holds another packet.
    socket.send(this.#buffer.slice(0, length), udpPort, destination, () => {
      this.#underWay--;
      if (!this.#owesWritable || this.#underWay > PACKETS_UNDER_WAY / 2) return;
      this.#owesWritable = false;
      this.#handler.writable();
    });
  }

  flush(): void {
    // Every packet is on its way already.
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const port of [...this.#ports.keys()]) this.closePort(port);
    if (this.#batch !== undefined) clearImmediate(this.#batch);
    this.#batch = undefined;
    await Promise.all(this.#closing);
  }

  #bind(type: "udp4" | "udp6", port: number, udpPort: number): Socket | undefined {
    const socket = createSocket({
      type,
      reuseAddr: false,
      ipv6Only: type === "udp6",
      // Addresses come as numbers. Answered at once, binding is done, or has failed, when bind() returns.
      lookup: (name, _options, callback) => callback(null, name, type === "udp4" ? 4 : 6),
    });
    let failure: (Error & { code?: string }) | undefined;
    const onError = (error: Error) => failure ??= error;
    socket.on("error", onError);
    socket.bind({ port: udpPort, address: type === "udp4" ? "0.0.0.0" : "::", exclusive: true });
    if (failure === undefined) {
      socket.on(
        "message",
        (packet, from) => this.#receive({ port, udpPort }, packet, from.address, from.port),
      );
      return socket;
    }
    if (type === "udp6" && failure.code !== "EADDRINUSE") return undefined; // no IPv6 here
    throw new SctpError(
      "bind",
      Errno[failure.code as keyof typeof Errno] ?? Errno.EIO,
      `Cannot open SCTP port ${port}: another program has it (or UDP port ${udpPort}, which stands for it on this ` +
        "host); stop that program or take another port",
    );
  }

  #receive(
    { port, udpPort: localUdpPort }: { readonly port: number; readonly udpPort: number },
    packet: Uint8Array,
    sourceText: string,
    udpPort: number,
  ): void {
    if (!this.#ports.has(port) || packet.length < COMMON_HEADER_BYTES) return;
    const source = sourceText as IpAddress;
    const destination = this.route(source)?.source;
    if (destination === undefined) return;
    // Not the Buffer itself: its slice() would be a view, where the stack wants a copy.
    const octets = new Uint8Array(packet.buffer, packet.byteOffset, packet.length);
    this.#handler.packet(octets, { source, destination, udpPort, localUdpPort });
    this.#batch ??= setImmediate(() => {
      this.#batch = undefined;
      this.#handler.endOfBatch();
    });
  }

  #closeSockets({ inet, inet6 }: PortSockets): void {
    for (const socket of [inet, inet6]) {
      if (socket === undefined) continue;
      const closed = new Promise<void>((resolve) => socket.close(() => resolve()));
      this.#closing.add(closed);
      closed.then(() => this.#closing.delete(closed));
    }
  }
}

/** Whether two addresses of a family share their first bits. */
function samePrefix(a: IpAddress, b: IpAddress, bits: number): boolean {
  const left = ipAddressOctets(a), right = ipAddressOctets(b);
  if (left === undefined || right === undefined || left.length !== right.length) return false;
  for (let bit = 0; bit < bits; bit += 8) {
    const mask = bits - bit >= 8 ? 0xff : 0xff << 8 - (bits - bit) & 0xff;
    if (((left[bit >> 3]! ^ right[bit >> 3]!) & mask) !== 0) return false;
  }
  return true;
}
