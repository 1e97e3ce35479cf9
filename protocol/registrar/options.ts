import type { HandlespaceLimits } from "../handlespace/mod.ts";
import type { MinimumScope } from "./usable_addresses.ts";

/**
 * How much a registrar takes from others; a test reaches each of them. Beyond a limit a request is refused with cause
 * "out of resources", an association aborted.
 */
export interface RegistrarLimits extends HandlespaceLimits {
  /** Default 10000: as many hosts as an operation scope ever has, each with about 1 KiB here. */
  readonly maxAssociations?: number;
  /** Elements registered over one association. Default 128: a process has one; a load generator some more. */
  readonly maxElementsPerAssociation?: number;
}

/** What a registrar is. Times are in milliseconds; defaults are RSPLIB's (reference/rsplib.md §1.3) unless said otherwise. */
export interface RegistrarOptions extends RegistrarLimits {
  /** 32 bits, random, not 0. */
  readonly registrarId: number;
  /** Seeds jitter and the random policies. */
  readonly seed: number;
  /** Mean time between announces, ±12.5 %. Default 1000. */
  readonly announceIntervalMs?: number;
  /** Between a sign of life of an element and the next keep-alive. Default 5000. */
  readonly keepAliveIntervalMs?: number;
  /** An element that does not answer a keep-alive for so long is removed. Default 5000. */
  readonly keepAliveTimeoutMs?: number;
  /** So many unreachable reports within {@linkcode RegistrarOptions.reportMemoryMs} remove an element. Default 3. */
  readonly maxBadReports?: number;
  /** How long an unreachable report counts. RSPLIB never forgets one. Default 60000. */
  readonly reportMemoryMs?: number;
  /** Elements in a resolution response when the pool user does not say. Default 3. */
  readonly maxResolutionItems?: number;
  /** Addresses of which scope are given to pool users. Default "auto". */
  readonly minAddressScope?: MinimumScope;
}
