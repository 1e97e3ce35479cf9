import type { Instant } from "../net.ts";

/** A timer that is not running; as in path.ts, which this file must not need. */
const NEVER: Instant = Infinity;

/** Where the search for the path MTU stands (RFC 8899 §5.2). */
export type MtuSearchState =
  /** Nothing is looked for: the path MTU is what routes and ICMP messages say. */
  | "disabled"
  /** It is being confirmed that packets of the base size pass. */
  | "base"
  /** Larger packets are tried. */
  | "searching"
  /** Nothing larger passes just now. */
  | "complete"
  /** Not even packets of the base size pass. */
  | "error";

/** What is known of one path's MTU, and what is being tried. All sizes count the IP header. */
export class MtuSearch {
  state: MtuSearchState = "disabled";
  /** When the probe that is out is overdue, or the next thing is to be done. */
  dueAt: Instant = NEVER;
  /** When larger packets are tried again (PMTU_RAISE_TIMER). */
  raiseAt: Instant = NEVER;
  /** The size of the probe that is out, and its nonce; undefined = none is. */
  probedSize = 0;
  nonce: Uint8Array | undefined = undefined;
  /** Probes of that size that were not answered (PROBE_COUNT). */
  probes = 0;
  /** Passes, and the smallest size that is known or believed not to pass. */
  low = 0;
  high = 0;
  /** The upper bound itself has not been tried yet. */
  fresh = false;

  /** Expiries of T3 in a row that took long packets with them (black hole detection), and when the first one was. */
  suspicions = 0;
  suspectedAt: Instant = NEVER;
}
