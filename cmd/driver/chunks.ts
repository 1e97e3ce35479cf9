/** What streams hand over, piece by piece. */
import type { Readable } from "node:stream";

/** The chunks of a stream until it ends or the signal comes. */
export async function* chunksOf(stream: Readable, signal: AbortSignal): AsyncGenerator<string | Uint8Array> {
  const aborted = Promise.withResolvers<IteratorResult<string | Uint8Array>>();
  const onAbort = () => aborted.resolve({ done: true, value: undefined });
  signal.addEventListener("abort", onAbort);
  if (signal.aborted) onAbort();
  const iterator = stream[Symbol.asyncIterator]() as AsyncIterator<string | Uint8Array>;
  try {
    for (;;) {
      const { done, value } = await Promise.race([iterator.next(), aborted.promise]);
      if (done === true) return;
      yield value;
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    stream.destroy();
  }
}
