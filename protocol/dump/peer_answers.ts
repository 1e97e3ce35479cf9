import type { EnrpMessage, Presence } from "../enrp/mod.ts";
import type { IpAddress } from "../net.ts";
import { PeChecksum } from "../param/checksum.ts";
import { MAX_TRANSPORT_ADDRESSES } from "../param/transport.ts";

/** What a reader is when a registrar takes it for a peer. */
export interface ReaderIdentity {
  /** Random, not 0. */
  readonly readerId: number;
  /** Where it is reached, at least one: the registrar's messages come by the association that is there already. */
  readonly addresses: readonly IpAddress[];
  readonly port: number;
  /** Whether it wants to go on being a peer. */
  readonly stays: boolean;
}

/** The presence of a reader: a registrar that owns nothing. */
export function readerPresence({ readerId, addresses, port }: ReaderIdentity, receiverId: number): Presence {
  return {
    type: "presence",
    senderId: readerId,
    receiverId,
    replyRequired: false,
    checksum: new PeChecksum().value,
    serverInformation: {
      registrarId: readerId,
      transport: {
        protocol: "sctp",
        port,
        use: "data",
        addresses: addresses.slice(0, MAX_TRANSPORT_ADDRESSES),
      },
    },
  };
}

/**
 * What a reader answers while registrars take it for one of theirs. Takeovers wait for the acknowledgement of every
 * peer (RFC 5353 §3.5.1), so it agrees to each; it knows of no other registrar and has no handle table for anybody who
 * looks for a mentor.
 *
 * @param self the reader
 * @param message what a registrar sent
 * @returns what to send back; undefined = nothing
 */
export function answerAsPeer(self: ReaderIdentity, message: EnrpMessage): EnrpMessage | undefined {
  const ids = { senderId: self.readerId, receiverId: message.senderId };
  switch (message.type) {
    case "initTakeover": {
      // Nobody takes over what owns nothing; a target would have to object by a presence (RFC 5353 §3.5.1).
      const { targetId } = message;
      return targetId === self.readerId ? undefined : { type: "initTakeoverAck", ...ids, targetId };
    }
    case "listRequest":
      return { type: "listResponse", ...ids, rejected: false, servers: [] };
    case "handleTableRequest":
      return { type: "handleTableResponse", ...ids, rejected: true, more: false, pools: [] };
    case "presence":
      // One that leaves lets the registrar forget it.
      return message.replyRequired && self.stays ? readerPresence(self, message.senderId) : undefined;
    default:
      return undefined;
  }
}
