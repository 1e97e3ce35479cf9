import type { AssociationId, TransportAddress } from "../net.ts";

/** What both sides of ASAP's clients, pool elements and pool users, tell of their registrar. */
export type RegistrarLinkReport =
  /** No registrar is known: waiting for announces. */
  | { readonly type: "huntWaiting" }
  | { readonly type: "huntConnecting"; readonly registrar: readonly TransportAddress[] }
  | {
    readonly type: "huntFailed";
    readonly registrar: readonly TransportAddress[];
    readonly reason: string;
    /** When this registrar is tried again, in milliseconds from now. */
    readonly retryMs: number;
  }
  | {
    readonly type: "registrarFound";
    readonly association: AssociationId;
    readonly registrar: readonly TransportAddress[];
    /** 0 = not known yet (a static entry says no ID). */
    readonly registrarId: number;
    /** Whether the registrar came to us by a keep-alive with the H bit (takeover). */
    readonly adopted: boolean;
  }
  | {
    readonly type: "registrarLost";
    readonly registrar: readonly TransportAddress[];
    readonly reason: string;
  }
  /** A datagram or message that is no valid ASAP. Told once an offender. */
  | { readonly type: "malformed"; readonly source: string; readonly reason: string };

/** What a pool user tells beyond its registrar. */
export type UserReport =
  | RegistrarLinkReport
  | {
    readonly type: "resolved";
    readonly poolHandle: Uint8Array;
    readonly elementIds: readonly number[];
    readonly fromCache: boolean;
  }
  | { readonly type: "poolUnknown"; readonly poolHandle: Uint8Array }
  | { readonly type: "resolutionFailed"; readonly poolHandle: Uint8Array; readonly reason: string }
  | { readonly type: "unreachableReported"; readonly poolHandle: Uint8Array; readonly elementId: number };
