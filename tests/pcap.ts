/**
 * Packet captures for tests: reads pcap files down to SCTP user messages and UDP datagrams, and writes small ones for
 * tshark to judge. Only what the tests need: no pcapng, no IP fragments.
 *
 * @module
 */
import { formatIpAddress, type IpAddress, ipAddressOctets, Ppid } from "../protocol/net.ts";
import { Reader } from "../protocol/wire/reader.ts";
import { Writer } from "../protocol/wire/writer.ts";

const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_IPV6 = 0x86dd;
const IP_PROTOCOL_UDP = 17;
const IP_PROTOCOL_SCTP = 132;
const LINKTYPE_ETHERNET = 1;

/** Reads the layer-2 header of a link type and returns the Ethertype. */
const LINK_HEADERS: { readonly [linkType: number]: (frame: Reader) => number } = {
  [LINKTYPE_ETHERNET]: (frame) => {
    frame.skip(12, "Ethernet addresses");
    return frame.u16("Ethertype");
  },
  101: () => ETHERTYPE_IPV4, // raw IP: no header, and readIp looks at the version itself
  113: (frame) => { // Linux cooked
    frame.skip(14, "Linux cooked header");
    return frame.u16("protocol");
  },
  276: (frame) => { // Linux cooked, version 2
    const protocol = frame.u16("protocol");
    frame.skip(18, "Linux cooked header");
    return protocol;
  },
};

/** A packet of IPv4 or IPv6. */
export interface CapturedPacket {
  /** Number of the frame in the file, from 1 on, as Wireshark counts. */
  readonly frame: number;
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly protocol: number;
  readonly payload: Uint8Array;
}

/** A UDP datagram. */
export interface CapturedDatagram {
  readonly frame: number;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly data: Uint8Array;
}

/** A DATA chunk of SCTP (RFC 9260 §3.3.1). */
export interface CapturedChunk {
  readonly frame: number;
  /** Ports and verification tag: names one direction of an association, whatever path it took. */
  readonly flow: string;
  readonly tsn: number;
  readonly first: boolean;
  readonly last: boolean;
  readonly ppid: number;
  readonly data: Uint8Array;
}

/** A whole SCTP user message. */
export interface CapturedMessage {
  /** Frame of its first fragment. */
  readonly frame: number;
  readonly ppid: number;
  readonly data: Uint8Array;
}

/**
 * Reads a pcap file.
 *
 * @param octets the whole file
 * @returns its IP packets, in order; frames of other protocols are left out
 * @throws {Error} when the file is of another format, has a link type that is not known here, or is cut off
 */
export function readPcap(octets: Uint8Array): CapturedPacket[] {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  const little = [0xa1b2c3d4, 0xa1b23c4d].includes(view.getUint32(0, true));
  if (!little && ![0xa1b2c3d4, 0xa1b23c4d].includes(view.getUint32(0))) throw new Error("not a pcap file");
  const linkType = view.getUint32(20, little) & 0xffff;
  const readLinkHeader = LINK_HEADERS[linkType];
  if (readLinkHeader === undefined) throw new Error(`pcap link type ${linkType} is not supported`);
  const packets: CapturedPacket[] = [];
  let frame = 0;
  for (let offset = 24; offset < octets.length;) {
    const captured = view.getUint32(offset + 8, little);
    const original = view.getUint32(offset + 12, little);
    frame++;
    if (captured < original) throw new Error(`frame ${frame} is cut off in the capture`);
    const reader = new Reader(octets.subarray(offset + 16, offset + 16 + captured));
    const etherType = readLinkHeader(reader);
    if (etherType === ETHERTYPE_IPV4 || etherType === ETHERTYPE_IPV6) packets.push(readIp(reader, frame));
    offset += 16 + captured;
  }
  return packets;
}

function readIp(reader: Reader, frame: number): CapturedPacket {
  const versionAndLength = reader.u8("IP version");
  if (versionAndLength >>> 4 === 6) {
    reader.skip(3, "traffic class and flow label");
    const length = reader.u16("payload length");
    const protocol = reader.u8("next header");
    reader.skip(1, "hop limit");
    const source = formatIpAddress(reader.view(16, "source"));
    const destination = formatIpAddress(reader.view(16, "destination"));
    return { frame, source, destination, protocol, payload: reader.bytes(length, "payload") };
  }
  const headerLength = (versionAndLength & 15) * 4;
  reader.skip(1, "type of service");
  const length = reader.u16("total length");
  reader.skip(2, "identification");
  if ((reader.u16("fragment") & 0x3fff) !== 0) throw new Error(`frame ${frame} is an IP fragment`);
  reader.skip(1, "time to live");
  const protocol = reader.u8("protocol");
  reader.skip(2, "header checksum");
  const source = formatIpAddress(reader.view(4, "source"));
  const destination = formatIpAddress(reader.view(4, "destination"));
  reader.skip(headerLength - 20, "IP options");
  return { frame, source, destination, protocol, payload: reader.bytes(length - headerLength, "payload") };
}

/** The UDP datagrams among packets. */
export function udpDatagrams(packets: readonly CapturedPacket[]): CapturedDatagram[] {
  return packets.filter(({ protocol }) => protocol === IP_PROTOCOL_UDP).map(({ frame, payload }) => {
    const reader = new Reader(payload);
    const sourcePort = reader.u16("source port");
    const destinationPort = reader.u16("destination port");
    const length = reader.u16("length");
    reader.skip(2, "checksum");
    return { frame, sourcePort, destinationPort, data: reader.bytes(length - 8, "data") };
  });
}

/** The DATA chunks among packets, retransmissions included. */
export function sctpDataChunks(packets: readonly CapturedPacket[]): CapturedChunk[] {
  return packets.filter(({ protocol }) => protocol === IP_PROTOCOL_SCTP).flatMap(({ frame, payload }) => {
    const reader = new Reader(payload);
    const flow = reader.view(8, "ports and verification tag").toHex();
    reader.skip(4, "checksum");
    const chunks: CapturedChunk[] = [];
    while (reader.remaining >= 4) {
      const type = reader.u8("chunk type");
      const flags = reader.u8("chunk flags");
      const value = reader.sub(reader.u16("chunk length") - 4, "chunk value");
      reader.skipPadding();
      if (type !== 0) continue;
      const tsn = value.u32("TSN");
      value.skip(4, "stream identifier and sequence number");
      const ppid = value.u32("PPID");
      const data = value.bytes(value.remaining, "user data");
      chunks.push({ frame, flow, tsn, first: (flags & 2) !== 0, last: (flags & 1) !== 0, ppid, data });
    }
    return chunks;
  });
}

/** The user messages that DATA chunks make up; each once, however often it was sent. Incomplete ones are left out. */
export function sctpMessages(chunks: readonly CapturedChunk[]): CapturedMessage[] {
  const byTsn = new Map<string, CapturedChunk>();
  for (const chunk of chunks) {
    const key = `${chunk.flow} ${chunk.tsn}`;
    if (!byTsn.has(key)) byTsn.set(key, chunk);
  }
  const messages: CapturedMessage[] = [];
  for (const { first, frame, flow, ppid, tsn } of byTsn.values()) {
    if (!first) continue;
    const data = new Writer();
    for (let next = tsn;; next = (next + 1) >>> 0) {
      const chunk = byTsn.get(`${flow} ${next}`);
      if (chunk === undefined) break;
      data.bytes(chunk.data);
      if (!chunk.last) continue;
      messages.push({ frame, ppid, data: data.finish() });
      break;
    }
  }
  return messages;
}

/** A message for {@linkcode writePcap}: over SCTP with its PPID or as a chunk, over UDP to this port, or over IP itself. */
export type MessageToWrite =
  | { readonly ppid: number; readonly data: Uint8Array }
  | { readonly chunk: Uint8Array }
  | { readonly ipProtocol: number; readonly data: Uint8Array }
  | { readonly udpPort: number; readonly data: Uint8Array };

const SOURCE: IpAddress = "10.1.0.1";
const DESTINATION: IpAddress = "10.1.0.2";
const SCTP_PORT = 5001;

/**
 * Writes messages as a pcap file: Ethernet, IPv4, one packet a message with all checksums right.
 *
 * @param messages each short enough for an IP packet
 * @returns the file
 */
export function writePcap(messages: readonly MessageToWrite[]): Uint8Array {
  const file = new Writer(65536);
  file.u32(0xa1b2c3d4);
  file.u16(2);
  file.u16(4);
  file.u32(0);
  file.u32(0);
  file.u32(65535);
  file.u32(LINKTYPE_ETHERNET);
  messages.forEach((message, i) => {
    const frame = ethernetFrame(...ipPayload(message, i));
    file.u32(i);
    file.u32(0);
    file.u32(frame.length);
    file.u32(frame.length);
    file.bytes(frame);
  });
  return file.finish();
}

/** The protocol of IP, and what it carries. */
function ipPayload(message: MessageToWrite, number: number): [protocol: number, payload: Uint8Array] {
  if ("udpPort" in message) return [IP_PROTOCOL_UDP, udpPacket(message.udpPort, message.data)];
  if ("ipProtocol" in message) return [message.ipProtocol, message.data];
  if ("chunk" in message) return [IP_PROTOCOL_SCTP, sctpPacket(SCTP_PORT, message.chunk)];
  const { ppid, data } = message;
  return [IP_PROTOCOL_SCTP, sctpPacket(ppid === Ppid.enrp ? 9901 : 3863, dataChunk(ppid, data, number))];
}

function ethernetFrame(protocol: number, payload: Uint8Array): Uint8Array {
  const frame = new Writer();
  frame.bytes(Uint8Array.of(2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1));
  frame.u16(ETHERTYPE_IPV4);
  const header = new Writer(20);
  header.u16(0x4500);
  header.u16(20 + payload.length);
  header.u32(0x00004000); // do not fragment
  header.u8(64);
  header.u8(protocol);
  header.u16(0);
  header.bytes(ipAddressOctets(SOURCE)!);
  header.bytes(ipAddressOctets(DESTINATION)!);
  header.patchU16(10, internetChecksum(header.finish()));
  frame.bytes(header.finish());
  frame.bytes(payload);
  return frame.finish();
}

function udpPacket(port: number, data: Uint8Array): Uint8Array {
  const packet = new Writer();
  packet.u16(SCTP_PORT);
  packet.u16(port);
  packet.u16(8 + data.length);
  packet.u16(0); // no checksum
  packet.bytes(data);
  return packet.finish();
}

function dataChunk(ppid: number, data: Uint8Array, number: number): Uint8Array {
  const chunk = new Writer();
  chunk.u16(0x0003); // DATA, first and last fragment
  chunk.u16(16 + data.length);
  chunk.u32(1000 + number);
  chunk.u16(0);
  chunk.u16(number);
  chunk.u32(ppid);
  chunk.bytes(data);
  return chunk.finish();
}

function sctpPacket(destinationPort: number, chunk: Uint8Array): Uint8Array {
  const packet = new Writer();
  packet.u16(SCTP_PORT);
  packet.u16(destinationPort);
  packet.u32(0x12345678);
  packet.u32(0);
  packet.bytes(chunk);
  packet.pad();
  const octets = packet.finish();
  new DataView(octets.buffer).setUint32(8, crc32c(octets), true); // RFC 9260 appendix A: least octet first
  return octets;
}

function internetChecksum(octets: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < octets.length; i += 2) sum += octets[i]! << 8 | octets[i + 1]!;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** Bit by bit, so that it shares nothing with the stack's own. */
function crc32c(octets: Uint8Array): number {
  let crc = 0xffffffff;
  for (const octet of octets) {
    crc ^= octet;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >>> 1 ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}
