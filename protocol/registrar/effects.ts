import type { AssociationId, EndpointOpened, NetworkEffect, NetworkInput } from "../net.ts";
import type { RegistrarReport } from "./report.ts";

/** What a registrar takes. */
export type RegistrarInput =
  | NetworkInput
  | EndpointOpened
  | { readonly type: "start" }
  | { readonly type: "stop" }
  /** The answer to `measureRoundTrip`. */
  | {
    readonly type: "roundTrip";
    readonly association: AssociationId;
    /** Smoothed round-trip time of the primary path; 0 = not known. */
    readonly roundTripMs: number;
  };

/** What a registrar asks for. `stopped` is its last effect. */
export type RegistrarEffect =
  | NetworkEffect
  | { readonly type: "report"; readonly report: RegistrarReport }
  /** Asks the driver for the round-trip time of an association, for the delay policies; answered by `roundTrip`. */
  | {
    readonly type: "measureRoundTrip";
    readonly endpoint: "asap" | "enrp";
    readonly association: AssociationId;
  }
  | { readonly type: "stopped" };
