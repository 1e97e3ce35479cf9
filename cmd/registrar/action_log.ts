/**
 * The action log of a registrar, in the columns of RSPLIB's (reference/rsplib.md §6.4): a line for every message, and one
 * for every element that went without a word. RSPLIB calls some of what it receives "Send" and the other way round; here
 * the directions are the true ones.
 */
import type { MessageReport, RegistrarReport, RemovalReason } from "../../protocol/registrar/mod.ts";
import { showText } from "../../protocol/wire/mod.ts";
import { seconds } from "../driver/wall_time.ts";
import type { WallTime } from "../driver/wall_time.ts";

/** The first line. As in RSPLIB's file, the lines begin with one column more: their number. */
export const ACTION_LOG_HEADER =
  "AbsTime RelTime   Direction Protocol Action Reason   Flags Counter Time   PoolHandle PoolElementID   SenderID ReceiverID TargetID   ErrorCode\n";

/** RSPLIB's names of messages, where they are not ours with a capital letter. */
const NAMES: Readonly<Record<string, string>> = { serverAnnounce: "Announce", handleUpdate: "Update" };

/** Messages that RSPLIB gives the reason "Requested". */
const REQUESTED: ReadonlySet<string> = new Set([
  "registration",
  "registrationResponse",
  "deregistration",
  "deregistrationResponse",
  "handleResolution",
  "handleResolutionResponse",
]);

/** RSPLIB's names of the reasons why an element goes; what its registrar tells has a line of its own already. */
const REMOVAL_REASONS: Partial<Record<RemovalReason, string>> = {
  "association lost": "Disconnect",
  "no answer to a keep-alive": "KeepAliveTimeoutTimer",
  "registration expired": "ExpiryTimer",
  "reported unreachable": "Unreachable",
  "unknown to its registrar": "Synchronization",
};

/** Keep-alives of ours whose answers are waited for; as many as there are elements, if nobody wants more of those. */
const MAX_ASKED = 200_000;

/** What the lines want to know of the registrar. */
export interface ActionLogOptions {
  readonly registrarId: number;
  readonly keepAliveTimeoutMs: number;
}

/** Makes the lines of an action log. */
export class ActionLog {
  #options: ActionLogOptions;
  readonly #startedAt: WallTime;
  /** When an element was sent its last keep-alive. */
  readonly #asked = new Map<string, WallTime>();
  #lineCount = 0;

  /**
   * @param options of the registrar
   * @param now when the log begins
   */
  constructor(options: ActionLogOptions, now: WallTime) {
    this.#options = options;
    this.#startedAt = now;
  }

  /** The lines are about another registrar from now on. */
  goOnWith(options: ActionLogOptions): void {
    this.#options = options;
    this.#asked.clear();
  }

  /** The line for a report; undefined when it is nothing for this log. */
  line(report: RegistrarReport, now: WallTime): string | undefined {
    switch (report.type) {
      case "message":
        return this.#message(report, now);
      case "removed": {
        this.#asked.delete(elementKey(report));
        const reason = REMOVAL_REASONS[report.reason];
        return reason === undefined ? undefined : this.#write(now, {
          ...REMOVAL,
          reason,
          timeMs: report.reason === "no answer to a keep-alive" ? this.#options.keepAliveTimeoutMs : 0,
          poolHandle: report.poolHandle,
          elementId: report.elementId,
          senderId: this.#options.registrarId,
        });
      }
      case "deregistered":
        this.#asked.delete(elementKey(report));
        return undefined;
      default:
        return undefined;
    }
  }

  #message(report: MessageReport, now: WallTime): string {
    const protocol = report.protocol.toUpperCase();
    return this.#write(now, {
      ...report,
      direction: report.direction === "send" ? "Send" : "Recv",
      protocol: report.multicast ? `Multicast${protocol}` : protocol,
      action: NAMES[report.message] ?? report.message.charAt(0).toUpperCase() + report.message.slice(1),
      senderId: this.#sender(report),
      ...this.#reason(report, now),
    });
  }

  /** As RSPLIB has it: what an element and its registrar tell each other bears the registrar's ID. */
  #sender({ message, protocol, senderId }: MessageReport): number | undefined {
    const isOurs = protocol === "asap" && REQUESTED.has(message) && !message.startsWith("handle");
    return senderId ?? (isOurs ? this.#options.registrarId : undefined);
  }

  #reason(report: MessageReport, now: WallTime): { readonly reason: string; readonly timeMs: number } {
    const { message, update, flags } = report;
    if (REQUESTED.has(message)) return { reason: "Requested", timeMs: 0 };
    if (update !== undefined) return { reason: update === "add" ? "AddPE" : "DelPE", timeMs: 0 };
    if (message === "endpointKeepAlive") {
      if (report.direction === "send") this.#note(elementKey(report), now);
      const reason = (flags & 1) === 1 ? "Takeover" : "KeepAliveTransmissionTimer";
      return { reason, timeMs: this.#options.keepAliveTimeoutMs };
    }
    if (message === "endpointKeepAliveAck") {
      const key = elementKey(report), askedAt = this.#asked.get(key);
      this.#asked.delete(key);
      return askedAt === undefined
        ? { reason: "TooLateAlreadyRemoved", timeMs: 0 }
        : { reason: "InTime", timeMs: now - askedAt };
    }
    return { reason: "", timeMs: 0 };
  }

  #note(element: string, now: WallTime): void {
    if (this.#asked.size < MAX_ASKED || this.#asked.has(element)) this.#asked.set(element, now);
  }

  #write(now: WallTime, line: Line): string {
    const serial = String(++this.#lineCount).padStart(6, "0");
    const { direction, protocol, action, reason, flags, count, timeMs } = line;
    const poolHandle = line.poolHandle === undefined
      ? ""
      : showText(line.poolHandle).replaceAll('"', "\\x22");
    return [
      serial,
      `${seconds(now)} ${seconds(now - this.#startedAt)}`,
      [direction, protocol, action, reason].map((word) => `"${word}"`).join(" "),
      `${hex(flags)} ${count} ${seconds(timeMs)}`,
      `"${poolHandle}" ${hex(line.elementId)}`,
      `${hex(line.senderId)} ${hex(line.receiverId)} ${hex(line.targetId)}`,
      `${line.causeCode.toString(16)}\n`,
    ].join("   ");
  }
}

/** What stands in a line, besides its number and the time. */
interface Line extends
  Pick<
    MessageReport,
    "flags" | "count" | "poolHandle" | "elementId" | "receiverId" | "targetId" | "causeCode"
  > {
  readonly direction: string;
  readonly protocol: string;
  readonly action: string;
  readonly reason: string;
  readonly timeMs: number;
  readonly senderId: number | undefined;
}

/** An element goes, and nobody sent a message: RSPLIB writes it so. */
const REMOVAL = {
  direction: "Send",
  protocol: "ASAP",
  action: "Deregistration",
  flags: 0,
  count: 0,
  receiverId: 0,
  targetId: 0,
  causeCode: 0,
} as const;

function hex(value: number | undefined): string {
  return `0x${(value ?? 0).toString(16)}`;
}

function elementKey(
  { poolHandle, elementId }: Pick<MessageReport, "poolHandle" | "elementId">,
): string {
  return `${elementId ?? 0} ${poolHandle === undefined ? "" : showText(poolHandle)}`;
}
