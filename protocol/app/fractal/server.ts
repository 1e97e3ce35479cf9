import { earliest, TimerQueue } from "../../machine.ts";
import { Ppid } from "../../net.ts";
import type { Instant, TransportAddress } from "../../net.ts";
import type { SessionEvent, SessionId } from "../../session/types.ts";
import { DecodeError } from "../../wire/errors.ts";
import { ApplicationMachine } from "../application.ts";
import type {
  Application,
  ApplicationEffect,
  ApplicationInput,
  ApplicationOutlet,
  Sessions,
} from "../application.ts";
import { TEST_PATTERN } from "./compute.ts";
import { readFractalCookie, writeFractalCookie } from "./cookie.ts";
import { FractalJob } from "./job.ts";
import { readFractal, writeFractal } from "./messages.ts";
import type { FractalParameter } from "./messages.ts";

/**
 * A session may be without a job for so long, in milliseconds: before its Parameter and after the end marker. It
 * occupies a place meanwhile, which a stranger must not be able to keep for nothing.
 */
const IDLE_LIMIT_MS = 30_000;

/** How a fractal service behaves. */
export interface FractalServerOptions {
  /** Sessions at the same time; another one is turned away. Default 4. */
  readonly maxThreads?: number;
  /** Shut a session down after so many full Data messages, for demonstrations; 0 = never (default). */
  readonly failureAfter?: number;
  /** Compute (x * y) mod 256 whatever is asked for. Default false. */
  readonly testMode?: boolean;
  /** A peer that takes nothing for so long is given up, in milliseconds. Default 2500. */
  readonly transmitTimeoutMs?: number;
  /** Longest time between two Data messages, as far as there are points, in milliseconds. Default 1000. */
  readonly dataMaxTimeMs?: number;
  /** Age of a cookie at which a new one is sent, in milliseconds. Default 1000. */
  readonly cookieMaxTimeMs?: number;
  /** Number of Data messages after which a new cookie is sent. Default 10. */
  readonly cookieMaxPackets?: number;
  /**
   * Most points a second and session, so that a fast machine lets people see an image grow and a failover happen; 0 = as
   * many as it can (default).
   */
  readonly maxRate?: number;
}

/** A piece of work for a processor other than the one that serves the network. */
export interface ComputeJob {
  /** Names the piece, never used again. */
  readonly job: number;
  /** The image; {@linkcode computePoints} takes these three. */
  readonly parameter: FractalParameter;
  /** Index of the first point. */
  readonly first: number;
  /** How many points. */
  readonly count: number;
}

/** What a fractal service takes for its own. */
export type ComputeInput =
  /** The points of a compute job; borrowed. */
  | { readonly type: "computed"; readonly job: number; readonly values: Uint32Array }
  /** A compute job could not be done. */
  | { readonly type: "computeFailed"; readonly job: number; readonly reason: string };

/** What a fractal service asks for on its own. */
export type ComputeEffect =
  | ({ readonly type: "compute" } & ComputeJob)
  /** The points of this job are no longer wanted; an answer is ignored. */
  | { readonly type: "cancelCompute"; readonly job: number };

/** What the machine of a fractal service takes. */
export type FractalServerInput = ApplicationInput<ComputeInput>;

/** What the machine of a fractal service asks for. */
export type FractalServerEffect = ApplicationEffect<ComputeEffect, FractalServerReport>;

/** What is worth a log line at a fractal service. */
export type FractalServerReport =
  | {
    readonly type: "fractalStarted";
    readonly session: SessionId;
    readonly parameter: FractalParameter;
    /** Index of the point to begin with; more than 0 for a session that comes from another PE. */
    readonly first: number;
    readonly resumed: boolean;
  }
  /** A new session was turned away. */
  | { readonly type: "fractalFull"; readonly session: SessionId; readonly peer: readonly TransportAddress[] }
  /** The end marker was sent. */
  | { readonly type: "fractalCompleted"; readonly session: SessionId; readonly points: number }
  /** `failureAfter` was reached. */
  | { readonly type: "fractalFailure"; readonly session: SessionId; readonly fullData: number }
  /** The session was aborted by this side. */
  | { readonly type: "fractalAborted"; readonly session: SessionId; readonly reason: string }
  | { readonly type: "fractalLoad"; readonly load: number; readonly sessionCount: number };

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
  readonly #sessions = new Map<SessionId, Session>();
  /** Which session waits for a compute job. */
  readonly #jobs = new Map<number, Session>();
  /** When partial Data or a cookie is due. */
  readonly #flushTimers = new TimerQueue<SessionId>();
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
    for (let id = this.#flushTimers.takeDue(now); id !== undefined; id = this.#flushTimers.takeDue(now)) {
      const session = this.#sessions.get(id);
      if (session !== undefined) this.#flushDue(session, now);
    }
    for (let id = this.#paceTimers.takeDue(now); id !== undefined; id = this.#paceTimers.takeDue(now)) {
      const session = this.#sessions.get(id);
      if (session?.job !== undefined) this.#continue(session, session.job, now);
    }
  }

  nextTimeout(): Instant | undefined {
    return earliest(this.#limitTimers.next(), this.#flushTimers.next(), this.#paceTimers.next());
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
        this.#flushTimers.clear(session.id);
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
    this.#sendCookie(session, job, now); // so that the pool user never has to start over
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
    this.#armFlush(session, job);
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
      this.#sendData(session, job, now);
      if (job.fullData === this.#options.failureAfter) {
        this.#fail(session, job, now);
        return;
      }
      if (job.dataSinceCookie >= this.#options.cookieMaxPackets) this.#sendCookie(session, job, now);
    }
    this.#continue(session, job, now);
  }

  #flushDue(session: Session, now: Instant): void {
    const { job } = session;
    if (job === undefined || session.blocked) return;
    if (now >= job.lastCookieAt + this.#options.cookieMaxTimeMs) this.#flushAndSendCookie(session, job, now);
    else if (job.waiting > 0) this.#sendData(session, job, now);
    this.#armFlush(session, job);
  }

  /** Sets the timer to whatever is due first of partial Data and cookie. Without new points neither is. */
  #armFlush(session: Session, job: FractalJob): void {
    const { dataMaxTimeMs, cookieMaxTimeMs } = this.#options;
    let due = Infinity;
    if (job.waiting > 0) due = job.lastDataAt + dataMaxTimeMs;
    if (job.waiting > 0 || job.dataSinceCookie > 0) due = Math.min(due, job.lastCookieAt + cookieMaxTimeMs);
    if (due === Infinity) this.#flushTimers.clear(session.id);
    else this.#flushTimers.set(session.id, due);
  }

  #sendData(session: Session, job: FractalJob, now: Instant): void {
    this.#send(session, writeFractal(job.takeData(now)));
  }

  #sendCookie(session: Session, job: FractalJob, now: Instant): void {
    const cookie = writeFractalCookie(job.takeCookie(now));
    this.#outlet.command({ type: "sendCookie", session: session.id, cookie });
  }

  #flushAndSendCookie(session: Session, job: FractalJob, now: Instant): void {
    if (job.waiting > 0) this.#sendData(session, job, now);
    if (job.dataSinceCookie > 0) this.#sendCookie(session, job, now);
  }

  #send(session: Session, data: Uint8Array): void {
    this.#outlet.command({ type: "send", session: session.id, ppid: Ppid.fractalGenerator, data });
  }

  #complete(session: Session, job: FractalJob, now: Instant): void {
    if (job.waiting > 0) this.#sendData(session, job, now);
    this.#send(session, writeFractal({ type: "end" }));
    this.#flushTimers.clear(session.id);
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
    this.#sendCookie(session, job, now);
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
      if (session.job !== undefined) this.#flushAndSendCookie(session, session.job, now);
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
    this.#flushTimers.clear(session.id);
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
