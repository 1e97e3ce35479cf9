import type { Instant } from "../../net.ts";
import type { SessionId } from "../../session/types.ts";
import type { Liveness } from "./liveness.ts";
import { PieceLength } from "./piece_length.ts";
import type { EnvironmentHash } from "./types.ts";

/** Where a session of a scripting service stands; `server.ts` shows how it gets there. */
export type SessionPhase = "opening" | "uploading" | "working" | "downloading" | "closing";

/** A session of a scripting service: a job. */
export interface ScriptingSession {
  readonly id: SessionId;
  phase: SessionPhase;
  /** Which file comes by Upload now. */
  uploads: "input" | "environment" | "nothing";
  /** Undefined = the user has not named one. */
  environment:
    | { readonly hash: EnvironmentHash; state: "looking" | "missing" | "checking" | "there" }
    | undefined;
  /** Octets that the driver has and has not stored yet. */
  unstored: number;
  /** Octets so far. */
  uploaded: number;
  downloaded: number;
  /** When the upload, the job or the download began. */
  startedAt: Instant;
  /** Whether the user understands more than RSPLIB's. */
  extended: boolean;
  /** A KeepAlive came whose answer the user would not understand yet, or does not take. */
  owesAck: boolean;
  /** The user does not take what is sent. */
  blocked: boolean;
  /** Since when nothing has been seen of what the user has to do. */
  stuckSince: Instant;
  /** Output is being read. */
  reading: boolean;
  /** How much of it at once. */
  readonly pieces: PieceLength;
  readonly liveness: Liveness;
}

/** A session that begins now. */
export function newSession(id: SessionId, liveness: Liveness, now: Instant): ScriptingSession {
  return {
    id,
    phase: "opening",
    uploads: "nothing",
    environment: undefined,
    unstored: 0,
    uploaded: 0,
    downloaded: 0,
    startedAt: now,
    extended: false,
    owesAck: false,
    blocked: false,
    stuckSince: now,
    reading: false,
    pieces: new PieceLength(),
    liveness,
  };
}
