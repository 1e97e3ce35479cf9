import { writeAsap } from "../asap/mod.ts";
import type { Prng } from "../machine.ts";
import type { Instant } from "../net.ts";
import type { RegistrarStatistics } from "./statistics.ts";

/** Announces come at the interval ±12.5 %, so that registrars started together drift apart. */
const JITTER = 0.125;

/** What the announces need of the registrar around them. */
export interface AnnouncesContext {
  readonly registrarId: number;
  readonly intervalMs: number;
  readonly random: Prng;
  readonly statistics: RegistrarStatistics;
  /** Sends a datagram to the group of announces. */
  readonly multicast: (data: Uint8Array) => void;
}

/**
 * ASAP_SERVER_ANNOUNCE (RFC 5352 §3.6): the datagram's source says where we are. RFC 5352 stretches the interval by the
 * number of other registrars; this one keeps it, as RSPLIB's does, since pool users believe an announce for 5 s
 * (T7-ENRPoutdate) and would forget the registrars of a large scope.
 */
export class Announces {
  readonly #context: AnnouncesContext;
  #dueAt: Instant | undefined;

  /** @param context the registrar around them */
  constructor(context: AnnouncesContext) {
    this.#context = context;
  }

  /** Starts the cycle with an announce. */
  start(now: Instant): void {
    const { registrarId, intervalMs, random, statistics, multicast } = this.#context;
    statistics.announces++;
    multicast(writeAsap({ type: "serverAnnounce", registrarId }));
    this.#dueAt = now + intervalMs * (1 + JITTER * (2 * random.uniform() - 1));
  }

  /** Ends the cycle. */
  stop(): void {
    this.#dueAt = undefined;
  }

  /** Runs what is due. */
  tick(now: Instant): void {
    if (this.#dueAt !== undefined && this.#dueAt <= now) this.start(now);
  }

  /** When something is due. */
  nextTimeout(): Instant | undefined {
    return this.#dueAt;
  }
}
