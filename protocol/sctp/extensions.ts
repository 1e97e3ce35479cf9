/**
 * Extensions that both sides must know, and how INIT and INIT ACK say so: the Supported Extensions parameter
 * (RFC 5061 §4.2.7) lists the chunk types of each, and partial reliability has a parameter of its own as well
 * (RFC 3758 §3.3.1).
 */
import type { AssociationExtensions } from "../net.ts";
import type { KeyVectors } from "./auth_offer.ts";
import { ChunkType } from "./chunk.ts";
import type { EndpointSettings } from "./options.ts";

/** No extension at all. */
export const NO_EXTENSIONS: AssociationExtensions = {
  partialReliability: false,
  reconfiguration: false,
  interleaving: false,
  authentication: false,
  dynamicAddresses: false,
};

const NAMES = [
  "partialReliability",
  "reconfiguration",
  "interleaving",
  "authentication",
  "dynamicAddresses",
] as const satisfies readonly (keyof AssociationExtensions)[];

/** The chunk types by which each extension is known; all of them must be listed. */
const CHUNK_TYPES: Readonly<Record<keyof AssociationExtensions, readonly number[]>> = {
  partialReliability: [ChunkType.forwardTsn],
  reconfiguration: [ChunkType.reconfiguration],
  interleaving: [ChunkType.iData],
  authentication: [ChunkType.authentication],
  dynamicAddresses: [ChunkType.asconf, ChunkType.asconfAck],
};

/** What this stack can do; an endpoint's options choose among it. */
const IMPLEMENTED: AssociationExtensions = {
  ...NO_EXTENSIONS,
  partialReliability: true,
  reconfiguration: true,
  interleaving: true,
  authentication: true,
  dynamicAddresses: true,
};

/** What an endpoint offers. */
export function offeredExtensions(settings: EndpointSettings): AssociationExtensions {
  return bothOffer(IMPLEMENTED, settings);
}

/** What a peer offers. */
export interface PeerExtensions extends AssociationExtensions {
  /** Partial reliability together with interleaving takes a chunk of its own; absent = it knows that, too. */
  readonly interleavedReliability?: boolean;
}

/**
 * What an association has in use.
 *
 * @param theirs what the peer offers; undefined = nothing
 * @param vectors the key vectors, without which there is no authentication
 */
export function agreedExtensions(
  settings: EndpointSettings,
  theirs: PeerExtensions | undefined,
  vectors: KeyVectors | undefined,
): AssociationExtensions {
  const authentication = vectors !== undefined;
  return bothOffer(offeredExtensions(settings), { ...(theirs ?? NO_EXTENSIONS), authentication });
}

/**
 * What two sides agree on: that which both offer. Dynamic addresses need authentication (RFC 5061 §4.2.7), and partial
 * reliability on an association with interleaving needs I-FORWARD-TSN (RFC 8260 §2.3.1).
 */
export function bothOffer(ours: AssociationExtensions, theirs: PeerExtensions): AssociationExtensions {
  const authentication = ours.authentication && theirs.authentication;
  const interleaving = ours.interleaving && theirs.interleaving;
  const forwarding = !interleaving || (theirs.interleavedReliability ?? true);
  return {
    partialReliability: ours.partialReliability && theirs.partialReliability && forwarding,
    reconfiguration: ours.reconfiguration && theirs.reconfiguration,
    interleaving,
    authentication,
    dynamicAddresses: authentication && ours.dynamicAddresses && theirs.dynamicAddresses,
  };
}

/** The value of the Supported Extensions parameter; empty = there is nothing to list. */
export function extensionChunkTypes(offered: AssociationExtensions): number[] {
  const types = NAMES.flatMap((name) => offered[name] ? CHUNK_TYPES[name] : []);
  if (offered.interleaving && offered.partialReliability) types.push(ChunkType.iForwardTsn); // RFC 8260 §2.2.1
  return types;
}

/**
 * What a peer offers.
 *
 * @param chunkTypes the value of its Supported Extensions parameter
 * @param forwardTsnSupported whether it has sent the parameter of RFC 3758
 */
export function extensionsOf(
  chunkTypes: ReadonlySet<number>,
  forwardTsnSupported: boolean,
): PeerExtensions {
  const offers = (name: keyof AssociationExtensions): boolean =>
    CHUNK_TYPES[name].every((type) => chunkTypes.has(type));
  return {
    partialReliability: forwardTsnSupported || offers("partialReliability"),
    reconfiguration: offers("reconfiguration"),
    interleaving: offers("interleaving"),
    authentication: offers("authentication"),
    dynamicAddresses: offers("dynamicAddresses"),
    interleavedReliability: chunkTypes.has(ChunkType.iForwardTsn),
  };
}

/** As one octet, for the state cookie. */
export function packExtensions(extensions: AssociationExtensions): number {
  return NAMES.reduce((bits, name, index) => bits | (extensions[name] ? 1 << index : 0), 0);
}

/** The inverse of {@linkcode packExtensions}. */
export function unpackExtensions(bits: number): AssociationExtensions {
  const extensions = { ...NO_EXTENSIONS };
  NAMES.forEach((name, index) => extensions[name] = (bits & 1 << index) !== 0);
  return extensions;
}
