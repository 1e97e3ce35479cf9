/** Ctrl+C: the first one asks for an orderly end, the second one does not ask. */

/** Signals that ask for an end. */
const END_SIGNALS: readonly Deno.Signal[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/** Exit codes of a process that ended by a signal, as shells count them. */
const EXIT_CODES: Partial<Record<Deno.Signal, number>> = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };

/** The wish for an end, and the way to stop listening for it. */
export interface EndSignal extends Disposable {
  /** Aborted by the first signal; its reason is the signal's name. */
  readonly signal: AbortSignal;
}

/**
 * Listens for SIGINT, SIGTERM and SIGHUP.
 *
 * @param onSecond called with the exit code when a further one comes: end at once
 */
export function listenForEnd(onSecond: (exitCode: number) => void): EndSignal {
  const controller = new AbortController();
  const listeners = END_SIGNALS.map((name) => {
    const listener = () => {
      if (controller.signal.aborted) onSecond(EXIT_CODES[name] ?? 1);
      else controller.abort(name);
    };
    Deno.addSignalListener(name, listener);
    return { name, listener };
  });
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      for (const { name, listener } of listeners) Deno.removeSignalListener(name, listener);
    },
  };
}
