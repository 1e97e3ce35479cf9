import { TimerQueue } from "../../machine.ts";
import type { Prng } from "../../machine.ts";
import { Ppid } from "../../net.ts";
import type { Instant } from "../../net.ts";
import type { SessionEvent, SessionId } from "../../session/types.ts";
import { DecodeError, StateError } from "../../wire/errors.ts";
import { ApplicationMachine } from "../application.ts";
import type { Application, ApplicationOutlet, Sessions } from "../application.ts";
import type { CancelInput, FractalClientReport, ImageInput } from "./client_types.ts";
import { FractalImage } from "./image.ts";
import { readFractal, writeFractal } from "./messages.ts";
import type { FractalData, FractalMessage } from "./messages.ts";
import type { PartSession } from "./part_session.ts";
import { partition } from "./subimage.ts";

/** How a fractal pool user behaves. */
export interface FractalClientOptions {
  /** The pool that computes. */
  readonly poolHandle: Uint8Array;
  /** A PE that sends no points for so long is left, in milliseconds. Default 5000. */
  readonly receiveTimeoutMs?: number;
  /** For the jitter of pauses. */
  readonly prng: Prng;
}

/** A pool user that has images computed by a pool of fractal services, on top of a session client. */
export class FractalClient extends ApplicationMachine<ImageInput | CancelInput, never, FractalClientReport> {
  /**
   * Makes a pool user that computes nothing until `image`; a second `image` before the first one is complete or
   * cancelled is a {@linkcode StateError}.
   *
   * @param client a session client with endpoints of its own; only this machine talks to it
   * @param options how the pool user behaves
   */
  constructor(client: Sessions, options: FractalClientOptions) {
    super(client, (outlet) => new FractalUser(outlet, options));
  }
}

/**
 * Has images computed in the sessions of a session client (reference/rsplib.md §5.2, §6.6).
 *
 * The image is cut into parts, each with a session of its own:
 *
 *     seeking ── opened: send Parameter ──────────► working ── end marker, nothing missing ──► done
 *        ▲  └──── failover complete, cookie echoed ───┘ │
 *        └────────── pausing ◄── PE lost, silent, full ─┘
 *
 * A part is done only when each of its points is there. RSPLIB's PE may send a cookie that is ahead of the data which it
 * has in hand; when it dies then, its successor goes on behind a gap of up to 323 points. So when the end marker comes and
 * points are missing, the part is asked for again, in a new session: the old session's cookie would lead behind the gap. When
 * the last missing point is there, that session is left.
 *
 * When an image is cancelled its sessions are aborted, so that the PEs are free at once. The next image waits until the
 * last of them is over: its sessions could not use their endpoints for the same PEs before.
 */
class FractalUser implements Application<ImageInput | CancelInput> {
  readonly #outlet: ApplicationOutlet<never, FractalClientReport>;
  readonly #poolHandle: Uint8Array;
  readonly #receiveTimeoutMs: number;
  readonly #prng: Prng;
  readonly #sessions = new Map<SessionId, PartSession>();
  /** Working: the PE is silent. Pausing: the pause is over. */
  readonly #timers = new TimerQueue<PartSession>();
  #image: FractalImage | undefined;
  /** Sessions of a cancelled image that are not over yet. */
  readonly #leaving = new Set<SessionId>();
  /** The image that waits for them. */
  #waiting: { readonly input: ImageInput; readonly since: Instant } | undefined;
  #nextSession = 1;
  #stopping = false;

  constructor(outlet: ApplicationOutlet<never, FractalClientReport>, options: FractalClientOptions) {
    this.#outlet = outlet;
    this.#poolHandle = options.poolHandle;
    this.#receiveTimeoutMs = options.receiveTimeoutMs ?? 5000;
    this.#prng = options.prng;
  }

  tick(now: Instant): void {
    for (let part = this.#timers.takeDue(now); part !== undefined; part = this.#timers.takeDue(now)) {
      if (this.#image === undefined) break;
      if (part.phase === "working") this.#silent(this.#image, part, now);
      else if (part.phase === "pausing") this.#seek(part);
    }
  }

  nextTimeout(): Instant | undefined {
    return this.#timers.next();
  }

  input(input: ImageInput | CancelInput, now: Instant): void {
    if (input.type === "cancel") return this.#cancel();
    if (this.#image !== undefined || this.#waiting !== undefined) {
      throw new StateError("one image at a time: the last one is not complete");
    }
    if (this.#stopping) return;
    if (this.#leaving.size === 0) this.#begin(input, now);
    else this.#waiting = { input, since: now };
  }

  #cancel(): void {
    this.#waiting = undefined;
    const image = this.#image;
    if (image === undefined) return;
    this.#image = undefined;
    for (const part of image.parts) {
      this.#timers.clear(part);
      if (part.session !== undefined) this.#leaving.add(part.session);
      this.#closeSession(part, "abort");
    }
    this.#outlet.report({ type: "imageCancelled", missing: image.missing });
  }

  /** A session that is none of the present image's is over. */
  #left(session: SessionId): void {
    this.#leaving.delete(session);
    if (this.#leaving.size > 0 || this.#waiting === undefined) return;
    const { input, since } = this.#waiting;
    this.#waiting = undefined;
    this.#begin(input, since);
  }

  #begin({ parameter, sessions }: ImageInput, now: Instant): void {
    const areas = partition(parameter.width, parameter.height, sessions);
    const image = this.#image = new FractalImage(parameter, areas, now);
    this.#outlet.report({ type: "imageStarted", parameter, parts: areas });
    for (const part of image.parts) this.#open(part);
  }

  #open(part: PartSession): void {
    const session = this.#nextSession++;
    part.session = session;
    part.phase = "seeking";
    this.#sessions.set(session, part);
    this.#outlet.command({ type: "openSession", session, poolHandle: this.#poolHandle });
  }

  sessionEvent(event: SessionEvent, now: Instant): void {
    const part = this.#sessions.get(event.session);
    const image = this.#image;
    if (part === undefined || image === undefined) { // a session that this side has closed
      if (event.type === "sessionClosed") this.#left(event.session);
      return;
    }
    switch (event.type) {
      case "sessionOpened":
        part.found(event.elementId);
        this.#request(event.session, part, now);
        break;
      case "sessionMessage":
        if (part.phase === "working") this.#message(image, part, event.ppid, event.data, now);
        break;
      case "sessionFailover":
        part.hasCookie = event.hasCookie;
        if (event.state === "necessary") {
          part.loss = event.loss ?? "aborted";
          if (part.phase !== "pausing") this.#lost(image, part, event.reason, now);
        } else {
          part.found(event.elementId);
          if (event.hasCookie) {
            this.#outlet.report({ type: "partResumed", part: part.index, elementId: event.elementId });
            this.#work(part, now);
          } else {
            this.#request(event.session, part, now);
          }
        }
        break;
      case "sessionClosed":
        this.#sessions.delete(event.session);
        part.session = undefined;
        part.hasCookie = false;
        this.#lost(image, part, event.reason, now);
        break;
      case "sessionCookieHeld":
        part.hasCookie = true;
        break;
      case "sessionCookie":
      case "sessionBlocked":
      case "sessionWritable":
        break; // the first is for hosts; a Parameter of 60 octets is never held back for long
      default:
        event satisfies never;
    }
  }

  #request(session: SessionId, part: PartSession, now: Instant): void {
    const data = writeFractal(part.part.parameter);
    part.again = part.part.missing < part.part.points;
    this.#outlet.command({ type: "send", session, ppid: Ppid.fractalGenerator, data });
    const { points } = part.part;
    this.#outlet.report({ type: "partRequested", part: part.index, elementId: part.elementId, points });
    this.#work(part, now);
  }

  #work(part: PartSession, now: Instant): void {
    part.phase = "working";
    this.#timers.set(part, now + this.#receiveTimeoutMs);
  }

  #message(image: FractalImage, part: PartSession, ppid: Ppid, octets: Uint8Array, now: Instant): void {
    const message = this.#read(image, part, ppid, octets);
    if (message === undefined) return;
    switch (message.type) {
      case "data":
        this.#data(image, part, message, now);
        break;
      case "end":
        if (part.part.missing === 0) this.#done(image, part, now);
        else this.#repair(image, part, now);
        break;
      case "parameter":
        this.#invalid(image, part, "a Parameter, which only a pool user sends");
        break;
      default:
        message satisfies never;
    }
  }

  /** Undefined = it cannot be read, which was reported. */
  #read(image: FractalImage, part: PartSession, ppid: Ppid, octets: Uint8Array): FractalMessage | undefined {
    if (ppid !== Ppid.fractalGenerator) {
      this.#invalid(image, part, `a message with payload protocol ${ppid}, not ${Ppid.fractalGenerator}`);
      return undefined;
    }
    try {
      return readFractal(octets);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#invalid(image, part, error.message);
      return undefined;
    }
  }

  #data(image: FractalImage, part: PartSession, data: FractalData, now: Instant): void {
    const fault = part.part.fault(data);
    if (fault !== undefined) {
      this.#invalid(image, part, fault);
      return;
    }
    const { fresh, x, y } = part.part.add(data);
    const { values } = data;
    image.take(part, values.length, fresh);
    this.#outlet.report({
      type: "points",
      part: part.index,
      area: part.part.area,
      x,
      y,
      values,
      elementId: part.elementId,
      peChanges: part.peChanges,
      missing: image.missing,
    });
    if (part.again && part.part.missing === 0) this.#done(image, part, now); // the rest is known
    // A PE that sends the same points for ever is as good as a silent one.
    else if (part.received <= part.part.points + values.length) this.#work(part, now);
  }

  #lost(image: FractalImage, part: PartSession, reason: string, now: Instant): void {
    if (part.part.missing === 0) { // only the end marker was lost
      this.#done(image, part, now);
      return;
    }
    const pauseMs = part.pauseAfter(this.#prng);
    image.failovers++;
    this.#reportFailover(part, reason, pauseMs);
    if (part.losesCookie()) this.#closeSession(part);
    this.#pause(part, pauseMs, now);
  }

  /** The PE has taken the request and keeps silent. The time-out was pause enough. */
  #silent(image: FractalImage, part: PartSession, now: Instant): void {
    if (part.part.missing === 0) {
      this.#done(image, part, now);
      return;
    }
    part.pauseAfter(this.#prng);
    image.failovers++;
    this.#reportFailover(part, `no points for ${this.#receiveTimeoutMs} ms`, 0);
    part.loss = "silent";
    if (part.losesCookie()) this.#closeSession(part);
    this.#seek(part);
  }

  /** Asks for the part again, in a session that has no cookie yet. */
  #repair(image: FractalImage, part: PartSession, now: Instant): void {
    image.repairs++;
    const { missing } = part.part;
    this.#outlet.report({ type: "partIncomplete", part: part.index, elementId: part.elementId, missing });
    this.#closeSession(part);
    this.#pause(part, part.pauseAfter(this.#prng), now);
  }

  #done(image: FractalImage, part: PartSession, now: Instant): void {
    part.phase = "done";
    this.#timers.clear(part);
    this.#closeSession(part);
    this.#outlet.report({ type: "partCompleted", part: part.index, elementId: part.elementId });
    if (!image.isDone) return;
    this.#image = undefined;
    this.#outlet.report({ type: "imageCompleted", statistics: image.statistics(now) });
  }

  #pause(part: PartSession, pauseMs: number, now: Instant): void {
    if (pauseMs === 0) {
      this.#seek(part);
    } else {
      part.phase = "pausing";
      this.#timers.set(part, now + pauseMs);
    }
  }

  /** Finds another PE: for the session, if there still is one, else for a new session. */
  #seek(part: PartSession): void {
    this.#timers.clear(part); // the session layer has its own
    if (part.session === undefined) {
      this.#open(part);
      return;
    }
    part.phase = "seeking";
    const reportUnreachable = part.loss === "silent";
    this.#outlet.command({ type: "failover", session: part.session, reportUnreachable });
  }

  #closeSession(part: PartSession, how: "shutdown" | "abort" = "shutdown"): void {
    if (part.session === undefined) return;
    this.#sessions.delete(part.session);
    this.#outlet.command({ type: "closeSession", session: part.session, how });
    part.session = undefined;
    part.hasCookie = false;
  }

  stop(): void {
    this.#stopping = true;
    this.#waiting = undefined;
    for (const part of this.#image?.parts ?? []) {
      this.#timers.clear(part);
      this.#closeSession(part);
    }
    this.#image = undefined;
  }

  #invalid(image: FractalImage, part: PartSession, reason: string): void {
    image.invalid++;
    this.#outlet.report({ type: "partInvalid", part: part.index, elementId: part.elementId, reason });
  }

  #reportFailover({ index, elementId, hasCookie }: PartSession, reason: string, pauseMs: number): void {
    this.#outlet.report({ type: "partFailover", part: index, elementId, hasCookie, reason, pauseMs });
  }
}
