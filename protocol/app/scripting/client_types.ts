/**
 * What the machine of a scripting pool user and its driver say to each other: the machine knows the protocol, the driver the
 * files (reference/rsplib.md §5.5).
 *
 * A job is one work package, from its input to its output, over as many servers as it takes. Each attempt at it is a *run*
 * with a number of its own: an answer of the driver repeats the run that it was asked in, and is ignored when that is over.
 */
import type { EnvironmentHash } from "./types.ts";
import type { PrintChannel } from "./messages.ts";

/** Names a job; chosen by the driver, never used again. */
export type JobId = number;

/** The files of a job that are uploaded. */
export type JobFile = "input" | "environment";

/** What a scripting pool user asks of its driver. */
export type ScriptingClientEffect =
  /** Wants octets of a file, at most so many. Answered by `fileRead`. At most one a job is under way. */
  | {
    readonly type: "readFile";
    readonly job: JobId;
    readonly run: number;
    readonly file: JobFile;
    readonly offset: number;
    readonly maxBytes: number;
  }
  /** A result begins: what there was of an earlier run's is void. */
  | { readonly type: "beginOutput"; readonly job: JobId; readonly run: number }
  /** The next octets of the result, borrowed. Answered by `outputWritten`, once they are. */
  | { readonly type: "writeOutput"; readonly job: JobId; readonly run: number; readonly data: Uint8Array }
  /** The result is complete. Answered by `outputFinished` once it has its place. */
  | { readonly type: "finishOutput"; readonly job: JobId; readonly run: number }
  /** The result will not be completed: what there is of it is void. Not answered. */
  | { readonly type: "discardOutput"; readonly job: JobId; readonly run: number }
  /** The job has printed this, or the server says this of it. Borrowed. Not answered. */
  | {
    readonly type: "print";
    readonly job: JobId;
    readonly run: number;
    readonly channel: PrintChannel;
    readonly data: Uint8Array;
  };

/** What the driver wants and answers. */
export type ScriptingClientInput =
  /** Begin a job, with the environment of this hash, or without. */
  | {
    readonly type: "submitJob";
    readonly job: JobId;
    readonly environment: EnvironmentHash | undefined;
  }
  /** Give it up. Answered by the report `jobDone`. */
  | { readonly type: "cancelJob"; readonly job: JobId; readonly reason: string }
  /** Fewer octets than asked for are not the end; none at all are. They are copied: the buffer is free for the next read. */
  | { readonly type: "fileRead"; readonly job: JobId; readonly run: number; readonly data: Uint8Array }
  /** So many octets have been written. */
  | { readonly type: "outputWritten"; readonly job: JobId; readonly run: number; readonly octets: number }
  | { readonly type: "outputFinished"; readonly job: JobId; readonly run: number }
  /** A file of the job cannot be read or written: no server can help that. */
  | { readonly type: "fileFailed"; readonly job: JobId; readonly reason: string };

/** How a job ended. */
export interface JobResult {
  /**
   * `succeeded`: status 0, and the result has its place. `failed`: the job failed in each of its trials, and what the last one
   * left has its place, if it came. `cancelled`: given up by this side. `unusable`: a file of this side cannot be read or written.
   */
  readonly outcome: "succeeded" | "failed" | "cancelled" | "unusable";
  /** The job's exit status of the last run that ended; undefined = none did. */
  readonly status: number | undefined;
  /** In words, where there is more to say than the status does. */
  readonly reason: string | undefined;
  /** The element that ran it last; 0 = none. */
  readonly elementId: number;
  /** What that server calls itself. */
  readonly server: string;
  /** How often the job was begun at a server. */
  readonly runs: number;
  /** How often a server was lost or left in the middle. */
  readonly failovers: number;
  /** Octets of the last run: input and environment. */
  readonly uploadedBytes: number;
  /** Octets of the result. */
  readonly downloadedBytes: number;
  /** From the job's submission to its end, in milliseconds. */
  readonly durationMs: number;
  /** From the server's Ready to its word that processing starts, in the last run. */
  readonly uploadMs: number;
  /** From there to the job's exit status. */
  readonly processingMs: number;
  /** From there to the last octet of the result. */
  readonly downloadMs: number;
}

/** Which server a job is at. */
export interface JobPlace {
  /** Which job. */
  readonly job: JobId;
  /** Which attempt at it. */
  readonly run: number;
  /** PE identifier. */
  readonly elementId: number;
  /** What the server calls itself; empty before it has said so. */
  readonly server: string;
}

/** What is worth telling at a scripting pool user. */
export type ScriptingClientReport =
  /** A server takes the job: it is uploaded. */
  | JobPlace & { readonly type: "jobReady" }
  /** A server has no place for it. */
  | JobPlace & { readonly type: "jobRefused"; readonly reason: number; readonly pauseMs: number }
  /** Whether the server needs the environment to be uploaded. */
  | JobPlace & { readonly type: "jobEnvironment"; readonly uploadNeeded: boolean }
  /** So many octets of the input and the environment, or of the result, have gone. */
  | JobPlace & {
    readonly type: "jobProgress";
    readonly phase: "uploading" | "downloading";
    readonly bytes: number;
  }
  /** Everything is uploaded, and the server runs the job. */
  | JobPlace & { readonly type: "jobProcessing"; readonly uploadedBytes: number; readonly uploadMs: number }
  /** The job has ended. */
  | JobPlace & { readonly type: "jobExited"; readonly status: number; readonly processingMs: number }
  /** The job has failed, and is tried again. */
  | JobPlace & {
    readonly type: "jobRetried";
    readonly status: number;
    /** How many trials have failed. */
    readonly failures: number;
    readonly maxTrials: number;
    readonly pauseMs: number;
  }
  /** The server was lost or left: the job is begun anew at another one. */
  | JobPlace & { readonly type: "jobFailover"; readonly reason: string; readonly pauseMs: number }
  | { readonly type: "jobDone"; readonly job: JobId; readonly result: JobResult };
