/** What the user hears of reconfigured streams (RFC 6525 §6.1). */
import type { ReconfigurationOutcome } from "../net.ts";
import type { AssociationParts } from "./association_parts.ts";
import { tsnAdd } from "./serial.ts";

/** Streams were reset, or not. */
export function tellStreamsReset(
  parts: AssociationParts,
  direction: "incoming" | "outgoing",
  streams: readonly number[],
  outcome: ReconfigurationOutcome,
): void {
  parts.emit({ type: "streamsReset", association: parts.id, direction, streams, outcome });
}

/** The association was reset, or not. */
export function tellAssociationReset(
  parts: AssociationParts,
  outcome: ReconfigurationOutcome,
): void {
  const { outbound, inbound } = parts;
  const localTsn = outbound.flight.nextTsn, peerTsn = tsnAdd(inbound.cumulativeTsn, 1);
  parts.emit({ type: "associationReset", association: parts.id, localTsn, peerTsn, outcome });
}

/** There are more streams, or not. */
export function tellStreamsAdded(
  parts: AssociationParts,
  outcome: ReconfigurationOutcome,
): void {
  const { outbound, inbound } = parts;
  parts.emit({
    type: "streamsAdded",
    association: parts.id,
    inboundStreams: inbound.streams.count,
    outboundStreams: outbound.streams.count,
    outcome,
  });
}
