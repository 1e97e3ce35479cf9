import { readAsap } from "../asap/mod.ts";
import type { BusinessCard } from "../asap/mod.ts";
import { poolKey } from "../handlespace/pool_key.ts";
import { Ppid } from "../net.ts";
import type { Instant, MessageReceived } from "../net.ts";
import { DecodeError } from "../wire/mod.ts";
import type { ClientOutlet } from "./client_outlet.ts";
import type { ClientSession } from "./client_session.ts";
import type { Connections } from "./connections.ts";
import type { ElementSearches } from "./element_searches.ts";

/** What conversations need of the session client around them. */
export interface ClientConversationContext {
  readonly outlet: ClientOutlet;
  readonly connections: Connections<ClientSession>;
  readonly searches: ElementSearches;
  /** Whether received octets are to be given back. */
  readonly manualReceive: boolean;
  /** The element broke the rules. */
  readonly broken: (session: ClientSession, cause: string, now: Instant) => void;
}

/**
 * What an element says to a session: messages with ASAP's PPID are the control channel (RFC 5352 §1.2), by which it gives
 * cookies and business cards; all others are the application's.
 */
export class ClientConversation {
  readonly #context: ClientConversationContext;

  /** @param context the session client around it */
  constructor(context: ClientConversationContext) {
    this.#context = context;
  }

  /** A message came. */
  message(session: ClientSession, { ppid, stream, data }: MessageReceived, now: Instant): void {
    const { outlet, connections, manualReceive } = this.#context;
    // While it is closing nobody listens any more, but the element has to get rid of what it has sent.
    const isOwn = session.state !== "up" || ppid === Ppid.asap;
    if (isOwn && manualReceive && session.connection !== undefined) {
      connections.consumed(session.connection, data.length);
    }
    if (session.state !== "up") return;
    if (ppid === Ppid.asap) return this.#control(session, data, now);
    this.#isServed(session);
    outlet.event({ type: "sessionMessage", session: session.session, ppid, stream, data });
  }

  /** The element does something for the application; a business card alone is not that. */
  #isServed(session: ClientSession): void {
    session.fruitful = true;
    this.#context.searches.served(session.search);
  }

  #control(session: ClientSession, data: Uint8Array, now: Instant): void {
    const { outlet, broken } = this.#context;
    const { session: id } = session;
    try {
      const message = readAsap(data);
      if (message.type === "businessCard") return this.#card(session, message);
      if (message.type !== "cookie") return; // nothing else concerns a pool user here
      this.#isServed(session);
      if (session.cookie === undefined) outlet.event({ type: "sessionCookieHeld", session: id });
      session.cookie = message.cookie; // only the newest counts
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      outlet.report({ type: "sessionViolation", session: id, reason: error.message });
      broken(session, error.message, now);
    }
  }

  /** RFC 5352 §3.9. A card for another pool says where the element itself is a user, which is of no use here. */
  #card({ session, search, poolHandle, elementId }: ClientSession, card: BusinessCard): void {
    if (poolKey(card.poolHandle) !== poolKey(poolHandle)) return;
    const { outlet, searches } = this.#context;
    const elementIds = searches.card(search, elementId, card.elements).map(({ elementId }) => elementId);
    outlet.report({ type: "sessionCard", session, elementId, elementIds });
  }
}
