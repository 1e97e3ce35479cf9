import { writeAsap } from "../asap/mod.ts";
import { TimerQueue } from "../machine.ts";
import { Ppid, transportAddresses } from "../net.ts";
import type { AssociationUp, Instant } from "../net.ts";
import type { PoolElement } from "../param/pool_element.ts";
import type { ClientOutlet } from "./client_outlet.ts";
import type { ClientSession } from "./client_session.ts";
import type { Connections } from "./connections.ts";
import type { ElementSearches } from "./element_searches.ts";

/** What connecting needs of the session client around it. */
export interface ClientConnectingContext {
  readonly outlet: ClientOutlet;
  readonly connections: Connections<ClientSession>;
  readonly searches: ElementSearches;
  /** How long an association may take to come up. */
  readonly connectTimeoutMs: number;
}

/**
 * The way of a session from an element that was found to an association with it, and the parting from one. An attempt that
 * fails makes the session seek another element, after a pause.
 */
export class ClientConnecting {
  readonly #context: ClientConnectingContext;
  readonly #timeouts = new TimerQueue<ClientSession>();

  /** @param context the session client around it */
  constructor(context: ClientConnectingContext) {
    this.#context = context;
  }

  /** Gives up what has taken too long. */
  tick(now: Instant): void {
    for (
      let session = this.#timeouts.takeDue(now);
      session !== undefined;
      session = this.#timeouts.takeDue(now)
    ) this.failed(session, "no association in time", now);
  }

  /** When `tick` has something to do. */
  nextTimeout(): Instant | undefined {
    return this.#timeouts.next();
  }

  /** An element was found. */
  connect(
    session: ClientSession,
    { elementId, userTransport: { addresses, port } }: PoolElement,
    now: Instant,
  ): void {
    const { outlet, connections, connectTimeoutMs } = this.#context;
    const connection = connections.connect(addresses, port, session);
    if (connection === undefined) {
      return this.seekLater(session, "all endpoints have a session with the element", now);
    }
    session.state = "connecting";
    session.elementId = elementId;
    session.connection = connection;
    this.#timeouts.set(session, now + connectTimeoutMs);
    const { session: id } = session;
    outlet.report({ type: "sessionConnecting", session: id, elementId, peer: connection.peer });
  }

  /** An association came up. */
  up(endpoint: string, up: AssociationUp): void {
    const { outlet, connections, searches } = this.#context;
    const session = connections.up(endpoint, up);
    if (session?.connection === undefined) return;
    this.#timeouts.clear(session);
    session.state = "up";
    session.fruitful = false;
    searches.connected(session.search, session.elementId);
    const { session: id, elementId, cookie, connection } = session;
    // First of all messages, so that the element knows where to go on (RFC 5352 §2.2.12).
    if (cookie !== undefined) {
      connections.send(connection, { ppid: Ppid.asap, data: writeAsap({ type: "cookieEcho", cookie }) });
    }
    const peer = transportAddresses(up.peerAddresses, up.peerPort);
    outlet.report({ type: "sessionUp", session: id, elementId, peer });
    if (session.opened) {
      const reason = cookie === undefined ? "connected anew" : "connected anew, cookie sent";
      return outlet.failover(session, "complete", { reason, loss: undefined });
    }
    session.opened = true;
    outlet.event({ type: "sessionOpened", session: id, peer, elementId });
  }

  /** The attempt came to nothing. */
  failed(session: ClientSession, reason: string, now: Instant): void {
    const { outlet, searches } = this.#context;
    this.leave(session, reason);
    const { session: id, elementId, search } = session;
    searches.unreachable(search, elementId, now);
    session.state = "seeking";
    const retryMs = searches.seekLater(search, now);
    outlet.report({ type: "sessionConnectFailed", session: id, elementId, reason, retryMs });
  }

  /** There is nobody to connect to, or no way to do it. */
  seekLater(session: ClientSession, reason: string, now: Instant): void {
    const { outlet, searches } = this.#context;
    session.state = "seeking";
    outlet.waiting(session, reason, searches.seekLater(session.search, now));
  }

  /** Parts a session from its association, or from the attempt at one (which cannot be recalled). */
  leave(session: ClientSession, reason: string): void {
    this.#timeouts.clear(session);
    const { connection } = session;
    if (connection === undefined) return;
    session.connection = undefined;
    this.#context.connections.leave(connection, reason);
  }
}
