import type { Prng } from "../../machine.ts";
import type { Instant } from "../../net.ts";
import type { SessionFailover } from "../../session/types.ts";
import { showText } from "../../wire/text.ts";
import type { ApplicationOutlet } from "../application.ts";
import { newRun, placeOf } from "./client_job.ts";
import type { Job, JobEnd } from "./client_job.ts";
import type { ScriptingClientEffect, ScriptingClientReport } from "./client_types.ts";
import type { ClientWatch } from "./client_watch.ts";
import type { NotReadyMessage } from "./messages.ts";

/** The first pause before another server is asked is this part of the longest one; each further one doubles. */
const FIRST_PAUSE = 1 / 16;

/** Pauses vary by this fraction, as RSPLIB's do. */
const PAUSE_JITTER = 0.125;

/** How long a job pauses. */
export interface ClientFailoverOptions {
  /** The longest pause before another server is asked, in milliseconds. */
  readonly retryDelayMs: number;
  /** For the jitter of pauses. */
  readonly prng: Prng;
}

/** What failovers need of the pool user around them. */
export interface ClientFailoverContext {
  readonly outlet: ApplicationOutlet<ScriptingClientEffect, ScriptingClientReport>;
  readonly watch: ClientWatch;
  /** The job is over. */
  readonly finish: (job: Job, end: JobEnd, now: Instant) => void;
}

/**
 * The way of a job from server to server.
 *
 * Theory of operation: a job leaves its server when that is lost or silent, has no place, breaks the protocol, or has run the
 * job in vain. Then it pauses, so that a pool without a useful server is not asked again and again: each pause of a job is
 * twice as long as the one before it, up to a longest one. After that the session layer looks for another element, at which
 * everything begins anew.
 *
 *     at a server --lost, refused, failed--> pausing --time--> seeking --opened--> at a server: greeting
 */
export class ClientFailover {
  readonly #options: ClientFailoverOptions;
  readonly #context: ClientFailoverContext;
  #lastRun = 0;

  /**
   * @param options how long jobs pause
   * @param context the pool user around it
   */
  constructor(options: ClientFailoverOptions, context: ClientFailoverContext) {
    this.#options = options;
    this.#context = context;
  }

  /** An element was found. Everything begins anew. */
  connected(job: Job, elementId: number, now: Instant): void {
    job.phase = "greeting";
    Object.assign(job, newRun(++this.#lastRun, elementId, now));
    this.#context.watch.armLimit(job, now);
  }

  /** The session layer has lost the element, or has found another one. */
  failover(job: Job, event: SessionFailover, now: Instant): void {
    if (event.state === "complete") return this.connected(job, event.elementId, now);
    if (job.phase === "finishing") return; // the result is there: the element may go
    if (job.phase === "pausing") {
      if (event.loss !== "silent") job.unreachable = false; // it has shown that it is there
      return;
    }
    job.unreachable = event.loss === "silent";
    this.lost(job, job.reason ?? event.reason, now); // a server that gives a job up says why before it leaves
  }

  /** The element was lost, or is left. */
  lost(job: Job, reason: string, now: Instant): void {
    if (job.phase === "downloading" && job.status !== 0) {
      // The job has failed for the last time. RSPLIB's server breaks off when it has left nothing behind.
      job.downloadedBytes = 0; // what came is not kept
      return this.#context.finish(job, { outcome: "failed", reason: job.reason }, now);
    }
    job.failovers++;
    const place = placeOf(job);
    this.#context.outlet.report({ ...place, type: "jobFailover", reason, pauseMs: this.pause(job, now) });
  }

  /** The server has no place for the job. */
  refused(job: Job, { info, reason }: NotReadyMessage, now: Instant): void {
    job.server = showText(info);
    const place = placeOf(job);
    this.#context.outlet.report({ ...place, type: "jobRefused", reason, pauseMs: this.pause(job, now) });
  }

  /** Has nothing more to do with the present element; goes on after a while, whose length it gives. */
  pause(job: Job, now: Instant): number {
    const { outlet, watch } = this.#context;
    if (job.hasOutput) outlet.effect({ type: "discardOutput", job: job.id, run: job.run });
    job.hasOutput = false;
    job.phase = "pausing";
    const { retryDelayMs, prng } = this.#options;
    const growing = Math.min(retryDelayMs, retryDelayMs * FIRST_PAUSE * 2 ** job.pauses++);
    const pauseMs = Math.round(growing * (1 + PAUSE_JITTER * (2 * prng.uniform() - 1)));
    watch.pause(job, now + pauseMs);
    return pauseMs;
  }

  /** Asks for another element. */
  pauseOver(job: Job): void {
    job.phase = "seeking";
    const { session, unreachable } = job;
    this.#context.outlet.command({ type: "failover", session, reportUnreachable: unreachable });
  }
}
