/**
 * What becomes of memory that was freed.
 *
 * glibc gives the end of its heap back to the kernel as soon as 128 KiB of it are free. The buffers of received messages
 * are freed many at a time, by the garbage collector, and needed again at once: each of their pages would be given back,
 * faulted in and zeroed by the kernel over and over.
 *
 * @module
 */
import type { Libc } from "./libc.ts";

/** Parameters of `mallopt` as in malloc.h. */
const M_TRIM_THRESHOLD = -1, M_MMAP_THRESHOLD = -3;

/** So much may stay free at the end of the heap: V8 lets about as much gather between two garbage collections. */
const KEPT_OCTETS = 64 << 20;
/** Up to here blocks come from the heap. glibc adapts it by itself only as long as nothing is set. */
const LONGEST_IN_HEAP = 4 << 20;

let done = false;

/** Lets the C library keep some memory for messages to come. For the whole process; no effect where it is not glibc. */
export function keepFreedMemory({ mallopt }: Libc): void {
  if (done) return;
  done = true;
  mallopt?.(M_TRIM_THRESHOLD, KEPT_OCTETS);
  mallopt?.(M_MMAP_THRESHOLD, LONGEST_IN_HEAP);
}
