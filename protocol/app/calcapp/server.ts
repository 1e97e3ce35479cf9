import { earliest, TimerQueue } from "../../machine.ts";
import type { Prng } from "../../machine.ts";
import { Ppid } from "../../net.ts";
import type { Instant } from "../../net.ts";
import type { SessionEvent, SessionId } from "../../session/types.ts";
import { DecodeError } from "../../wire/errors.ts";
import type { Application, ApplicationOutlet } from "../application.ts";
import { ReplyFlow } from "../reply_flow.ts";
import type { ReplyFlowReport } from "../reply_flow.ts";
import { readCalcAppCookie, writeCalcAppCookie } from "./cookie.ts";
import type { CalcAppCookie } from "./cookie.ts";
import { readCalcApp, writeCalcApp } from "./messages.ts";
import type { CalcAppMessage } from "./messages.ts";
import { SharedCapacity } from "./shared_capacity.ts";

/** A session may be without a job for so long, in milliseconds: a stranger must not keep its place for nothing. */
const IDLE_LIMIT_MS = 30_000;

/** How a CalcApp service behaves. */
export interface CalcAppServerOptions {
  /** Jobs at the same time; further ones are rejected. Default 10. */
  readonly maxJobs?: number;
  /** Calculations a second, which all jobs share equally. Default 1000000. */
  readonly capacity?: number;
  /** How long after the last sign of life a user is asked for another one, in milliseconds. Default 2500. */
  readonly keepAliveIntervalMs?: number;
  /** How long a user may take to answer, in milliseconds. Default 2500. */
  readonly keepAliveTimeoutMs?: number;
  /** Age of a cookie at which a new one is sent, in milliseconds. Default 5000. */
  readonly cookieMaxTimeMs?: number;
  /** Calculations of a job after which a new cookie is sent. Default 5000000. */
  readonly cookieMaxCalculations?: number;
  /** How probably a job's user gets a cookie when the service ends in order, 0–1. Default 1. */
  readonly cleanShutdownProbability?: number;
  /** Decides that. */
  readonly prng: Prng;
}

/** What is worth a log line or a line of statistics at a CalcApp service. */
export type CalcAppServerReport =
  | ReplyFlowReport
  | {
    readonly type: "jobStarted";
    readonly session: SessionId;
    readonly jobId: number;
    readonly jobSize: number;
    /** Calculations that are done already: more than 0 for a job that comes from another PE. */
    readonly completed: number;
    readonly resumed: boolean;
  }
  /** All places are taken. */
  | { readonly type: "jobRejected"; readonly session: SessionId; readonly jobId: number }
  | {
    readonly type: "jobCompleted";
    readonly session: SessionId;
    readonly jobId: number;
    readonly jobSize: number;
  }
  /** A job ends before it is done: its user has gone, or has given it up, or the service ends. */
  | {
    readonly type: "jobEnded";
    readonly session: SessionId;
    readonly jobId: number;
    readonly completed: number;
    readonly reason: string;
  }
  /** The session was aborted by this side. */
  | { readonly type: "calcAppAborted"; readonly session: SessionId; readonly reason: string }
  /** A job has started or ended. */
  | {
    readonly type: "calcAppUsage";
    readonly jobCount: number;
    /** Calculations since the start, for all jobs. */
    readonly used: number;
  };

interface Job {
  readonly session: Session;
  readonly jobId: number;
  readonly jobSize: number;
  /** Calculations that were done when it started. */
  readonly before: number;
  /** What each job had got when it started. */
  readonly since: number;
  readonly done: Alarm;
  readonly cookie: Alarm;
  readonly keepAlive: Alarm;
  /** A keep-alive was sent and is not acknowledged. */
  awaitsAck: boolean;
}

interface Session {
  readonly session: SessionId;
  readonly jobs: Map<number, Job>;
}

interface Alarm {
  readonly what: "done" | "cookie" | "keepAlive";
  job: Job | undefined;
}

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
  readonly #capacity: SharedCapacity<Alarm>;
  readonly #timers = new TimerQueue<Alarm>();
  readonly #idleTimers = new TimerQueue<SessionId>();
  readonly #sessions = new Map<SessionId, Session>();

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

  #received(session: Session, ppid: Ppid, octets: Uint8Array, now: Instant): void {
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

  #message(session: Session, message: CalcAppMessage, now: Instant): void {
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

  #resume(session: Session, octets: Uint8Array, now: Instant): void {
    try {
      this.#start(session, readCalcAppCookie(octets), true, now);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#abort(session, error.message, now);
    }
  }

  #start(session: Session, state: CalcAppCookie, resumed: boolean, now: Instant): void {
    const { jobId, jobSize, completed } = state;
    const { session: id } = session;
    if (session.jobs.has(jobId)) return this.#abort(session, `job ${jobId} is under way already`, now);
    if (this.#capacity.jobCount >= this.#options.maxJobs) {
      this.#outlet.report({ type: "jobRejected", session: id, jobId });
      return this.#say(session, { type: "reject", jobId });
    }
    this.#capacity.join(now);
    const job = newJob(session, state, this.#capacity.progress(now));
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
  #alive(job: Job, now: Instant): void {
    job.awaitsAck = false;
    this.#timers.set(job.keepAlive, now + this.#options.keepAliveIntervalMs);
  }

  // ---------------------------------------------------------------------------------------------- what time brings

  #alarm({ what, job }: Alarm, now: Instant): void {
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

  #complete(job: Job, now: Instant): void {
    const { session, jobId, jobSize } = job;
    this.#say(session, { type: "complete", jobId, jobSize, completed: jobSize });
    this.#remove(job, now);
    this.#outlet.report({ type: "jobCompleted", session: session.session, jobId, jobSize });
    this.#usageChanged(now);
  }

  #sendCookie(job: Job, now: Instant): void {
    const { session: { session }, jobId, jobSize } = job;
    const cookie = writeCalcAppCookie({ jobId, jobSize, completed: this.#completed(job, now) });
    this.#outlet.command({ type: "sendCookie", session, cookie });
    this.#armCookie(job, now);
  }

  #armCookie({ cookie }: Job, now: Instant): void {
    this.#timers.set(cookie, now + this.#options.cookieMaxTimeMs);
    this.#capacity.after(cookie, this.#options.cookieMaxCalculations, now);
  }

  #keepAliveDue(job: Job, now: Instant): void {
    const { session, jobId } = job;
    if (job.awaitsAck) {
      // RSPLIB drops the job and keeps the association: a user that was just slow would have to find out by itself.
      return this.#abort(session, `no sign of life for job ${jobId}`, now);
    }
    job.awaitsAck = true;
    this.#say(session, { type: "keepAlive", jobId });
    this.#timers.set(job.keepAlive, now + this.#options.keepAliveTimeoutMs);
  }

  #completed({ jobSize, before, since }: Job, now: Instant): number {
    return Math.min(jobSize, Math.floor(before + this.#capacity.progress(now) - since));
  }

  // ------------------------------------------------------------------------------------------------------- endings

  #abort(session: Session, reason: string, now: Instant): void {
    this.#outlet.report({ type: "calcAppAborted", session: session.session, reason });
    this.#forget(session, reason, now);
    this.#outlet.command({ type: "closeSession", session: session.session, how: "abort" });
  }

  #forget(session: Session, reason: string, now: Instant): void {
    for (const job of [...session.jobs.values()]) this.#end(job, reason, now);
    this.#sessions.delete(session.session);
    this.#idleTimers.clear(session.session);
  }

  #end(job: Job, reason: string, now: Instant): void {
    const { session: { session }, jobId } = job;
    const completed = this.#completed(job, now);
    this.#remove(job, now);
    this.#outlet.report({ type: "jobEnded", session, jobId, completed, reason });
    this.#usageChanged(now);
  }

  #remove(job: Job, now: Instant): void {
    const { session } = job;
    session.jobs.delete(job.jobId);
    for (const alarm of [job.done, job.cookie, job.keepAlive]) {
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

  #say({ session }: Session, message: CalcAppMessage): void {
    this.#outlet.command({ type: "send", session, ppid: Ppid.calcApp, data: writeCalcApp(message) });
  }
}

function newJob(session: Session, { jobId, jobSize, completed }: CalcAppCookie, since: number): Job {
  const done: Alarm = { what: "done", job: undefined };
  const cookie: Alarm = { what: "cookie", job: undefined };
  const keepAlive: Alarm = { what: "keepAlive", job: undefined };
  const job = {
    session,
    jobId,
    jobSize,
    before: completed,
    since,
    done,
    cookie,
    keepAlive,
    awaitsAck: false,
  };
  for (const alarm of [done, cookie, keepAlive]) alarm.job = job;
  return job;
}
