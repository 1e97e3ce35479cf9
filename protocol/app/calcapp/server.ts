import { earliest, TimerQueue } from "../../machine.ts";
import { Ppid } from "../../net.ts";
import type { Instant } from "../../net.ts";
import type { SessionEvent, SessionId } from "../../session/types.ts";
import { DecodeError } from "../../wire/errors.ts";
import type { Application, ApplicationOutlet } from "../application.ts";
import { ReplyFlow } from "../reply_flow.ts";
import { readCalcAppCookie, writeCalcAppCookie } from "./cookie.ts";
import type { CalcAppCookie } from "./cookie.ts";
import { CalcAppJob } from "./job.ts";
import type { CalcAppSession, JobAlarm } from "./job.ts";
import { readCalcApp, writeCalcApp } from "./messages.ts";
import type { CalcAppMessage } from "./messages.ts";
import type { CalcAppServerOptions, CalcAppServerReport } from "./server_types.ts";
import { SharedCapacity } from "./shared_capacity.ts";

/** A session may be without a job for so long, in milliseconds: a stranger must not keep its place for nothing. */
const IDLE_LIMIT_MS = 30_000;

/**
 * A pool element that pretends to calculate (reference/rsplib.md §5.4): jobs of a size share a capacity equally, so that
 * pools can be loaded and measured without burning a processor.
 *
 * A job starts with a Request or with a cookie that another PE made, and is accepted or, when all places are taken,
 * rejected. From then on both sides send keep-alives and acknowledge them. The user gets a cookie when the last one is
 * so old, or so many calculations behind; with it another PE goes on.
 *
 *     Request, cookie ──► accepted ── all calculations ──► Complete
 *             └► rejected    └── user gone or silent, Abort, stop ──► ended; capacity is the others' from then on
 */
export class CalcAppServer implements Application<never> {
  readonly #outlet: ApplicationOutlet<never, CalcAppServerReport>;
  readonly #options: Required<CalcAppServerOptions>;
  readonly #flow: ReplyFlow;
  readonly #capacity: SharedCapacity<JobAlarm>;
  readonly #timers = new TimerQueue<JobAlarm>();
  readonly #idleTimers = new TimerQueue<SessionId>();
  readonly #sessions = new Map<SessionId, CalcAppSession>();

  /**
   * Makes a service.
   *
   * @param outlet where it answers
   * @param options how it behaves
   */
  constructor(outlet: ApplicationOutlet<never, CalcAppServerReport>, options: CalcAppServerOptions) {
    this.#outlet = outlet;
    this.#flow = new ReplyFlow(outlet);
    this.#options = {
      maxJobs: 10,
      capacity: 1_000_000,
      keepAliveIntervalMs: 2500,
      keepAliveTimeoutMs: 2500,
      cookieMaxTimeMs: 5000,
      cookieMaxCalculations: 5_000_000,
      cleanShutdownProbability: 1,
      ...options,
    };
    this.#capacity = new SharedCapacity(this.#options.capacity);
  }

  /** Jobs under way. */
  get jobCount(): number {
    return this.#capacity.jobCount;
  }

  /** Calculations since the start, for all jobs. */
  used(now: Instant): number {
    return this.#capacity.used(now);
  }

  sessionEvent(event: SessionEvent, now: Instant): void {
    this.#flow.sessionEvent(event, now);
    const id = event.session, session = this.#sessions.get(id);
    switch (event.type) {
      case "sessionOpened":
        this.#sessions.set(id, { session: id, jobs: new Map() });
        this.#idleTimers.set(id, now + IDLE_LIMIT_MS);
        return;
      case "sessionMessage":
        if (session !== undefined) this.#received(session, event.ppid, event.data, now);
        // Also of a session that this side has shut down: in a full receive window its end would not arrive.
        return this.#flow.answered(id, event.data.length);
      case "sessionCookie":
        return session && this.#resume(session, event.cookie, now);
      case "sessionClosed":
        return session && this.#forget(session, event.reason, now);
      case "sessionCookieHeld":
      case "sessionFailover":
      case "sessionBlocked":
      case "sessionWritable":
        return; // two are a pool user's, the others the flow's
      default:
        event satisfies never;
    }
  }

  stop(now: Instant): void {
    const { prng, cleanShutdownProbability } = this.#options;
    for (const session of [...this.#sessions.values()]) {
      for (const job of session.jobs.values()) {
        if (prng.chance(cleanShutdownProbability)) this.#sendCookie(job, now);
      }
      this.#forget(session, "the service ends", now);
      this.#outlet.command({ type: "closeSession", session: session.session, how: "shutdown" });
    }
  }

  tick(now: Instant): void {
    this.#flow.tick(now);
    for (let due = this.#capacity.takeDue(now); due !== undefined; due = this.#capacity.takeDue(now)) {
      this.#alarm(due, now);
    }
    for (let due = this.#timers.takeDue(now); due !== undefined; due = this.#timers.takeDue(now)) {
      this.#alarm(due, now);
    }
    for (let due = this.#idleTimers.takeDue(now); due !== undefined; due = this.#idleTimers.takeDue(now)) {
      this.#sessions.delete(due);
      this.#outlet.command({ type: "closeSession", session: due, how: "shutdown" });
    }
  }

  nextTimeout(): Instant | undefined {
    return earliest(
      this.#flow.nextTimeout(),
      this.#capacity.next(),
      this.#timers.next(),
      this.#idleTimers.next(),
    );
  }

  // ------------------------------------------------------------------------------------------------- what users say

  #received(session: CalcAppSession, ppid: Ppid, octets: Uint8Array, now: Instant): void {
    if (ppid !== Ppid.calcApp) {
      return this.#abort(session, `a message with payload protocol ${ppid}, not ${Ppid.calcApp}`, now);
    }
    try {
      this.#message(session, readCalcApp(octets), now);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#abort(session, error.message, now);
    }
  }

  #message(session: CalcAppSession, message: CalcAppMessage, now: Instant): void {
    const job = session.jobs.get(message.jobId);
    switch (message.type) {
      case "request": {
        const { jobId, jobSize } = message;
        return this.#start(session, { jobId, jobSize, completed: 0 }, false, now);
      }
      case "keepAlive": // about a job that is done, or was never accepted: silence makes the user look elsewhere
        return job && this.#say(session, { type: "keepAliveAck", jobId: job.jobId });
      case "keepAliveAck":
        return job && this.#alive(job, now);
      case "abort":
        return job && this.#end(job, "the user gave it up", now);
      case "accept":
      case "reject":
      case "complete":
        return this.#abort(
          session,
          `a message of type ${message.type}, which only a pool element sends`,
          now,
        );
      default:
        message satisfies never;
    }
  }

  #resume(session: CalcAppSession, octets: Uint8Array, now: Instant): void {
    try {
      this.#start(session, readCalcAppCookie(octets), true, now);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#abort(session, error.message, now);
    }
  }

  #start(session: CalcAppSession, state: CalcAppCookie, resumed: boolean, now: Instant): void {
    const { jobId, jobSize, completed } = state;
    const { session: id } = session;
    if (session.jobs.has(jobId)) return this.#abort(session, `job ${jobId} is under way already`, now);
    if (this.#capacity.jobCount >= this.#options.maxJobs) {
      this.#outlet.report({ type: "jobRejected", session: id, jobId });
      return this.#say(session, { type: "reject", jobId });
    }
    this.#capacity.join(now);
    const job = new CalcAppJob(session, state, this.#capacity.progress(now));
    session.jobs.set(jobId, job);
    this.#idleTimers.clear(id);
    this.#say(session, { type: "accept", jobId });
    this.#outlet.report({ type: "jobStarted", session: id, jobId, jobSize, completed, resumed });
    this.#capacity.after(job.done, jobSize - completed, now);
    this.#alive(job, now);
    this.#armCookie(job, now);
    this.#usageChanged(now);
  }

  /** The user has given a sign of life. */
  #alive(job: CalcAppJob, now: Instant): void {
    job.awaitsAck = false;
    this.#timers.set(job.keepAlive, now + this.#options.keepAliveIntervalMs);
  }

  // ---------------------------------------------------------------------------------------------- what time brings

  #alarm({ what, job }: JobAlarm, now: Instant): void {
    if (job === undefined) return;
    switch (what) {
      case "done":
        return this.#complete(job, now);
      case "cookie":
        return this.#sendCookie(job, now);
      case "keepAlive":
        return this.#keepAliveDue(job, now);
      default:
        what satisfies never;
    }
  }

  #complete(job: CalcAppJob, now: Instant): void {
    const { session, jobId, jobSize } = job;
    this.#say(session, { type: "complete", jobId, jobSize, completed: jobSize });
    this.#remove(job, now);
    this.#outlet.report({ type: "jobCompleted", session: session.session, jobId, jobSize });
    this.#usageChanged(now);
  }

  #sendCookie(job: CalcAppJob, now: Instant): void {
    const { session: { session }, jobId, jobSize } = job;
    const completed = job.completed(this.#capacity.progress(now));
    const cookie = writeCalcAppCookie({ jobId, jobSize, completed });
    this.#outlet.command({ type: "sendCookie", session, cookie });
    this.#armCookie(job, now);
  }

  #armCookie({ cookie }: CalcAppJob, now: Instant): void {
    this.#timers.set(cookie, now + this.#options.cookieMaxTimeMs);
    this.#capacity.after(cookie, this.#options.cookieMaxCalculations, now);
  }

  #keepAliveDue(job: CalcAppJob, now: Instant): void {
    const { session, jobId } = job;
    if (job.awaitsAck) {
      // RSPLIB drops the job and keeps the association: a user that was just slow would have to find out by itself.
      return this.#abort(session, `no sign of life for job ${jobId}`, now);
    }
    job.awaitsAck = true;
    this.#say(session, { type: "keepAlive", jobId });
    this.#timers.set(job.keepAlive, now + this.#options.keepAliveTimeoutMs);
  }

  // ------------------------------------------------------------------------------------------------------- endings

  #abort(session: CalcAppSession, reason: string, now: Instant): void {
    this.#outlet.report({ type: "calcAppAborted", session: session.session, reason });
    this.#forget(session, reason, now);
    this.#outlet.command({ type: "closeSession", session: session.session, how: "abort" });
  }

  #forget(session: CalcAppSession, reason: string, now: Instant): void {
    for (const job of [...session.jobs.values()]) this.#end(job, reason, now);
    this.#sessions.delete(session.session);
    this.#idleTimers.clear(session.session);
  }

  #end(job: CalcAppJob, reason: string, now: Instant): void {
    const { session: { session }, jobId } = job;
    const completed = job.completed(this.#capacity.progress(now));
    this.#remove(job, now);
    this.#outlet.report({ type: "jobEnded", session, jobId, completed, reason });
    this.#usageChanged(now);
  }

  #remove(job: CalcAppJob, now: Instant): void {
    const { session } = job;
    session.jobs.delete(job.jobId);
    for (const alarm of job.alarms) {
      alarm.job = undefined;
      this.#timers.clear(alarm);
      this.#capacity.clear(alarm);
    }
    this.#capacity.leave(now);
    if (session.jobs.size === 0) this.#idleTimers.set(session.session, now + IDLE_LIMIT_MS);
  }

  #usageChanged(now: Instant): void {
    const jobCount = this.#capacity.jobCount;
    this.#outlet.command({ type: "setLoad", load: jobCount / this.#options.maxJobs });
    this.#outlet.report({ type: "calcAppUsage", jobCount, used: this.#capacity.used(now) });
  }

  #say({ session }: CalcAppSession, message: CalcAppMessage): void {
    this.#outlet.command({ type: "send", session, ppid: Ppid.calcApp, data: writeCalcApp(message) });
  }
}
