import type { Prng } from "../../machine.ts";
import type { SessionId } from "../../session/types.ts";
import type { ReplyFlowReport } from "../reply_flow.ts";

/** The words of a CalcApp service: how it behaves and what it tells. */

/** How a CalcApp service behaves. */
export interface CalcAppServerOptions {
  /** Jobs at the same time; further ones are rejected. Default 10. */
  readonly maxJobs?: number;
  /** Calculations a second, which all jobs share equally. Default 1000000. */
  readonly capacity?: number;
  /** How long after the last sign of life a user is asked for another one, in milliseconds. Default 2500. */
  readonly keepAliveIntervalMs?: number;
  /** How long a user may take to answer, in milliseconds. Default 2500. */
  readonly keepAliveTimeoutMs?: number;
  /** Age of a cookie at which a new one is sent, in milliseconds. Default 5000. */
  readonly cookieMaxTimeMs?: number;
  /** Calculations of a job after which a new cookie is sent. Default 5000000. */
  readonly cookieMaxCalculations?: number;
  /** How probably a job's user gets a cookie when the service ends in order, 0–1. Default 1. */
  readonly cleanShutdownProbability?: number;
  /** Decides that. */
  readonly prng: Prng;
}

/** What is worth a log line or a line of statistics at a CalcApp service. */
export type CalcAppServerReport =
  | ReplyFlowReport
  | {
    readonly type: "jobStarted";
    readonly session: SessionId;
    readonly jobId: number;
    readonly jobSize: number;
    /** Calculations that are done already: more than 0 for a job that comes from another PE. */
    readonly completed: number;
    readonly resumed: boolean;
  }
  /** All places are taken. */
  | { readonly type: "jobRejected"; readonly session: SessionId; readonly jobId: number }
  | {
    readonly type: "jobCompleted";
    readonly session: SessionId;
    readonly jobId: number;
    readonly jobSize: number;
  }
  /** A job ends before it is done: its user has gone, or has given it up, or the service ends. */
  | {
    readonly type: "jobEnded";
    readonly session: SessionId;
    readonly jobId: number;
    readonly completed: number;
    readonly reason: string;
  }
  /** The session was aborted by this side. */
  | { readonly type: "calcAppAborted"; readonly session: SessionId; readonly reason: string }
  /** A job has started or ended. */
  | {
    readonly type: "calcAppUsage";
    readonly jobCount: number;
    /** Calculations since the start, for all jobs. */
    readonly used: number;
  };
