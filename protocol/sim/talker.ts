import type {
  AssociationDown,
  AssociationId,
  EndpointOptions,
  ErrorCause,
  Instant,
  IpAddress,
  PartialReliability,
  TransportEvent,
} from "../net.ts";
import { Prng } from "../machine.ts";
import { assert, InvariantError } from "../wire/assert.ts";
import { DeliveryLedger } from "./ledger.ts";
import type { SimulatedEndpoint, SimulatedHost } from "./host.ts";

/** What a talker says and how it listens. */
export interface TalkOptions {
  /** How many messages it sends on each association. Default 100. */
  readonly messages?: number;
  /** Their lengths in octets, small ones more often. Default 1–2000. */
  readonly minOctets?: number;
  readonly maxOctets?: number;
  /** How many streams it uses. Default 1. */
  readonly streams?: number;
  /** The share (0–1) of unordered messages. Default 0. */
  readonly unordered?: number;
  /** The share (0–1) of messages that may be given up (RFC 7496), by all policies. Default 0. */
  readonly limited?: number;
  /** Which stream sends next (RFC 8260 §3). Default: first come, first served. */
  readonly scheduler?: string;
  /** Milliseconds between messages; 0 (default) = as fast as the stack lets it. */
  readonly intervalMs?: number;
  /** When it says SHUTDOWN: after its last message, after the other side's last one arrived too, or never (default). */
  readonly shutdown?: "sent" | "both" | "never";
  /** How fast it takes what it receives, in octets per second. Default: at once. */
  readonly readOctetsPerSecond?: number;
  /** Does not check what arrives: somebody tampers with packets. Default false. */
  readonly lenient?: boolean;
  /** How long it takes nothing at first, in milliseconds; only with `readOctetsPerSecond`. Default 0. */
  readonly readPauseMs?: number;
  /** How often it reconfigures its streams (RFC 6525): resets some, or adds one; 0 (default) = never. */
  readonly reconfigureEveryMs?: number;
  /** Chunk types that it wants authenticated (RFC 4895). */
  readonly authenticated?: readonly number[];
}

/** One side of one association, as its talker sees it. */
export interface TalkSide {
  readonly association: AssociationId;
  readonly peerPort: number;
  readonly outgoing: DeliveryLedger;
  readonly incoming: DeliveryLedger;
  /** Messages still to be said. */
  remaining: number;
  blocked: boolean;
  /** The peer has said SHUTDOWN. */
  peerShutdown: boolean;
  /** This side has asked for SHUTDOWN or ABORT. */
  ending: boolean;
  /** Octets received and not yet consumed. */
  unread: number;
  /** The most octets that were received and not yet consumed. */
  mostUnread: number;
  talkScheduled: boolean;
  down: AssociationDown | undefined;
}

/** The books of all directions, so that both sides of an association find the same ones. */
export class LedgerBook {
  readonly #ledgers: Map<string, DeliveryLedger> = new Map<string, DeliveryLedger>();

  /** All books. */
  get ledgers(): readonly DeliveryLedger[] {
    return [...this.#ledgers.values()];
  }

  /** The books of what one host's port says to another one's. */
  direction(fromHost: number, fromPort: number, toHost: number, toPort: number): DeliveryLedger {
    const key = `${fromHost}:${fromPort}>${toHost}:${toPort}`;
    let ledger = this.#ledgers.get(key);
    if (ledger === undefined) {
      ledger = new DeliveryLedger(1000 + this.#ledgers.size);
      this.#ledgers.set(key, ledger);
    }
    return ledger;
  }
}

/** So many messages are handed over in one go before events are looked at. */
const BURST = 16;
const READ_TICK_MS = 50;

/**
 * An application that sends composed messages on every association of its endpoint and checks all that it is told:
 * what arrives, in which order, and that nothing comes before `up` or after `down`.
 */
export class Talker {
  readonly endpoint: SimulatedEndpoint;
  readonly #host: SimulatedHost;
  readonly #book: LedgerBook;
  readonly #talk: Required<TalkOptions>;
  readonly #prng: Prng;
  readonly #schedule: (delayMs: number, action: () => void) => void;
  readonly #onDown: (port: number, peerPort: number) => void;
  readonly #hostOf: (address: IpAddress) => number | undefined;
  readonly #sides: Map<AssociationId, TalkSide> = new Map<AssociationId, TalkSide>();
  readonly #failedConnects: AssociationDown[] = [];
  /** Addresses that it is bound to; empty = all. */
  #bound: readonly IpAddress[] = [];
  #lastProgress: Instant = 0;
  #nextRequest = 1;

  constructor(
    host: SimulatedHost,
    options: EndpointOptions,
    talk: TalkOptions,
    book: LedgerBook,
    world: {
      readonly seed: number;
      readonly schedule: (delayMs: number, action: () => void) => void;
      readonly hostOf: (address: IpAddress) => number | undefined;
      /** Told when an association of the talker has ended. */
      readonly onDown: (port: number, peerPort: number) => void;
    },
  ) {
    this.#host = host;
    this.#book = book;
    this.#prng = new Prng(world.seed);
    this.#schedule = world.schedule;
    this.#hostOf = world.hostOf;
    this.#onDown = world.onDown;
    this.#talk = {
      messages: talk.messages ?? 100,
      minOctets: talk.minOctets ?? 1,
      maxOctets: talk.maxOctets ?? 2000,
      streams: talk.streams ?? 1,
      unordered: talk.unordered ?? 0,
      limited: talk.limited ?? 0,
      scheduler: talk.scheduler ?? "fcfs",
      intervalMs: talk.intervalMs ?? 0,
      shutdown: talk.shutdown ?? "never",
      readOctetsPerSecond: talk.readOctetsPerSecond ?? Infinity,
      readPauseMs: talk.readPauseMs ?? 0,
      lenient: talk.lenient ?? false,
      reconfigureEveryMs: talk.reconfigureEveryMs ?? 0,
      authenticated: talk.authenticated ?? [],
    };
    const manualReceive = this.#talk.readOctetsPerSecond !== Infinity;
    this.endpoint = host.open({ ...options, manualReceive }, (events) => {
      for (const event of events) this.#take(event);
    });
    if (this.#talk.scheduler !== "fcfs") {
      this.endpoint.setOption("stream_scheduler", { value: this.#talk.scheduler });
    }
    for (const chunk of this.#talk.authenticated) this.endpoint.setOption("auth_chunk", { chunk });
    if (options.addresses !== undefined) this.#bound = options.addresses;
  }

  /** All associations that ever came up here. */
  get sides(): readonly TalkSide[] {
    return [...this.#sides.values()];
  }

  /** The answers to connects that failed. */
  get failedConnects(): readonly AssociationDown[] {
    return this.#failedConnects;
  }

  /** When a message last arrived or an association last changed. */
  get lastProgress(): Instant {
    return this.#lastProgress;
  }

  /** Sets up an association. */
  connect(addresses: readonly IpAddress[], port: number, encapsulationPort?: number): void {
    const request = this.#nextRequest++;
    const where = encapsulationPort === undefined ? {} : { encapsulationPort };
    this.endpoint.execute({ type: "connect", request, addresses, port, ...where });
  }

  /** Aborts all associations. */
  abort(): void {
    for (const side of this.#sides.values()) {
      if (side.down !== undefined) continue;
      side.ending = true;
      this.endpoint.execute({ type: "abort", association: side.association, reason: "scenario" });
    }
  }

  /** The addresses of the host have changed. Who is bound to some of them binds to the new ones, and lets the old ones go. */
  addressesChanged(gained: readonly IpAddress[], lost: readonly IpAddress[]): void {
    if (this.#bound.length === 0) return;
    for (const address of gained) this.endpoint.addAddress(address);
    this.#bound = [...this.#bound, ...gained];
    const [stays] = this.#bound.filter((address) => this.#host.has(address));
    if (stays === undefined) return; // the last one cannot go before there is another
    for (const address of this.#bound) {
      if (!this.#host.has(address)) this.endpoint.removeAddress(address);
    }
    this.#bound = this.#bound.filter((address) => this.#host.has(address));
    assert(lost.every((address) => !this.#bound.includes(address)), "nobody is bound to a lost address");
  }

  /** Asks all peers to send to an address in the first place. */
  askForPrimary(address: IpAddress): void {
    for (const { association, down } of this.#sides.values()) {
      const status = this.endpoint.status(association);
      if (down !== undefined || status?.extensions?.dynamicAddresses !== true) continue;
      this.endpoint.setPeerPrimary(association, address);
    }
  }

  /** Shuts all associations down. */
  shutdown(): void {
    for (const side of this.#sides.values()) this.#shutdown(side);
  }

  #take(event: TransportEvent): void {
    if (event.type === "up") {
      this.#progress();
      assert(!this.#sides.has(event.association), "an association comes up once");
      const peer = this.#peerOf(event.peerAddresses);
      const { number } = this.#host, { port } = this.endpoint;
      const side: TalkSide = {
        association: event.association,
        peerPort: event.peerPort,
        outgoing: this.#book.direction(number, port, peer, event.peerPort),
        incoming: this.#book.direction(peer, event.peerPort, number, port),
        remaining: this.#talk.messages,
        blocked: false,
        peerShutdown: false,
        ending: false,
        unread: 0,
        mostUnread: 0,
        talkScheduled: false,
        down: undefined,
      };
      assert(event.outboundStreams >= 1 && event.inboundStreams >= 1, "an association has streams");
      this.#sides.set(event.association, side);
      if (this.#talk.readOctetsPerSecond !== Infinity) {
        this.#schedule(this.#talk.readPauseMs, () => this.#read(side));
      }
      if (this.#talk.reconfigureEveryMs > 0) {
        this.#schedule(this.#talk.reconfigureEveryMs, () => this.#reconfigure(side));
      }
      return this.#talkOn(side);
    }
    const side = this.#sides.get(event.association);
    if (side === undefined) {
      assert(event.type === "down" && event.request !== undefined, `nothing (${event.type}) comes before up`);
      this.#failedConnects.push(event);
      return this.#progress();
    }
    assert(side.down === undefined, `nothing (${event.type}) comes after down`);
    this.#takeOf(side, event);
  }

  #takeOf(side: TalkSide, event: Exclude<TransportEvent, { type: "up" }>): void {
    switch (event.type) {
      case "message":
        this.#progress();
        if (!this.#talk.lenient) side.incoming.delivered(event);
        side.unread += event.data.length;
        side.mostUnread = Math.max(side.mostUnread, side.unread);
        return this.#maybeShutdown(side);
      case "sendFailed":
        if (!this.#talk.lenient) side.outgoing.failed(event);
        return;
      case "down":
        this.#progress();
        side.down = event;
        this.#onDown(this.endpoint.port, side.peerPort);
        return;
      case "blocked":
        assert(!side.blocked, "blocked comes once until writable");
        side.blocked = true;
        return;
      case "writable":
        assert(side.blocked, "writable comes only after blocked");
        side.blocked = false;
        return this.#talkOn(side);
      case "peerShutdown":
        side.peerShutdown = true;
        return;
      case "path":
        assert(
          this.#talk.lenient || this.#hostOf(event.address) !== undefined,
          "a path leads to an address that exists",
        );
        return;
      case "heartbeatAck":
      case "adaptation":
      case "authentication":
      case "streamsReset":
      case "associationReset":
      case "streamsAdded":
      case "senderDry":
        return;
      case "restarted":
      case "remoteError":
        if (this.#talk.lenient) return;
        // The peer may know fewer addresses than it was told of, if it cannot reach all families.
        if (event.type === "remoteError" && isAboutAddresses(event.cause)) return;
        throw new InvariantError(`an unexpected ${event.type} between two stacks of ours`);
      default:
        return event satisfies never;
    }
  }

  #talkOn(side: TalkSide): void {
    if (side.talkScheduled) return;
    side.talkScheduled = true;
    this.#schedule(this.#talk.intervalMs, () => {
      side.talkScheduled = false;
      if (side.down !== undefined || side.peerShutdown || side.ending || !this.#host.alive) return;
      const burst = this.#talk.intervalMs > 0 ? 1 : BURST;
      for (let i = 0; i < burst && side.remaining > 0 && !side.blocked; i++) this.#say(side);
      if (side.remaining === 0) this.#maybeShutdown(side);
      else if (!side.blocked) this.#talkOn(side);
    });
  }

  #say(side: TalkSide): void {
    const { minOctets, maxOctets, streams, unordered, limited } = this.#talk;
    side.remaining--;
    // Evenly distributed orders of magnitude: small and large messages alternate.
    const length = Math.min(
      Math.round(minOctets * (maxOctets / minOctets) ** this.#prng.uniform()),
      maxOctets,
    );
    const stream = this.#prng.below(streams);
    const isUnordered = this.#prng.chance(unordered);
    const data = side.outgoing.compose(stream, isUnordered, length);
    this.endpoint.execute({
      type: "send",
      association: side.association,
      data,
      ppid: side.outgoing.ppid,
      stream,
      unordered: isUnordered,
      ...(limited > 0 && this.#prng.chance(limited) ? { reliability: this.#limit() } : {}),
    });
  }

  /** When a message is given up. */
  #limit(): PartialReliability {
    switch (this.#prng.below(3)) {
      case 0:
        return { policy: "ttl", lifetimeMs: [0, 10, 100, 1000, 10_000][this.#prng.below(5)]! };
      case 1:
        return { policy: "rtx", retransmissions: [0, 1, 3][this.#prng.below(3)]! };
      default:
        return { policy: "prio", priority: this.#prng.below(10) };
    }
  }

  #maybeShutdown(side: TalkSide): void {
    const { shutdown } = this.#talk;
    if (shutdown === "never" || side.remaining > 0) return;
    const { deliveredCount, failedCount } = side.incoming;
    if (shutdown === "sent" || deliveredCount + failedCount >= this.#talk.messages) this.#shutdown(side);
  }

  #shutdown(side: TalkSide): void {
    if (side.ending || side.down !== undefined) return;
    side.ending = true;
    this.endpoint.execute({ type: "shutdown", association: side.association });
  }

  /** Resets some streams in some direction, or adds one. What cannot be done is refused, and that is all right. */
  #reconfigure(side: TalkSide): void {
    if (side.down !== undefined || side.ending || side.peerShutdown || !this.#host.alive) return;
    const { association } = side;
    if (this.#prng.chance(0.3)) {
      this.endpoint.execute({ type: "addStreams", association, outbound: 1, inbound: this.#prng.below(2) });
    } else {
      const directions = ["incoming", "outgoing", "both"] as const;
      const streams = this.#prng.chance(0.3) ? [] : [this.#prng.below(this.#talk.streams)];
      const direction = directions[this.#prng.below(directions.length)]!;
      this.endpoint.execute({ type: "resetStreams", association, direction, streams });
    }
    this.#schedule(this.#talk.reconfigureEveryMs, () => this.#reconfigure(side));
  }

  #read(side: TalkSide): void {
    if (side.down !== undefined || !this.#host.alive) return;
    const octets = Math.min(side.unread, Math.ceil(this.#talk.readOctetsPerSecond * READ_TICK_MS / 1000));
    if (octets > 0) {
      side.unread -= octets;
      this.#progress();
      this.endpoint.execute({ type: "consumed", association: side.association, octets });
    }
    this.#schedule(READ_TICK_MS, () => this.#read(side));
  }

  #progress(): void {
    this.#lastProgress = this.#host.now;
  }

  #peerOf(addresses: readonly IpAddress[]): number {
    if (this.#talk.lenient) return 0;
    const owners = addresses.map((address) => this.#hostOf(address));
    const peer = owners.find((owner) => owner !== undefined);
    assert(peer !== undefined, "a peer has an address that exists");
    assert(owners.every((owner) => owner === peer), "all addresses of a peer are of one host");
    return peer;
  }
}

/** Whether a cause answers a request to change addresses (RFC 5061 §4.3), which may name one that cannot be reached (cause 5). */
function isAboutAddresses({ code }: ErrorCause): boolean {
  return code === 5 || (code >= 0xa0 && code <= 0xa4);
}
