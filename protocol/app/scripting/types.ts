/**
 * What the scripting service's machine and its driver say to each other (reference/rsplib.md §5.5): the machine knows the
 * protocol, the driver knows files, archives and processes.
 *
 * A session has a *workspace* at the driver: a directory that takes the input as it is uploaded, in which the job runs, and
 * from which the output is downloaded. All that takes time is asked for by an effect and answered by an input with
 * the same session. An answer for a session that has gone is ignored; `discardWorkspace` ends everything of it, whatever
 * is under way.
 *
 * What the driver can rely on: effects of a session come in the order of the upload; `checkEnvironment` and `runJob`
 * come only when everything has been `stored`; there is at most one `readOutput` under way, and none after an empty one.
 * What is not yet `stored` is bounded by the receive buffer of an association.
 */
import type { TransportAddress } from "../../net.ts";
import type { SessionId } from "../../session/types.ts";
import type { JobStatus } from "./job_status.ts";

/** SHA-1 of an environment archive: 20 octets. */
export type EnvironmentHash = Uint8Array;

/** What a scripting service asks of its driver. */
export type ScriptingServerEffect =
  /** A session begins. Answered by `workspaceReady` or `workspaceFailed`. */
  | { readonly type: "openWorkspace"; readonly session: SessionId }
  /** Octets of the input archive, borrowed. Answered by `stored`, in order, once they are written. */
  | { readonly type: "storeInput"; readonly session: SessionId; readonly data: Uint8Array }
  /** Octets of the environment archive, borrowed. Answered by `stored`. */
  | { readonly type: "storeEnvironment"; readonly session: SessionId; readonly data: Uint8Array }
  /** Whether the cache has this environment; if so, it is put into the workspace. Answered by `environmentLooked`. */
  | { readonly type: "lookForEnvironment"; readonly session: SessionId; readonly hash: EnvironmentHash }
  /** The environment is there whole: check its hash and signature and cache it. Answered by `environmentChecked`. */
  | { readonly type: "checkEnvironment"; readonly session: SessionId; readonly hash: EnvironmentHash }
  /** The input is there whole: check its signature, unpack it and run `ssrun`. Answered by `jobEnded`. */
  | { readonly type: "runJob"; readonly session: SessionId }
  /** Wants the next octets of the output archive, at most so many. Answered by `outputRead`. */
  | { readonly type: "readOutput"; readonly session: SessionId; readonly maxBytes: number }
  /** The session is over: kill what runs, remove the directory. Always the last effect of a session. Not answered. */
  | { readonly type: "discardWorkspace"; readonly session: SessionId };

/** What the driver answers. */
export type ScriptingServerInput =
  | { readonly type: "workspaceReady"; readonly session: SessionId }
  | { readonly type: "workspaceFailed"; readonly session: SessionId; readonly reason: string }
  /** So many octets have been written. */
  | { readonly type: "stored"; readonly session: SessionId; readonly octets: number }
  /** The disk is full, or the upload is longer than the driver takes. */
  | { readonly type: "storeFailed"; readonly session: SessionId; readonly reason: string }
  | { readonly type: "environmentLooked"; readonly session: SessionId; readonly found: boolean }
  /** `failure` undefined = it is good. */
  | {
    readonly type: "environmentChecked";
    readonly session: SessionId;
    readonly failure: EnvironmentFailure | undefined;
  }
  | JobPrinted
  | JobEnded
  /** Fewer octets than asked for are not the end; none at all are. They are copied: the buffer is free for the next read. */
  | { readonly type: "outputRead"; readonly session: SessionId; readonly data: Uint8Array }
  | { readonly type: "outputFailed"; readonly session: SessionId; readonly reason: string };

/** Why an environment is not used. */
export interface EnvironmentFailure {
  /** One of `JobStatus`: whether that is the environment's fault or the server's. */
  readonly status: JobStatus;
  /** In words. */
  readonly reason: string;
}

/**
 * A running job has written to its standard output or error; while it runs, as it comes, and all of it before `jobEnded`. The
 * driver bounds how much there may be of it. It is handed on to pool users that want it, and is not part of the output archive.
 */
export interface JobPrinted {
  /** Says which input it is. */
  readonly type: "jobPrinted";
  /** Whose job. */
  readonly session: SessionId;
  /** By which of the two. */
  readonly channel: "stdout" | "stderr";
  /** As it was written, in pieces of any length: characters may be cut. */
  readonly data: Uint8Array;
}

/** A job has ended, by itself or by force, or could not be begun. */
export interface JobEnded {
  /** Says which input it is. */
  readonly type: "jobEnded";
  /** Whose job. */
  readonly session: SessionId;
  /** 0 = it succeeded; else its own exit code, or one of the driver's for what is not the job's to say. */
  readonly exitCode: number;
  /** In words, if the code does not say all: a limit was reached, the archive is bad, a signal killed it. */
  readonly reason: string | undefined;
  /** Whether there is an output archive to download. */
  readonly hasOutput: boolean;
}

/** What is worth a log line at a scripting service. */
export type ScriptingServerReport =
  /** A new session was told that the server is not ready. */
  | {
    readonly type: "scriptingFull";
    readonly session: SessionId;
    readonly peer: readonly TransportAddress[];
  }
  | {
    readonly type: "scriptingStarted";
    readonly session: SessionId;
    readonly peer: readonly TransportAddress[];
    /** Jobs that there are now. */
    readonly jobCount: number;
  }
  | {
    readonly type: "scriptingEnvironment";
    readonly session: SessionId;
    readonly hash: EnvironmentHash;
    /** Whether it was in the cache. */
    readonly found: boolean;
  }
  /** Everything has been uploaded, and the job is begun. */
  | {
    readonly type: "scriptingWorking";
    readonly session: SessionId;
    readonly uploadedBytes: number;
    readonly uploadMs: number;
  }
  | {
    readonly type: "scriptingJobEnded";
    readonly session: SessionId;
    readonly status: number;
    readonly reason: string | undefined;
    readonly processingMs: number;
  }
  /** All of the output was handed to the transport. */
  | {
    readonly type: "scriptingDone";
    readonly session: SessionId;
    readonly downloadedBytes: number;
    readonly downloadMs: number;
  }
  /** The session ended before its job was done. */
  | { readonly type: "scriptingFailed"; readonly session: SessionId; readonly reason: string };
