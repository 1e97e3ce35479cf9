/** What happens to the conversation of a terminal, in words. */
import { LogLevel } from "../driver/log.ts";
import { line, showPause } from "../pool/describe_reports.ts";
import type { LogLine } from "../pool/describe_reports.ts";
import type { TerminalClientReport } from "../../protocol/app/terminal/client.ts";
import { showId } from "../../protocol/param/describe.ts";
import type { SessionReport } from "../../protocol/session/types.ts";

/** A line for a report of the terminal's own; undefined for one of the session layer. */
export function describeTerminal(report: TerminalClientReport | SessionReport): LogLine | undefined {
  switch (report.type) {
    case "terminalConnected": {
      const element = showId(report.elementId);
      return line(LogLevel.note, `talking to ${element}`, report.type, { element });
    }
    case "terminalFailover": {
      const element = showId(report.elementId), { failoverCount, hasCookie, reason, pauseMs } = report;
      const pause = pauseMs === 0 ? "" : `; next attempt in ${showPause(pauseMs)}`;
      const cookie = hasCookie ? "yes" : "no";
      const text = `failover #${failoverCount} from ${element} (cookie: ${cookie}): ${reason}${pause}`;
      return line(LogLevel.note, text, report.type, { element, cookie: hasCookie, reason, failoverCount });
    }
    case "terminalAnswered": {
      const element = showId(report.elementId);
      const text = `${element} has answered and ended the session; the next line asks again`;
      return line(LogLevel.note, text, report.type, { element });
    }
    default:
      return undefined;
  }
}
