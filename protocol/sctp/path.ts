import { isIpv4 } from "../net.ts";
import type { Instant, IpAddress, PathState, PathStatus, Route } from "../net.ts";
import { Congestion } from "./congestion.ts";
import type { BurstSettings } from "./congestion.ts";
import { BASE_PACKET_OCTETS, DEFAULT_MTU, MAX_PACKET_OCTETS, MIN_MTU_IPV4, MIN_MTU_IPV6 } from "./limits.ts";
import { MtuSearch } from "./mtu_search.ts";
import type { PathSettings } from "./options.ts";
import { COMMON_HEADER_OCTETS } from "./packet.ts";
import type { RtoLimits } from "./rto.ts";
import { RetransmissionTimeout } from "./rto.ts";

/** Where a packet goes: a path, or an address that is none. */
export interface Target {
  readonly address: IpAddress;
  /** UDP port of the peer; 0 = plain SCTP over IP. */
  encapsulationPort: number;
  /** Source address; undefined = the kernel chooses. */
  source: IpAddress | undefined;
}

/** A path, for a packet that shares its fate with nothing else: what else goes there goes in packets of its own. */
export class LoneTarget implements Target {
  readonly path: Path;
  readonly fragmentation: "never" | undefined;

  constructor(path: Path, fragmentation?: "never") {
    this.path = path;
    this.fragmentation = fragmentation;
  }

  get address(): IpAddress {
    return this.path.address;
  }

  get encapsulationPort(): number {
    return this.path.encapsulationPort;
  }

  get source(): IpAddress | undefined {
    return this.path.source;
  }
}

const IPV4_HEADER = 20, IPV6_HEADER = 40, UDP_HEADER = 8;

/** How a slow start threshold that was never set is shown: it has 32 bits in RFC 6458's structures. */
const UNLIMITED_SSTHRESH = 0xffff_ffff;

/** A timer that is not running is due at this instant. */
export const NEVER: Instant = Infinity;

/**
 * One address of the peer with all that is measured and counted for it. A path is unconfirmed until the peer has
 * echoed a nonce sent there (RFC 9260 §5.4), and inactive when its error count exceeds the limit (§8.2).
 */
export class Path implements Target {
  /** Its place in the list of paths. */
  index: number;
  readonly address: IpAddress;
  encapsulationPort: number;
  source: IpAddress | undefined = undefined;
  /** The association's, or its own when something was set for this path alone. */
  settings: PathSettings;
  /** The same, for packets of one chunk. */
  readonly alone: Target = new LoneTarget(this);
  /** The same, for probes of the path MTU: they are never fragmented. */
  readonly probe: Target = new LoneTarget(this, "never");
  /** Path MTU with IP header, and what the first link allows. */
  mtu: number = DEFAULT_MTU;
  mtuCeiling: number = DEFAULT_MTU;
  readonly search: MtuSearch = new MtuSearch();

  confirmed = false;
  active = true;
  /** Consecutive time-outs of data and heartbeats. */
  errors = 0;

  readonly timeout: RetransmissionTimeout;
  readonly congestion: Congestion;
  readonly #ipHeaderOctets: number;
  #routed = false;
  /** Octets of DATA chunks in flight, last sent on this path. */
  flight = 0;
  /** When T3 expires. */
  t3At: Instant = NEVER;
  /** When data was last sent and last acknowledged here. */
  lastSentAt: Instant = -Infinity;
  lastAckedAt: Instant = -Infinity;
  /** The TSN whose round trip is being measured: one at a time (§6.3.1 C4). */
  timedTsn = 0;
  timing = false;
  /** The next packet of fast retransmissions ignores cwnd (§7.2.4). */
  fastRetransmitting = false;
  /** A FORWARD TSN was sent here and waits for its answer. */
  forwarding = false;

  /** When the next HEARTBEAT is due, or the answer to the last one is overdue. */
  heartbeatAt: Instant = NEVER;
  /** Nonce of the HEARTBEAT that waits for its answer. */
  nonce: Uint8Array | undefined = undefined;
  nonceSentAt: Instant = 0;
  /** When a HEARTBEAT was last answered. */
  heardAt: Instant = -Infinity;
  /** The user has asked for that HEARTBEAT, and is told of its answer. */
  nonceRequested = false;

  /** The longest packet that was acknowledged, and that was lost with T3, since the last expiry of T3. */
  provenOctets = 0;
  lostOctets = 0;

  // What one SACK says of this path; reset at each.
  ackedOctets = 0;
  flightBefore = 0;
  /** It has advanced the cumulative ack, whichever path that was for. */
  advanced = false;
  restartT3 = false;
  outstandingSeen = false;
  anyAcked = false;
  /** Something was acknowledged that went nowhere else, so it must have arrived here (RFC 7829 §3.2, 10). */
  vouched = false;
  /** The same of something that had been given up here, and not been sent again yet: its acknowledgement came late. */
  vouchedLate = false;
  newlyAcked = false;
  highestNewlyAcked = 0;

  constructor(
    index: number,
    address: IpAddress,
    encapsulationPort: number,
    route: Route | undefined,
    settings: PathSettings & RtoLimits & BurstSettings,
  ) {
    this.index = index;
    this.address = address;
    this.#ipHeaderOctets = isIpv4(address) ? IPV4_HEADER : IPV6_HEADER;
    this.encapsulationPort = encapsulationPort;
    this.settings = settings;
    this.timeout = new RetransmissionTimeout(settings);
    this.takeRoute(route);
    this.congestion = new Congestion(this.#pmdcs, settings);
  }

  /**
   * Takes what the host's routing says now; interfaces come and go. The MTU of the first route is taken as it is, unless
   * probes are to find it; later ones can only lower it, since a router may have lowered it already.
   *
   * @returns whether the path MTU has changed
   */
  takeRoute(route: Route | undefined): boolean {
    if (route === undefined) return false;
    this.source = route.source;
    this.mtuCeiling = Math.min(route.mtu, MAX_PACKET_OCTETS);
    if (this.#routed) return this.settings.mtuDiscovery && this.lowerMtu(route.mtu);
    this.#routed = true;
    const { mtuDiscovery, plpmtudProbeIntervalMs } = this.settings;
    const probed = mtuDiscovery && plpmtudProbeIntervalMs > 0;
    this.#setMtu(probed ? Math.min(this.baseMtu, route.mtu) : route.mtu);
    return true;
  }

  /** Whether packets to here have a chance to arrive. */
  get usable(): boolean {
    return this.confirmed && this.active;
  }

  /** Whether something is on its way here that must be acknowledged: T3 runs then, and only then (§6.3.2). */
  get awaitsAnswer(): boolean {
    return this.flight > 0 || this.forwarding;
  }

  /** Whether so many time-outs came in a row that data had better go elsewhere (RFC 7829 §3.2). */
  get potentiallyFailed(): boolean {
    return this.active && this.errors > this.settings.potentiallyFailedMaxRetransmissions;
  }

  /** Whether data may be sent here without a second thought: state "active" of RFC 7829. */
  get working(): boolean {
    return this.confirmed && this.active && this.errors <= this.settings.potentiallyFailedMaxRetransmissions;
  }

  /** Whether idle paths get HEARTBEATs; without them, none that is potentially failed does (RFC 7829 §3.2, 5). */
  get heartbeats(): boolean {
    return this.settings.heartbeats && this.settings.heartbeatIntervalMs > 0;
  }

  /** Octets of SCTP packet that fit into the path MTU, a multiple of four. */
  get packetOctets(): number {
    return this.packetOctetsOf(this.mtu);
  }

  /** The same for another MTU. */
  packetOctetsOf(mtu: number): number {
    return mtu - this.#headerOctets & ~3;
  }

  /** Octets of IP and UDP header. */
  get #headerOctets(): number {
    const udp = this.encapsulationPort === 0 ? 0 : UDP_HEADER;
    return this.#ipHeaderOctets + udp;
  }

  /** The MTU that nearly every path has, with which a search begins (RFC 8899 §5.1.2). */
  get baseMtu(): number {
    return Math.max(this.smallestMtu, BASE_PACKET_OCTETS + this.#headerOctets);
  }

  /** Lowers the path MTU to what a router said; never below what every host must take. */
  lowerMtu(mtu: number): boolean {
    const lowered = Math.max(this.smallestMtu, mtu);
    if (lowered >= this.mtu) return false;
    this.#setMtu(lowered);
    return true;
  }

  /** Sets the path MTU to what the user says (RFC 6458 §8.1.12). */
  fixMtu(mtu: number): void {
    this.#setMtu(mtu);
  }

  #setMtu(mtu: number): void {
    this.mtu = Math.min(Math.max(this.smallestMtu, mtu), MAX_PACKET_OCTETS);
    this.congestion?.setPmdcs(this.#pmdcs); // there is none yet while the path is being made
  }

  /** Most octets of DATA chunks in a packet (RFC 9260 §7.2.1). */
  get #pmdcs(): number {
    return this.packetOctets - COMMON_HEADER_OCTETS;
  }

  /** Starts T3 unless it runs (§6.3.2 R1). */
  startT3(now: Instant): void {
    if (this.t3At === NEVER) this.t3At = now + this.timeout.rtoMs;
  }

  /** @param exposed whether the user wants to know of potentially failed paths (RFC 7829 §3.2, 12) */
  status(primary: Path, exposed: boolean): PathStatus {
    return {
      address: this.address,
      localAddress: this.source,
      encapsulationPort: this.encapsulationPort,
      state: this.#state(exposed),
      primary: this === primary,
      cwnd: Math.floor(this.congestion.cwnd),
      srttMs: this.timeout.srttMs,
      rtoMs: this.timeout.rtoMs,
      mtu: this.mtu,
      ssthresh: Math.min(this.congestion.ssthresh, UNLIMITED_SSTHRESH),
      flightOctets: this.flight,
      errors: this.errors,
    };
  }

  #state(exposed: boolean): PathState {
    if (!this.confirmed) return "unconfirmed";
    if (!this.active) return "inactive";
    return exposed && this.potentiallyFailed ? "potentially-failed" : "active";
  }

  /** The MTU that every path has. */
  get smallestMtu(): number {
    return isIpv4(this.address) ? MIN_MTU_IPV4 : MIN_MTU_IPV6;
  }
}
