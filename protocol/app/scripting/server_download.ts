import type { Instant } from "../../net.ts";
import { encodeText } from "../../wire/text.ts";
import type { ApplicationOutlet } from "../application.ts";
import { describeJobStatus, JobStatus } from "./job_status.ts";
import type { PrintChannel } from "./messages.ts";
import type { ScriptingPost } from "./post.ts";
import type { ScriptingSession as Session } from "./server_session.ts";
import type { ServerWatch } from "./server_watch.ts";
import type { JobEnded, ScriptingServerEffect, ScriptingServerReport } from "./types.ts";

/** A job that said it succeeded and left no output has failed all the same: its user wants a result. */
const NO_OUTPUT_STATUS = 1;

/** What downloads need of the service around them. */
export interface ServerDownloadContext {
  readonly outlet: ApplicationOutlet<ScriptingServerEffect, ScriptingServerReport>;
  readonly post: ScriptingPost;
  readonly watch: ServerWatch;
  /** The job cannot be done here: another server may be able to. */
  readonly giveUp: (session: Session, reason: string, now: Instant) => void;
  /** Everything has been sent: the job's place is free. */
  readonly done: (session: Session, now: Instant) => void;
}

/**
 * What comes back of a job: what it prints while it runs, its status, and its output.
 *
 * Theory of operation: when the job has ended, its status is sent, and then its output, which an empty Download message ends.
 * The output is read piece by piece, and not while the user takes nothing: an answer of the driver is sent at once, and the
 * next piece asked for.
 */
export class ServerDownload {
  readonly #context: ServerDownloadContext;

  /** @param context the service around it */
  constructor(context: ServerDownloadContext) {
    this.#context = context;
  }

  /** Hands on what the job has printed, to a user that understands it. */
  print(session: Session, channel: PrintChannel, data: Uint8Array): void {
    if (session.extended) this.#context.post.print(session.id, channel, data);
  }

  /** Says of a job what its status does not. */
  say(session: Session, text: string): void {
    this.print(session, "server", encodeText(text));
  }

  /** The driver says that the job has ended. */
  jobEnded(session: Session, { exitCode, reason, hasOutput }: JobEnded, now: Instant): void {
    if (session.phase !== "working") return;
    if (exitCode === JobStatus.serverFailure) {
      return this.#context.giveUp(session, reason ?? describeJobStatus(exitCode), now);
    }
    const lacksOutput = exitCode === 0 && !hasOutput;
    const status = lacksOutput ? NO_OUTPUT_STATUS : exitCode >>> 0;
    const words = reason ?? (lacksOutput ? "the job ended well, but left no output" : undefined);
    this.#context.outlet.report({
      type: "scriptingJobEnded",
      session: session.id,
      status,
      reason: words,
      processingMs: now - session.startedAt,
    });
    if (words !== undefined) this.say(session, words);
    this.#begin(session, status, now);
    if (hasOutput) this.readOn(session);
    else this.#end(session, now);
  }

  #begin(session: Session, status: number, now: Instant): void {
    session.phase = "downloading";
    session.startedAt = now;
    if (!session.extended) session.liveness.stop(); // RSPLIB's users expect no KeepAlive any more
    this.#context.watch.armKeepAlive(session);
    this.#context.post.send(session.id, { type: "status", status });
  }

  /** Asks for the next piece of the output, if there is a download whose user takes it. */
  readOn(session: Session): void {
    if (session.phase !== "downloading" || session.blocked || session.reading) return;
    session.reading = true;
    this.#context.outlet.effect({ type: "readOutput", session: session.id, maxBytes: session.pieces.next() });
  }

  /** A piece of the output; an empty one is its end. */
  outputRead(session: Session, data: Uint8Array, now: Instant): void {
    if (!session.reading) return;
    session.reading = false;
    if (data.length === 0) return this.#end(session, now);
    session.downloaded += data.length;
    this.#context.post.sendFile(session.id, "download", data);
    this.readOn(session);
  }

  #end(session: Session, now: Instant): void {
    const { outlet, post, done } = this.#context;
    post.send(session.id, { type: "download", data: new Uint8Array() });
    const { id, downloaded, startedAt } = session;
    outlet.report({
      type: "scriptingDone",
      session: id,
      downloadedBytes: downloaded,
      downloadMs: now - startedAt,
    });
    done(session, now);
  }
}
