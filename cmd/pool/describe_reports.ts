/** What machines report, in words and levels for a log. */
import { formatTransportAddresses } from "../../protocol/net.ts";
import { showId } from "../../protocol/param/describe.ts";
import type { ServiceHostReport, SessionClientReport } from "../../protocol/session/types.ts";
import { CauseCode } from "../../protocol/param/operation_error.ts";
import { showText } from "../../protocol/wire/text.ts";
import { LogLevel } from "../driver/log.ts";
import type { LogFields } from "../driver/log.ts";

/** A line of the log. */
export interface LogLine {
  readonly level: LogLevel;
  readonly text: string;
  readonly fields: LogFields;
}

/** A line from its parts. */
export function line(level: LogLevel, text: string, event: string, fields: LogFields = {}): LogLine {
  return { level, text, fields: { event, ...fields } };
}

/** A pause in words: `0.5 s`. */
export function showPause(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

/** What to do about it is not in the registrar's answer. */
const INCONSISTENT_POLICY_HINT = "; the first element of a pool says the -policy of all";

/** Describes what a service host or a session client reports. */
export function describeReport(report: ServiceHostReport | SessionClientReport): LogLine {
  const { note, warning, action, verbose } = LogLevel;
  switch (report.type) {
    case "huntWaiting":
      return line(note, "waiting for a registrar to announce itself", report.type);
    case "huntConnecting":
      return line(
        action,
        `connecting to registrar ${formatTransportAddresses(report.registrar)}`,
        report.type,
      );
    case "huntFailed":
      return line(
        warning,
        `registrar ${formatTransportAddresses(report.registrar)} cannot be used: ${report.reason}; ` +
          `next attempt in ${showPause(report.retryMs)}`,
        report.type,
      );
    case "registrarFound":
      return line(
        note,
        `registrar ${report.registrarId === 0 ? "" : `${showId(report.registrarId)} `}at ` +
          formatTransportAddresses(report.registrar) + (report.adopted ? " took over" : ""),
        report.type,
        { registrar: showId(report.registrarId) },
      );
    case "registrarLost":
      return line(
        warning,
        `registrar ${formatTransportAddresses(report.registrar)} lost: ${report.reason}`,
        report.type,
      );
    case "malformed":
      return line(warning, `${report.source} sent no valid ASAP: ${report.reason}`, report.type);
    case "registered":
      return line(
        report.again ? verbose : note,
        `registered as ${showId(report.elementId)} in pool ${showText(report.poolHandle)}`,
        report.type,
        { element: showId(report.elementId), pool: showText(report.poolHandle) },
      );
    case "registrationRefused":
      return line(
        LogLevel.error,
        `registration in pool ${showText(report.poolHandle)} refused: ${report.reason}` +
          (report.causeCode === CauseCode.inconsistentPolicy ? INCONSISTENT_POLICY_HINT : "") +
          (report.retryMs === undefined ? "" : `; next attempt in ${showPause(report.retryMs)}`),
        report.type,
        { cause: report.causeCode, reason: report.reason },
      );
    case "deregistered":
      return line(
        report.confirmed ? note : warning,
        `deregistered from pool ${showText(report.poolHandle)}` + (report.confirmed ? "" : ", unconfirmed"),
        report.type,
      );
    case "keepAlive":
      return line(verbose, `keep-alive from registrar ${showId(report.registrarId)}`, report.type);
    case "resolved":
      return line(
        action,
        `pool ${showText(report.poolHandle)} has ${report.elementIds.map(showId).join(", ") || "no element"}`,
        report.type,
      );
    case "poolUnknown":
      return line(warning, `the registrar knows no pool ${showText(report.poolHandle)}`, report.type);
    case "resolutionFailed":
      return line(
        warning,
        `pool ${showText(report.poolHandle)} cannot be resolved: ${report.reason}`,
        report.type,
      );
    case "unreachableReported":
      return line(action, `told the registrar that ${showId(report.elementId)} does not answer`, report.type);
    case "sessionConnecting":
      return line(
        action,
        `session ${report.session}: connecting to ${showId(report.elementId)} at ${
          formatTransportAddresses(report.peer)
        }`,
        report.type,
      );
    case "sessionUp":
      return "elementId" in report
        ? line(
          action,
          `session ${report.session}: connected to ${showId(report.elementId)} at ${
            formatTransportAddresses(report.peer)
          }`,
          report.type,
        )
        : line(
          action,
          `session ${report.session}: ${formatTransportAddresses(report.peer)} connected`,
          report.type,
        );
    case "sessionConnectFailed":
      return line(
        warning,
        `session ${report.session}: ${showId(report.elementId)} cannot be reached: ${report.reason}; ` +
          `next attempt in ${showPause(report.retryMs)}`,
        report.type,
      );
    case "sessionWaiting":
      return line(
        warning,
        `session ${report.session}: pool ${showText(report.poolHandle)}: ${report.reason}; next attempt in ` +
          showPause(report.retryMs),
        report.type,
      );
    case "sessionFailover":
      return line(
        verbose,
        `session ${report.session}: failover ${report.state} (cookie: ${report.hasCookie ? "yes" : "no"}): ` +
          report.reason,
        report.type,
      );
    case "sessionCard":
      return line(
        verbose,
        `session ${report.session}: ${showId(report.elementId)} wants to be replaced by ` +
          (report.elementIds.map(showId).join(", ") || "nobody it knows"),
        report.type,
      );
    case "sessionRefused":
      return line(
        note,
        `turned ${formatTransportAddresses(report.peer)} away: ${report.reason}`,
        report.type,
      );
    case "sessionViolation":
      return line(
        warning,
        `session ${report.session}: broke the protocol and was aborted: ${report.reason}`,
        report.type,
      );
    case "sessionDown":
      return line(action, `session ${report.session}: ended: ${report.reason}`, report.type);
  }
}
