import { assert } from "../wire/assert.ts";
import type { AssociationParts } from "./association_parts.ts";
import { NEVER } from "./path.ts";

/** What must hold of an association between two calls. */
export class AssociationInvariants {
  readonly #parts: AssociationParts;
  #highestAckSeen: number;

  constructor(parts: AssociationParts) {
    this.#parts = parts;
    this.#highestAckSeen = parts.outbound.cumulativeAck;
  }

  /** The TSNs have begun anew. */
  restart(): void {
    this.#highestAckSeen = this.#parts.outbound.cumulativeAck;
  }

  /**
   * Checks them all.
   *
   * @param nextDeadline when the first timer is due
   * @throws {InvariantError} when something does not hold
   */
  check(nextDeadline: number): void {
    const { association, outbound, inbound, sacks } = this.#parts;
    outbound.checkInvariants();
    inbound.checkInvariants();
    assert(association.state !== "closed", "a closed association is forgotten");
    assert((outbound.cumulativeAck - this.#highestAckSeen | 0) >= 0, "the cumulative ack never goes back");
    this.#highestAckSeen = outbound.cumulativeAck;
    this.#checkSending();
    sacks.checkInvariants();
    this.#checkRepetitions();
    assert(association.scheduledAt <= nextDeadline, "the stack will call before the first timer is due");
  }

  #checkSending(): void {
    const { association, outbound, control, sacks, paths } = this.#parts;
    const { mayCarryData, queuedToSend } = association;
    const waiting = control.length > 0 || (sacks.due && sacks.path.confirmed) ||
      (mayCarryData && outbound.writer.nextPath() !== undefined);
    assert(!waiting || queuedToSend, "what could be sent is about to be");
    if (!outbound.waiting || !mayCarryData || queuedToSend) return;
    const held = !paths.forData().confirmed;
    assert(
      held || paths.list.some((path) => path.t3At !== NEVER),
      "data that waits has something in flight",
    );
  }

  #checkRepetitions(): void {
    const { association: { state }, shutdown, cookieEcho } = this.#parts;
    if (state === "shutdown-sent" || state === "shutdown-ack-sent") {
      assert(shutdown.repeats, "T2 runs while a shutdown waits for its answer");
    }
    if (state === "cookie-echoed") {
      assert(cookieEcho.dueAt !== NEVER, "T1 runs while the cookie waits for its answer");
    }
  }
}
