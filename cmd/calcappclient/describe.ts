/** What happens to the jobs of a CalcApp user, in words. */
import { LogLevel } from "../driver/log.ts";
import { line, showPause } from "../pool/describe_reports.ts";
import type { LogLine } from "../pool/describe_reports.ts";
import type { CalcAppClientReport, JobRecord } from "../../protocol/app/calcapp/mod.ts";
import { showId } from "../../protocol/param/describe.ts";
import type { SessionReport } from "../../protocol/session/types.ts";
import { jobTimes, speed } from "./statistics.ts";

/** A line for a report of the CalcApp machine; undefined for one of the session layer. */
export function describeCalcApp(report: CalcAppClientReport | SessionReport): LogLine | undefined {
  const { note, warning, action, verbose } = LogLevel;
  switch (report.type) {
    case "jobQueued": {
      const { jobId: job, jobSize, queueLength } = report;
      const text = `job ${job} of ${jobSize} calculations, ${queueLength} wait before it`;
      return line(action, text, report.type, { job, jobSize, queueLength });
    }
    case "jobQueueFull":
      return line(warning, `${report.queueLength} jobs wait: the pool is too slow for them`, report.type);
    case "jobStarted": {
      const { jobId: job, jobSize } = report;
      return line(note, `request for job ${job} (job size ${jobSize})`, report.type, { job, jobSize });
    }
    case "jobRequested": {
      const { jobId: job, resumed } = report, element = showId(report.elementId);
      const text = resumed
        ? `job ${job}: ${element} is to go on from the cookie`
        : `job ${job}: asks ${element}`;
      return line(action, text, report.type, { job, element, resumed });
    }
    case "jobAccepted": {
      const { jobId: job } = report, element = showId(report.elementId);
      return line(note, `job ${job}: accepted by ${element}`, report.type, { job, element });
    }
    case "jobRejected": {
      const { jobId: job, pauseMs } = report, element = showId(report.elementId);
      const text = `job ${job}: rejected by ${element}; next attempt in ${showPause(pauseMs)}`;
      return line(note, text, report.type, { job, element, pauseMs });
    }
    case "jobFailover": {
      const { jobId: job, hasCookie: cookie, reason } = report, element = showId(report.elementId);
      const text = `job ${job}: failover from ${element} (cookie: ${cookie ? "yes" : "no"}): ${reason}`;
      return line(note, text, report.type, { job, element, cookie, reason });
    }
    case "jobInvalid": {
      const { jobId: job, reason } = report, element = showId(report.elementId);
      const text = `job ${job}: ${element} sent what cannot be used: ${reason}`;
      return line(warning, text, report.type, { job, element, reason });
    }
    case "keepAliveSent":
    case "keepAliveAcknowledged": {
      const { jobId: job } = report, element = showId(report.elementId);
      const what = report.type === "keepAliveSent" ? "keep-alive to" : "keep-alive acknowledged by";
      return line(verbose, `job ${job}: ${what} ${element}`, report.type, { job, element });
    }
    case "jobCompleted":
      return describeCompleted(report.record, report.elementId);
    default:
      return undefined;
  }
}

function describeCompleted(record: JobRecord, elementId: number): LogLine {
  const { jobId: job, jobSize, failovers } = record, element = showId(elementId);
  const { queuingMs, startupMs, processingMs, handlingMs } = jobTimes(record);
  const text = `job ${job}: completed by ${element}; queuing ${showTime(queuingMs)}, startup ${
    showTime(startupMs)
  }, processing ${showTime(processingMs)}, ${failovers} failovers, ${
    speed(jobSize, handlingMs).toFixed(0)
  } calculations/s`;
  return line(LogLevel.note, text, "jobCompleted", {
    job,
    element,
    jobSize,
    failovers,
    queuingMs,
    startupMs,
    processingMs,
    handlingMs,
  });
}

function showTime(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(3)} s`;
}
