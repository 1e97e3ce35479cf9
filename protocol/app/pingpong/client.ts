import { earliest } from "../../machine.ts";
import type { Prng } from "../../machine.ts";
import { Ppid } from "../../net.ts";
import type { Instant } from "../../net.ts";
import type { SessionEvent, SessionFailover, SessionId, SessionMessage } from "../../session/types.ts";
import { DecodeError } from "../../wire/errors.ts";
import type { Application, ApplicationOutlet } from "../application.ts";
import { FailoverPause } from "../failover_pause.ts";
import type { ElementService } from "../failover_pause.ts";
import { readPingPong, writePingPong } from "./messages.ts";
import type { Pong } from "./messages.ts";
import { PingPongCounters } from "./statistics.ts";
import type { PingPongStatistics } from "./statistics.ts";

/** Pings that may wait for their Pongs; with more none is sent, however short the interval is. */
export const MAX_UNANSWERED_PINGS = 1024;

/**
 * So many PEs in a row may be lost without a Pong after a cookie; then the cookie is dropped, and replies are counted from 1
 * again. A cookie that no PE of the pool can read would otherwise be the end of all answers; but PEs that die or have no
 * place are not the cookie's fault.
 */
const MAX_BARREN_COOKIES = 12;

/** How a ping-pong client behaves. */
export interface PingPongClientOptions {
  /** The pool that answers. */
  readonly poolHandle: Uint8Array;
  /** Between two Pings, in milliseconds. */
  readonly intervalMs: number;
  /** Pings to send; 0 = no end. */
  readonly count: number;
  /** A PE that answers nothing for so long, though there is something to answer, is left; in milliseconds. */
  readonly receiveTimeoutMs: number;
  /** What a Ping carries. */
  readonly payload: (messageNumber: bigint) => Uint8Array;
  /** For the jitter of pauses. */
  readonly prng: Prng;
}

/** What a ping-pong client asks for: nothing; it says when all Pings of `count` are answered. */
export interface PingPongClientEffect {
  /** Says which effect it is. */
  readonly type: "allAnswered";
}

/** What a ping-pong client tells. */
export type PingPongClientReport =
  | { readonly type: "pingPongConnected"; readonly elementId: number; readonly hasCookie: boolean }
  | { readonly type: "pingSent"; readonly messageNumber: bigint; readonly again: boolean }
  | {
    readonly type: "pongReceived";
    readonly elementId: number;
    readonly messageNumber: bigint;
    readonly replyNumber: bigint;
    /** Since the Ping was first sent. */
    readonly waitMs: number;
  }
  /** The reply number is ahead of the one that was due: replies were lost. */
  | { readonly type: "replyGap"; readonly elementId: number; readonly missing: bigint }
  /** The reply number is behind the one that was due: the PE goes on from an older cookie, or from none. */
  | {
    readonly type: "replyRepeated";
    readonly elementId: number;
    readonly replyNumber: bigint;
    readonly expected: bigint;
  }
  /** A message that cannot be right was ignored. */
  | { readonly type: "pongInvalid"; readonly elementId: number; readonly reason: string }
  /** The PE was lost or left. Its unanswered Pings are sent to its successor. */
  | {
    readonly type: "pingPongFailover";
    readonly elementId: number;
    readonly hasCookie: boolean;
    readonly reason: string;
    readonly pauseMs: number;
    readonly unanswered: number;
  };

/** How a PE was lost. */
type Loss = Pick<SessionFailover, "elementId" | "hasCookie" | "loss" | "reason">;

/** A Ping without Pong. */
interface Unanswered {
  readonly data: Uint8Array;
  readonly firstSentAt: Instant;
  sentAgain: boolean;
}

/**
 * A pool user that sends Pings at an interval and checks the Pongs (reference/rsplib.md §5.3): each Ping is answered once,
 * with its own data, and reply numbers go on without a gap, over failovers, too.
 *
 *     seeking --opened, failover complete--> up --lost, silent--> pausing --time--> seeking
 *
 * RSPLIB's client forgets a Ping whose PE dies before it answers. This one keeps each Ping until its Pong is there, sends those
 * that are left to the next PE in their order before any new one, and sends none while there is nobody to send it to: message numbers have no
 * holes.
 */
export class PingPongClient implements Application<never> {
  readonly #outlet: ApplicationOutlet<PingPongClientEffect, PingPongClientReport>;
  readonly #options: PingPongClientOptions;
  readonly #pause: FailoverPause;
  readonly #counters = new PingPongCounters();
  readonly #unanswered = new Map<bigint, Unanswered>();
  #phase: "seeking" | "up" | "pausing" | "over" = "seeking";
  /** One at a time. */
  #session: SessionId = 0;
  #elementId = 0;
  #blocked = false;
  #hasCookie = false;
  /** PEs in a row that were lost, not leaving in order, and made nothing of the cookie. */
  #barrenCookies = 0;
  /** What the present PE has been so far. */
  #service: ElementService = "silent";
  /** Message numbers that the present PE has still to be asked for, since they were lost with another one. */
  #lostPings: bigint[] = [];
  #lastMessage = 0n;
  #expectedReply = 1n;
  #nextPingAt: Instant = 0;
  /** When a PE that owes Pongs has been silent for too long. */
  #silentAt: Instant | undefined;
  #pauseEndsAt: Instant | undefined;

  /**
   * Makes a client that looks for a PE as soon as it is started.
   *
   * @param outlet where it speaks
   * @param options how it behaves
   */
  constructor(
    outlet: ApplicationOutlet<PingPongClientEffect, PingPongClientReport>,
    options: PingPongClientOptions,
  ) {
    this.#outlet = outlet;
    this.#options = options;
    this.#pause = new FailoverPause(options.prng);
  }

  /** How it went so far. */
  get statistics(): PingPongStatistics {
    return this.#counters.statistics();
  }

  start(now: Instant): void {
    this.#nextPingAt = now;
    this.#open();
  }

  stop(): void {
    this.#phase = "over";
    this.#silentAt = this.#pauseEndsAt = undefined;
  }

  sessionEvent(event: SessionEvent, now: Instant): void {
    if (this.#phase === "over" || event.session !== this.#session) return;
    switch (event.type) {
      case "sessionOpened":
        return this.#connected(event.elementId, false, now);
      case "sessionFailover":
        if (event.state === "complete") return this.#connected(event.elementId, event.hasCookie, now);
        return this.#lost(event, now);
      case "sessionMessage":
        return this.#message(event, now);
      case "sessionBlocked":
        this.#blocked = true;
        return;
      case "sessionWritable":
        this.#blocked = false;
        return this.#pingWhenDue(now);
      case "sessionCookieHeld":
        this.#hasCookie = true;
        return;
      default:
        return; // a pool element's, or the end of the session: nobody closes the present one but `stop`
    }
  }

  tick(now: Instant): void {
    if (this.#pauseEndsAt !== undefined && this.#pauseEndsAt <= now) this.#seek(false);
    if (this.#silentAt !== undefined && this.#silentAt <= now) this.#silent();
    this.#pingWhenDue(now);
  }

  nextTimeout(): Instant | undefined {
    return earliest(this.#mayPing ? this.#nextPingAt : undefined, this.#silentAt, this.#pauseEndsAt);
  }

  get #mayPing(): boolean {
    const { count } = this.#options, { sent } = this.#counters;
    return this.#phase === "up" && !this.#blocked && this.#lostPings.length === 0 &&
      this.#unanswered.size < MAX_UNANSWERED_PINGS && (count === 0 || sent < count);
  }

  #connected(elementId: number, hasCookie: boolean, now: Instant): void {
    this.#phase = "up";
    this.#elementId = elementId;
    this.#service = "silent";
    this.#blocked = false;
    this.#outlet.report({ type: "pingPongConnected", elementId, hasCookie });
    this.#nextPingAt = Math.max(this.#nextPingAt, now); // those of the time without a PE are not made up for
    this.#lostPings = [...this.#unanswered.keys()];
    this.#sendAgain(1, now);
    this.#pingWhenDue(now);
  }

  /** Sends the first of the lost Pings. Two more with each Pong: a PE that does not survive many gets on with some. */
  #sendAgain(count: number, now: Instant): void {
    for (const messageNumber of this.#lostPings.splice(0, count)) {
      const ping = this.#unanswered.get(messageNumber);
      if (ping === undefined) continue;
      ping.sentAgain = true;
      this.#counters.sentAgain++;
      this.#send(messageNumber, ping.data, true, now);
    }
  }

  #pingWhenDue(now: Instant): void {
    if (!this.#mayPing || now < this.#nextPingAt) return;
    // The interval is kept on average; a driver that was late by more than one starts anew.
    this.#nextPingAt = Math.max(this.#nextPingAt, now - this.#options.intervalMs) + this.#options.intervalMs;
    const messageNumber = ++this.#lastMessage;
    const data = this.#options.payload(messageNumber);
    this.#counters.sent++;
    this.#unanswered.set(messageNumber, { data, firstSentAt: now, sentAgain: false });
    this.#send(messageNumber, data, false, now);
  }

  #send(messageNumber: bigint, data: Uint8Array, again: boolean, now: Instant): void {
    const ping = writePingPong({ type: "ping", messageNumber, data });
    this.#outlet.command({ type: "send", session: this.#session, ppid: Ppid.pingPong, data: ping });
    this.#outlet.report({ type: "pingSent", messageNumber, again });
    this.#silentAt ??= now + this.#options.receiveTimeoutMs;
  }

  #message(event: SessionMessage, now: Instant): void {
    if (this.#service === "silent") this.#service = "useless";
    const pong = this.#read(event);
    if (pong === undefined) return;
    const { messageNumber, replyNumber } = pong, elementId = this.#elementId;
    const ping = this.#unanswered.get(messageNumber);
    if (ping === undefined) return this.#invalid(`a Pong for message ${messageNumber}, which waits for none`);
    if (!sameOctets(ping.data, pong.data)) {
      return this.#invalid(`the Pong for message ${messageNumber} has not the data of its Ping`);
    }
    this.#unanswered.delete(messageNumber);
    this.#service = "served";
    this.#silentAt = this.#unanswered.size === 0 ? undefined : now + this.#options.receiveTimeoutMs;
    this.#counters.pong(elementId, ping.firstSentAt, ping.sentAgain, now);
    this.#checkReply(replyNumber);
    const waitMs = now - ping.firstSentAt;
    this.#outlet.report({ type: "pongReceived", elementId, messageNumber, replyNumber, waitMs });
    if (this.#counters.answered === this.#options.count) return this.#outlet.effect({ type: "allAnswered" });
    this.#sendAgain(2, now);
    this.#pingWhenDue(now);
  }

  /** Undefined = it is no Pong, which was reported. */
  #read({ ppid, data }: SessionMessage): Pong | undefined {
    if (ppid !== Ppid.pingPong) {
      this.#invalid(`a message with payload protocol ${ppid}, not ${Ppid.pingPong}`);
      return undefined;
    }
    try {
      const message = readPingPong(data);
      if (message.type === "pong") return message;
      this.#invalid("a Ping, which only a pool user sends");
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#invalid(error.message);
    }
    return undefined;
  }

  #checkReply(replyNumber: bigint): void {
    const expected = this.#expectedReply, elementId = this.#elementId;
    this.#expectedReply = BigInt.asUintN(64, replyNumber + 1n);
    if (replyNumber > expected) {
      const missing = replyNumber - expected;
      this.#counters.gaps++;
      this.#counters.missingReplies += missing;
      this.#outlet.report({ type: "replyGap", elementId, missing });
    } else if (replyNumber < expected) {
      this.#counters.repeatedReplies++;
      this.#outlet.report({ type: "replyRepeated", elementId, replyNumber, expected });
    }
  }

  #invalid(reason: string): void {
    this.#counters.invalid++;
    this.#outlet.report({ type: "pongInvalid", elementId: this.#elementId, reason });
  }

  #lost(failover: SessionFailover, now: Instant): void {
    const pauseMs = this.#pause.next(this.#service);
    this.#left(failover, pauseMs);
    this.#phase = "pausing";
    this.#pauseEndsAt = now + pauseMs;
  }

  /** The session layer does not know that the PE owes something, and the registrar not that it is dead. */
  #silent(): void {
    const reason = `no answer for ${this.#options.receiveTimeoutMs / 1000} s`;
    this.#left({ elementId: this.#elementId, hasCookie: this.#hasCookie, loss: "silent", reason }, 0);
    this.#seek(true);
  }

  #left({ elementId, hasCookie, loss, reason }: Loss, pauseMs: number): void {
    this.#silentAt = undefined;
    this.#counters.failovers++;
    if (this.#service === "served") this.#barrenCookies = 0;
    else if (hasCookie && loss !== "shutdown") this.#barrenCookies++;
    const unanswered = this.#unanswered.size;
    this.#outlet.report({ type: "pingPongFailover", elementId, hasCookie, reason, pauseMs, unanswered });
  }

  /** Looks for another PE: in the same session, unless its cookie is no good. */
  #seek(reportUnreachable: boolean): void {
    const session = this.#session;
    this.#phase = "seeking";
    this.#pauseEndsAt = undefined;
    if (this.#barrenCookies < MAX_BARREN_COOKIES) {
      this.#outlet.command({ type: "failover", session, reportUnreachable });
    } else {
      this.#outlet.command({ type: "closeSession", session, how: "abort" });
      this.#open();
    }
  }

  #open(): void {
    this.#hasCookie = false;
    this.#barrenCookies = 0;
    const session = ++this.#session;
    this.#outlet.command({ type: "openSession", session, poolHandle: this.#options.poolHandle });
  }
}

function sameOctets(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((octet, index) => octet === b[index]);
}
