import { readAsap, writeAsap } from "../asap/mod.ts";
import { PoolMembership } from "../element/membership.ts";
import { earliest, Outbox, Prng, TimerQueue } from "../machine.ts";
import type { Machine } from "../machine.ts";
import { Ppid, transportAddresses } from "../net.ts";
import type {
  AssociationId,
  AssociationUp,
  EndpointOpened,
  Instant,
  MessageReceived,
  NetworkInput,
  TransportCommand,
  TransportEvent,
} from "../net.ts";
import type { PolicyParameter } from "../param/policy.ts";
import type { PoolElement } from "../param/pool_element.ts";
import type { PoolHandle } from "../param/pool_handle.ts";
import { downText } from "../user/down_text.ts";
import type { HuntOptions } from "../user/hunt.ts";
import type { RequestOptions } from "../user/registrar_link.ts";
import { assert, DecodeError } from "../wire/mod.ts";
import { sendCommand } from "./connections.ts";
import type {
  HostSessionReport,
  ServiceHostEffect,
  ServiceHostInput,
  SessionAssociation,
  SessionCommand,
  SessionEvent,
  SessionId,
} from "./types.ts";

/** How long sessions may take to end in order when the host stops; then they are aborted. */
const STOP_LINGER_MS = 2000;

/** What a service host is. */
export interface ServiceHostOptions extends RequestOptions {
  /** PE identifier: 32 bits, random, not 0. */
  readonly elementId: number;
  /** 1–32 octets. */
  readonly poolHandle: PoolHandle;
  /** How users are spread over the pool: the same for all its elements. */
  readonly policy: PolicyParameter;
  /** Seeds the choices of the registrar hunt. */
  readonly seed: number;
  /** The registration lives three times as long. Default 30000. */
  readonly reregistrationIntervalMs?: number | undefined;
  /** Sessions at the same time; further ones are aborted at once with a reason in words. Default: no limit. */
  readonly maxSessions?: number | undefined;
  /**
   * Whether a refused registration is tried again (with back-off); otherwise the host stops. `afterwards` = only behind one
   * that was accepted. Default true.
   */
  readonly retryRefused?: boolean | "afterwards" | undefined;
  /** MAX-REG-ATTEMPT of RFC 5352 §3.1; then the host stops. Default: no limit. */
  readonly maxRegistrationAttempts?: number | undefined;
  /** Whether the endpoint `data` has this option, so that received octets are to be given back. Default false. */
  readonly manualReceive?: boolean | undefined;
  /**
   * Whether users are told by business cards which elements may take this one's place (RFC 5352 §3.9), so that they fail
   * over without asking a registrar. Default false: RSPLIB's pool users cannot read one (reference/rsplib.md §3.3).
   */
  readonly businessCards?: boolean | undefined;
  /** How the registrar is found. */
  readonly hunt?: HuntOptions | undefined;
}

interface HostSession {
  readonly session: SessionId;
  readonly association: AssociationId;
  readonly outboundStreams: number;
  /** Nothing has come from the pool user yet: only now may it send a cookie echo. */
  fresh: boolean;
}

/**
 * A pool element with its sessions: the membership in the pool on the endpoint `hunt`, the sessions on the listening
 * endpoint `data`, announces on the channel `asap-announce`.
 *
 * Theory of operation: every association at the data endpoint is a session. Messages with ASAP's PPID are the control
 * channel, all others the application's. The only control message that a pool user sends is a COOKIE_ECHO, and only
 * as its first message (RFC 5352 §2.2.12, reference/rsplib.md §4.2); a later one ends the session. Business cards (RFC
 * 5352 §3.9), which a pool user sends that is an element of another pool, are read and have no effect. The host's own go to
 * a user as soon as the session is up, and to all when other elements are in the pool.
 *
 *     new --start--> running --stop--> deregistering --deregistered--> closing --no session--> stopped
 *                        \-----------refusal for good-----------------/
 *
 * @example A pool element finds its registrar and registers
 * ```ts
 * import { encodeText, readAsap, ServiceHost } from "@rsp/rsp";
 * import assert from "node:assert/strict";
 *
 * const host = new ServiceHost({
 *   elementId: 0x11223344,
 *   poolHandle: encodeText("EchoPool"),
 *   policy: { name: "RoundRobin", type: 1 },
 *   seed: 1,
 *   hunt: { registrars: [[{ address: "10.1.0.1", port: 3863 }]] },
 * });
 * host.handle({ type: "endpointOpened", endpoint: "hunt", port: 40001, addresses: ["10.1.0.2"] }, 0);
 * host.handle({ type: "endpointOpened", endpoint: "data", port: 40002, addresses: ["10.1.0.2"] }, 0);
 * host.handle({ type: "start" }, 0);
 * const commands = () => host.drain().flatMap((effect) => effect.type === "transport" ? [effect.command] : []);
 * const [connect] = commands();
 * assert.ok(connect?.type === "connect");
 *
 * // The driver connects, and says so.
 * const event = {
 *   type: "up",
 *   association: 7,
 *   request: connect.request,
 *   peerAddresses: ["10.1.0.1"],
 *   peerPort: 3863,
 *   outboundStreams: 10,
 *   inboundStreams: 10,
 * } as const;
 * host.handle({ type: "transport", endpoint: "hunt", event }, 3);
 * const [send] = commands();
 * assert.ok(send?.type === "send");
 * assert.equal(readAsap(send.data).type, "registration");
 * ```
 */
export class ServiceHost implements Machine<ServiceHostInput, ServiceHostEffect> {
  readonly #options: ServiceHostOptions;
  readonly #maxSessions: number;
  readonly #outbox = new Outbox<ServiceHostEffect>();
  readonly #timers = new TimerQueue<"linger">();
  readonly #membership: PoolMembership;
  readonly #sessions = new Map<SessionId, HostSession>();
  readonly #byAssociation = new Map<AssociationId, HostSession>();
  #data: EndpointOpened | undefined;
  #state: "new" | "running" | "deregistering" | "closing" | "stopped" = "new";
  #lastSession = 0;
  /** The elements that the last business cards named. */
  #named: readonly PoolElement[] = [];

  /**
   * Makes a host that does nothing until `start`.
   *
   * @param options what the host is
   */
  constructor(options: ServiceHostOptions) {
    this.#options = options;
    this.#maxSessions = options.maxSessions ?? Infinity;
    this.#membership = new PoolMembership(
      "hunt",
      "asap-announce",
      { ...options, knowsOthers: options.businessCards },
      this.#outbox,
      new Prng(options.seed),
    );
  }

  /** The pool that the element is in. */
  get poolHandle(): PoolHandle {
    return this.#options.poolHandle;
  }

  /** How many sessions are up. */
  get sessionCount(): number {
    return this.#sessions.size;
  }

  /** What carries a session; undefined = it has ended. */
  associationOf(session: SessionId): SessionAssociation | undefined {
    const { association } = this.#sessions.get(session) ?? {};
    return association === undefined ? undefined : { endpoint: "data", association };
  }

  /** The load that pool users are told of, 0–1; undefined = the pool's policy does not look at it. */
  get load(): number | undefined {
    return this.#membership.load;
  }

  handle(input: ServiceHostInput, now: Instant): void {
    switch (input.type) {
      case "endpointOpened":
        if (input.endpoint === "data") this.#data = input;
        break;
      case "start":
        this.#start(now);
        break;
      case "stop":
        this.#stop(now);
        break;
      case "transport":
      case "datagram":
        this.#network(input, now);
        break;
      default:
        this.#command(input, now);
        break;
    }
    this.#proceed(now);
  }

  tick(now: Instant): void {
    while (this.#timers.takeDue(now) !== undefined) {
      for (const { association } of this.#sessions.values()) {
        this.#execute({ type: "abort", association, reason: "the server stops" });
      }
    }
    this.#membership.tick(now);
    this.#proceed(now);
  }

  nextTimeout(): Instant | undefined {
    return earliest(this.#timers.next(), this.#membership.nextTimeout());
  }

  drain(): ServiceHostEffect[] {
    return this.#outbox.drain();
  }

  #start(now: Instant): void {
    if (this.#state !== "new") return;
    assert(this.#data !== undefined, 'a service host gets "endpointOpened" of "data" before "start"');
    this.#state = "running";
    this.#membership.start(this.#data.port, this.#data.addresses, now);
  }

  #stop(now: Instant): void {
    if (this.#state !== "new" && this.#state !== "running") return;
    this.#state = "deregistering";
    this.#membership.stop(now);
  }

  /** Goes from state to state as far as things stand. */
  #proceed(now: Instant): void {
    if (this.#named !== this.#membership.others) {
      this.#named = this.#membership.others;
      for (const session of this.#sessions.values()) this.#sendCard(session);
    }
    const membership = this.#membership.state;
    const over = membership === "left" || membership === "refused";
    if ((this.#state === "deregistering" || this.#state === "running") && over) {
      this.#state = "closing";
      // No new user comes any more; those that are here may finish what is under way.
      for (const { association } of this.#sessions.values()) this.#execute({ type: "shutdown", association });
      this.#timers.set("linger", now + STOP_LINGER_MS);
    }
    if (this.#state === "closing" && this.#sessions.size === 0) {
      this.#state = "stopped";
      this.#timers.clear("linger");
      this.#outbox.push({ type: "stopped" });
    }
  }

  #network(input: NetworkInput, now: Instant): void {
    if (this.#membership.handle(input, now)) return;
    if (input.type === "transport" && input.endpoint === "data") this.#transportEvent(input.event);
  }

  #transportEvent(event: TransportEvent): void {
    if (event.type === "up") return this.#up(event);
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
      case "restarted":
        // The pool user's process began anew: it knows nothing of this session.
        this.#execute({
          type: "abort",
          association: event.association,
          reason: "the association was restarted",
        });
        return this.#down(session, "the pool user restarted");
      default: // paths, failed sends and the peer's shutdown: `down` follows where it matters
        return;
    }
  }

  #up({ association, peerAddresses, peerPort, outboundStreams }: AssociationUp): void {
    const peer = transportAddresses(peerAddresses, peerPort);
    const full = this.#sessions.size >= this.#maxSessions;
    if (full || this.#state !== "running") {
      const reason = full ? "the server is fully loaded" : "the server is not in service";
      this.#execute({ type: "abort", association, reason });
      return this.#report({ type: "sessionRefused", peer, reason });
    }
    const session: HostSession = {
      session: ++this.#lastSession,
      association,
      outboundStreams,
      fresh: true,
    };
    this.#sessions.set(session.session, session);
    this.#byAssociation.set(association, session);
    const sessionCount = this.#sessions.size;
    this.#report({ type: "sessionUp", session: session.session, association, peer, sessionCount });
    this.#sendCard(session);
    this.#event({
      type: "sessionOpened",
      session: session.session,
      peer,
      elementId: this.#options.elementId,
    });
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
    this.#report({ type: "sessionDown", session, reason, sessionCount: this.#sessions.size });
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

  #command(command: SessionCommand, now: Instant): void {
    if (command.type === "setLoad") return this.#membership.setLoad(command.load, now);
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
    this.#outbox.push({ type: "transport", endpoint: "data", command });
  }

  #event(event: SessionEvent): void {
    this.#outbox.push(event);
  }

  #report(report: HostSessionReport): void {
    this.#outbox.push({ type: "report", report });
  }
}
