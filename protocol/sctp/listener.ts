/**
 * The listening side of the handshake (RFC 9260 §5.1, §5.2): an INIT is answered without keeping anything, a COOKIE
 * ECHO with a good cookie makes the association. Both may also come when there is an association with that peer
 * already: because the two INITs crossed, because a packet came late, or because the peer has restarted.
 */
import type { ErrorCause, Instant, IpAddress, PacketMeta } from "../net.ts";
import { DecodeError } from "../wire/errors.ts";
import { Writer } from "../wire/writer.ts";
import { addressesForPeer, usablePeerAddresses } from "./addresses.ts";
import { Association } from "./association.ts";
import type { AssociationSeed } from "./association_seed.ts";
import { cookieIsAuthentic } from "./auth_cookie.ts";
import { agree, hasWrongRandom } from "./auth_endpoint.ts";
import { readKeyVector } from "./auth_offer.ts";
import type { AuthenticationOffer } from "./auth_offer.ts";
import { CauseCode, makeAbort, makeError, numberCause, textCause } from "./causes.ts";
import { chunkAt, ChunkType, makeChunk } from "./chunk.ts";
import { Connecting } from "./connecting.ts";
import { openCookie, sealCookie } from "./cookie.ts";
import type { StateCookie } from "./cookie.ts";
import type { Endpoint } from "./endpoint.ts";
import { agreedExtensions, offeredExtensions } from "./extensions.ts";
import { readInit, writeInit } from "./init_chunk.ts";
import type { InitChunk } from "./init_chunk.ts";
import { MAX_ASSOCIATIONS, MIN_RECEIVE_WINDOW } from "./limits.ts";
import { readU32 } from "./packet.ts";
import { writeAddress } from "./parameters.ts";
import type { Host, Party } from "./party.ts";
import type { Target } from "./path.ts";
import type { SharedKeys } from "./shared_keys.ts";

/** Longest life that a cookie preservative can add (§5.2.6). */
const MAX_COOKIE_EXTENSION_MS = 60_000;

/** How long a cookie is stale, in microseconds, at most: the field has 32 bits. */
const MAX_STALENESS_US = 0xffff_ffff;

/**
 * Answers an INIT.
 *
 * @param chunk header and value; the packet's tag was 0 and it held nothing else
 * @throws {DecodeError} when the chunk cannot be read
 */
export function onInit(
  host: Host,
  endpoint: Endpoint,
  chunk: Uint8Array,
  peerPort: number,
  meta: PacketMeta,
  now: Instant,
): void {
  const init = readInitOrRefuse(host, endpoint, chunk, peerPort, meta);
  if (init.initiateTag === 0) return; // §3.3.2: silently, since there is no tag for an answer
  const addresses = usablePeerAddresses(meta.source, init.addresses, endpoint.localAddresses());
  const { party, replyTo } = whoIsMeant(endpoint, addresses, peerPort, meta);
  const refuse = (cause?: ErrorCause): void =>
    host.reply(endpoint, endpoint.targetOf(meta), peerPort, init.initiateTag, [makeAbort(0, cause)]);
  if (party === undefined && (!endpoint.listening || endpoint.size >= MAX_ASSOCIATIONS)) {
    if (endpoint.listening) host.counters.limited++;
    return refuse();
  }
  const wrong = whatIsWrong(endpoint, init);
  if (wrong !== undefined) return refuse(wrong);
  let existing: Association | undefined;
  if (party instanceof Association) {
    existing = party;
    if (party.state === "shutdown-ack-sent") return party.repeatShutdownAck(now); // §9.2
    const added = addresses.filter((address) => !party.peerAddresses.includes(address));
    if (added.length > 0 && !formsAlready(party, init)) return refuse(newAddressesCause(added)); // §5.2.1, §5.2.2
    if (added.length > 0) return;
  }
  answer(host, endpoint, init, { peerPort, meta, addresses, party, existing, replyTo, now });
}

/**
 * Whether an INIT is of the same attempt of the peer as the INIT ACK that we have answered. What a peer lists may depend
 * on the address it speaks to, so the two need not list the same. Such an INIT is discarded (§5.2.1) without the ABORT:
 * that would bear the tag of the very association that our COOKIE ECHO is about to complete.
 */
function formsAlready(association: Association, init: InitChunk): boolean {
  return association.state === "cookie-echoed" && association.peerTag === init.initiateTag;
}

/**
 * Whom an INIT is for, and where the INIT ACK goes. An INIT that crosses one of ours may come from another address of
 * the peer than ours went to; then it is known by the addresses it lists, and is answered at the one that our user has
 * named (§5.2.1). So a stranger who lists somebody's address never hears the tag of our INIT to there.
 */
function whoIsMeant(
  endpoint: Endpoint,
  addresses: readonly IpAddress[],
  peerPort: number,
  meta: PacketMeta,
): { readonly party: Party | undefined; readonly replyTo: Target } {
  const replyTo = endpoint.targetOf(meta);
  const party = endpoint.byAddress(meta.source, peerPort);
  if (party !== undefined) return { party, replyTo };
  const attempt = attemptAt(endpoint, addresses, peerPort);
  const address = addresses.find((candidate) => attempt?.peerAddresses.includes(candidate));
  if (address === undefined) return { party: associationAt(endpoint, addresses, peerPort), replyTo };
  return { party: attempt, replyTo: { ...replyTo, address, source: endpoint.route(address)?.source } };
}

/**
 * The association that has one of these addresses (§5.1.2 D). An address that it has just listed and never confirmed does
 * not count: else somebody could keep others out by listing theirs.
 */
function associationAt(
  endpoint: Endpoint,
  addresses: readonly IpAddress[],
  peerPort: number,
): Association | undefined {
  for (const address of addresses) {
    const party = endpoint.byAddress(address, peerPort);
    if (party instanceof Association && party.parts.paths.find(address)?.confirmed === true) return party;
  }
  return undefined;
}

/** Our attempt to reach one of these addresses. */
function attemptAt(
  endpoint: Endpoint,
  addresses: readonly IpAddress[],
  peerPort: number,
): Connecting | undefined {
  for (const address of addresses) {
    const party = endpoint.byAddress(address, peerPort);
    if (party instanceof Connecting) return party;
  }
  return undefined;
}

/** An INIT that cannot be read is answered with ABORT, if it can be read as far as its tag (§5.1). */
function readInitOrRefuse(
  host: Host,
  endpoint: Endpoint,
  chunk: Uint8Array,
  peerPort: number,
  meta: PacketMeta,
): InitChunk {
  try {
    return readInit(chunk);
  } catch (error) {
    const tag = chunk.length >= 8 ? readU32(chunk, 4) : 0;
    if (error instanceof DecodeError && tag !== 0) {
      const cause = textCause(CauseCode.protocolViolation, "The INIT cannot be read.");
      host.reply(endpoint, endpoint.targetOf(meta), peerPort, tag, [makeAbort(0, cause)]);
    }
    throw error;
  }
}

interface InitContext {
  readonly peerPort: number;
  readonly meta: PacketMeta;
  readonly addresses: readonly string[];
  readonly party: Party | undefined;
  readonly existing: Association | undefined;
  readonly replyTo: Target;
  readonly now: Instant;
}

/** INIT ACK. While an INIT of ours is under way, it repeats what that INIT said (§5.2.1); else all is new (§5.2.2). */
function answer(host: Host, endpoint: Endpoint, init: InitChunk, context: InitContext): void {
  const { peerPort, meta, addresses, party, existing, replyTo, now } = context;
  const settings = party?.settings ?? endpoint.settings;
  const crossing = party instanceof Connecting
    ? party
    : existing?.state === "cookie-echoed"
    ? existing.seed
    : undefined;
  const localTag = crossing?.localTag ?? freshTag(host, endpoint);
  const localTsn = crossing?.localTsn ?? host.randomTag();
  const lifeMs = settings.cookieLifeMs + Math.min(init.cookiePreservativeMs ?? 0, MAX_COOKIE_EXTENSION_MS);
  if (crossing !== undefined && party !== undefined) party.cookieEndsAt = now + lifeMs;
  const offered = offeredExtensions(settings);
  const offer = offerOf(crossing) ?? endpoint.authentication.offer(host.environment.random);
  const vectors = agree(offer, init.authentication);
  const extensions = agreedExtensions(settings, init.extensions, vectors);
  const listed = addressesForPeer(endpoint.localAddresses(), addresses);
  const cookie = sealCookie(
    {
      createdAt: now,
      lifeMs,
      localPort: endpoint.port,
      peerPort,
      source: meta.source,
      udpPort: meta.udpPort,
      localTag,
      localTsn,
      peerTag: init.initiateTag,
      peerTsn: init.initialTsn,
      peerWindow: init.receiveWindow,
      outboundStreams: Math.min(settings.outboundStreams, init.inboundStreams),
      inboundStreams: Math.min(settings.maxInboundStreams, init.outboundStreams),
      extensions,
      adaptation: init.adaptation,
      authentication: vectors,
      localTieTag: existing?.localTag ?? 0,
      peerTieTag: existing?.peerTag ?? 0,
      addresses,
      listed: extensions.dynamicAddresses ? listed : undefined,
    },
    endpoint.cookieKey,
    host.environment.mac,
  );
  const initAck = writeInit(ChunkType.initAck, {
    initiateTag: localTag,
    receiveWindow: settings.receiveBuffer,
    outboundStreams: settings.outboundStreams,
    inboundStreams: settings.maxInboundStreams,
    initialTsn: localTsn,
    addresses: listed,
    cookie,
    unrecognized: init.unrecognized ?? [],
    extensions: offered,
    adaptation: settings.adaptation,
    authentication: offer,
  });
  host.reply(endpoint, replyTo, peerPort, init.initiateTag, [initAck]);
}

/** The random number follows the pattern of the tags: an INIT ACK says what the INIT that it crosses has said. */
function offerOf(crossing: Connecting | AssociationSeed | undefined): AuthenticationOffer | undefined {
  if (crossing instanceof Connecting) return crossing.offer;
  const vector = crossing?.authentication?.local;
  return vector === undefined ? undefined : readKeyVector(vector);
}

function freshTag(host: Host, endpoint: Endpoint): number {
  let tag = host.randomTag();
  while (endpoint.byTag(tag) !== undefined) tag = host.randomTag();
  return tag;
}

function whatIsWrong(endpoint: Endpoint, init: InitChunk): ErrorCause | undefined {
  if (init.hostName !== undefined) return { code: CauseCode.unresolvableAddress, info: init.hostName };
  if (init.outboundStreams === 0 || init.inboundStreams === 0) {
    return textCause(CauseCode.invalidParameter, "There must be streams.");
  }
  if (init.receiveWindow < MIN_RECEIVE_WINDOW) {
    return textCause(CauseCode.invalidParameter, "The receiver window is too small.");
  }
  if (endpoint.settings.authentication && hasWrongRandom(init.authentication)) {
    return textCause(CauseCode.protocolViolation, "The random number must have 32 octets.");
  }
  return undefined;
}

function newAddressesCause(addresses: readonly string[]): ErrorCause {
  const writer = new Writer();
  for (const address of addresses) writeAddress(writer, address);
  return { code: CauseCode.restartWithNewAddresses, info: writer.finish() };
}

/**
 * Takes a COOKIE ECHO.
 *
 * @param at where the COOKIE ECHO starts: an AUTH chunk may stand before it
 * @param tag the packet's verification tag
 * @returns the association that takes the rest of the packet; undefined = none does
 */
export function onCookieEcho(
  host: Host,
  endpoint: Endpoint,
  packet: Uint8Array,
  at: number,
  tag: number,
  peerPort: number,
  meta: PacketMeta,
  now: Instant,
): Association | undefined {
  const cookie = openCookie(chunkAt(packet, at).subarray(4), endpoint.cookieKey, host.environment.mac);
  const ours = cookie !== undefined && cookie.localPort === endpoint.port && cookie.peerPort === peerPort &&
    cookie.localTag === tag;
  if (!ours) {
    host.counters.badCookies++; // §5.1.5: silently
    return undefined;
  }
  const existing = endpoint.byTag(tag) ?? endpoint.byAddress(meta.source, peerPort) ??
    attemptAt(endpoint, cookie.addresses, peerPort);
  if (!cookieIsAuthentic(endpoint, host, cookie.authentication, existing, packet, at)) {
    host.counters.badCookies++;
    return undefined;
  }
  const repeated = existing instanceof Association && existing.localTag === cookie.localTag &&
    existing.peerTag === cookie.peerTag;
  // The peer may have moved while its cookie was under way; once it has the answer it will say so (RFC 5061).
  const moved = repeated && existing.dynamic !== undefined;
  if (!cookie.addresses.includes(meta.source) && !moved) {
    host.counters.badCookies++;
    return undefined;
  }
  const staleMs = now - cookie.createdAt - cookie.lifeMs;
  if ((staleMs > 0 || now < cookie.createdAt) && !repeated) {
    host.counters.badCookies++;
    const staleness = Math.min(Math.max(0, Math.round(staleMs * 1000)), MAX_STALENESS_US);
    host.reply(endpoint, endpoint.targetOf(meta), peerPort, cookie.peerTag, [
      makeError(numberCause(CauseCode.staleCookie, staleness)),
    ]);
    return undefined;
  }
  if (existing === undefined) return accept(host, endpoint, cookie, meta, now);
  if (existing instanceof Connecting) {
    return existing.localTag === cookie.localTag
      ? takeOver(host, endpoint, cookie, existing, meta.source, now)
      : undefined;
  }
  return existing instanceof Association ? collide(host, endpoint, cookie, existing, meta, now) : undefined;
}

/** A new association. */
function accept(
  host: Host,
  endpoint: Endpoint,
  cookie: StateCookie,
  meta: PacketMeta,
  now: Instant,
): Association | undefined {
  const full = endpoint.size >= MAX_ASSOCIATIONS;
  const spent = endpoint.spentTags.has(cookie.localTag);
  if (!endpoint.listening || full || spent) {
    const cause = full ? textCause(CauseCode.outOfResource, "There are too many associations.") : undefined;
    host.reply(endpoint, endpoint.targetOf(meta), cookie.peerPort, cookie.peerTag, [makeAbort(0, cause)]);
    if (full) host.counters.limited++;
    if (spent) host.counters.badCookies++;
    return undefined;
  }
  const association = makeAssociation(host, endpoint, cookie, host.newId(), undefined);
  host.replace(undefined, association);
  association.acceptCookie(meta.source, now);
  return association;
}

/** Two INITs have crossed: the association of the cookie takes the place of the attempt (§5.2.4, actions B and D). */
function takeOver(
  host: Host,
  endpoint: Endpoint,
  cookie: StateCookie,
  attempt: Connecting | Association,
  from: IpAddress,
  now: Instant,
): Association {
  const association = makeAssociation(host, endpoint, cookie, attempt.id, attempt.request, attempt);
  attempt.discard();
  host.replace(attempt, association);
  association.acceptCookie(from, now);
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
function collide(
  host: Host,
  endpoint: Endpoint,
  cookie: StateCookie,
  existing: Association,
  meta: PacketMeta,
  now: Instant,
): Association | undefined {
  const localMatches = existing.localTag === cookie.localTag;
  const peerMatches = existing.peerTag === cookie.peerTag;
  if (localMatches && peerMatches) {
    if (cookie.addresses.includes(meta.source)) existing.acceptCookie(meta.source, now);
    else existing.parts.send(makeChunk(ChunkType.cookieAck, 0), endpoint.targetOf(meta));
    return existing;
  }
  if (localMatches) {
    if (existing.state === "cookie-echoed") {
      return takeOver(host, endpoint, cookie, existing, meta.source, now);
    }
    existing.adoptPeerTag(cookie.peerTag);
    existing.acceptCookie(meta.source, now);
    return existing;
  }
  const tied = cookie.localTieTag === existing.localTag && cookie.peerTieTag === existing.peerTag;
  if (peerMatches || !tied) {
    host.counters.badCookies++;
    return undefined;
  }
  if (existing.state === "shutdown-ack-sent") {
    existing.repeatShutdownAck(now);
    const target = endpoint.targetOf(meta);
    host.reply(endpoint, target, cookie.peerPort, cookie.peerTag, [
      makeChunk(ChunkType.shutdownAck, 0),
      makeError({ code: CauseCode.cookieWhileShuttingDown, info: new Uint8Array(0) }),
    ]);
    return undefined;
  }
  const association = makeAssociation(host, endpoint, cookie, existing.id, undefined, existing);
  host.replace(existing, association);
  association.restartedFrom(existing, meta.source, now);
  if (host.isClosing(association)) association.shutdown(now);
  return association;
}

function makeAssociation(
  host: Host,
  endpoint: Endpoint,
  cookie: StateCookie,
  id: number,
  request: number | undefined,
  old?: Connecting | Association,
): Association {
  let settings = old?.settings, keys: SharedKeys | undefined;
  if (old instanceof Association) {
    settings = { ...old.settings, addresses: endpoint.settings.addresses }; // what the INIT ACK has said
    keys = old.authentication?.keys;
  }
  const seed = { ...seedOf(cookie, id, request), keys, settings };
  const association = new Association(host, endpoint, seed);
  association.cookieEndsAt = cookie.createdAt + cookie.lifeMs;
  return association;
}

function seedOf(cookie: StateCookie, id: number, request: number | undefined): AssociationSeed {
  return {
    id,
    request,
    localTag: cookie.localTag,
    localTsn: cookie.localTsn,
    peerTag: cookie.peerTag,
    peerTsn: cookie.peerTsn,
    peerWindow: cookie.peerWindow,
    peerPort: cookie.peerPort,
    addresses: cookie.addresses,
    listed: cookie.listed,
    encapsulationPort: cookie.udpPort,
    outboundStreams: cookie.outboundStreams,
    inboundStreams: cookie.inboundStreams,
    extensions: cookie.extensions,
    adaptation: cookie.adaptation,
    authentication: cookie.authentication,
  };
}
