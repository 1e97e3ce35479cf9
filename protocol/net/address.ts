/** Addresses of IPv4 and IPv6 as canonical text, and what can be told of them. */

/**
 * An IPv4 or IPv6 address in canonical text (RFC 5952, no IPv4-mapped form), so that `===` compares addresses. A
 * link-local IPv6 address carries its zone as a number: `fe80::1%2`.
 */
export type IpAddress = string;

/** An address and a port of SCTP or UDP. */
export interface TransportAddress {
  /** Where the host is. */
  readonly address: IpAddress;
  /** 0–65535 */
  readonly port: number;
}

/** How far an address reaches; ordered by {@linkcode scopeRank}. */
export type AddressScope = "loopback" | "link-local" | "site-local" | "global";

/**
 * The scope of an address (RFC 4291, RFC 4193, RFC 1918, RFC 3927). Unique local and private addresses are
 * site-local.
 *
 * @param address canonical text
 */
export function addressScope(address: IpAddress): AddressScope {
  if (isIpv4(address)) {
    if (address.startsWith("127.")) return "loopback";
    if (address.startsWith("169.254.")) return "link-local";
    const [first, second] = address.split(".").map(Number);
    const privateNetwork = first === 10 || (first === 192 && second === 168) ||
      (first === 172 && second !== undefined && second >= 16 && second < 32);
    return privateNetwork ? "site-local" : "global";
  }
  if (address === "::1") return "loopback";
  const head = Number.parseInt(address.split(":")[0] || "0", 16);
  if ((head & 0xffc0) === 0xfe80) return "link-local";
  if ((head & 0xfe00) === 0xfc00 || (head & 0xffc0) === 0xfec0) return "site-local";
  return "global";
}

/** Whether this is an address of the loopback interface, which means something else on every host. */
export function isLoopback(address: IpAddress): boolean {
  return addressScope(address) === "loopback";
}

/** Whether this stands for all addresses of a host (`::`), or for all of IPv4 (`0.0.0.0`). */
export function isWildcard(address: IpAddress): boolean {
  return address === "0.0.0.0" || address === "::";
}

/** A number that grows with the scope's reach: loopback 0, link-local 1, site-local 2, global 3. */
export function scopeRank(scope: AddressScope): number {
  return ["loopback", "link-local", "site-local", "global"].indexOf(scope);
}

/** Whether the canonical text is an IPv4 address. */
export function isIpv4(address: IpAddress): boolean {
  return !address.includes(":");
}

/**
 * Reads an address as people write it.
 *
 * @param text `10.1.0.1`, `fd01::1`, `::ffff:10.1.0.1`, `fe80::1%2`
 * @returns canonical text, or undefined when it is not an address. Only link-local IPv6 addresses have zones, by number.
 */
export function parseIpAddress(text: string): IpAddress | undefined {
  const octets = ipAddressOctets(text);
  if (octets === undefined) return undefined;
  const address = formatIpAddress(octets);
  const percent = text.indexOf("%");
  if (percent < 0) return address;
  const zone = text.slice(percent);
  const zoned = ZONE.test(zone) && !isIpv4(address) && addressScope(address) === "link-local";
  return zoned ? address + zone : undefined;
}

/** The number of an interface, as Linux counts them: below 2^31. */
const ZONE = /^%[1-9][0-9]{0,8}$/;

/**
 * The octets of an address: 4 or 16.
 *
 * @param text an address, canonical or not; a zone is ignored
 * @returns undefined when the text is not an address
 */
export function ipAddressOctets(text: string): Uint8Array | undefined {
  const percent = text.indexOf("%");
  const bare = percent < 0 ? text : text.slice(0, percent);
  return bare.includes(":") ? ipv6Octets(bare) : ipv4Octets(bare);
}

/**
 * Canonical text of an address. IPv4-mapped IPv6 addresses become IPv4.
 *
 * @param octets 4 or 16 octets
 */
export function formatIpAddress(octets: Uint8Array): IpAddress {
  if (octets.length === 4) return `${octets[0]}.${octets[1]}.${octets[2]}.${octets[3]}`;
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(octets[i]! << 8 | octets[i + 1]!);
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return octets.subarray(12).join(".");
  }
  let bestStart = -1, bestLength = 1; // RFC 5952 §4.2.2: a single zero group is not shortened
  for (let start = 0; start < 8; start++) {
    let end = start;
    while (end < 8 && groups[end] === 0) end++;
    if (end - start > bestLength) [bestStart, bestLength] = [start, end - start];
    if (end > start) start = end;
  }
  const text = (part: number[]) => part.map((group) => group.toString(16)).join(":");
  if (bestStart < 0) return text(groups);
  return `${text(groups.slice(0, bestStart))}::${text(groups.slice(bestStart + bestLength))}`;
}

/** `10.1.0.1:3863` or `[fd01::1]:3863`. */
export function formatTransportAddress({ address, port }: TransportAddress): string {
  return isIpv4(address) ? `${address}:${port}` : `[${address}]:${port}`;
}

/** Several transport addresses of one peer, for people: `10.1.0.1:3863, [fd01::1]:3863`. */
export function formatTransportAddresses(addresses: readonly TransportAddress[]): string {
  return addresses.map(formatTransportAddress).join(", ");
}

/** Pairs each address with the port. */
export function transportAddresses(addresses: readonly IpAddress[], port: number): TransportAddress[] {
  return addresses.map((address) => ({ address, port }));
}

function ipv4Octets(text: string): Uint8Array | undefined {
  const octets = new Uint8Array(4);
  let index = 0, value = 0, digits = 0; // by hand: every message with an address comes along here
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x30 && code <= 0x39) {
      value = 10 * value + code - 0x30;
      if (++digits > 3 || value > 255) return undefined;
    } else {
      if (code !== 0x2e || digits === 0 || index === 3) return undefined;
      octets[index++] = value;
      value = digits = 0;
    }
  }
  if (index !== 3 || digits === 0) return undefined;
  octets[3] = value;
  return octets;
}

/** One pass and one allocation: every address of a message comes along here. */
function ipv6Octets(text: string): Uint8Array | undefined {
  const octets = new Uint8Array(16);
  let at = 0, gapAt = -1, value = 0, digits = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const digit = hexDigit(code);
    if (digit >= 0) {
      value = value << 4 | digit;
      if (++digits > 4) return undefined;
    } else if (code === DOT) { // the group under way is the first number of an embedded IPv4 address, which ends the text
      const embedded = ipv4Octets(text.slice(i - digits));
      if (embedded === undefined || at > 12) return undefined;
      octets.set(embedded, at);
      at += 4;
      digits = 0;
      break;
    } else if (code !== COLON) {
      return undefined;
    } else if (digits > 0) {
      if (at > 14 || i + 1 === text.length) return undefined;
      octets[at++] = value >> 8;
      octets[at++] = value;
      value = digits = 0;
    } else if (i === 0) {
      if (text.charCodeAt(1) !== COLON) return undefined; // else the second colon makes the gap
    } else {
      if (gapAt >= 0) return undefined;
      gapAt = at;
    }
  }
  if (digits > 0) {
    if (at > 14) return undefined;
    octets[at++] = value >> 8;
    octets[at++] = value;
  }
  if (gapAt < 0) return at === 16 ? octets : undefined;
  if (at > 14) return undefined; // a gap stands for at least one group (RFC 4291 §2.2)
  const resumesAt = 16 - (at - gapAt);
  octets.copyWithin(resumesAt, gapAt, at);
  return octets.fill(0, gapAt, resumesAt);
}

const DOT = 0x2e, COLON = 0x3a;

/** The value of a hexadecimal digit; -1 = it is none. */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
