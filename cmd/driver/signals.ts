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

/** What {@linkcode listenForEnd} wants to know. */
export interface EndSignalOptions {
  /** Called with the exit code when a further signal comes: end at once. */
  readonly onSecond: (exitCode: number) => void;
  /** The end of a terminal (SIGHUP) is no reason to end. Default false. */
  readonly outlivesTerminal?: boolean;
}

/** Programs in the foreground of this terminal that Ctrl+C is for. */
let foregroundPrograms = 0;

/** Leaves Ctrl+C to a program that was started in the foreground, such as a pager, until that has ended. */
export function leaveInterrupts(): Disposable {
  foregroundPrograms++;
  return { [Symbol.dispose]: () => void foregroundPrograms-- };
}

/** Listens for SIGINT, SIGTERM and SIGHUP. */
export function listenForEnd({ onSecond, outlivesTerminal = false }: EndSignalOptions): EndSignal {
  const controller = new AbortController();
  const listeners = END_SIGNALS.map((name) => {
    const listener = () => {
      if (outlivesTerminal && name === "SIGHUP") return;
      if (foregroundPrograms > 0 && name === "SIGINT") return; // the terminal sends it to both
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
