import type { Instant } from "../../net.ts";
import type { ApplicationOutlet } from "../application.ts";
import { JobStatus } from "./job_status.ts";
import type { EnvironmentMessage } from "./messages.ts";
import type { ScriptingPost } from "./post.ts";
import type { ServerDownload } from "./server_download.ts";
import type { ScriptingSession as Session } from "./server_session.ts";
import type { ServerWatch } from "./server_watch.ts";
import type { EnvironmentFailure, ScriptingServerEffect, ScriptingServerReport } from "./types.ts";

/** What uploads need of the service around them. */
export interface ServerUploadContext {
  readonly outlet: ApplicationOutlet<ScriptingServerEffect, ScriptingServerReport>;
  readonly post: ScriptingPost;
  readonly watch: ServerWatch;
  /** The next stage: that of a job which has ended. */
  readonly download: ServerDownload;
  /** The job cannot be done here: another server may be able to. */
  readonly giveUp: (session: Session, reason: string, now: Instant) => void;
  /** The user breaks the protocol. */
  readonly abort: (session: Session, reason: string, now: Instant) => void;
}

/**
 * What comes before a job: from the server's Ready to the start of the job.
 *
 * Theory of operation: the input comes at once, and an empty Upload message ends it. A user that needs an environment names it
 * by its hash, before the input has ended; the driver looks for it in its cache while the input comes. One that is missing is
 * uploaded behind the input and checked. When all that was to come is there and stored, the job is begun.
 *
 *     environment:  none named ---------------------------------------------------> begin
 *                   looking --found--> there -------------------------------------> begin
 *                      \--not found--> missing --uploaded, stored--> checking ----> begin
 *                                                                       \--bad----> begin, and end as a failed job
 */
export class ServerUpload {
  readonly #context: ServerUploadContext;

  /** @param context the service around it */
  constructor(context: ServerUploadContext) {
    this.#context = context;
  }

  /** The workspace is there: the user may begin. */
  ready(session: Session, info: Uint8Array, now: Instant): void {
    if (session.phase !== "opening") return;
    session.phase = "uploading";
    session.uploads = "input";
    this.#context.post.send(session.id, { type: "ready", info, extended: true });
    this.#context.watch.armLimit(session, now);
  }

  // -------------------------------------------------------------------------------------------------- octets

  /** An Upload message came. Whether its octets went to the driver. */
  upload(session: Session, data: Uint8Array, now: Instant): boolean {
    if (session.phase !== "uploading" || session.uploads === "nothing") {
      this.#context.abort(session, "an Upload message at the wrong time", now);
      return false;
    }
    if (data.length === 0) {
      this.#fileEnded(session, now);
      return false;
    }
    session.unstored += data.length;
    session.uploaded += data.length;
    const type = session.uploads === "input" ? "storeInput" : "storeEnvironment";
    this.#context.outlet.effect({ type, session: session.id, data });
    this.#context.watch.armLimit(session, now);
    return true;
  }

  /** The driver has stored so many octets. */
  stored(session: Session, octets: number, now: Instant): void {
    session.unstored -= octets;
    this.#context.post.consumed(session.id, octets);
    if (session.unstored > 0 || session.phase !== "uploading") return;
    this.#context.watch.armLimit(session, now);
    this.#goOn(session, now);
  }

  #fileEnded(session: Session, now: Instant): void {
    const wasInput = session.uploads === "input";
    session.uploads = "nothing";
    if (wasInput) this.#inputEnded(session);
    this.#context.watch.armLimit(session, now);
    this.#goOn(session, now);
  }

  /** The input is complete: now comes the environment, if it is missing. */
  #inputEnded(session: Session): void {
    if (session.environment?.state === "missing") session.uploads = "environment";
  }

  // ---------------------------------------------------------------------------------------------- environment

  /** The user names the environment of its job. */
  environment(session: Session, { hash }: EnvironmentMessage, now: Instant): void {
    if (session.uploads !== "input" || session.environment !== undefined) {
      return this.#context.abort(session, "an Environment message at the wrong time", now);
    }
    session.environment = { hash, state: "looking" };
    this.#context.outlet.effect({ type: "lookForEnvironment", session: session.id, hash });
    this.#context.watch.armLimit(session, now);
  }

  /** The driver has looked whether the cache has it. */
  environmentLooked(session: Session, found: boolean, now: Instant): void {
    const { id, environment } = session;
    if (session.phase !== "uploading" || environment?.state !== "looking") return;
    const { hash } = environment;
    environment.state = found ? "there" : "missing";
    this.#context.outlet.report({ type: "scriptingEnvironment", session: id, hash, found });
    this.#context.post.send(id, { type: "environment", hash, uploadNeeded: !found });
    if (session.uploads === "nothing") this.#inputEnded(session);
    this.#context.watch.armLimit(session, now);
    this.#goOn(session, now);
  }

  /** The driver has checked one that was uploaded. */
  environmentChecked(session: Session, failure: EnvironmentFailure | undefined, now: Instant): void {
    const { environment } = session;
    if (session.phase !== "uploading" || environment?.state !== "checking") return;
    environment.state = "there";
    if (failure === undefined) return this.#goOn(session, now);
    const { status: exitCode, reason } = failure;
    if (exitCode === JobStatus.serverFailure) return this.#context.giveUp(session, reason, now);
    // The same package would fail everywhere: that is told as a failed job, of which there are only so many.
    this.#begin(session, now);
    this.#context.download.jobEnded(session, {
      type: "jobEnded",
      session: session.id,
      exitCode,
      reason,
      hasOutput: false,
    }, now);
  }

  // ------------------------------------------------------------------------------------------------ the start

  /** Takes the next step when everything that was to come is there and stored. */
  #goOn(session: Session, now: Instant): void {
    const { environment } = session;
    const { outlet } = this.#context;
    if (session.phase !== "uploading" || session.uploads !== "nothing" || session.unstored > 0) return;
    switch (environment?.state) {
      case "looking":
      case "checking":
        return;
      case "missing":
        environment.state = "checking";
        return outlet.effect({ type: "checkEnvironment", session: session.id, hash: environment.hash });
      case "there":
      case undefined:
        this.#begin(session, now);
        return outlet.effect({ type: "runJob", session: session.id });
    }
  }

  /** Tells the user that its job is begun. */
  #begin(session: Session, now: Instant): void {
    const { outlet, post, watch } = this.#context;
    session.phase = "working";
    watch.armLimit(session, now);
    const { id, uploaded, startedAt } = session;
    outlet.report({
      type: "scriptingWorking",
      session: id,
      uploadedBytes: uploaded,
      uploadMs: now - startedAt,
    });
    session.startedAt = now;
    post.send(id, { type: "status", status: 0 });
    watch.answerKeepAlive(session);
    watch.sendKeepAlive(session, now); // at once, as RSPLIB's server does
  }
}
