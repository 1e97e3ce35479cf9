import { isIpv4 } from "../net.ts";
import type { IpAddress } from "../net.ts";

/** The own addresses of an association, as its peer knows them, and as it will (RFC 5061 §5.3). */
export class LocalAddresses {
  /** What the peer knows: it may send there. */
  readonly known: Set<IpAddress>;
  /** The peer is asked to add these; until it has answered, nothing but an ASCONF comes from there (F1). */
  readonly adding: Set<IpAddress> = new Set();
  /** The peer is asked to forget these: packets are still taken there, but none comes from there any more (F4). */
  readonly deleting: Set<IpAddress> = new Set();

  constructor(known: Iterable<IpAddress>) {
    this.known = new Set(known);
  }

  /** Addresses that packets may come from. */
  get sources(): readonly IpAddress[] {
    return [...this.known].filter((address) => !this.deleting.has(address));
  }

  /** Whether an address belongs to the association once all is done. */
  has(address: IpAddress): boolean {
    return (this.known.has(address) || this.adding.has(address)) && !this.deleting.has(address);
  }

  /** A known address for the address parameter of an ASCONF; one of the family if there is one. */
  nameFor(destination: IpAddress, source: IpAddress | undefined): IpAddress | undefined {
    if (source !== undefined && this.known.has(source)) return source;
    const all = [...this.known];
    return all.find((address) => isIpv4(address) === isIpv4(destination)) ?? all[0];
  }
}
