import { isLoopback, Ppid, transportAddresses } from "../net.ts";
import type {
  AssociationDown,
  AssociationId,
  AssociationUp,
  Instant,
  IpAddress,
  NetworkEffect,
  TransportAddress,
  TransportCommand,
  TransportEvent,
} from "../net.ts";
import { TimerQueue } from "../machine.ts";
import type { Prng } from "../machine.ts";
import { downText } from "./down_text.ts";
import { OwedReplies } from "./owed_replies.ts";
import { RegistrarList } from "./registrar_list.ts";
import type { RegistrarEntry } from "./registrar_list.ts";
import type { RegistrarLinkReport } from "./report.ts";

/**
 * The registrar hunt of RFC 5352 §3.6, shared by pool elements and pool users.
 *
 * Theory of operation: while there is no registrar association, up to three known registrars are connected to at the
 * same time, chosen at random. The first association that comes up is the registrar's. One that keeps silent may be
 * tried several times in a row (`connectMaxTrials`). A connect cannot be recalled:
 * attempts that took too long, or lost, go on as *stale* ones until the transport answers them. Should a stale one
 * succeed it is taken if there is no registrar yet, and aborted otherwise; as long as it is under way nobody else
 * connects to the same place, since two endpoints have one association at most. A registrar that failed is left alone
 * for a time that doubles with each failure. When the association is lost the hunt starts again.
 *
 * A registrar may also come to us: after a takeover it connects to the hunt endpoint of a pool element and sends a
 * keep-alive with the H bit. Such associations wait as *strangers* until the owner of the hunt adopts one.
 *
 *     idle --start--> hunting --up--> connected --down, fail--> hunting
 *                        \---------adopt--------^    \--adopt (another association)--> connected
 */

/** Associations that strangers may hold at the hunt endpoint: registrars that take over are few. */
export const MAX_STRANGERS = 16;

/** A stranger that did not become our registrar is shut down after this time (RSPLIB's auto-close of this socket). */
export const STRANGER_LIFE_MS = 30_000;

/** One that does not let itself be shut down, since it takes nothing of what waits for it, is aborted then. */
export const STRANGER_END_MS = 5000;

/** A registrar that was of no use is not tried again for so long, if there are others. */
const AVOIDED_MS = 2000;

/** How a hunt behaves; defaults are RSPLIB's (reference/rsplib.md §1.2, §3.11). Times are in milliseconds. */
export interface HuntOptions {
  /** Registrars that need no announce: a list of addresses for each, with one port. */
  readonly registrars?: readonly (readonly TransportAddress[])[];
  /** How long an announce is believed. Default 5000. */
  readonly announceLifeMs?: number;
  /** How long an association may take to come up. Default 7500. */
  readonly connectTimeoutMs?: number;
  /**
   * How often a registrar that keeps silent is connected to before it is left alone, and another one takes its turn. A
   * refusal is an answer: it is not tried again at once. Default 1.
   */
  readonly connectMaxTrials?: number;
  /** How many registrars are connected to at a time. Default 3. */
  readonly maxParallel?: number;
  /** How long a registrar that failed is left alone at first. Default 500. */
  readonly retryInitialMs?: number;
  /** The time doubles with each failure in a row up to this: T5-Serverhunt of RFC 5352 §3.6. Default 10000. */
  readonly retryMaxMs?: number;
}

/** What a hunt tells its owner. */
export type HuntEvent =
  | { readonly type: "connected"; readonly adopted: boolean }
  | { readonly type: "disconnected"; readonly reason: string }
  /** The send buffer of the registrar's association is full, or has room again. */
  | { readonly type: "blocked" | "writable" }
  /** An ASAP message of the registrar, or of a stranger. */
  | { readonly type: "message"; readonly association: AssociationId; readonly data: Uint8Array };

/** What a hunt asks for. */
export type HuntEffect = NetworkEffect | { readonly type: "report"; readonly report: RegistrarLinkReport };

/** The registrar in use. */
export interface CurrentRegistrar {
  readonly association: AssociationId;
  readonly addresses: readonly TransportAddress[];
  /** Whether the association runs over the loopback interface. */
  readonly overLoopback: boolean;
  /** 0 = not known. */
  readonly registrarId: number;
  /** Names it in the list of registrars; undefined for an adopted registrar that is not in the list. */
  readonly key: string | undefined;
}

interface Current extends CurrentRegistrar {
  registrarId: number;
}

interface Attempt {
  readonly entry: RegistrarEntry;
  /** Which trial with this registrar it is, from 1. */
  trial: number;
}

/** Finds a registrar and keeps an association with it. */
export class RegistrarHunt {
  readonly #endpoint: string;
  readonly #outbox: { push(effect: HuntEffect): void };
  readonly #random: Prng;
  readonly #list: RegistrarList;
  readonly #announceLifeMs: number;
  readonly #connectTimeoutMs: number;
  readonly #connectMaxTrials: number;
  readonly #maxParallel: number;
  readonly #timers = new TimerQueue<string>();
  readonly #attempts = new Map<number, Attempt>();
  /** Connects that were given up but not answered yet. */
  readonly #stale = new Map<number, RegistrarEntry>();
  readonly #strangers = new Map<AssociationId, AssociationUp>();
  /** Strangers that are being shut down. */
  readonly #leaving = new Set<AssociationId>();
  readonly #replies = new OwedReplies((association, data) => this.send(association, data));
  #events: HuntEvent[] = [];
  #current: Current | undefined;
  #hunting = false;
  #waitingReported = false;
  #lastRequest = 0;
  /** When a registrar was last left for its successor. */
  #succeededAt: Instant = -Infinity;

  /**
   * @param endpoint name of the endpoint to use
   * @param outbox where effects go
   * @param random chooses among registrars
   */
  constructor(
    endpoint: string,
    options: HuntOptions,
    outbox: { push(effect: HuntEffect): void },
    random: Prng,
  ) {
    this.#endpoint = endpoint;
    this.#outbox = outbox;
    this.#random = random;
    this.#announceLifeMs = options.announceLifeMs ?? 5000;
    this.#connectTimeoutMs = options.connectTimeoutMs ?? 7500;
    this.#connectMaxTrials = options.connectMaxTrials ?? 1;
    this.#maxParallel = options.maxParallel ?? 3;
    this.#list = new RegistrarList(options.registrars ?? [], this.#announceLifeMs, {
      initialMs: options.retryInitialMs ?? 500,
      maxMs: options.retryMaxMs ?? 10_000,
    });
  }

  /** The registrar in use; undefined while hunting. */
  get current(): CurrentRegistrar | undefined {
    return this.#current;
  }

  /** Starts hunting. */
  start(now: Instant): void {
    this.#hunting = true;
    this.#hunt(now);
  }

  /** Ends the hunt: shuts the registrar's association down and aborts every other. */
  stop(): void {
    this.#hunting = false;
    this.#abandonAttempts();
    for (const association of [...this.#strangers.keys(), ...this.#leaving]) {
      this.#abort(association, "no longer interested");
    }
    this.#strangers.clear();
    this.#leaving.clear();
    while (this.#timers.takeDue(Infinity) !== undefined);
    if (this.#current === undefined) return;
    this.#execute({ type: "shutdown", association: this.#current.association });
    this.#current = undefined;
  }

  /** Takes an announce that was heard. */
  announce(addresses: readonly IpAddress[], port: number, registrarId: number, now: Instant): void {
    this.#list.announce(addresses, port, registrarId, now);
    if (this.#current === undefined) return this.#hunt(now);
    this.#checkSuccessor(this.#current, addresses, port, registrarId, now);
  }

  /** Takes an event of the hunt endpoint. */
  handle(event: TransportEvent, now: Instant): void {
    const current = this.#current;
    switch (event.type) {
      case "up":
        return this.#up(event, now);
      case "down":
        return this.#down(event, now);
      case "peerShutdown":
        // The registrar is about to go: nothing sent from now on would be answered.
        if (current?.association === event.association) this.#lose(current, "the registrar shut down", now);
        return;
      case "restarted":
        if (current?.association === event.association) this.fail("the registrar restarted", now);
        return;
      case "message":
        if (event.ppid !== Ppid.asap) return; // nobody speaks anything else to a hunt endpoint
        if (current?.association !== event.association && !this.#strangers.has(event.association)) return;
        this.#events.push({ type: "message", association: event.association, data: event.data });
        return;
      case "blocked":
      case "writable":
        this.#replies[event.type](event.association);
        if (current?.association === event.association) this.#events.push({ type: event.type });
        return;
      default: // paths and failed sends: requests have their own time-outs
        return;
    }
  }

  /** Runs what is due. */
  tick(now: Instant): void {
    for (let key = this.#timers.takeDue(now); key !== undefined; key = this.#timers.takeDue(now)) {
      const [kind, number] = key.split(" ");
      if (kind === "connect") this.#connectTimedOut(Number(number), now);
      else if (kind === "stranger") this.#strangerTimedOut(Number(number), now);
      else this.#hunt(now);
    }
  }

  /** When `tick` has something to do. */
  nextTimeout(): Instant | undefined {
    return this.#timers.next();
  }

  /** Everything that happened since the last call, in order. */
  takeEvents(): HuntEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  /** Sends an ASAP message on an association of the hunt endpoint. */
  send(association: AssociationId, data: Uint8Array): void {
    this.#execute({ type: "send", association, data, ppid: Ppid.asap });
  }

  /** Answers on an association of the hunt endpoint: one at a time, if that is not read. */
  reply(association: AssociationId, data: Uint8Array): void {
    this.#replies.reply(association, data);
  }

  /** The registrar did not do its work: aborts the association, leaves this registrar alone for a time, hunts again. */
  fail(reason: string, now: Instant): void {
    const current = this.#current;
    if (current === undefined) return;
    this.#abort(current.association, reason);
    this.#lose(current, reason, now);
  }

  /**
   * Leaves the registrar for another one: what it answers may be right for it, but is of no use.
   *
   * @param asked keys of registrars that are of no use either
   * @returns false when no other one is known: the registrar stays
   */
  moveOn(asked: ReadonlySet<string>, reason: string, now: Instant): boolean {
    const current = this.#current;
    if (current === undefined) return false;
    const others = this.#list.candidates(now).filter(({ key, registrarId }) =>
      key !== current.key && !asked.has(key) && (registrarId === 0 || registrarId !== current.registrarId)
    );
    if (others.length === 0) return false;
    for (const key of [...asked, current.key]) if (key !== undefined) this.#list.avoid(key, now + AVOIDED_MS);
    this.#execute({ type: "shutdown", association: current.association });
    this.#lose({ ...current, key: undefined }, reason, now);
    return true;
  }

  /** The registrar answered a request as it should: its failures are forgotten. */
  succeeded(): void {
    if (this.#current?.key !== undefined) this.#list.succeeded(this.#current.key);
  }

  /** Notes the registrar's ID, learnt from a keep-alive. */
  identify(registrarId: number): void {
    if (this.#current !== undefined) this.#current.registrarId = registrarId;
  }

  /** Makes a stranger's association the registrar's (H bit, RFC 5352 §3.4). The old one is aborted. */
  adopt(association: AssociationId, registrarId: number): void {
    const stranger = this.#strangers.get(association);
    if (stranger === undefined) return;
    this.#strangers.delete(association);
    this.#timers.clear(`stranger ${association}`);
    const old = this.#current;
    if (old !== undefined) this.#abort(old.association, "another registrar took over");
    this.#abandonAttempts();
    this.#connected(stranger, registrarId, undefined);
  }

  /** Aborts a stranger that misbehaved. */
  dismiss(association: AssociationId, reason: string): void {
    if (!this.#strangers.delete(association)) return;
    this.#timers.clear(`stranger ${association}`);
    this.#abort(association, reason);
  }

  /**
   * An announce from the registrar's place with another ID: its process was replaced, and did not tell. There is no need
   * to wait until a request gets no answer. The announce may be a lie; so this is believed once in a while only.
   */
  #checkSuccessor(
    current: Current,
    addresses: readonly IpAddress[],
    port: number,
    registrarId: number,
    now: Instant,
  ): void {
    const samePlace = current.addresses.some((one) => one.port === port && addresses.includes(one.address));
    if (!samePlace || registrarId === 0 || registrarId === current.registrarId) return;
    if (current.registrarId === 0) return this.identify(registrarId);
    if (now - this.#succeededAt < this.#announceLifeMs) return;
    this.#succeededAt = now;
    const reason = "another registrar has taken its place";
    this.#abort(current.association, reason);
    this.#lose({ ...current, key: undefined }, reason, now); // its successor is not to blame
  }

  #hunt(now: Instant): void {
    if (!this.#hunting || this.#current !== undefined) return;
    const underWay = [...this.#stale.values()];
    for (const { entry } of this.#attempts.values()) underWay.push(entry);
    const candidates = this.#list.candidates(now).filter((entry) =>
      !underWay.some((other) => overlap(entry, other))
    );
    while (candidates.length > 0 && this.#attempts.size < this.#maxParallel) {
      const [entry] = candidates.splice(this.#random.below(candidates.length), 1);
      this.#connect(entry!, 1, now);
    }
    const retryAt = this.#list.nextRetry(now);
    if (retryAt !== undefined) this.#timers.set("retry", retryAt);
    if (this.#list.size(now) > 0) {
      this.#waitingReported = false;
    } else if (!this.#waitingReported && this.#attempts.size === 0) {
      this.#waitingReported = true;
      this.#report({ type: "huntWaiting" });
    }
  }

  #connect(entry: RegistrarEntry, trial: number, now: Instant): void {
    const request = ++this.#lastRequest;
    this.#attempts.set(request, { entry, trial });
    this.#timers.set(`connect ${request}`, now + this.#connectTimeoutMs);
    this.#report({ type: "huntConnecting", registrar: transportAddresses(entry.addresses, entry.port) });
    this.#execute({ type: "connect", request, addresses: entry.addresses, port: entry.port });
  }

  #up(up: AssociationUp, now: Instant): void {
    if (up.request === undefined) return this.#strangerUp(up, now);
    const entry = this.#attempts.get(up.request)?.entry ?? this.#stale.get(up.request);
    this.#attempts.delete(up.request);
    this.#stale.delete(up.request);
    this.#timers.clear(`connect ${up.request}`);
    if (entry === undefined || !this.#hunting || this.#current !== undefined) {
      return this.#abort(up.association, "another registrar was faster");
    }
    this.#abandonAttempts();
    this.#connected(up, entry.registrarId, entry.key);
  }

  #connected(up: AssociationUp, registrarId: number, key: string | undefined): void {
    const adopted = key === undefined;
    const addresses = transportAddresses(up.peerAddresses, up.peerPort);
    const overLoopback = up.peerAddresses.some(isLoopback);
    this.#current = { association: up.association, addresses, overLoopback, registrarId, key };
    this.#waitingReported = false;
    this.#timers.clear("retry");
    this.#report({
      type: "registrarFound",
      association: up.association,
      registrar: addresses,
      registrarId,
      adopted,
    });
    this.#events.push({ type: "connected", adopted });
  }

  #strangerUp(up: AssociationUp, now: Instant): void {
    if (!this.#hunting || this.#strangers.size + this.#leaving.size >= MAX_STRANGERS) {
      this.#abort(up.association, "too many associations");
      return;
    }
    this.#strangers.set(up.association, up);
    this.#timers.set(`stranger ${up.association}`, now + STRANGER_LIFE_MS);
  }

  #down(down: AssociationDown, now: Instant): void {
    this.#replies.forget(down.association);
    if (this.#strangers.delete(down.association) || this.#leaving.delete(down.association)) {
      this.#timers.clear(`stranger ${down.association}`);
      return;
    }
    if (this.#current !== undefined && down.association === this.#current.association) {
      return this.#lose(this.#current, downText(down), now);
    }
    if (down.request === undefined) return;
    if (this.#stale.delete(down.request)) return this.#hunt(now); // its place is free again
    const attempt = this.#attempts.get(down.request);
    if (attempt === undefined) return;
    this.#attempts.delete(down.request);
    this.#timers.clear(`connect ${down.request}`);
    const { entry, trial } = attempt;
    if (down.reason === "timeout" && trial < this.#connectMaxTrials) this.#connect(entry, trial + 1, now);
    else this.#attemptFailed(entry, downText(down), now);
  }

  #connectTimedOut(request: number, now: Instant): void {
    const attempt = this.#attempts.get(request);
    if (attempt === undefined) return;
    if (attempt.trial < this.#connectMaxTrials) { // the transport is still trying: that is the next trial, too
      attempt.trial++;
      this.#timers.set(`connect ${request}`, now + this.#connectTimeoutMs);
      return;
    }
    this.#attempts.delete(request);
    this.#stale.set(request, attempt.entry);
    this.#attemptFailed(attempt.entry, "no association in time", now);
  }

  #attemptFailed(entry: RegistrarEntry, reason: string, now: Instant): void {
    const retryMs = this.#list.failed(entry.key, now);
    const registrar = transportAddresses(entry.addresses, entry.port);
    this.#report({ type: "huntFailed", registrar, reason, retryMs });
    this.#hunt(now);
  }

  #strangerTimedOut(association: AssociationId, now: Instant): void {
    if (this.#leaving.delete(association)) return this.#abort(association, "the shutdown took too long");
    if (!this.#strangers.delete(association)) return;
    this.#execute({ type: "shutdown", association });
    this.#leaving.add(association);
    this.#timers.set(`stranger ${association}`, now + STRANGER_END_MS);
  }

  #lose({ key, addresses }: Current, reason: string, now: Instant): void {
    this.#current = undefined;
    if (key !== undefined) this.#list.failed(key, now);
    this.#report({ type: "registrarLost", registrar: addresses, reason });
    this.#events.push({ type: "disconnected", reason });
    this.#hunt(now);
  }

  #abandonAttempts(): void {
    for (const [request, { entry }] of this.#attempts) {
      this.#stale.set(request, entry);
      this.#timers.clear(`connect ${request}`);
    }
    this.#attempts.clear();
  }

  #abort(association: AssociationId, reason: string): void {
    this.#execute({ type: "abort", association, reason });
  }

  #execute(command: TransportCommand): void {
    this.#outbox.push({ type: "transport", endpoint: this.#endpoint, command });
  }

  #report(report: RegistrarLinkReport): void {
    this.#outbox.push({ type: "report", report });
  }
}

/** Whether two entries are reached at the same place. */
function overlap(a: RegistrarEntry, b: RegistrarEntry): boolean {
  return a.port === b.port && a.addresses.some((address) => b.addresses.includes(address));
}
