import type { PoolElement } from "../param/pool_element.ts";
import { isSamePolicy } from "../param/policy.ts";
import type { TransportParameter } from "../param/transport.ts";

/** Whether two elements are alike in everything that is told of them. */
export function isSameElement(a: PoolElement, b: PoolElement): boolean {
  return a.elementId === b.elementId && a.homeRegistrarId === b.homeRegistrarId &&
    a.registrationLifeMs === b.registrationLifeMs && isSamePolicy(a.policy, b.policy) &&
    isSameTransport(a.userTransport, b.userTransport) && isSameTransport(a.asapTransport, b.asapTransport);
}

function isSameTransport(a: TransportParameter | undefined, b: TransportParameter | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.protocol === b.protocol && a.port === b.port && a.use === b.use &&
    hasSameItems(a.addresses, b.addresses) && serviceCodeOf(a) === serviceCodeOf(b) &&
    hasSameItems(valueOf(a), valueOf(b));
}

function serviceCodeOf(transport: TransportParameter): number {
  return transport.protocol === "dccp" ? transport.serviceCode : 0;
}

function valueOf(transport: TransportParameter): ArrayLike<number> {
  return transport.protocol === "opaque" ? transport.value : [];
}

function hasSameItems<Item>(a: ArrayLike<Item>, b: ArrayLike<Item>): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
