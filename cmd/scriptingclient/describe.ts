/** What happens to jobs, in words. */
import { LogLevel } from "../driver/log.ts";
import { line, showPause } from "../pool/describe_reports.ts";
import type { LogLine } from "../pool/describe_reports.ts";
import { showOctets, showRate, showSeconds } from "../pool/show_amounts.ts";
import { describeJobStatus } from "../../protocol/app/scripting/job_status.ts";
import { NotReadyReason } from "../../protocol/app/scripting/messages.ts";
import type {
  JobPlace,
  JobResult,
  ScriptingClientReport,
} from "../../protocol/app/scripting/client_types.ts";
import { showId } from "../../protocol/param/describe.ts";
import type { SessionReport } from "../../protocol/session/types.ts";

/** A server: its name, as far as it has told, and its ID. */
export function showServer({ server, elementId }: Pick<JobPlace, "server" | "elementId">): string {
  if (elementId === 0) return "no server";
  return server === "" ? showId(elementId) : `${server} (${showId(elementId)})`;
}

/** A line for a report about a job; undefined for progress, which is shown otherwise, and for the session layer's. */
export function describeJob(report: ScriptingClientReport | SessionReport): LogLine | undefined {
  const { note, warning } = LogLevel;
  switch (report.type) {
    case "jobReady":
      return jobLine(report, note, `${showServer(report)} is ready: uploading`);
    case "jobRefused": {
      const why = report.reason === NotReadyReason.fullyLoaded ? "is fully loaded" : "is out of resources";
      const text = `${showServer(report)} ${why}: trying another one in ${showPause(report.pauseMs)}`;
      return jobLine(report, note, text, { reason: report.reason, pauseMs: report.pauseMs });
    }
    case "jobEnvironment": {
      const text = report.uploadNeeded ? "needs the environment" : "has the environment already";
      return jobLine(report, note, `${showServer(report)} ${text}`, { uploadNeeded: report.uploadNeeded });
    }
    case "jobProcessing": {
      const { uploadedBytes, uploadMs } = report;
      const text = `uploaded ${showOctets(uploadedBytes)} in ${showSeconds(uploadMs)} (${
        showRate(uploadedBytes, uploadMs)
      }): ${showServer(report)} is processing`;
      return jobLine(report, note, text, { uploadedBytes, uploadMs: Math.round(uploadMs) });
    }
    case "jobExited": {
      const { status, processingMs } = report;
      const text = `${showServer(report)} has worked for ${showSeconds(processingMs)}: ${
        describeJobStatus(status)
      }`;
      return jobLine(report, status === 0 ? note : warning, text, {
        status,
        processingMs: Math.round(processingMs),
      });
    }
    case "jobRetried": {
      const { failures, maxTrials, pauseMs, status } = report;
      const text = `trial ${failures} of ${maxTrials} has failed: trying again in ${showPause(pauseMs)}`;
      return jobLine(report, warning, text, { status, failures, maxTrials, pauseMs });
    }
    case "jobFailover": {
      const { reason, pauseMs } = report;
      const text = `failover from ${showServer(report)}: ${reason}; beginning anew in ${showPause(pauseMs)}`;
      return jobLine(report, warning, text, { reason, pauseMs });
    }
    default:
      return undefined;
  }
}

function jobLine(
  report: JobPlace & { readonly type: string },
  level: LogLevel,
  text: string,
  fields: LogLine["fields"] = {},
): LogLine {
  const { job, run, server, elementId, type } = report;
  return line(level, text, type, { job, run, server, element: showId(elementId), ...fields });
}

/** How a job ended, in words. */
export function describeResult(result: JobResult, output: string): string {
  const { outcome, status, reason, durationMs, downloadedBytes, failovers } = result;
  const why = reason === undefined ? "" : `: ${reason}`;
  const after = failovers === 0 ? "" : `, ${failovers} failover${failovers === 1 ? "" : "s"}`;
  const size = `${showOctets(downloadedBytes)} in ${output}`;
  switch (outcome) {
    case "succeeded":
      return `the job is done: ${size}, ${showSeconds(durationMs)}${after}`;
    case "failed":
      return `the job has failed: ${reason ?? describeJobStatus(status ?? 1)}; what it left: ${size}`;
    case "unusable":
      return `the job is given up${why}`;
    case "cancelled":
      return `the job is not done${why}`;
  }
}

/** The facts of a result, for programs. */
export function resultFields(result: JobResult): LogLine["fields"] {
  const { elementId, durationMs, uploadMs, processingMs, downloadMs, ...rest } = result;
  return {
    ...rest,
    element: showId(elementId),
    durationMs: Math.round(durationMs),
    uploadMs: Math.round(uploadMs),
    processingMs: Math.round(processingMs),
    downloadMs: Math.round(downloadMs),
  };
}

/**
 * The exit code of a program for a job: the job's own, as far as there is one that a program can have; 1 for whatever else
 * goes wrong.
 */
export function exitCodeOf({ outcome, status = 1 }: JobResult): number {
  if (outcome === "succeeded") return 0;
  return outcome === "failed" && status >= 1 && status <= 255 ? status : 1;
}
