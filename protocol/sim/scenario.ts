import type { DownReason, EndpointOptions, Instant, IpAddress } from "../net.ts";
import { Prng } from "../machine.ts";
import { assert } from "../wire/assert.ts";
import { AddressMover, type AddressMoves, type Mover } from "./address_moves.ts";
import type { HostOptions, SimulatedHost } from "./host.ts";
import type { LinkConditions } from "./link.ts";
import { type NetworkOptions, SimulatedNetwork } from "./network.ts";
import type { PacketObserver } from "./packet.ts";
import { checkPacket, repairChecksum, WireWatcher } from "./wire_rules.ts";
import { corrupt } from "./link.ts";
import type { Segment, SegmentFamilies } from "./segment.ts";
import { LedgerBook, Talker, type TalkOptions, type TalkSide } from "./talker.ts";

/** Links that fail and come back, one after the other. */
export interface Flaps {
  readonly count: number;
  /** When the first link fails, in milliseconds after the start. */
  readonly firstMs: number;
  /** From one failure to the next. */
  readonly everyMs: number;
  /** How long a link is down. */
  readonly downMs: number;
  /** Only one direction is cut. Default: both. */
  readonly oneWay?: boolean;
  /** All segments fail together. Default: one, chosen by chance. */
  readonly all?: boolean;
}

/** What two hosts go through; plain data, so that a scenario can be printed and repeated. */
export interface Scenario {
  readonly seed: number;
  /** IP networks between the hosts: 1 (default) or more. */
  readonly segments?: number;
  readonly families?: SegmentFamilies;
  readonly link?: Partial<LinkConditions>;
  /** What differs on the way from the server to the client. */
  readonly backLink?: Partial<LinkConditions>;
  readonly clientHost?: HostOptions;
  readonly serverHost?: HostOptions;
  /** The endpoint options of both sides. */
  readonly endpoint?: EndpointOptions;
  /** What differs on the server's side. */
  readonly serverEndpoint?: EndpointOptions;
  readonly client?: TalkOptions;
  readonly server?: TalkOptions;
  /** How the client sends: plain SCTP, UDP, or as the stack finds out (default). */
  readonly encapsulation?: "raw" | "udp" | "auto";
  /** How many of its addresses the client binds. Default: all, without saying so. */
  readonly clientAddresses?: number;
  /** How many of the server's addresses the client knows at first. Default: all. */
  readonly knownAddresses?: number;
  /** Both sides choose another primary path so often. */
  readonly primaryEveryMs?: number;
  /** Associations, each from a client endpoint of its own. Default 1. */
  readonly associations?: number;
  readonly flaps?: Flaps;
  readonly moves?: AddressMoves;
  /** Both sides connect to each other at the same time. */
  readonly simultaneousConnect?: boolean;
  readonly abortAtMs?: number;
  readonly abortBy?: "client" | "server" | "both";
  readonly shutdownAtMs?: number;
  readonly shutdownBy?: "client" | "server" | "both";
  /** The server's host loses its power. */
  readonly crashAtMs?: number;
  /** A blocked event loop on either side: how long, and how often. */
  readonly freezes?: { readonly everyMs: number; readonly spanMs: number };
  /**
   * The share (0–1) of packets of which a damaged copy with a right checksum arrives besides: an attacker on the
   * path, who can do anything to the association but break the stack. Only survival is checked then.
   */
  readonly tampering?: number;
  /** The endpoints are closed after so long. Default 600,000 ms. */
  readonly limitMs?: number;
  /** No progress for so long with work to do and a working link is a stall. Default 120,000 ms. */
  readonly stallMs?: number;
}

/** What came of a scenario. */
export interface ScenarioResult {
  readonly digest: string;
  /** When the last association was gone. */
  readonly endedAtMs: Instant;
  readonly sent: number;
  readonly delivered: number;
  readonly failed: number;
  readonly clientDown: readonly DownReason[];
  readonly serverDown: readonly DownReason[];
  readonly failedConnects: readonly DownReason[];
  readonly packets: number;
  readonly retransmissions: number;
  readonly timeouts: number;
}

/** Port that a scenario's server listens on. */
export const SCENARIO_PORT = 7000;
const CLIENT_PORT = 8000;
const WATCH_INTERVAL_MS = 1000;
/** RTO.Max of an endpoint that says nothing else (RFC 9260 §16). */
const DEFAULT_RTO_MAX_MS = 60_000;
const LINGER_MS = 2000;
const SHA1_OCTETS = 20;
/** Time for the end: linger, then a SHUTDOWN or ABORT that is lost and everything that follows from it. */
const END_LIMIT_MS = 3_600_000;

/**
 * Runs a scenario to its end and checks everything on the way: invariants, packets on the wire, deliveries, progress,
 * and that nothing is left at the end.
 *
 * @param scenario what happens
 * @param mac see {@linkcode NetworkOptions}
 * @param observer sees every packet, for example to record it
 * @param macSha1 HMAC-SHA-1; default: a stand-in made from `mac`
 * @throws {InvariantError} saying what went wrong; virtual time and seed stand in the message
 */
export function runScenario(
  scenario: Scenario,
  mac: NetworkOptions["mac"],
  observer?: PacketObserver,
  macSha1: NetworkOptions["mac"] = (key, data) => mac(key, data).subarray(0, SHA1_OCTETS),
): ScenarioResult {
  const run = new ScenarioRun(scenario, { mac, macSha1 }, observer);
  try {
    return run.finish();
  } catch (error) {
    if (error instanceof Error) {
      error.message = `seed ${scenario.seed} at ${run.now.toFixed(3)} ms: ${error.message}`;
    }
    throw error;
  }
}

class ScenarioRun {
  readonly #scenario: Scenario;
  readonly #network: SimulatedNetwork;
  readonly #segments: Segment[] = [];
  readonly #client: SimulatedHost;
  readonly #server: SimulatedHost;
  readonly #book: LedgerBook = new LedgerBook();
  readonly #watcher: WireWatcher = new WireWatcher();
  readonly #serverTalker: Talker;
  readonly #clientTalkers: Talker[] = [];
  /** Since when a link has been working in both directions without a break. */
  #healthySince: Instant = 0;
  #over = false;

  constructor(
    scenario: Scenario,
    macs: Pick<NetworkOptions, "mac" | "macSha1">,
    observer: PacketObserver | undefined,
  ) {
    this.#scenario = scenario;
    const network = new SimulatedNetwork({ seed: scenario.seed, ...macs });
    this.#network = network;
    const lenient = scenario.tampering !== undefined;
    for (let i = 0; i < (scenario.segments ?? 1); i++) {
      this.#segments.push(network.addSegment(scenario.link, scenario.families));
    }
    this.#client = network.addHost(this.#segments, scenario.clientHost);
    this.#server = network.addHost(this.#segments, scenario.serverHost);
    for (const segment of this.#segments) {
      segment.link(this.#server.number, this.#client.number).set(scenario.backLink ?? {});
    }
    network.observe((packet, fate) => {
      if (fate !== "sent") return;
      // Who tampers with packets can make an end and a cookie come again, and with them old tags and TSNs.
      if (lenient) checkPacket(packet);
      else this.#watcher.sent(packet);
    });
    if (observer !== undefined) network.observe(observer);
    const world = {
      schedule: (delayMs: number, action: () => void) => network.schedule(delayMs, action),
      hostOf: (address: IpAddress) => network.ownerOf(address)?.number,
      onDown: (port: number, peerPort: number) => this.#watcher.forget(port, peerPort),
    };
    const prng = new Prng(scenario.seed ^ 0x5eed);
    const { endpoint, serverEndpoint } = scenario;
    this.#serverTalker = new Talker(
      this.#server,
      { ...endpoint, ...serverEndpoint, port: SCENARIO_PORT, listen: true },
      { messages: 0, ...scenario.server, lenient },
      this.#book,
      { ...world, seed: prng.u32() },
    );
    const listen = scenario.simultaneousConnect === true;
    for (let i = 0; i < (scenario.associations ?? 1); i++) {
      const addresses = this.#client.addresses.slice(0, scenario.clientAddresses ?? 0);
      const options = { ...endpoint, port: CLIENT_PORT + i, listen, addresses };
      const seed = prng.u32();
      this.#clientTalkers.push(
        new Talker(this.#client, options, { ...scenario.client, lenient }, this.#book, { ...world, seed }),
      );
    }
    this.#plan();
  }

  get now(): Instant {
    return this.#network.now;
  }

  finish(): ScenarioResult {
    const limitMs = this.#scenario.limitMs ?? 600_000;
    this.#network.runUntil(() => this.#allDown(), limitMs);
    const talkers = [...this.#clientTalkers, this.#serverTalker];
    for (const talker of talkers) talker.endpoint.close(LINGER_MS);
    const closed = this.#network.runUntil(
      () => talkers.every((talker) => talker.endpoint.closed),
      END_LIMIT_MS,
    );
    assert(closed, "all endpoints are closed in finite time");
    const endedAtMs = this.#network.now;
    this.#over = true;
    this.#network.run(WATCH_INTERVAL_MS);
    this.#checkEnd();
    const downs = (talker: Talker) =>
      talker.sides.flatMap((side) => side.down === undefined ? [] : side.down.reason);
    const total = (
      count: (ledger: { sentCount: number; deliveredCount: number; failedCount: number }) => number,
    ) => this.#book.ledgers.reduce((sum, ledger) => sum + count(ledger), 0);
    const counters = [this.#client.stack.counters, this.#server.stack.counters];
    return {
      digest: this.#network.trace.digest(),
      endedAtMs,
      sent: total((ledger) => ledger.sentCount),
      delivered: total((ledger) => ledger.deliveredCount),
      failed: total((ledger) => ledger.failedCount),
      clientDown: this.#clientTalkers.flatMap(downs),
      serverDown: downs(this.#serverTalker),
      failedConnects: talkers.flatMap((talker) => talker.failedConnects.map((down) => down.reason)),
      packets: this.#watcher.packets,
      retransmissions: counters.reduce((sum, { retransmissions }) => sum + retransmissions, 0),
      timeouts: counters.reduce((sum, { retransmissionTimeouts }) => sum + retransmissionTimeouts, 0),
    };
  }

  #plan(): void {
    const { scenario, network } = { scenario: this.#scenario, network: this.#network };
    const encapsulation = scenario.encapsulation ?? "auto";
    const portTo = (port: number) =>
      encapsulation === "raw" ? 0 : encapsulation === "udp" ? port + 10_000 : undefined;
    for (const talker of this.#clientTalkers) {
      const known = this.#server.addresses.slice(0, scenario.knownAddresses);
      talker.connect(known, SCENARIO_PORT, portTo(SCENARIO_PORT));
      if (scenario.simultaneousConnect === true) {
        const { port } = talker.endpoint;
        const back = talker.endpoint.addresses.filter((address) => this.#client.has(address));
        this.#serverTalker.connect(back, port, portTo(port));
      }
    }
    const talkers = (who: "client" | "server" | "both" = "client") => [
      ...(who === "server" ? [] : this.#clientTalkers),
      ...(who === "client" ? [] : [this.#serverTalker]),
    ];
    const { abortAtMs, shutdownAtMs, crashAtMs } = scenario;
    if (abortAtMs !== undefined) {
      network.schedule(abortAtMs, () => talkers(scenario.abortBy).forEach((talker) => talker.abort()));
    }
    if (shutdownAtMs !== undefined) {
      network.schedule(
        shutdownAtMs,
        () => talkers(scenario.shutdownBy).forEach((talker) => talker.shutdown()),
      );
    }
    if (crashAtMs !== undefined) network.schedule(crashAtMs, () => this.#server.crash());
    if (scenario.flaps !== undefined) this.#planFlaps(scenario.flaps);
    if (scenario.moves !== undefined) this.#planMoves(scenario.moves);
    if (scenario.freezes !== undefined) this.#freeze(scenario.freezes);
    if (scenario.primaryEveryMs !== undefined) this.#changePrimary(scenario.primaryEveryMs);
    if (scenario.tampering !== undefined) this.#tamper(scenario.tampering);
    network.schedule(WATCH_INTERVAL_MS, () => this.#watch());
  }

  #planFlaps(flaps: Flaps): void {
    const prng = new Prng(this.#scenario.seed ^ 0xf1a9);
    for (let i = 0; i < flaps.count; i++) {
      const chosen = flaps.all === true
        ? this.#segments
        : [this.#segments[prng.below(this.#segments.length)]!];
      const there = flaps.oneWay !== true || prng.chance(0.5), back = flaps.oneWay !== true || !there;
      const set = (up: boolean) => {
        for (const segment of chosen) {
          if (there) segment.link(this.#client.number, this.#server.number).set({ up });
          if (back) segment.link(this.#server.number, this.#client.number).set({ up });
        }
        this.#healthySince = this.#network.now;
      };
      const at = flaps.firstMs + i * flaps.everyMs;
      this.#network.schedule(at, () => set(false));
      this.#network.schedule(at + flaps.downMs, () => set(true));
    }
  }

  #planMoves(moves: AddressMoves): void {
    const client: Mover = { host: this.#client, talkers: this.#clientTalkers };
    const server: Mover = { host: this.#server, talkers: [this.#serverTalker] };
    const mover = new AddressMover(
      moves,
      this.#segments,
      new Prng(this.#scenario.seed ^ 0x30fe),
      (delayMs, action) => this.#network.schedule(delayMs, () => this.#over || action()),
      () => this.#healthySince = this.#network.now,
    );
    const { who = "client" } = moves;
    mover.plan(who === "both" ? [client, server] : who === "client" ? [client] : [server]);
  }

  #freeze(freezes: { readonly everyMs: number; readonly spanMs: number }): void {
    if (this.#over) return;
    (this.#network.prng.chance(0.5) ? this.#client : this.#server).freeze(freezes.spanMs);
    this.#network.schedule(freezes.everyMs, () => this.#freeze(freezes));
  }

  #changePrimary(everyMs: number): void {
    if (this.#over) return;
    for (const talker of [...this.#clientTalkers, this.#serverTalker]) {
      for (const side of talker.sides) {
        const paths = talker.endpoint.status(side.association)?.paths ?? [];
        const path = paths[this.#network.prng.below(paths.length)];
        if (path === undefined || side.down !== undefined) continue;
        const { association } = side;
        talker.endpoint.execute({ type: "setPrimary", association, address: path.address });
        talker.endpoint.execute({ type: "heartbeat", association });
      }
    }
    this.#network.schedule(everyMs, () => this.#changePrimary(everyMs));
  }

  #tamper(share: number): void {
    const prng = new Prng(this.#scenario.seed ^ 0xbad);
    this.#network.observe((packet, fate) => {
      if (fate !== "sent" || !prng.chance(share)) return;
      const octets = corrupt(packet.octets, prng);
      repairChecksum(octets);
      const receiver = this.#network.ownerOf(packet.destination);
      this.#network.schedule(1, () => {
        if (receiver?.alive === true) receiver.accept({ ...packet, octets });
      });
    });
  }

  #allDown(): boolean {
    if (this.#network.now === 0) return false;
    return this.#clientTalkers.every((talker) =>
      talker.sides.length + talker.failedConnects.length > 0 && talker.sides.every(isDown)
    ) && (!this.#server.alive || this.#serverTalker.sides.every(isDown));
  }

  /** Sees to it that something moves as long as something can. */
  #watch(): void {
    if (this.#over) return;
    const link = (segment: Segment) =>
      segment.link(this.#client.number, this.#server.number).conditions.up &&
      segment.link(this.#server.number, this.#client.number).conditions.up;
    if (!this.#segments.some(link)) this.#healthySince = this.#network.now;
    const talkers = [...this.#clientTalkers, this.#serverTalker];
    const progress = Math.max(this.#healthySince, ...talkers.map((talker) => talker.lastProgress));
    const idleMs = this.#network.now - progress;
    const { tampering, stallMs = 120_000 } = this.#scenario;
    const isLate = (talker: Talker) => (side: TalkSide) =>
      hasWork(side) && (idleMs >= this.#lastWordMs || !this.#isCutOff(talker, side));
    const stalled = idleMs >= stallMs && tampering === undefined && this.#server.alive &&
      talkers.some((talker) => talker.sides.some(isLate(talker)));
    assert(
      !stalled,
      `something moves within ${idleMs} ms: ${this.#describe()}`,
    );
    this.#network.schedule(WATCH_INTERVAL_MS, () => this.#watch());
  }

  /**
   * Whether nothing is left to a side but to count its errors: the peer has ended, and what it said of that was lost; or both
   * have moved, and neither knows an address that the other still has (RFC 5061 has no remedy).
   */
  #isCutOff(talker: Talker, side: TalkSide): boolean {
    const others = [...this.#clientTalkers, this.#serverTalker]
      .flatMap((other) => other.sides.map((otherSide) => ({ talker: other, side: otherSide })))
      .filter((other) => other.side.incoming === side.outgoing);
    if (others.length === 0) return false; // the peer does not know yet that it is up
    return !others.some((other) =>
      !isDown(other.side) && (this.#knowsWay(talker, side) || this.#knowsWay(other.talker, other.side))
    );
  }

  /** How long it takes a side to give up a peer that is silent. */
  get #lastWordMs(): number {
    const { rto, associationMaxRetransmissions = 10 } = this.#scenario.endpoint ?? {};
    return (associationMaxRetransmissions + 1) * (rto?.maxMs ?? DEFAULT_RTO_MAX_MS);
  }

  #knowsWay({ endpoint }: Talker, { association }: TalkSide): boolean {
    const { paths } = endpoint.status(association) ?? { paths: [] };
    return paths.some(({ address }) => this.#network.ownerOf(address)?.has(address) === true);
  }

  #describe(): string {
    return JSON.stringify(
      [...this.#clientTalkers, this.#serverTalker].map((talker) =>
        talker.sides.map((side) => ({
          remaining: side.remaining,
          blocked: side.blocked,
          sent: side.outgoing.sentCount,
          delivered: side.outgoing.deliveredCount,
          unread: side.unread,
          down: side.down?.reason,
          status: talker.endpoint.status(side.association),
        }))
      ),
    );
  }

  #checkEnd(): void {
    const { tampering, crashAtMs, endpoint, serverEndpoint } = this.#scenario;
    for (const talker of [...this.#clientTalkers, this.#serverTalker]) {
      const crashed = talker === this.#serverTalker && crashAtMs !== undefined;
      for (const side of talker.sides) {
        assert(side.down !== undefined || crashed, "every association that came up goes down");
        if (side.down !== undefined && tampering === undefined) {
          side.outgoing.finish(
            side.down.reason === "shutdown" ? "shutdown" : "broken",
          );
        }
        assert(
          crashed || talker.endpoint.status(side.association) === undefined,
          "nothing is known of an ended association",
        );
        const limit = (talker === this.#serverTalker ? serverEndpoint?.receiveBuffer : undefined) ??
          endpoint?.receiveBuffer ?? 1 << 20;
        const talk = talker === this.#serverTalker ? this.#scenario.server : this.#scenario.client;
        if (talk?.readOctetsPerSecond !== undefined && tampering === undefined) {
          // A window probe and the rest of the message that was begun may go beyond the window.
          const longest = Math.max(
            this.#scenario.client?.maxOctets ?? 2000,
            this.#scenario.server?.maxOctets ?? 2000,
          );
          assert(
            side.mostUnread <= limit + longest + 1500,
            `unread data (${side.mostUnread}) stays within the receive buffer (${limit})`,
          );
        }
      }
    }
    for (const host of [this.#client, this.#server]) {
      if (host.alive) {
        assert(host.stack.nextTimeout() === undefined, "no timer is left when everything is closed");
      }
    }
  }
}

function isDown(side: TalkSide): boolean {
  return side.down !== undefined;
}

/** Whether the stack owes this side something: data on its way, or an end that was asked for. */
function hasWork(side: TalkSide): boolean {
  if (side.down !== undefined) return false;
  const { sentCount, deliveredCount, failedCount } = side.outgoing;
  return deliveredCount + failedCount < sentCount || side.ending || side.blocked;
}
