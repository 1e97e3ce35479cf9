import type { AssociationId, TransportAddress } from "../net.ts";

/** What a registrar tells its driver: the stuff of log lines, counters and tests. */
export type RegistrarReport =
  | {
    readonly type: "started";
    readonly registrarId: number;
    readonly asap: readonly TransportAddress[];
  }
  | {
    readonly type: "associationUp";
    readonly association: AssociationId;
    readonly endpoint: "asap" | "enrp";
    readonly peer: readonly TransportAddress[];
  }
  | {
    readonly type: "associationDown";
    readonly association: AssociationId;
    readonly endpoint: "asap" | "enrp";
    readonly reason: string;
  }
  | {
    readonly type: "registered";
    readonly poolHandle: Uint8Array;
    readonly elementId: number;
    readonly association: AssociationId;
    /** Where users reach the element. */
    readonly addresses: readonly TransportAddress[];
    readonly policy: string;
    /** Whether the element was registered before. */
    readonly again: boolean;
  }
  /** A registration was refused. Told once an association, pool and cause. */
  | {
    readonly type: "refused";
    readonly poolHandle: Uint8Array;
    readonly elementId: number;
    readonly association: AssociationId;
    readonly causeCode: number;
    /** The cause in words. */
    readonly reason: string;
  }
  | {
    readonly type: "deregistered";
    readonly poolHandle: Uint8Array;
    readonly elementId: number;
    readonly association: AssociationId;
  }
  | {
    readonly type: "removed";
    readonly poolHandle: Uint8Array;
    readonly elementId: number;
    readonly reason: RemovalReason;
  }
  | {
    readonly type: "resolved";
    readonly poolHandle: Uint8Array;
    readonly association: AssociationId;
    readonly elementIds: readonly number[];
  }
  /** Told once an association and pool. */
  | { readonly type: "poolUnknown"; readonly poolHandle: Uint8Array; readonly association: AssociationId }
  | {
    readonly type: "unreachable";
    readonly poolHandle: Uint8Array;
    readonly elementId: number;
    readonly association: AssociationId;
    /** Reports about this element that count now, this one included. */
    readonly count: number;
    /** So many remove the element. */
    readonly limit: number;
  }
  /** Somebody sent what cannot be read, or does not belong here. Told once an offender. */
  | { readonly type: "offence"; readonly source: string; readonly reason: string }
  /** Somebody met a limit. Told once an offender. */
  | { readonly type: "limit"; readonly source: string; readonly reason: string }
  /** The start is over: a mentor's handlespace was taken, or there is no mentor (RFC 5353 §3.2). */
  | {
    readonly type: "inService";
    /** Whose handlespace was taken; undefined = nobody's. */
    readonly mentorId: number | undefined;
    readonly elementCount: number;
  }
  /** Another registrar is known from now on. */
  | {
    readonly type: "peerUp";
    readonly registrarId: number;
    /** Where its ENRP is reached. */
    readonly addresses: readonly TransportAddress[];
  }
  /** Another registrar is forgotten. */
  | { readonly type: "peerDown"; readonly registrarId: number; readonly reason: PeerDownReason }
  /** A handle table was taken from a peer, whole or what the peer owns. */
  | {
    readonly type: "synchronized";
    readonly registrarId: number;
    /** Why: it is the mentor, or its checksum was not ours. */
    readonly cause: "mentor" | "checksum";
    /** Elements that came with the table. */
    readonly elementCount: number;
    /** Elements that we had, and the peer has not. */
    readonly purgedCount: number;
  }
  /** Somebody, perhaps we, takes over a dead registrar's elements (RFC 5353 §3.5). */
  | {
    readonly type: "takeover";
    readonly stage: "started" | "given-up" | "completed" | "expired" | "cancelled";
    /** Whose elements. */
    readonly targetId: number;
    /** Who takes them over. */
    readonly registrarId: number;
    /** Elements with a new home; 0 unless completed. */
    readonly elementCount: number;
  }
  /** A peer told of an element, or took it back. */
  | {
    readonly type: "updated";
    readonly action: "add" | "delete";
    readonly poolHandle: Uint8Array;
    readonly elementId: number;
    readonly registrarId: number;
  }
  /** A message passed; only from behind a `MessageTap`. The stuff of action logs (reference/rsplib.md §6.4). */
  | MessageReport;

/** A message that was sent or received. */
export interface MessageReport {
  readonly type: "message";
  readonly direction: "send" | "receive";
  readonly protocol: "asap" | "enrp";
  readonly multicast: boolean;
  /** The message's name, as its union has it: "registration", "handleUpdate", … */
  readonly message: string;
  readonly association: AssociationId | undefined;
  /** The octet of flags in its header. */
  readonly flags: number;
  readonly poolHandle: Uint8Array | undefined;
  /** The element that it is about; of several, the first. */
  readonly elementId: number | undefined;
  readonly senderId: number | undefined;
  readonly receiverId: number | undefined;
  readonly targetId: number | undefined;
  /** What a handle update says. */
  readonly update: "add" | "delete" | undefined;
  /** How many elements or registrars are in it, or are asked for. */
  readonly count: number;
  /** The first cause of the error in it; 0 = none. */
  readonly causeCode: number;
}

/** Why a registrar is no peer any more. */
export type PeerDownReason = "silent" | "taken-over" | "restarted" | "stopped" | "limit";

/** Why an element was removed without having deregistered. */
export type RemovalReason =
  | "association lost"
  | "no answer to a keep-alive"
  | "registration expired"
  | "reported unreachable"
  /** Its home registrar said so. */
  | "deleted by its registrar"
  /** Its home registrar did not list it any more. */
  | "unknown to its registrar";
