import { addressScope, formatTransportAddress, scopeRank } from "../net.ts";
import type { Instant, IpAddress, TransportAddress } from "../net.ts";

/**
 * How many registrars are kept from announces. Anybody may send announces into the group; a hunt needs only a few
 * registrars, so a flood must not grow the list beyond this.
 */
export const MAX_ANNOUNCED_REGISTRARS = 64;

/** How many addresses are kept of one registrar: more than any host of a lab has. */
export const MAX_REGISTRAR_ADDRESSES = 16;

/** A registrar that may be tried. */
export interface RegistrarEntry {
  /** Names the entry within its list. */
  readonly key: string;
  /** At least one address; those that reach farther come first. */
  readonly addresses: readonly IpAddress[];
  readonly port: number;
  /** 0 = not known (a static entry whose registrar was not heard). */
  readonly registrarId: number;
}

/** How long a registrar that failed is left alone. */
export interface RetryPolicy {
  /** After the first failure, in milliseconds; every further one doubles it. */
  readonly initialMs: number;
  readonly maxMs: number;
}

interface KnownRegistrar {
  readonly key: string;
  readonly port: number;
  registrarId: number;
  readonly isStatic: boolean;
  /** When each address is forgotten; those of a static entry never are. */
  readonly addresses: Map<IpAddress, Instant>;
  /** No attempt before this instant: the last one failed. */
  retryAt: Instant;
  failures: number;
}

/**
 * The registrars that a pool element or pool user may ask: static entries and announces heard of late (RFC 5352
 * §3.6). Each remembers its failures, so that a dead one is asked ever less often.
 *
 * A registrar with several interfaces announces itself from each of them. Its announces make one entry, since two
 * connects to one SCTP endpoint would collide.
 */
export class RegistrarList {
  readonly #known = new Map<string, KnownRegistrar>();
  readonly #lifeMs: number;
  readonly #retry: RetryPolicy;
  /** No address expires before; it may be that none does then either. */
  #firstExpiryAt: Instant = Infinity;

  /**
   * @param statics a list of addresses for each static registrar, all with the same port
   * @param lifeMs how long an announce is believed, in milliseconds
   * @param retry how long a registrar that failed is left alone
   */
  constructor(statics: readonly (readonly TransportAddress[])[], lifeMs: number, retry: RetryPolicy) {
    this.#lifeMs = lifeMs;
    this.#retry = retry;
    for (const entry of statics) {
      const first = entry[0];
      if (first === undefined) continue;
      this.#insert(
        formatTransportAddress(first),
        first.port,
        0,
        true,
        entry.map(({ address }) => address),
        Infinity,
      );
    }
  }

  /** How many registrars are known now. */
  size(now: Instant): number {
    this.#dropExpired(now);
    return this.#known.size;
  }

  /**
   * Takes an announce.
   *
   * @param addresses where the registrar is reached
   * @param port SCTP port of its ASAP endpoint
   * @param registrarId its ID; an announce without one (0) is ignored
   */
  announce(addresses: readonly IpAddress[], port: number, registrarId: number, now: Instant): void {
    if (registrarId === 0 || port === 0 || addresses.length === 0) return;
    this.#dropExpired(now);
    this.#vacate(addresses, port, registrarId);
    const known = this.#staticEntry(addresses, port) ?? this.#known.get(announcedKey(registrarId, port));
    if (known === undefined) {
      if (this.#announcedCount() >= MAX_ANNOUNCED_REGISTRARS) return;
      const key = announcedKey(registrarId, port);
      return this.#insert(key, port, registrarId, false, addresses, now + this.#lifeMs);
    }
    if (known.registrarId !== 0 && known.registrarId !== registrarId) {
      // Another process answers at this place: the failures of its predecessor are not its own.
      known.failures = 0;
      known.retryAt = -Infinity;
    }
    known.registrarId = registrarId;
    this.#refresh(known.addresses, addresses, now + this.#lifeMs);
  }

  /** Registrars that may be tried now. */
  candidates(now: Instant): RegistrarEntry[] {
    this.#dropExpired(now);
    return [...this.#known.values()].filter((known) => known.retryAt <= now).map(entryOf);
  }

  /** When the next registrar that failed may be tried again; undefined = none waits. */
  nextRetry(now: Instant): Instant | undefined {
    let next: Instant | undefined;
    for (const { retryAt } of this.#known.values()) {
      if (retryAt > now && (next === undefined || retryAt < next)) next = retryAt;
    }
    return next;
  }

  /**
   * Notes that an attempt failed, or that a registrar did not do its work.
   *
   * @returns for how many milliseconds the registrar is left alone
   */
  failed(key: string, now: Instant): number {
    const known = this.#known.get(key);
    if (known === undefined) return this.#retry.initialMs;
    const waitMs = Math.min(this.#retry.initialMs * 2 ** known.failures, this.#retry.maxMs);
    known.failures++;
    known.retryAt = now + waitMs;
    return waitMs;
  }

  /** Leaves a registrar alone for a time that did nothing wrong. */
  avoid(key: string, until: Instant): void {
    const known = this.#known.get(key);
    if (known !== undefined) known.retryAt = Math.max(known.retryAt, until);
  }

  /** Notes that a registrar answered: it is trusted anew. */
  succeeded(key: string): void {
    const known = this.#known.get(key);
    if (known === undefined) return;
    known.failures = 0;
    known.retryAt = -Infinity;
  }

  #insert(
    key: string,
    port: number,
    registrarId: number,
    isStatic: boolean,
    addresses: readonly IpAddress[],
    expiresAt: Instant,
  ): void {
    const known = {
      key,
      port,
      registrarId,
      isStatic,
      addresses: new Map<IpAddress, Instant>(),
      retryAt: -Infinity,
      failures: 0,
    };
    this.#refresh(known.addresses, addresses, expiresAt);
    this.#known.set(key, known);
  }

  #refresh(kept: Map<IpAddress, Instant>, addresses: readonly IpAddress[], expiresAt: Instant): void {
    for (const address of addresses) {
      const present = kept.get(address);
      if (present === undefined && kept.size >= MAX_REGISTRAR_ADDRESSES) continue;
      if (present === undefined || present < expiresAt) kept.set(address, expiresAt);
    }
    if (expiresAt < this.#firstExpiryAt) this.#firstExpiryAt = expiresAt;
  }

  /** Another registrar answers at these addresses now: whoever was heard there before is gone. */
  #vacate(addresses: readonly IpAddress[], port: number, registrarId: number): void {
    for (const known of this.#known.values()) {
      if (known.isStatic || known.port !== port || known.registrarId === registrarId) continue;
      for (const address of addresses) known.addresses.delete(address);
      if (known.addresses.size === 0) this.#known.delete(known.key);
    }
  }

  #staticEntry(addresses: readonly IpAddress[], port: number): KnownRegistrar | undefined {
    for (const known of this.#known.values()) {
      if (known.isStatic && known.port === port && addresses.some((a) => known.addresses.has(a))) {
        return known;
      }
    }
    return undefined;
  }

  #announcedCount(): number {
    let count = 0;
    for (const { isStatic } of this.#known.values()) if (!isStatic) count++;
    return count;
  }

  #dropExpired(now: Instant): void {
    if (now < this.#firstExpiryAt) return; // nearly every announce ends here
    let firstExpiryAt = Infinity;
    for (const { key, addresses } of this.#known.values()) {
      for (const [address, expiresAt] of addresses) {
        if (expiresAt <= now) addresses.delete(address);
        else if (expiresAt < firstExpiryAt) firstExpiryAt = expiresAt;
      }
      if (addresses.size === 0) this.#known.delete(key);
    }
    this.#firstExpiryAt = firstExpiryAt;
  }
}

function announcedKey(registrarId: number, port: number): string {
  return `${registrarId}/${port}`;
}

function entryOf({ key, port, registrarId, addresses }: KnownRegistrar): RegistrarEntry {
  const reach = (address: IpAddress) => scopeRank(addressScope(address));
  return { key, port, registrarId, addresses: [...addresses.keys()].sort((a, b) => reach(b) - reach(a)) };
}
