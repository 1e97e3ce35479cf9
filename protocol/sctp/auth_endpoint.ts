import { SocketOptionError } from "../net.ts";
import { HmacId, hmacOctets } from "./auth_chunk.ts";
import { keyVector, mayBeAuthenticated, RANDOM_OCTETS, usableOffer } from "./auth_offer.ts";
import type { AuthenticationOffer, KeyVectors } from "./auth_offer.ts";
import { ChunkType } from "./chunk.ts";
import { MAX_KEY_VECTOR_OCTETS } from "./limits.ts";
import type { EndpointSettings } from "./options.ts";
import { SharedKeys } from "./shared_keys.ts";

/** What an endpoint's associations start with: the chunks it wants authenticated, the algorithms, the keys. */
export class EndpointAuthentication {
  /** Keys of associations to come. */
  readonly keys: SharedKeys = new SharedKeys();
  readonly #settings: EndpointSettings;
  readonly #chunkTypes = new Set<number>();
  #hmacIds: readonly number[] = [HmacId.sha256, HmacId.sha1];

  constructor(settings: EndpointSettings) {
    this.#settings = settings;
  }

  /** The chunks to be authenticated; address changes always are (RFC 5061 §4.2.7). */
  get chunkTypes(): readonly number[] {
    const dynamic = this.#settings.dynamicAddresses ? [ChunkType.asconf, ChunkType.asconfAck] : [];
    return [...new Set([...dynamic, ...this.#chunkTypes])];
  }

  /** Algorithms in order of preference. */
  get hmacIds(): readonly number[] {
    return this.#hmacIds;
  }

  /**
   * Asks for one more chunk type to be authenticated (SCTP_AUTH_CHUNK), from the next association on.
   *
   * @throws {SocketOptionError} EINVAL for those that never are (RFC 4895 §3.2)
   */
  addChunkType(chunkType: number): void {
    if (!Number.isInteger(chunkType) || chunkType < 0 || chunkType > 255 || !mayBeAuthenticated(chunkType)) {
      throw new SocketOptionError("EINVAL", `Chunks of type ${chunkType} cannot be authenticated`);
    }
    this.#chunkTypes.add(chunkType);
  }

  /**
   * Sets the algorithms in order of preference (SCTP_HMAC_IDENT), from the next association on.
   *
   * @throws {SocketOptionError} EINVAL when one is unknown or SHA-1 is missing, which must be there (RFC 4895 §6.1)
   */
  setHmacIds(hmacIds: readonly number[]): void {
    const unknown = hmacIds.find((id) => hmacOctets(id) === undefined);
    if (unknown !== undefined || !hmacIds.includes(HmacId.sha1)) {
      throw new SocketOptionError(
        "EINVAL",
        unknown === undefined ? "SHA-1 (1) must be among the algorithms" : `There is no algorithm ${unknown}`,
      );
    }
    this.#hmacIds = [...new Set(hmacIds)];
  }

  /** What an INIT or INIT ACK says; undefined when the endpoint does not authenticate. */
  offer(random: (octets: Uint8Array) => void): AuthenticationOffer | undefined {
    if (!this.#settings.authentication) return undefined;
    const octets = new Uint8Array(RANDOM_OCTETS);
    random(octets);
    const { chunkTypes } = this;
    return {
      random: octets,
      chunkTypes: chunkTypes.length > 0 ? chunkTypes : undefined,
      hmacIds: this.#hmacIds,
    };
  }
}

/** The key vectors of two offers; undefined when there is no authentication between the two. */
export function agree(
  local: AuthenticationOffer | undefined,
  peer: AuthenticationOffer | undefined,
): KeyVectors | undefined {
  if (local === undefined || peer === undefined || !usableOffer(peer)) return undefined;
  const vectors = { local: keyVector(local), peer: keyVector(peer) };
  return vectors.peer.length > MAX_KEY_VECTOR_OCTETS ? undefined : vectors;
}

/** Whether a peer's random number has another length than it must have (RFC 4895 §6.1). */
export function hasWrongRandom(offer: AuthenticationOffer | undefined): boolean {
  return offer !== undefined && offer.random.length !== RANDOM_OCTETS;
}
