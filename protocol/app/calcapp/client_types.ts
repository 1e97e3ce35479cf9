import type { Instant } from "../../net.ts";

/** The words of a CalcApp user: what it takes and what it tells. */

/** What a CalcApp user takes besides what its session client does. */
export interface CalcAppClientInput {
  /** One more job; it waits for its turn. */
  readonly type: "job";
  /** Calculations. */
  readonly jobSize: number;
}

/** The times of a job, by the machine's clock. */
export interface JobRecord {
  /** Counted from 1. */
  readonly jobId: number;
  /** Calculations. */
  readonly jobSize: number;
  /** Time until the next job came, in milliseconds; 0 for one that did not come by itself. */
  readonly intervalMs: number;
  /** Jobs that waited when it came. */
  readonly queueLength: number;
  /** It came. */
  readonly queuedAt: Instant;
  /** Its turn came. */
  readonly startedAt: Instant;
  /** A PE accepted it, the first time. */
  readonly acceptedAt: Instant;
  /** It was done. */
  readonly completedAt: Instant;
  /** How often it changed its PE. */
  readonly failovers: number;
}

/** What a CalcApp user tells. */
export type CalcAppClientReport =
  | {
    readonly type: "jobQueued";
    readonly jobId: number;
    readonly jobSize: number;
    /** Jobs that wait before it. */
    readonly queueLength: number;
  }
  /** So many jobs wait that no more are made for now. */
  | { readonly type: "jobQueueFull"; readonly queueLength: number }
  /** Its turn has come; a session is opened. */
  | { readonly type: "jobStarted"; readonly jobId: number; readonly jobSize: number }
  | {
    readonly type: "jobRequested";
    readonly jobId: number;
    readonly elementId: number;
    /** Whether it goes on from a cookie. */
    readonly resumed: boolean;
  }
  | { readonly type: "jobAccepted"; readonly jobId: number; readonly elementId: number }
  | {
    readonly type: "jobRejected";
    readonly jobId: number;
    readonly elementId: number;
    /** How long the job waits until another PE is asked, in milliseconds. */
    readonly pauseMs: number;
  }
  /** The PE was lost or left. */
  | {
    readonly type: "jobFailover";
    readonly jobId: number;
    readonly elementId: number;
    /** Whether there is a cookie to go on from. */
    readonly hasCookie: boolean;
    readonly reason: string;
    /** How long the job waits until another PE is asked, in milliseconds. */
    readonly pauseMs: number;
  }
  /** A message that cannot be right was ignored. */
  | {
    readonly type: "jobInvalid";
    readonly jobId: number;
    readonly elementId: number;
    readonly reason: string;
  }
  | { readonly type: "keepAliveSent"; readonly jobId: number; readonly elementId: number }
  | { readonly type: "keepAliveAcknowledged"; readonly jobId: number; readonly elementId: number }
  | { readonly type: "jobCompleted"; readonly record: JobRecord; readonly elementId: number };
