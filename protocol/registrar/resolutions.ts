import type { AsapMessage, HandleResolution } from "../asap/mod.ts";
import type { ElementEntry, Handlespace } from "../handlespace/mod.ts";
import { poolKey } from "../handlespace/mod.ts";
import { isLoopback } from "../net.ts";
import type { Instant } from "../net.ts";
import { CauseCode, operationError } from "../param/operation_error.ts";
import type { PoolElement } from "../param/pool_element.ts";
import type { PoolHandle } from "../param/pool_handle.ts";
import type { AssociationRecord } from "./associations.ts";
import type { Offences } from "./offences.ts";
import { PoolRates } from "./pool_rates.ts";
import type { RegistrarReport } from "./report.ts";
import type { RegistrarStatistics } from "./statistics.ts";

/** Most elements in a resolution response, whatever is asked for: RSPLIB's bound too (reference/rsplib.md §3.8). */
export const MAX_RESOLUTION_ITEMS = 128;

/** Octets that the elements of a response may take: the rest of 65535 is for the other parameters. */
const MAX_RESPONSE_OCTETS = 60_000;

/** What resolutions need of the registrar around them. */
export interface ResolutionContext {
  readonly handlespace: Handlespace;
  readonly statistics: RegistrarStatistics;
  /** How many elements a pool user gets that does not say. */
  readonly maxResolutionItems: number;
  /** Resolutions a second that one association may ask of one pool; absent = no limit. */
  readonly maxResolutionRate?: number;
  readonly offences: Offences;
  readonly send: (record: AssociationRecord, message: AsapMessage) => void;
  readonly report: (report: RegistrarReport) => void;
}

/** Tells pool users which elements to use (RFC 5352 §3.3). */
export class Resolutions {
  readonly #context: ResolutionContext;

  /** @param context the registrar around it */
  constructor(context: ResolutionContext) {
    this.#context = context;
  }

  /** Answers an ASAP_HANDLE_RESOLUTION. */
  answer(record: AssociationRecord, { poolHandle, items }: HandleResolution, now: Instant): void {
    const { statistics, send, report, maxResolutionItems, maxResolutionRate } = this.#context;
    if (maxResolutionRate !== undefined) {
      record.resolutions ??= new PoolRates(maxResolutionRate);
      if (!record.resolutions.admits(poolHandle, now)) return this.#refuse(record, poolHandle);
    }
    // The S bit asks for updates of the pool; like RSPLIB's registrar this one grants none (no A bit).
    const count = Math.min(items || maxResolutionItems, MAX_RESOLUTION_ITEMS);
    const elements = this.#select(record, poolHandle, count);
    const first = elements[0];
    if (first === undefined) return this.#nobody(record, poolHandle);
    statistics.resolutions++;
    // RSPLIB's clients cannot do without the policy (reference/rsplib.md §0.3).
    send(record, { type: "handleResolutionResponse", poolHandle, policy: first.policy, elements });
    const elementIds = elements.map(({ elementId }) => elementId);
    report({ type: "resolved", poolHandle, association: record.association, elementIds });
  }

  #select(record: AssociationRecord, poolHandle: PoolHandle, count: number): PoolElement[] {
    const { handlespace } = this.#context;
    const elements = presentable(record, handlespace.select(poolHandle, count) ?? []);
    if (elements.length > 0) return elements;
    // Those whose turn it is are not for this user's eyes; others of the pool may be.
    // Most of them are only looked at: one counts as used, so that round robin goes round.
    const more = handlespace.select(poolHandle, MAX_RESOLUTION_ITEMS, 1) ?? [];
    return presentable(record, more).slice(0, count);
  }

  #nobody(record: AssociationRecord, poolHandle: PoolHandle): void {
    const { statistics, send, report } = this.#context;
    statistics.resolutionsFailed++;
    const error = operationError(CauseCode.unknownPoolHandle);
    send(record, { type: "handleResolutionResponse", poolHandle, elements: [], error });
    if (!record.offends(`unknown ${poolKey(poolHandle)}`)) return;
    report({ type: "poolUnknown", poolHandle, association: record.association });
  }

  /** RSPLIB says "not found" (cause 9), which a user would believe; the RFC's cause for it is 6. */
  #refuse(record: AssociationRecord, poolHandle: PoolHandle): void {
    const { statistics, send, offences } = this.#context;
    statistics.resolutionsFailed++;
    const error = operationError(CauseCode.lackOfResources);
    send(record, { type: "handleResolutionResponse", poolHandle, elements: [], error });
    offences.limit(record, "it resolves too often");
  }
}

/** The elements as this pool user may see them, as many as fit into a message. */
function presentable(record: AssociationRecord, entries: readonly ElementEntry[]): PoolElement[] {
  const elements: PoolElement[] = [];
  let octetCount = 0;
  for (const { element } of entries) {
    const { asapTransport: _, ...shown } = element;
    const { userTransport } = shown;
    // To a user on another host, a loopback address would be itself.
    const addresses = record.overLoopback
      ? userTransport.addresses
      : userTransport.addresses.filter((address) => !isLoopback(address));
    if (userTransport.protocol !== "opaque" && addresses.length === 0) continue;
    octetCount += 80 + 20 * addresses.length; // parameters around them, and the longest address parameters
    if (userTransport.protocol === "opaque") octetCount += userTransport.value.length;
    if (octetCount > MAX_RESPONSE_OCTETS) break;
    elements.push(
      addresses.length === userTransport.addresses.length
        ? shown
        : { ...shown, userTransport: { ...userTransport, addresses } as typeof userTransport },
    );
  }
  return elements;
}
