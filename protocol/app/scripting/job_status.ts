/**
 * What the second Status message of the scripting service says (reference/rsplib.md §5.5): how a job ended. RSPLIB knows 0 and
 * 1 only; a client of any make takes all that is not 0 as a failure, so there is room to say which.
 */

/**
 * Statuses that are not the job's own. 0 to 255 are its exit code (128 + n when signal n killed it, as shells say it);
 * what the server has to say begins behind them.
 */
export const JobStatus = {
  /** The job succeeded. */
  success: 0,
  /** The work package cannot be unpacked, or is not allowed to be. */
  badPackage: 256,
  /** The work package is not signed by a key of the server's keyring. */
  badSignature: 257,
  /** The work package has no file `ssrun`. */
  noScript: 258,
  /** The server could not run the job, which is not the job's fault: another server may. */
  serverFailure: 259,
  /** It ran longer than the server allows. */
  timeLimit: 260,
  /** It took more memory than the server allows. */
  memoryLimit: 261,
  /** It had more processes and threads than the server allows. */
  processLimit: 262,
  /** Its files took more room than the server allows. */
  diskLimit: 263,
  /** Its result is larger than the server allows. */
  outputLimit: 264,
  /** It wrote more to its standard output and standard error than the server keeps. */
  consoleLimit: 265,
} as const;

/** One of {@linkcode JobStatus} or an exit code. */
export type JobStatus = number;

const WORDS: ReadonlyMap<number, string> = new Map([
  [JobStatus.success, "it succeeded"],
  [JobStatus.badPackage, "its work package cannot be unpacked"],
  [JobStatus.badSignature, "its work package has no good signature"],
  [JobStatus.noScript, "its work package has no file ssrun"],
  [JobStatus.serverFailure, "the server could not run it"],
  [JobStatus.timeLimit, "it was killed: it took more time than allowed"],
  [JobStatus.memoryLimit, "it was killed: it took more memory than allowed"],
  [JobStatus.processLimit, "it was killed: it had more processes than allowed"],
  [JobStatus.diskLimit, "it was killed: it took more room on the disk than allowed"],
  [JobStatus.outputLimit, "its result is larger than allowed"],
  [JobStatus.consoleLimit, "it was killed: it flooded its standard output"],
]);

/** Signals that end programs, by number. The numbers are Linux's on the machines that Deno runs on. */
const SIGNALS: ReadonlyMap<number, string> = new Map([
  [1, "SIGHUP"],
  [2, "SIGINT"],
  [3, "SIGQUIT"],
  [4, "SIGILL"],
  [6, "SIGABRT"],
  [7, "SIGBUS"],
  [8, "SIGFPE"],
  [9, "SIGKILL"],
  [11, "SIGSEGV"],
  [13, "SIGPIPE"],
  [14, "SIGALRM"],
  [15, "SIGTERM"],
  [24, "SIGXCPU"],
  [25, "SIGXFSZ"],
  [31, "SIGSYS"],
]);

/**
 * What a status means, as the end of a sentence about the job.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * assert.equal(describeJobStatus(0), "it succeeded");
 * assert.equal(describeJobStatus(3), "it ended with exit code 3");
 * assert.equal(describeJobStatus(139), "it ended with exit code 139, as after SIGSEGV");
 * ```
 */
export function describeJobStatus(status: JobStatus): string {
  const known = WORDS.get(status);
  if (known !== undefined) return known;
  if (status > 255) return `the server says ${status}, which this program does not know`;
  const signal = SIGNALS.get(status - 128);
  return `it ended with exit code ${status}${signal === undefined ? "" : `, as after ${signal}`}`;
}
