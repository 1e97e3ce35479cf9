/**
 * The messages of ENRP (RFC 5353 §2) as values. On the wire each is
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |     Type      |     Flags     |        Message Length         |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |                       Sender Server's ID                      |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |                      Receiver Server's ID                     |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     :              Fields and parameters, in a fixed order          :
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * @module
 */
import type { OperationError } from "../param/operation_error.ts";
import type { PoolElement } from "../param/pool_element.ts";
import type { PoolHandle } from "../param/pool_handle.ts";
import type { ServerInformation } from "../param/server_information.ts";

/** Type field of each message (RFC 5353 §2). */
export const EnrpType = {
  presence: 0x01,
  handleTableRequest: 0x02,
  handleTableResponse: 0x03,
  handleUpdate: 0x04,
  listRequest: 0x05,
  listResponse: 0x06,
  initTakeover: 0x07,
  initTakeoverAck: 0x08,
  takeoverServer: 0x09,
  error: 0x0a,
} as const;

/** Flags by the messages that have them (RFC 5353 §2). */
export const EnrpFlag = {
  /** R bit of a presence. */
  replyRequired: 0x01,
  /** W bit of a handle table request. */
  ownChildrenOnly: 0x01,
  /** R bit of a handle table response or a list response. */
  rejected: 0x01,
  /** M bit of a handle table response. */
  more: 0x02,
  /** T bit of a handle update (draft-dreibholz-rserpool-enrp-takeover). */
  takeoverSuggested: 0x01,
} as const;

/** What all messages of ENRP have. */
export interface EnrpBase<Type extends keyof typeof EnrpType> {
  /** Which message it is. */
  readonly type: Type;
  /** Registrar ID of the sender. */
  readonly senderId: number;
  /** Registrar ID of the receiver; 0 = everybody, or not known yet. */
  readonly receiverId: number;
}

/** ENRP_PRESENCE (RFC 5353 §2.1): the sender lives, and this is the checksum of what it owns. */
export interface Presence extends EnrpBase<"presence"> {
  /** R bit: the receiver is asked for its own presence. */
  readonly replyRequired: boolean;
  /** PE checksum of the elements whose home is the sender (RFC 5354 §3.15). */
  readonly checksum: number;
  /** Optional for RFC 5353; RSPLIB cannot read the message without it. */
  readonly serverInformation?: ServerInformation | undefined;
}

/** ENRP_HANDLE_TABLE_REQUEST (RFC 5353 §2.2): asks for the handlespace. */
export interface HandleTableRequest extends EnrpBase<"handleTableRequest"> {
  /** W bit: only elements whose home is the receiver. */
  readonly ownChildrenOnly: boolean;
}

/** Some elements of one pool. */
export interface PoolEntry {
  /** Which pool. */
  readonly poolHandle: PoolHandle;
  /** Some or all of its elements. */
  readonly elements: readonly PoolElement[];
}

/** ENRP_HANDLE_TABLE_RESPONSE (RFC 5353 §2.3): the next part of the handlespace. */
export interface HandleTableResponse extends EnrpBase<"handleTableResponse"> {
  /** R bit: the request was rejected; there are no pools then. */
  readonly rejected: boolean;
  /** M bit: there is more; another request gets it. */
  readonly more: boolean;
  /** In no particular order. */
  readonly pools: readonly PoolEntry[];
}

/** ENRP_HANDLE_UPDATE (RFC 5353 §2.4): an element came, changed or went. */
export interface HandleUpdate extends EnrpBase<"handleUpdate"> {
  /** What happened; a changed element is added again. */
  readonly action: "add" | "delete";
  /** T bit (draft-dreibholz-rserpool-enrp-takeover): the receiver is asked to take the element over. Absent = no. */
  readonly takeoverSuggested?: boolean | undefined;
  /** Which pool. */
  readonly poolHandle: PoolHandle;
  /** Complete for "delete", too. */
  readonly element: PoolElement;
}

/** ENRP_LIST_REQUEST (RFC 5353 §2.5): asks for the receiver's peers. */
export interface ListRequest extends EnrpBase<"listRequest"> {}

/** ENRP_LIST_RESPONSE (RFC 5353 §2.6): the sender's peers. */
export interface ListResponse extends EnrpBase<"listResponse"> {
  /** R bit: the request was rejected; there are no servers then. */
  readonly rejected: boolean;
  /** RSPLIB lists the requester and unidentified static peers, too, but not itself. */
  readonly servers: readonly ServerInformation[];
}

/** ENRP_INIT_TAKEOVER (RFC 5353 §2.7): the sender wants to take over the target's elements. */
export interface InitTakeover extends EnrpBase<"initTakeover"> {
  /** Registrar ID of the one that is taken over. */
  readonly targetId: number;
}

/** ENRP_INIT_TAKEOVER_ACK (RFC 5353 §2.8): the sender agrees. */
export interface InitTakeoverAck extends EnrpBase<"initTakeoverAck"> {
  /** Registrar ID of the one that is taken over. */
  readonly targetId: number;
}

/** ENRP_TAKEOVER_SERVER (RFC 5353 §2.9): the sender has taken over. */
export interface TakeoverServer extends EnrpBase<"takeoverServer"> {
  /** Registrar ID of the one that is taken over. */
  readonly targetId: number;
}

/** ENRP_ERROR (RFC 5353 §2.10): the sender could not use a message. */
export interface EnrpError extends EnrpBase<"error"> {
  /** What was wrong. */
  readonly error: OperationError;
}

/** Any message of ENRP. */
export type EnrpMessage =
  | Presence
  | HandleTableRequest
  | HandleTableResponse
  | HandleUpdate
  | ListRequest
  | ListResponse
  | InitTakeover
  | InitTakeoverAck
  | TakeoverServer
  | EnrpError;
