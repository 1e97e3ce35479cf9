/**
 * What two `rsp bench` tell each other, as JSON in messages of a payload protocol of their own on stream 0, within the
 * association that they measure.
 *
 *     asker                        answerer
 *       run (what is to be done)  →
 *                                 ← ready, or refused (why)
 *     then for each direction:
 *     sender                       receiver
 *       messages (the warm-up)    →
 *       start                     →    counts from here
 *       messages                  →
 *       end (how many in all)     →
 *                                 ← result (what was counted)
 *       done (the sender's side)  →
 *
 * `stop` asks the sender to come to an end now. Streams are not ordered among each other, so `end` may overtake
 * messages: the receiver waits for all of them.
 *
 * @module
 */
import type { Figures } from "./figures.ts";

/** Payload protocol identifier of control messages: "RSPB". */
export const CONTROL_PPID = 0x52535042;

/** Goes up when an older program would not understand. */
export const VERSION = 1;

/** The longest control message that is looked at, in octets. */
const MAX_CONTROL_BYTES = 4096;

/** The longest message of a run: what endpoints accept by default. */
export const MAX_SIZE = 16_777_216;
/** A day; a forgotten run shall end. */
export const MAX_SECONDS = 86_400;
/** More than any machine can. */
export const MAX_RATE = 1e9;

/** What is to be done on one association. */
export interface Plan {
  /** `latency`: one message at a time, there and back. */
  readonly mode: "throughput" | "latency";
  /** Seen from the side that asks. */
  readonly direction: "send" | "receive" | "both";
  /** Octets of a message. */
  readonly size: number;
  /** Streams to spread messages on. */
  readonly streams: number;
  readonly unordered: boolean;
  readonly ppid: number;
  /** Messages that are not counted go first for so long. */
  readonly warmUpMs: number;
  /** Ends after so long; 0 = by `count`. */
  readonly durationMs: number;
  /** Ends after so many messages; 0 = by `durationMs`. */
  readonly count: number;
  /** Messages a second on each association; 0 = as fast as possible. */
  readonly rate: number;
}

/** What two `rsp bench` tell each other. */
export type Control =
  | { readonly type: "run"; readonly version: number; readonly plan: Plan }
  | { readonly type: "ready" }
  | { readonly type: "refused"; readonly reason: string }
  | { readonly type: "start" }
  | { readonly type: "end"; readonly messages: number }
  | { readonly type: "result"; readonly figures: Figures }
  | { readonly type: "done"; readonly figures: Figures; readonly retransmissions: number | undefined }
  | { readonly type: "stop" };

/** Writes a control message. */
export function writeControl(control: Control): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(control));
}

/** Reads a control message. @returns undefined when it is none */
export function readControl(octets: Uint8Array): Control | undefined {
  if (octets.length > MAX_CONTROL_BYTES) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(octets));
  } catch {
    return undefined;
  }
  return isObject(value) ? checked(value) : undefined;
}

type Fields = Readonly<Record<string, unknown>>;

function checked(value: Fields): Control | undefined {
  switch (value["type"]) {
    case "ready":
    case "start":
    case "stop":
      return { type: value["type"] };
    case "refused": {
      const { reason } = value;
      return typeof reason === "string" ? { type: "refused", reason } : undefined;
    }
    case "end": {
      const { messages } = value;
      return isCount(messages) ? { type: "end", messages } : undefined;
    }
    case "result": {
      const { figures } = value;
      return isFigures(figures) ? { type: "result", figures } : undefined;
    }
    case "done": {
      const { figures, retransmissions } = value;
      if (!isFigures(figures) || !(retransmissions === undefined || isCount(retransmissions))) {
        return undefined;
      }
      return { type: "done", figures, retransmissions };
    }
    case "run": {
      const { version, plan } = value;
      if (version !== VERSION) {
        return isCount(version) ? { type: "run", version, plan: EMPTY_PLAN } : undefined;
      }
      return isPlan(plan) ? { type: "run", version, plan } : undefined;
    }
    default:
      return undefined;
  }
}

/** Stands for a plan of another version, which is refused unread. */
const EMPTY_PLAN: Plan = {
  mode: "throughput",
  direction: "send",
  size: 1,
  streams: 1,
  unordered: false,
  ppid: 0,
  warmUpMs: 0,
  durationMs: 0,
  count: 1,
  rate: 0,
};

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCount(value: unknown, max: number = Number.MAX_SAFE_INTEGER): value is number {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= max;
}

function isNumber(value: unknown, max: number): value is number {
  return typeof value === "number" && value >= 0 && value <= max;
}

function isFigures(value: unknown): value is Figures {
  return isObject(value) && isCount(value["messages"]) && isCount(value["octets"]) &&
    isNumber(value["seconds"], Number.MAX_VALUE);
}

function isPlan(value: unknown): value is Plan {
  return isObject(value) &&
    (value["mode"] === "throughput" || value["mode"] === "latency") &&
    ["send", "receive", "both"].includes(String(value["direction"])) &&
    isCount(value["size"], MAX_SIZE) && value["size"] > 0 &&
    isCount(value["streams"], 65535) && value["streams"] > 0 &&
    typeof value["unordered"] === "boolean" &&
    isCount(value["ppid"], 0xffff_ffff) && value["ppid"] !== CONTROL_PPID &&
    isNumber(value["warmUpMs"], MAX_SECONDS * 1000) &&
    isNumber(value["durationMs"], MAX_SECONDS * 1000) &&
    isCount(value["count"]) &&
    (value["count"] > 0) !== (value["durationMs"] > 0) &&
    isNumber(value["rate"], MAX_RATE);
}
