/**
 * Socket options of kernel SCTP between fields by name and the octets of their structures.
 *
 * @module
 */
import {
  type IpAddress,
  parseIpAddress,
  SOCKET_OPTION_WORDS,
  SOCKET_OPTIONS,
  SocketOptionError,
  type SocketOptionField,
  type SocketOptionName,
  type SocketOptionValue,
  type SocketOptionWords,
} from "../protocol/net.ts";
import {
  type FieldLayout,
  type NumberLayout,
  OPTION_LAYOUTS,
  type OptionLayout,
} from "./kernel_option_layout.ts";
import { AddressFamily, encodeSockaddr, readSockaddrAddress } from "./sockaddr.ts";

/** What an option is about, as the kernel has it. */
export interface KernelTarget {
  /** The kernel's ID of the association; 0 = associations to come. */
  readonly kernelId: number;
  /** One path. */
  readonly address?: IpAddress | undefined;
  /** Port that goes with addresses: the peer's, or with an address of this side, its own. */
  readonly port: number;
  readonly stream?: number | undefined;
}

/** Lists are read with this much room behind the structure: there are 256 chunk types and a handful of HMACs. */
const TAIL_ROOM_BYTES = 1024;
/** Longest list or key that is written, in octets: more does not fit into the kernel's parameters (16-bit lengths). */
const TAIL_LIMIT_BYTES = 0xffff - 8;
/** The largest number of each kind. */
const LIMITS: Readonly<Record<NumberLayout, number>> = {
  u8: 0xff,
  u16: 0xffff,
  be16: 0xffff,
  u32: 0xffff_ffff,
  u64: Number.MAX_SAFE_INTEGER,
};

/** The layout of an option that is one structure. */
export function layoutOf(name: SocketOptionName): OptionLayout {
  const layout = OPTION_LAYOUTS[name];
  if (layout === undefined) {
    throw new SocketOptionError("ENOPROTOOPT", `Cannot use ${name} of the kernel by one call`);
  }
  return layout;
}

/** The structure that asks for an option: the target, and room for the answer. */
export function encodeQuestion(layout: OptionLayout, target: KernelTarget): DataView<ArrayBuffer> {
  const octets = new Uint8Array(layout.bytes + (layout.tail === undefined ? 0 : TAIL_ROOM_BYTES));
  const view = new DataView(octets.buffer);
  if (layout.id !== undefined) view.setInt32(layout.id, target.kernelId, true);
  if (layout.stream !== undefined) view.setUint16(layout.stream, target.stream ?? 0, true);
  if (layout.address !== undefined) {
    if (target.address === undefined) view.setUint16(layout.address, AddressFamily.inet, true); // the wildcard
    else octets.set(encodeSockaddr({ address: target.address, port: target.port }), layout.address);
  }
  return view;
}

/** The fields of an option out of what the kernel answered. */
export function decodeOption(name: SocketOptionName, view: DataView): SocketOptionValue {
  const layout = layoutOf(name), kinds = SOCKET_OPTIONS[name].fields;
  const value: Record<string, number | boolean | string | readonly number[] | undefined> = {};
  for (const [field, place] of Object.entries(layout.fields)) {
    value[field] = decodeField(kinds[field] ?? "number", place, view);
  }
  if (layout.tail !== undefined) {
    const { field, at, as, count } = layout.tail;
    const size = as === "u8" ? 1 : 2;
    const length = Math.min(readNumber(view, count), Math.floor((view.byteLength - at) / size));
    value[field] = Array.from({ length }, (_, i) => readNumber(view, { at: at + i * size, as }));
  }
  return value;
}

/**
 * Puts fields into an option's structure.
 *
 * @param view what the kernel has now, or the question; fields that are not given stay
 * @returns the structure, longer where the option has a tail
 * @throws {SocketOptionError} EINVAL when a field is unknown, can only be read, or does not hold such a value
 */
export function encodeOption(
  name: SocketOptionName,
  value: SocketOptionValue,
  view: DataView<ArrayBuffer>,
  port: number,
): DataView<ArrayBuffer> {
  const layout = layoutOf(name), { tail } = layout;
  for (const [field, given] of Object.entries(value)) {
    if (given === undefined) continue;
    const place = layout.fields[field], kind = fieldKind(name, field);
    if (place === undefined) continue; // the tail, below
    const number = encodeField(`${name}.${field}`, kind, place, given, view, port);
    if (number === 0 && layout.zeroKeeps) {
      refuse(`Cannot set ${name}.${field} to 0: for the kernel that means to leave it as it is`);
    }
  }
  if (tail === undefined) return view;
  const octets = encodeTail(`${name}.${tail.field}`, value[tail.field], tail.as);
  // A key of no octets needs a structure that is longer than the key: the kernel takes no other.
  const whole = new Uint8Array(tail.at + octets.length + 4);
  whole.set(new Uint8Array(view.buffer, 0, tail.at));
  whole.set(octets, tail.at);
  const result = new DataView(whole.buffer);
  writeNumber(result, tail.count, octets.length / (tail.as === "u8" ? 1 : 2));
  return result;
}

/**
 * What kind of field it is.
 *
 * @throws {SocketOptionError} EINVAL when there is no such field, or it can only be read
 */
function fieldKind(name: SocketOptionName, field: string): SocketOptionField {
  const { fields, readOnly } = SOCKET_OPTIONS[name];
  if (!Object.hasOwn(fields, field)) {
    refuse(`Cannot set ${name}.${field}: it has the fields ${Object.keys(fields).join(", ")}`);
  }
  if (readOnly?.includes(field)) refuse(`Cannot set ${name}.${field}: it can be read only`);
  return fields[field]!;
}

function decodeField(
  kind: SocketOptionField,
  place: FieldLayout,
  view: DataView,
): number | boolean | string | undefined {
  if (place.as === "address") return readSockaddrAddress(view, place.at);
  const number = readNumber(view, place);
  if (kind === "boolean") {
    if (place.bits !== undefined) return (number & place.bits) !== 0;
    return number === (place.values?.[1] ?? number) && number !== 0;
  }
  if (!isWords(kind)) return number;
  return SOCKET_OPTION_WORDS[kind][number / (place.step ?? 1)] ?? `${number}`;
}

/** @returns the number that stands for a value; of an address, 1 */
function encodeField(
  what: string,
  kind: SocketOptionField,
  place: FieldLayout,
  given: NonNullable<SocketOptionValue[string]>,
  view: DataView<ArrayBuffer>,
  port: number,
): number {
  if (place.as === "address") {
    const address = typeof given === "string" ? parseIpAddress(given) : undefined;
    if (address === undefined) refuse(`Cannot set ${what} to "${given}": it takes an IP address`);
    new Uint8Array(view.buffer).fill(0, place.at, place.at + 128);
    new Uint8Array(view.buffer).set(encodeSockaddr({ address, port }), place.at);
    return 1;
  }
  if (kind === "boolean") {
    const on = readBoolean(what, given);
    if (place.bits !== undefined) {
      const rest = readNumber(view, place) & ~place.bits;
      writeNumber(view, place, on ? rest | place.bits : rest);
    } else writeNumber(view, place, (place.values ?? [0, 1])[on ? 1 : 0]);
    return 1;
  }
  const number = isWords(kind) ? readWord(what, kind, given) * (place.step ?? 1) : given;
  if (typeof number !== "number" || !Number.isInteger(number) || number < 0 || number > LIMITS[place.as]) {
    refuse(`Cannot set ${what} to ${given}: it takes 0 to ${LIMITS[place.as]}`);
  }
  writeNumber(view, place, number);
  return number;
}

function encodeTail(what: string, given: SocketOptionValue[string], as: "u8" | "u16"): Uint8Array {
  if (given === undefined) refuse(`Cannot do without ${what}`);
  if (typeof given === "string") {
    const hex = /^0x((?:[0-9a-f]{2})*)$/i.exec(given);
    const octets = hex === null ? new TextEncoder().encode(given) : Uint8Array.fromHex(hex[1]!);
    if (octets.length > TAIL_LIMIT_BYTES) refuse(`Cannot set ${what}: ${octets.length} octets are too many`);
    return octets;
  }
  const size = as === "u8" ? 1 : 2;
  if (!Array.isArray(given) || given.length * size > TAIL_LIMIT_BYTES) {
    refuse(`Cannot set ${what} to ${given}: it takes a list of numbers`);
  }
  const view = new DataView(new ArrayBuffer(given.length * size));
  given.forEach((number: number, i) => {
    if (!Number.isInteger(number) || number < 0 || number > LIMITS[as]) {
      refuse(`Cannot set ${what}: ${number} is not one of 0 to ${LIMITS[as]}`);
    }
    writeNumber(view, { at: i * size, as }, number);
  });
  return new Uint8Array(view.buffer);
}

function readBoolean(what: string, given: NonNullable<SocketOptionValue[string]>): boolean {
  if (given === true || given === 1) return true;
  if (given === false || given === 0) return false;
  return refuse(`Cannot set ${what} to ${given}: it is on or off`);
}

function readWord(
  what: string,
  kind: SocketOptionWords,
  given: NonNullable<SocketOptionValue[string]>,
): number {
  const words = SOCKET_OPTION_WORDS[kind];
  const number = typeof given === "number" ? given : words.indexOf(String(given));
  if (number in words) return number;
  return refuse(`Cannot set ${what} to ${given}: it is one of ${words.join(", ")}`);
}

function isWords(kind: SocketOptionField): kind is SocketOptionWords {
  return Object.hasOwn(SOCKET_OPTION_WORDS, kind);
}

function readNumber(view: DataView, { at, as }: FieldLayout): number {
  switch (as) {
    case "u8":
      return view.getUint8(at);
    case "u16":
      return view.getUint16(at, true);
    case "be16":
      return view.getUint16(at);
    case "u64":
      return Number(view.getBigUint64(at, true));
    default:
      return view.getUint32(at, true);
  }
}

function writeNumber(view: DataView, { at, as }: FieldLayout, number: number): void {
  switch (as) {
    case "u8":
      view.setUint8(at, number);
      break;
    case "u16":
      view.setUint16(at, number, true);
      break;
    case "be16":
      view.setUint16(at, number);
      break;
    case "u64":
      view.setBigUint64(at, BigInt(number), true);
      break;
    default:
      view.setUint32(at, number, true);
  }
}

function refuse(message: string): never {
  throw new SocketOptionError("EINVAL", message);
}
