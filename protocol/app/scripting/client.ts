import type { Prng } from "../../machine.ts";
import type { Instant } from "../../net.ts";
import type { SessionEvent, SessionId } from "../../session/types.ts";
import { DecodeError } from "../../wire/errors.ts";
import type { Application, ApplicationOutlet } from "../application.ts";
import { ClientDownload } from "./client_download.ts";
import { ClientFailover } from "./client_failover.ts";
import { newJob } from "./client_job.ts";
import type { Job, JobEnd } from "./client_job.ts";
import type {
  JobId,
  ScriptingClientEffect,
  ScriptingClientInput,
  ScriptingClientReport,
} from "./client_types.ts";
import { ClientUpload } from "./client_upload.ts";
import { ClientWatch } from "./client_watch.ts";
import { Liveness } from "./liveness.ts";
import { readScripting } from "./messages.ts";
import type { ScriptingMessage } from "./messages.ts";
import { ScriptingPost } from "./post.ts";
import type { EnvironmentHash } from "./types.ts";

/** How a scripting pool user behaves. */
export interface ScriptingClientOptions {
  /** The pool that runs jobs. */
  readonly poolHandle: Uint8Array;
  /** How often a job that fails is run, at least 1. Default 3. */
  readonly maxTrials?: number;
  /** The longest pause before another server is asked, in milliseconds. Default 10000. */
  readonly retryDelayMs?: number;
  /** A server may take nothing for so long, in milliseconds. Default 59500. */
  readonly transmitTimeoutMs?: number;
  /** Between two KeepAlive messages, in milliseconds. Default 10000. */
  readonly keepAliveIntervalMs?: number;
  /** How long a server may leave one unanswered, in milliseconds. Default 10000. */
  readonly keepAliveTimeoutMs?: number;
  /** For the jitter of pauses. */
  readonly prng: Prng;
}

/**
 * A pool user that has jobs run by a pool of scripting services (reference/rsplib.md §5.5), any number at the same time, each
 * in a session of its own.
 *
 * Theory of operation: an element greets with Ready; the job is uploaded, without waiting for anything; the element says when
 * it begins and how the job has ended, and the result is downloaded. Nothing survives an element: whatever goes wrong, the job
 * is begun anew at another one, after a pause that grows. A job that fails is tried so many times; the last time its result is
 * downloaded all the same, since it may say why.
 *
 *     seeking --opened--> greeting --Ready--> uploading --all sent--> uploaded --Status--> processing
 *        ^                   |                    |                       |                    | Status
 *        \----- pausing <----+--------------------+-----------------------+----------- downloading --end--> finishing
 *
 * This file has a job's beginning and its end, and says whose business a message is. `client_upload.ts` is what the server
 * needs for a job, `client_download.ts` what comes back of it; `client_watch.ts` finds out which servers have gone, and
 * `client_failover.ts` goes on to the next one.
 *
 * Octets are not kept here: no more of a file is read while the element takes nothing, and what comes occupies the receive
 * window until the driver has written it.
 *
 * RSPLIB's server ends a session on a KeepAlive before it processes, and does not read while it sends a result. So a server
 * that has not said by a flag of its Ready that it can do better gets none before everything is uploaded, and anything that
 * comes from it counts as an answer.
 *
 * @example A job is submitted: a session of the pool is opened
 * ```ts
 * import { encodeText, Prng, ScriptingClient } from "@rsp/rsp";
 * import assert from "node:assert/strict";
 *
 * const commands: string[] = [];
 * const outlet = { command: ({ type }: { type: string }) => commands.push(type), effect: () => {}, report: () => {} };
 * const client = new ScriptingClient(outlet, { poolHandle: encodeText("ScriptingPool"), prng: new Prng(1) });
 * client.input({ type: "submitJob", job: 1, environment: undefined }, 0);
 * assert.deepEqual(commands, ["openSession"]);
 * ```
 */
export class ScriptingClient implements Application<ScriptingClientInput> {
  readonly #options: Required<ScriptingClientOptions>;
  readonly #outlet: ApplicationOutlet<ScriptingClientEffect, ScriptingClientReport>;
  readonly #jobs = new Map<JobId, Job>();
  readonly #bySession = new Map<SessionId, Job>();
  readonly #post: ScriptingPost;
  readonly #watch: ClientWatch;
  readonly #failover: ClientFailover;
  readonly #upload: ClientUpload;
  readonly #download: ClientDownload;
  #lastSession = 0;

  /**
   * Makes a pool user that does nothing until `submitJob`.
   *
   * @param outlet where it speaks
   * @param options how it behaves
   */
  constructor(
    outlet: ApplicationOutlet<ScriptingClientEffect, ScriptingClientReport>,
    options: ScriptingClientOptions,
  ) {
    this.#outlet = outlet;
    this.#options = {
      maxTrials: 3,
      retryDelayMs: 10_000,
      transmitTimeoutMs: 59_500,
      keepAliveIntervalMs: 10_000,
      keepAliveTimeoutMs: 10_000,
      ...options,
    };
    const post = new ScriptingPost((command) => outlet.command(command));
    const watch = new ClientWatch(this.#options, {
      post,
      jobs: this.#jobs,
      lost: (job, reason, now) => this.#failover.lost(job, reason, now),
      pauseOver: (job) => this.#failover.pauseOver(job),
    });
    const finish = (job: Job, end: JobEnd, now: Instant) => this.#finish(job, end, now);
    const failover = new ClientFailover(this.#options, { outlet, watch, finish });
    const { maxTrials } = this.#options;
    this.#post = post;
    this.#watch = watch;
    this.#failover = failover;
    this.#upload = new ClientUpload({ outlet, post, watch });
    this.#download = new ClientDownload({ outlet, post, watch, failover, maxTrials, finish });
  }

  sessionEvent(event: SessionEvent, now: Instant): void {
    const job = this.#bySession.get(event.session);
    if (job === undefined) return;
    switch (event.type) {
      case "sessionOpened":
        return this.#failover.connected(job, event.elementId, now);
      case "sessionMessage":
        return this.#message(job, event.data, now);
      case "sessionFailover":
        return this.#failover.failover(job, event, now);
      case "sessionBlocked":
        return this.#watch.blocked(job, now);
      case "sessionWritable":
        this.#watch.writable(job, now);
        return this.#upload.readOn(job);
      case "sessionClosed":
        return this.#finish(job, { outcome: "cancelled", reason: event.reason }, now);
      case "sessionCookie":
      case "sessionCookieHeld": // no state survives a server
        return;
      default:
        event satisfies never;
    }
  }

  input(input: ScriptingClientInput, now: Instant): void {
    if (input.type === "submitJob") return this.#submit(input.job, input.environment, now);
    const job = this.#jobs.get(input.job);
    if (job === undefined) return;
    if (input.type === "cancelJob") {
      return this.#finish(job, { outcome: "cancelled", reason: input.reason }, now);
    }
    if (input.type === "fileFailed") {
      return this.#finish(job, { outcome: "unusable", reason: input.reason }, now);
    }
    if (input.run !== job.run || job.phase === "pausing" || job.phase === "seeking") return;
    switch (input.type) {
      case "fileRead":
        return this.#upload.fileRead(job, input.data, now);
      case "outputWritten":
        return this.#download.written(job, input.octets, now);
      case "outputFinished":
        return this.#download.outputFinished(job, now);
      default:
        input satisfies never;
    }
  }

  stop(now: Instant): void {
    for (const job of [...this.#jobs.values()]) {
      this.#finish(job, { outcome: "cancelled", reason: "the pool user stops" }, now);
    }
  }

  tick(now: Instant): void {
    this.#watch.tick(now);
  }

  nextTimeout(): Instant | undefined {
    return this.#watch.nextTimeout();
  }

  // ---------------------------------------------------------------------------------------- beginning and end

  #submit(id: JobId, environment: EnvironmentHash | undefined, now: Instant): void {
    if (this.#jobs.has(id)) return;
    const job = newJob(id, ++this.#lastSession, { environment, liveness: new Liveness(this.#options), now });
    this.#jobs.set(id, job);
    this.#bySession.set(job.session, job);
    const { poolHandle } = this.#options;
    this.#outlet.command({ type: "openSession", session: job.session, poolHandle });
  }

  /** The last of a job. */
  #finish(job: Job, end: JobEnd, now: Instant): void {
    if (job.hasOutput && job.phase !== "finishing") {
      this.#outlet.effect({ type: "discardOutput", job: job.id, run: job.run });
    }
    this.#jobs.delete(job.id);
    this.#bySession.delete(job.session);
    this.#watch.forget(job);
    const inOrder = job.phase === "finishing";
    this.#outlet.command({
      type: "closeSession",
      session: job.session,
      how: inOrder ? "shutdown" : "abort",
    });
    const { status, elementId, server, runs, failovers, uploadedBytes, downloadedBytes } = job;
    const { uploadMs, processingMs, downloadMs } = job;
    const durationMs = now - job.submittedAt;
    const counts = { runs, failovers, uploadedBytes, downloadedBytes };
    const times = { durationMs, uploadMs, processingMs, downloadMs };
    const result = { ...end, status, elementId, server, ...counts, ...times };
    this.#outlet.report({ type: "jobDone", job: job.id, result });
  }

  // ------------------------------------------------------------------------------------------------- messages

  #message(job: Job, octets: Uint8Array, now: Instant): void {
    job.liveness.heard();
    const idle = job.phase === "pausing" || job.phase === "finishing";
    const message = idle ? undefined : this.#read(job, octets, now);
    const written = message?.type === "download" && this.#download.download(job, message.data, now)
      ? message.data.length
      : 0;
    // What the driver writes is consumed when it has.
    this.#post.consumed(job.session, octets.length - written);
    if (message !== undefined && message.type !== "download") this.#other(job, message, now);
    if (this.#jobs.has(job.id)) this.#watch.heard(job, now);
  }

  /** Undefined = it cannot be read, and the server was left. The PPID does not matter, as to RSPLIB: its old one differs. */
  #read(job: Job, octets: Uint8Array, now: Instant): ScriptingMessage | undefined {
    try {
      return readScripting(octets);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#failover.lost(job, `the server sent what cannot be read: ${error.message}`, now);
      return undefined;
    }
  }

  #other(job: Job, message: ScriptingMessage, now: Instant): void {
    switch (message.type) {
      case "keepAlive":
        return this.#watch.keepAlive(job);
      case "keepAliveAck":
        return;
      case "print":
        return this.#download.print(job, message);
      case "ready":
        if (job.phase === "greeting") return this.#upload.ready(job, message, now);
        break;
      case "notReady":
        if (job.phase === "greeting") return this.#failover.refused(job, message, now);
        break;
      case "environment":
        if (job.phase === "uploading" && job.environment !== undefined) {
          return this.#upload.environmentAnswered(job, message.uploadNeeded, now);
        }
        break;
      case "status":
        if (job.phase === "uploaded" && message.status === 0) return this.#download.processing(job, now);
        if (job.phase === "uploaded" || job.phase === "processing") {
          return this.#download.exited(job, message.status, now);
        }
        break;
      case "upload":
      case "download":
        break;
      default:
        message satisfies never;
    }
    this.#failover.lost(job, `the server sent a ${message.type} message at the wrong time`, now);
  }
}
