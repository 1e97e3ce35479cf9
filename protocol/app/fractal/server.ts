import { earliest, TimerQueue } from "../../machine.ts";
import { Ppid } from "../../net.ts";
import type { Instant, TransportAddress } from "../../net.ts";
import type { SessionEvent, SessionId } from "../../session/types.ts";
import { DecodeError } from "../../wire/errors.ts";
import { ApplicationMachine } from "../application.ts";
import type { Application, ApplicationOutlet, Sessions } from "../application.ts";
import { TEST_PATTERN } from "./compute.ts";
import { readFractalCookie } from "./cookie.ts";
import { FractalJob } from "./job.ts";
import { readFractal } from "./messages.ts";
import type { FractalParameter } from "./messages.ts";
import { FractalPost } from "./post.ts";
import type {
  ComputeEffect,
  ComputeInput,
  FractalServerOptions,
  FractalServerReport,
} from "./server_types.ts";

/**
 * A session may be without a job for so long, in milliseconds: before its Parameter and after the end marker. It
 * occupies a place meanwhile, which a stranger must not be able to keep for nothing.
 */
const IDLE_LIMIT_MS = 30_000;

interface Session {
  readonly id: SessionId;
  phase: "waiting" | "computing" | "finished";
  job: FractalJob | undefined;
  /** Asked for while another image is being computed: comes next, as RSPLIB's PE reads it next. */
  nextParameter: FractalParameter | undefined;
  /** The compute job that is under way. */
  pending: number | undefined;
  pendingSince: Instant;
  /** With a limited rate: when the next points may be computed. */
  paceAt: Instant;
  blocked: boolean;
}

/** A pool element that computes fractal images: a fractal service on top of a service host. */
export class FractalServer extends ApplicationMachine<ComputeInput, ComputeEffect, FractalServerReport> {
  readonly #service: FractalService;

  /**
   * Makes a service that does nothing until `start`.
   *
   * @param host a service host with endpoints of its own; only this machine talks to it
   * @param options how the service behaves
   */
  constructor(host: Sessions, options: FractalServerOptions = {}) {
    let service: FractalService | undefined;
    super(host, (outlet) => service = new FractalService(outlet, options));
    this.#service = service!;
  }

  /** Sessions that are up. */
  get sessionCount(): number {
    return this.#service.sessionCount;
  }
}

/**
 * Computes fractal images for the sessions of a service host (reference/rsplib.md §5.2).
 *
 * A session goes `waiting` → `computing` → `finished`, and from there back to `computing` when another Parameter
 * comes. It starts with a Parameter or with a cookie that another PE made. Computing is done elsewhere: the service asks by
 * `compute` effects, one at a time a session, each for some points, and gets `computed` inputs. What comes is cut
 * into Data messages. Timers make partial Data and cookies; a cookie is always preceded by the data that it counts.
 *
 * While a session's send buffer is full nothing is computed for it and nothing is sent; when that lasts too long, it
 * is aborted.
 */
class FractalService implements Application<ComputeInput> {
  readonly #options: Required<FractalServerOptions>;
  readonly #outlet: ApplicationOutlet<ComputeEffect, FractalServerReport>;
  readonly #post: FractalPost;
  readonly #sessions = new Map<SessionId, Session>();
  /** Which session waits for a compute job. */
  readonly #jobs = new Map<number, Session>();
  /** When the next points may be computed. */
  readonly #paceTimers = new TimerQueue<SessionId>();
  /** When a session that does not go on is given up. */
  readonly #limitTimers = new TimerQueue<SessionId>();
  #nextJob = 1;
  #load = 0;
  #stopping = false;

  constructor(outlet: ApplicationOutlet<ComputeEffect, FractalServerReport>, options: FractalServerOptions) {
    this.#outlet = outlet;
    this.#options = {
      maxThreads: 4,
      failureAfter: 0,
      testMode: false,
      transmitTimeoutMs: 2500,
      dataMaxTimeMs: 1000,
      cookieMaxTimeMs: 1000,
      cookieMaxPackets: 10,
      maxRate: 0,
      ...options,
    };
    this.#post = new FractalPost(outlet, this.#options);
  }

  get sessionCount(): number {
    return this.#sessions.size;
  }

  input(input: ComputeInput, now: Instant): void {
    switch (input.type) {
      case "computed":
        this.#computed(input.job, input.values, now);
        break;
      case "computeFailed": {
        const session = this.#jobs.get(input.job);
        if (session !== undefined) this.#abort(session, input.reason);
        break;
      }
      default:
        input satisfies never;
    }
  }

  tick(now: Instant): void {
    for (let id = this.#limitTimers.takeDue(now); id !== undefined; id = this.#limitTimers.takeDue(now)) {
      const session = this.#sessions.get(id);
      if (session !== undefined) this.#limitReached(session);
    }
    for (let id = this.#post.takeDue(now); id !== undefined; id = this.#post.takeDue(now)) {
      const session = this.#sessions.get(id);
      if (session !== undefined) this.#flushDue(session, now);
    }
    for (let id = this.#paceTimers.takeDue(now); id !== undefined; id = this.#paceTimers.takeDue(now)) {
      const session = this.#sessions.get(id);
      if (session?.job !== undefined) this.#continue(session, session.job, now);
    }
  }

  nextTimeout(): Instant | undefined {
    return earliest(this.#limitTimers.next(), this.#post.next(), this.#paceTimers.next());
  }

  sessionEvent(event: SessionEvent, now: Instant): void {
    if (event.type === "sessionOpened") {
      this.#opened(event.session, event.peer, now);
      return;
    }
    const session = this.#sessions.get(event.session);
    if (session === undefined) return;
    switch (event.type) {
      case "sessionMessage":
        this.#message(session, event.ppid, event.data, now);
        break;
      case "sessionCookie":
        this.#cookie(session, event.cookie, now);
        break;
      case "sessionBlocked":
        session.blocked = true;
        this.#post.hold(session.id);
        this.#limitTimers.set(session.id, now + this.#options.transmitTimeoutMs);
        break;
      case "sessionWritable":
        session.blocked = false;
        this.#armLimit(session, now);
        if (session.job !== undefined) this.#continue(session, session.job, now);
        break;
      case "sessionClosed":
        this.#forget(session);
        break;
      case "sessionCookieHeld":
      case "sessionFailover":
        break; // only pool users hear these
      default:
        event satisfies never;
    }
  }

  #opened(id: SessionId, peer: readonly TransportAddress[], now: Instant): void {
    if (this.#stopping || this.#sessions.size >= this.#options.maxThreads) {
      this.#outlet.report({ type: "fractalFull", session: id, peer });
      this.#outlet.command({ type: "closeSession", session: id, how: "shutdown" });
      return;
    }
    const session: Session = {
      id,
      phase: "waiting",
      job: undefined,
      nextParameter: undefined,
      pending: undefined,
      pendingSince: now,
      paceAt: now,
      blocked: false,
    };
    this.#sessions.set(id, session);
    this.#armLimit(session, now);
    this.#updateLoad();
  }

  #message(session: Session, ppid: Ppid, data: Uint8Array, now: Instant): void {
    if (ppid !== Ppid.fractalGenerator) {
      this.#abort(session, `a message with payload protocol ${ppid}, not ${Ppid.fractalGenerator}`);
      return;
    }
    const message = this.#read(session, () => readFractal(data));
    if (message === undefined) return;
    if (message.type !== "parameter") {
      this.#abort(session, `a ${message.type} message, which only a PE sends`);
      return;
    }
    if (session.phase !== "computing") this.#begin(session, message, 0, false, now);
    else if (session.nextParameter === undefined) session.nextParameter = message;
    else this.#abort(session, "a third Parameter while the first is computed");
  }

  #cookie(session: Session, octets: Uint8Array, now: Instant): void {
    if (session.phase !== "waiting") {
      this.#abort(session, "a cookie echo that is not the first message");
      return;
    }
    const cookie = this.#read(session, () => readFractalCookie(octets));
    if (cookie === undefined) return;
    const { parameter, currentX, currentY } = cookie;
    this.#begin(session, parameter, currentY * parameter.width + currentX, true, now);
  }

  /** Undefined = the session was aborted, since the octets cannot be read. */
  #read<Value>(session: Session, read: () => Value): Value | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#abort(session, error.message);
      return undefined;
    }
  }

  #begin(session: Session, parameter: FractalParameter, first: number, resumed: boolean, now: Instant): void {
    const job = new FractalJob(parameter, first, now);
    session.job = job;
    session.phase = "computing";
    this.#outlet.report({ type: "fractalStarted", session: session.id, parameter, first, resumed });
    this.#post.sendCookie(session.id, job, now); // so that the pool user never has to start over
    this.#armLimit(session, now);
    this.#updateLoad();
    this.#continue(session, job, now);
  }

  /** Asks for the next points, unless some are asked for already, there are none, or the peer is behind. */
  #continue(session: Session, job: FractalJob, now: Instant): void {
    if (session.blocked || session.job !== job) return;
    if (job.complete) {
      this.#complete(session, job, now);
      return;
    }
    this.#post.arm(session.id, job);
    if (session.pending !== undefined) return;
    if (session.paceAt > now) {
      this.#paceTimers.set(session.id, session.paceAt);
      return;
    }
    const count = this.#paced(session, job.batch, now);
    session.pending = this.#nextJob++;
    session.pendingSince = now;
    this.#jobs.set(session.pending, session);
    // In test mode a cookie still names what was asked for, so that a PE without test mode can go on from it.
    const parameter = this.#options.testMode ? { ...job.parameter, algorithm: TEST_PATTERN } : job.parameter;
    this.#outlet.effect({
      type: "compute",
      job: session.pending,
      parameter,
      first: job.next,
      count,
    });
  }

  /** How many of these points may be computed now; with a limited rate, those of a tenth of a second. */
  #paced(session: Session, points: number, now: Instant): number {
    const { maxRate } = this.#options;
    if (maxRate === 0) return points;
    const count = Math.min(points, Math.max(1, Math.floor(maxRate / 10)));
    session.paceAt = Math.max(session.paceAt, now - 1000) + 1000 * count / maxRate;
    return count;
  }

  #computed(id: number, values: Uint32Array, now: Instant): void {
    const session = this.#jobs.get(id);
    const job = session?.job;
    if (session === undefined || job === undefined) return; // the session has gone meanwhile
    this.#jobs.delete(id);
    session.pending = undefined;
    job.adapt(now - session.pendingSince);
    for (let taken = 0; taken < values.length;) {
      taken += job.add(values.subarray(taken));
      if (!job.dataIsFull) break;
      this.#post.sendData(session.id, job, now);
      if (job.fullData === this.#options.failureAfter) {
        this.#fail(session, job, now);
        return;
      }
      if (job.dataSinceCookie >= this.#options.cookieMaxPackets) this.#post.sendCookie(session.id, job, now);
    }
    this.#continue(session, job, now);
  }

  #flushDue(session: Session, now: Instant): void {
    const { job } = session;
    if (job === undefined || session.blocked) return;
    this.#post.sendDue(session.id, job, now);
  }

  #complete(session: Session, job: FractalJob, now: Instant): void {
    this.#post.complete(session.id, job, now);
    this.#outlet.report({ type: "fractalCompleted", session: session.id, points: job.points });
    session.job = undefined;
    session.phase = "finished";
    const next = session.nextParameter;
    session.nextParameter = undefined;
    if (next !== undefined) {
      this.#begin(session, next, 0, false, now);
    } else {
      this.#armLimit(session, now);
      this.#updateLoad();
    }
  }

  #fail(session: Session, job: FractalJob, now: Instant): void {
    this.#outlet.report({ type: "fractalFailure", session: session.id, fullData: job.fullData });
    this.#post.sendCookie(session.id, job, now);
    this.#close(session, "shutdown");
  }

  #abort(session: Session, reason: string): void {
    this.#outlet.report({ type: "fractalAborted", session: session.id, reason });
    this.#close(session, "abort");
  }

  #close(session: Session, how: "shutdown" | "abort"): void {
    this.#outlet.command({ type: "closeSession", session: session.id, how });
    this.#forget(session);
  }

  /**
   * Leaves the pool users a fresh cookie each, so that nothing is computed twice when they go on elsewhere, and lets them
   * go at once: the deregistration may take its time.
   */
  stop(now: Instant): void {
    this.#stopping = true;
    for (const session of this.#sessions.values()) {
      if (session.job !== undefined) this.#post.flush(session.id, session.job, now);
      this.#close(session, "shutdown");
    }
  }

  #limitReached(session: Session): void {
    if (session.blocked) {
      this.#abort(session, `the peer took nothing for ${this.#options.transmitTimeoutMs} ms`);
    } else if (session.phase !== "computing") {
      this.#close(session, "shutdown");
    }
  }

  #armLimit(session: Session, now: Instant): void {
    if (session.blocked) return; // the limit for that is running
    if (session.phase === "computing") this.#limitTimers.clear(session.id);
    else this.#limitTimers.set(session.id, now + IDLE_LIMIT_MS);
  }

  #forget(session: Session): void {
    this.#cancel(session);
    this.#sessions.delete(session.id);
    this.#post.hold(session.id);
    this.#paceTimers.clear(session.id);
    this.#limitTimers.clear(session.id);
    this.#updateLoad();
  }

  #cancel(session: Session): void {
    if (session.pending === undefined) return;
    this.#jobs.delete(session.pending);
    this.#outlet.effect({ type: "cancelCompute", job: session.pending });
    session.pending = undefined;
  }

  /** A session counts until its end marker is out: before that its place is taken, even if it has not asked yet. */
  #updateLoad(): void {
    let busy = 0;
    for (const { phase } of this.#sessions.values()) if (phase !== "finished") busy++;
    const load = busy / this.#options.maxThreads;
    if (load === this.#load) return;
    this.#load = load;
    this.#outlet.command({ type: "setLoad", load });
    this.#outlet.report({ type: "fractalLoad", load, sessionCount: this.#sessions.size });
  }
}
