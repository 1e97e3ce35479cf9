/** Error causes of ERROR and ABORT chunks in words. */
import { formatIpAddress } from "../../protocol/net.ts";
import type { ErrorCause } from "../../protocol/net.ts";
import { showText } from "../../protocol/wire/mod.ts";

/** A peer's reason is shown no longer than this: it may send 64 KiB. */
const MAX_TEXT_SHOWN = 200;

/** Names of the cause codes, as IANA's registry has them. */
const NAMES: ReadonlyMap<number, string> = new Map([
  [1, "Invalid Stream Identifier"], // RFC 9260 §3.3.10.1
  [2, "Missing Mandatory Parameter"],
  [3, "Stale Cookie"],
  [4, "Out of Resource"],
  [5, "Unresolvable Address"],
  [6, "Unrecognized Chunk Type"],
  [7, "Invalid Mandatory Parameter"],
  [8, "Unrecognized Parameters"],
  [9, "No User Data"],
  [10, "Cookie Received While Shutting Down"],
  [11, "Restart of an Association with New Addresses"],
  [12, "User-Initiated Abort"],
  [13, "Protocol Violation"], // RFC 9260 §3.3.10.13
  [14, "Restart of an Association with New Encapsulation Port"], // RFC 6951 §5.8
  [0xa0, "Request to Delete Last Remaining IP Address"], // RFC 5061 §4.3
  [0xa1, "Operation Refused Due to Resource Shortage"],
  [0xa2, "Request to Delete Source IP Address"],
  [0xa3, "Association Aborted Due to Illegal ASCONF-ACK"],
  [0xa4, "Request Refused - No Authorization"],
  [0x105, "Unsupported HMAC Identifier"], // RFC 4895 §4.1
]);

/** The name of a cause code; codes without one are numbers. */
export function causeName(code: number): string {
  return NAMES.get(code) ?? `error cause ${code}`;
}

/** A cause in words, with what it says: `Stale Cookie (by 12000 us)`. */
export function describeCause(cause: ErrorCause): string {
  const details = causeDetails(cause);
  return details === "" ? causeName(cause.code) : `${causeName(cause.code)} (${details})`;
}

/** What the cause-specific information says; empty = nothing to say. */
export function causeDetails({ code, info }: ErrorCause): string {
  const words = Array.from({ length: info.length >> 1 }, (_, i) => info[2 * i]! << 8 | info[2 * i + 1]!);
  const long = info.length >= 4 ? (words[0]! << 16 | words[1]!) >>> 0 : undefined;
  switch (code) {
    case 1:
      return words[0] === undefined ? "" : `stream ${words[0]}`;
    case 2:
      return words.length < 3 ? "" : `parameter ${words.slice(2).map(hexadecimal).join(", ")}`;
    case 3:
      return long === undefined ? "" : `by ${long} us`;
    case 5:
    case 11:
      return addressParameters(info).join(", ");
    case 6:
      return info[0] === undefined ? "" : `chunk type ${info[0]}`;
    case 8:
    case 7:
      return words[0] === undefined ? "" : `parameter ${hexadecimal(words[0])}`;
    case 9:
      return long === undefined ? "" : `TSN ${long}`;
    case 14:
      return words.length < 2 ? "" : `UDP port ${words[0]}, now ${words[1]}`;
    case 0x105:
      return words[0] === undefined ? "" : `HMAC ${words[0]}`;
    case 12:
    case 13:
      return info.length === 0 ? "" : JSON.stringify(showText(info.subarray(0, MAX_TEXT_SHOWN)));
    default:
      return info.length === 0 ? "" : showText(info.subarray(0, MAX_TEXT_SHOWN));
  }
}

function hexadecimal(value: number): string {
  return `0x${value.toString(16).padStart(4, "0")}`;
}

/** IPv4 and IPv6 address parameters (RFC 9260 §3.3.2.1) in a row; anything else ends the list. */
function addressParameters(info: Uint8Array): string[] {
  const addresses: string[] = [];
  for (let at = 0; at + 4 <= info.length;) {
    const type = info[at]! << 8 | info[at + 1]!, length = info[at + 2]! << 8 | info[at + 3]!;
    const value = info.subarray(at + 4, at + length);
    if (!(type === 5 && value.length === 4) && !(type === 6 && value.length === 16)) break;
    addresses.push(formatIpAddress(value));
    at += length;
  }
  return addresses;
}
