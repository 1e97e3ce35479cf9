/**
 * Copies of user data out of packets. To allocate a typed array takes longer than everything else that is done for a
 * small message, so small messages share buffers: each is a view of its own octets in a buffer that the messages next to
 * it use, too. A message that its reader keeps for long keeps that buffer alive, which is why the buffers are small.
 */

/** Octets of a shared buffer. */
const SHARED_OCTETS = 16_384;

/** A message longer than this has a buffer of its own: sharing gains little then. */
const LONGEST_SHARED = 2048;

/** Up to here a loop is faster than `set` and `slice`, which are calls out of compiled code. */
const LOOP_COPY_OCTETS = 32;

let shared: Uint8Array<ArrayBuffer> = new Uint8Array(0);
let used = 0;

/**
 * The same octets for a reader that keeps nothing of them: a long message stays where it is, a small one is copied all the
 * same, since that costs no more than to say where it is.
 */
export function lendToReader(source: Uint8Array, from: number, to: number): Uint8Array {
  return to - from > LONGEST_SHARED ? source.subarray(from, to) : copyForReader(source, from, to);
}

/** A copy of the octets from `from` to `to`, for a message that leaves at once for its reader. */
export function copyForReader(source: Uint8Array, from: number, to: number): Uint8Array {
  const length = to - from;
  if (length > LONGEST_SHARED) return source.slice(from, to);
  if (used + length > shared.length) {
    shared = new Uint8Array(SHARED_OCTETS);
    used = 0;
  }
  const start = used;
  used += length;
  if (length > LOOP_COPY_OCTETS) shared.set(source.subarray(from, to), start);
  else for (let i = 0; i < length; i++) shared[start + i] = source[from + i]!;
  return new Uint8Array(shared.buffer, start, length);
}
