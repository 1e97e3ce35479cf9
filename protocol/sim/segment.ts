import { type IpAddress, isIpv4 } from "../net.ts";
import { assert } from "../wire/assert.ts";
import { Link, type LinkConditions, PERFECT_LINK } from "./link.ts";

/** Which address families a segment carries. */
export type SegmentFamilies = "v4" | "v6" | "both";

/** Hosts on a segment are numbered like this so that an IPv4 address names each. */
const MAX_HOSTS = 254;
const MAX_GENERATIONS = 255;

/**
 * One IP network: every pair of its hosts has a link in each direction. Addresses follow from the segment's and the
 * host's number: `10.1.0.2` and `fd00:1::2` are the second host on the first segment. A host that gets new addresses
 * there has `10.1.1.2` and `fd00:1::1:2` next, and so on.
 */
export class Segment {
  readonly #number: number;
  readonly #families: SegmentFamilies;
  readonly #links: Map<number, Link> = new Map<number, Link>();
  #conditions: LinkConditions;

  /** @param number 1–255 */
  constructor(number: number, families: SegmentFamilies, conditions: Partial<LinkConditions>) {
    this.#number = number;
    this.#families = families;
    this.#conditions = { ...PERFECT_LINK, ...conditions };
  }

  /** What a link begins with. */
  get conditions(): LinkConditions {
    return this.#conditions;
  }

  /**
   * The addresses of a host on this segment.
   *
   * @param generation 0–255; 0 (default) = those that it begins with
   */
  addressesOf(hostNumber: number, generation: number = 0): IpAddress[] {
    assert(hostNumber >= 1 && hostNumber <= MAX_HOSTS, "a host has a number from 1 to 254");
    assert(generation >= 0 && generation <= MAX_GENERATIONS, "a host has up to 256 addresses of a family");
    const addresses: IpAddress[] = [];
    if (this.#families !== "v6") addresses.push(`10.${this.#number}.${generation}.${hostNumber}`);
    if (this.#families !== "v4") {
      const later = generation === 0 ? "" : `${generation.toString(16)}:`;
      addresses.push(`fd00:${this.#number.toString(16)}::${later}${hostNumber.toString(16)}`);
    }
    return addresses;
  }

  /** Whether packets to this address are for this segment, whether or not somebody has it. */
  contains(address: IpAddress): boolean {
    return isIpv4(address)
      ? this.#families !== "v6" && address.startsWith(`10.${this.#number}.`)
      : this.#families !== "v4" && address.startsWith(`fd00:${this.#number.toString(16)}::`);
  }

  /** The link from one host to another; one direction only. */
  link(from: number, to: number): Link {
    const key = from * 256 + to;
    let link = this.#links.get(key);
    if (link === undefined) {
      link = new Link(this.#conditions);
      this.#links.set(key, link);
    }
    return link;
  }

  /** Changes the conditions of all links of this segment, those to come included. */
  set(change: Partial<LinkConditions>): void {
    this.#conditions = { ...this.#conditions, ...change };
    for (const link of this.#links.values()) link.set(change);
  }
}
