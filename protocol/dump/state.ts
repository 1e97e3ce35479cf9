import type { ElementEntry, Handlespace } from "../handlespace/mod.ts";
import type { IpAddress } from "../net.ts";
import { PeChecksum } from "../param/checksum.ts";

/** Another registrar, as a dump shows it. */
export interface PeerView {
  /** 0 = a static peer whose ID is not known yet. */
  readonly registrarId: number;
  /** Where its ENRP is reached. */
  readonly addresses: readonly IpAddress[];
  /** SCTP port of its ENRP. */
  readonly port: number;
  /** Whether it is known from the command line; absent = a list of peers does not say. */
  readonly isStatic?: boolean | undefined;
  /** Since its last sign of life, in milliseconds; absent = a list of peers does not say, or it never gave one. */
  readonly silentMs?: number | undefined;
}

/** What a registrar knows. Borrows the handlespace: use it before that changes. */
export interface RegistrarState {
  /** Whose knowledge it is. */
  readonly registrarId: number;
  /** The other registrars that it knows. */
  readonly peers: readonly PeerView[];
  /** The pools and elements that it knows. */
  readonly handlespace: Handlespace;
  /** How many unreachable reports about an element count; absent = a registrar does not tell others. */
  readonly unreachableReports?: ((entry: ElementEntry) => number) | undefined;
}

/** All elements in the order of handle tables: pools by length of the handle, then octets; elements by ID. */
export function elementsInOrder({ handlespace }: RegistrarState): ElementEntry[] {
  return handlespace.page(undefined, handlespace.elementCount);
}

/** The peers by ID; those without a known one first. */
export function peersInOrder({ peers }: RegistrarState): PeerView[] {
  return [...peers].sort((a, b) => a.registrarId - b.registrarId);
}

/** The elements of a table, pool by pool. */
export function poolsInOrder(elements: readonly ElementEntry[]): ElementEntry[][] {
  const pools: ElementEntry[][] = [];
  for (const entry of elements) {
    const last = pools.at(-1);
    if (last?.[0]?.pool === entry.pool) last.push(entry);
    else pools.push([entry]);
  }
  return pools;
}

/** The checksum over elements, as presences carry it. */
export function checksumOf(elements: Iterable<ElementEntry>): number {
  const checksum = new PeChecksum();
  for (const { pool, elementId } of elements) checksum.add(pool.poolHandle, elementId);
  return checksum.value;
}
