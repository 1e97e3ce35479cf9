/** Waiting that ends: by time, by a signal, by the next turn of the event loop. */
import { CommandError, DarnExitCode } from "./command_error.ts";

/** A promise with an end: by time or by a signal. @throws {CommandError} when the time is over */
export async function within<Result>(
  promise: Promise<Result>,
  timeoutMs: number,
  signal: AbortSignal,
  what: string,
): Promise<Result> {
  const end = Promise.withResolvers<never>();
  const onAbort = () => end.reject(signal.reason);
  const timer = timeoutMs === Infinity ? undefined : setTimeout(() => {
    end.reject(new CommandError(`timeout: no ${what} within ${timeoutMs / 1000} s`, DarnExitCode.timeout));
  }, timeoutMs);
  signal.addEventListener("abort", onAbort);
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([promise, end.promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
    promise.catch(() => {}); // what comes too late is shown as an event
    end.promise.catch(() => {});
  }
}

/** Lets so much time pass. @throws the signal's reason when it comes first */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}

/** Lets the transport and its events have their turn. */
export function settle(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
