import type { TransportAddress } from "../net.ts";
import type { RegistrarState } from "./state.ts";

/** What a reader tells its driver. */
export type ReaderReport =
  | { readonly type: "connected"; readonly peer: readonly TransportAddress[] }
  /** The registrar gives its handle table to registrars only, so the reader calls itself one for a while. */
  | { readonly type: "introduced"; readonly registrarId: number }
  /** The registrar has not got the handlespace yet; it is waited for. Told once a reading. */
  | { readonly type: "starting"; readonly registrarId: number }
  /** A part of the handle table came. */
  | {
    readonly type: "part";
    readonly poolCount: number;
    readonly elementCount: number;
    /** With those that came before. */
    readonly poolsSoFar: number;
    readonly elementsSoFar: number;
  }
  /** An element of the table cannot be shown. */
  | {
    readonly type: "refused";
    readonly poolHandle: Uint8Array;
    readonly elementId: number;
    readonly reason: string;
  }
  /** All was read. The state is the driver's from now on. */
  | { readonly type: "state"; readonly state: RegistrarState }
  /** Reading is over, but the reader stays until the registrar has forgotten it, and acknowledges takeovers. */
  | { readonly type: "staying"; readonly registrarId: number }
  /** A reading failed; a reader that repeats tries again. */
  | { readonly type: "failed"; readonly reason: string };
