import { earliest, Outbox, Prng, TimerQueue } from "../machine.ts";
import type { Machine } from "../machine.ts";
import { Ppid } from "../net.ts";
import type { AssociationDown, Instant, NetworkInput, TransportEvent } from "../net.ts";
import type { PoolHandle } from "../param/pool_handle.ts";
import { downText } from "../user/down_text.ts";
import type { PoolUserOptions } from "../user/pool_user.ts";
import { assert } from "../wire/mod.ts";
import { ClientConnecting } from "./client_connecting.ts";
import { ClientConversation } from "./client_conversation.ts";
import { ClientOutlet } from "./client_outlet.ts";
import type { FailoverReason } from "./client_outlet.ts";
import { newClientSession } from "./client_session.ts";
import type { ClientSession } from "./client_session.ts";
import { Connections } from "./connections.ts";
import { ElementSearches } from "./element_searches.ts";
import type { SearchEvent } from "./element_searches.ts";
import { isSessionEndpoint } from "./endpoints.ts";
import type {
  FailoverCommand,
  SessionAssociation,
  SessionClientEffect,
  SessionClientInput,
  SessionCommand,
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
 * This file has a session's beginning, its losses and its end; `client_session.ts` shows where it may stand. How it comes to an
 * association stands in `client_connecting.ts`, what the element says to it in `client_conversation.ts`.
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
  readonly #outbox = new Outbox<SessionClientEffect>();
  readonly #timers = new TimerQueue<"linger">();
  readonly #outlet: ClientOutlet;
  readonly #searches: ElementSearches;
  readonly #sessions = new Map<SessionId, ClientSession>();
  readonly #connections: Connections<ClientSession>;
  readonly #connecting: ClientConnecting;
  readonly #conversation: ClientConversation;
  #state: "new" | "running" | "closing" | "stopped" = "new";

  /**
   * Makes a client that does nothing until `start`.
   *
   * @param options how it behaves
   */
  constructor(options: SessionClientOptions) {
    const { seed, connectTimeoutMs = 5000, manualReceive = false } = options;
    const outlet = new ClientOutlet(this.#outbox);
    const connections = new Connections<ClientSession>(this.#outbox);
    const searches = new ElementSearches(options, this.#outbox, new Prng(seed));
    this.#outlet = outlet;
    this.#connections = connections;
    this.#searches = searches;
    this.#connecting = new ClientConnecting({ outlet, connections, searches, connectTimeoutMs });
    this.#conversation = new ClientConversation({
      outlet,
      connections,
      searches,
      manualReceive,
      broken: (session, cause, now) => this.#broken(session, cause, now),
    });
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
    while (this.#timers.takeDue(now) !== undefined) this.#abortAll();
    this.#connecting.tick(now);
    this.#searches.tick(now);
    this.#pump(now);
  }

  nextTimeout(): Instant | undefined {
    return earliest(this.#timers.next(), this.#connecting.nextTimeout(), this.#searches.nextTimeout());
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
    if (event.type === "up") return this.#connecting.up(endpoint, event);
    if (event.type === "down") return this.#down(event, now);
    const session = this.#connections.ownerOf(event.association);
    if (session === undefined) return;
    switch (event.type) {
      case "message":
        return this.#conversation.message(session, event, now);
      case "blocked":
        return this.#outlet.event({ type: "sessionBlocked", session: session.session });
      case "writable":
        return this.#outlet.event({ type: "sessionWritable", session: session.session });
      case "restarted":
        this.#connecting.leave(session, "the association was restarted");
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
    const session = newClientSession(this.#searches.begin(id, poolHandle));
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
    if (event.type === "found") return this.#connecting.connect(session, event.element, now);
    this.#outlet.waiting(session, event.reason, event.retryMs);
  }

  #down(down: AssociationDown, now: Instant): void {
    const connection = this.#connections.down(down);
    const session = connection?.owner;
    if (session === undefined) return;
    session.connection = undefined;
    const reason = downText(down);
    if (connection?.association === undefined) this.#connecting.failed(session, reason, now);
    else this.#lost(session, { reason, loss: lossOf(down) }, now);
  }

  #broken(session: ClientSession, cause: string, now: Instant): void {
    this.#connecting.leave(session, cause);
    const reason = "the pool element sent a control message that cannot be read";
    this.#lost(session, { reason, loss: "aborted" }, now);
  }

  #lost(session: ClientSession, why: FailoverReason, now: Instant): void {
    if (session.state === "closing") return this.#end(session, why.reason);
    session.state = "necessary";
    this.#searches.failed(session.search, session.elementId, now);
    this.#outlet.failover(session, "necessary", why);
  }

  #failover(session: ClientSession, { reportUnreachable }: FailoverCommand, now: Instant): void {
    if (session.state !== "up" && session.state !== "necessary") return; // it is under way
    this.#connecting.leave(session, "the pool user fails over");
    const { search, elementId } = session;
    this.#searches.failed(search, elementId, now);
    if (reportUnreachable) this.#searches.reportUnreachable(search, elementId, now);
    // An element that took the association and did nothing is full, or not what it seems to be.
    if (!session.fruitful) return this.#connecting.seekLater(session, "the pool element did not serve", now);
    session.state = "seeking";
    this.#searches.seek(search, now);
  }

  #close(session: ClientSession, how: "shutdown" | "abort"): void {
    const { connection } = session;
    if (connection?.association === undefined) {
      this.#connecting.leave(session, "closed");
      return this.#end(session, "closed");
    }
    session.state = "closing";
    this.#connections.end(connection, how, "closed by the pool user");
  }

  #end(session: ClientSession, reason: string): void {
    this.#sessions.delete(session.session);
    this.#searches.end(session.search);
    this.#outlet.report({ type: "sessionDown", session: session.session, reason });
    this.#outlet.event({ type: "sessionClosed", session: session.session, reason });
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
