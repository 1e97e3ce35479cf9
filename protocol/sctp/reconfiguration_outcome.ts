/**
 * What a request of this side to reconfigure streams comes to (RFC 6525 §5.2.7 H4-H6): what the peer has done is done here,
 * too, and the user is told.
 */
import type { AssociationParts } from "./association_parts.ts";
import type { OutboundHold } from "./outbound_hold.ts";
import { ReconfigurationResult } from "./reconfiguration_chunk.ts";
import type { ReconfigurationRequest, ReconfigurationResponse } from "./reconfiguration_chunk.ts";
import { tellAssociationReset, tellStreamsAdded, tellStreamsReset } from "./reconfiguration_events.ts";

/** What is to be asked for. */
export interface StreamRequest {
  readonly type: ReconfigurationRequest["type"];
  /** Empty = all. */
  readonly streams: readonly number[];
  /** How many more streams. */
  readonly count: number;
  /** The request of the peer that this one answers. */
  readonly answers: number | undefined;
  /** Messages that wait for the outcome. */
  readonly hold: OutboundHold | undefined;
}

/** A request has been answered for good. */
export function conclude(
  parts: AssociationParts,
  request: StreamRequest,
  result: number,
  tsns: ReconfigurationResponse["tsns"],
): void {
  perform(parts, request, result, tsns);
  if (request.hold !== undefined) parts.outbound.release(request.hold);
}

function perform(
  parts: AssociationParts,
  { type, streams, count }: StreamRequest,
  result: number,
  tsns: ReconfigurationResponse["tsns"],
): void {
  const { outbound, inbound } = parts;
  const { nothingToDo, denied } = ReconfigurationResult;
  const done = result === ReconfigurationResult.performed, performed = done || result === nothingToDo;
  const outcome = performed ? "performed" : result === denied ? "denied" : "failed";
  switch (type) {
    case "resetOutgoing":
      if (performed) outbound.streams.reset(streams);
      return tellStreamsReset(parts, "outgoing", streams, outcome);
    case "resetIncoming": // when the peer does it, or is at it (§5.2.3), its own request tells
      if (done || (performed && !inbound.streams.areFresh(streams))) return;
      return tellStreamsReset(parts, "incoming", streams, outcome);
    case "resetAssociation":
      if (performed && tsns === undefined) return tellAssociationReset(parts, "failed");
      if (performed && tsns !== undefined) restart(parts, tsns.receiver, tsns.sender);
      return tellAssociationReset(parts, outcome);
    case "addOutgoing":
      if (performed) outbound.streams.resize(outbound.streams.count + count);
      return tellStreamsAdded(parts, outcome);
    case "addIncoming": // likewise
      return performed ? undefined : tellStreamsAdded(parts, outcome);
    default:
      return type satisfies never;
  }
}

function restart(parts: AssociationParts, localTsn: number, peerTsn: number): void {
  parts.outbound.restart(localTsn);
  parts.inbound.restart(peerTsn);
  parts.forgetAcknowledgements();
}
