import { assert, DecodeError, encodeText, Reader, showText, Writer } from "../wire/mod.ts";
import type { ComponentId } from "./component_id.ts";

/** Where monitors listen (UDP). */
export const CSP_PORT = 2960;

/** The only version there is. */
const VERSION = 0x0000_0200;

/** The only message there is. */
const REPORT_TYPE = 0x01;

/** Flag of a component's last report. */
const FINAL_FLAG = 0x01;

/** Octets of the location and of the status text. */
const TEXT_LENGTH = 128;

/** Octets before the associations, and of each of them. */
const HEADER_LENGTH = 288, ASSOCIATION_LENGTH = 24;

/** The field says that there is no workload. */
const NO_WORKLOAD = 0xffff;

/** The field of a fully loaded component. */
const FULL_WORKLOAD = 0xfffe;

/** The field says that the duration is not known. */
const NO_DURATION = 0xffff_ffff_ffff_ffffn;

/** More would not fit into a datagram. */
export const MAX_CSP_ASSOCIATIONS: number = Math.floor((65_507 - HEADER_LENGTH) / ASSOCIATION_LENGTH);

/** IP protocol number of SCTP. */
export const SCTP_PROTOCOL = 132;

/** What a component is connected with. */
export interface ComponentAssociation {
  /** The other component. */
  readonly receiver: ComponentId;
  /** How long it lasts, in microseconds; undefined = not known. */
  readonly durationUs: bigint | undefined;
  /** Number of the protocol over IP. */
  readonly protocol: number;
  /** What is spoken over it: SCTP's payload protocol identifier. */
  readonly ppid: number;
}

/**
 * A report of the Component Status Protocol (reference/rsplib.md §5.1), one UDP datagram:
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +-------------------------------+-------------------------------+
 *     |    Type = 1   |    Flags    |F|            Length             |
 *     +---------------------------------------------------------------+
 *     |                      Version = 0x00000200                     |
 *     +---------------------------------------------------------------+
 *     |                       Sender (64 bits)                        |
 *     +---------------------------------------------------------------+
 *     |              Time since the first report (64 bits)            |
 *     +---------------------------------------------------------------+
 *     |                        Report interval                        |
 *     +---------------------------------------------------------------+
 *     |                     Location (128 octets)                     |
 *     +---------------------------------------------------------------+
 *     |                      Status (128 octets)                      |
 *     +-------------------------------+-------------------------------+
 *     |           Workload            |    Number of associations     |
 *     +-------------------------------+-------------------------------+
 *     | Associations: receiver (64), duration (64), flags, protocol, PPID
 *
 * Times are in microseconds.
 */
export interface ComponentReport {
  /** Who reports. */
  readonly sender: ComponentId;
  /** The component ends. */
  readonly isFinal: boolean;
  /** Microseconds since its first report. */
  readonly uptimeUs: bigint;
  /** When the next report is to be expected: microseconds. */
  readonly intervalUs: number;
  /** Host and addresses. Longer than 127 octets it is cut. */
  readonly location: string;
  /** In words. Longer than 127 octets it is cut. */
  readonly status: string;
  /** 0 to 1; undefined = the component has none. */
  readonly workload: number | undefined;
  /** At most {@linkcode MAX_CSP_ASSOCIATIONS}. */
  readonly associations: readonly ComponentAssociation[];
}

/** A report as octets. */
export function writeComponentReport(report: ComponentReport): Uint8Array {
  const { associations, workload } = report;
  assert(associations.length <= MAX_CSP_ASSOCIATIONS, "a report fits into a datagram");
  const length = HEADER_LENGTH + ASSOCIATION_LENGTH * associations.length;
  const writer = new Writer(length);
  writer.u8(REPORT_TYPE);
  writer.u8(report.isFinal ? FINAL_FLAG : 0);
  writer.u16(length);
  writer.u32(VERSION);
  writer.u64(report.sender);
  writer.u64(report.uptimeUs);
  writer.u32(report.intervalUs);
  writer.bytes(textField(report.location));
  writer.bytes(textField(report.status));
  writer.u16(
    workload === undefined ? NO_WORKLOAD : Math.round(Math.min(Math.max(workload, 0), 1) * FULL_WORKLOAD),
  );
  writer.u16(associations.length);
  for (const { receiver, durationUs, protocol, ppid } of associations) {
    writer.u64(receiver);
    writer.u64(durationUs ?? NO_DURATION);
    writer.u16(0);
    writer.u16(protocol);
    writer.u32(ppid);
  }
  return writer.finish();
}

/**
 * Reads a report. The length field is not looked at, as RSPLIB's monitor does not: the datagram has a length of its own.
 *
 * @throws {DecodeError} when it is another type or version, or its length is not that of its associations
 */
export function readComponentReport(octets: Uint8Array): ComponentReport {
  const reader = new Reader(octets);
  const type = reader.u8("type");
  if (type !== REPORT_TYPE) throw new DecodeError("unknown-type", `type ${type} is no report`, 0);
  const flags = reader.u8("flags");
  reader.u16("length");
  const version = reader.u32("version");
  if (version !== VERSION) {
    throw new DecodeError("bad-value", `version 0x${version.toString(16)} is not known`, 4);
  }
  const sender = reader.u64("sender"), uptimeUs = reader.u64("time stamp");
  const intervalUs = reader.u32("report interval");
  const location = textOf(reader.view(TEXT_LENGTH, "location"));
  const status = textOf(reader.view(TEXT_LENGTH, "status"));
  const workload = reader.u16("workload"), count = reader.u16("number of associations");
  const associations: ComponentAssociation[] = [];
  for (let index = 0; index < count; index++) associations.push(readAssociation(reader));
  if (reader.remaining > 0) {
    throw new DecodeError(
      "bad-length",
      `${reader.remaining} octets behind the last association`,
      reader.offset,
    );
  }
  return {
    sender,
    isFinal: (flags & FINAL_FLAG) !== 0,
    uptimeUs,
    intervalUs,
    location,
    status,
    workload: workload === NO_WORKLOAD ? undefined : workload / FULL_WORKLOAD,
    associations,
  };
}

function readAssociation(reader: Reader): ComponentAssociation {
  const receiver = reader.u64("receiver"), duration = reader.u64("duration");
  reader.u16("flags");
  const protocol = reader.u16("protocol"), ppid = reader.u32("PPID");
  return { receiver, durationUs: duration === NO_DURATION ? undefined : duration, protocol, ppid };
}

/** A text in its field: cut between two characters, with at least one zero behind it. */
function textField(text: string): Uint8Array {
  const field = new Uint8Array(TEXT_LENGTH);
  const octets = encodeText(text);
  let length = Math.min(octets.length, TEXT_LENGTH - 1);
  while (length < octets.length && length > 0 && (octets[length]! & 0xc0) === 0x80) length--;
  field.set(octets.subarray(0, length));
  return field;
}

/** Up to the first zero. What is not printable ASCII comes out as `\x1b`, so that it may go to a terminal. */
function textOf(field: Uint8Array): string {
  const end = field.indexOf(0);
  return showText(end < 0 ? field : field.subarray(0, end));
}
