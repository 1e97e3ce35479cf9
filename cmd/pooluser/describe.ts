/** What happens to an image and its parts, in words. */
import { LogLevel } from "../driver/log.ts";
import { line } from "../pool/describe_reports.ts";
import type { LogLine } from "../pool/describe_reports.ts";
import type { FractalClientReport } from "../../protocol/app/fractal/client_types.ts";
import { showId } from "../../protocol/param/describe.ts";
import type { SessionReport } from "../../protocol/session/types.ts";

/** A line for a report of the fractal machine; undefined for one of the session layer. */
export function describeFractal(report: FractalClientReport | SessionReport): LogLine | undefined {
  const { note, warning, action, verbose } = LogLevel;
  switch (report.type) {
    case "imageStarted":
      return line(action, `the image is computed in ${report.parts.length} sessions`, "imageCut", {
        parts: report.parts.length,
      });
    case "partRequested":
      return line(
        action,
        `part ${report.part + 1}: ${showId(report.elementId)} is to compute ${report.points} points`,
        report.type,
        { part: report.part, element: showId(report.elementId), points: report.points },
      );
    case "partResumed":
      return line(
        note,
        `part ${report.part + 1}: ${showId(report.elementId)} goes on from the cookie`,
        report.type,
        { part: report.part, element: showId(report.elementId) },
      );
    case "partFailover":
      return line(
        note,
        `part ${report.part + 1}: failover from ${showId(report.elementId)} ` +
          `(cookie: ${report.hasCookie ? "yes" : "no"}): ${report.reason}`,
        report.type,
        {
          part: report.part,
          element: showId(report.elementId),
          cookie: report.hasCookie,
          reason: report.reason,
        },
      );
    case "partIncomplete":
      return line(
        warning,
        `part ${report.part + 1}: ${
          showId(report.elementId)
        } left ${report.missing} points out; asking again`,
        report.type,
        { part: report.part, element: showId(report.elementId), missing: report.missing },
      );
    case "partInvalid":
      return line(
        warning,
        `part ${report.part + 1}: ${showId(report.elementId)} sent what cannot be used: ${report.reason}`,
        report.type,
        { part: report.part, element: showId(report.elementId), reason: report.reason },
      );
    case "partCompleted":
      return line(action, `part ${report.part + 1}: complete`, report.type, { part: report.part });
    case "imageCancelled":
      return line(
        action,
        `the image is given up, ${report.missing} points are missing`,
        report.type,
        { missing: report.missing },
      );
    case "imageCompleted":
      return line(verbose, "all points of the image are there", "imageComplete");
    default:
      return undefined;
  }
}
