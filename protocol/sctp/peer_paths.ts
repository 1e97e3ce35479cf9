import type { Instant, IpAddress } from "../net.ts";
import type { AssociationParts } from "./association_parts.ts";
import { NEVER, Path } from "./path.ts";

/** The peer's addresses while they change: new paths are proved before use, what was on an old one moves to others. */
export class PeerPaths {
  readonly #parts: AssociationParts;

  constructor(parts: AssociationParts) {
    this.#parts = parts;
  }

  /** Adds an address. It is unconfirmed: nothing but HEARTBEATs goes there until one is answered (F14). */
  add(address: IpAddress, encapsulationPort: number, now: Instant): void {
    const { association, paths, settings, supervision } = this.#parts;
    const route = association.routeTo(address);
    const path = new Path(paths.list.length, address, encapsulationPort, route, settings);
    paths.list.push(path);
    association.peerAddresses.push(address);
    association.endpoint.addAddress(association, address);
    this.#parts.measureFragments();
    this.#tell(path, "added");
    supervision.probe(path, now);
    this.#parts.arm(path.heartbeatAt);
  }

  /** Removes a path; it must not be the last one. Whatever was in flight there is lost, and goes elsewhere (F13). */
  remove(path: Path): void {
    const { association, paths, outbound, sacks, control } = this.#parts;
    path.confirmed = path.active = false; // nobody who still holds it chooses it again
    const rest = paths.list.filter((other) => other !== path);
    const wasPrimary = paths.primary === path;
    if (wasPrimary) paths.primary = best(rest);
    const heir = paths.forData();
    outbound.flight.movePath(path, heir);
    outbound.abandonment.pathLost(path);
    path.t3At = path.heartbeatAt = path.search.dueAt = NEVER;
    path.nonce = path.search.nonce = undefined;
    paths.list.splice(path.index, 1);
    paths.list.forEach((other, index) => other.index = index);
    control.retarget(path, heir);
    if (sacks.path === path) sacks.path = heir;
    const { peerAddresses } = association;
    peerAddresses.splice(peerAddresses.indexOf(path.address), 1);
    association.endpoint.removeAddress(association, path.address);
    this.#parts.measureFragments();
    this.#tell(path, "removed");
    if (wasPrimary) this.#tell(paths.primary, "made-primary");
    this.#parts.wake();
  }

  #tell({ address }: Path, change: "added" | "removed" | "made-primary"): void {
    this.#parts.emit({ type: "path", association: this.#parts.association.id, address, change });
  }
}

/** The primary path when the old one is gone: one that works, else one that is confirmed, else the first. */
function best(paths: readonly Path[]): Path {
  return paths.find((path) => path.usable && path.errors === 0) ?? paths.find((path) => path.usable) ??
    paths.find((path) => path.confirmed) ?? paths[0]!; // the last path is never removed
}
