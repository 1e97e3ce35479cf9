/** What a CalcApp user counts, and the texts of its files in RSPLIB's form (reference/rsplib.md §5.4). Pure. */
import { scalarText } from "../driver/scalar_file.ts";
import { seconds, wallTimeAt } from "../driver/wall_time.ts";
import type { CalcAppClientReport, JobRecord } from "../../protocol/app/calcapp/mod.ts";
import type { SessionReport } from "../../protocol/session/types.ts";

/** The first line of a vector file. As in all of RSPLIB's, the lines begin with one column more: their number. */
export const VECTOR_HEADER: string = "ObjectName PID JobID JobSize JobInterval   " +
  "QueueLength QueuingDelay StartupDelay ProcessingTime HandlingTime HandlingSpeed   " +
  "QueuingTimeStamp StartupTimeStamp AcceptTimeStamp CompleteTimeStamp\n";

/** How long the stages of a job took, in milliseconds. */
export interface JobTimes {
  /** Until its turn came. */
  readonly queuingMs: number;
  /** From there until an element accepted it. */
  readonly startupMs: number;
  /** From there until it was done. */
  readonly processingMs: number;
  /** All of it. */
  readonly handlingMs: number;
}

/** The stages of a job. */
export function jobTimes({ queuedAt, startedAt, acceptedAt, completedAt }: JobRecord): JobTimes {
  return {
    queuingMs: startedAt - queuedAt,
    startupMs: acceptedAt - startedAt,
    processingMs: completedAt - acceptedAt,
    handlingMs: completedAt - queuedAt,
  };
}

/** Calculations a second; 0 when there was no time. */
export function speed(calculations: number, milliseconds: number): number {
  return milliseconds > 0 ? 1000 * calculations / milliseconds : 0;
}

/** Whose jobs they are. */
export interface JobOwner {
  readonly objectName: string;
  readonly processId: number;
}

/** A line of a vector file as text. */
export function vectorLine({ objectName, processId }: JobOwner, serial: number, record: JobRecord): string {
  const { jobId, jobSize, intervalMs, queueLength } = record;
  const { queuingMs, startupMs, processingMs, handlingMs } = jobTimes(record);
  const times = [queuingMs, startupMs, processingMs, handlingMs].map(seconds).join(" ");
  const stamps = [record.queuedAt, record.startedAt, record.acceptedAt, record.completedAt];
  return [
    `${String(serial).padStart(6, "0")} ${objectName} ${processId} ${jobId} ${jobSize} ${
      seconds(intervalMs)
    }`,
    `${queueLength} ${times} ${speed(jobSize, handlingMs).toFixed(6)}`,
    stamps.map((instant) => seconds(wallTimeAt(instant))).join(" "),
  ].join("   ") + "\n";
}

/** The totals of a pool user. */
export class JobTotals {
  /** Jobs in each stage, and their calculations. */
  readonly queued = { jobs: 0, size: 0 };
  readonly started = { jobs: 0, size: 0 };
  readonly completed = { jobs: 0, size: 0 };
  /** Messages, by RSPLIB's names: what was sent of Requests and KeepAlives, what came of the others. */
  readonly messages = { Requests: 0, Accepts: 0, Rejects: 0, Completes: 0, KeepAlives: 0, KeepAliveAcks: 0 };
  failovers = 0;
  #queuingMs = 0;
  #startupMs = 0;
  #processingMs = 0;
  #handlingMs = 0;

  /** Takes a report of the machine. */
  report(report: CalcAppClientReport | SessionReport): void {
    switch (report.type) {
      case "jobQueued":
        return count(this.queued, report.jobSize);
      case "jobStarted":
        return count(this.started, report.jobSize);
      case "jobRequested": // a cookie asks in its place
        if (!report.resumed) this.messages.Requests++;
        return;
      case "jobAccepted":
        this.messages.Accepts++;
        return;
      case "jobRejected":
        this.messages.Rejects++;
        return;
      case "jobFailover":
        this.failovers++;
        return;
      case "keepAliveSent":
        this.messages.KeepAlives++;
        return;
      case "keepAliveAcknowledged":
        this.messages.KeepAliveAcks++;
        return;
      case "jobCompleted":
        return this.#complete(report.record);
      default:
        return;
    }
  }

  /** Calculations a second while jobs were under way. */
  get processingSpeed(): number {
    return speed(this.completed.size, this.#processingMs);
  }

  /** Calculations a second from when jobs came. */
  get handlingSpeed(): number {
    return speed(this.completed.size, this.#handlingMs);
  }

  /** A scalar file. */
  scalarText(objectName: string): string {
    const { queued, started, completed } = this;
    return scalarText(objectName, "CalcAppPU", [
      ["Total Queuing Time", seconds(this.#queuingMs)],
      ["Total Startup Time", seconds(this.#startupMs)],
      ["Total Processing Time", seconds(this.#processingMs)],
      ["Total Handling Time", seconds(this.#handlingMs)],
      ["Average Processing Speed", this.processingSpeed.toFixed(0)],
      ["Average Handling Speed", this.handlingSpeed.toFixed(0)],
      ["Total Jobs Queued", String(queued.jobs)],
      ["Total Jobs Started", String(started.jobs)],
      ["Total Jobs Completed", String(completed.jobs)],
      ["Total Job Size Queued", queued.size.toFixed(0)],
      ["Total Job Size Started", started.size.toFixed(0)],
      ["Total Job Size Completed", completed.size.toFixed(0)],
      ...Object.entries(this.messages).map(([name, number]) =>
        [`Total CalcApp${name}`, String(number)] as const
      ),
    ]);
  }

  #complete(record: JobRecord): void {
    this.messages.Completes++;
    count(this.completed, record.jobSize);
    const { queuingMs, startupMs, processingMs, handlingMs } = jobTimes(record);
    this.#queuingMs += queuingMs;
    this.#startupMs += startupMs;
    this.#processingMs += processingMs;
    this.#handlingMs += handlingMs;
  }
}

function count(stage: { jobs: number; size: number }, jobSize: number): void {
  stage.jobs++;
  stage.size += jobSize;
}
