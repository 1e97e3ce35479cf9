/**
 * The embedded transport: the SCTP stack of `protocol/sctp` on a packet driver, a real clock and one timer.
 *
 * Theory of operation: everything happens in a *turn*, which a packet batch, the timer, a writable socket or a command
 * starts. A turn hands the stack's events to their endpoints, then lets the stack transmit (so that answers of handlers
 * and SACKs share packets), then closes what is closed, then arms the timer. A command that comes from outside a turn
 * asks for one by `setImmediate`, about a microsecond later; so handlers never run within `execute` or `open`, and a
 * loop of sends makes full packets.
 *
 * The packet driver is there as long as an endpoint is: after the last `close` nothing keeps the process alive.
 *
 * @module
 */
import { createHmac } from "node:crypto";
import type { PacketDriver, PacketDriverOptions, PacketHandler } from "../../ffi/packet_driver.ts";
import type {
  AssociationId,
  Endpoint,
  EndpointOptions,
  EventHandler,
  Instant,
  PacketError,
  PacketMeta,
  PacketObserver,
  PacketTransmit,
  Transport,
  TransportCommand,
  TransportEvent,
} from "../../protocol/net.ts";
import { SctpStack } from "../../protocol/sctp/mod.ts";
import type { StackCounters, StackEvent } from "../../protocol/sctp/mod.ts";
import { chooseDriver } from "./driver_choice.ts";
import type { DriverChoice } from "./driver_choice.ts";
import { EmbeddedEndpoint } from "./embedded_endpoint.ts";
import type { EndpointOwner } from "./embedded_endpoint.ts";
import { bindPort } from "./embedded_ports.ts";
import { PacketTap } from "./packet_tap.ts";

/** How to open the embedded transport. */
export interface EmbeddedTransportOptions extends PacketDriverOptions {
  /** Uses `node:dgram` alone. Default: only where there are no native sockets to use. */
  readonly portable?: boolean;
  /**
   * One more UDP port for the first endpoint that listens: 9899 serves peers with kernel SCTP whose
   * `net.sctp.encap_port` says so.
   */
  readonly udpPort?: number;
  /** The longest packet to send, IP header included, whatever the routes allow. Default: what the routes allow. */
  readonly maxMtu?: number;
}

/** The embedded transport, with what only it can tell. */
export interface EmbeddedTransport extends Transport {
  /** Always "embedded". */
  readonly kind: "embedded";
  /** Counted since the transport was opened. */
  readonly counters: Readonly<StackCounters>;
  /** How often full sockets have stopped the sending since the transport was opened. */
  readonly sendStalls: number;
}

/** `setTimeout` takes 31 bits of milliseconds. */
const LONGEST_TIMEOUT_MS = 0x7fff_ffff;

/**
 * A timer that comes so late says that this process stood still. Timers go before what waits to be read: an acknowledgement
 * that came meanwhile would be taken for lost, and an association that was being shut down be aborted.
 */
const STOOD_STILL_MS = 500;

/** So often the event loop may read first then, this far apart: a process that stands still again reads all the same. */
const READ_FIRST_TURNS = 4, READ_FIRST_TURN_MS = 25;

/** Rounds of events and answers in a turn before the event loop has its own. */
const ROUNDS_PER_TURN = 4;

/**
 * Opens the embedded transport. Nothing is bound, and nothing keeps the process alive, until an endpoint is opened.
 *
 * @throws {SctpError} EPERM when `raw` is "on" and this process may not
 *
 * @example An endpoint comes and goes
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const transport = openEmbeddedTransport({ raw: "off" });
 * const endpoint = transport.open({ listen: true }, () => {});
 * assert.ok(endpoint.port >= 20000);
 * await transport.close();
 * ```
 */
export function openEmbeddedTransport(options: EmbeddedTransportOptions = {}): EmbeddedTransport {
  return new StackTransport(chooseDriver(options, options.portable === true), options);
}

class StackTransport implements EmbeddedTransport, EndpointOwner, PacketHandler {
  readonly kind = "embedded";
  readonly description: string;
  readonly stack: SctpStack;
  readonly #choice: DriverChoice;
  readonly #endpoints = new Map<number, EmbeddedEndpoint>();
  readonly #transmit: PacketTransmit = {
    length: 0,
    source: undefined,
    destination: "",
    udpPort: 0,
    localPort: 0,
  };
  /** Only while somebody captures packets. */
  #tap: PacketTap | undefined;
  #driver: PacketDriver | undefined;
  #driverClosed: Promise<void> | undefined;
  /** The extra UDP port, until an endpoint has taken it. */
  #udpPort: number | undefined;
  /** Stalls of packet drivers that are closed. */
  #pastStalls = 0;
  #lastHandle = 0;
  /** The clock reading of the batch of packets that is being received. */
  #batchAt: Instant | undefined;
  /** The clock reading of the turn under way, or of the commands since the last one. */
  #commandsAt: Instant | undefined;
  #inTurn = false;
  /** Something has happened since the stack was last drained. */
  #dirty = false;
  #scheduled: ReturnType<typeof setImmediate> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerDueAt: Instant = Infinity;

  constructor(choice: DriverChoice, { udpPort, maxMtu = Infinity }: EmbeddedTransportOptions) {
    this.#choice = choice;
    this.#udpPort = udpPort;
    this.description = `embedded SCTP over ${choice.encapsulation}`;
    this.stack = new SctpStack({
      random: (octets) => void crypto.getRandomValues(octets as Uint8Array<ArrayBuffer>),
      mac: (key, data) => new Uint8Array(createHmac("sha256", key).update(data).digest()),
      macSha1: (key, data) => new Uint8Array(createHmac("sha1", key).update(data).digest()),
      route: (destination) => {
        const route = this.#driver?.route(destination);
        return route === undefined || route.mtu <= maxMtu ? route : { source: route.source, mtu: maxMtu };
      },
      localAddresses: () => this.#driver?.localAddresses() ?? [],
      raw: choice.raw,
    });
  }

  get counters(): Readonly<StackCounters> {
    return this.stack.counters;
  }

  get sendStalls(): number {
    return this.#pastStalls + (this.#driver?.sendStalls ?? 0);
  }

  open(options: EndpointOptions, onEvents: EventHandler): Endpoint {
    const driver = this.#driver ??= this.#choice.open(this);
    const extra = options.listen === true && this.#udpPort !== undefined ? [this.#udpPort] : [];
    let port: number | undefined;
    try {
      port = bindPort(driver, options, extra);
      const endpoint = new EmbeddedEndpoint(this, ++this.#lastHandle, port, onEvents);
      this.stack.open(endpoint.handle, { ...options, port }, performance.now());
      this.#endpoints.set(endpoint.handle, endpoint);
      if (extra.length > 0) this.#udpPort = undefined;
      this.#schedule();
      return endpoint;
    } catch (error) {
      if (port !== undefined) driver.closePort(port);
      if (this.#endpoints.size === 0) this.#closeDriver();
      throw error;
    }
  }

  capture(onPacket: PacketObserver): Disposable {
    const tap = this.#tap ??= new PacketTap((destination) => this.#driver?.route(destination)?.source);
    const observer: PacketObserver = (packet) => onPacket(packet); // the same function may capture twice
    tap.add(observer);
    return {
      [Symbol.dispose]: () => {
        if (tap.remove(observer) === 0 && this.#tap === tap) this.#tap = undefined;
      },
    };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#endpoints.values()].map((endpoint) => endpoint.close()));
    await this.#driverClosed;
  }

  // ------------------------------------------------------------------------------------------------- for endpoints

  execute(handle: number, command: TransportCommand): void {
    this.stack.execute(handle, command, this.#commandsAt ??= performance.now());
    this.#schedule();
  }

  ask(question: (stack: SctpStack, now: Instant) => void): void {
    try {
      question(this.stack, this.#commandsAt ??= performance.now());
    } finally {
      this.#schedule();
    }
  }

  peelOff(from: EmbeddedEndpoint, association: AssociationId, onEvents: EventHandler): EmbeddedEndpoint {
    const handle = ++this.#lastHandle;
    this.ask((stack, now) => stack.peelOff(from.handle, association, handle, now));
    const endpoint = new EmbeddedEndpoint(this, handle, from.port, onEvents);
    this.#endpoints.set(handle, endpoint);
    return endpoint;
  }

  // ---------------------------------------------------------------------------------------------------- the driver

  packet(packet: Uint8Array, meta: PacketMeta): void {
    this.#batchAt ??= performance.now();
    this.#tap?.received(packet, meta);
    this.stack.receive(packet, meta, this.#batchAt);
  }

  error(error: PacketError): void {
    this.stack.receiveError(error, this.#commandsAt = performance.now());
    this.#schedule(); // not every error comes in a batch
  }

  endOfBatch(): void {
    const now = this.#batchAt ?? performance.now();
    this.#batchAt = undefined;
    this.stack.endOfBatch(now);
    this.#turn(now);
  }

  addressesChanged(): void {
    this.stack.localAddressesChanged(this.#commandsAt = performance.now());
    this.#schedule();
  }

  writable(): void {
    this.#turn(performance.now());
  }

  // ----------------------------------------------------------------------------------------------------- the turns

  /** Asks for a turn, or for another round of the one under way. */
  #schedule(): void {
    this.#dirty = true;
    if (this.#inTurn || this.#scheduled !== undefined) return;
    this.#scheduled = setImmediate(() => {
      this.#scheduled = undefined;
      this.#turn(performance.now());
    });
  }

  #turn(now: Instant): void {
    if (this.#inTurn) return; // a full socket became writable while we were sending
    this.#inTurn = true;
    this.#dirty = true;
    this.#commandsAt = now;
    const closed: EmbeddedEndpoint[] = [];
    try {
      for (let round = 0; this.#dirty && round < ROUNDS_PER_TURN; round++) {
        this.#dirty = false;
        if (this.#deliver(this.stack.drain(), closed)) this.#dirty = true;
        this.#send(now);
        if (this.stack.hasEvents) this.#dirty = true;
      }
    } finally {
      this.#inTurn = false;
      this.#commandsAt = undefined;
    }
    for (const endpoint of closed) this.#closed(endpoint);
    if (this.#endpoints.size === 0) return;
    if (this.#dirty) this.#schedule();
    this.#arm(now);
  }

  /** Hands events to their endpoints, those of an endpoint in runs. @returns whether there were any */
  #deliver(events: readonly StackEvent[], closed: EmbeddedEndpoint[]): boolean {
    for (let i = 0; i < events.length;) {
      const endpoint = this.#endpoints.get(events[i]!.endpoint);
      const batch: TransportEvent[] = [];
      for (const handle = events[i]!.endpoint; i < events.length && events[i]!.endpoint === handle; i++) {
        const event = events[i]!.event;
        if (event.type !== "closed") batch.push(event);
        else if (endpoint !== undefined) closed.push(endpoint);
      }
      if (batch.length > 0) endpoint?.onEvents(batch);
    }
    return events.length > 0;
  }

  #send(now: Instant): void {
    const driver = this.#driver, transmit = this.#transmit;
    if (driver === undefined) return;
    for (;;) {
      const buffer = driver.nextBuffer();
      if (buffer === undefined || !this.stack.pollTransmit(buffer, transmit, now)) break;
      this.#tap?.sent(buffer, transmit);
      driver.commit(transmit);
    }
    driver.flush();
  }

  /** Sets the timer, unless it goes off early enough already: moving it with every packet would cost more. */
  #arm(now: Instant): void {
    const dueAt = this.stack.nextTimeout();
    if (dueAt === undefined || dueAt >= this.#timerDueAt) return;
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#timerDueAt = dueAt;
    const delayMs = Math.min(LONGEST_TIMEOUT_MS, Math.max(0, Math.ceil(dueAt - now)));
    this.#timer = setTimeout(() => {
      if (performance.now() - dueAt <= STOOD_STILL_MS) return this.#goOff();
      this.#timerDueAt = -Infinity; // nothing goes off before that
      this.#readFirst(READ_FIRST_TURNS);
    }, delayMs);
  }

  #readFirst(turns: number): void {
    this.#timer = setTimeout(
      () => turns > 1 ? this.#readFirst(turns - 1) : this.#goOff(),
      READ_FIRST_TURN_MS,
    );
  }

  #goOff(): void {
    this.#timer = undefined;
    this.#timerDueAt = Infinity;
    const firedAt = performance.now();
    this.stack.tick(firedAt);
    this.#turn(firedAt);
  }

  // ------------------------------------------------------------------------------------------------ opening, closing

  #closed(endpoint: EmbeddedEndpoint): void {
    if (!this.#endpoints.delete(endpoint.handle)) return;
    const shared = [...this.#endpoints.values()].some(({ port }) => port === endpoint.port); // see peelOff
    if (!shared) this.#driver?.closePort(endpoint.port);
    if (this.#endpoints.size > 0) endpoint.resolveClosed();
    else this.#closeDriver().then(() => endpoint.resolveClosed());
  }

  #closeDriver(): Promise<void> {
    if (this.#scheduled !== undefined) clearImmediate(this.#scheduled);
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#scheduled = this.#timer = undefined;
    this.#timerDueAt = Infinity;
    const driver = this.#driver;
    this.#pastStalls = this.sendStalls;
    this.#driver = undefined;
    this.#driverClosed = driver?.close();
    return Promise.resolve(this.#driverClosed);
  }
}
