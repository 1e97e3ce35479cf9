/** The side of a run that sends: as fast as the transport takes messages, at a rate, or one at a time. */
import type { Plan } from "./control.ts";
import { Tally } from "./figures.ts";
import { Histogram } from "./histogram.ts";

/** Octets handed to the transport between two looks at what it says; it tells that its queue is full only then. */
const OCTETS_PER_TURN = 256 * 1024;
/** Messages, likewise. */
const MESSAGES_PER_TURN = 256;

/** What sending needs of its association. */
export interface SendingLink {
  /** Sends a message of the run; never fails at once. */
  send(data: Uint8Array, stream: number): void;
  /** The warm-up is over; tell the peer. */
  onStart(): void;
  /** Everything is on its way: so many messages in all. */
  onEnd(total: number): void;
}

/** One direction of a run, at its sender. */
export interface Sending {
  readonly tally: Tally;
  /** Round-trip times; only of `latency`. */
  readonly histogram: Histogram | undefined;
  begin(): void;
  blocked(): void;
  writable(): void;
  /** A message came back. Only with `latency`. */
  reply(now: number): void;
  /** Comes to an end at once, in order. */
  stop(): void;
  /** The association is gone: no timer is left. */
  cancel(): void;
}

/** Makes the sender that a plan asks for. */
export function createSending(plan: Plan, link: SendingLink): Sending {
  return plan.mode === "latency" ? new PingPong(plan, link) : new Flood(plan, link);
}

/** What both kinds of senders share: warm-up, measurement, end. */
class Measurement {
  readonly tally: Tally = new Tally(performance.now());
  measuring = false;
  over = false;
  readonly #plan: Plan;
  readonly #link: SendingLink;
  readonly #data: Uint8Array;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stream = 0;

  constructor(plan: Plan, link: SendingLink) {
    this.#plan = plan;
    this.#link = link;
    this.#data = new Uint8Array(plan.size).fill(0x42);
  }

  /** @param onTimeUp the time of the plan is over */
  begin(onTimeUp: () => void): void {
    const { warmUpMs } = this.#plan;
    if (warmUpMs > 0) this.#timer = setTimeout(() => this.#start(onTimeUp), warmUpMs);
    else this.#start(onTimeUp);
  }

  /** Sends one message. @returns false when it was the last one */
  send(now: number): boolean {
    const { count, size, streams } = this.#plan, { tally } = this;
    this.#link.send(this.#data, this.#stream);
    if (++this.#stream >= streams) this.#stream = 0;
    tally.add(size, now);
    return !(this.measuring && count > 0 && tally.messages >= count);
  }

  /** All is sent. */
  end(): void {
    if (!this.measuring) this.#start(() => {});
    this.cancel();
    this.#link.onEnd(this.tally.total);
  }

  cancel(): void {
    this.over = true;
    clearTimeout(this.#timer);
  }

  #start(onTimeUp: () => void): void {
    const { durationMs } = this.#plan;
    this.measuring = true;
    this.tally.start(performance.now());
    this.#link.onStart();
    if (durationMs > 0) this.#timer = setTimeout(onTimeUp, durationMs);
  }
}

/** Keeps a rate: says how many messages are due. */
class Pacer {
  readonly #perMs: number;
  readonly #startedAt: number = performance.now();
  #taken = 0;

  constructor(rate: number) {
    this.#perMs = rate / 1000;
  }

  /** @returns how many may go now, at most `limit` */
  take(limit: number, now: number): number {
    const due = Math.floor((now - this.#startedAt) * this.#perMs) + 1 - this.#taken;
    const count = Math.max(0, Math.min(limit, due));
    this.#taken += count;
    return count;
  }

  /** Milliseconds until the next one is due. */
  wait(now: number): number {
    return Math.max(0, this.#taken / this.#perMs - (now - this.#startedAt));
  }
}

/** Sends as much as it may. */
class Flood implements Sending {
  readonly histogram = undefined;
  readonly #measurement: Measurement;
  readonly #perTurn: number;
  readonly #pacer: Pacer | undefined;
  #blocked = false;
  #immediate: ReturnType<typeof setImmediate> | undefined;
  #pause: ReturnType<typeof setTimeout> | undefined;

  constructor(plan: Plan, link: SendingLink) {
    this.#measurement = new Measurement(plan, link);
    this.#perTurn = Math.max(1, Math.min(MESSAGES_PER_TURN, Math.floor(OCTETS_PER_TURN / plan.size)));
    this.#pacer = plan.rate > 0 ? new Pacer(plan.rate) : undefined;
  }

  get tally(): Tally {
    return this.#measurement.tally;
  }

  begin(): void {
    this.#measurement.begin(() => this.stop());
    this.#proceed();
  }

  blocked(): void {
    this.#blocked = true;
  }

  writable(): void {
    this.#blocked = false;
    this.#proceed();
  }

  reply(): void {} // a peer that answers though nobody asked is not our affair

  stop(): void {
    if (this.#measurement.over) return;
    this.#cancelTimers();
    this.#measurement.end();
  }

  cancel(): void {
    this.#cancelTimers();
    this.#measurement.cancel();
  }

  #cancelTimers(): void {
    if (this.#immediate !== undefined) clearImmediate(this.#immediate);
    clearTimeout(this.#pause);
    this.#immediate = this.#pause = undefined;
  }

  #proceed(): void {
    const measurement = this.#measurement, pacer = this.#pacer;
    const pending = this.#immediate !== undefined || this.#pause !== undefined;
    if (this.#blocked || measurement.over || pending) return;
    const now = performance.now();
    const count = pacer?.take(this.#perTurn, now) ?? this.#perTurn;
    for (let i = 0; i < count; i++) {
      if (!measurement.send(now)) return this.stop();
    }
    const waitMs = pacer?.wait(now) ?? 0;
    if (waitMs > 1) {
      this.#pause = setTimeout(() => {
        this.#pause = undefined;
        this.#proceed();
      }, waitMs);
    } else {
      this.#immediate = setImmediate(() => {
        this.#immediate = undefined;
        this.#proceed();
      });
    }
  }
}

/** Sends a message, waits until it comes back, and so on. */
class PingPong implements Sending {
  readonly histogram: Histogram = new Histogram();
  readonly #measurement: Measurement;
  readonly #pacer: Pacer | undefined;
  #sentAt = 0;
  #pause: ReturnType<typeof setTimeout> | undefined;
  /** A message is under way. */
  #waiting = false;
  #ending = false;

  constructor(plan: Plan, link: SendingLink) {
    this.#measurement = new Measurement(plan, link);
    this.#pacer = plan.rate > 0 ? new Pacer(plan.rate) : undefined;
  }

  get tally(): Tally {
    return this.#measurement.tally;
  }

  begin(): void {
    this.#measurement.begin(() => this.stop());
    this.#proceed();
  }

  blocked(): void {}
  writable(): void {}

  reply(now: number): void {
    if (!this.#waiting) return;
    this.#waiting = false;
    if (this.#measurement.measuring) this.histogram.record(now - this.#sentAt);
    if (this.#ending) this.#end();
    else this.#proceed();
  }

  /** The message that is under way may still come back. */
  stop(): void {
    if (this.#waiting) this.#ending = true;
    else this.#end();
  }

  cancel(): void {
    clearTimeout(this.#pause);
    this.#pause = undefined;
    this.#measurement.cancel();
  }

  #end(): void {
    if (this.#measurement.over) return;
    clearTimeout(this.#pause);
    this.#measurement.end();
  }

  #proceed(): void {
    if (this.#measurement.over || this.#pause !== undefined) return;
    const now = performance.now();
    if (this.#pacer !== undefined && this.#pacer.take(1, now) === 0) {
      this.#pause = setTimeout(() => {
        this.#pause = undefined;
        this.#proceed();
      }, Math.ceil(this.#pacer.wait(now)));
      return;
    }
    this.#waiting = true;
    this.#sentAt = now;
    this.#ending = !this.#measurement.send(now);
  }
}
