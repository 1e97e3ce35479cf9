import type { ElementEntry, Handlespace } from "../handlespace/mod.ts";
import type { TransportCommand } from "../net.ts";
import type { PoolElement } from "../param/pool_element.ts";
import type { AssociationRecord } from "./associations.ts";

/** What {@linkcode Distances} needs of the registrar around it. */
export interface DistanceContext {
  readonly handlespace: Handlespace;
  /** Distances are multiples of this. */
  readonly stepMs: number;
  /** Asks for an association's round-trip time; {@linkcode Distances.measured} takes the answer. */
  readonly measure: (record: AssociationRecord) => void;
  /** An element changed: the other registrars have to hear of it. */
  readonly changed: (action: "add", entry: ElementEntry) => void;
}

/** The largest distance that a policy parameter can tell. */
const MAX_DISTANCE_MS = 0xffffffff;

/**
 * How far away elements are, for the policies with a delay penalty factor (draft-dreibholz-rserpool-delay;
 * reference/rsplib.md §2.3). The way to an element of ours is half the round-trip time of its association; to one of
 * a peer it is what the peer tells and the way to the peer. Elements of other policies pass as they are.
 *
 * An association's round-trip time is asked for whenever such an element comes by it, or answers a keep-alive. The
 * answer comes later: until then the last one counts, at first 0.
 */
export class Distances {
  readonly #context: DistanceContext;

  /** @param context the registrar around it */
  constructor(context: DistanceContext) {
    this.#context = context;
  }

  /** An element that registers itself: whatever distance it tells, it cannot know. */
  ofRegistration(record: AssociationRecord, element: PoolElement): PoolElement {
    if (!("distanceMs" in element.policy)) return element;
    record.isMeasured = true;
    this.refresh(record);
    return withDistance(element, record.distanceMs);
  }

  /** An element that a peer tells of, in an update or a handle table. */
  ofPeer(record: AssociationRecord, element: PoolElement): PoolElement {
    if (!("distanceMs" in element.policy)) return element;
    record.isMeasured = true;
    this.refresh(record);
    return withDistance(element, element.policy.distanceMs + record.distanceMs);
  }

  /** Something came by an association: its round-trip time may be another one. */
  refresh(record: AssociationRecord): void {
    if (record.isMeasured) this.#context.measure(record);
  }

  /**
   * A command for a measured association, so that the peer's delayed acknowledgements do not count as distance: they
   * would add 100 ms (RFC 9260 §6.2) to the way of all who have nothing else to send.
   */
  hasten(record: AssociationRecord | undefined, command: TransportCommand): TransportCommand {
    if (command.type !== "send" || record?.isMeasured !== true) return command;
    return { ...command, sackImmediately: true };
  }

  /**
   * The answer to `measure`. Elements that registered by the association move; those that a peer told of move when it
   * tells of them again.
   *
   * @param roundTripMs smoothed round-trip time of the primary path; 0 = not known
   */
  measured(record: AssociationRecord, roundTripMs: number): void {
    const { stepMs, handlespace, changed } = this.#context;
    if (!(roundTripMs > 0)) return;
    const distanceMs = Math.min(Math.round(roundTripMs / 2 / stepMs) * stepMs, MAX_DISTANCE_MS);
    if (distanceMs === record.distanceMs) return;
    record.distanceMs = distanceMs;
    for (const entry of record.entries) {
      if (!("distanceMs" in entry.policy)) continue;
      handlespace.register(entry.pool.poolHandle, withDistance(entry.element, distanceMs));
      changed("add", entry);
    }
  }
}

function withDistance(element: PoolElement, distanceMs: number): PoolElement {
  const { policy } = element;
  if (!("distanceMs" in policy)) return element;
  return { ...element, policy: { ...policy, distanceMs: Math.min(distanceMs, MAX_DISTANCE_MS) } };
}
