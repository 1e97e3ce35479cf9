/**
 * Stream reconfiguration (RFC 6525) on kernel SCTP: what a user asks for. What comes of it the kernel tells by
 * notifications; what it refuses at once is told in the same way.
 *
 * @module
 */
import type { AddStreamsCommand, ResetStreamsCommand, TransportEvent } from "../protocol/net.ts";
import { SctpOption } from "./kernel_abi.ts";
import type { KernelAssociation } from "./kernel_association.ts";
import { Protocol } from "./structs.ts";

/** srs_flags */
const RESET_FLAGS = { incoming: 1, outgoing: 2, both: 3 } as const;

/** A command for streams. */
export type ReconfigurationCommand =
  | ResetStreamsCommand
  | { readonly type: "resetAssociation"; readonly association: number }
  | AddStreamsCommand;

/** Asks the kernel. @returns what is to be told at once: what it refused */
export function reconfigure(
  association: KernelAssociation,
  command: ReconfigurationCommand,
  streams: { readonly inboundStreams: number; readonly outboundStreams: number },
): TransportEvent[] {
  const { id } = association;
  switch (command.type) {
    case "resetStreams": {
      if (resetStreams(association, command) === 0) return [];
      const direction = command.direction === "incoming" ? "incoming" : "outgoing";
      return [{
        type: "streamsReset",
        association: id,
        direction,
        streams: command.streams,
        outcome: "failed",
      }];
    }
    case "resetAssociation": {
      const argument = new DataView(new ArrayBuffer(4));
      argument.setInt32(0, association.kernelId, true);
      if (association.socket.set(Protocol.sctp, SctpOption.resetAssociation, argument) === 0) return [];
      return [{ type: "associationReset", association: id, localTsn: 0, peerTsn: 0, outcome: "failed" }];
    }
    default: {
      if (addStreams(association, command) === 0) return [];
      const { inboundStreams, outboundStreams } = streams;
      return [{ type: "streamsAdded", association: id, inboundStreams, outboundStreams, outcome: "failed" }];
    }
  }
}

/** `struct sctp_reset_streams`: id 0, flags 4, number 6, list 8. */
function resetStreams(association: KernelAssociation, command: ResetStreamsCommand): number {
  const { streams, direction } = command;
  const argument = new DataView(new ArrayBuffer(8 + 2 * streams.length));
  argument.setInt32(0, association.kernelId, true);
  argument.setUint16(4, RESET_FLAGS[direction], true);
  argument.setUint16(6, streams.length, true);
  streams.forEach((stream, i) => argument.setUint16(8 + 2 * i, stream, true));
  return association.socket.set(Protocol.sctp, SctpOption.resetStreams, argument);
}

/** `struct sctp_add_streams`: id 0, inbound 4, outbound 6. */
function addStreams(association: KernelAssociation, command: AddStreamsCommand): number {
  const argument = new DataView(new ArrayBuffer(8));
  argument.setInt32(0, association.kernelId, true);
  argument.setUint16(4, command.inbound, true);
  argument.setUint16(6, command.outbound, true);
  return association.socket.set(Protocol.sctp, SctpOption.addStreams, argument);
}
