/** What `rsp pingpongclient` says: lines for people in RSPLIB's words, or objects for programs. */
import { styleText } from "node:util";
import type { PingPongClientReport, PingPongStatistics } from "../../protocol/app/pingpong/mod.ts";
import { describeId, showId } from "../../protocol/param/describe.ts";
import type { SessionReport } from "../../protocol/session/types.ts";
import { LogLevel } from "../driver/log.ts";
import { line, showPause } from "../pool/describe_reports.ts";
import type { LogLine } from "../pool/describe_reports.ts";

/** A message that was sent or answered. */
export type PingPongTraffic = Extract<PingPongClientReport, { type: "pingSent" | "pongReceived" }>;

/** Whether a report is of a message that was sent or answered. */
export function isTraffic(report: PingPongClientReport | SessionReport): report is PingPongTraffic {
  return report.type === "pingSent" || report.type === "pongReceived";
}

/** A line for people. */
export function trafficLine(report: PingPongTraffic, colour: boolean): string {
  if (report.type === "pingSent") {
    return `Message #${report.messageNumber} sent${report.again ? " again" : ""}`;
  }
  const { elementId, messageNumber, replyNumber, waitMs } = report;
  const text = `Ack #${messageNumber} from PE ${describeId(elementId)} (reply #${replyNumber}), ${
    milliseconds(waitMs)
  } ms`;
  return colour ? styleText("blue", text, { validateStream: false }) : text;
}

/** The same for programs. */
export function trafficObject(report: PingPongTraffic): Readonly<Record<string, unknown>> {
  if (report.type === "pingSent") {
    return { event: "pingSent", messageNumber: String(report.messageNumber), again: report.again };
  }
  const { elementId, messageNumber, replyNumber, waitMs } = report;
  return {
    event: "pongReceived",
    element: showId(elementId),
    messageNumber: String(messageNumber),
    replyNumber: String(replyNumber),
    waitMs: Number(milliseconds(waitMs)),
  };
}

/** A line of the log for any other report of the client's own; undefined for one of the session layer. */
export function describePingPong(report: PingPongClientReport | SessionReport): LogLine | undefined {
  const { note, warning } = LogLevel;
  switch (report.type) {
    case "pingPongConnected": {
      const element = showId(report.elementId);
      const text = `connected to ${element}${report.hasCookie ? ", which goes on from the cookie" : ""}`;
      return line(note, text, report.type, { element, cookie: report.hasCookie });
    }
    case "replyGap": {
      const element = showId(report.elementId), missing = String(report.missing);
      const text = `*** Detected gap of ${missing}! *** ${element} has left replies out`;
      return line(warning, text, report.type, { element, missing });
    }
    case "replyRepeated": {
      const { replyNumber, expected } = report, element = showId(report.elementId);
      const text =
        `${element} goes on with reply ${replyNumber}, though ${expected} is next: its cookie was older`;
      const fields = { element, replyNumber: String(replyNumber), expected: String(expected) };
      return line(warning, text, report.type, fields);
    }
    case "pongInvalid": {
      const element = showId(report.elementId), { reason } = report;
      return line(warning, `${element} sent what cannot be used: ${reason}`, report.type, {
        element,
        reason,
      });
    }
    case "pingPongFailover": {
      const { hasCookie, reason, pauseMs, unanswered } = report, element = showId(report.elementId);
      const text = `failover from ${element} (cookie: ${hasCookie ? "yes" : "no"}): ${reason}; ` +
        `${unanswered} messages unanswered${pauseMs === 0 ? "" : `; next attempt in ${showPause(pauseMs)}`}`;
      return line(note, text, report.type, { element, cookie: hasCookie, reason, unanswered });
    }
    default:
      return undefined;
  }
}

/** What comes at the end, for people. */
export function statisticsLines(pool: string, statistics: PingPongStatistics): string[] {
  const { sent, answered, sentAgain, failovers, gaps, missingReplies, repeatedReplies } = statistics;
  const { invalid, roundTrips, longestWaitMs, elements } = statistics;
  const lines = [
    `--- ${pool} ---`,
    `${sent} messages sent, ${answered} answered, ${sent - answered} unanswered; ${failovers} failovers, ` +
    `${sentAgain} messages sent again`,
    `${gaps} gaps (${missingReplies} replies), ${repeatedReplies} replies repeated, ${invalid} invalid`,
  ];
  if (roundTrips !== undefined) {
    const { minMs, averageMs, maxMs, deviationMs } = roundTrips;
    const times = [minMs, averageMs, maxMs, deviationMs].map(milliseconds).join("/");
    lines.push(`round trip min/avg/max/mdev = ${times} ms, longest wait ${milliseconds(longestWaitMs)} ms`);
  }
  return [...lines, ...elements.map(({ elementId, replies }) => `${showId(elementId)}: ${replies} replies`)];
}

/** The same for programs. */
export function statisticsObject(statistics: PingPongStatistics): Readonly<Record<string, unknown>> {
  const { missingReplies, elements, ...rest } = statistics;
  return {
    event: "statistics",
    ...rest,
    unanswered: rest.sent - rest.answered,
    missingReplies: String(missingReplies),
    elements: elements.map(({ elementId, replies }) => ({ element: showId(elementId), replies })),
  };
}

function milliseconds(value: number): string {
  return value.toFixed(3);
}
