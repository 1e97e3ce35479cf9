/**
 * What users have of endpoints: a handle is an endpoint with all of its associations but those that were peeled off, or
 * one that was (RFC 6458 §9.2). All handles of an endpoint share its port, which is free when the last of them is closed.
 */
import { SocketOptionError } from "../net.ts";
import type { AssociationId } from "../net.ts";
import { StateError } from "../wire/errors.ts";
import { Association } from "./association.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Party } from "./party.ts";

/** One handle. */
export interface EndpointHandle {
  /** The caller's name for it; events carry it. */
  readonly handle: number;
  readonly endpoint: Endpoint;
  /** The association that was peeled off; undefined = all others. */
  readonly association: AssociationId | undefined;
  closing: boolean;
}

/** The handles of one stack. */
export class EndpointHandles {
  readonly #handles = new Map<number, EndpointHandle>();
  /** Those of one association. */
  readonly #peeled = new Map<AssociationId, EndpointHandle>();
  readonly #parties: ReadonlyMap<AssociationId, Party>;

  /** @param parties all that there are */
  constructor(parties: ReadonlyMap<AssociationId, Party>) {
    this.#parties = parties;
  }

  /** @throws {StateError} when the handle is in use */
  add(handle: number, endpoint: Endpoint, association?: AssociationId): void {
    if (this.#handles.has(handle)) throw new StateError(`Endpoint ${handle} is open already`);
    const owner = { handle, endpoint, association, closing: false };
    this.#handles.set(handle, owner);
    if (association !== undefined) this.#peeled.set(association, owner);
  }

  /** @returns whether the endpoint has no other handle */
  delete({ handle, endpoint, association }: EndpointHandle): boolean {
    this.#handles.delete(handle);
    if (association !== undefined) this.#peeled.delete(association);
    return ![...this.#handles.values()].some((other) => other.endpoint === endpoint);
  }

  find(handle: number): EndpointHandle | undefined {
    return this.#handles.get(handle);
  }

  /** @throws {SocketOptionError} EINVAL when it is closed */
  get(handle: number): EndpointHandle {
    const owner = this.#handles.get(handle);
    if (owner === undefined) throw new SocketOptionError("EINVAL", "The endpoint is closed");
    return owner;
  }

  /** The handle that a party belongs to; undefined when it is closed. */
  ownerOf(party: Party): EndpointHandle | undefined {
    return this.#peeled.get(party.id) ?? this.#handles.get(party.endpoint.handle);
  }

  /** The handle that hears of an association of an endpoint. */
  listenerOf(endpoint: Endpoint, association: AssociationId): number {
    if (this.#peeled.size === 0) return endpoint.handle;
    return this.#peeled.get(association)?.handle ?? endpoint.handle;
  }

  /** The association or attempt of a handle; undefined when it is gone, or another handle's. */
  partyOf(owner: EndpointHandle, id: AssociationId): Party | undefined {
    const party = this.#parties.get(id);
    return party !== undefined && this.#owns(owner, party) ? party : undefined;
  }

  /** The same when it is an association. */
  associationOf(owner: EndpointHandle | undefined, id: AssociationId): Association | undefined {
    const party = owner && this.partyOf(owner, id);
    return party instanceof Association ? party : undefined;
  }

  partiesOf(owner: EndpointHandle): Party[] {
    return owner.endpoint.parties().filter((party) => this.#owns(owner, party));
  }

  /** Whether nothing is left of a handle's parties. */
  isIdle(owner: EndpointHandle): boolean {
    return this.#peeled.size === 0 ? owner.endpoint.size === 0 : this.partiesOf(owner).length === 0;
  }

  #owns(owner: EndpointHandle, party: Party): boolean {
    if (owner.association !== undefined) return owner.association === party.id;
    return party.endpoint === owner.endpoint && !this.#peeled.has(party.id);
  }
}
