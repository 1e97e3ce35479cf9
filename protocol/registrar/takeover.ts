import type { InitTakeover, InitTakeoverAck, TakeoverServer } from "../enrp/message.ts";
import type { EnrpMessage } from "../enrp/mod.ts";
import type { ElementEntry, Handlespace } from "../handlespace/mod.ts";
import { TimerQueue } from "../machine.ts";
import type { Instant } from "../net.ts";
import type { Peer, PeerList } from "./peer_list.ts";
import type { RegistrarReport } from "./report.ts";
import type { RegistrarStatistics } from "./statistics.ts";

/**
 * A target gets at least so long to object, even when there is nobody else whose agreement would have to be waited for:
 * a round trip with one retransmission in a lab.
 */
export const OBJECTION_MS = 500;

/** Objections of our own are at least so far apart: one presence answers all who ask, and a flood costs little. */
const MIN_OBJECTION_GAP_MS = 100;

/** So often the others are asked for their agreement; then those that keep silent do not count. */
const MAX_ROUNDS = 2;

/**
 * A takeover by another registrar is believed in for so many expiry times: its rounds, and one for the way. Then the
 * target is watched again, since its elements may still want a home.
 */
const CLAIM_EXPIRIES = MAX_ROUNDS + 1;

/** What takeovers need of the registrar around them. */
export interface TakeoverContext {
  readonly registrarId: number;
  readonly handlespace: Handlespace;
  readonly peers: PeerList;
  readonly statistics: RegistrarStatistics;
  readonly takeoverExpiryMs: number;
  /** Sends to one peer; an association is set up if there is none. */
  readonly send: (peer: Peer, message: EnrpMessage) => void;
  /** Tells everybody that we live: presences to the group and to every peer. */
  readonly tellPresence: () => void;
  /** The target is no peer any more. */
  readonly forget: (peer: Peer, now: Instant) => void;
  /** Nobody takes the peer over after all: it is asked for a sign of life, as one that is silent. */
  readonly watch: (peer: Peer, now: Instant) => void;
  /** An element's new home is here: it gets a keep-alive with the H bit, and is under supervision from now on. */
  readonly adopt: (entry: ElementEntry, now: Instant) => void;
  /** An element's home is another registrar now, whether it was ours before or not: it expires without an update. */
  readonly rehomed: (entry: ElementEntry, now: Instant) => void;
  readonly report: (report: RegistrarReport) => void;
}

/** A takeover of our own that is under way. */
interface Attempt {
  readonly target: Peer;
  readonly targetId: number;
  readonly startedAt: Instant;
  /** Whose agreement is waited for. */
  readonly pending: Set<number>;
  round: number;
}

/** A takeover by another registrar, as far as we know. */
interface Claim {
  readonly registrarId: number;
  readonly madeAt: Instant;
  /** Whether an attempt of our own was given up. */
  readonly gaveWay: boolean;
  /** Whose takeover of this target we agreed to, and who has not agreed to ours since. */
  readonly agreedTo: Set<number>;
}

/**
 * Takeovers of dead registrars' elements (RFC 5353 §3.5).
 *
 * Theory of operation: whoever finds a peer dead asks all others for their agreement, and the dead one for a sign of
 * life. With everybody's agreement it tells all (ENRP_TAKEOVER_SERVER) and makes the elements its own. Of two that try
 * at once the one with the greater ID goes on (§3.5.1). A sign of life of the target ends everything.
 *
 *     none --begin--> asking --all agree, or only silent ones are left--> done
 *       ^               |---heard, taken over by another---> none
 *       |               \---INIT_TAKEOVER of a greater ID--> claimed
 *       \--heard, done, expired-- claimed <--INIT_TAKEOVER of another-- none
 *
 * Beyond the RFC: a peer that does not answer (it died, too, or is none that takes part, such as a program that only
 * reads handlespaces) is not waited for longer than {@linkcode MAX_ROUNDS} expiry times. And RSPLIB's registrars let
 * the smaller ID go on (reference/rsplib.md §3.10), so that one of them and we might each give way to the other: when
 * all that we agreed with have agreed to our own takeover since, nobody is left who tries, and we begin anew. When
 * neither gives way, RSPLIB's attempt expires first, and it agrees in our second round.
 */
export class TakeoverService {
  readonly #context: TakeoverContext;
  readonly #attempts = new Map<number, Attempt>();
  readonly #claims = new Map<number, Claim>();
  /** By target: the end of a round, or of the belief in a claim. */
  readonly #timers = new TimerQueue<number>();
  #objectedAt: Instant = -Infinity;

  /** @param context the registrar around it */
  constructor(context: TakeoverContext) {
    this.#context = context;
  }

  /** A peer is dead: its elements want a new home. Nothing happens when somebody sees to it already. */
  begin(target: Peer, now: Instant): void {
    const { registrarId: targetId } = target;
    const { registrarId, handlespace, peers, statistics, forget, report } = this.#context;
    if (targetId === registrarId || this.isUnderWay(targetId)) return;
    if (handlespace.ownedCount(targetId) === 0) {
      this.#notPending(targetId, now);
      return forget(target, now); // there is nothing to take over
    }
    const pending = new Set<number>();
    for (const peer of peers.identified()) {
      // One whose own takeover is under way is as dead as the target.
      if (peer.registrarId !== targetId && !this.isUnderWay(peer.registrarId)) pending.add(peer.registrarId);
    }
    const attempt: Attempt = { target, targetId, startedAt: now, pending, round: 1 };
    this.#attempts.set(targetId, attempt);
    statistics.takeovers++;
    report({ type: "takeover", stage: "started", targetId, registrarId, elementCount: 0 });
    this.#ask(attempt, [...peers.identified()], now);
    this.#notPending(targetId, now);
  }

  /** A sign of life of a peer ends what is under way against it. */
  heard(registrarId: number): void {
    const claim = this.#claims.get(registrarId);
    if (claim !== undefined) this.#endClaim(registrarId, claim, "cancelled");
    const attempt = this.#attempts.get(registrarId);
    if (attempt !== undefined) this.#endAttempt(attempt, "cancelled");
  }

  /** ENRP_INIT_TAKEOVER came (§3.5.1). */
  initTakeover(peer: Peer, { targetId }: InitTakeover, now: Instant): void {
    const { registrarId, peers, send, takeoverExpiryMs } = this.#context;
    if (targetId === registrarId) return this.#object(now);
    if (targetId === peer.registrarId) return; // it cannot be dead
    const attempt = this.#attempts.get(targetId);
    if (attempt !== undefined) {
      if (registrarId > peer.registrarId) return;
      this.#endAttempt(attempt, "given-up");
    }
    // What is not known cannot be watched, so there is nothing to remember.
    if (peers.find(targetId) !== undefined) {
      const before = this.#claims.get(targetId);
      const gaveWay = attempt !== undefined || before?.gaveWay === true;
      const agreedTo = (before?.agreedTo ?? new Set<number>()).add(peer.registrarId);
      this.#claims.set(targetId, { registrarId: peer.registrarId, madeAt: now, gaveWay, agreedTo });
      this.#timers.set(targetId, now + CLAIM_EXPIRIES * takeoverExpiryMs);
    }
    send(peer, {
      type: "initTakeoverAck",
      senderId: registrarId,
      receiverId: peer.registrarId,
      targetId,
    });
  }

  /** ENRP_INIT_TAKEOVER_ACK came. */
  acknowledged(peer: Peer, { targetId }: InitTakeoverAck, now: Instant): void {
    const claim = this.#claims.get(targetId);
    if (claim !== undefined) {
      claim.agreedTo.delete(peer.registrarId);
      if (!claim.gaveWay || claim.agreedTo.size > 0) return;
      // All that we gave way to have given way to us: everybody would wait for the others.
      this.#claims.delete(targetId);
      this.#timers.clear(targetId);
      const target = this.#context.peers.find(targetId);
      return target && this.begin(target, now);
    }
    const attempt = this.#attempts.get(targetId);
    if (attempt?.pending.delete(peer.registrarId)) this.#proceed(attempt, now);
  }

  /** ENRP_TAKEOVER_SERVER came (§3.5.2). */
  takenOver(peer: Peer, { targetId }: TakeoverServer, now: Instant): void {
    const { registrarId, handlespace, peers, forget, rehomed, report } = this.#context;
    const newHome = peer.registrarId;
    const target = peers.find(targetId);
    if (targetId === newHome) return; // nobody succeeds himself
    if (target === undefined && handlespace.ownedCount(targetId) === 0 && targetId !== registrarId) return;
    const attempt = this.#attempts.get(targetId);
    if (attempt !== undefined) this.#endAttempt(attempt, "given-up");
    this.#claims.delete(targetId);
    this.#timers.clear(targetId);
    const entries = handlespace.page(undefined, Infinity, targetId);
    for (const entry of entries) {
      handlespace.rehome(entry, newHome);
      rehomed(entry, now);
    }
    const elementCount = entries.length;
    report({ type: "takeover", stage: "completed", targetId, registrarId: newHome, elementCount });
    // We are the one that was thought dead. The elements hear from their new home, and leave us; that they are its own
    // is what all others believe by now, and so do we. Those that stay will register again.
    if (targetId === registrarId) return this.#object(now);
    if (target !== undefined) {
      this.#notPending(targetId, now);
      forget(target, now);
    }
  }

  /** A peer is gone: its acknowledgement is not waited for any more, nor what it had begun. */
  peerGone(peer: Peer, now: Instant): void {
    const { registrarId } = peer;
    for (const [targetId, claim] of this.#claims) {
      if (targetId === registrarId) this.#endClaim(targetId, claim, undefined);
      else if (claim.registrarId === registrarId) this.#claimFailed(targetId, claim, now);
    }
    const attempt = this.#attempts.get(registrarId);
    if (attempt !== undefined) this.#endAttempt(attempt, "cancelled");
    this.#notPending(registrarId, now);
  }

  /** Whether a takeover of this registrar is under way, by whomever. It needs no watching then (§3.5.1). */
  isUnderWay(registrarId: number): boolean {
    return this.#attempts.has(registrarId) || this.#claims.has(registrarId);
  }

  /** Runs what is due. */
  tick(now: Instant): void {
    for (let id = this.#timers.takeDue(now); id !== undefined; id = this.#timers.takeDue(now)) {
      const attempt = this.#attempts.get(id);
      const claim = this.#claims.get(id);
      if (attempt !== undefined) this.#roundOver(attempt, now);
      else if (claim !== undefined) this.#claimFailed(id, claim, now);
    }
  }

  /** When something is due. */
  nextTimeout(): Instant | undefined {
    return this.#timers.next();
  }

  /** Somebody thinks that we are dead. */
  #object(now: Instant): void {
    if (now - this.#objectedAt < MIN_OBJECTION_GAP_MS) return;
    this.#objectedAt = now;
    this.#context.tellPresence();
  }

  #ask({ targetId, pending }: Attempt, peers: readonly Peer[], now: Instant): void {
    const { registrarId: senderId, takeoverExpiryMs, send } = this.#context;
    const waitMs = pending.size === 0 ? Math.min(OBJECTION_MS, takeoverExpiryMs) : takeoverExpiryMs;
    this.#timers.set(targetId, now + waitMs);
    for (const peer of peers) {
      send(peer, { type: "initTakeover", senderId, receiverId: peer.registrarId, targetId });
    }
  }

  /** An agreement of this one is not to be expected any more. */
  #notPending(registrarId: number, now: Instant): void {
    for (const attempt of this.#attempts.values()) {
      if (attempt.pending.delete(registrarId)) this.#proceed(attempt, now);
    }
  }

  #proceed(attempt: Attempt, now: Instant): void {
    if (attempt.pending.size === 0) this.#complete(attempt, now);
  }

  /** Not everybody agreed in time. */
  #roundOver(attempt: Attempt, now: Instant): void {
    const { peers } = this.#context;
    for (const registrarId of attempt.pending) {
      const lastHeardAt = peers.find(registrarId)?.lastHeardAt ?? -Infinity;
      // One that says nothing at all will not say that it agrees.
      if (attempt.round >= MAX_ROUNDS || lastHeardAt < attempt.startedAt) attempt.pending.delete(registrarId);
    }
    if (attempt.pending.size === 0) return this.#complete(attempt, now);
    attempt.round++;
    const silent = [...attempt.pending].map((registrarId) => peers.find(registrarId));
    this.#ask(attempt, silent.filter((peer) => peer !== undefined), now);
  }

  /** Everybody agreed: the elements are ours (§3.5.2). */
  #complete(attempt: Attempt, now: Instant): void {
    const { target, targetId } = attempt;
    const { registrarId, handlespace, peers, statistics, send, adopt, forget, report } = this.#context;
    this.#attempts.delete(targetId);
    this.#timers.clear(targetId);
    statistics.takeoversCompleted++;
    for (const peer of peers.identified()) {
      if (peer === target) continue;
      send(peer, {
        type: "takeoverServer",
        senderId: registrarId,
        receiverId: peer.registrarId,
        targetId,
      });
    }
    const entries = handlespace.page(undefined, Infinity, targetId);
    for (const entry of entries) {
      handlespace.rehome(entry, registrarId);
      adopt(entry, now);
    }
    const elementCount = entries.length;
    report({ type: "takeover", stage: "completed", targetId, registrarId, elementCount });
    forget(target, now);
  }

  #endAttempt({ targetId }: Attempt, stage: "given-up" | "cancelled"): void {
    const { registrarId, report } = this.#context;
    this.#attempts.delete(targetId);
    this.#timers.clear(targetId);
    report({ type: "takeover", stage, targetId, registrarId, elementCount: 0 });
  }

  #endClaim(targetId: number, { registrarId }: Claim, stage: "cancelled" | "expired" | undefined): void {
    this.#claims.delete(targetId);
    this.#timers.clear(targetId);
    if (stage === undefined) return;
    this.#context.report({ type: "takeover", stage, targetId, registrarId, elementCount: 0 });
  }

  #claimFailed(targetId: number, claim: Claim, now: Instant): void {
    this.#endClaim(targetId, claim, "expired");
    const { peers, watch } = this.#context;
    const target = peers.find(targetId);
    if (target !== undefined && (target.lastHeardAt ?? -Infinity) <= claim.madeAt) watch(target, now);
  }
}
