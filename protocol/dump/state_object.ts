import type { ElementEntry } from "../handlespace/mod.ts";
import { formatTransportAddress } from "../net.ts";
import { showId } from "../param/describe.ts";
import type { TransportParameter } from "../param/transport.ts";
import { showText } from "../wire/text.ts";
import { checksumOf, elementsInOrder, peersInOrder, poolsInOrder } from "./state.ts";
import type { PeerView, RegistrarState } from "./state.ts";

/** A registrar's state for programs. IDs are texts such as `0x1234abcd`, checksums as on the wire. */
export interface StateObject {
  readonly registrarId: string;
  readonly poolCount: number;
  readonly elementCount: number;
  readonly ownedCount: number;
  /** Over all elements. */
  readonly checksum: string;
  /** Over those that the registrar owns: what its presences carry. */
  readonly ownershipChecksum: string;
  readonly peers: readonly PeerObject[];
  readonly pools: readonly PoolObject[];
}

/** Another registrar. */
export interface PeerObject {
  readonly registrarId: string;
  /** Addresses and port of its ENRP. */
  readonly addresses: readonly string[];
  readonly isStatic?: boolean;
  readonly silentMs?: number;
  /** Elements that it owns. */
  readonly elementCount: number;
  readonly ownershipChecksum: string;
}

/** A pool, its elements by ID. */
export interface PoolObject {
  /** Printable ASCII, other octets as `\xNN`. */
  readonly poolHandle: string;
  readonly policy: string;
  readonly protocol: string;
  readonly hasControlChannel: boolean;
  readonly elements: readonly ElementObject[];
}

/** An element. */
export interface ElementObject {
  readonly elementId: string;
  readonly homeRegistrarId: string;
  readonly registrationLifeMs: number;
  /** Where its users reach it; not for opaque transports. */
  readonly addresses: readonly string[];
  /** Where registrars reach it. */
  readonly asapAddresses: readonly string[];
  /** Values of its policy, as on the wire. */
  readonly policy: Readonly<Record<string, number>>;
  /** How often it was selected by the registrar that shows it. */
  readonly selections: number;
  /** How many reports that it is unreachable count; a registrar shows its own only. */
  readonly unreachableReports?: number;
}

/** What a registrar knows, as an object for JSON. */
export function stateObject(state: RegistrarState): StateObject {
  const { registrarId, handlespace } = state;
  const elements = elementsInOrder(state);
  const pools = poolsInOrder(elements);
  return {
    registrarId: showId(registrarId),
    poolCount: pools.length,
    elementCount: elements.length,
    ownedCount: handlespace.ownedCount(registrarId),
    checksum: showChecksum(checksumOf(elements)),
    ownershipChecksum: showChecksum(handlespace.checksum(registrarId)),
    peers: peersInOrder(state).map((peer) => peerObject(peer, state)),
    pools: pools.map((pool) => poolObject(pool, state)),
  };
}

function peerObject(peer: PeerView, { handlespace }: RegistrarState): PeerObject {
  const { registrarId, addresses, port, isStatic, silentMs } = peer;
  return {
    registrarId: showId(registrarId),
    addresses: addresses.map((address) => formatTransportAddress({ address, port })),
    ...(isStatic !== undefined && { isStatic }),
    ...(silentMs !== undefined && { silentMs }),
    elementCount: handlespace.ownedCount(registrarId),
    ownershipChecksum: showChecksum(handlespace.checksum(registrarId)),
  };
}

function poolObject(elements: readonly ElementEntry[], state: RegistrarState): PoolObject {
  const { poolHandle, policy, protocol, use } = elements[0]!.pool; // a pool has an element
  return {
    poolHandle: showText(poolHandle),
    policy: policy.name,
    protocol,
    hasControlChannel: use === "data+control",
    elements: elements.map((entry) => elementObject(entry, state)),
  };
}

function elementObject(entry: ElementEntry, { unreachableReports }: RegistrarState): ElementObject {
  const { elementId, homeRegistrarId, registrationLifeMs, userTransport, asapTransport } = entry.element;
  const values = Object.entries(entry.policy).filter(([name, value]) => {
    return name !== "type" && typeof value === "number";
  });
  return {
    elementId: showId(elementId),
    homeRegistrarId: showId(homeRegistrarId),
    registrationLifeMs,
    addresses: addressTexts(userTransport),
    asapAddresses: asapTransport === undefined ? [] : addressTexts(asapTransport),
    policy: Object.fromEntries(values),
    selections: entry.pool.selection.state(entry).selections,
    ...(unreachableReports !== undefined && { unreachableReports: unreachableReports(entry) }),
  };
}

function addressTexts({ addresses, port }: TransportParameter): string[] {
  return addresses.map((address) => formatTransportAddress({ address, port }));
}

function showChecksum(checksum: number): string {
  return `0x${checksum.toString(16).padStart(4, "0")}`;
}
