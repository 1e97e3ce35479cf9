/**
 * How an INIT is answered (RFC 9260 §5.1, §5.2): with all that is needed to set up an association in a cookie, and without
 * keeping anything. It may also come when there is an association with that peer already: because the two INITs crossed, or
 * because the peer has restarted.
 */
import type { ErrorCause, IpAddress } from "../net.ts";
import { DecodeError } from "../wire/errors.ts";
import { Writer } from "../wire/writer.ts";
import { addressesForPeer, usablePeerAddresses } from "./addresses.ts";
import { answer } from "./arrival.ts";
import type { Arrival } from "./arrival.ts";
import { Association } from "./association.ts";
import type { AssociationSeed } from "./association_seed.ts";
import { agreeOn, introduction, whatIsWrong } from "./association_terms.ts";
import type { LocalTerms } from "./association_terms.ts";
import { readKeyVector } from "./auth_offer.ts";
import type { AuthenticationOffer } from "./auth_offer.ts";
import { CauseCode, makeAbort, textCause } from "./causes.ts";
import { ChunkType } from "./chunk.ts";
import { attemptAt, Connecting } from "./connecting.ts";
import { sealCookie } from "./cookie.ts";
import type { StateCookie } from "./cookie.ts";
import type { Endpoint } from "./endpoint.ts";
import { readInit, writeInit } from "./init_chunk.ts";
import type { InitChunk } from "./init_chunk.ts";
import { MAX_ASSOCIATIONS } from "./limits.ts";
import { readU32 } from "./packet.ts";
import { writeAddress } from "./parameters.ts";
import type { Host, Party } from "./party.ts";
import type { Target } from "./path.ts";

/** Longest life that a cookie preservative can add (§5.2.6). */
const MAX_COOKIE_EXTENSION_MS = 60_000;

/**
 * Answers an INIT.
 *
 * @param chunk header and value; the packet's tag was 0 and it held nothing else
 * @throws {DecodeError} when the chunk cannot be read
 */
export function onInit(arrival: Arrival, chunk: Uint8Array): void {
  const { host, endpoint, meta, now } = arrival;
  const init = readInitOrRefuse(arrival, chunk);
  if (init.initiateTag === 0) return; // §3.3.2: silently, since there is no tag for an answer
  const addresses = usablePeerAddresses(meta.source, init.addresses, endpoint.localAddresses());
  const { party, replyTo } = whoIsMeant(arrival, addresses);
  const refuse = (cause?: ErrorCause): void => answer(arrival, init.initiateTag, makeAbort(0, cause));
  if (party === undefined && (!endpoint.listening || endpoint.size >= MAX_ASSOCIATIONS)) {
    if (endpoint.listening) host.counters.limited++;
    return refuse();
  }
  const wrong = whatIsWrong(endpoint.settings, init);
  if (wrong !== undefined) return refuse(wrong);
  if (party instanceof Association) {
    if (party.state === "shutdown-ack-sent") return party.repeatShutdownAck(now); // §9.2
    const added = addresses.filter((address) => !party.peerAddresses.includes(address));
    if (added.length > 0 && !formsAlready(party, init)) return refuse(newAddressesCause(added)); // §5.2.1, §5.2.2
    if (added.length > 0) return;
  }
  acknowledge(arrival, init, addresses, party, replyTo);
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
  { endpoint, peerPort, meta }: Arrival,
  addresses: readonly IpAddress[],
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

/** An INIT that cannot be read is answered with ABORT, if it can be read as far as its tag (§5.1). */
function readInitOrRefuse(arrival: Arrival, chunk: Uint8Array): InitChunk {
  try {
    return readInit(chunk);
  } catch (error) {
    const tag = chunk.length >= 8 ? readU32(chunk, 4) : 0;
    if (error instanceof DecodeError && tag !== 0) {
      const cause = textCause(CauseCode.protocolViolation, "The INIT cannot be read.");
      answer(arrival, tag, makeAbort(0, cause));
    }
    throw error;
  }
}

/** INIT ACK. While an INIT of ours is under way, it repeats what that INIT said (§5.2.1); else all is new (§5.2.2). */
function acknowledge(
  { host, endpoint, peerPort, meta, now }: Arrival,
  init: InitChunk,
  addresses: readonly IpAddress[],
  party: Party | undefined,
  replyTo: Target,
): void {
  const { environment } = host;
  const settings = party?.settings ?? endpoint.settings;
  const existing = party instanceof Association ? party : undefined;
  const crossing = crossingOf(party);
  const lifeMs = settings.cookieLifeMs + Math.min(init.cookiePreservativeMs ?? 0, MAX_COOKIE_EXTENSION_MS);
  if (party !== undefined && crossing !== undefined) party.cookieEndsAt = now + lifeMs;
  const local: LocalTerms = {
    localTag: crossing?.localTag ?? freshTag(host, endpoint),
    localTsn: crossing?.localTsn ?? host.randomTag(),
    listed: addressesForPeer(endpoint.localAddresses(), addresses),
    offer: offerOf(crossing) ?? endpoint.authentication.offer(environment.random),
  };
  const cookie: StateCookie = {
    createdAt: now,
    lifeMs,
    localPort: endpoint.port,
    localTieTag: existing?.localTag ?? 0,
    peerTieTag: existing?.peerTag ?? 0,
    terms: agreeOn(settings, local, init, { peerPort, addresses, encapsulationPort: meta.udpPort }),
  };
  const initAck = writeInit(ChunkType.initAck, {
    ...introduction(settings, local),
    cookie: sealCookie(cookie, endpoint.cookieKey, environment.mac),
    unrecognized: init.unrecognized ?? [],
  });
  host.reply(endpoint, replyTo, peerPort, init.initiateTag, [initAck]);
}

/** What has said an INIT of ours that is under way. */
function crossingOf(party: Party | undefined): Connecting | AssociationSeed | undefined {
  if (party instanceof Connecting) return party;
  return party instanceof Association && party.state === "cookie-echoed" ? party.seed : undefined;
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

function newAddressesCause(addresses: readonly string[]): ErrorCause {
  const writer = new Writer();
  for (const address of addresses) writeAddress(writer, address);
  return { code: CauseCode.restartWithNewAddresses, info: writer.finish() };
}
