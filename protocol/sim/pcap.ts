import { type Instant, type IpAddress, ipAddressOctets, isIpv4 } from "../net.ts";
import { Writer } from "../wire/writer.ts";
import { assert } from "../wire/assert.ts";
import { headerLength, type SimulatedPacket } from "./packet.ts";

const LINKTYPE_RAW = 101;
const PROTOCOL_SCTP = 132;
const PROTOCOL_UDP = 17;
/** Longest capture kept, in packets: a forgotten recorder must not eat the memory of a long soak. */
const MAX_PACKETS = 1_000_000;

/**
 * Writes what a simulated network carried as a pcap file, IP and UDP headers included, for tshark and Wireshark.
 * Virtual time 0 is the epoch.
 */
export class PcapRecorder {
  readonly #writer: Writer = new Writer(65_536);
  #packets = 0;

  constructor() {
    const writer = this.#writer;
    writer.u32(0xa1b2c3d4);
    writer.u16(2);
    writer.u16(4);
    writer.u32(0);
    writer.u32(0);
    writer.u32(65_535);
    writer.u32(LINKTYPE_RAW);
  }

  /** Records a packet. Ignored when a million are recorded already. */
  record(packet: SimulatedPacket, at: Instant): void {
    if (this.#packets++ >= MAX_PACKETS) return;
    const writer = this.#writer;
    const length = packet.octets.length + headerLength(packet);
    writer.u32(Math.floor(at / 1000));
    writer.u32(Math.floor(at % 1000 * 1000));
    writer.u32(length);
    writer.u32(length);
    const start = writer.length;
    writeIpHeader(writer, packet, length);
    if (packet.udpDestination !== 0) writer.bytes(udpHeader(packet));
    writer.bytes(packet.octets);
    assert(writer.length - start === length, "a recorded packet is as long as its headers say");
  }

  /** The file so far. */
  finish(): Uint8Array {
    return this.#writer.finish();
  }
}

function writeIpHeader(writer: Writer, packet: SimulatedPacket, length: number): void {
  const protocol = packet.udpDestination === 0 ? PROTOCOL_SCTP : PROTOCOL_UDP;
  if (isIpv4(packet.source)) {
    const header = new Writer(20);
    header.u32(0x4500_0000 + length);
    header.u32(0x0000_4000); // don't fragment
    header.u8(64);
    header.u8(protocol);
    header.u16(0);
    header.bytes(addressOctets(packet.source));
    header.bytes(addressOctets(packet.destination));
    header.patchU16(10, internetChecksum(header.finish()));
    writer.bytes(header.finish());
  } else {
    writer.u32(0x6000_0000);
    writer.u16(length - 40);
    writer.u8(protocol);
    writer.u8(64);
    writer.bytes(addressOctets(packet.source));
    writer.bytes(addressOctets(packet.destination));
  }
}

/** A UDP header with its checksum, which IPv6 demands (RFC 6951 §4.4 would let it be zero, RFC 8200 §8.1 not). */
function udpHeader(packet: SimulatedPacket): Uint8Array {
  const length = 8 + packet.octets.length;
  const pseudo = new Writer(64 + packet.octets.length);
  pseudo.bytes(addressOctets(packet.source));
  pseudo.bytes(addressOctets(packet.destination));
  pseudo.u32(length);
  pseudo.u32(PROTOCOL_UDP);
  pseudo.u16(packet.udpSource);
  pseudo.u16(packet.udpDestination);
  pseudo.u16(length);
  pseudo.u16(0);
  const headerEnd = pseudo.length;
  pseudo.bytes(packet.octets);
  pseudo.pad();
  const checksum = internetChecksum(pseudo.finish());
  pseudo.patchU16(headerEnd - 2, checksum === 0 ? 0xffff : checksum);
  return pseudo.finish().slice(headerEnd - 8, headerEnd);
}

function addressOctets(address: IpAddress): Uint8Array {
  const octets = ipAddressOctets(address);
  assert(octets !== undefined, "a simulated packet has proper addresses");
  return octets;
}

function internetChecksum(octets: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < octets.length; i += 2) sum += octets[i]! << 8 | octets[i + 1]!;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
