import type { Instant } from "../../net.ts";
import { describeId } from "../../param/describe.ts";
import { showText } from "../../wire/mod.ts";
import { SEND_BUFFER } from "./association.ts";
import { boundsOf } from "./bounds.ts";
import type { PoolBounds } from "./bounds.ts";
import { CodecChecker, protocolOf } from "./codec_check.ts";
import { convergenceComplaints } from "./convergence.ts";
import { DistributionChecker } from "./distribution.ts";
import type { PoolWorld, RegistrarActor, UserActor, WorldObserver } from "./world.ts";
import type { RegistrarReport } from "../../registrar/mod.ts";
import type { UserHostEffect } from "./user_host.ts";

/** A message may stand beyond the full send buffer, and what a machine sends in one go before it hears `blocked`. */
const QUEUE_GRACE = 1 << 18;

/** Inputs that may wait for a program that is stopped: far more than its associations can bring in that time. */
const MAX_BACKLOG = 20_000;

/** How long an answer may take in calm times: a hunt may be due that nobody noticed. */
const ANSWER_MS = 10_000;

/** A world did something that it must not do. */
export class WorldViolation extends Error {
  /** When, in virtual milliseconds. */
  readonly at: Instant;

  constructor(at: Instant, sentence: string) {
    super(`at ${(at / 1000).toFixed(3)} s: ${sentence}`);
    this.name = "WorldViolation";
    this.at = at;
  }
}

/** What checkers have seen. */
export interface CheckerCounts {
  messages: number;
  resolutions: number;
  /** Resolutions of users while the world was calm. */
  calmAnswers: number;
  settled: number;
}

/**
 * Watches a world. Some rules hold always: nothing throws, every message survives reading and writing, no queue is longer
 * than its limit, policies keep their distribution, no registrar offers an element that is long dead. Others hold in a
 * world that has settled (`settled`) and stay true as long as nobody disturbs it (`calm`).
 */
export class WorldChecker {
  readonly counts: CheckerCounts = { messages: 0, resolutions: 0, calmAnswers: 0, settled: 0 };
  readonly bounds: PoolBounds;
  /** When users must be served without fail: nothing is disturbed, everything has settled. */
  #calmSince: Instant | undefined;
  readonly #answeredAt = new Map<UserActor, Instant>();
  readonly #world: PoolWorld;
  readonly #codec = new CodecChecker();
  readonly #distribution = new DistributionChecker();

  /**
   * @param world from now on its observer is taken
   * @param also hears what the checker hears, before it judges
   */
  constructor(world: PoolWorld, also: WorldObserver = {}) {
    this.#world = world;
    this.bounds = boundsOf(world.options);
    world.observer = {
      ...also,
      onRegistrarReport: (registrar, report) => {
        also.onRegistrarReport?.(registrar, report);
        this.#registrarReport(registrar, report);
      },
      onUserEffect: (user, effect) => {
        also.onUserEffect?.(user, effect);
        this.#userEffect(user, effect);
      },
    };
    world.network.observer = {
      onMessage: (_from, to, ppid, data) => {
        this.counts.messages++;
        const protocol = protocolOf(to, ppid);
        const complaint = protocol && this.#codec.check(protocol, data);
        if (complaint !== undefined) this.#violated(complaint);
      },
    };
  }

  /** Whether users must be served without fail. */
  get calm(): boolean {
    return this.#calmSince !== undefined;
  }

  /** Nothing is disturbed, and everything has settled; or not so any more. */
  set calm(calm: boolean) {
    this.#calmSince = calm ? this.#world.now : undefined;
  }

  /** Checks what can be checked at any time, in O(n log n): the structures of registrars, and queues. */
  check(): void {
    for (const { machine } of this.#world.registrars) machine?.checkInvariants();
    for (const program of this.#world.network.programs()) {
      if (program.backlog > MAX_BACKLOG) this.#violated(`${program.backlog} inputs wait for ${program.name}`);
      for (const { queuedOctets } of program.sides.values()) {
        if (queuedOctets > SEND_BUFFER + QUEUE_GRACE) {
          this.#violated(`${program.name} has queued ${queuedOctets} octets on one association`);
        }
      }
    }
    this.#checkAnswers();
  }

  /** In calm times every user hears something in time. */
  #checkAnswers(): void {
    if (this.#calmSince === undefined) return;
    const mostMs = 2 * (this.#world.options.resolveIntervalMs ?? 10_000) + ANSWER_MS;
    for (const user of this.#world.users) {
      if (user.program === undefined) continue;
      const since = Math.max(this.#calmSince, this.#answeredAt.get(user) ?? -Infinity);
      if (this.#world.now - since > mostMs) this.#violated(`${user.name} does not get an answer`);
    }
  }

  /** Checks what must be so after {@linkcode PoolBounds.settleMs} without a fault. */
  settled(): void {
    this.check();
    const complaints = convergenceComplaints(this.#world);
    if (complaints.length > 0) this.#violated(complaints.join("; "));
    this.counts.settled++;
  }

  /**
   * Somebody else who watches the world has seen something.
   *
   * @throws {WorldViolation} always
   */
  complain(sentence: string): never {
    this.#violated(sentence);
  }

  #registrarReport(registrar: RegistrarActor, report: RegistrarReport): void {
    switch (report.type) {
      case "resolved":
        return this.#resolved(registrar, report.poolHandle, report.elementIds);
      case "registered":
        if (!report.again) this.#distribution.changed(registrar);
        return;
      case "updated":
        if (report.action === "delete") this.#distribution.changed(registrar);
        return;
      case "removed":
      case "deregistered":
      case "synchronized":
      case "takeover":
        return this.#distribution.changed(registrar);
      default:
        return;
    }
  }

  #resolved(registrar: RegistrarActor, poolHandle: Uint8Array, elementIds: readonly number[]): void {
    this.counts.resolutions++;
    for (const elementId of elementIds) {
      const fate = this.#world.fates.get(elementId);
      if (fate === undefined) {
        this.#violated(`${registrar.name} offers ${describeId(elementId)}, which never was`);
      }
      const deadForMs = this.#world.now - (fate?.endedAt ?? this.#world.now);
      if (deadForMs > this.bounds.offerMs) {
        const what = `${fate?.actor.name}, dead for ${(deadForMs / 1000).toFixed(0)} s`;
        this.#violated(`${registrar.name} offers ${what}`);
      }
    }
    const pool = registrar.machine?.handlespace.pool(poolHandle);
    const [first] = elementIds;
    if (pool === undefined || first === undefined || elementIds.length > 1) return;
    const complaint = this.#distribution.selected(registrar, pool, first);
    if (complaint !== undefined) {
      this.#violated(`${registrar.name} on ${showText(poolHandle)}: ${complaint}`);
    }
  }

  #userEffect(
    user: UserActor,
    effect: Exclude<UserHostEffect, { readonly type: "transport" | "datagram" }>,
  ): void {
    if (effect.type === "answer") this.#answeredAt.set(user, this.#world.now);
    if (!this.calm) return;
    if (effect.type === "tried" && !effect.reached) {
      this.#violated(`${user.name} does not reach ${describeId(effect.elementId)}, which it was offered`);
    } else if (effect.type === "answer") {
      this.counts.calmAnswers++;
      if (effect.elements.length > 0) return;
      const alive = this.#world.elements.some(({ program, poolHandle }) =>
        program !== undefined && poolHandle === effect.poolHandle
      );
      if (!alive) return;
      const why = effect.failure ?? "it is unknown";
      this.#violated(`${user.name} does not get an element of ${showText(effect.poolHandle)}: ${why}`);
    }
  }

  #violated(sentence: string): never {
    throw new WorldViolation(this.#world.now, sentence);
  }
}
