/** The files in which a CalcApp service writes down its work, in RSPLIB's form (reference/rsplib.md §5.4). */
import { openOutputFile } from "../driver/output_file.ts";
import type { OutputFile } from "../driver/output_file.ts";
import { scalarText } from "../driver/scalar_file.ts";
import { seconds, wallTime } from "../driver/wall_time.ts";
import type { WallTime } from "../driver/wall_time.ts";

/** The first line of a vector file. As in all of RSPLIB's, the lines begin with one column more: their number. */
export const CALC_APP_VECTOR_HEADER: string =
  "ObjectName PID PoolElementIdentifier CurrentTimeStamp Runtime   " +
  "AvailableCalculations UsedCalculations Utilization   CurrentJobs MaxJobs\n";

/** What a service is, for its files. */
export interface CalcAppService {
  readonly objectName: string;
  readonly processId: number;
  readonly elementId: number;
  /** Calculations a second. */
  readonly capacity: number;
  readonly maxJobs: number;
}

/** What a service has done. */
export interface CalcAppWork {
  readonly runtimeMs: number;
  /** Calculations, for all jobs. */
  readonly used: number;
}

/** How much of its capacity a service could have used so far, and has. */
function utilization({ capacity }: CalcAppService, { runtimeMs, used }: CalcAppWork): {
  readonly available: number;
  readonly utilization: number;
} {
  const available = capacity * runtimeMs / 1000;
  return { available, utilization: available === 0 ? 0 : used / available };
}

/** A line of a vector file as text: how things are at a moment. */
export function calcAppVectorLine(
  service: CalcAppService,
  line: CalcAppWork & { readonly serial: number; readonly now: WallTime; readonly jobCount: number },
): string {
  const { objectName, processId, elementId, maxJobs } = service;
  const use = utilization(service, line);
  const id = `0x${elementId.toString(16).padStart(8, "0")}`;
  return [
    `${String(line.serial).padStart(6, "0")} ${objectName} ${processId} ${id} ${seconds(line.now)}`,
    seconds(line.runtimeMs),
    `${use.available.toFixed(0)} ${line.used.toFixed(0)} ${use.utilization.toFixed(6)}`,
    `${line.jobCount} ${maxJobs}`,
  ].join("   ") + "\n";
}

/** A scalar file, as the simulator OMNeT++ and its tools read it. */
export function calcAppScalarText(
  service: CalcAppService,
  work: CalcAppWork & { readonly jobsAccepted: number; readonly jobsRejected: number },
): string {
  const use = utilization(service, work);
  const values: readonly (readonly [string, string])[] = [
    ["Service Uptime", seconds(work.runtimeMs)],
    ["Service Capacity", service.capacity.toFixed(0)],
    ["Service Max Jobs", String(service.maxJobs)],
    ["Total Used Capacity", work.used.toFixed(0)],
    ["Total Wasted Capacity", Math.max(0, use.available - work.used).toFixed(0)],
    ["Total Jobs Accepted", String(work.jobsAccepted)],
    ["Total Jobs Rejected", String(work.jobsRejected)],
    ["Utilization", use.utilization.toFixed(6)],
  ];
  return scalarText(service.objectName, "CalcAppPE", values);
}

/** Which files to write, and about what. */
export interface CalcAppFilesOptions {
  readonly service: CalcAppService;
  /** The vector file; undefined = none. */
  readonly vector: string | undefined;
  /** The scalar file; undefined = none. */
  readonly scalar: string | undefined;
  /** Takes a sentence for people when a file cannot be written any more. */
  readonly onProblem: (sentence: string) => void;
  /** What earlier lives of the service have done, and this one adds to; a new one for the first. */
  readonly history: CalcAppHistory;
}

/** What a service has done over all its lives, between which a failure tester lets it be dead. */
export class CalcAppHistory {
  lives = 0;
  lineCount = 0;
  runtimeMs = 0;
  used = 0;
  jobsAccepted = 0;
  jobsRejected = 0;
}

/** The files of a service, for one life. They go on where those of the life before ended. */
export class CalcAppFiles implements AsyncDisposable {
  readonly #service: CalcAppService;
  readonly #history: CalcAppHistory;
  readonly #vector: OutputFile | undefined;
  readonly #scalar: OutputFile | undefined;
  readonly #startedAt = wallTime();
  #used = 0;

  /**
   * Opens them.
   *
   * @throws {OptionError} when one cannot be opened
   */
  constructor({ service, vector, scalar, onProblem, history }: CalcAppFilesOptions) {
    const append = history.lives > 0;
    this.#service = service;
    this.#history = history;
    this.#vector = vector === undefined
      ? undefined
      : openOutputFile({ path: vector, option: "capvector", onProblem, append });
    this.#scalar = scalar === undefined
      ? undefined
      : openOutputFile({ path: scalar, option: "capscalar", onProblem });
    if (!append) this.#vector?.write(CALC_APP_VECTOR_HEADER);
    history.lives++;
  }

  /** A job was accepted. */
  accepted(): void {
    this.#history.jobsAccepted++;
  }

  /** A job was rejected. */
  rejected(): void {
    this.#history.jobsRejected++;
  }

  /** The number of jobs has changed. */
  usage(jobCount: number, used: number): void {
    this.#used = used;
    const now = wallTime(), serial = ++this.#history.lineCount;
    this.#vector?.write(calcAppVectorLine(this.#service, { serial, now, jobCount, ...this.#work(now) }));
  }

  /** Writes what is still to be written. */
  async [Symbol.asyncDispose](): Promise<void> {
    Object.assign(this.#history, this.#work(wallTime()));
    this.#scalar?.write(calcAppScalarText(this.#service, this.#history));
    await Promise.all([this.#vector?.close(), this.#scalar?.close()]);
  }

  #work(now: WallTime): CalcAppWork {
    const { runtimeMs, used } = this.#history;
    return { runtimeMs: runtimeMs + now - this.#startedAt, used: used + this.#used };
  }
}
