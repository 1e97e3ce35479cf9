import type { Prng } from "../../machine.ts";
import { Ppid } from "../../net.ts";
import type { Instant } from "../../net.ts";
import type { SessionEvent, SessionFailover, SessionId } from "../../session/types.ts";
import type { Application, ApplicationOutlet } from "../application.ts";
import { FailoverPause } from "../failover_pause.ts";

/** Octets of input that wait for a session; with more the input is to pause. */
export const MAX_WAITING_INPUT: number = 64 * 1024;

/**
 * An element that has answered and ends the session within this time, in milliseconds, has given its whole answer, as a
 * daytime service does. One that ends it later leaves its users to another element.
 */
const BRIEF_SESSION_MS = 2000;

/** The terminal has one session. */
const SESSION: SessionId = 1;

/** How a terminal behaves. */
export interface TerminalClientOptions {
  /** The pool to talk to. */
  readonly poolHandle: Uint8Array;
  /** After the end of the input, answers are waited for until none has come for so long, in milliseconds. */
  readonly quietMs: number;
  /** For the jitter of pauses. */
  readonly prng: Prng;
}

/** What a terminal takes. */
export type TerminalClientInput =
  /** One message to send, at least one octet. */
  | { readonly type: "say"; readonly data: Uint8Array }
  /** There is nothing more to say. */
  | { readonly type: "endOfInput" };

/** What a terminal asks for. */
export type TerminalClientEffect =
  /** Read no more input until `resumeInput`: what is there waits for a session. */
  | { readonly type: "pauseInput" }
  | { readonly type: "resumeInput" }
  /** The conversation is over: all is said, and no answer comes any more. */
  | { readonly type: "conversationOver" };

/** What a terminal tells. */
export type TerminalClientReport =
  | { readonly type: "terminalConnected"; readonly elementId: number }
  | {
    readonly type: "terminalMessage";
    readonly elementId: number;
    readonly ppid: Ppid;
    readonly data: Uint8Array;
  }
  /** The element has gone; another one is looked for, after `pauseMs`. */
  | {
    readonly type: "terminalFailover";
    readonly elementId: number;
    readonly hasCookie: boolean;
    readonly reason: string;
    readonly pauseMs: number;
    /** How many there were, this one included. */
    readonly failoverCount: number;
  }
  /** The element has answered and ended the session: another one is looked for when there is something to say. */
  | { readonly type: "terminalAnswered"; readonly elementId: number };

/**
 * A pool user that sends what a person types and shows what comes back, with any service (reference/rsplib.md §1.5).
 *
 *     seeking --opened, failover complete--> up --lost--> pausing --time--> seeking
 *                                             \--whole answer, nothing to say--> resting --say--> seeking
 *
 * RSPLIB's terminal fails over for ever in a daytime pool, where each session ends after one line. This one rests after an
 * answer that came at once and whole, until there is something to say again.
 */
export class TerminalClient implements Application<TerminalClientInput> {
  readonly #outlet: ApplicationOutlet<TerminalClientEffect, TerminalClientReport>;
  readonly #options: TerminalClientOptions;
  readonly #pause: FailoverPause;
  #phase: "seeking" | "up" | "pausing" | "resting" | "over" = "seeking";
  #elementId = 0;
  #waiting: Uint8Array[] = [];
  #waitingOctets = 0;
  #inputPaused = false;
  #inputEnded = false;
  #blocked = false;
  #connectedAt: Instant = 0;
  /** Messages on the present association. */
  #answerCount = 0;
  #failoverCount = 0;
  #everConnected = false;
  /** Pausing: the pause is over. At the end of the input: it has been quiet for long enough. */
  #timer: Instant | undefined;

  /**
   * Makes a terminal that looks for an element as soon as it is started.
   *
   * @param outlet where it speaks
   * @param options how it behaves
   */
  constructor(
    outlet: ApplicationOutlet<TerminalClientEffect, TerminalClientReport>,
    options: TerminalClientOptions,
  ) {
    this.#outlet = outlet;
    this.#options = options;
    this.#pause = new FailoverPause(options.prng);
  }

  /** Whether an element was found at some time, and all that was to be said was sent: little of it is still under way. */
  get saidAll(): boolean {
    return this.#everConnected && this.#waiting.length === 0 && !this.#blocked;
  }

  start(): void {
    this.#outlet.command({ type: "openSession", session: SESSION, poolHandle: this.#options.poolHandle });
  }

  stop(): void {
    this.#phase = "over";
    this.#timer = undefined;
  }

  input(input: TerminalClientInput, now: Instant): void {
    if (input.type === "endOfInput") {
      this.#inputEnded = true;
      if (this.#phase === "resting") return this.#end();
      return this.#waitForQuiet(now);
    }
    this.#waiting.push(input.data);
    this.#waitingOctets += input.data.length;
    if (this.#phase === "resting") this.#failover();
    this.#send(now);
    if (this.#inputPaused || this.#waitingOctets < MAX_WAITING_INPUT) return;
    this.#inputPaused = true;
    this.#outlet.effect({ type: "pauseInput" });
  }

  sessionEvent(event: SessionEvent, now: Instant): void {
    if (this.#phase === "over") return;
    switch (event.type) {
      case "sessionOpened":
        return this.#connected(event.elementId, now);
      case "sessionMessage": {
        const { ppid, data } = event;
        this.#answerCount++;
        this.#outlet.report({ type: "terminalMessage", elementId: this.#elementId, ppid, data });
        return this.#waitForQuiet(now);
      }
      case "sessionFailover":
        if (event.state === "complete") return this.#connected(event.elementId, now);
        return this.#lost(event, now);
      case "sessionBlocked":
        this.#blocked = true;
        return;
      case "sessionWritable":
        this.#blocked = false;
        this.#send(now);
        return this.#waitForQuiet(now);
      default:
        return; // cookies are the session layer's affair, and nobody closes the session but `stop`
    }
  }

  tick(now: Instant): void {
    if (this.#timer === undefined || this.#timer > now) return;
    this.#timer = undefined;
    if (this.#phase === "pausing") this.#failover();
    else if (this.#phase === "up" && !this.#blocked) this.#end();
  }

  nextTimeout(): Instant | undefined {
    return this.#timer;
  }

  #connected(elementId: number, now: Instant): void {
    this.#phase = "up";
    this.#elementId = elementId;
    this.#connectedAt = now;
    this.#answerCount = 0;
    this.#blocked = false;
    this.#everConnected = true;
    this.#outlet.report({ type: "terminalConnected", elementId });
    this.#send(now);
    this.#waitForQuiet(now);
  }

  /** Sends what waits, as far as there is somebody to send it to. */
  #send(now: Instant): void {
    if (this.#phase !== "up" || this.#blocked || this.#waiting.length === 0) return;
    for (const data of this.#waiting) {
      this.#outlet.command({ type: "send", session: SESSION, ppid: Ppid.none, data });
    }
    this.#waiting = [];
    this.#waitingOctets = 0;
    if (this.#inputPaused) this.#outlet.effect({ type: "resumeInput" });
    this.#inputPaused = false;
    this.#waitForQuiet(now);
  }

  #lost({ elementId, hasCookie, reason, loss }: SessionFailover, now: Instant): void {
    const lastedMs = now - this.#connectedAt, answered = this.#answerCount > 0;
    const whole = loss === "shutdown" && answered && lastedMs < BRIEF_SESSION_MS && !hasCookie;
    if (whole && this.#waiting.length === 0) return this.#rest(elementId);
    const pauseMs = this.#pause.next(
      !answered ? "silent" : lastedMs < BRIEF_SESSION_MS ? "useless" : "served",
    );
    const failoverCount = ++this.#failoverCount;
    this.#outlet.report({
      type: "terminalFailover",
      elementId,
      hasCookie,
      reason,
      pauseMs,
      failoverCount,
    });
    this.#phase = "pausing";
    this.#timer = now + pauseMs;
  }

  #rest(elementId: number): void {
    this.#outlet.report({ type: "terminalAnswered", elementId });
    this.#phase = "resting";
    this.#blocked = false; // an element that leaves in order has taken all
    this.#timer = undefined;
    if (this.#inputEnded) this.#end();
  }

  #failover(): void {
    this.#phase = "seeking";
    this.#timer = undefined;
    this.#outlet.command({ type: "failover", session: SESSION, reportUnreachable: false });
  }

  /** Something was said or heard: from now on it has to be quiet for a while, if there is nothing more to say or to send. */
  #waitForQuiet(now: Instant): void {
    const over = this.#inputEnded && this.#phase === "up" && this.#waiting.length === 0;
    if (over && !this.#blocked) this.#timer = now + this.#options.quietMs;
  }

  #end(): void {
    this.#phase = "over";
    this.#timer = undefined;
    this.#outlet.effect({ type: "conversationOver" });
  }
}
