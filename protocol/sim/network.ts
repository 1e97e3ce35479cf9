import type { Instant, IpAddress, PacketError } from "../net.ts";
import { Prng } from "../machine.ts";
import { assert } from "../wire/assert.ts";
import { EventQueue } from "./event_queue.ts";
import { type HostOptions, SimulatedHost } from "./host.ts";
import type { LinkConditions } from "./link.ts";
import type { PacketFate, PacketObserver, SimulatedPacket } from "./packet.ts";
import { Segment, type SegmentFamilies } from "./segment.ts";
import { Trace } from "./trace.ts";

/** What a simulated network is made from. */
export interface NetworkOptions {
  /** Decides everything that is left to chance. */
  readonly seed: number;
  /**
   * The message authentication code of the hosts' stacks: 32 octets. HMAC-SHA-256, or a quick stand-in where only
   * determinism matters.
   */
  readonly mac: (key: Uint8Array, data: Uint8Array) => Uint8Array;
  /** HMAC-SHA-1, or a stand-in with 20 octets; without it the hosts do not authenticate. */
  readonly macSha1?: (key: Uint8Array, data: Uint8Array) => Uint8Array;
}

const LOOPBACK_DELAY_MS = 0.01;
/** How long a neighbour is looked for before a packet is given up, as Linux does: three times one second. */
const NEIGHBOUR_TIMEOUT_MS = 3000;
/** Octets of a packet that an ICMP message quotes: beyond the chunk header of an INIT, less than any error message. */
const ICMP_QUOTE = 64;
const FATES: readonly PacketFate[] = ["sent", "delivered", "lost", "too-big"];

/**
 * Hosts on IP networks in virtual time. Everything that happens follows from the seed and from what the caller asks
 * for: same seed, same {@linkcode SimulatedNetwork.trace}.
 */
export class SimulatedNetwork {
  /** Chance, for links and scenarios. Hosts have their own generators. */
  readonly prng: Prng;
  /** The digest of all that happened. */
  readonly trace: Trace = new Trace();
  readonly #macs: Pick<NetworkOptions, "mac" | "macSha1">;
  readonly #queue: EventQueue = new EventQueue();
  readonly #hosts: SimulatedHost[] = [];
  readonly #owners: Map<IpAddress, SimulatedHost> = new Map<IpAddress, SimulatedHost>();
  readonly #observers: PacketObserver[] = [];
  #segments = 0;

  constructor(options: NetworkOptions) {
    this.prng = new Prng(options.seed);
    this.#macs = options;
  }

  /** The virtual time in milliseconds. */
  get now(): Instant {
    return this.#queue.now;
  }

  /** How many events wait. */
  get pending(): number {
    return this.#queue.size;
  }

  /** All hosts, in the order they were added. */
  get hosts(): readonly SimulatedHost[] {
    return this.#hosts;
  }

  /** Adds an IP network. */
  addSegment(conditions: Partial<LinkConditions> = {}, families: SegmentFamilies = "both"): Segment {
    return new Segment(++this.#segments, families, conditions);
  }

  /** Adds a host with one interface on each of the segments. */
  addHost(segments: readonly Segment[], options: HostOptions = {}): SimulatedHost {
    const number = this.#hosts.length + 1;
    const host = new SimulatedHost(this, number, segments, this.#macs, this.prng.u32(), options);
    this.#hosts.push(host);
    for (const address of host.addresses) this.#owners.set(address, host);
    return host;
  }

  /** A host has got an address, which stays its own when it loses it; called by hosts. */
  assign(address: IpAddress, host: SimulatedHost): void {
    assert((this.#owners.get(address) ?? host) === host, `${address} is not another host's`);
    this.#owners.set(address, host);
  }

  /** The host that has an address, or had it. */
  ownerOf(address: IpAddress): SimulatedHost | undefined {
    return this.#owners.get(address);
  }

  /** Shows every packet to an observer from now on. */
  observe(observer: PacketObserver): void {
    this.#observers.push(observer);
  }

  /** Lets something happen after a while. */
  schedule(delayMs: number, action: () => void): void {
    this.#queue.schedule(this.now + delayMs, action);
  }

  /**
   * Lets the next event happen.
   *
   * @returns false when nothing waits
   */
  step(): boolean {
    return this.#queue.step();
  }

  /** Lets a span of time pass with all that happens in it. */
  run(spanMs: number): void {
    const until = this.now + spanMs;
    for (let next = this.#queue.next(); next !== undefined && next <= until; next = this.#queue.next()) {
      this.#queue.step();
    }
    this.#queue.advance(until);
  }

  /**
   * Lets events happen until something is so.
   *
   * @param condition looked at after every event
   * @param limitMs how long to wait for it
   * @returns whether it came to be so within the limit
   */
  runUntil(condition: () => boolean, limitMs: number): boolean {
    const until = this.now + limitMs;
    for (;;) {
      if (condition()) return true;
      const next = this.#queue.next();
      if (next === undefined || next > until) break;
      this.#queue.step();
    }
    this.#queue.advance(until);
    return condition();
  }

  /** Sends a packet from a host; called by hosts, and by tests that play an attacker. */
  send(sender: SimulatedHost, packet: SimulatedPacket): void {
    this.#tell(packet, "sent");
    if (
      packet.destination.startsWith("127.") || packet.destination === "::1" || sender.has(packet.destination)
    ) {
      this.schedule(LOOPBACK_DELAY_MS, () => this.#deliver(sender, packet));
      return;
    }
    const segment = sender.segments.find((candidate) => candidate.contains(packet.destination));
    const receiver = this.#owners.get(packet.destination);
    if (segment === undefined) return this.#tell(packet, "lost");
    if (receiver === undefined || !receiver.alive || !receiver.has(packet.destination)) {
      this.#tell(packet, "lost");
      this.schedule(NEIGHBOUR_TIMEOUT_MS, () => {
        sender.acceptError(errorAbout(packet, "host-unreachable", undefined));
      });
      return;
    }
    const carriage = segment.link(sender.number, receiver.number).carry(packet, this.now, this.prng);
    if (carriage.type === "too-big") {
      this.#tell(packet, "too-big");
      const error = errorAbout(packet, "too-big", carriage.mtu);
      return this.schedule(segment.conditions.delayMs, () => sender.acceptError(error));
    }
    if (carriage.arrivals.length === 0) return this.#tell(packet, "lost");
    for (const { at, octets } of carriage.arrivals) {
      const arriving = octets === packet.octets ? packet : { ...packet, octets };
      this.#queue.schedule(at, () => this.#deliver(receiver, arriving));
    }
  }

  /** Sends an ICMP message about a packet back to where it came from; links lose it like any packet. */
  sendIcmp(reporter: SimulatedHost, packet: SimulatedPacket, kind: PacketError["kind"]): void {
    const sender = this.#owners.get(packet.source);
    if (sender === undefined) return;
    const error = errorAbout(packet, kind, undefined);
    if (sender === reporter) return this.schedule(LOOPBACK_DELAY_MS, () => sender.acceptError(error));
    const segment = reporter.segments.find((candidate) => candidate.contains(packet.source));
    const back = segment?.link(reporter.number, sender.number).conditions;
    if (back === undefined || !back.up || this.prng.chance(back.loss)) return;
    this.schedule(back.delayMs, () => sender.acceptError(error));
  }

  #deliver(receiver: SimulatedHost, packet: SimulatedPacket): void {
    const isThere = receiver.alive && receiver.isReachedAt(packet.destination);
    if (!isThere) return this.#tell(packet, "lost");
    this.#tell(packet, "delivered");
    receiver.accept(packet);
  }

  #tell(packet: SimulatedPacket, fate: PacketFate): void {
    const { octets } = packet;
    // A packet's checksum is a digest of it that costs nothing.
    const checksum = octets.length < 12
      ? octets.length
      : octets[8]! << 24 | octets[9]! << 16 | octets[10]! << 8 | octets[11]!;
    this.trace.add(this.now, FATES.indexOf(fate), checksum);
    for (const observer of this.#observers) observer(packet, fate, this.now);
  }
}

function errorAbout(
  packet: SimulatedPacket,
  kind: PacketError["kind"],
  mtu: number | undefined,
): PacketError {
  assert(packet.octets.length > 0, "an ICMP message is about a packet");
  const overUdp = packet.udpDestination !== 0;
  return {
    destination: packet.destination,
    udpPort: packet.udpDestination,
    kind,
    mtu,
    packet: packet.octets.slice(0, ICMP_QUOTE),
    localPort: overUdp ? packet.octets[0]! << 8 | packet.octets[1]! : 0,
  };
}
