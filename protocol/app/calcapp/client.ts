import { TimerQueue } from "../../machine.ts";
import type { Prng } from "../../machine.ts";
import { Ppid } from "../../net.ts";
import type { Instant } from "../../net.ts";
import type { PoolHandle } from "../../param/pool_handle.ts";
import type { SessionEvent, SessionFailover, SessionId } from "../../session/types.ts";
import { DecodeError } from "../../wire/errors.ts";
import type { Application, ApplicationOutlet } from "../application.ts";
import { FailoverPause } from "../failover_pause.ts";
import type { ElementService } from "../failover_pause.ts";
import { nextArrival } from "./arrivals.ts";
import type { ArrivalOptions } from "./arrivals.ts";
import type { CalcAppClientInput, CalcAppClientReport, JobRecord } from "./client_types.ts";
import { readCalcApp, writeCalcApp } from "./messages.ts";
import type { CalcAppComplete, CalcAppMessage } from "./messages.ts";

/**
 * So many PEs in a row may neither accept nor reject a cookie; then it is dropped and the job begins anew. A cookie that
 * no PE of the pool can read would otherwise block all jobs for ever.
 */
const MAX_BARREN_COOKIES = 4;

/** Most jobs that wait. More than that means a pool that is too slow for good; further jobs are not made until then. */
const MAX_QUEUE_LENGTH = 100_000;

/** How a CalcApp user behaves. */
export interface CalcAppClientOptions {
  /** The pool that calculates. */
  readonly poolHandle: PoolHandle;
  /** How long after the last sign of life a PE is asked for another one, in milliseconds. Default 5000. */
  readonly keepAliveIntervalMs?: number;
  /** How long a PE may take to answer, in milliseconds. Default 5000. */
  readonly keepAliveTimeoutMs?: number;
  /** Jobs that come by themselves, the first one at once. Default: none. */
  readonly arrivals?: ArrivalOptions | undefined;
  /** For arrivals and for the jitter of pauses. */
  readonly prng: Prng;
}

type QueuedJob = Pick<JobRecord, "jobId" | "jobSize" | "intervalMs" | "queueLength" | "queuedAt">;

/**
 * Where the present job stands. `seeking`: the session layer looks for a PE. `asking`: Request or cookie was sent.
 * `calculating`: accepted, the PE was alive lately. `probing`: a keep-alive is not acknowledged. `pausing`: the PE was useless.
 */
type Phase = "seeking" | "asking" | "calculating" | "probing" | "pausing";

interface PresentJob {
  readonly job: QueuedJob;
  readonly startedAt: Instant;
  session: SessionId;
  phase: Phase;
  elementId: number;
  acceptedAt: Instant | undefined;
  failovers: number;
  /** What the PE was good for until now. */
  service: ElementService;
  /** Whether the registrar is to hear that the PE does not answer. */
  unreachable: boolean;
  hasCookie: boolean;
  /** PEs in a row that did not react to the cookie. */
  barrenCookies: number;
}

/**
 * A pool user that has jobs calculated by a pool of CalcApp services (reference/rsplib.md §5.4): one at a time, each in a
 * session of its own; the others wait.
 *
 *     seeking ── opened: Request; failover complete: cookie or Request ──► asking ── Accept ──► calculating
 *        ▲ ▲                                                               │   │      quiet: KeepAlive │ ▲ Ack
 *        │ └── pausing ◄───────────────────────────────────────── Reject ──┘   │                       ▼ │
 *        └─────────────────── PE lost, or silent for too long ◄────────────────┴──────────────────── probing
 */
export class CalcAppClient implements Application<CalcAppClientInput> {
  readonly #outlet: ApplicationOutlet<never, CalcAppClientReport>;
  readonly #options: Required<CalcAppClientOptions>;
  readonly #pause: FailoverPause;
  readonly #timers = new TimerQueue<"arrival" | "job">();
  /** Jobs that wait, the next one last; those that have come since it was filled are in `#arrived`. */
  #queue: QueuedJob[] = [];
  #arrived: QueuedJob[] = [];
  #present: PresentJob | undefined;
  #lastJob = 0;
  #lastSession = 0;
  #stopping = false;

  /**
   * Makes a pool user.
   *
   * @param outlet where it speaks
   * @param options how it behaves
   */
  constructor(
    outlet: ApplicationOutlet<never, CalcAppClientReport>,
    options: CalcAppClientOptions,
  ) {
    this.#outlet = outlet;
    this.#pause = new FailoverPause(options.prng);
    this.#options = { keepAliveIntervalMs: 5000, keepAliveTimeoutMs: 5000, arrivals: undefined, ...options };
  }

  /** Jobs that wait. */
  get queueLength(): number {
    return this.#queue.length + this.#arrived.length;
  }

  start(now: Instant): void {
    if (this.#options.arrivals !== undefined) this.#arrive(this.#options.arrivals, now);
  }

  input({ jobSize }: CalcAppClientInput, now: Instant): void {
    this.#enqueue(jobSize, 0, now);
  }

  stop(): void {
    this.#stopping = true;
    this.#timers.clear("arrival");
    this.#timers.clear("job");
  }

  tick(now: Instant): void {
    for (let due = this.#timers.takeDue(now); due !== undefined; due = this.#timers.takeDue(now)) {
      if (due === "job") this.#jobTimer(now);
      else if (this.#options.arrivals !== undefined) this.#arrive(this.#options.arrivals, now);
    }
  }

  nextTimeout(): Instant | undefined {
    return this.#timers.next();
  }

  // ------------------------------------------------------------------------------------------------ which job is next

  #arrive(arrivals: ArrivalOptions, now: Instant): void {
    if (arrivals.jobs !== undefined && this.#lastJob >= arrivals.jobs) return;
    const { jobSize, intervalMs } = nextArrival(arrivals, this.#options.prng);
    this.#timers.set("arrival", now + intervalMs);
    if (this.queueLength < MAX_QUEUE_LENGTH) this.#enqueue(jobSize, intervalMs, now);
    else this.#outlet.report({ type: "jobQueueFull", queueLength: this.queueLength });
  }

  #enqueue(jobSize: number, intervalMs: number, now: Instant): void {
    if (this.#stopping) return;
    const jobId = ++this.#lastJob;
    const queueLength = this.queueLength;
    this.#arrived.push({ jobId, jobSize, intervalMs, queueLength, queuedAt: now });
    this.#outlet.report({ type: "jobQueued", jobId, jobSize, queueLength });
    this.#startNext(now);
  }

  #startNext(now: Instant): void {
    if (this.#present !== undefined || this.#stopping) return;
    if (this.#queue.length === 0) {
      this.#queue = this.#arrived.reverse();
      this.#arrived = [];
    }
    const job = this.#queue.pop();
    if (job === undefined) return;
    this.#present = {
      job,
      startedAt: now,
      session: 0,
      phase: "seeking",
      elementId: 0,
      acceptedAt: undefined,
      failovers: 0,
      service: "silent",
      unreachable: false,
      hasCookie: false,
      barrenCookies: 0,
    };
    this.#outlet.report({ type: "jobStarted", jobId: job.jobId, jobSize: job.jobSize });
    this.#open(this.#present);
  }

  #open(present: PresentJob): void {
    present.session = ++this.#lastSession;
    present.phase = "seeking";
    present.hasCookie = false;
    const { poolHandle } = this.#options;
    this.#outlet.command({ type: "openSession", session: present.session, poolHandle });
  }

  // ------------------------------------------------------------------------------------------------- from the session

  sessionEvent(event: SessionEvent, now: Instant): void {
    const present = this.#present;
    if (present?.session !== event.session || this.#stopping) return; // a session that this side has closed
    switch (event.type) {
      case "sessionOpened":
        present.elementId = event.elementId;
        return this.#ask(present, now);
      case "sessionMessage":
        return this.#received(present, event.ppid, event.data, now);
      case "sessionFailover":
        return this.#failover(present, event, now);
      case "sessionCookieHeld":
        present.hasCookie = true;
        present.service = "served";
        return;
      case "sessionClosed": // the session layer has given up
        this.#timers.clear("job");
        return this.#open(present);
      case "sessionCookie":
      case "sessionBlocked":
      case "sessionWritable":
        return; // the first is for hosts; messages of 24 octets are never held back for long
      default:
        event satisfies never;
    }
  }

  #failover(present: PresentJob, event: SessionFailover, now: Instant): void {
    present.hasCookie = event.hasCookie;
    if (event.state === "complete") {
      present.elementId = event.elementId;
      return this.#ask(present, now);
    }
    if (present.phase === "pausing") return; // the pause goes on without the PE
    this.#lost(present, event.reason, event.loss === "silent", now);
  }

  /** A PE has the association: it is told the job, unless the session layer has sent a cookie. */
  #ask(present: PresentJob, now: Instant): void {
    const { job: { jobId, jobSize }, elementId, hasCookie: resumed } = present;
    if (!resumed) this.#say(present, { type: "request", jobId, jobSize });
    this.#outlet.report({ type: "jobRequested", jobId, elementId, resumed });
    present.service = "silent";
    this.#goOn(present, "asking", now + this.#options.keepAliveTimeoutMs);
  }

  #received(present: PresentJob, ppid: Ppid, octets: Uint8Array, now: Instant): void {
    if (ppid !== Ppid.calcApp) {
      return this.#invalid(present, `a message with payload protocol ${ppid}, not ${Ppid.calcApp}`);
    }
    try {
      const message = readCalcApp(octets);
      if (message.jobId === present.job.jobId) this.#message(present, message, now);
      else this.#invalid(present, `a message of type ${message.type} about job ${message.jobId}`);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#invalid(present, error.message);
    }
  }

  #message(present: PresentJob, message: CalcAppMessage, now: Instant): void {
    const { job: { jobId }, elementId, phase } = present;
    switch (message.type) {
      case "accept":
        return this.#accepted(present, now);
      case "reject":
        return this.#rejected(present, now);
      case "complete":
        return this.#complete(present, message, now);
      case "keepAlive":
        // RSPLIB's PE asks a new session after the job of an old one that had the same number: an answer would keep that
        // job alive, and its place taken, though its user has gone.
        if (phase !== "calculating" && phase !== "probing") return;
        present.service = "served";
        return this.#say(present, { type: "keepAliveAck", jobId });
      case "keepAliveAck":
        if (phase !== "probing") return;
        present.service = "served";
        this.#outlet.report({ type: "keepAliveAcknowledged", jobId, elementId });
        return this.#goOn(present, "calculating", now + this.#options.keepAliveIntervalMs);
      case "abort":
        return this.#lost(present, "the pool element gave the job up", false, now);
      case "request":
        return this.#invalid(present, "a Request, which only a pool user sends");
      default:
        message satisfies never;
    }
  }

  #accepted(present: PresentJob, now: Instant): void {
    if (present.phase !== "asking") return;
    present.acceptedAt ??= now;
    present.barrenCookies = 0;
    present.service = "useless"; // until it gives another sign of life: accepting alone helps nobody
    this.#outlet.report({ type: "jobAccepted", jobId: present.job.jobId, elementId: present.elementId });
    this.#goOn(present, "calculating", now + this.#options.keepAliveIntervalMs);
  }

  /** The PE is full, and alive. */
  #rejected(present: PresentJob, now: Instant): void {
    if (present.phase === "pausing") return;
    present.barrenCookies = 0;
    const pauseMs = this.#pause.next("useless");
    const { job: { jobId }, elementId } = present;
    this.#outlet.report({ type: "jobRejected", jobId, elementId, pauseMs });
    this.#leave(present, pauseMs, false, now);
  }

  #complete(present: PresentJob, { jobSize, completed }: CalcAppComplete, now: Instant): void {
    const { job, startedAt, elementId, failovers, session, acceptedAt = now } = present;
    if (jobSize !== job.jobSize || completed !== jobSize) {
      this.#invalid(present, `${completed} of ${jobSize} calculations as the end of ${job.jobSize}`);
      present.barrenCookies = MAX_BARREN_COOKIES; // it leads to another job
      return this.#lost(present, "the pool element calculated another job", false, now);
    }
    this.#present = undefined;
    this.#timers.clear("job");
    this.#outlet.command({ type: "closeSession", session, how: "shutdown" });
    const record = { ...job, startedAt, acceptedAt, completedAt: now, failovers };
    this.#outlet.report({ type: "jobCompleted", record, elementId });
    this.#startNext(now);
  }

  // ------------------------------------------------------------------------------------------------ when all is quiet

  #jobTimer(now: Instant): void {
    const present = this.#present;
    if (present === undefined) return;
    switch (present.phase) {
      case "calculating":
        return this.#probe(present, now);
      case "asking":
      case "probing":
        return this.#lost(present, `no answer for ${this.#options.keepAliveTimeoutMs} ms`, true, now);
      case "pausing":
        return this.#seek(present);
      case "seeking": // the session layer has its own timers
        return;
      default:
        present.phase satisfies never;
    }
  }

  #probe(present: PresentJob, now: Instant): void {
    const { job: { jobId }, elementId } = present;
    this.#say(present, { type: "keepAlive", jobId });
    this.#outlet.report({ type: "keepAliveSent", jobId, elementId });
    this.#goOn(present, "probing", now + this.#options.keepAliveTimeoutMs);
  }

  #goOn(present: PresentJob, phase: Phase, until: Instant): void {
    present.phase = phase;
    this.#timers.set("job", until);
  }

  #lost(present: PresentJob, reason: string, unreachable: boolean, now: Instant): void {
    const { job: { jobId }, elementId, hasCookie, phase } = present;
    present.failovers++;
    if (hasCookie && phase === "asking") present.barrenCookies++;
    const pauseMs = this.#pause.next(present.service);
    this.#outlet.report({ type: "jobFailover", jobId, elementId, hasCookie, reason, pauseMs });
    this.#leave(present, pauseMs, unreachable, now);
  }

  /** Looks for another PE, after a pause. */
  #leave(present: PresentJob, pauseMs: number, unreachable: boolean, now: Instant): void {
    present.unreachable = unreachable;
    if (pauseMs === 0) this.#seek(present);
    else this.#goOn(present, "pausing", now + pauseMs);
  }

  /** Looks for another PE: in the same session, unless its cookie is no good. */
  #seek(present: PresentJob): void {
    const { session, unreachable: reportUnreachable } = present;
    this.#timers.clear("job");
    // Before any PE has accepted the job there is no cookie of it: RSPLIB's PE has sent one of somebody else's job.
    const isForeign = present.hasCookie && present.acceptedAt === undefined;
    if (isForeign || present.barrenCookies >= MAX_BARREN_COOKIES) {
      present.barrenCookies = 0;
      this.#outlet.command({ type: "closeSession", session, how: "abort" });
      return this.#open(present);
    }
    present.phase = "seeking";
    this.#outlet.command({ type: "failover", session, reportUnreachable });
  }

  #invalid({ job: { jobId }, elementId }: PresentJob, reason: string): void {
    this.#outlet.report({ type: "jobInvalid", jobId, elementId, reason });
  }

  #say({ session }: PresentJob, message: CalcAppMessage): void {
    this.#outlet.command({ type: "send", session, ppid: Ppid.calcApp, data: writeCalcApp(message) });
  }
}
