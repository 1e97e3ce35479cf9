import { TimerQueue } from "../../machine.ts";
import type { Prng } from "../../machine.ts";
import { Ppid } from "../../net.ts";
import type { Instant } from "../../net.ts";
import type { SessionEvent, SessionId, SessionLoss } from "../../session/types.ts";
import { DecodeError, StateError } from "../../wire/errors.ts";
import { ApplicationMachine } from "../application.ts";
import type { Application, ApplicationOutlet, Sessions } from "../application.ts";
import type { CancelInput, FractalClientReport, ImageInput } from "./client_types.ts";
import { readFractal, writeFractal } from "./messages.ts";
import type { FractalData, FractalMessage } from "./messages.ts";
import { FractalPart } from "./part.ts";
import { partition } from "./subimage.ts";

/** First pause before a session that got nothing out of its PE tries again, in milliseconds; it doubles. */
const FIRST_PAUSE_MS = 100;

/**
 * Longest of these pauses, in milliseconds. The session layer waits by itself, and longer, after PEs that say nothing
 * at all, such as full ones; this pause is for those that say something and give no points.
 */
const LONGEST_PAUSE_MS = 1000;

/**
 * So many PEs in a row may be lost without a new point after a cookie; then the cookie is dropped and the part is asked for
 * anew. A cookie that no PE of the pool can read would otherwise block the image for ever; but computing all again has its
 * price, and PEs that die or have no place are not the cookie's fault.
 */
const MAX_BARREN_COOKIES = 12;

/** How a fractal pool user behaves. */
export interface FractalClientOptions {
  /** The pool that computes. */
  readonly poolHandle: Uint8Array;
  /** A PE that sends no points for so long is left, in milliseconds. Default 5000. */
  readonly receiveTimeoutMs?: number;
  /** For the jitter of pauses. */
  readonly prng: Prng;
}

interface PartSession {
  readonly part: FractalPart;
  readonly index: number;
  /** Undefined between two sessions. */
  session: SessionId | undefined;
  /** `working`: a PE has been asked. `pausing`: left one and waits a moment. `seeking`: the session layer finds one. */
  phase: "seeking" | "working" | "pausing" | "done";
  elementId: number;
  peChanges: number;
  /** Points received since the present PE was found, repeated ones included. */
  received: number;
  /** Those of them that were new. */
  fresh: number;
  /** PEs in a row that gave nothing new. */
  barren: number;
  /** Those of them that were lost, not leaving in order, when they had a cookie. */
  barrenCookies: number;
  /** Whether the part is asked for once more. */
  again: boolean;
  hasCookie: boolean;
  /** How the last PE was lost: the registrar is to hear of silent ones. */
  loss: SessionLoss;
}

interface Image {
  readonly parts: readonly PartSession[];
  readonly startedAt: Instant;
  readonly elements: Map<number, { messages: number; points: number; repeated: number }>;
  missing: number;
  failovers: number;
  repairs: number;
  invalid: number;
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
  #image: Image | undefined;
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
    const parts = areas.map((area, index): PartSession => ({
      part: new FractalPart(parameter, area),
      index,
      session: undefined,
      phase: "seeking",
      elementId: 0,
      peChanges: 0,
      received: 0,
      fresh: 0,
      barren: 0,
      barrenCookies: 0,
      again: false,
      hasCookie: false,
      loss: "shutdown",
    }));
    this.#image = {
      parts,
      startedAt: now,
      elements: new Map(),
      missing: parameter.width * parameter.height,
      failovers: 0,
      repairs: 0,
      invalid: 0,
    };
    this.#outlet.report({ type: "imageStarted", parameter, parts: areas });
    for (const part of parts) this.#open(part);
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
        this.#found(part, event.elementId);
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
          this.#found(part, event.elementId);
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

  #found(part: PartSession, elementId: number): void {
    if (part.elementId !== 0 && part.elementId !== elementId) part.peChanges++;
    part.elementId = elementId;
    part.received = 0;
    part.fresh = 0;
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

  #message(image: Image, part: PartSession, ppid: Ppid, octets: Uint8Array, now: Instant): void {
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
  #read(image: Image, part: PartSession, ppid: Ppid, octets: Uint8Array): FractalMessage | undefined {
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

  #data(image: Image, part: PartSession, data: FractalData, now: Instant): void {
    const fault = part.part.fault(data);
    if (fault !== undefined) {
      this.#invalid(image, part, fault);
      return;
    }
    const { fresh, x, y } = part.part.add(data);
    const { values } = data;
    image.missing -= fresh;
    part.received += values.length;
    part.fresh += fresh;
    const element = statisticsOf(image, part.elementId);
    element.messages++;
    element.points += fresh;
    element.repeated += values.length - fresh;
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

  #lost(image: Image, part: PartSession, reason: string, now: Instant): void {
    if (part.part.missing === 0) { // only the end marker was lost
      this.#done(image, part, now);
      return;
    }
    const pauseMs = this.#pauseAfter(part);
    image.failovers++;
    this.#reportFailover(part, reason, pauseMs);
    this.#dropBarrenCookie(part);
    this.#pause(part, pauseMs, now);
  }

  /** The PE has taken the request and keeps silent. The time-out was pause enough. */
  #silent(image: Image, part: PartSession, now: Instant): void {
    if (part.part.missing === 0) {
      this.#done(image, part, now);
      return;
    }
    this.#pauseAfter(part);
    image.failovers++;
    this.#reportFailover(part, `no points for ${this.#receiveTimeoutMs} ms`, 0);
    part.loss = "silent";
    this.#dropBarrenCookie(part);
    this.#seek(part);
  }

  #dropBarrenCookie(part: PartSession): void {
    if (part.fresh > 0) part.barrenCookies = 0;
    else if (part.hasCookie && part.loss !== "shutdown") part.barrenCookies++;
    if (part.barrenCookies < MAX_BARREN_COOKIES) return;
    this.#closeSession(part);
    part.barren = part.barrenCookies = 0;
  }

  /** Asks for the part again, in a session that has no cookie yet. */
  #repair(image: Image, part: PartSession, now: Instant): void {
    image.repairs++;
    const { missing } = part.part;
    this.#outlet.report({ type: "partIncomplete", part: part.index, elementId: part.elementId, missing });
    this.#closeSession(part);
    this.#pause(part, this.#pauseAfter(part), now);
  }

  #done(image: Image, part: PartSession, now: Instant): void {
    part.phase = "done";
    this.#timers.clear(part);
    this.#closeSession(part);
    this.#outlet.report({ type: "partCompleted", part: part.index, elementId: part.elementId });
    if (image.parts.some(({ phase }) => phase !== "done")) return;
    this.#image = undefined;
    const { startedAt, failovers, repairs, invalid } = image;
    const elements = [...image.elements].map(([elementId, counts]) => ({ elementId, ...counts }));
    const statistics = { durationMs: now - startedAt, failovers, repairs, invalid, elements };
    this.#outlet.report({ type: "imageCompleted", statistics });
  }

  /** 0 when the PE gave new points; else a pause that doubles with every PE in a row that gave none. */
  #pauseAfter(part: PartSession): number {
    if (part.fresh > 0) {
      part.barren = 0;
      return 0;
    }
    const longest = Math.min(FIRST_PAUSE_MS * 2 ** part.barren, LONGEST_PAUSE_MS);
    part.barren++;
    return longest * (0.5 + 0.5 * this.#prng.uniform()); // sessions turned away together do not come back together
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

  #invalid(image: Image, part: PartSession, reason: string): void {
    image.invalid++;
    this.#outlet.report({ type: "partInvalid", part: part.index, elementId: part.elementId, reason });
  }

  #reportFailover({ index, elementId, hasCookie }: PartSession, reason: string, pauseMs: number): void {
    this.#outlet.report({ type: "partFailover", part: index, elementId, hasCookie, reason, pauseMs });
  }
}

function statisticsOf(
  image: Image,
  elementId: number,
): { messages: number; points: number; repeated: number } {
  let element = image.elements.get(elementId);
  if (element === undefined) {
    element = { messages: 0, points: 0, repeated: 0 };
    image.elements.set(elementId, element);
  }
  return element;
}
