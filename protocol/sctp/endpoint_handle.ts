import type { AssociationId } from "../net.ts";
import type { Endpoint } from "./endpoint.ts";

/**
 * What a user has of an endpoint: the endpoint with all of its associations but those that were peeled off, or one that
 * was (RFC 6458 §9.2). All handles of an endpoint share its port, which is free when the last of them is closed.
 */
export interface EndpointHandle {
  /** The caller's name for it; events carry it. */
  readonly handle: number;
  readonly endpoint: Endpoint;
  /** The association that was peeled off; undefined = all others. */
  readonly association: AssociationId | undefined;
  closing: boolean;
}
