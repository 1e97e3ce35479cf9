/** What services have in common, in words and levels for a log. */
import type { ReplyFlowReport } from "../../protocol/app/reply_flow.ts";
import type { SessionLimitReport } from "../../protocol/app/session_limit.ts";
import { formatTransportAddresses } from "../../protocol/net.ts";
import { LogLevel } from "../driver/log.ts";
import { line } from "../pool/describe_reports.ts";
import type { LogLine } from "../pool/describe_reports.ts";

/** Describes the reports of a service's flow control and of its limit of sessions; undefined for all others. */
export function describeService(
  report: ReplyFlowReport | SessionLimitReport | { readonly type: string },
): LogLine | undefined {
  // `type` alone does not tell the compiler the union's own members from the rest.
  const known = report as ReplyFlowReport | SessionLimitReport;
  switch (known.type) {
    case "sessionGivenUp":
      return line(LogLevel.warning, `session ${known.session}: given up: ${known.reason}`, known.type, {
        session: known.session,
        reason: known.reason,
      });
    case "serverFull":
      return line(
        LogLevel.note,
        `all ${known.maxSessions} places are taken: turned ${formatTransportAddresses(known.peer)} away`,
        known.type,
      );
    case "serverLoad":
      return line(
        LogLevel.action,
        `load ${Math.round(known.load * 100)} %, ${known.sessionCount} sessions`,
        known.type,
        { load: known.load, sessionCount: known.sessionCount },
      );
    default:
      return undefined;
  }
}
