/**
 * What an endpoint says of authentication in its INIT or INIT ACK (RFC 4895 §3): a random number, the chunks that it
 * accepts after an AUTH chunk only, and the algorithms it wants the peer to use. The three parameters in a row, each
 * without padding, are the endpoint's *key vector*, from which both sides derive the association's keys (§6.1).
 */
import { DecodeError } from "../wire/errors.ts";
import { Reader } from "../wire/reader.ts";
import { Writer } from "../wire/writer.ts";
import { hmacOctets } from "./auth_chunk.ts";
import { ChunkType } from "./chunk.ts";
import { ParameterType, readParameter } from "./parameters.ts";

/** Octets of the random number; any other length ends the association (§6.1). */
export const RANDOM_OCTETS = 32;

/** The parameters of one side. */
export interface AuthenticationOffer {
  readonly random: Uint8Array;
  /** Chunk types as listed; undefined = the parameter was not sent, which makes another vector than an empty list. */
  readonly chunkTypes: readonly number[] | undefined;
  /** HMAC identifiers in order of preference. */
  readonly hmacIds: readonly number[];
}

/** The key vectors of both sides, once they agree to authenticate. */
export interface KeyVectors {
  readonly local: Uint8Array;
  readonly peer: Uint8Array;
}

/** Chunks that cannot be asked for: they come before there is a key, or outside an association (§3.2). */
const NEVER_AUTHENTICATED: readonly number[] = [
  ChunkType.init,
  ChunkType.initAck,
  ChunkType.shutdownComplete,
  ChunkType.authentication,
];

/** Whether a chunk type may be listed. */
export function mayBeAuthenticated(chunkType: number): boolean {
  return !NEVER_AUTHENTICATED.includes(chunkType);
}

/** Writes the parameters of an INIT or INIT ACK. */
export function writeOffer(writer: Writer, offer: AuthenticationOffer): void {
  const { random, chunkTypes, hmacIds } = offer;
  writer.tlv(ParameterType.random, (w) => w.bytes(random));
  if (chunkTypes !== undefined) {
    writer.tlv(ParameterType.authenticatedChunks, (w) => chunkTypes.forEach((type) => w.u8(type)));
  }
  writer.tlv(ParameterType.hmacAlgorithms, (w) => hmacIds.forEach((id) => w.u16(id)));
}

/** The key vector of an offer: its parameters without any padding. */
export function keyVector(offer: AuthenticationOffer): Uint8Array {
  const { random, chunkTypes, hmacIds } = offer;
  const writer = new Writer(128);
  writer.u16(ParameterType.random);
  writer.u16(4 + random.length);
  writer.bytes(random);
  if (chunkTypes !== undefined) {
    writer.u16(ParameterType.authenticatedChunks);
    writer.u16(4 + chunkTypes.length);
    chunkTypes.forEach((type) => writer.u8(type));
  }
  writer.u16(ParameterType.hmacAlgorithms);
  writer.u16(4 + 2 * hmacIds.length);
  hmacIds.forEach((id) => writer.u16(id));
  return writer.finish();
}

/** Reads a key vector back: what {@linkcode keyVector} wrote. */
export function readKeyVector(vector: Uint8Array): AuthenticationOffer {
  const collector = new OfferCollector();
  for (let at = 0; at < vector.length;) {
    const { type, value, whole } = readParameter(new Reader(vector.subarray(at)));
    collector.take(type, value);
    at += whole.length;
  }
  const { offer } = collector;
  if (offer === undefined) throw new DecodeError("bad-length", "a key vector lacks a parameter", 0);
  return offer;
}

/** Gathers the parameters of an offer while an INIT or INIT ACK is read; of each the first one counts. */
export class OfferCollector {
  #random: Uint8Array | undefined;
  #chunkTypes: number[] | undefined;
  #hmacIds: number[] | undefined;

  /** @returns whether it was one of the three parameters */
  take(type: number, value: Reader): boolean {
    if (type === ParameterType.random) {
      this.#random ??= value.bytes(value.remaining, "random number");
    } else if (type === ParameterType.authenticatedChunks) {
      this.#chunkTypes ??= [...value.view(value.remaining, "chunk types")];
    } else if (type === ParameterType.hmacAlgorithms) {
      this.#hmacIds ??= Array.from({ length: value.remaining >> 1 }, () => value.u16("HMAC identifier"));
    } else {
      return false;
    }
    return true;
  }

  /** The offer; undefined when RANDOM or HMAC-ALGO is missing: then the sender does not authenticate. */
  get offer(): AuthenticationOffer | undefined {
    if (this.#random === undefined || this.#hmacIds === undefined) return undefined;
    return { random: this.#random, chunkTypes: this.#chunkTypes, hmacIds: this.#hmacIds };
  }
}

/** Whether an association can be authenticated with what a peer offers: its random number is judged elsewhere. */
export function usableOffer(offer: AuthenticationOffer | undefined): boolean {
  return offer !== undefined && offer.hmacIds.some((id) => hmacOctets(id) !== undefined);
}
