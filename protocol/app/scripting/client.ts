import { earliest, TimerQueue } from "../../machine.ts";
import type { Prng } from "../../machine.ts";
import { Ppid } from "../../net.ts";
import type { Instant } from "../../net.ts";
import type { SessionEvent, SessionFailover, SessionId } from "../../session/types.ts";
import { DecodeError } from "../../wire/errors.ts";
import { showText } from "../../wire/text.ts";
import type { Application, ApplicationOutlet } from "../application.ts";
import { newJob, newRun } from "./client_job.ts";
import type { Job } from "./client_job.ts";
import type {
  JobFile,
  JobId,
  JobPlace,
  JobResult,
  ScriptingClientEffect,
  ScriptingClientInput,
  ScriptingClientReport,
} from "./client_types.ts";
import { Liveness } from "./liveness.ts";
import { MAX_SCRIPTING_DATA, pieceOf, readScripting, writeScripting } from "./messages.ts";
import type { ScriptingMessage } from "./messages.ts";
import type { EnvironmentHash } from "./types.ts";

/** Octets of a file that are read at once: more than one message, so that a disk is asked less often. */
const READ_CHUNK = 32 * MAX_SCRIPTING_DATA;

/**
 * Octets of what a job prints that are handed on in a run; the rest is left out. They go to the driver without waiting for it,
 * and are as many as this project's server lets a job print.
 */
const MAX_PRINTED = 16 * 1024 * 1024;

/** The first pause before another server is asked is this part of the longest one; each further one doubles. */
const FIRST_PAUSE = 1 / 16;

/** Pauses vary by this fraction, as RSPLIB's do. */
const PAUSE_JITTER = 0.125;

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
 * downloaded all the same, since it may say why. `client_job.ts` shows the stations of a job.
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
  /** When a job has waited long enough: for the server, or before it goes on. */
  readonly #limits = new TimerQueue<JobId>();
  /** When a keep-alive is due. */
  readonly #keepAlives = new TimerQueue<JobId>();
  #lastSession = 0;
  #lastRun = 0;

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
  }

  sessionEvent(event: SessionEvent, now: Instant): void {
    const job = this.#bySession.get(event.session);
    if (job === undefined) return;
    switch (event.type) {
      case "sessionOpened":
        return this.#connected(job, event.elementId, now);
      case "sessionMessage":
        return this.#message(job, event.data, now);
      case "sessionFailover":
        return this.#failover(job, event, now);
      case "sessionBlocked":
        job.blocked = true;
        return this.#armLimit(job, now);
      case "sessionWritable":
        job.blocked = false;
        this.#answerKeepAlive(job);
        job.liveness.excuse(now);
        this.#armKeepAlive(job);
        this.#armLimit(job, now);
        return this.#readOn(job);
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
        return this.#fileRead(job, input.data, now);
      case "outputWritten":
        return this.#written(job, input.octets, now);
      case "outputFinished":
        return this.#outputFinished(job, now);
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
    for (let id = this.#limits.takeDue(now); id !== undefined; id = this.#limits.takeDue(now)) {
      const job = this.#jobs.get(id);
      if (job !== undefined) this.#limitReached(job, now);
    }
    for (let id = this.#keepAlives.takeDue(now); id !== undefined; id = this.#keepAlives.takeDue(now)) {
      const job = this.#jobs.get(id);
      if (job !== undefined) this.#keepAliveDue(job, now);
    }
  }

  nextTimeout(): Instant | undefined {
    return earliest(this.#limits.next(), this.#keepAlives.next());
  }

  // ---------------------------------------------------------------------------------- from server to server

  #submit(id: JobId, environment: EnvironmentHash | undefined, now: Instant): void {
    if (this.#jobs.has(id)) return;
    const job = newJob(id, ++this.#lastSession, { environment, liveness: new Liveness(this.#options), now });
    this.#jobs.set(id, job);
    this.#bySession.set(job.session, job);
    const { poolHandle } = this.#options;
    this.#outlet.command({ type: "openSession", session: job.session, poolHandle });
  }

  /** An element was found. Everything begins anew. */
  #connected(job: Job, elementId: number, now: Instant): void {
    job.phase = "greeting";
    Object.assign(job, newRun(++this.#lastRun, elementId, now));
    this.#armLimit(job, now);
  }

  #failover(job: Job, event: SessionFailover, now: Instant): void {
    if (event.state === "complete") return this.#connected(job, event.elementId, now);
    if (job.phase === "finishing") return; // the result is there: the element may go
    if (job.phase === "pausing") {
      // Three reports remove an element (reference/rsplib.md §1.3): one that has left in order is alive.
      if (event.graceful) job.unreachable = false;
      return;
    }
    job.unreachable = !event.graceful;
    this.#lost(job, event.reason, now);
  }

  /** The element was lost, or is left. */
  #lost(job: Job, reason: string, now: Instant): void {
    job.failovers++;
    const place = this.#place(job);
    this.#report({ ...place, type: "jobFailover", reason, pauseMs: this.#pause(job, now) });
  }

  /** Has nothing more to do with the present element; goes on after a while, whose length it gives. */
  #pause(job: Job, now: Instant): number {
    if (job.hasOutput) this.#effect({ type: "discardOutput", job: job.id, run: job.run });
    job.hasOutput = false;
    job.phase = "pausing";
    job.liveness.stop();
    this.#keepAlives.clear(job.id);
    const { retryDelayMs, prng } = this.#options;
    const growing = Math.min(retryDelayMs, retryDelayMs * FIRST_PAUSE * 2 ** job.pauses++);
    const pauseMs = Math.round(growing * (1 + PAUSE_JITTER * (2 * prng.uniform() - 1)));
    this.#limits.set(job.id, now + pauseMs);
    return pauseMs;
  }

  #pauseOver(job: Job): void {
    job.phase = "seeking";
    const { session, unreachable } = job;
    this.#outlet.command({ type: "failover", session, reportUnreachable: unreachable });
  }

  /** The last of a job. */
  #finish(job: Job, end: Pick<JobResult, "outcome" | "reason">, now: Instant): void {
    if (job.hasOutput && job.phase !== "finishing") {
      this.#effect({ type: "discardOutput", job: job.id, run: job.run });
    }
    this.#jobs.delete(job.id);
    this.#bySession.delete(job.session);
    this.#limits.clear(job.id);
    this.#keepAlives.clear(job.id);
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
    this.#report({ type: "jobDone", job: job.id, result });
  }

  // ------------------------------------------------------------------------------------------------- messages

  #message(job: Job, octets: Uint8Array, now: Instant): void {
    job.liveness.heard();
    const idle = job.phase === "pausing" || job.phase === "finishing";
    const message = idle ? undefined : this.#read(job, octets, now);
    const written = message?.type === "download" && this.#download(job, message.data, now)
      ? message.data.length
      : 0;
    // What the driver writes is consumed when it has.
    this.#consumed(job, octets.length - written);
    if (message !== undefined && message.type !== "download") this.#other(job, message, now);
    if (this.#jobs.has(job.id)) this.#armKeepAlive(job);
  }

  /** Undefined = it cannot be read, and the server was left. The PPID does not matter, as to RSPLIB: its old one differs. */
  #read(job: Job, octets: Uint8Array, now: Instant): ScriptingMessage | undefined {
    try {
      return readScripting(octets);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#lost(job, `the server sent what cannot be read: ${error.message}`, now);
      return undefined;
    }
  }

  #other(job: Job, message: ScriptingMessage, now: Instant): void {
    switch (message.type) {
      case "keepAlive":
        job.owesAck = true;
        return this.#answerKeepAlive(job);
      case "keepAliveAck":
        return;
      case "print":
        return this.#print(job, message);
      case "ready":
        if (job.phase === "greeting") return this.#ready(job, message, now);
        break;
      case "notReady":
        if (job.phase === "greeting") return this.#notReady(job, message, now);
        break;
      case "environment":
        if (job.phase === "uploading" && job.environment !== undefined) {
          return this.#environmentAnswered(job, message.uploadNeeded, now);
        }
        break;
      case "status":
        if (job.phase === "uploaded" && message.status === 0) return this.#processing(job, now);
        if (job.phase === "uploaded" || job.phase === "processing") {
          return this.#exited(job, message.status, now);
        }
        break;
      case "upload":
      case "download":
        break;
      default:
        message satisfies never;
    }
    this.#lost(job, `the server sent a ${message.type} message at the wrong time`, now);
  }

  #print(job: Job, message: ScriptingMessage & { readonly type: "print" }): void {
    if (message.channel === "server") job.reason = showText(message.data);
    job.printedBytes += message.data.length;
    if (job.printedBytes <= MAX_PRINTED) this.#effect({ ...message, job: job.id, run: job.run });
  }

  /** A server that asks and asks and takes no answers gets one, when it takes it. */
  #answerKeepAlive(job: Job): void {
    if (!job.owesAck || job.blocked) return;
    job.owesAck = false;
    this.#send(job, { type: "keepAliveAck", status: undefined });
  }

  #notReady(job: Job, message: ScriptingMessage & { readonly type: "notReady" }, now: Instant): void {
    job.server = showText(message.info);
    const { reason } = message;
    this.#report({ ...this.#place(job), type: "jobRefused", reason, pauseMs: this.#pause(job, now) });
  }

  // --------------------------------------------------------------------------------------------------- upload

  #ready(job: Job, message: ScriptingMessage & { readonly type: "ready" }, now: Instant): void {
    job.phase = "uploading";
    job.since = now;
    job.server = showText(message.info);
    job.extended = message.extended;
    job.runs++;
    this.#report({ ...this.#place(job), type: "jobReady" });
    if (job.extended) this.#sendKeepAlive(job, now); // its flag says what this side understands
    if (job.environment !== undefined) {
      this.#send(job, { type: "environment", hash: job.environment, uploadNeeded: false });
    }
    this.#beginFile(job, "input", now);
  }

  #beginFile(job: Job, file: JobFile, now: Instant): void {
    job.file = file;
    job.offset = 0;
    this.#armLimit(job, now);
    this.#readOn(job);
  }

  #readOn(job: Job): void {
    const { id, run, file, offset } = job;
    if (job.phase !== "uploading" || file === undefined || job.blocked || job.reading) return;
    job.reading = true;
    this.#effect({ type: "readFile", job: id, run, file, offset, maxBytes: READ_CHUNK });
  }

  #fileRead(job: Job, data: Uint8Array, now: Instant): void {
    if (!job.reading) return;
    job.reading = false;
    for (let offset = 0; offset < data.length; offset += MAX_SCRIPTING_DATA) {
      this.#send(job, pieceOf("upload", data, offset));
    }
    job.offset += data.length;
    job.uploadedBytes += data.length;
    if (data.length === 0) return this.#fileEnded(job, now);
    this.#progress(job, "uploading", job.uploadedBytes);
    this.#readOn(job);
  }

  #fileEnded(job: Job, now: Instant): void {
    this.#send(job, { type: "upload", data: new Uint8Array() });
    const ended = job.file;
    job.file = undefined;
    if (ended === "environment" || job.environment === undefined) return this.#uploaded(job, now);
    if (job.environmentNeeded !== undefined) return this.#environmentNext(job, job.environmentNeeded, now);
    this.#armLimit(job, now);
  }

  #environmentAnswered(job: Job, uploadNeeded: boolean, now: Instant): void {
    job.environmentNeeded = uploadNeeded;
    this.#report({ ...this.#place(job), type: "jobEnvironment", uploadNeeded });
    if (job.file === undefined) this.#environmentNext(job, uploadNeeded, now);
  }

  #environmentNext(job: Job, uploadNeeded: boolean, now: Instant): void {
    if (uploadNeeded) this.#beginFile(job, "environment", now);
    else this.#uploaded(job, now);
  }

  #uploaded(job: Job, now: Instant): void {
    job.phase = "uploaded";
    job.liveness.start(now);
    this.#armKeepAlive(job);
    this.#armLimit(job, now);
  }

  // -------------------------------------------------------------------------------- processing and download

  #processing(job: Job, now: Instant): void {
    job.phase = "processing";
    job.uploadMs = now - job.since;
    job.since = now;
    const { uploadedBytes, uploadMs } = job;
    this.#report({ ...this.#place(job), type: "jobProcessing", uploadedBytes, uploadMs });
  }

  #exited(job: Job, status: number, now: Instant): void {
    job.status = status;
    job.processingMs = now - job.since;
    job.since = now;
    const place = this.#place(job);
    this.#report({ ...place, type: "jobExited", status, processingMs: job.processingMs });
    const { maxTrials } = this.#options;
    if (status !== 0 && ++job.failures < maxTrials) {
      const { failures } = job;
      const pauseMs = this.#pause(job, now);
      return this.#report({ ...place, type: "jobRetried", status, failures, maxTrials, pauseMs });
    }
    if (status === 0) job.reason = undefined;
    job.phase = "downloading";
    job.hasOutput = true;
    this.#effect({ type: "beginOutput", job: job.id, run: job.run });
  }

  /** Whether the octets went to the driver. */
  #download(job: Job, data: Uint8Array, now: Instant): boolean {
    if (job.phase !== "downloading") {
      this.#lost(job, "the server sent a download message at the wrong time", now);
      return false;
    }
    if (data.length === 0) {
      job.phase = "finishing";
      job.downloadMs = now - job.since;
      job.liveness.stop();
      this.#effect({ type: "finishOutput", job: job.id, run: job.run });
      return false;
    }
    job.unwritten += data.length;
    job.downloadedBytes += data.length;
    this.#effect({ type: "writeOutput", job: job.id, run: job.run, data });
    this.#progress(job, "downloading", job.downloadedBytes);
    return true;
  }

  #written(job: Job, octets: number, now: Instant): void {
    job.unwritten -= octets;
    this.#consumed(job, octets);
    // While this side was slow, answers were held up behind what it did not take.
    job.liveness.excuse(now);
    this.#armKeepAlive(job);
  }

  #outputFinished(job: Job, now: Instant): void {
    if (job.phase !== "finishing") return;
    this.#finish(job, { outcome: job.status === 0 ? "succeeded" : "failed", reason: job.reason }, now);
  }

  // --------------------------------------------------------------------------------------------------- timers

  /** The limit of whatever the server has to do next, where no keep-alive watches over it. */
  #armLimit(job: Job, now: Instant): void {
    const { transmitTimeoutMs, keepAliveIntervalMs, keepAliveTimeoutMs } = this.#options;
    const asking = job.phase === "uploading" && job.file === undefined;
    if (job.phase === "pausing" || job.phase === "seeking") return;
    if (job.phase === "greeting") this.#limits.set(job.id, now + keepAliveIntervalMs + keepAliveTimeoutMs);
    else if (job.blocked || asking) this.#limits.set(job.id, now + transmitTimeoutMs);
    else this.#limits.clear(job.id);
  }

  #limitReached(job: Job, now: Instant): void {
    if (job.phase === "pausing") return this.#pauseOver(job);
    job.unreachable = true;
    this.#lost(job, job.blocked ? "the server takes nothing" : "the server says nothing", now);
  }

  #armKeepAlive(job: Job): void {
    const next = job.liveness.next();
    if (next === undefined) this.#keepAlives.clear(job.id);
    else if (this.#keepAlives.dueAt(job.id) !== next) this.#keepAlives.set(job.id, next);
  }

  #keepAliveDue(job: Job, now: Instant): void {
    // Behind what one side does not take neither a KeepAlive nor its answer gets through.
    if (job.blocked || job.unwritten > 0) job.liveness.excuse(now);
    const due = job.liveness.due(now);
    if (due === "gone") {
      job.unreachable = true;
      return this.#lost(job, "the server does not answer keep-alives", now);
    }
    if (due === "send") this.#sendKeepAlive(job, now);
    this.#armKeepAlive(job);
  }

  #sendKeepAlive(job: Job, now: Instant): void {
    this.#send(job, { type: "keepAlive", extended: job.extended });
    job.liveness.sent(now);
    this.#armKeepAlive(job);
  }

  // ---------------------------------------------------------------------------------------------------- words

  #place({ id, run, elementId, server }: Job): JobPlace {
    return { job: id, run, elementId, server };
  }

  #progress(job: Job, phase: "uploading" | "downloading", bytes: number): void {
    this.#report({ ...this.#place(job), type: "jobProgress", phase, bytes });
  }

  #consumed({ session }: Job, octets: number): void {
    this.#outlet.command({ type: "consumed", session, octets });
  }

  #send({ session }: Job, message: ScriptingMessage): void {
    const data = writeScripting(message);
    this.#outlet.command({ type: "send", session, ppid: Ppid.scripting, data });
  }

  #effect(effect: ScriptingClientEffect): void {
    this.#outlet.effect(effect);
  }

  #report(report: ScriptingClientReport): void {
    this.#outlet.report(report);
  }
}
