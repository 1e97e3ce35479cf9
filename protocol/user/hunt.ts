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
import { earliest } from "../machine.ts";
import type { Prng } from "../machine.ts";
import { downText } from "./down_text.ts";
import { OwedReplies } from "./owed_replies.ts";
import { RegistrarList } from "./registrar_list.ts";
import { RegistrarSearch } from "./registrar_search.ts";
import type { RegistrarLinkReport } from "./report.ts";
import { Strangers } from "./strangers.ts";

/**
 * The registrar hunt of RFC 5352 §3.6, shared by pool elements and pool users.
 *
 * Theory of operation: while there is no registrar association a {@linkcode RegistrarSearch} connects to known registrars.
 * The first association that comes up is the registrar's. A registrar that failed is left alone for a time that doubles
 * with each failure ({@linkcode RegistrarList}). When the association is lost the search starts again.
 *
 * A registrar may also come to us: after a takeover it connects to the hunt endpoint of a pool element and sends a
 * keep-alive with the H bit. Such associations wait as {@linkcode Strangers} until the owner of the hunt adopts one.
 *
 *     idle --start--> hunting --up--> connected --down, fail--> hunting
 *                        \---------adopt--------^    \--adopt (another association)--> connected
 */

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

/** Finds a registrar and keeps an association with it. */
export class RegistrarHunt {
  readonly #endpoint: string;
  readonly #outbox: { push(effect: HuntEffect): void };
  readonly #list: RegistrarList;
  readonly #announceLifeMs: number;
  readonly #search: RegistrarSearch;
  readonly #strangers: Strangers;
  readonly #replies = new OwedReplies((association, data) => this.send(association, data));
  #events: HuntEvent[] = [];
  #current: Current | undefined;
  #hunting = false;
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
    this.#announceLifeMs = options.announceLifeMs ?? 5000;
    this.#list = new RegistrarList(options.registrars ?? [], this.#announceLifeMs, {
      initialMs: options.retryInitialMs ?? 500,
      maxMs: options.retryMaxMs ?? 10_000,
    });
    const execute = (command: TransportCommand) => this.#execute(command);
    this.#strangers = new Strangers(execute);
    this.#search = new RegistrarSearch(
      this.#list,
      options,
      random,
      execute,
      (report) => this.#report(report),
    );
  }

  /** The registrar in use; undefined while hunting. */
  get current(): CurrentRegistrar | undefined {
    return this.#current;
  }

  /** Starts hunting. */
  start(now: Instant): void {
    this.#hunting = true;
    this.#search.begin(now);
  }

  /** Ends the hunt: shuts the registrar's association down and aborts every other. */
  stop(): void {
    this.#hunting = false;
    this.#search.end();
    this.#strangers.stop();
    if (this.#current === undefined) return;
    this.#execute({ type: "shutdown", association: this.#current.association });
    this.#current = undefined;
  }

  /**
   * Takes an announce that was heard. One from the registrar's place with another ID says that its process was replaced,
   * and did not tell. There is no need to wait until a request gets no answer. The announce may be a lie; so this is
   * believed once in a while only.
   */
  announce(addresses: readonly IpAddress[], port: number, registrarId: number, now: Instant): void {
    this.#list.announce(addresses, port, registrarId, now);
    const current = this.#current;
    if (current === undefined) return this.#search.look(now);
    const samePlace = current.addresses.some((one) => one.port === port && addresses.includes(one.address));
    if (!samePlace || registrarId === 0 || registrarId === current.registrarId) return;
    if (current.registrarId === 0) return this.identify(registrarId);
    if (now - this.#succeededAt < this.#announceLifeMs) return;
    this.#succeededAt = now;
    const reason = "another registrar has taken its place";
    this.#abort(current.association, reason);
    this.#lose({ ...current, key: undefined }, reason, now); // its successor is not to blame
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
    this.#search.tick(now);
    this.#strangers.tick(now);
  }

  /** When `tick` has something to do. */
  nextTimeout(): Instant | undefined {
    return earliest(this.#search.nextTimeout(), this.#strangers.nextTimeout());
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
    this.#strangers.leave(current.association, now);
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
    const stranger = this.#strangers.take(association);
    if (stranger === undefined) return;
    const old = this.#current;
    if (old !== undefined) this.#abort(old.association, "another registrar took over");
    this.#connected(stranger, registrarId, undefined);
  }

  /** Aborts a stranger that misbehaved. */
  dismiss(association: AssociationId, reason: string): void {
    if (this.#strangers.take(association) !== undefined) this.#abort(association, reason);
  }

  #up(up: AssociationUp, now: Instant): void {
    if (up.request === undefined) {
      if (this.#hunting) this.#strangers.up(up, now);
      else this.#abort(up.association, "no longer interested");
      return;
    }
    const entry = this.#search.up(up.request);
    if (entry === undefined) return this.#abort(up.association, "another registrar was faster");
    this.#connected(up, entry.registrarId, entry.key);
  }

  #connected(up: AssociationUp, registrarId: number, key: string | undefined): void {
    const { association, peerAddresses, peerPort } = up;
    const adopted = key === undefined;
    const registrar = transportAddresses(peerAddresses, peerPort);
    const overLoopback = peerAddresses.some(isLoopback);
    this.#current = { association, addresses: registrar, overLoopback, registrarId, key };
    this.#search.end();
    this.#report({ type: "registrarFound", association, registrar, registrarId, adopted });
    this.#events.push({ type: "connected", adopted });
  }

  #down(down: AssociationDown, now: Instant): void {
    this.#replies.forget(down.association);
    if (this.#strangers.down(down.association)) return;
    if (this.#current !== undefined && down.association === this.#current.association) {
      return this.#lose(this.#current, downText(down), now);
    }
    if (down.request !== undefined) this.#search.down(down.request, down, now);
  }

  #lose({ key, addresses }: Current, reason: string, now: Instant): void {
    this.#current = undefined;
    if (key !== undefined) this.#list.failed(key, now);
    this.#report({ type: "registrarLost", registrar: addresses, reason });
    this.#events.push({ type: "disconnected", reason });
    this.#search.begin(now);
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
