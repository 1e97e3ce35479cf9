import { isIpv4 } from "../net.ts";
import type { Instant, IpAddress, PathStatus, Route } from "../net.ts";
import { Congestion } from "./congestion.ts";
import { DEFAULT_MTU, MAX_PACKET_OCTETS, MIN_MTU_IPV4, MIN_MTU_IPV6 } from "./limits.ts";
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

const IPV4_HEADER = 20, IPV6_HEADER = 40, UDP_HEADER = 8;

/** A timer that is not running is due at this instant. */
export const NEVER: Instant = Infinity;

/**
 * One address of the peer with all that is measured and counted for it. A path is unconfirmed until the peer has
 * echoed a nonce sent there (RFC 9260 §5.4), and inactive when its error count exceeds the limit (§8.2).
 */
export class Path implements Target {
  readonly index: number;
  readonly address: IpAddress;
  encapsulationPort: number;
  source: IpAddress | undefined = undefined;
  /** Path MTU with IP header. */
  mtu: number = DEFAULT_MTU;

  confirmed = false;
  active = true;
  /** Consecutive time-outs of data and heartbeats. Above 0 the path is potentially failed (RFC 7829). */
  errors = 0;

  readonly timeout: RetransmissionTimeout;
  readonly congestion: Congestion;
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

  /** When the next HEARTBEAT is due, or the answer to the last one is overdue. */
  heartbeatAt: Instant = NEVER;
  /** Nonce of the HEARTBEAT that waits for its answer. */
  nonce: Uint8Array | undefined = undefined;
  nonceSentAt: Instant = 0;

  // What one SACK says of this path; reset at each.
  ackedOctets = 0;
  flightBefore = 0;
  restartT3 = false;
  outstandingSeen = false;
  anyAcked = false;
  newlyAcked = false;
  highestNewlyAcked = 0;

  constructor(
    index: number,
    address: IpAddress,
    encapsulationPort: number,
    route: Route | undefined,
    rto: RtoLimits,
  ) {
    this.index = index;
    this.address = address;
    this.encapsulationPort = encapsulationPort;
    this.timeout = new RetransmissionTimeout(rto);
    this.congestion = new Congestion(this.mtu);
    if (this.takeRoute(route)) this.congestion = new Congestion(this.mtu);
  }

  /**
   * Takes what the host's routing says now; interfaces come and go. The MTU of the first route is taken as it is, later
   * ones can only lower it, since a router may have lowered it already.
   *
   * @returns whether the path MTU has changed
   */
  takeRoute(route: Route | undefined): boolean {
    if (route === undefined) return false;
    this.source = route.source;
    if (this.#routed) return this.lowerMtu(route.mtu);
    this.#routed = true;
    this.mtu = Math.max(this.#smallestMtu, Math.min(route.mtu, MAX_PACKET_OCTETS));
    this.congestion.setMtu(this.mtu);
    return true;
  }

  /** Whether data may be sent here without a second thought. */
  get usable(): boolean {
    return this.confirmed && this.active;
  }

  /** Octets of SCTP packet that fit into the path MTU, a multiple of four. */
  get packetOctets(): number {
    const udp = this.encapsulationPort === 0 ? 0 : UDP_HEADER;
    return this.mtu - (isIpv4(this.address) ? IPV4_HEADER : IPV6_HEADER) - udp & ~3;
  }

  /** Lowers the path MTU to what a router said; never below what every host must take. */
  lowerMtu(mtu: number): boolean {
    const lowered = Math.max(this.#smallestMtu, mtu);
    if (lowered >= this.mtu) return false;
    this.mtu = lowered;
    this.congestion.setMtu(lowered);
    return true;
  }

  /** Starts T3 unless it runs (§6.3.2 R1). */
  startT3(now: Instant): void {
    if (this.t3At === NEVER) this.t3At = now + this.timeout.rtoMs;
  }

  status(primary: Path): PathStatus {
    return {
      address: this.address,
      localAddress: this.source,
      encapsulationPort: this.encapsulationPort,
      state: !this.confirmed ? "unconfirmed" : this.active ? "active" : "inactive",
      primary: this === primary,
      cwnd: Math.floor(this.congestion.cwnd),
      srttMs: this.timeout.srttMs,
      rtoMs: this.timeout.rtoMs,
      mtu: this.mtu,
    };
  }

  get #smallestMtu(): number {
    return isIpv4(this.address) ? MIN_MTU_IPV4 : MIN_MTU_IPV6;
  }
}
