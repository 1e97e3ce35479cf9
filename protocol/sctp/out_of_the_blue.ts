/**
 * Packets that belong to no association (RFC 9260 §8.4). Only the stack that has an endpoint on the port answers, so
 * several stacks on one host do not abort each other's associations.
 */
import { behindAuth } from "./auth_chunk.ts";
import { CauseCode, makeAbort, readCauses } from "./causes.ts";
import { chunkAt, ChunkType, makeChunk, nextChunkAt, TAG_REFLECTED } from "./chunk.ts";
import { MAX_CHUNKS_PER_PACKET } from "./limits.ts";

/** What a chunk in a packet out of the blue asks for, strongest first. */
const Answer = { none: 0, shutdownComplete: 1, quiet: 2, abort: 3 } as const;

/**
 * The chunk that answers a packet out of the blue; it goes with the packet's own verification tag. The rules of §8.4 are
 * asked in their order, each of all chunks: nothing for an ABORT; SHUTDOWN COMPLETE for a SHUTDOWN ACK; nothing for a
 * SHUTDOWN COMPLETE, a COOKIE ACK or an ERROR that a cookie was stale; ABORT for the rest.
 *
 * @param packet a packet that starts with neither INIT nor COOKIE ECHO
 * @returns undefined when the packet must stay unanswered
 * @throws {DecodeError} when a chunk does not fit in the packet
 */
export function answerToStranger(packet: Uint8Array): Uint8Array | undefined {
  let answer: number = Answer.abort;
  let at = behindAuth(packet); // AUTH is not taken into account (RFC 4895 §6.3)
  for (let count = 0; at < packet.length && count < MAX_CHUNKS_PER_PACKET; count++) {
    const chunk = chunkAt(packet, at);
    answer = Math.min(answer, answerTo(chunk));
    at = nextChunkAt(at, chunk.length);
  }
  if (answer === Answer.shutdownComplete) return makeChunk(ChunkType.shutdownComplete, TAG_REFLECTED);
  return answer === Answer.abort ? makeAbort(TAG_REFLECTED) : undefined;
}

function answerTo(chunk: Uint8Array): number {
  switch (chunk[0]) {
    case ChunkType.abort:
      return Answer.none;
    case ChunkType.shutdownAck:
      return Answer.shutdownComplete;
    case ChunkType.shutdownComplete:
    case ChunkType.cookieAck:
      return Answer.quiet;
    case ChunkType.error:
      return readCauses(chunk).some(({ code }) => code === CauseCode.staleCookie)
        ? Answer.quiet
        : Answer.abort;
    default:
      return Answer.abort;
  }
}
