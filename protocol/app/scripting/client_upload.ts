import type { Instant } from "../../net.ts";
import { showText } from "../../wire/text.ts";
import type { ApplicationOutlet } from "../application.ts";
import { placeOf } from "./client_job.ts";
import type { Job } from "./client_job.ts";
import type { JobFile, ScriptingClientEffect, ScriptingClientReport } from "./client_types.ts";
import type { ClientWatch } from "./client_watch.ts";
import type { ReadyMessage } from "./messages.ts";
import type { ScriptingPost } from "./post.ts";

/** What uploads need of the pool user around them. */
export interface ClientUploadContext {
  readonly outlet: ApplicationOutlet<ScriptingClientEffect, ScriptingClientReport>;
  readonly post: ScriptingPost;
  readonly watch: ClientWatch;
}

/**
 * What a server needs to begin a job: from its Ready to the last octet of the upload.
 *
 * Theory of operation: a job with an environment names it by its hash; without waiting for the answer, the input follows. It
 * is read piece by piece, and not while the server takes nothing: an answer of the driver is sent at once, and the next piece
 * asked for. An empty Upload message ends it. Behind it comes the environment, if the server says that it does not have it.
 *
 *     input --end--> has the server answered? --environment needed--> environment --end--> uploaded
 *        \--no environment named--> uploaded     \--not needed--> uploaded
 */
export class ClientUpload {
  readonly #context: ClientUploadContext;

  /** @param context the pool user around it */
  constructor(context: ClientUploadContext) {
    this.#context = context;
  }

  /** The server takes the job. */
  ready(job: Job, { info, extended }: ReadyMessage, now: Instant): void {
    const { outlet, post, watch } = this.#context;
    job.phase = "uploading";
    job.since = now;
    job.server = showText(info);
    job.extended = extended;
    job.runs++;
    outlet.report({ ...placeOf(job), type: "jobReady" });
    if (extended) watch.sendKeepAlive(job, now); // its flag says what this side understands
    if (job.environment !== undefined) {
      post.send(job.session, { type: "environment", hash: job.environment, uploadNeeded: false });
    }
    this.#beginFile(job, "input", now);
  }

  // --------------------------------------------------------------------------------------------------- a file

  #beginFile(job: Job, file: JobFile, now: Instant): void {
    job.file = file;
    job.offset = 0;
    this.#context.watch.armLimit(job, now);
    this.readOn(job);
  }

  /** Asks for the next piece of the file, if there is an upload whose server takes it. */
  readOn(job: Job): void {
    const { id, run, file, offset } = job;
    if (job.phase !== "uploading" || file === undefined || job.blocked || job.reading) return;
    job.reading = true;
    const maxBytes = job.pieces.next();
    this.#context.outlet.effect({ type: "readFile", job: id, run, file, offset, maxBytes });
  }

  /** A piece of the file; an empty one is its end. */
  fileRead(job: Job, data: Uint8Array, now: Instant): void {
    if (!job.reading) return;
    job.reading = false;
    this.#context.post.sendFile(job.session, "upload", data);
    job.offset += data.length;
    job.uploadedBytes += data.length;
    if (data.length === 0) return this.#fileEnded(job, now);
    const bytes = job.uploadedBytes;
    this.#context.outlet.report({ ...placeOf(job), type: "jobProgress", phase: "uploading", bytes });
    this.readOn(job);
  }

  #fileEnded(job: Job, now: Instant): void {
    this.#context.post.send(job.session, { type: "upload", data: new Uint8Array() });
    const ended = job.file;
    job.file = undefined;
    if (ended === "environment" || job.environment === undefined) return this.#uploaded(job, now);
    if (job.environmentNeeded !== undefined) return this.#environmentNext(job, job.environmentNeeded, now);
    this.#context.watch.armLimit(job, now);
  }

  // ---------------------------------------------------------------------------------------------- environment

  /** The server says whether it needs the environment. */
  environmentAnswered(job: Job, uploadNeeded: boolean, now: Instant): void {
    job.environmentNeeded = uploadNeeded;
    this.#context.outlet.report({ ...placeOf(job), type: "jobEnvironment", uploadNeeded });
    if (job.file === undefined) this.#environmentNext(job, uploadNeeded, now);
  }

  #environmentNext(job: Job, uploadNeeded: boolean, now: Instant): void {
    if (uploadNeeded) this.#beginFile(job, "environment", now);
    else this.#uploaded(job, now);
  }

  // -------------------------------------------------------------------------------------------------- the end

  #uploaded(job: Job, now: Instant): void {
    const { watch } = this.#context;
    job.phase = "uploaded";
    job.liveness.start(now);
    watch.armKeepAlive(job);
    watch.armLimit(job, now);
  }
}
