import { isIpv4 } from "../net.ts";
import type { Instant, IpAddress, PacketMeta, Route } from "../net.ts";
import { sourceAddress } from "./addresses.ts";
import { EndpointAuthentication } from "./auth_endpoint.ts";
import { COOKIE_KEY_OCTETS } from "./cookie.ts";
import type { StackEnvironment } from "./environment.ts";
import type { EndpointSettings } from "./options.ts";
import type { Party } from "./party.ts";
import type { Target } from "./path.ts";
import { SpentTags } from "./spent_tags.ts";

/** One SCTP port with its settings and its associations. */
export class Endpoint {
  /** The caller's name for it. */
  readonly handle: number;
  readonly settings: EndpointSettings;
  /** Keys and algorithms of associations to come. */
  readonly authentication: EndpointAuthentication;
  /** Signs this endpoint's cookies. */
  readonly cookieKey: Uint8Array = new Uint8Array(COOKIE_KEY_OCTETS);
  /** Takes INITs of peers. */
  listening: boolean;
  closing = false;
  /** Tags of parties that are gone while cookies that name them may still come. */
  readonly spentTags: SpentTags = new SpentTags();
  readonly #environment: StackEnvironment;
  readonly #byTag = new Map<number, Party>();
  readonly #byAddress = new Map<string, Party>();

  constructor(handle: number, settings: EndpointSettings, environment: StackEnvironment) {
    this.handle = handle;
    this.settings = settings;
    if (environment.macSha1 === undefined) settings.authentication = false;
    this.authentication = new EndpointAuthentication(settings);
    this.listening = settings.listen;
    this.#environment = environment;
    environment.random(this.cookieKey);
  }

  get port(): number {
    return this.settings.port;
  }

  /** Associations and attempts. */
  get size(): number {
    return this.#byTag.size;
  }

  parties(): Party[] {
    return [...this.#byTag.values()];
  }

  /** The party that a verification tag names. */
  byTag(tag: number): Party | undefined {
    return this.#byTag.get(tag);
  }

  /** The party that has this address and port as its peer's. */
  byAddress(address: IpAddress, port: number): Party | undefined {
    return this.#byAddress.get(addressKey(address, port));
  }

  add(party: Party): void {
    this.#byTag.set(party.localTag, party);
    for (const address of party.peerAddresses) this.addAddress(party, address);
  }

  /** Forgets a party, but for its tag as long as a cookie could make a second association with it. */
  remove(party: Party, now: Instant): void {
    if (party.cookieEndsAt > now) this.spentTags.add(party.localTag, party.cookieEndsAt, now);
    if (this.#byTag.get(party.localTag) === party) this.#byTag.delete(party.localTag);
    for (const address of party.peerAddresses) this.removeAddress(party, address);
  }

  /** A party is found by one more address. */
  addAddress(party: Party, address: IpAddress): void {
    const key = addressKey(address, party.peerPort);
    if (!this.#byAddress.has(key)) this.#byAddress.set(key, party);
  }

  /** A party is not found by an address any more. */
  removeAddress(party: Party, address: IpAddress): void {
    const key = addressKey(address, party.peerPort);
    if (this.#byAddress.get(key) === party) this.#byAddress.delete(key);
  }

  /** The addresses that peers can reach this endpoint at. */
  localAddresses(): readonly IpAddress[] {
    const { addresses } = this.settings;
    return addresses.length > 0 ? addresses : this.#environment.localAddresses();
  }

  /** Whether the endpoint is bound to an address. */
  isBoundTo(address: IpAddress): boolean {
    const { addresses } = this.settings;
    return addresses.length === 0 || addresses.includes(address);
  }

  /** Whether packets to an address come back to this host. */
  isLocal(address: IpAddress): boolean {
    return address.startsWith("127.") || address === "::1" ||
      this.#environment.localAddresses().includes(address);
  }

  /** Whether the endpoint is bound to an address of the family, without which it cannot send there. */
  canReach(address: IpAddress): boolean {
    const { addresses } = this.settings;
    return addresses.length === 0 || addresses.some((bound) => isIpv4(bound) === isIpv4(address));
  }

  /** Where the answer to a packet goes that belongs to no path: back to where it came from. */
  targetOf(meta: PacketMeta): Target {
    const source = this.isBoundTo(meta.destination) ? meta.destination : this.route(meta.source)?.source;
    return { address: meta.source, encapsulationPort: meta.udpPort, source };
  }

  /** The route to a destination, with a source address that this endpoint is bound to. */
  route(destination: IpAddress): Route | undefined {
    return this.routeFrom(destination, this.settings.addresses);
  }

  /** The same with a source address among some; empty = any will do. One that this host has lost is the last choice. */
  routeFrom(destination: IpAddress, bound: readonly IpAddress[]): Route | undefined {
    const route = this.#environment.route(destination);
    if (route === undefined) return undefined;
    if (bound.length > 0 && !bound.includes(route.source)) {
      const local = this.#environment.localAddresses();
      const present = bound.filter((address) => local.includes(address));
      const source = sourceAddress(undefined, destination, present) ??
        sourceAddress(undefined, destination, bound);
      return source === undefined ? undefined : { source, mtu: route.mtu };
    }
    const source = sourceAddress(route.source, destination, bound);
    return source === undefined ? undefined : { source, mtu: route.mtu };
  }
}

function addressKey(address: IpAddress, port: number): string {
  return `${port} ${address}`;
}
