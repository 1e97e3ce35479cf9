/**
 * The addresses of an endpoint while it is open (RFC 6458 §9.1, §8.3.1): what is bound changes at once, associations to
 * come use it; living ones learn of it by ASCONF if they have dynamic addresses (RFC 5061), else they stay as they are.
 */
import { SocketOptionError } from "../net.ts";
import type { Instant, IpAddress } from "../net.ts";
import { Association } from "./association.ts";
import type { Endpoint } from "./endpoint.ts";

/** @throws {SocketOptionError} EINVAL, EADDRNOTAVAIL, EADDRINUSE */
export function addEndpointAddress(endpoint: Endpoint, address: IpAddress, now: Instant): void {
  const { settings } = endpoint;
  if (settings.addresses.length === 0) {
    throw new SocketOptionError("EINVAL", "The endpoint is bound to all addresses of this host already");
  }
  if (settings.addresses.includes(address)) {
    throw new SocketOptionError("EADDRINUSE", `The endpoint is bound to ${address} already`);
  }
  if (!endpoint.isLocal(address)) {
    throw new SocketOptionError("EADDRNOTAVAIL", `${address} is not an address of this host`);
  }
  settings.addresses = [...settings.addresses, address];
  for (const party of endpoint.parties()) {
    if (party instanceof Association) party.dynamic?.add(address, now);
  }
}

/** @throws {SocketOptionError} EINVAL */
export function removeEndpointAddress(endpoint: Endpoint, address: IpAddress, now: Instant): void {
  const { settings } = endpoint;
  if (!settings.addresses.includes(address)) {
    throw new SocketOptionError(
      "EINVAL",
      settings.addresses.length === 0
        ? "The endpoint is bound to all addresses of this host: none can be taken away"
        : `The endpoint is not bound to ${address}`,
    );
  }
  if (settings.addresses.length === 1) {
    throw new SocketOptionError("EINVAL", `${address} is the last address of the endpoint`);
  }
  settings.addresses = settings.addresses.filter((other) => other !== address);
  for (const party of endpoint.parties()) {
    if (party instanceof Association) party.dynamic?.remove(address, now);
  }
}

/** @throws {SocketOptionError} ENOTCONN, EPERM, EADDRNOTAVAIL */
export function askForPrimary(association: Association | undefined, address: IpAddress, now: Instant): void {
  if (association === undefined) throw new SocketOptionError("ENOTCONN", "There is no such association");
  const { dynamic } = association;
  if (dynamic === undefined) {
    const sentence = "The peer cannot be asked: both sides need dynamic addresses and authentication";
    throw new SocketOptionError("EPERM", sentence);
  }
  if (!dynamic.has(address)) {
    throw new SocketOptionError("EADDRNOTAVAIL", `${address} is not an address of this side`);
  }
  dynamic.setPeerPrimary(address, now);
}

/** The host has got or lost addresses, or its routes have changed. */
export function hostAddressesChanged(endpoint: Endpoint, now: Instant): void {
  const { addresses, autoAsconf } = endpoint.settings;
  for (const party of endpoint.parties()) {
    if (!(party instanceof Association)) continue;
    if (addresses.length === 0 && autoAsconf && party.dynamic !== undefined) party.dynamic.hostChanged(now);
    else party.renewRoutes();
  }
}
