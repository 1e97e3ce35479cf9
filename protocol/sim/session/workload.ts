import type { Prng } from "../../machine.ts";
import type { Instant } from "../../net.ts";
import type { WorldApplication } from "../pool/mod.ts";

/** What a workload needs of the world around it. */
export interface WorkloadContext {
  readonly random: Prng;
  /** The virtual time. */
  readonly now: () => Instant;
  /** Something is so that must not be so. */
  readonly violated: (sentence: string) => void;
}

/**
 * An application under test, with what must be true of it: its parts complain as soon as something is wrong. What is to be
 * done is limited, so that it ends when a world is left in peace.
 */
export interface Workload extends WorldApplication {
  /** Work that was done, in units of its own. */
  readonly done: number;
  /** Work that there is in all. */
  readonly total: number;
  /** Failovers that its users went through. */
  readonly failovers: number;
}

/** Makes a workload. */
export type WorkloadMaker = (context: WorkloadContext, users: number) => Workload;
