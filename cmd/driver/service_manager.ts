/** Tells the service manager that has started this process how it is; see sd_notify(3). */
import { sendUnixDatagram } from "../../ffi/unix_datagram.ts";

/** A service manager that listens. */
export interface ServiceManager {
  /** The process serves from now on. */
  ready(): void;
  /** It is about to end. */
  stopping(): void;
}

/**
 * The service manager that listens at a socket.
 *
 * @param path as the manager says it
 * @param onProblem takes a sentence when it cannot be told: it will think that the start has failed
 */
export function serviceManager(path: string, onProblem: (sentence: string) => void): ServiceManager {
  const encoder = new TextEncoder();
  const tell = (state: string) => {
    try {
      sendUnixDatagram(path, encoder.encode(state));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      onProblem(`the service manager at ${path} cannot be told ${state.split("\n", 1)[0]}: ${reason}`);
    }
  };
  let told = false;
  return {
    ready() {
      if (!told) tell("READY=1\nSTATUS=It serves.");
      told = true;
    },
    stopping: () => tell("STOPPING=1\nSTATUS=It ends in order."),
  };
}
