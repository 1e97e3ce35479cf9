import { TimerQueue } from "../../machine.ts";
import { Ppid } from "../../net.ts";
import type { Instant } from "../../net.ts";
import type { SessionId } from "../../session/types.ts";
import type { ApplicationOutlet } from "../application.ts";
import { writeFractalCookie } from "./cookie.ts";
import type { FractalJob } from "./job.ts";
import { writeFractal } from "./messages.ts";
import type { FractalServerOptions } from "./server_types.ts";

/**
 * What goes to the pool users of a fractal service: Data, cookies and end markers; and when partial Data or a cookie is due. A
 * cookie is always preceded by the data that it counts.
 */
export class FractalPost {
  readonly #outlet: Pick<ApplicationOutlet<never, never>, "command">;
  readonly #times: Pick<Required<FractalServerOptions>, "dataMaxTimeMs" | "cookieMaxTimeMs">;
  readonly #timers = new TimerQueue<SessionId>();

  /**
   * @param outlet where it goes
   * @param times how long points and cookies may wait
   */
  constructor(
    outlet: Pick<ApplicationOutlet<never, never>, "command">,
    times: Pick<Required<FractalServerOptions>, "dataMaxTimeMs" | "cookieMaxTimeMs">,
  ) {
    this.#outlet = outlet;
    this.#times = times;
  }

  /** Sends the points that wait; there must be some. */
  sendData(session: SessionId, job: FractalJob, now: Instant): void {
    this.#send(session, writeFractal(job.takeData(now)));
  }

  /** Sends the state to come back to; no points may wait. */
  sendCookie(session: SessionId, job: FractalJob, now: Instant): void {
    const cookie = writeFractalCookie(job.takeCookie(now));
    this.#outlet.command({ type: "sendCookie", session, cookie });
  }

  /** Sends the points that wait, if any, and a cookie, unless the last one says the same. */
  flush(session: SessionId, job: FractalJob, now: Instant): void {
    if (job.waiting > 0) this.sendData(session, job, now);
    if (job.dataSinceCookie > 0) this.sendCookie(session, job, now);
  }

  /** Sends the points that wait, if any, and the end marker. */
  complete(session: SessionId, job: FractalJob, now: Instant): void {
    if (job.waiting > 0) this.sendData(session, job, now);
    this.#send(session, writeFractal({ type: "end" }));
    this.hold(session);
  }

  /** Sets the timer to whatever is due first of partial Data and cookie. Without new points neither is. */
  arm(session: SessionId, job: FractalJob): void {
    const { dataMaxTimeMs, cookieMaxTimeMs } = this.#times;
    let due = Infinity;
    if (job.waiting > 0) due = job.lastDataAt + dataMaxTimeMs;
    if (job.waiting > 0 || job.dataSinceCookie > 0) due = Math.min(due, job.lastCookieAt + cookieMaxTimeMs);
    if (due === Infinity) this.#timers.clear(session);
    else this.#timers.set(session, due);
  }

  /** Nothing is due until {@linkcode FractalPost.arm}. */
  hold(session: SessionId): void {
    this.#timers.clear(session);
  }

  /** Sends what is due. */
  sendDue(session: SessionId, job: FractalJob, now: Instant): void {
    if (now >= job.lastCookieAt + this.#times.cookieMaxTimeMs) this.flush(session, job, now);
    else if (job.waiting > 0) this.sendData(session, job, now);
    this.arm(session, job);
  }

  /** The next session for which something is due by now. */
  takeDue(now: Instant): SessionId | undefined {
    return this.#timers.takeDue(now);
  }

  /** When something is due. */
  next(): Instant | undefined {
    return this.#timers.next();
  }

  #send(session: SessionId, data: Uint8Array): void {
    this.#outlet.command({ type: "send", session, ppid: Ppid.fractalGenerator, data });
  }
}
