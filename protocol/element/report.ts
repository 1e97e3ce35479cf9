import type { RegistrarLinkReport } from "../user/report.ts";

/** What a pool element tells of its registration and its registrar. */
export type ElementReport =
  | RegistrarLinkReport
  | {
    readonly type: "registered";
    readonly poolHandle: Uint8Array;
    readonly elementId: number;
    /** 0 = the registrar's ID is not known yet. */
    readonly registrarId: number;
    /** Whether this only refreshed a registration. */
    readonly again: boolean;
  }
  | {
    readonly type: "registrationRefused";
    readonly poolHandle: Uint8Array;
    readonly elementId: number;
    /** RFC 5354 §3.12 or RSPLIB's private causes; 0 = none was given. */
    readonly causeCode: number;
    /** The cause in words. */
    readonly reason: string;
    /** When the next attempt is made, in milliseconds from now; undefined = never. */
    readonly retryMs: number | undefined;
  }
  | {
    readonly type: "deregistered";
    readonly poolHandle: Uint8Array;
    readonly elementId: number;
    /** False = no registrar confirmed it; the registration ends by its life. */
    readonly confirmed: boolean;
  }
  | {
    readonly type: "keepAlive";
    readonly elementId: number;
    readonly registrarId: number;
    readonly home: boolean;
  };
