import { readAsap, writeAsap } from "../asap/mod.ts";
import type { BusinessCard } from "../asap/mod.ts";
import { poolKey } from "../handlespace/pool_key.ts";
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
import type { PoolUserOptions } from "../user/pool_user.ts";
import { assert, DecodeError } from "../wire/mod.ts";
import { Connections } from "./connections.ts";
import type { Connection } from "./connections.ts";
import { ElementSearches } from "./element_searches.ts";
import type { ElementSearch, SearchEvent } from "./element_searches.ts";
import { isSessionEndpoint } from "./endpoints.ts";
import type {
  ClientSessionReport,
  FailoverCommand,
  SessionAssociation,
  SessionClientEffect,
  SessionClientInput,
  SessionCommand,
  SessionEvent,
  SessionFailover,
  SessionId,
  SessionLoss,
} from "./types.ts";

/** How long sessions may take to end in order when the client stops; then they are aborted. */
const STOP_LINGER_MS = 2000;

/** How a session client behaves. */
export interface SessionClientOptions extends PoolUserOptions {
  /** Seeds the choices of the registrar hunt and the jitter of retries. */
  readonly seed: number;
  /** Whether the endpoints `data` have this option, so that received octets are to be given back. Default false. */
  readonly manualReceive?: boolean | undefined;
  /** How long an association with a pool element may take to come up. Default 5000. */
  readonly connectTimeoutMs?: number | undefined;
}

/**
 * Where a session stands:
 *
 *     seeking --found--> connecting --up--> up --down--> necessary --failover--> seeking
 *        ^------failure------/               \--failover--> seeking
 *                                             \--closeSession--> closing --down--> (gone)
 */
type SessionState = "seeking" | "connecting" | "up" | "necessary" | "closing";

interface ClientSession {
  readonly session: SessionId;
  readonly poolHandle: PoolHandle;
  readonly search: ElementSearch;
  state: SessionState;
  connection: Connection<ClientSession> | undefined;
  /** The element in use, or the last one; 0 = none yet. */
  elementId: number;
  /** The newest cookie. */
  cookie: Uint8Array | undefined;
  /** Whether `sessionOpened` was said. */
  opened: boolean;
  /** Whether the element has done something for the application on the present association. */
  fruitful: boolean;
}

/** Why a failover is necessary or complete. */
type FailoverReason = Pick<SessionFailover, "reason" | "loss">;

/**
 * The pool user's side of any number of sessions: registrar and resolutions on the endpoint `hunt`, sessions on the
 * endpoints `data`, `data 2`, … ({@linkcode sessionClientEndpoints}), announces on the channel `asap-announce`.
 *
 * Theory of operation (reference/rsplib.md §4): a session is resolved, connected to all addresses of the first choice,
 * and fed by the application. The element may send cookies; the newest is kept. When the association ends, for
 * whatever reason, the application hears `sessionFailover necessary` and answers with the command `failover` (or closes
 * the session). The pool is resolved anew, another association set up, the cookie echoed as its first message, and
 * `sessionFailover complete` said. When the element has given a business card (RFC 5352 §3.9) the elements that it names
 * are tried before the pool is resolved: a failover needs no registrar then. Every attempt that comes to nothing (unknown
 * pool, no association, an association on which the element did nothing) makes the next one wait longer.
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
  readonly #manualReceive: boolean;
  readonly #outbox = new Outbox<SessionClientEffect>();
  readonly #timers = new TimerQueue<SessionId | "linger">();
  readonly #searches: ElementSearches;
  readonly #sessions = new Map<SessionId, ClientSession>();
  readonly #connections: Connections<ClientSession>;
  #state: "new" | "running" | "closing" | "stopped" = "new";

  /**
   * Makes a client that does nothing until `start`.
   *
   * @param options how it behaves
   */
  constructor(options: SessionClientOptions) {
    this.#connectTimeoutMs = options.connectTimeoutMs ?? 5000;
    this.#manualReceive = options.manualReceive ?? false;
    this.#connections = new Connections(this.#outbox);
    this.#searches = new ElementSearches(options, this.#outbox, new Prng(options.seed));
  }

  /** How many sessions there are, in whatever state. */
  get sessionCount(): number {
    return this.#sessions.size;
  }

  /** What carries a session now; undefined = nothing. */
  associationOf(session: SessionId): SessionAssociation | undefined {
    const { endpoint, association } = this.#sessions.get(session)?.connection ?? {};
    return endpoint === undefined || association === undefined ? undefined : { endpoint, association };
  }

  handle(input: SessionClientInput, now: Instant): void {
    switch (input.type) {
      case "endpointOpened":
        if (isSessionEndpoint(input.endpoint)) this.#connections.addEndpoint(input.endpoint);
        break;
      case "start":
        if (this.#state !== "new") break;
        this.#state = "running";
        this.#searches.start(now);
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
      else this.#connectTimedOut(key, now);
    }
    this.#searches.tick(now);
    this.#pump(now);
  }

  nextTimeout(): Instant | undefined {
    return earliest(this.#timers.next(), this.#searches.nextTimeout());
  }

  drain(): SessionClientEffect[] {
    return this.#outbox.drain();
  }

  // ------------------------------------------------------------------------------------------------ from the driver

  #network(input: NetworkInput, now: Instant): void {
    if (this.#searches.handle(input, now)) return;
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
        return this.#lost(session, { reason: "the pool element restarted", loss: "aborted" }, now);
      default: // paths, failed sends and the peer's shutdown: `down` follows where it matters
        return;
    }
  }

  #command(command: SessionCommand, now: Instant): void {
    if (command.type === "setLoad") return;
    if (command.type === "openSession") return this.#open(command.session, command.poolHandle, now);
    const session = this.#sessions.get(command.session);
    if (session === undefined) return;
    if (session.state === "closing") return this.#commandWhileClosing(session, command);
    switch (command.type) {
      case "failover":
        return this.#failover(session, command, now);
      case "send":
        assert(command.ppid !== Ppid.asap, "data does not have ASAP's payload protocol");
        if (session.state !== "up" || session.connection === undefined) return;
        return this.#connections.send(session.connection, command);
      case "closeSession":
        return this.#close(session, command.how);
      case "consumed":
        if (session.connection === undefined) return;
        return this.#connections.consumed(session.connection, command.octets);
      case "sendCookie": // a pool element's command
        return;
    }
  }

  /** The application has no patience, or takes what it had not read yet: both help the association to its end. */
  #commandWhileClosing({ connection }: ClientSession, command: SessionCommand): void {
    if (connection === undefined) return;
    if (command.type === "consumed") this.#connections.consumed(connection, command.octets);
    if (command.type === "closeSession" && command.how === "abort") {
      this.#connections.end(connection, "abort", "closed by the pool user");
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
      search: this.#searches.begin(id, poolHandle),
      state: "seeking",
      connection: undefined,
      elementId: 0,
      cookie: undefined,
      opened: false,
      fruitful: false,
    };
    this.#sessions.set(id, session);
    this.#searches.seek(session.search, now);
  }

  #pump(now: Instant): void {
    for (let events = this.#searches.takeEvents(now); events.length > 0;) {
      for (const event of events) this.#searchEvent(event, now);
      events = this.#searches.takeEvents(now);
    }
    if (this.#state !== "closing" || this.#sessions.size > 0) return;
    this.#state = "stopped";
    this.#timers.clear("linger");
    this.#searches.stop();
    this.#outbox.push({ type: "stopped" });
  }

  #searchEvent(event: SearchEvent, now: Instant): void {
    const session = this.#sessions.get(event.session);
    if (session?.state !== "seeking") return;
    if (event.type === "found") return this.#connect(session, event.element, now);
    this.#sayWaiting(session, event.reason, event.retryMs);
  }

  /** There is nobody to connect to, or no way to do it. */
  #seekLater(session: ClientSession, reason: string, now: Instant): void {
    session.state = "seeking";
    this.#sayWaiting(session, reason, this.#searches.seekLater(session.search, now));
  }

  #sayWaiting({ session, poolHandle }: ClientSession, reason: string, retryMs: number): void {
    this.#report({ type: "sessionWaiting", session, poolHandle, reason, retryMs });
  }

  #connect(
    session: ClientSession,
    { elementId, userTransport: { addresses, port } }: PoolElement,
    now: Instant,
  ): void {
    const connection = this.#connections.connect(addresses, port, session);
    if (connection === undefined) {
      return this.#seekLater(session, "all endpoints have a session with the element", now);
    }
    session.state = "connecting";
    session.elementId = elementId;
    session.connection = connection;
    const { session: id } = session;
    this.#timers.set(id, now + this.#connectTimeoutMs);
    this.#report({ type: "sessionConnecting", session: id, elementId, peer: connection.peer });
  }

  #up(endpoint: string, up: AssociationUp): void {
    const session = this.#connections.up(endpoint, up);
    if (session?.connection === undefined) return;
    this.#timers.clear(session.session);
    session.state = "up";
    session.fruitful = false;
    this.#searches.connected(session.search, session.elementId);
    const { session: id, elementId, cookie, connection } = session;
    // First of all messages, so that the element knows where to go on (RFC 5352 §2.2.12).
    if (cookie !== undefined) {
      const data = writeAsap({ type: "cookieEcho", cookie });
      this.#connections.send(connection, { ppid: Ppid.asap, data });
    }
    const peer = transportAddresses(up.peerAddresses, up.peerPort);
    this.#report({ type: "sessionUp", session: id, elementId, peer });
    if (session.opened) {
      const reason = cookie === undefined ? "connected anew" : "connected anew, cookie sent";
      return this.#sayFailover(session, "complete", { reason, loss: undefined });
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
    else this.#lost(session, { reason, loss: lossOf(down) }, now);
  }

  #attemptFailed(session: ClientSession, reason: string, now: Instant): void {
    this.#leave(session, reason);
    const { session: id, elementId, search } = session;
    this.#searches.unreachable(search, elementId, now);
    session.state = "seeking";
    const retryMs = this.#searches.seekLater(search, now);
    this.#report({ type: "sessionConnectFailed", session: id, elementId, reason, retryMs });
  }

  /** Parts a session from its association, or from the attempt at one (which cannot be recalled). */
  #leave(session: ClientSession, reason: string): void {
    this.#timers.clear(session.session);
    const { connection } = session;
    if (connection === undefined) return;
    session.connection = undefined;
    this.#connections.leave(connection, reason);
  }

  #connectTimedOut(id: SessionId, now: Instant): void {
    const session = this.#sessions.get(id);
    if (session !== undefined) this.#attemptFailed(session, "no association in time", now);
  }

  // --------------------------------------------------------------------------------------------- while it is connected

  #message(session: ClientSession, { ppid, stream, data }: MessageReceived, now: Instant): void {
    // While it is closing nobody listens any more, but the element has to get rid of what it has sent.
    const isOwn = session.state !== "up" || ppid === Ppid.asap;
    if (isOwn && this.#manualReceive && session.connection !== undefined) {
      this.#connections.consumed(session.connection, data.length);
    }
    if (session.state !== "up") return;
    if (ppid === Ppid.asap) return this.#control(session, data, now);
    this.#isServed(session);
    this.#event({ type: "sessionMessage", session: session.session, ppid, stream, data });
  }

  /** The element does something for the application; a business card alone is not that. */
  #isServed(session: ClientSession): void {
    session.fruitful = true;
    this.#searches.served(session.search);
  }

  #control(session: ClientSession, data: Uint8Array, now: Instant): void {
    try {
      const message = readAsap(data);
      if (message.type === "businessCard") return this.#card(session, message);
      if (message.type !== "cookie") return; // nothing else concerns a pool user here
      this.#isServed(session);
      if (session.cookie === undefined) this.#event({ type: "sessionCookieHeld", session: session.session });
      session.cookie = message.cookie; // only the newest counts
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#report({ type: "sessionViolation", session: session.session, reason: error.message });
      this.#leave(session, error.message);
      const reason = "the pool element sent a control message that cannot be read";
      this.#lost(session, { reason, loss: "aborted" }, now);
    }
  }

  /** RFC 5352 §3.9. A card for another pool says where the element itself is a user, which is of no use here. */
  #card({ session, search, poolHandle, elementId }: ClientSession, card: BusinessCard): void {
    if (poolKey(card.poolHandle) !== poolKey(poolHandle)) return;
    const elementIds = this.#searches.card(search, elementId, card.elements).map(({ elementId }) =>
      elementId
    );
    this.#report({ type: "sessionCard", session, elementId, elementIds });
  }

  #lost(session: ClientSession, why: FailoverReason, now: Instant): void {
    if (session.state === "closing") return this.#end(session, why.reason);
    session.state = "necessary";
    this.#searches.failed(session.search, session.elementId, now);
    this.#sayFailover(session, "necessary", why);
  }

  #failover(session: ClientSession, { reportUnreachable }: FailoverCommand, now: Instant): void {
    if (session.state !== "up" && session.state !== "necessary") return; // it is under way
    this.#leave(session, "the pool user fails over");
    const { search, elementId } = session;
    this.#searches.failed(search, elementId, now);
    if (reportUnreachable) this.#searches.reportUnreachable(search, elementId, now);
    // An element that took the association and did nothing is full, or not what it seems to be.
    if (!session.fruitful) return this.#seekLater(session, "the pool element did not serve", now);
    session.state = "seeking";
    this.#searches.seek(search, now);
  }

  #close(session: ClientSession, how: "shutdown" | "abort"): void {
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
    this.#searches.end(session.search);
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

function lossOf({ reason }: AssociationDown): SessionLoss {
  switch (reason) {
    case "shutdown":
      return "shutdown";
    case "aborted":
    case "refused":
      return "aborted";
    case "timeout":
      return "silent";
  }
}
