/** Two or more stacks on links with delay and seeded loss, in virtual time. */
import { createHmac } from "node:crypto";
import { Prng } from "../../../protocol/machine.ts";
import type {
  EndpointOptions,
  Instant,
  IpAddress,
  PacketMeta,
  PacketTransmit,
  TransportCommand,
  TransportEvent,
} from "../../../protocol/net.ts";
import { SctpStack } from "../../../protocol/sctp/mod.ts";

export type HarnessEvent = TransportEvent | { readonly type: "closed" };

/** HMAC-SHA-256 for StackEnvironment.mac. */
export function mac(key: Uint8Array, data: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac("sha256", key).update(data).digest());
}

/** HMAC-SHA-1 for StackEnvironment.macSha1. */
export function macSha1(key: Uint8Array, data: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac("sha1", key).update(data).digest());
}

export interface LinkOptions {
  delayMs: number;
  jitterMs: number;
  loss: number;
  duplicate: number;
  corrupt: number;
  mtu: number;
}

const PERFECT: LinkOptions = { delayMs: 5, jitterMs: 0, loss: 0, duplicate: 0, corrupt: 0, mtu: 1500 };

interface Flying {
  at: Instant;
  serial: number;
  host: Host | undefined;
  packet: Uint8Array;
  meta: PacketMeta;
  sender: Host;
}

/** Chance that is the same each time. */
export function fillAtRandom(octets: Uint8Array, prng: Prng): void {
  for (let i = 0; i < octets.length; i++) octets[i] = prng.below(256);
}

/** A machine with some addresses and one stack. */
export class Host {
  readonly world: World;
  readonly stack: SctpStack;
  readonly addresses: IpAddress[];
  readonly events: Map<number, HarnessEvent[]> = new Map();
  /** Packets sent, newest last; kept when `record` is set. */
  readonly sent: { packet: Uint8Array; transmit: PacketTransmit }[] = [];
  record = false;
  /** UDP is delivered when someone has the port; else an ICMP message comes back. */
  raw = true;

  constructor(world: World, addresses: IpAddress[], raw: boolean) {
    this.world = world;
    this.addresses = addresses;
    this.raw = raw;
    this.stack = new SctpStack({
      random: (octets) => fillAtRandom(octets, world.prng),
      mac,
      macSha1,
      raw,
      localAddresses: () => this.addresses,
      route: (destination) => {
        const source = this.addresses.find((address) => network(address) === network(destination));
        return source === undefined ? undefined : { source, mtu: world.link(source, destination).mtu };
      },
    });
  }

  readonly ports: Set<number> = new Set();
  readonly #handles = new Map<number, number>();

  open(handle: number, options: EndpointOptions & { port: number }): void {
    this.stack.open(handle, options, this.world.now);
    this.ports.add(options.port);
    this.#handles.set(handle, options.port);
    this.events.set(handle, []);
  }

  execute(handle: number, command: TransportCommand): void {
    this.stack.execute(handle, command, this.world.now);
    this.world.check(this);
  }

  close(handle: number, lingerMs = 2000): void {
    this.stack.close(handle, lingerMs, this.world.now);
    this.world.check(this);
  }

  collect(): void {
    for (const { endpoint, event } of this.stack.drain()) {
      (this.events.get(endpoint) ?? this.events.set(endpoint, []).get(endpoint)!).push(event);
      if (event.type === "closed") this.ports.delete(this.#handles.get(endpoint)!);
    }
  }

  /** Events of one type. */
  of<Type extends HarnessEvent["type"]>(handle: number, type: Type): Extract<HarnessEvent, { type: Type }>[] {
    return this.events.get(handle)!.filter((event): event is Extract<HarnessEvent, { type: Type }> =>
      event.type === type
    );
  }
}

/** Addresses of one network start alike: `10.1.` or `fd01:`. */
function network(address: IpAddress): string {
  return address.includes(":") ? address.split(":")[0]! : address.split(".").slice(0, 2).join(".");
}

/** All hosts, all links, one clock. */
export class World {
  now: Instant = 0;
  readonly prng: Prng;
  readonly hosts: Host[] = [];
  readonly defaults: LinkOptions;
  /** Down networks, such as "10.1". */
  readonly down: Set<string> = new Set();
  /** Looks at each packet; false = it is lost. */
  filter: (packet: Uint8Array, transmit: PacketTransmit, sender: Host) => boolean = () => true;
  /** Whether invariants are checked after each step. */
  checking = true;
  readonly #flying: Flying[] = [];
  #serial = 0;
  readonly #buffer = new Uint8Array(65_535);
  readonly #transmit: PacketTransmit = {
    length: 0,
    source: undefined,
    destination: "",
    udpPort: 0,
    localPort: 0,
  };
  steps = 0;

  constructor(seed = 1, link: Partial<LinkOptions> = {}) {
    this.prng = new Prng(seed);
    this.defaults = { ...PERFECT, ...link };
  }

  host(addresses: IpAddress[], raw = true): Host {
    const host = new Host(this, addresses, raw);
    this.hosts.push(host);
    return host;
  }

  link(_from: IpAddress, _to: IpAddress): LinkOptions {
    return this.defaults;
  }

  check(host: Host): void {
    if (this.checking) host.stack.checkInvariants();
  }

  /** Fetches what all stacks want to send. */
  flush(): void {
    for (const host of this.hosts) {
      while (host.stack.pollTransmit(this.#buffer, this.#transmit, this.now)) {
        this.check(host);
        this.#carry(host);
      }
      host.collect();
      this.check(host);
    }
  }

  #carry(sender: Host): void {
    const transmit = { ...this.#transmit };
    const packet = this.#buffer.slice(0, transmit.length);
    if (sender.record) sender.sent.push({ packet, transmit });
    const source = transmit.source ?? sender.addresses[0]!;
    if (this.down.has(network(transmit.destination)) || !this.filter(packet, transmit, sender)) return;
    const link = this.link(source, transmit.destination);
    if (this.prng.chance(link.loss)) return;
    const copies = this.prng.chance(link.duplicate) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const octets = packet.slice();
      if (this.prng.chance(link.corrupt)) octets[this.prng.below(octets.length)]! ^= 1 << this.prng.below(8);
      const at = this.now + link.delayMs + this.prng.uniform() * link.jitterMs;
      const host = this.hosts.find((candidate) => candidate.addresses.includes(transmit.destination));
      const udpPort = transmit.udpPort === 0 ? 0 : transmit.localPort + 10_000;
      const meta = { source, destination: transmit.destination, udpPort };
      this.#flying.push({ at, serial: this.#serial++, host, packet: octets, meta, sender });
    }
  }

  /** Puts a packet on the wire as if it came from somewhere. */
  inject(to: Host, packet: Uint8Array, meta: PacketMeta): void {
    to.stack.receive(packet, meta, this.now);
    this.check(to);
    to.stack.endOfBatch(this.now);
    this.flush();
  }

  #deliver(flying: Flying): void {
    const { host, packet, meta } = flying;
    if (host === undefined) return;
    const port = packet[2]! << 8 | packet[3]!;
    if (meta.udpPort !== 0 ? !host.ports.has(port) : !host.raw) {
      flying.sender.stack.receiveError({
        destination: meta.destination,
        udpPort: meta.udpPort === 0 ? 0 : port + 10_000,
        kind: meta.udpPort === 0 ? "protocol-unreachable" : "port-unreachable",
        mtu: undefined,
        packet,
        localPort: 0,
      }, this.now);
      this.check(flying.sender);
      return;
    }
    host.stack.receive(packet, meta, this.now);
    host.stack.endOfBatch(this.now);
    this.check(host);
  }

  /** Lets time pass up to an instant. */
  run(until: Instant): void {
    this.flush();
    for (let idle = 0;;) {
      let next = Infinity;
      for (const flying of this.#flying) next = Math.min(next, flying.at);
      for (const host of this.hosts) next = Math.min(next, host.stack.nextTimeout() ?? Infinity);
      if (next > until) break;
      idle = next <= this.now ? idle + 1 : 0;
      if (idle > 10_000) throw new Error("time stands still");
      this.now = Math.max(this.now, next);
      this.steps++;
      const due = this.#flying.filter((flying) => flying.at <= this.now)
        .sort((a, b) => a.at - b.at || a.serial - b.serial);
      if (due.length > 0) {
        const rest = this.#flying.filter((flying) => flying.at > this.now);
        this.#flying.length = 0;
        this.#flying.push(...rest);
        for (const flying of due) this.#deliver(flying);
      }
      for (const host of this.hosts) {
        host.stack.tick(this.now);
        this.check(host);
      }
      this.flush();
    }
    this.now = until;
  }

  /** Lets some milliseconds pass. */
  pass(ms: number): void {
    this.run(this.now + ms);
  }
}

export interface Pair {
  world: World;
  client: Host;
  server: Host;
  /** Association IDs. */
  a: number;
  b: number;
}

export const CLIENT_PORT = 20_001;
export const SERVER_PORT = 3863;

/** Two hosts with an association between them. */
export function connectedPair(
  options: {
    seed?: number;
    link?: Partial<LinkOptions>;
    networks?: number;
    raw?: boolean;
    client?: EndpointOptions;
    server?: EndpointOptions;
  } = {},
): Pair {
  const world = new World(options.seed ?? 1, options.link);
  const networks = options.networks ?? 1;
  const addresses = (last: number) => Array.from({ length: networks }, (_, i) => `10.${i + 1}.0.${last}`);
  const client = world.host(addresses(1), options.raw ?? true);
  const server = world.host(addresses(2), options.raw ?? true);
  client.open(1, { ...options.client, port: CLIENT_PORT });
  server.open(1, { listen: true, ...options.server, port: SERVER_PORT });
  client.execute(1, { type: "connect", request: 7, addresses: [server.addresses[0]!], port: SERVER_PORT });
  const lossy = (options.link?.loss ?? 0) + (options.link?.corrupt ?? 0) > 0;
  world.pass(lossy ? 120_000 : 200);
  const a = client.of(1, "up")[0]?.association ?? 0, b = server.of(1, "up")[0]?.association ?? 0;
  return { world, client, server, a, b };
}

/** Octets that can be told apart: a number, then a pattern. */
export function message(number: number, length: number): Uint8Array {
  const data = new Uint8Array(Math.max(4, length));
  new DataView(data.buffer).setUint32(0, number);
  for (let i = 4; i < data.length; i++) data[i] = number + i;
  return data;
}

/** The number of a message; throws when its pattern is damaged. */
export function numberOf(data: Uint8Array): number {
  const number = new DataView(data.buffer, data.byteOffset).getUint32(0);
  for (let i = 4; i < data.length; i++) {
    if (data[i] !== (number + i & 255)) throw new Error(`message ${number} is damaged at ${i}`);
  }
  return number;
}
