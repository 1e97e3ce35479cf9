import type { Instant } from "../../net.ts";
import { showText } from "../../wire/text.ts";
import type { ApplicationOutlet } from "../application.ts";
import type { ClientFailover } from "./client_failover.ts";
import { placeOf } from "./client_job.ts";
import type { Job, JobEnd } from "./client_job.ts";
import type { ScriptingClientEffect, ScriptingClientReport } from "./client_types.ts";
import type { ClientWatch } from "./client_watch.ts";
import type { PrintMessage } from "./messages.ts";
import type { ScriptingPost } from "./post.ts";

/**
 * Octets of what a job prints that are handed on in a run; the rest is left out. They go to the driver without waiting for it,
 * and are as many as this project's server lets a job print.
 */
const MAX_PRINTED = 16 * 1024 * 1024;

/** What downloads need of the pool user around them. */
export interface ClientDownloadContext {
  readonly outlet: ApplicationOutlet<ScriptingClientEffect, ScriptingClientReport>;
  readonly post: ScriptingPost;
  readonly watch: ClientWatch;
  readonly failover: ClientFailover;
  /** How often a job that fails is run. */
  readonly maxTrials: number;
  /** The job is over. */
  readonly finish: (job: Job, end: JobEnd, now: Instant) => void;
}

/**
 * What comes back of a job: that it runs, what it prints, its status, and its result.
 *
 * Theory of operation: a first Status message says that the job is begun, a second one how it has ended. A job that failed is
 * tried again elsewhere, unless that was its last trial. The result goes to the driver as it comes, and an empty Download
 * message ends it; the receive window opens again for what the driver has written. When the driver has put the result in its
 * place, the job is over.
 */
export class ClientDownload {
  readonly #context: ClientDownloadContext;

  /** @param context the pool user around it */
  constructor(context: ClientDownloadContext) {
    this.#context = context;
  }

  /** The server runs the job. */
  processing(job: Job, now: Instant): void {
    job.phase = "processing";
    job.uploadMs = now - job.since;
    job.since = now;
    const { outlet, watch } = this.#context;
    watch.armLimit(job, now);
    const { uploadedBytes, uploadMs } = job;
    outlet.report({ ...placeOf(job), type: "jobProcessing", uploadedBytes, uploadMs });
  }

  /** Hands on what the job prints, or what the server says of it. */
  print(job: Job, message: PrintMessage): void {
    if (message.data.length === 0) return;
    if (message.channel === "server") job.reason = showText(message.data);
    job.printedBytes += message.data.length;
    if (job.printedBytes > MAX_PRINTED) return;
    this.#context.outlet.effect({ ...message, job: job.id, run: job.run });
  }

  /** The job has ended at the server. */
  exited(job: Job, status: number, now: Instant): void {
    const { outlet, failover, watch, maxTrials } = this.#context;
    job.status = status;
    job.processingMs = now - job.since;
    job.since = now;
    const place = placeOf(job);
    outlet.report({ ...place, type: "jobExited", status, processingMs: job.processingMs });
    if (status !== 0 && ++job.failures < maxTrials) {
      const { failures } = job;
      const pauseMs = failover.pause(job, now);
      return outlet.report({ ...place, type: "jobRetried", status, failures, maxTrials, pauseMs });
    }
    if (status === 0) job.reason = undefined;
    job.phase = "downloading";
    job.hasOutput = true;
    watch.armLimit(job, now);
    outlet.effect({ type: "beginOutput", job: job.id, run: job.run });
  }

  /** A Download message came. Whether its octets went to the driver. */
  download(job: Job, data: Uint8Array, now: Instant): boolean {
    const { outlet, failover, watch } = this.#context;
    if (job.phase !== "downloading") {
      failover.lost(job, "the server sent a download message at the wrong time", now);
      return false;
    }
    if (data.length === 0) {
      job.phase = "finishing";
      job.downloadMs = now - job.since;
      job.liveness.stop();
      watch.armLimit(job, now);
      outlet.effect({ type: "finishOutput", job: job.id, run: job.run });
      return false;
    }
    job.unwritten += data.length;
    job.downloadedBytes += data.length;
    outlet.effect({ type: "writeOutput", job: job.id, run: job.run, data });
    const bytes = job.downloadedBytes;
    outlet.report({ ...placeOf(job), type: "jobProgress", phase: "downloading", bytes });
    return true;
  }

  /** The driver has written so many octets. */
  written(job: Job, octets: number, now: Instant): void {
    job.unwritten -= octets;
    this.#context.post.consumed(job.session, octets);
    // While this side was slow, answers were held up behind what it did not take.
    this.#context.watch.excuse(job, now);
  }

  /** The result has its place. */
  outputFinished(job: Job, now: Instant): void {
    if (job.phase !== "finishing") return;
    const outcome = job.status === 0 ? "succeeded" : "failed";
    this.#context.finish(job, { outcome, reason: job.reason }, now);
  }
}
