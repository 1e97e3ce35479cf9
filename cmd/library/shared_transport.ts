/** One transport for all that a program opens with the library: a process has one SCTP. */
import type { EncapsulationChoice, TransportChoice } from "../common_options.ts";
import { openTransport, transportFailure } from "../driver/transport.ts";
import type { Transport } from "../../protocol/net.ts";
import { PoolError } from "./pool_error.ts";

interface Shared {
  readonly transport: Transport;
  users: number;
}

const opened = new Map<string, Shared>();

/** A transport, for as long as it is needed. */
export interface TransportLease {
  readonly transport: Transport;
  /** Closes the transport when nobody else needs it. Idempotent. */
  release(): Promise<void>;
}

/**
 * Opens a transport, or shares the one that is open already. The caller's own one is left open.
 *
 * @throws {PoolError} when there is no SCTP in the way that was asked for
 */
export function leaseTransport(
  choice: TransportChoice | Transport,
  encapsulation: EncapsulationChoice,
): TransportLease {
  if (typeof choice === "object") return { transport: choice, release: () => Promise.resolve() };
  const key = `${choice} ${encapsulation}`;
  let shared = opened.get(key);
  if (shared === undefined) {
    shared = { transport: open(choice, encapsulation), users: 0 };
    opened.set(key, shared);
  }
  shared.users++;
  return { transport: shared.transport, release: releaseOf(key, shared) };
}

/** Tells what went wrong with the network; a fault of this program is thrown as it is. */
export function networkError(error: unknown): PoolError {
  return new PoolError("transport", transportFailure(error), { cause: error });
}

function open(choice: TransportChoice, encapsulation: EncapsulationChoice): Transport {
  try {
    return openTransport(choice, encapsulation);
  } catch (error) {
    throw networkError(error);
  }
}

function releaseOf(key: string, shared: Shared): () => Promise<void> {
  let released: Promise<void> | undefined;
  const release = async () => {
    if (--shared.users > 0) return;
    opened.delete(key);
    await shared.transport.close();
  };
  return () => released ??= release();
}
