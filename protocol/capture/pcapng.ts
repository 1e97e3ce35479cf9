/**
 * The capture format of Wireshark and tcpdump, as far as a program needs it that writes one section with one interface
 * (draft-ietf-opsawg-pcapng): section header, interface description, enhanced packets. All numbers are big-endian.
 */
import { assert } from "../wire/assert.ts";
import { encodeText } from "../wire/text.ts";
import { Writer } from "../wire/writer.ts";

/** What stands at the head of a capture. */
export interface CaptureHeader {
  /** Name and version of the program that captures. */
  readonly program: string;
  /** Name and release of the system it runs on; undefined = there is none, as in a simulation. */
  readonly operatingSystem?: string | undefined;
  /** A name for what is captured from, in the place of an interface's. */
  readonly interfaceName: string;
  /** More about it. */
  readonly interfaceDescription?: string | undefined;
  /** For whoever opens the file. */
  readonly comment?: string | undefined;
}

/** One packet of a capture. */
export interface CaptureRecord {
  /** The packet, IP header first: see `ipPacket`. */
  readonly packet: Uint8Array;
  /** When it passed, in milliseconds since 1970-01-01 UTC. Microseconds of it are kept. */
  readonly epochMs: number;
  readonly direction: "sent" | "received" | undefined;
  /** Shown with the packet. */
  readonly comment?: string | undefined;
}

const Block = { section: 0x0a0d0d0a, interface: 1, packet: 6 } as const;

const EndOfOptions = 0, Comment = 1;
const SectionOption = { operatingSystem: 3, program: 4 } as const;
const InterfaceOption = { name: 2, description: 3 } as const;
const PacketOption = { flags: 2 } as const;

/** Bits 0 and 1 of a packet's flags. */
const DIRECTION = { received: 1, sent: 2 } as const;

/** Says in which order the octets of numbers come. */
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;

/** Packets begin with their IP header, of either version. */
const LINKTYPE_RAW = 101;

/** The longest text of an option that is kept; its length has 16 bits. */
const MAX_TEXT_BYTES = 65_000;

/**
 * The head of a capture file; packets follow it.
 *
 * @example A capture with one packet
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const head = captureHeader({ program: "example 1.0", interfaceName: "example" });
 * const packet = captureRecord({ packet: Uint8Array.of(0x45), epochMs: 0, direction: "sent" });
 * assert.equal(head.subarray(0, 4).toHex(), "0a0d0d0a");
 * assert.equal(packet.length % 4, 0);
 * ```
 */
export function captureHeader(header: CaptureHeader): Uint8Array {
  const writer = new Writer();
  writeBlock(writer, Block.section, (w) => {
    w.u32(BYTE_ORDER_MAGIC);
    w.u16(1); // version 1.0
    w.u16(0);
    w.u64(0xffff_ffff_ffff_ffffn); // the section is as long as the file
    writeText(w, Comment, header.comment);
    writeText(w, SectionOption.operatingSystem, header.operatingSystem);
    writeText(w, SectionOption.program, header.program);
    w.u32(EndOfOptions);
  });
  writeBlock(writer, Block.interface, (w) => {
    w.u16(LINKTYPE_RAW);
    w.u16(0);
    w.u32(0); // packets are never cut
    writeText(w, InterfaceOption.name, header.interfaceName);
    writeText(w, InterfaceOption.description, header.interfaceDescription);
    w.u32(EndOfOptions);
  });
  return writer.finish();
}

/** One packet, to be put behind the head and the packets before it. */
export function captureRecord({ packet, epochMs, direction, comment }: CaptureRecord): Uint8Array {
  const writer = new Writer(packet.length + 128);
  const microseconds = Math.round(epochMs * 1000);
  writeBlock(writer, Block.packet, (w) => {
    w.u32(0); // the only interface
    w.u32(Math.floor(microseconds / 0x1_0000_0000));
    w.u32(microseconds % 0x1_0000_0000);
    w.u32(packet.length);
    w.u32(packet.length);
    w.bytes(packet);
    w.pad();
    if (direction === undefined && comment === undefined) return; // options may be left out
    writeText(w, Comment, comment);
    if (direction !== undefined) {
      writeOption(w, PacketOption.flags, Uint8Array.of(0, 0, 0, DIRECTION[direction]));
    }
    w.u32(EndOfOptions);
  });
  return writer.finish();
}

/** Type, total length, body, total length again: so that a reader can go backwards, too. */
function writeBlock(writer: Writer, type: number, writeBody: (writer: Writer) => void): void {
  const start = writer.length;
  writer.u32(type);
  writer.u32(0);
  writeBody(writer);
  const length = writer.length - start + 4;
  assert(length % 4 === 0, "a block ends on a multiple of four octets");
  writer.patchU16(start + 4, length >>> 16);
  writer.patchU16(start + 6, length & 0xffff);
  writer.u32(length);
}

/** An option's length leaves out its own header, unlike that of a TLV of RFC 5354. */
function writeOption(writer: Writer, code: number, value: Uint8Array): void {
  writer.u16(code);
  writer.u16(value.length);
  writer.bytes(value);
  writer.pad();
}

function writeText(writer: Writer, code: number, text: string | undefined): void {
  if (text === undefined) return;
  const octets = encodeText(text);
  if (octets.length <= MAX_TEXT_BYTES) return writeOption(writer, code, octets);
  let end = MAX_TEXT_BYTES;
  while ((octets[end]! & 0xc0) === 0x80) end--; // not within a character
  writeOption(writer, code, octets.subarray(0, end));
}
