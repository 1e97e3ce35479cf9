import type { AssociationStatus } from "../net.ts";
import { assert } from "../wire/assert.ts";
import type { AssociationParts } from "./association_parts.ts";

/** What the user may know of an association (RFC 6458 §8.2.1). */
export function associationStatus(parts: AssociationParts): AssociationStatus {
  const { association, seed, outbound, inbound, paths, settings } = parts;
  assert(association.state !== "closed", "a closed association has no status");
  return {
    state: association.state,
    peerPort: association.peerPort,
    outboundStreams: outbound.streams.count,
    inboundStreams: inbound.streams.count,
    peerReceiveWindow: Math.max(0, outbound.peerWindow - outbound.flight.octets),
    queuedOctets: outbound.queuedOctets,
    unacknowledgedChunks: outbound.flight.count,
    pendingMessages: inbound.streams.waitingCount,
    fragmentationPoint: outbound.writer.fragmentOctets,
    localTag: association.localTag,
    peerTag: association.peerTag,
    extensions: seed.extensions,
    paths: paths.list.map((path) => path.status(paths.primary, settings.exposePotentiallyFailed)),
  };
}
