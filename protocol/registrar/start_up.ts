import { TimerQueue } from "../machine.ts";
import type { Instant } from "../net.ts";
import type { Peer } from "./peer_list.ts";
import type { SyncOutcome } from "./table_sync.ts";

/** How long a registrar that rejected to be our mentor is left alone: RFC 5353 §3.2.3 says "a few seconds". */
const REJECTED_PAUSE_MS = 1000;

/** So much of the time to find a mentor is for the peers that were named beforehand. */
const STATIC_SHARE = 0.5;

/** What the start needs of the registrar around it. */
export interface StartUpContext {
  readonly mentorDiscoveryTimeoutMs: number;
  readonly maxTimeNoResponseMs: number;
  /** Whether peers were named beforehand. */
  readonly hasStaticPeers: () => boolean;
  /** The peers that were heard, the first choice first. */
  readonly candidates: () => Iterable<Peer>;
  /** Sends a list request. */
  readonly requestList: (peer: Peer) => void;
  /** Asks for the mentor's handlespace; `loaded` tells the end. */
  readonly load: (peer: Peer, now: Instant) => void;
  /** The start is over. */
  readonly done: (mentor: Peer | undefined, now: Instant) => void;
}

/**
 * The start of a registrar (RFC 5353 §3.2): it looks for a mentor, a registrar in service, and takes over its list of
 * peers and its handlespace. Everybody that gave a sign of life may be asked; who rejects or falls silent is replaced by
 * another. Peers that were named beforehand (§3.2.2.1) are waited for before one is taken that was only heard of. When
 * nobody was found in time the registrar is alone, or will be synchronised by the checksums of presences.
 *
 *     looking --a peer is heard--> listing --list--> loading --last part--> done
 *        ^ \--mentor discovery time-out--> done        /
 *         \--- rejected, silent, gone (before the time-out) ---/
 */
export class StartUp {
  readonly #context: StartUpContext;
  readonly #timers = new TimerQueue<"deadline" | "response" | "retry" | "anybody">();
  readonly #rejections = new Map<Peer, Instant>();
  #state: "new" | "looking" | "listing" | "loading" | "done" = "new";
  #mentor: Peer | undefined;
  #late = false;
  /** From then on any registrar will do as mentor. */
  #anybodyAt: Instant = -Infinity;

  /** @param context the registrar around it */
  constructor(context: StartUpContext) {
    this.#context = context;
  }

  /** Whether the start is over. */
  get isDone(): boolean {
    return this.#state === "done";
  }

  /** Starts. Without a time to look for a mentor the start is over at once. */
  begin(now: Instant): void {
    const { mentorDiscoveryTimeoutMs } = this.#context;
    this.#state = "looking";
    if (mentorDiscoveryTimeoutMs <= 0) return this.#done(undefined, now);
    this.#timers.set("deadline", now + mentorDiscoveryTimeoutMs);
    if (this.#context.hasStaticPeers()) {
      this.#anybodyAt = now + mentorDiscoveryTimeoutMs * STATIC_SHARE;
      this.#timers.set("anybody", this.#anybodyAt);
    }
    this.#look(now);
  }

  /** A peer gave a sign of life: it may be the mentor. */
  heard(now: Instant): void {
    if (this.#state === "looking") this.#look(now);
  }

  /** A list response came: what is in it is known already. */
  listed(peer: Peer, rejected: boolean, now: Instant): void {
    if (this.#state !== "listing" || peer !== this.#mentor) return;
    if (rejected) return this.#reject(now);
    this.#timers.clear("response");
    this.#state = "loading";
    this.#context.load(peer, now);
  }

  /** The mentor's handlespace is here, or will not come. */
  loaded(peer: Peer, outcome: SyncOutcome, now: Instant): void {
    if (this.#state !== "loading" || peer !== this.#mentor) return;
    if (outcome === "done") this.#done(peer, now);
    else this.#reject(now);
  }

  /** A peer is forgotten. */
  forget(peer: Peer, now: Instant): void {
    this.#rejections.delete(peer);
    if (peer === this.#mentor && this.#state !== "done") this.#reject(now);
  }

  /** Ends, whatever is under way. */
  stop(): void {
    this.#state = "done";
    for (const timer of ["deadline", "response", "retry", "anybody"] as const) this.#timers.clear(timer);
  }

  /** Runs what is due. */
  tick(now: Instant): void {
    for (let timer = this.#timers.takeDue(now); timer !== undefined; timer = this.#timers.takeDue(now)) {
      if (timer === "response") this.#reject(now);
      else if (timer === "retry" || timer === "anybody") this.heard(now);
      else if (this.#state === "looking") this.#done(undefined, now);
      else this.#late = true; // a mentor that answers may finish
    }
  }

  /** When something is due. */
  nextTimeout(): Instant | undefined {
    return this.#timers.next();
  }

  #look(now: Instant): void {
    const { candidates, requestList, maxTimeNoResponseMs } = this.#context;
    for (const peer of candidates()) {
      if ((this.#rejections.get(peer) ?? -Infinity) > now) continue;
      if (!peer.isStatic && now < this.#anybodyAt) continue;
      this.#mentor = peer;
      this.#state = "listing";
      this.#timers.clear("retry");
      this.#timers.set("response", now + maxTimeNoResponseMs);
      return requestList(peer);
    }
  }

  #reject(now: Instant): void {
    this.#timers.clear("response");
    if (this.#late) return this.#done(undefined, now);
    if (this.#mentor !== undefined) this.#rejections.set(this.#mentor, now + REJECTED_PAUSE_MS);
    this.#mentor = undefined;
    this.#state = "looking";
    this.#timers.set("retry", now + REJECTED_PAUSE_MS);
    this.#look(now);
  }

  #done(mentor: Peer | undefined, now: Instant): void {
    this.stop();
    this.#rejections.clear();
    this.#context.done(mentor, now);
  }
}
