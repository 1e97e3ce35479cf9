import type { TransportAddress } from "../../net.ts";
import type { SessionId } from "../../session/types.ts";
import type { ApplicationEffect, ApplicationInput } from "../application.ts";
import type { FractalParameter } from "./messages.ts";

/** The words of a fractal service: how it behaves, what it takes, asks for and tells. */

/** How a fractal service behaves. */
export interface FractalServerOptions {
  /** Sessions at the same time; another one is turned away. Default 4. */
  readonly maxThreads?: number;
  /** Shut a session down after so many full Data messages, for demonstrations; 0 = never (default). */
  readonly failureAfter?: number;
  /** Compute (x * y) mod 256 whatever is asked for. Default false. */
  readonly testMode?: boolean;
  /** A peer that takes nothing for so long is given up, in milliseconds. Default 2500. */
  readonly transmitTimeoutMs?: number;
  /** Longest time between two Data messages, as far as there are points, in milliseconds. Default 1000. */
  readonly dataMaxTimeMs?: number;
  /** Age of a cookie at which a new one is sent, in milliseconds. Default 1000. */
  readonly cookieMaxTimeMs?: number;
  /** Number of Data messages after which a new cookie is sent. Default 10. */
  readonly cookieMaxPackets?: number;
  /**
   * Most points a second and session, so that a fast machine lets people see an image grow and a failover happen; 0 = as
   * many as it can (default).
   */
  readonly maxRate?: number;
}

/** A piece of work for a processor other than the one that serves the network. */
export interface ComputeJob {
  /** Names the piece, never used again. */
  readonly job: number;
  /** The image; {@linkcode computePoints} takes these three. */
  readonly parameter: FractalParameter;
  /** Index of the first point. */
  readonly first: number;
  /** How many points. */
  readonly count: number;
}

/** What a fractal service takes for its own. */
export type ComputeInput =
  /** The points of a compute job; borrowed. */
  | { readonly type: "computed"; readonly job: number; readonly values: Uint32Array }
  /** A compute job could not be done. */
  | { readonly type: "computeFailed"; readonly job: number; readonly reason: string };

/** What a fractal service asks for on its own. */
export type ComputeEffect =
  | ({ readonly type: "compute" } & ComputeJob)
  /** The points of this job are no longer wanted; an answer is ignored. */
  | { readonly type: "cancelCompute"; readonly job: number };

/** What the machine of a fractal service takes. */
export type FractalServerInput = ApplicationInput<ComputeInput>;

/** What the machine of a fractal service asks for. */
export type FractalServerEffect = ApplicationEffect<ComputeEffect, FractalServerReport>;

/** What is worth a log line at a fractal service. */
export type FractalServerReport =
  | {
    readonly type: "fractalStarted";
    readonly session: SessionId;
    readonly parameter: FractalParameter;
    /** Index of the point to begin with; more than 0 for a session that comes from another PE. */
    readonly first: number;
    readonly resumed: boolean;
  }
  /** A new session was turned away. */
  | { readonly type: "fractalFull"; readonly session: SessionId; readonly peer: readonly TransportAddress[] }
  /** The end marker was sent. */
  | { readonly type: "fractalCompleted"; readonly session: SessionId; readonly points: number }
  /** `failureAfter` was reached. */
  | { readonly type: "fractalFailure"; readonly session: SessionId; readonly fullData: number }
  /** The session was aborted by this side. */
  | { readonly type: "fractalAborted"; readonly session: SessionId; readonly reason: string }
  | { readonly type: "fractalLoad"; readonly load: number; readonly sessionCount: number };
