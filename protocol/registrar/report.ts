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
  /** Another registrar's presence was heard. Told once a registrar. */
  | { readonly type: "peerHeard"; readonly registrarId: number; readonly source: TransportAddress };

/** Why an element was removed without having deregistered. */
export type RemovalReason =
  | "association lost"
  | "no answer to a keep-alive"
  | "registration expired"
  | "reported unreachable";
