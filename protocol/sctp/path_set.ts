import { isIpv4 } from "../net.ts";
import type { IpAddress } from "../net.ts";
import type { Path } from "./path.ts";

/** The paths of an association, and the choice among them (RFC 9260 §6.4, RFC 7829 §5). */
export class PathSet {
  readonly list: Path[] = [];
  primary: Path;

  /** @param first the primary path */
  constructor(first: Path) {
    this.primary = first;
    this.list.push(first);
  }

  /** The path to an address, if it is one of the peer's. */
  find(address: IpAddress): Path | undefined {
    const { primary, list } = this;
    if (primary.address === address) return primary; // mostly it is this one
    for (let i = 0; i < list.length; i++) {
      if (list[i]!.address === address) return list[i];
    }
    return undefined;
  }

  /** The path for new data: the primary one while it works, else the best there is (RFC 7829 §3.2, 3 i). */
  forData(): Path {
    return this.primary.working ? this.primary : this.#best(undefined);
  }

  /** The path for data that the user wants on a certain one: that one while it works (RFC 7829 §3.2, 3 iii). */
  forChoice(wanted: Path): Path {
    return wanted.working ? wanted : this.forData();
  }

  /** The path for data that was lost on another: after a time-out preferably a different one (§6.4.1). */
  forRetransmission(lostOn: Path): Path {
    if (lostOn.confirmed && lostOn.active && lostOn.errors === 0) return lostOn;
    return this.#best(lostOn);
  }

  /**
   * Paths that work before potentially failed ones, and these before inactive ones; among those that do not work few errors
   * before many (RFC 7829 §3.2, 4; §4.1). Among equals another one than the path that failed, one of the same address family,
   * then the primary path, then the order of the list. Two addresses of one family are on two networks, one of each
   * family often share a link: so this is the most divergent pair that §6.4.1 asks for. Never an unconfirmed path (§5.4):
   * data there could be a flood upon a host that never asked for it.
   */
  #best(avoid: Path | undefined): Path {
    let best: Path | undefined;
    for (const path of this.list) {
      if (!path.confirmed) continue;
      if (best === undefined || this.#rank(path, avoid) < this.#rank(best, avoid)) best = path;
    }
    return best ?? this.primary;
  }

  #rank(path: Path, avoid: Path | undefined): number {
    const sameFamily = isIpv4(path.address) === isIpv4((avoid ?? this.primary).address);
    const state = path.working ? 0 : path.active ? 1_000_000 + path.errors * 100 : 1e9 + path.errors * 100;
    return state + (path === avoid ? 10 : 0) + (sameFamily ? 0 : 2) + (path === this.primary ? 0 : 1);
  }
}
