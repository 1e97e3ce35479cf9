import { readAsap, writeAsap } from "../asap/mod.ts";
import { earliest, Outbox, Prng, TimerQueue } from "../machine.ts";
import type { Machine } from "../machine.ts";
import { Ppid, transportAddresses } from "../net.ts";
import type {
  AssociationDown,
  AssociationUp,
  Instant,
  MessageReceived,
  NetworkInput,
  TransportEvent,
} from "../net.ts";
import type { PoolElement } from "../param/pool_element.ts";
import type { PoolHandle } from "../param/pool_handle.ts";
import { downText } from "../user/down_text.ts";
import { PoolUser } from "../user/pool_user.ts";
import type { PoolUserOptions, UserEvent } from "../user/pool_user.ts";
import { assert, DecodeError } from "../wire/mod.ts";
import { Connections } from "./connections.ts";
import type { Connection } from "./connections.ts";
import { isSessionEndpoint } from "./endpoints.ts";
import type {
  ClientSessionReport,
  FailoverCommand,
  SessionClientEffect,
  SessionClientInput,
  SessionCommand,
  SessionEvent,
  SessionFailover,
  SessionId,
} from "./types.ts";

/** First wait before a pool is resolved again: RSPLIB's pace for unknown pools (reference/rsplib.md §4.1). */
const RETRY_INITIAL_MS = 250;

/** Longest wait; the wait doubles with each attempt that came to nothing. */
const RETRY_MAX_MS = 5000;

/** Waits vary by this fraction, so that users of a pool that died do not come back at the same instant. */
const RETRY_JITTER = 0.125;

/** An element that failed is avoided for this time, as long as the registrar offers others. */
const AVOID_MS = 10_000;

/** Most elements asked for in one resolution: the wanted one, and replacements for those that are avoided. */
const MAX_ITEMS = 8;

/** How long sessions may take to end in order when the client stops; then they are aborted. */
const STOP_LINGER_MS = 2000;

/** How a session client behaves. */
export interface SessionClientOptions extends PoolUserOptions {
  /** Seeds the choices of the registrar hunt and the jitter of retries. */
  readonly seed: number;
  /** How long an association with a pool element may take to come up. Default 5000. */
  readonly connectTimeoutMs?: number | undefined;
}

/**
 * Where a session stands:
 *
 *     resolving --elements--> connecting --up--> up --down--> necessary --failover--> waiting, resolving
 *         ^  \--no pool--> waiting <--failure--/   \--failover--> waiting, resolving
 *         \------time---------/                     \--closeSession--> closing --down--> (gone)
 */
type SessionState = "resolving" | "waiting" | "connecting" | "up" | "necessary" | "closing";

interface ClientSession {
  readonly session: SessionId;
  readonly poolHandle: PoolHandle;
  state: SessionState;
  /** Tells a resolution that is under way from one that was given up. */
  generation: number;
  connection: Connection<ClientSession> | undefined;
  /** The element in use, or the last one; 0 = none yet. */
  elementId: number;
  /** The newest cookie. */
  cookie: Uint8Array | undefined;
  /** Whether `sessionOpened` was said. */
  opened: boolean;
  /** Whether the element has said anything on the present association. */
  fruitful: boolean;
  /** Attempts in a row that came to nothing. */
  barren: number;
  /** Elements that failed, and until when they are avoided. */
  readonly avoid: Map<number, Instant>;
}

/** Why a failover is necessary or complete. */
type FailoverReason = Pick<SessionFailover, "reason" | "graceful">;

interface Resolution {
  readonly session: SessionId;
  readonly generation: number;
}

/**
 * The pool user's side of any number of sessions: registrar and resolutions on the endpoint `hunt`, sessions on the
 * endpoints `data`, `data 2`, … ({@linkcode sessionClientEndpoints}), announces on the channel `asap-announce`.
 *
 * Theory of operation (reference/rsplib.md §4): a session is resolved, connected to all addresses of the first choice,
 * and fed by the application. The element may send cookies; the newest is kept. When the association ends, for
 * whatever reason, the application hears `sessionFailover necessary` and answers with the command `failover` (or closes
 * the session). The pool is resolved anew, another association set up, the cookie echoed as its first message, and
 * `sessionFailover complete` said. Every attempt that comes to nothing (unknown pool, no association, an association
 * on which the element said nothing) makes the next one wait longer.
 *
 * @example A pool user with one session looks for a registrar
 * ```ts
 * import { encodeText, SessionClient, sessionClientEndpoints } from "@rsp/rsp";
 * import assert from "node:assert/strict";
 *
 * const client = new SessionClient({ seed: 1, hunt: { registrars: [[{ address: "10.1.0.1", port: 3863 }]] } });
 * for (const endpoint of Object.keys(sessionClientEndpoints(1))) {
 *   client.handle({ type: "endpointOpened", endpoint, port: 40001, addresses: ["10.1.0.3"] }, 0);
 * }
 * client.handle({ type: "start" }, 0);
 * client.handle({ type: "openSession", session: 1, poolHandle: encodeText("EchoPool") }, 0);
 * const effects = client.drain();
 * assert.ok(effects.some((effect) => effect.type === "transport" && effect.command.type === "connect"));
 * assert.equal(client.nextTimeout(), 7500, "by then the association must be there");
 * ```
 */
export class SessionClient implements Machine<SessionClientInput, SessionClientEffect> {
  readonly #connectTimeoutMs: number;
  readonly #random: Prng;
  readonly #outbox = new Outbox<SessionClientEffect>();
  readonly #timers = new TimerQueue<string>();
  readonly #user: PoolUser<Resolution>;
  readonly #sessions = new Map<SessionId, ClientSession>();
  readonly #connections: Connections<ClientSession>;
  #state: "new" | "running" | "closing" | "stopped" = "new";
  #lastGeneration = 0;

  /**
   * Makes a client that does nothing until `start`.
   *
   * @param options how it behaves
   */
  constructor(options: SessionClientOptions) {
    this.#connectTimeoutMs = options.connectTimeoutMs ?? 5000;
    this.#random = new Prng(options.seed);
    this.#connections = new Connections(this.#outbox);
    this.#user = new PoolUser("hunt", "asap-announce", options, this.#outbox, this.#random);
  }

  /** How many sessions there are, in whatever state. */
  get sessionCount(): number {
    return this.#sessions.size;
  }

  handle(input: SessionClientInput, now: Instant): void {
    switch (input.type) {
      case "endpointOpened":
        if (isSessionEndpoint(input.endpoint)) this.#connections.addEndpoint(input.endpoint);
        break;
      case "start":
        if (this.#state !== "new") break;
        this.#state = "running";
        this.#user.start(now);
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
    this.#pump(now);
  }

  tick(now: Instant): void {
    for (let key = this.#timers.takeDue(now); key !== undefined; key = this.#timers.takeDue(now)) {
      if (key === "linger") this.#abortAll();
      else this.#sessionTimer(key, now);
    }
    this.#user.tick(now);
    this.#pump(now);
  }

  nextTimeout(): Instant | undefined {
    return earliest(this.#timers.next(), this.#user.nextTimeout());
  }

  drain(): SessionClientEffect[] {
    return this.#outbox.drain();
  }

  // ------------------------------------------------------------------------------------------------ from the driver

  #network(input: NetworkInput, now: Instant): void {
    if (this.#user.handle(input, now)) return;
    if (input.type === "transport") this.#transportEvent(input.endpoint, input.event, now);
  }

  #transportEvent(endpoint: string, event: TransportEvent, now: Instant): void {
    if (event.type === "up") return this.#up(endpoint, event);
    if (event.type === "down") return this.#down(event, now);
    const session = this.#connections.ownerOf(event.association);
    if (session === undefined) return;
    switch (event.type) {
      case "message":
        return this.#message(session, event, now);
      case "blocked":
        return this.#event({ type: "sessionBlocked", session: session.session });
      case "writable":
        return this.#event({ type: "sessionWritable", session: session.session });
      case "restarted":
        this.#leave(session, "the association was restarted");
        return this.#lost(session, { reason: "the pool element restarted", graceful: false }, now);
      default: // paths, failed sends and the peer's shutdown: `down` follows where it matters
        return;
    }
  }

  #command(command: SessionCommand, now: Instant): void {
    if (command.type === "setLoad") return;
    if (command.type === "openSession") return this.#open(command.session, command.poolHandle, now);
    const session = this.#sessions.get(command.session);
    if (session === undefined || session.state === "closing") return;
    switch (command.type) {
      case "failover":
        return this.#failover(session, command, now);
      case "send":
        assert(command.ppid !== Ppid.asap, "data does not have ASAP's payload protocol");
        if (session.state !== "up" || session.connection === undefined) return;
        return this.#connections.send(session.connection, command.ppid, command.data);
      case "closeSession":
        return this.#close(session, command.how);
      case "sendCookie": // a pool element's command
        return;
    }
  }

  #stop(now: Instant): void {
    if (this.#state === "closing" || this.#state === "stopped") return;
    this.#state = "closing";
    for (const session of [...this.#sessions.values()]) {
      if (session.state !== "closing") this.#close(session, "shutdown");
    }
    this.#timers.set("linger", now + STOP_LINGER_MS);
  }

  #abortAll(): void {
    for (const { connection } of this.#sessions.values()) {
      if (connection !== undefined) this.#connections.end(connection, "abort", "the pool user stops");
    }
  }

  // ---------------------------------------------------------------------------------------- resolving and connecting

  #open(id: SessionId, poolHandle: PoolHandle, now: Instant): void {
    assert(!this.#sessions.has(id), "a session is opened once");
    if (this.#state === "closing" || this.#state === "stopped") return;
    const session: ClientSession = {
      session: id,
      poolHandle,
      state: "resolving",
      generation: 0,
      connection: undefined,
      elementId: 0,
      cookie: undefined,
      opened: false,
      fruitful: false,
      barren: 0,
      avoid: new Map(),
    };
    this.#sessions.set(id, session);
    this.#resolve(session, now);
  }

  #resolve(session: ClientSession, now: Instant): void {
    for (const [elementId, until] of session.avoid) if (until <= now) session.avoid.delete(elementId);
    session.state = "resolving";
    session.generation = ++this.#lastGeneration;
    const items = Math.min(1 + session.avoid.size, MAX_ITEMS);
    this.#user.resolve(session.poolHandle, items, {
      session: session.session,
      generation: session.generation,
    }, now);
  }

  #pump(now: Instant): void {
    for (let events = this.#user.takeEvents(); events.length > 0; events = this.#user.takeEvents()) {
      for (const event of events) this.#userEvent(event, now);
    }
    if (this.#state !== "closing" || this.#sessions.size > 0) return;
    this.#state = "stopped";
    this.#timers.clear("linger");
    this.#user.stop();
    this.#outbox.push({ type: "stopped" });
  }

  #userEvent(event: UserEvent<Resolution>, now: Instant): void {
    const session = this.#sessions.get(event.context.session);
    if (session?.generation !== event.context.generation || session.state !== "resolving") return;
    switch (event.type) {
      case "resolved":
        return this.#connect(session, event.elements, now);
      case "poolUnknown":
        return this.#unresolved(session, "unknown pool handle", now);
      case "resolutionFailed":
        return this.#unresolved(session, event.reason, now);
    }
  }

  #unresolved(session: ClientSession, reason: string, now: Instant): void {
    const retryMs = this.#wait(session, now);
    const { session: id, poolHandle } = session;
    this.#report({ type: "sessionWaiting", session: id, poolHandle, reason, retryMs });
  }

  #connect(session: ClientSession, elements: readonly PoolElement[], now: Instant): void {
    const usable = elements.filter(({ userTransport }) => userTransport.protocol === "sctp");
    const element = usable.find(({ elementId }) => !session.avoid.has(elementId)) ?? usable[0];
    if (element === undefined) return this.#unresolved(session, "no element of the pool speaks SCTP", now);
    const { addresses, port } = element.userTransport;
    const connection = this.#connections.connect(addresses, port, session);
    if (connection === undefined) {
      return this.#unresolved(session, "all endpoints have a session with the element", now);
    }
    session.state = "connecting";
    session.elementId = element.elementId;
    session.connection = connection;
    const { session: id, elementId } = session;
    this.#timers.set(`connect ${id}`, now + this.#connectTimeoutMs);
    this.#report({ type: "sessionConnecting", session: id, elementId, peer: connection.peer });
  }

  #up(endpoint: string, up: AssociationUp): void {
    const session = this.#connections.up(endpoint, up);
    if (session?.connection === undefined) return;
    this.#timers.clear(`connect ${session.session}`);
    session.state = "up";
    session.fruitful = false;
    const { session: id, elementId, cookie, connection } = session;
    // First of all messages, so that the element knows where to go on (RFC 5352 §2.2.12).
    if (cookie !== undefined) {
      this.#connections.send(connection, Ppid.asap, writeAsap({ type: "cookieEcho", cookie }));
    }
    const peer = transportAddresses(up.peerAddresses, up.peerPort);
    this.#report({ type: "sessionUp", session: id, elementId, peer });
    if (session.opened) {
      const reason = cookie === undefined ? "connected anew" : "connected anew, cookie sent";
      return this.#sayFailover(session, "complete", { reason, graceful: false });
    }
    session.opened = true;
    this.#event({ type: "sessionOpened", session: id, peer, elementId });
  }

  #down(down: AssociationDown, now: Instant): void {
    const connection = this.#connections.down(down);
    const session = connection?.owner;
    if (session === undefined) return;
    session.connection = undefined;
    const reason = downText(down);
    if (connection?.association === undefined) this.#attemptFailed(session, reason, now);
    else this.#lost(session, { reason, graceful: down.reason === "shutdown" }, now);
  }

  #attemptFailed(session: ClientSession, reason: string, now: Instant): void {
    this.#leave(session, reason);
    const { session: id, elementId, poolHandle } = session;
    this.#user.reportUnreachable(poolHandle, elementId);
    session.avoid.set(elementId, now + AVOID_MS);
    const retryMs = this.#wait(session, now);
    this.#report({ type: "sessionConnectFailed", session: id, elementId, reason, retryMs });
  }

  /** Parts a session from its association, or from the attempt at one (which cannot be recalled). */
  #leave(session: ClientSession, reason: string): void {
    this.#timers.clear(`connect ${session.session}`);
    const { connection } = session;
    if (connection === undefined) return;
    session.connection = undefined;
    this.#connections.leave(connection, reason);
  }

  /** Waits before the next resolution, the longer the more attempts came to nothing. */
  #wait(session: ClientSession, now: Instant): number {
    const waitMs = Math.min(RETRY_INITIAL_MS * 2 ** session.barren, RETRY_MAX_MS);
    session.barren++;
    const retryMs = Math.round(waitMs * (1 + RETRY_JITTER * (2 * this.#random.uniform() - 1)));
    session.state = "waiting";
    this.#timers.set(`retry ${session.session}`, now + retryMs);
    return retryMs;
  }

  #sessionTimer(key: string, now: Instant): void {
    const [kind, id] = key.split(" ");
    const session = this.#sessions.get(Number(id));
    if (session === undefined) return;
    if (kind === "retry") this.#resolve(session, now);
    else this.#attemptFailed(session, "no association in time", now);
  }

  // --------------------------------------------------------------------------------------------- while it is connected

  #message(session: ClientSession, { ppid, stream, data }: MessageReceived, now: Instant): void {
    if (session.state !== "up") return; // closing: nobody listens any more
    session.fruitful = true;
    session.barren = 0;
    if (ppid === Ppid.asap) return this.#control(session, data, now);
    this.#event({ type: "sessionMessage", session: session.session, ppid, stream, data });
  }

  #control(session: ClientSession, data: Uint8Array, now: Instant): void {
    try {
      const message = readAsap(data);
      if (message.type !== "cookie") return; // nothing else concerns a pool user here
      if (session.cookie === undefined) this.#event({ type: "sessionCookieHeld", session: session.session });
      session.cookie = message.cookie; // only the newest counts
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#report({ type: "sessionViolation", session: session.session, reason: error.message });
      this.#leave(session, error.message);
      const reason = "the pool element sent a control message that cannot be read";
      this.#lost(session, { reason, graceful: false }, now);
    }
  }

  #lost(session: ClientSession, why: FailoverReason, now: Instant): void {
    if (session.state === "closing") return this.#end(session, why.reason);
    session.state = "necessary";
    session.avoid.set(session.elementId, now + AVOID_MS);
    this.#sayFailover(session, "necessary", why);
  }

  #failover(session: ClientSession, { reportUnreachable }: FailoverCommand, now: Instant): void {
    if (session.state !== "up" && session.state !== "necessary") return; // it is under way
    this.#leave(session, "the pool user fails over");
    session.avoid.set(session.elementId, now + AVOID_MS);
    if (reportUnreachable) this.#user.reportUnreachable(session.poolHandle, session.elementId);
    if (session.fruitful) return this.#resolve(session, now);
    // The last element took the association and said nothing: it is full, or not what it seems to be.
    this.#unresolved(session, "the pool element did not serve", now);
  }

  #close(session: ClientSession, how: "shutdown" | "abort"): void {
    this.#timers.clear(`retry ${session.session}`);
    const { connection } = session;
    if (connection?.association === undefined) {
      this.#leave(session, "closed");
      return this.#end(session, "closed");
    }
    session.state = "closing";
    this.#connections.end(connection, how, "closed by the pool user");
  }

  #end(session: ClientSession, reason: string): void {
    this.#sessions.delete(session.session);
    this.#user.cancel(({ session: id }) => id === session.session);
    this.#report({ type: "sessionDown", session: session.session, reason });
    this.#event({ type: "sessionClosed", session: session.session, reason });
  }

  #sayFailover(session: ClientSession, state: "necessary" | "complete", why: FailoverReason): void {
    const { session: id, elementId, cookie } = session;
    const hasCookie = cookie !== undefined;
    const failover = { type: "sessionFailover", session: id, state, hasCookie, elementId, ...why } as const;
    this.#report(failover);
    this.#event(failover);
  }

  #event(event: SessionEvent): void {
    this.#outbox.push(event);
  }

  #report(report: ClientSessionReport): void {
    this.#outbox.push({ type: "report", report });
  }
}
