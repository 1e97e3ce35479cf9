import type { Instant } from "../../net.ts";
import type { Job } from "./client_job.ts";
import type { JobId } from "./client_types.ts";
import { Deadlines } from "./deadlines.ts";
import type { LivenessTimes } from "./liveness.ts";
import { MAX_WAITING_CHUNKS, waitingChunks } from "./patience.ts";
import type { ScriptingPost } from "./post.ts";

/** For how long a server is waited for. */
export interface ClientWatchTimes extends LivenessTimes {
  /** A server may take nothing for so long, in milliseconds. */
  readonly transmitTimeoutMs: number;
}

/** What the watch needs of the pool user around it. */
export interface ClientWatchContext {
  readonly post: ScriptingPost;
  readonly jobs: ReadonlyMap<JobId, Job>;
  /** The server has gone. */
  readonly lost: (job: Job, reason: string, now: Instant) => void;
  /** The job has paused for long enough. */
  readonly pauseOver: (job: Job) => void;
}

/**
 * The watch of a scripting pool user over the servers of its jobs: which of them have gone.
 *
 * Theory of operation: up to its first word behind the upload a server has a *limit* for what it has to do next: to greet, to
 * take what is sent, to say whether it needs the environment, and that the job is begun. On a slow path that takes longer, for
 * what waits in the transport (`patience.ts`): for a server of this project the limit begins anew with each sign of life, so
 * often as pieces may wait; one of RSPLIB's gives none, and has a limit for each piece. From then on, and with a server of
 * this project from its Ready on, *keep-alives* show that it is still there; one that takes nothing has a limit all the same.
 * A job that pauses between two servers has the end of its pause as its limit.
 */
export class ClientWatch {
  readonly #times: ClientWatchTimes;
  readonly #context: ClientWatchContext;
  readonly #deadlines = new Deadlines();

  /**
   * @param times for how long it waits
   * @param context the pool user around it
   */
  constructor(times: ClientWatchTimes, context: ClientWatchContext) {
    this.#times = times;
    this.#context = context;
  }

  /** The server takes nothing more. */
  blocked(job: Job, now: Instant): void {
    job.blocked = true;
    job.pieces.blocked(now);
    this.armLimit(job, now);
  }

  /** The server takes what is sent again. */
  writable(job: Job, now: Instant): void {
    job.blocked = false;
    job.pieces.writable(now);
    this.#answerKeepAlive(job);
    this.excuse(job, now);
    this.armLimit(job, now);
  }

  /** The job has no server until so late. */
  pause({ id, liveness }: Job, until: Instant): void {
    liveness.stop();
    this.#deadlines.keepAlive(id, undefined);
    this.#deadlines.limit(id, until);
  }

  /** The job is over. */
  forget({ id }: Job): void {
    this.#deadlines.forget(id);
  }

  /** Acts on what is due. */
  tick(now: Instant): void {
    const { jobs } = this.#context;
    this.#deadlines.tick(now, {
      onLimit: (id) => {
        const job = jobs.get(id);
        if (job !== undefined) this.#limitReached(job, now);
      },
      onKeepAlive: (id) => {
        const job = jobs.get(id);
        if (job !== undefined) this.#keepAliveDue(job, now);
      },
    });
  }

  /** When `tick` has something to do; undefined = never. */
  nextTimeout(): Instant | undefined {
    return this.#deadlines.next();
  }

  // --------------------------------------------------------------------------------------------------- limits

  /** Sets the limit of whatever the server has to do next, where no keep-alive watches over it. */
  armLimit(job: Job, now: Instant): void {
    job.stuckSince = now;
    const { keepAliveIntervalMs, keepAliveTimeoutMs } = this.#times;
    if (job.phase === "pausing" || job.phase === "seeking") return;
    if (job.phase === "greeting") {
      this.#deadlines.limit(job.id, now + keepAliveIntervalMs + keepAliveTimeoutMs);
    } else this.#setLimit(job, now);
  }

  /** Something came from the server, and has been dealt with. */
  heard(job: Job, now: Instant): void {
    this.armKeepAlive(job);
    if (isStuck(job)) this.#setLimit(job, now);
  }

  #setLimit(job: Job, now: Instant): void {
    if (!isStuck(job)) return this.#deadlines.limit(job.id, undefined);
    const { extended, stuckSince, uploadedBytes, blocked } = job;
    const { transmitTimeoutMs } = this.#times;
    const chunks = extended ? MAX_WAITING_CHUNKS : waitingChunks(uploadedBytes, blocked);
    const last = stuckSince + chunks * transmitTimeoutMs;
    this.#deadlines.limit(job.id, extended ? Math.min(now + transmitTimeoutMs, last) : last);
  }

  #limitReached(job: Job, now: Instant): void {
    if (job.phase === "pausing") return this.#context.pauseOver(job);
    job.unreachable = true;
    this.#context.lost(job, job.blocked ? "the server takes nothing" : "the server says nothing", now);
  }

  // ---------------------------------------------------------------------------------------------- keep-alives

  /** A KeepAlive came. */
  keepAlive(job: Job): void {
    job.owesAck = true;
    this.#answerKeepAlive(job);
  }

  /** A server that asks and asks and takes no answers gets one, when it takes it. */
  #answerKeepAlive(job: Job): void {
    if (!job.owesAck || job.blocked) return;
    job.owesAck = false;
    this.#context.post.send(job.session, { type: "keepAliveAck", status: undefined });
  }

  /** Sends a KeepAlive now. */
  sendKeepAlive(job: Job, now: Instant): void {
    this.#context.post.send(job.session, { type: "keepAlive", extended: job.extended });
    job.liveness.sent(now);
    this.armKeepAlive(job);
  }

  /** Goes by what the job's keep-alives say of themselves. */
  armKeepAlive({ id, liveness }: Job): void {
    this.#deadlines.keepAlive(id, liveness);
  }

  /** Waits anew for an answer that could not get through until now. */
  excuse(job: Job, now: Instant): void {
    job.liveness.excuse(now);
    this.armKeepAlive(job);
  }

  #keepAliveDue(job: Job, now: Instant): void {
    // Behind what one side does not take neither a KeepAlive nor its answer gets through.
    if (isStuck(job) || job.unwritten > 0) job.liveness.excuse(now);
    const due = job.liveness.due(now);
    if (due === "gone") {
      job.unreachable = true;
      return this.#context.lost(job, "the server does not answer keep-alives", now);
    }
    if (due === "send") this.sendKeepAlive(job, now);
    this.armKeepAlive(job);
  }
}

/** Whether what was sent may wait in the transport, so that its limit watches over the server. */
function isStuck({ phase, blocked, file }: Job): boolean {
  if (phase === "pausing" || phase === "seeking" || phase === "finishing") return false;
  return blocked || phase === "uploaded" || phase === "uploading" && file === undefined;
}
