import type { ElementEntry } from "../handlespace/mod.ts";
import { TimerQueue } from "../machine.ts";
import { formatTransportAddresses, transportAddresses } from "../net.ts";
import type { AssociationDown, Instant, IpAddress } from "../net.ts";
import type { AssociationRecord } from "./associations.ts";

/**
 * Processes of other registrars' elements that are probed at a time. Whoever reports elements could make us connect to
 * them; beyond this a report is only counted.
 */
export const MAX_PARALLEL_PROBES = 16;

/** What probes need of the registrar around them. */
export interface ProbeContext {
  /** An element that is not reached for so long is dead; one that is reached is not probed again for so long. */
  readonly timeoutMs: number;
  /** Connects from the ASAP endpoint. Answered by {@linkcode Probes.up} or {@linkcode Probes.failed}. */
  readonly connect: (request: number, addresses: readonly IpAddress[], port: number) => void;
  /** Sends a keep-alive without the H bit. */
  readonly ask: (entry: ElementEntry, record: AssociationRecord) => void;
  /** Ends an association, unless it is gone or has become an element's own. */
  readonly shutdown: (record: AssociationRecord) => void;
  /** An element could not be reached. It may be gone already, or have another home. */
  readonly unreachable: (entry: ElementEntry) => void;
}

/** One look at the process of some elements. */
interface Probe {
  readonly key: string;
  readonly request: number;
  readonly entries: Set<ElementEntry>;
  /** The association that reached it. */
  record: AssociationRecord | undefined;
}

/**
 * Looks for other registrars' elements that were reported unreachable (RFC 5352 §3.5: the registrar that gets the report
 * asks the element, whoever its home is).
 *
 * A keep-alive that can be delivered is enough. Its acknowledgement is not waited for, since RSPLIB's elements send it to
 * their home registrar, whoever asked.
 *
 *     connecting --up--> (keep-alives sent) reached --time--> (association shut down)
 *         \--failed, or time--> (elements unreachable)
 */
export class Probes {
  readonly #context: ProbeContext;
  readonly #probes = new Map<string, Probe>();
  readonly #byRequest = new Map<number, Probe>();
  readonly #timers = new TimerQueue<Probe>();
  #lastRequest = 0;

  /** @param context the registrar around it */
  constructor(context: ProbeContext) {
    this.#context = context;
  }

  /** Looks for an element, unless its process is looked for already, or was found just now. */
  begin(entry: ElementEntry, now: Instant): void {
    const { asapTransport } = entry.element;
    if (asapTransport?.protocol !== "sctp" || asapTransport.addresses.length === 0) return;
    const { addresses, port } = asapTransport;
    const key = formatTransportAddresses(transportAddresses(addresses, port));
    const present = this.#probes.get(key);
    if (present !== undefined) {
      if (present.record === undefined) present.entries.add(entry);
      return;
    }
    if (this.#probes.size >= MAX_PARALLEL_PROBES) return;
    const probe: Probe = { key, request: --this.#lastRequest, entries: new Set([entry]), record: undefined };
    this.#probes.set(key, probe);
    this.#byRequest.set(probe.request, probe);
    this.#timers.set(probe, now + this.#context.timeoutMs);
    this.#context.connect(probe.request, addresses, port);
  }

  /** Whether a connect was made here. Such requests are negative, those of adoptions at the same endpoint positive. */
  owns(request: number): boolean {
    return request < 0;
  }

  /** A connect succeeded: the elements live. */
  up(request: number, record: AssociationRecord): void {
    const { ask, shutdown } = this.#context;
    const probe = this.#byRequest.get(request);
    if (probe === undefined) return shutdown(record); // it came too late
    probe.record = record;
    for (const entry of probe.entries) ask(entry, record);
  }

  /** A connect failed. One that our own side refuses has an association already: that is as good as being reached. */
  failed(request: number, { reason, origin }: AssociationDown): void {
    const probe = this.#byRequest.get(request);
    if (probe === undefined) return;
    this.#end(probe);
    if (reason === "refused" && origin === "local") return;
    for (const entry of probe.entries) this.#context.unreachable(entry);
  }

  /** A connect succeeded, but there was no room for the association, or it ended at once: neither says anything about the elements. */
  turnedAway(request: number): void {
    const probe = this.#byRequest.get(request);
    if (probe !== undefined) this.#end(probe);
  }

  /** Runs what is due. */
  tick(now: Instant): void {
    const { unreachable, shutdown } = this.#context;
    for (let probe = this.#timers.takeDue(now); probe !== undefined; probe = this.#timers.takeDue(now)) {
      this.#end(probe);
      if (probe.record !== undefined) shutdown(probe.record);
      else for (const entry of probe.entries) unreachable(entry);
    }
  }

  /** When something is due. */
  nextTimeout(): Instant | undefined {
    return this.#timers.next();
  }

  /** Forgets everything: the registrar stops. */
  stop(): void {
    for (const probe of [...this.#probes.values()]) this.#end(probe);
  }

  #end(probe: Probe): void {
    this.#timers.clear(probe);
    this.#probes.delete(probe.key);
    this.#byRequest.delete(probe.request);
  }
}
