/** What `snd` and its sisters ask for. */
import { parseIpAddress } from "../../protocol/net.ts";
import type { IpAddress, PartialReliability, Ppid } from "../../protocol/net.ts";
import { CommandError } from "./command_error.ts";
import { readDecimal, readNumber } from "./command_line.ts";
import type { CommandLine } from "./command_line.ts";
import { PAYLOAD_SETTINGS, readPayload } from "./payload.ts";
import type { Payload } from "./payload.ts";
import { readPpid } from "./ppid_names.ts";

/** Messages to send. */
export interface SendRequest {
  readonly payload: Payload;
  readonly stream: number;
  readonly ppid: Ppid;
  readonly unordered: boolean;
  readonly sackImmediately: boolean;
  readonly reliability: PartialReliability | undefined;
  readonly context: number | undefined;
  readonly destination: IpAddress | undefined;
  readonly authKeyId: number | undefined;
  /** How many messages; Infinity = until it is stopped. */
  readonly count: number;
  /** Messages a second; undefined = as fast as possible. */
  readonly rate: number | undefined;
  /** Number of the association; undefined = the current one. */
  readonly association: number | undefined;
}

/** Messages as plain as can be. */
export function plainRequest(payload: Payload, count = 1): SendRequest {
  return {
    payload,
    stream: 0,
    ppid: 0,
    unordered: false,
    sackImmediately: false,
    reliability: undefined,
    context: undefined,
    destination: undefined,
    authKeyId: undefined,
    count,
    rate: undefined,
    association: undefined,
  };
}

/** Settings of `snd` besides the payload. */
export const SEND_SETTINGS: readonly string[] = [
  "sid",
  "ppid",
  "ttl",
  "rtx",
  "prio",
  "context",
  "to",
  "key",
  "count",
  "rate",
  "assoc",
];

/** Words of `snd`. */
export const SEND_WORDS: readonly string[] = ["unordered", "now"];

/**
 * Reads a line such as `snd=100 sid=3 ppid=M3UA unordered ttl=500 count=10 rate=2`.
 *
 * @throws {CommandError} with a sentence that says what is wrong
 */
export function readSendRequest(line: CommandLine): SendRequest {
  for (const name of line.settings.keys()) {
    if (!SEND_SETTINGS.includes(name) && !PAYLOAD_SETTINGS.includes(name)) {
      throw new CommandError(`snd has no setting ${name}=; there are ${SEND_SETTINGS.join("=, ")}=`);
    }
  }
  for (const word of line.words) {
    if (/^\d/.test(word) || SEND_WORDS.includes(word.toLowerCase())) continue;
    throw new CommandError(
      `snd takes a number of octets or text=${JSON.stringify(word)}; its words are ${SEND_WORDS.join(", ")}`,
    );
  }
  const number = (name: string, min: number, max: number): number | undefined => {
    const value = line.settings.get(name);
    return value === undefined ? undefined : readNumber(value, `${name}=`, min, max);
  };
  const has = (word: string): boolean => line.words.some((one) => one.toLowerCase() === word);
  const ppid = line.settings.get("ppid"), rate = line.settings.get("rate");
  return {
    payload: readPayload(line),
    stream: number("sid", 0, 65535) ?? 0,
    ppid: ppid === undefined ? 0 : readPpid(ppid),
    unordered: has("unordered"),
    sackImmediately: has("now"),
    reliability: readReliability(number),
    context: number("context", 0, 0xffff_ffff),
    destination: readDestination(line.settings.get("to")),
    authKeyId: number("key", 0, 65535),
    count: line.settings.get("count") === "forever" ? Infinity : number("count", 1, 1e12) ?? 1,
    rate: rate === undefined ? undefined : positive(readDecimal(rate, "rate=")),
    association: number("assoc", 1, 0xffff_ffff),
  };
}

function readReliability(
  number: (name: string, min: number, max: number) => number | undefined,
): PartialReliability | undefined {
  const lifetimeMs = number("ttl", 1, 0xffff_ffff);
  const retransmissions = number("rtx", 0, 0xffff_ffff);
  const priority = number("prio", 0, 0xffff_ffff);
  const given = [lifetimeMs, retransmissions, priority].filter((value) => value !== undefined);
  if (given.length > 1) throw new CommandError("a message has one of ttl=, rtx= and prio=");
  if (lifetimeMs !== undefined) return { policy: "ttl", lifetimeMs };
  if (retransmissions !== undefined) return { policy: "rtx", retransmissions };
  return priority === undefined ? undefined : { policy: "prio", priority };
}

function readDestination(text: string | undefined): IpAddress | undefined {
  if (text === undefined) return undefined;
  const address = parseIpAddress(text);
  if (address === undefined) throw new CommandError(`to= must be an address of the peer, not ${text}`);
  return address;
}

function positive(rate: number): number {
  if (rate > 0) return rate;
  throw new CommandError("rate= must be more than 0 messages a second");
}
