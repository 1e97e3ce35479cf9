import type { AssociationId, AssociationStatus } from "../net.ts";
import type { AssociationTerms } from "./association_terms.ts";
import type { EndpointSettings } from "./options.ts";
import type { SharedKeys } from "./shared_keys.ts";

/** All that an association starts with. */
export interface AssociationSeed extends AssociationTerms {
  readonly id: AssociationId;
  /** The `request` of the `connect`; undefined for a peer's association. */
  readonly request: number | undefined;
  /** Settings of the attempt or the association that this one goes on from; absent = those of the endpoint. */
  readonly settings?: EndpointSettings | undefined;
  /** Shared keys of the association that this one takes the place of; absent = those of the endpoint. */
  readonly keys?: SharedKeys | undefined;
}

/** State of an association that has its seed; "closed" is one that is gone. */
export type AssociationState = Exclude<AssociationStatus["state"], "cookie-wait"> | "closed";
