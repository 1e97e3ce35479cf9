/**
 * A stranger who sends hostile packets to a PC of the laboratory, as fast as they go: forged and mutated SCTP packets
 * over IP and over UDP, with the addresses and ports of a running association or with made-up ones, and forged ICMP
 * messages. It does not know the verification tag. Options as JSON in the only argument; the same seed sends the same
 * packets.
 */
import { leaseLibc } from "../../ffi/libc.ts";
import { AddressFamily, writeSockaddr } from "../../ffi/sockaddr.ts";
import { MessageSlots, SocketType } from "../../ffi/structs.ts";
import { Prng } from "../../protocol/machine.ts";
import { ipAddressOctets } from "../../protocol/net.ts";
import { encapsulationPort } from "../../protocol/sctp/mod.ts";
import { putChecksum } from "../../protocol/sctp/crc32c.ts";

/** Whom to disturb, and how. */
export interface HostileTask {
  /** IPv4 addresses and SCTP ports of the association's two ends; packets go to the victim in the peer's name. */
  readonly victim: string;
  readonly victimPort: number;
  readonly peer: string;
  readonly peerPort: number;
  /** A network of which other senders are made up: the first two octets of their addresses. */
  readonly strangers: string;
  readonly count: number;
  readonly seed: number;
}

/** IPPROTO_RAW: the sender writes the IP header, so that any source address goes. */
const RAW_IP = 255;
const IP_HEADER = 20, UDP_HEADER = 8, SCTP_HEADER = 12;
const BATCH = 32, LONGEST = 1500;

/** Writes one packet of random kind, IP header included. */
class Forger {
  readonly #task: HostileTask;
  readonly #random: Prng;

  constructor(task: HostileTask) {
    this.#task = task;
    this.#random = new Prng(task.seed);
  }

  /** @returns the packet's length */
  write(packet: Uint8Array): number {
    const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
    const inPeersName = this.#chance(0.6);
    const source = inPeersName ? this.#task.peer : this.#stranger();
    const kind = this.#below(10);
    let end: number;
    if (kind === 0) {
      packet[9] = 1; // ICMP
      end = this.#writeIcmp(packet, view);
    } else if (kind < 5) {
      packet[9] = 17; // UDP
      const at = IP_HEADER + UDP_HEADER;
      end = this.#writeSctp(packet, view, at, inPeersName);
      view.setUint16(IP_HEADER, this.#chance(0.5) ? encapsulationPort(this.#task.peerPort) : this.#word16());
      view.setUint16(IP_HEADER + 2, encapsulationPort(this.#task.victimPort));
      view.setUint16(IP_HEADER + 4, end - IP_HEADER);
      view.setUint16(IP_HEADER + 6, 0); // no checksum
    } else {
      packet[9] = 132; // SCTP
      end = this.#writeSctp(packet, view, IP_HEADER, inPeersName);
    }
    view.setUint16(0, 0x4500);
    view.setUint16(2, end);
    view.setUint32(4, 0);
    packet[8] = 64;
    view.setUint16(10, 0); // the kernel fills it in
    packet.set(ipAddressOctets(source)!, 12);
    packet.set(ipAddressOctets(this.#task.victim)!, 16);
    return end;
  }

  #writeSctp(packet: Uint8Array, view: DataView, start: number, inPeersName: boolean): number {
    const { peerPort, victimPort } = this.#task;
    view.setUint16(start, inPeersName || this.#chance(0.3) ? peerPort : this.#word16());
    view.setUint16(start + 2, this.#chance(0.95) ? victimPort : this.#word16());
    view.setUint32(start + 4, this.#chance(0.3) ? 0 : this.#word32());
    view.setUint32(start + 8, 0);
    let at = start + SCTP_HEADER;
    for (let chunks = 1 + this.#below(4); chunks > 0 && at < LONGEST - 300; chunks--) {
      at = this.#writeChunk(packet, view, at);
    }
    for (let flips = this.#chance(0.5) ? this.#below(8) : 0; flips > 0; flips--) {
      const where = start + SCTP_HEADER + this.#below(Math.max(1, at - start - SCTP_HEADER));
      packet[where] = this.#below(256);
    }
    if (this.#chance(0.1)) at = Math.max(start + 1, at - this.#below(40)); // cut short
    const length = at - start;
    if (length >= SCTP_HEADER && this.#chance(0.9)) {
      putChecksum(new DataView(packet.buffer), packet.byteOffset + start, length);
    }
    return at;
  }

  /** A chunk that is right but for what is random in it, of each type that there is. */
  #writeChunk(packet: Uint8Array, view: DataView, at: number): number {
    const type = this.#chance(0.9) ? this.#below(16) : this.#below(256);
    const start = at;
    packet[at] = type;
    packet[at + 1] = this.#chance(0.5) ? 0 : this.#below(256);
    at += 4;
    const fixed = [16, 16, 16, 12, 8, 8, 4, 4, 0, 4, 100, 0, 4, 4, 0, 4][type] ?? this.#below(64);
    for (let i = 0; i < fixed; i++) packet[at++] = this.#below(256);
    if (type === 1 || type === 2) at = this.#writeParameters(packet, view, at);
    const length = at - start;
    const lie = this.#chance(0.05) ? this.#below(70_000) & 0xffff : length;
    view.setUint16(start + 2, lie);
    while ((at & 3) !== 0) packet[at++] = 0;
    return at;
  }

  /** Addresses of third parties, cookies, and what nobody has heard of. */
  #writeParameters(packet: Uint8Array, view: DataView, at: number): number {
    for (let count = this.#below(8); count > 0; count--) {
      const [type = 0, octets = 0] = [[5, 4], [6, 16], [7, 64], [9, 4], [11, 32], [12, 4], [
        this.#word16(),
        12,
      ]][
        this.#below(7)
      ]!;
      view.setUint16(at, type);
      view.setUint16(at + 2, 4 + octets);
      for (let i = 0; i < octets; i++) packet[at + 4 + i] = this.#below(256);
      at += 4 + octets;
    }
    return at;
  }

  /** "Unreachable" or "too big", about a packet that the victim could have sent, but with another tag. */
  #writeIcmp(packet: Uint8Array, view: DataView): number {
    const { victim, victimPort, peer, peerPort } = this.#task;
    let at = IP_HEADER;
    view.setUint32(at, 3 << 24 | [1, 2, 3, 13][this.#below(4)]! << 16);
    view.setUint32(at + 4, 0);
    const quoted = at + 8;
    view.setUint16(quoted, 0x4500);
    view.setUint16(quoted + 2, 100);
    view.setUint32(quoted + 4, 0);
    const overUdp = this.#chance(0.5);
    view.setUint32(quoted + 8, 64 << 24 | (overUdp ? 17 : 132) << 16);
    packet.set(ipAddressOctets(victim)!, quoted + 12);
    packet.set(ipAddressOctets(peer)!, quoted + 16);
    at = quoted + IP_HEADER;
    if (overUdp) {
      view.setUint16(at, encapsulationPort(victimPort));
      view.setUint16(at + 2, encapsulationPort(peerPort));
      view.setUint32(at + 4, 80 << 16);
      at += UDP_HEADER;
    }
    view.setUint16(at, victimPort);
    view.setUint16(at + 2, peerPort);
    view.setUint32(at + 4, this.#word32());
    view.setUint32(at + 8, 0);
    at += 8 + 4 * this.#below(2); // sometimes no more than ICMP promises
    let sum = 0;
    view.setUint16(IP_HEADER + 2, 0);
    for (let i = IP_HEADER; i < at; i += 2) sum += view.getUint16(i);
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
    view.setUint16(IP_HEADER + 2, ~sum & 0xffff);
    return at;
  }

  #stranger(): string {
    return `${this.#task.strangers}.${this.#below(256)}.${1 + this.#below(254)}`;
  }

  #below(limit: number): number {
    return this.#random.below(limit);
  }
  #chance(probability: number): boolean {
    return this.#random.below(1000) < probability * 1000;
  }
  #word16(): number {
    return this.#random.below(0x1_0000);
  }
  #word32(): number {
    return this.#random.below(0x1_0000_0000);
  }
}

/** Sends all of it. @returns how many packets the kernel took */
async function disturb(task: HostileTask): Promise<number> {
  using libc = leaseLibc();
  const { socket, sendmmsg, close } = libc.symbols;
  const fd = socket(AddressFamily.inet, SocketType.raw, RAW_IP);
  if (fd < 0) throw new Error("Cannot forge packets: no raw socket");
  const slots = new MessageSlots(BATCH, { data: 2048, name: 28, control: 8 });
  const forger = new Forger(task);
  let taken = 0;
  for (let left = task.count; left > 0; left -= BATCH) {
    for (let slot = 0; slot < BATCH; slot++) {
      const length = forger.write(slots.data[slot]!);
      const name = writeSockaddr(slots.names, slots.nameOffset(slot), task.victim, 0);
      slots.prepareSend(slot, length, name, 0);
    }
    for (let from = 0; from < BATCH;) {
      const sent = sendmmsg(fd, slots.pointer(from), BATCH - from, 0);
      taken += Math.max(0, sent);
      from += Math.max(1, sent); // what the kernel refuses is not sent
    }
    await new Promise((resolve) => setImmediate(resolve)); // the machine has others to serve
  }
  close(fd);
  return taken;
}

if (import.meta.main) {
  const sent = await disturb(JSON.parse(Deno.args[0]!));
  Deno.stdout.writeSync(new TextEncoder().encode(`sent ${sent} packets\n`));
}
