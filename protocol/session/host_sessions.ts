import { readAsap, writeAsap } from "../asap/mod.ts";
import { Ppid, transportAddresses } from "../net.ts";
import type {
  AssociationId,
  AssociationUp,
  MessageReceived,
  TransportCommand,
  TransportEvent,
} from "../net.ts";
import type { PoolElement } from "../param/pool_element.ts";
import { downText } from "../user/down_text.ts";
import { assert, DecodeError } from "../wire/mod.ts";
import { sendCommand } from "./connections.ts";
import type { ServiceHostOptions } from "./service_host.ts";
import type {
  HostSessionReport,
  ServiceHostEffect,
  SessionAssociation,
  SessionCommand,
  SessionEvent,
  SessionId,
} from "./types.ts";

/** Where a service host has its sessions. */
const ENDPOINT = "data";

interface HostSession {
  readonly session: SessionId;
  readonly association: AssociationId;
  readonly outboundStreams: number;
  /** Nothing has come from the pool user yet: only now may it send a cookie echo. */
  fresh: boolean;
}

/**
 * The sessions of a service host.
 *
 * Theory of operation: every association at the data endpoint is a session. Messages with ASAP's PPID are the control
 * channel, all others the application's. The only control message that a pool user sends is a COOKIE_ECHO, and only
 * as its first message (RFC 5352 §2.2.12, reference/rsplib.md §4.2); a later one ends the session. Business cards (RFC
 * 5352 §3.9), which a pool user sends that is an element of another pool, are read and have no effect. The host's own go to
 * a user as soon as the session is up, and to all when other elements are in the pool.
 */
export class HostSessions {
  readonly #options: ServiceHostOptions;
  readonly #outbox: { push(effect: ServiceHostEffect): void };
  readonly #sessions = new Map<SessionId, HostSession>();
  readonly #byAssociation = new Map<AssociationId, HostSession>();
  #lastSession = 0;
  /** The elements that the last business cards named. */
  #named: readonly PoolElement[] = [];

  /**
   * @param options what the host is
   * @param outbox where effects go
   */
  constructor(options: ServiceHostOptions, outbox: { push(effect: ServiceHostEffect): void }) {
    this.#options = options;
    this.#outbox = outbox;
  }

  /** How many are up. */
  get count(): number {
    return this.#sessions.size;
  }

  /** What carries a session; undefined = it has ended. */
  associationOf(session: SessionId): SessionAssociation | undefined {
    const { association } = this.#sessions.get(session) ?? {};
    return association === undefined ? undefined : { endpoint: ENDPOINT, association };
  }

  /** Tells all users which elements may take this one's place, if that is not what they were told last. */
  name(elements: readonly PoolElement[]): void {
    if (this.#named === elements) return;
    this.#named = elements;
    for (const session of this.#sessions.values()) this.#sendCard(session);
  }

  /** Ends all of them; that is told one by one. */
  endAll(how: "shutdown" | "abort", reason: string): void {
    for (const { association } of this.#sessions.values()) {
      this.#execute(how === "abort" ? { type: how, association, reason } : { type: how, association });
    }
  }

  // ------------------------------------------------------------------------------------------------ from the driver

  /**
   * Takes an event of the endpoint.
   *
   * @param inService whether there may be new sessions
   */
  transportEvent(event: TransportEvent, inService: boolean): void {
    if (event.type === "up") return this.#up(event, inService);
    if (!("association" in event)) return;
    const session = this.#byAssociation.get(event.association);
    if (session === undefined) return; // turned away, or gone
    const id = session.session;
    switch (event.type) {
      case "down":
        return this.#down(session, downText(event));
      case "message":
        return this.#message(session, event);
      case "blocked":
        return this.#event({ type: "sessionBlocked", session: id });
      case "writable":
        return this.#event({ type: "sessionWritable", session: id });
      case "restarted": {
        // The pool user's process began anew: it knows nothing of this session.
        const { association } = session;
        this.#execute({ type: "abort", association, reason: "the association was restarted" });
        return this.#down(session, "the pool user restarted");
      }
      default: // paths, failed sends and the peer's shutdown: `down` follows where it matters
        return;
    }
  }

  #up({ association, peerAddresses, peerPort, outboundStreams }: AssociationUp, inService: boolean): void {
    const peer = transportAddresses(peerAddresses, peerPort);
    const { maxSessions = Infinity, elementId } = this.#options;
    const full = this.#sessions.size >= maxSessions;
    if (full || !inService) {
      const reason = full ? "the server is fully loaded" : "the server is not in service";
      this.#execute({ type: "abort", association, reason });
      return this.#report({ type: "sessionRefused", peer, reason });
    }
    const id = ++this.#lastSession;
    const session: HostSession = { session: id, association, outboundStreams, fresh: true };
    this.#sessions.set(id, session);
    this.#byAssociation.set(association, session);
    this.#report({ type: "sessionUp", session: id, association, peer, sessionCount: this.count });
    this.#sendCard(session);
    this.#event({ type: "sessionOpened", session: id, peer, elementId });
  }

  #sendCard({ association }: HostSession): void {
    const { businessCards, poolHandle } = this.#options;
    if (businessCards !== true) return;
    const data = writeAsap({ type: "businessCard", poolHandle, elements: this.#named });
    this.#execute({ type: "send", association, ppid: Ppid.asap, data });
  }

  #down({ session, association }: HostSession, reason: string): void {
    this.#sessions.delete(session);
    this.#byAssociation.delete(association);
    this.#report({ type: "sessionDown", session, reason, sessionCount: this.count });
    this.#event({ type: "sessionClosed", session, reason });
  }

  #message(session: HostSession, { ppid, stream, data }: MessageReceived): void {
    if (ppid === Ppid.asap) {
      if (this.#options.manualReceive === true) this.#consumed(session, data.length);
      return this.#control(session, data);
    }
    session.fresh = false;
    this.#event({ type: "sessionMessage", session: session.session, ppid, stream, data });
  }

  #control(session: HostSession, data: Uint8Array): void {
    try {
      const message = readAsap(data);
      if (message.type !== "cookieEcho") return; // nothing else concerns a pool element here
      if (!session.fresh) {
        return this.#violation(session, "a cookie echo came that was not the first message");
      }
      session.fresh = false;
      this.#event({ type: "sessionCookie", session: session.session, cookie: message.cookie });
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#violation(session, error.message);
    }
  }

  #violation(session: HostSession, reason: string): void {
    this.#report({ type: "sessionViolation", session: session.session, reason });
    this.#execute({ type: "abort", association: session.association, reason });
    this.#down(session, reason);
  }

  // ------------------------------------------------------------------------------------------- from the application

  /** Does what the application asks of a session. */
  command(command: Exclude<SessionCommand, { readonly type: "setLoad" }>): void {
    const session = this.#sessions.get(command.session);
    if (session === undefined) return;
    const { association } = session;
    switch (command.type) {
      case "send":
        assert(command.ppid !== Ppid.asap, "data does not have ASAP's payload protocol");
        return this.#execute({ ...sendCommand(command, session.outboundStreams), association });
      case "sendCookie": {
        const data = writeAsap({ type: "cookie", cookie: command.cookie });
        return this.#execute({ type: "send", association, ppid: Ppid.asap, data });
      }
      case "closeSession":
        return this.#execute({ type: command.how, association });
      case "consumed":
        return this.#consumed(session, command.octets);
      case "openSession":
      case "failover": // a pool user's commands
        return;
    }
  }

  #consumed({ association }: HostSession, octets: number): void {
    this.#execute({ type: "consumed", association, octets });
  }

  #execute(command: TransportCommand): void {
    this.#outbox.push({ type: "transport", endpoint: ENDPOINT, command });
  }

  #event(event: SessionEvent): void {
    this.#outbox.push(event);
  }

  #report(report: HostSessionReport): void {
    this.#outbox.push({ type: "report", report });
  }
}
