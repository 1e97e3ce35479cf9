import { earliest, TimerQueue } from "../machine.ts";
import type { Prng } from "../machine.ts";
import { transportAddresses } from "../net.ts";
import type { AssociationDown, Instant, TransportCommand } from "../net.ts";
import { downText } from "./down_text.ts";
import type { HuntOptions } from "./hunt.ts";
import type { RegistrarEntry, RegistrarList } from "./registrar_list.ts";
import type { RegistrarLinkReport } from "./report.ts";

interface Attempt {
  readonly entry: RegistrarEntry;
  /** Which trial with this registrar it is, from 1; "stale" = nobody waits for it any more. */
  trial: number | "stale";
}

/**
 * The search for a registrar, while there is none (RFC 5352 §3.6): up to three known ones are connected to at the same
 * time, chosen at random. One that keeps silent may be tried several times in a row (`connectMaxTrials`).
 *
 * A connect cannot be recalled: attempts that took too long, or lost, go on as *stale* ones until the transport answers
 * them. A stale one that succeeds during a search is as good as any; as long as it is under way nobody else connects to
 * the same place, since two endpoints have one association at most.
 */
export class RegistrarSearch {
  readonly #list: RegistrarList;
  readonly #random: Prng;
  readonly #execute: (command: TransportCommand) => void;
  readonly #report: (report: RegistrarLinkReport) => void;
  readonly #connectTimeoutMs: number;
  readonly #connectMaxTrials: number;
  readonly #maxParallel: number;
  /** By request. */
  readonly #attempts = new Map<number, Attempt>();
  /** Those of the attempts that are not stale. */
  readonly #timers = new TimerQueue<number>();
  /** When a registrar that failed may be tried again. */
  #retryAt: Instant | undefined;
  #isOn = false;
  #waitingReported = false;
  #lastRequest = 0;

  /** @param execute gives a command to the hunt endpoint */
  constructor(
    list: RegistrarList,
    options: HuntOptions,
    random: Prng,
    execute: (command: TransportCommand) => void,
    report: (report: RegistrarLinkReport) => void,
  ) {
    this.#list = list;
    this.#random = random;
    this.#execute = execute;
    this.#report = report;
    this.#connectTimeoutMs = options.connectTimeoutMs ?? 7500;
    this.#connectMaxTrials = options.connectMaxTrials ?? 1;
    this.#maxParallel = options.maxParallel ?? 3;
  }

  /** A registrar is wanted. */
  begin(now: Instant): void {
    this.#isOn = true;
    this.look(now);
  }

  /** One was found, or is wanted no more. */
  end(): void {
    this.#isOn = false;
    this.#waitingReported = false;
    this.#retryAt = undefined;
    for (const [request, attempt] of this.#attempts) {
      attempt.trial = "stale";
      this.#timers.clear(request);
    }
  }

  /** There may be somebody to connect to. */
  look(now: Instant): void {
    if (!this.#isOn) return;
    const candidates = this.#list.candidates(now).filter((entry) => !this.#isUnderWay(entry));
    while (candidates.length > 0 && this.#timers.size < this.#maxParallel) {
      const [entry] = candidates.splice(this.#random.below(candidates.length), 1);
      this.#connect(entry!, 1, now);
    }
    this.#retryAt = this.#list.nextRetry(now);
    if (this.#list.size(now) > 0) {
      this.#waitingReported = false;
    } else if (!this.#waitingReported && this.#timers.size === 0) {
      this.#waitingReported = true;
      this.#report({ type: "huntWaiting" });
    }
  }

  /** A connect succeeded. @returns the registrar that is found; undefined = nobody is looked for any more */
  up(request: number): RegistrarEntry | undefined {
    const attempt = this.#over(request);
    return this.#isOn ? attempt?.entry : undefined;
  }

  /** A connect failed. */
  down(request: number, down: AssociationDown, now: Instant): void {
    const attempt = this.#over(request);
    if (attempt === undefined) return;
    const { entry, trial } = attempt;
    if (trial === "stale") this.look(now); // its place is free again
    else if (down.reason === "timeout" && trial < this.#connectMaxTrials) {
      this.#connect(entry, trial + 1, now);
    } else this.#failed(entry, downText(down), now);
  }

  /** Runs what is due. */
  tick(now: Instant): void {
    for (let due = this.#timers.takeDue(now); due !== undefined; due = this.#timers.takeDue(now)) {
      this.#timedOut(due, now);
    }
    if (this.#retryAt !== undefined && this.#retryAt <= now) this.look(now);
  }

  /** When something is due. */
  nextTimeout(): Instant | undefined {
    return earliest(this.#timers.next(), this.#retryAt);
  }

  #connect(entry: RegistrarEntry, trial: number, now: Instant): void {
    const { addresses, port } = entry;
    const request = ++this.#lastRequest;
    this.#attempts.set(request, { entry, trial });
    this.#timers.set(request, now + this.#connectTimeoutMs);
    this.#report({ type: "huntConnecting", registrar: transportAddresses(addresses, port) });
    this.#execute({ type: "connect", request, addresses, port });
  }

  #timedOut(request: number, now: Instant): void {
    const attempt = this.#attempts.get(request);
    if (attempt === undefined || attempt.trial === "stale") return;
    if (attempt.trial < this.#connectMaxTrials) { // the transport is still trying: that is the next trial, too
      attempt.trial++;
      return this.#timers.set(request, now + this.#connectTimeoutMs);
    }
    attempt.trial = "stale";
    this.#failed(attempt.entry, "no association in time", now);
  }

  #failed({ key, addresses, port }: RegistrarEntry, reason: string, now: Instant): void {
    const retryMs = this.#list.failed(key, now);
    this.#report({ type: "huntFailed", registrar: transportAddresses(addresses, port), reason, retryMs });
    this.look(now);
  }

  #over(request: number): Attempt | undefined {
    const attempt = this.#attempts.get(request);
    this.#attempts.delete(request);
    this.#timers.clear(request);
    return attempt;
  }

  /** Whether somebody connects to a registrar's place. */
  #isUnderWay({ port, addresses }: RegistrarEntry): boolean {
    return [...this.#attempts.values()].some(({ entry }) =>
      entry.port === port && entry.addresses.some((address) => addresses.includes(address))
    );
  }
}
