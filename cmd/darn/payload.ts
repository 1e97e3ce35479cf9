/** What goes into messages: the pattern of the original, text, octets, files and chance. */
import { encodeText } from "../../protocol/wire/mod.ts";
import { CommandError } from "./command_error.ts";
import { readNumber } from "./command_line.ts";
import type { CommandLine } from "./command_line.ts";

/** The printable characters without the blank, over and over. */
const FIRST_OCTET = 0x21, PATTERN_OCTETS = 0x7e - 0x21 + 1;

/** The longest message to make, in octets; what a transport takes is its own affair. */
export const MAX_PAYLOAD: number = 64 * 1024 * 1024;

/** The original's pattern, which goes on from one message to the next. */
export class Pattern {
  #at = 0;

  /** The next so many octets of the pattern. */
  next(length: number): Uint8Array {
    const octets = new Uint8Array(length);
    for (let i = 0; i < length; i++) octets[i] = FIRST_OCTET + (this.#at + i) % PATTERN_OCTETS;
    this.#at = (this.#at + length) % PATTERN_OCTETS;
    return octets;
  }
}

/** Where a message's octets come from. */
export type Payload =
  | { readonly type: "pattern"; readonly length: number }
  | { readonly type: "random"; readonly length: number }
  | { readonly type: "octets"; readonly data: Uint8Array }
  | { readonly type: "file"; readonly path: string };

/** Settings that say what is sent; one of them at most. */
export const PAYLOAD_SETTINGS: readonly string[] = ["pattern", "random", "text", "hex", "base64", "file"];

/**
 * What a line such as `snd=10000` or `snd text="hello"` wants to send.
 *
 * @throws {CommandError} when it says nothing, several things, or nothing that could be sent
 */
export function readPayload(line: CommandLine): Payload {
  const named = PAYLOAD_SETTINGS.filter((name) => line.settings.has(name));
  const length = line.words.find((word) => /^\d/.test(word));
  if (named.length + (length === undefined ? 0 : 1) > 1) {
    throw new CommandError("one message has one payload: a length, text=, hex=, base64=, file= or random=");
  }
  const name = named[0];
  const payload = name === undefined ? lengthPayload(length) : namedPayload(name, line.settings.get(name)!);
  if (payload.type === "octets" && payload.data.length === 0) {
    throw new CommandError("SCTP has no empty messages (RFC 9260 §3.3.1): give at least one octet");
  }
  return payload;
}

function lengthPayload(length: string | undefined): Payload {
  if (length === undefined) {
    throw new CommandError('snd wants a length or a payload: snd=1000, snd text="hello", snd hex=00ff');
  }
  return { type: "pattern", length: readLength(length) };
}

function namedPayload(name: string, value: string): Payload {
  switch (name) {
    case "pattern":
    case "random":
      return { type: name, length: readLength(value) };
    case "text":
      return { type: "octets", data: encodeText(value) };
    case "hex":
      return { type: "octets", data: readHex(value) };
    case "base64":
      return { type: "octets", data: readBase64(value) };
    default:
      if (value === "") throw new CommandError("file= wants the name of a file");
      return { type: "file", path: value };
  }
}

function readLength(text: string): number {
  if (text === "0") throw new CommandError("SCTP has no empty messages (RFC 9260 §3.3.1): send 1 or more");
  return readNumber(text, "the length", 1, MAX_PAYLOAD);
}

function readHex(text: string): Uint8Array {
  const digits = text.replaceAll(/[\s:_-]|0x/gi, "");
  if (digits.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(digits)) {
    throw new CommandError(`hex= wants pairs of hexadecimal digits, not ${JSON.stringify(text)}`);
  }
  return Uint8Array.fromHex(digits);
}

function readBase64(text: string): Uint8Array {
  try {
    return Uint8Array.fromBase64(text);
  } catch {
    throw new CommandError(`base64= wants Base64, not ${JSON.stringify(text)}`);
  }
}
