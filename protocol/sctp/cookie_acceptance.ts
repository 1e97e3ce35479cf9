/**
 * What a COOKIE ECHO comes to (RFC 9260 §5.1 D, §5.2.4): one with a good cookie makes the association. There may be one with
 * that peer already: because the two INITs crossed, because the packet came late, or because the peer has restarted.
 */
import type { AssociationId } from "../net.ts";
import { answer } from "./arrival.ts";
import type { Arrival } from "./arrival.ts";
import { Association } from "./association.ts";
import { cookieIsAuthentic } from "./auth_cookie.ts";
import { CauseCode, makeAbort, makeError, numberCause, textCause } from "./causes.ts";
import { chunkAt, ChunkType, makeChunk } from "./chunk.ts";
import { attemptAt, Connecting } from "./connecting.ts";
import { openCookie } from "./cookie.ts";
import type { StateCookie } from "./cookie.ts";
import { MAX_ASSOCIATIONS } from "./limits.ts";
import type { SharedKeys } from "./shared_keys.ts";

/** How long a cookie is stale, in microseconds, at most: the field has 32 bits. */
const MAX_STALENESS_US = 0xffff_ffff;

/**
 * Takes a COOKIE ECHO.
 *
 * @param at where the COOKIE ECHO starts: an AUTH chunk may stand before it
 * @param tag the packet's verification tag
 * @returns the association that takes the rest of the packet; undefined = none does
 */
export function onCookieEcho(
  arrival: Arrival,
  packet: Uint8Array,
  at: number,
  tag: number,
): Association | undefined {
  const { host, endpoint, peerPort, meta, now } = arrival;
  const cookie = openCookie(chunkAt(packet, at).subarray(4), endpoint.cookieKey, host.environment.mac);
  const ours = cookie !== undefined && cookie.terms.localTag === tag &&
    cookie.localPort === endpoint.port && cookie.terms.peerPort === peerPort;
  if (!ours) return discard(arrival); // §5.1.5: silently
  const { terms } = cookie;
  const existing = endpoint.byTag(tag) ?? endpoint.byAddress(meta.source, peerPort) ??
    attemptAt(endpoint, terms.addresses, peerPort);
  if (!cookieIsAuthentic(endpoint, host, terms.authentication, existing, packet, at)) return discard(arrival);
  const repeated = existing instanceof Association && existing.localTag === terms.localTag &&
    existing.peerTag === terms.peerTag;
  // The peer may have moved while its cookie was under way; once it has the answer it will say so (RFC 5061).
  const moved = repeated && existing.dynamic !== undefined;
  if (!terms.addresses.includes(meta.source) && !moved) return discard(arrival);
  const staleMs = now - cookie.createdAt - cookie.lifeMs;
  if ((staleMs > 0 || now < cookie.createdAt) && !repeated) {
    const staleness = Math.min(Math.max(0, Math.round(staleMs * 1000)), MAX_STALENESS_US);
    answer(arrival, terms.peerTag, makeError(numberCause(CauseCode.staleCookie, staleness)));
    return discard(arrival);
  }
  if (existing === undefined) return accept(arrival, cookie);
  if (existing instanceof Association) return collide(arrival, cookie, existing);
  const crossed = existing instanceof Connecting && existing.localTag === terms.localTag;
  return crossed ? takeOver(arrival, cookie, existing) : undefined;
}

function discard({ host }: Arrival): undefined {
  host.counters.badCookies++;
}

/** A new association. */
function accept(arrival: Arrival, cookie: StateCookie): Association | undefined {
  const { host, endpoint, meta, now } = arrival;
  const full = endpoint.size >= MAX_ASSOCIATIONS;
  const spent = endpoint.spentTags.has(cookie.terms.localTag);
  if (!endpoint.listening || full || spent) {
    const cause = full ? textCause(CauseCode.outOfResource, "There are too many associations.") : undefined;
    answer(arrival, cookie.terms.peerTag, makeAbort(0, cause));
    if (full) host.counters.limited++;
    if (spent) host.counters.badCookies++;
    return undefined;
  }
  const association = makeAssociation(arrival, cookie, host.newId(), undefined);
  host.replace(undefined, association);
  association.acceptCookie(meta.source, now);
  return association;
}

/** Two INITs have crossed: the association of the cookie takes the place of the attempt (§5.2.4, actions B and D). */
function takeOver(arrival: Arrival, cookie: StateCookie, attempt: Connecting | Association): Association {
  const { host, meta, now } = arrival;
  const association = makeAssociation(arrival, cookie, attempt.id, attempt.request, attempt);
  attempt.discard();
  host.replace(attempt, association);
  association.acceptCookie(meta.source, now);
  return association;
}

/**
 * A cookie for a peer that there is an association with (§5.2.4, table 12):
 *
 * | local tag | peer's tag | tie-tags | action |
 * |---|---|---|---|
 * | differs | differs | both match | A: the peer has restarted |
 * | matches | differs | | B: INITs crossed; take the peer's tag |
 * | differs | matches | none | C: a late cookie; discard |
 * | matches | matches | | D: established now, or COOKIE ACK once more |
 * | otherwise | | | discard |
 */
function collide(arrival: Arrival, cookie: StateCookie, existing: Association): Association | undefined {
  const { endpoint, meta, now } = arrival;
  const { localTag, peerTag, addresses } = cookie.terms;
  const localMatches = existing.localTag === localTag, peerMatches = existing.peerTag === peerTag;
  if (localMatches && peerMatches) {
    if (addresses.includes(meta.source)) existing.acceptCookie(meta.source, now);
    else existing.parts.send(makeChunk(ChunkType.cookieAck, 0), endpoint.targetOf(meta));
    return existing;
  }
  if (localMatches) {
    if (existing.state === "cookie-echoed") return takeOver(arrival, cookie, existing);
    existing.adoptPeerTag(peerTag);
    existing.acceptCookie(meta.source, now);
    return existing;
  }
  const tied = cookie.localTieTag === existing.localTag && cookie.peerTieTag === existing.peerTag;
  if (peerMatches || !tied) return discard(arrival);
  return restart(arrival, cookie, existing);
}

/** Action A; while the old association ends, its SHUTDOWN ACK has to go first. */
function restart(arrival: Arrival, cookie: StateCookie, existing: Association): Association | undefined {
  const { host, meta, now } = arrival;
  if (existing.state === "shutdown-ack-sent") {
    existing.repeatShutdownAck(now);
    const cause = { code: CauseCode.cookieWhileShuttingDown, info: new Uint8Array(0) };
    answer(arrival, cookie.terms.peerTag, makeChunk(ChunkType.shutdownAck, 0), makeError(cause));
    return undefined;
  }
  const association = makeAssociation(arrival, cookie, existing.id, undefined, existing);
  host.replace(existing, association);
  association.restartedFrom(existing, meta.source, now);
  if (host.isClosing(association)) association.shutdown(now);
  return association;
}

function makeAssociation(
  { host, endpoint }: Arrival,
  cookie: StateCookie,
  id: AssociationId,
  request: number | undefined,
  old?: Connecting | Association,
): Association {
  let settings = old?.settings, keys: SharedKeys | undefined;
  if (old instanceof Association) {
    settings = { ...old.settings, addresses: endpoint.settings.addresses }; // what the INIT ACK has said
    keys = old.authentication?.keys;
  }
  const association = new Association(host, endpoint, { ...cookie.terms, id, request, settings, keys });
  association.cookieEndsAt = cookie.createdAt + cookie.lifeMs;
  return association;
}
