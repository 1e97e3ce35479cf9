import type { Instant } from "../../net.ts";
import type { SessionId } from "../../session/types.ts";
import type { JobFile, JobId, JobPlace, JobResult } from "./client_types.ts";
import type { Liveness } from "./liveness.ts";
import { PieceLength } from "./piece_length.ts";
import type { EnvironmentHash } from "./types.ts";

/** Where a job of a scripting pool user stands; `client.ts` shows how it gets there. */
export type JobPhase =
  | "seeking"
  | "greeting"
  | "uploading"
  | "uploaded"
  | "processing"
  | "downloading"
  | "finishing"
  | "pausing";

/** What is known of one attempt at a job. With another element all of it begins anew. */
export interface JobRun {
  /** Names the attempt to the driver; 0 = there was none. */
  run: number;
  elementId: number;
  server: string;
  /** The server understands more than RSPLIB's. */
  extended: boolean;
  /** What is being uploaded; undefined = nothing at this moment. */
  file: JobFile | undefined;
  /** Where in that file the next octets are. */
  offset: number;
  reading: boolean;
  /** How much of the file is read at once. */
  readonly pieces: PieceLength;
  blocked: boolean;
  /** Since when nothing has been seen of what the server has to do. */
  stuckSince: Instant;
  /** A KeepAlive came that was not answered, since the server takes nothing. */
  owesAck: boolean;
  /** What the server says of the environment; undefined = it was not asked, or has not answered. */
  environmentNeeded: boolean | undefined;
  /** Octets that the job has printed. */
  printedBytes: number;
  /** Octets of the result that the driver has and has not written yet. */
  unwritten: number;
  /** What the server said of the job last. */
  reason: string | undefined;
  /** Whether the registrar is to hear that the element does not answer. */
  unreachable: boolean;
  uploadedBytes: number;
  downloadedBytes: number;
  /** When the present phase began. */
  since: Instant;
}

/** A job of a scripting pool user. */
export interface Job extends JobRun {
  readonly id: JobId;
  readonly session: SessionId;
  readonly environment: EnvironmentHash | undefined;
  readonly submittedAt: Instant;
  readonly liveness: Liveness;
  phase: JobPhase;
  /** Whether the driver has a part of a result. */
  hasOutput: boolean;
  /** How the job ended, as its server said last. */
  status: number | undefined;
  runs: number;
  failures: number;
  failovers: number;
  pauses: number;
  uploadMs: number;
  processingMs: number;
  downloadMs: number;
}

/** How a job ended, apart from what is known of it anyway. */
export type JobEnd = Pick<JobResult, "outcome" | "reason">;

/** An attempt that begins now. */
export function newRun(run: number, elementId: number, now: Instant): JobRun {
  return {
    run,
    elementId,
    server: "",
    extended: false,
    file: undefined,
    offset: 0,
    reading: false,
    pieces: new PieceLength(),
    blocked: false,
    stuckSince: now,
    owesAck: false,
    environmentNeeded: undefined,
    printedBytes: 0,
    unwritten: 0,
    reason: undefined,
    unreachable: false,
    uploadedBytes: 0,
    downloadedBytes: 0,
    since: now,
  };
}

/** A job that is submitted now. */
export function newJob(
  id: JobId,
  session: SessionId,
  details: {
    readonly environment: EnvironmentHash | undefined;
    readonly liveness: Liveness;
    readonly now: Instant;
  },
): Job {
  const { now, ...rest } = details;
  return {
    ...newRun(0, 0, now),
    ...rest,
    id,
    session,
    submittedAt: now,
    phase: "seeking",
    hasOutput: false,
    status: undefined,
    runs: 0,
    failures: 0,
    failovers: 0,
    pauses: 0,
    uploadMs: 0,
    processingMs: 0,
    downloadMs: 0,
  };
}

/** Which server a job is at, for reports. */
export function placeOf({ id, run, elementId, server }: Job): JobPlace {
  return { job: id, run, elementId, server };
}
