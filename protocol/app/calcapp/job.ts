import type { SessionId } from "../../session/types.ts";
import type { CalcAppCookie } from "./cookie.ts";

/** A session of a CalcApp service, with the jobs that its user has under way. */
export interface CalcAppSession {
  readonly session: SessionId;
  readonly jobs: Map<number, CalcAppJob>;
}

/** What a timer is for; the job is gone when it has ended. */
export interface JobAlarm {
  readonly what: "done" | "cookie" | "keepAlive";
  job: CalcAppJob | undefined;
}

/** A job of a CalcApp service. */
export class CalcAppJob {
  readonly session: CalcAppSession;
  readonly jobId: number;
  readonly jobSize: number;
  readonly done: JobAlarm = { what: "done", job: this };
  readonly cookie: JobAlarm = { what: "cookie", job: this };
  readonly keepAlive: JobAlarm = { what: "keepAlive", job: this };
  /** A keep-alive was sent and is not acknowledged. */
  awaitsAck = false;
  /** Calculations that were done when it started. */
  readonly #before: number;
  /** What each job had got when it started. */
  readonly #since: number;

  /**
   * @param state as the user asks for it, or as a cookie has it
   * @param progress what each job has got until now
   */
  constructor(session: CalcAppSession, { jobId, jobSize, completed }: CalcAppCookie, progress: number) {
    this.session = session;
    this.jobId = jobId;
    this.jobSize = jobSize;
    this.#before = completed;
    this.#since = progress;
  }

  /** Its timers. */
  get alarms(): readonly JobAlarm[] {
    return [this.done, this.cookie, this.keepAlive];
  }

  /** Calculations that are done. @param progress what each job has got until now */
  completed(progress: number): number {
    return Math.min(this.jobSize, Math.floor(this.#before + progress - this.#since));
  }
}
