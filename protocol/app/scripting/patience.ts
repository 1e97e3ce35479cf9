/**
 * How long a side of a session waits for one that takes what it is sent. RSPLIB's time-out is that of one message; here what
 * waits is in the transport, which tells when half of its send buffer is free, and nothing of what is behind that. So a limit
 * may pass, on a slow path, for each piece that may wait there unseen.
 */
import { MAX_SCRIPTING_DATA } from "./messages.ts";

/** Octets of a file that are read at once at most: more than one message, so that a disk is asked less often. */
export const FILE_CHUNK: number = 32 * MAX_SCRIPTING_DATA;

/** Pieces of that length that may wait: a send buffer of 2 MiB, and what was asked for before that was full. */
export const MAX_WAITING_CHUNKS = 6;

/** Pieces that have to go before one that has taken nothing shows that it does: what is above half of that buffer. */
const MAX_BLOCKING_CHUNKS = 4;

/** How many pieces may wait when so many octets have been sent: for room in the send buffer, or to the last. */
export function waitingChunks(sentOctets: number, blocked: boolean): number {
  const most = blocked ? MAX_BLOCKING_CHUNKS : MAX_WAITING_CHUNKS;
  return Math.min(most, Math.max(1, Math.ceil(sentOctets / FILE_CHUNK)));
}
