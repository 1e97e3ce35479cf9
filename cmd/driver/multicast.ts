/**
 * Multicast groups in which registrars make themselves known (RFC 5352 §3.2, RFC 5353 §3.1).
 *
 * An announce names no address: who hears it takes the datagram's source address *and source port* as the registrar's
 * SCTP address. So one copy leaves from every interface, each from a UDP socket that is bound to an address of that
 * interface and to the registrar's SCTP port number. A socket for each interface needs no route to the group, and the
 * source address is right whatever the routes say.
 *
 * The loopback interface is used for sending when there is no other, so that the programs of one machine find each other
 * without any network; hearing happens on all interfaces.
 */
import dgram from "node:dgram";
import type { Socket } from "node:dgram";
import { networkInterfaces } from "node:os";
import { addressScope, formatTransportAddress, isIpv4, parseIpAddress } from "../../protocol/net.ts";
import type { IpAddress, TransportAddress } from "../../protocol/net.ts";

/** Hops that an announce may travel unless something else is wanted, as RSPLIB sets it. */
export const MULTICAST_TTL = 30;

/** How often new interfaces are looked for. RSPLIB does so at each presence, every 2.4 s. */
const REFRESH_INTERVAL_MS = 2500;

/** Longest datagram taken from a stranger: far more than any announce, far less than a flood needs. */
const MAX_DATAGRAM = 4096;

/** A group, and what is to be done in it. */
export interface GroupOptions {
  readonly group: TransportAddress;
  /** The SCTP port number that datagrams are sent from; undefined = this program only hears. */
  readonly sourcePort: number | undefined;
  /** Hops that datagrams may travel, 0 to 255. Default {@linkcode MULTICAST_TTL}. */
  readonly hops?: number | undefined;
  /** Takes what is heard; undefined = this program only speaks. */
  readonly onDatagram: ((source: TransportAddress, data: Uint8Array) => void) | undefined;
  /** Takes a sentence for people when the group cannot be used, and again when another thing is wrong. */
  readonly onProblem: (sentence: string) => void;
}

/** A group that was joined. */
export interface Group {
  /** Sends one copy through each interface; nothing is promised, as always with datagrams. */
  send(data: Uint8Array): void;
  /** Idempotent. */
  close(): Promise<void>;
}

/** An interface as far as multicast wants to know it. */
export interface MulticastInterface {
  readonly name: string;
  /** Its address for sending: routable rather than link-local. */
  readonly address: IpAddress;
  readonly loopback: boolean;
}

/** The interfaces that have an address of a group's family, each with the best of them. */
export function multicastInterfaces(group: IpAddress): MulticastInterface[] {
  const family = isIpv4(group) ? "IPv4" : "IPv6";
  const found: MulticastInterface[] = [];
  for (const [name, entries] of Object.entries(networkInterfaces())) {
    const addresses = (entries ?? []).filter((entry) => entry.family === family)
      .map((entry) => parseIpAddress(entry.address)).filter((address) => address !== undefined);
    const address = addresses.find((candidate) => addressScope(candidate) !== "link-local") ?? addresses[0];
    if (address !== undefined) found.push({ name, address, loopback: addressScope(address) === "loopback" });
  }
  return found;
}

/** Joins a group and keeps up with interfaces that come and go. */
export function joinGroup(options: GroupOptions): Group {
  return new MulticastGroup(options);
}

class MulticastGroup implements Group {
  readonly #options: GroupOptions;
  /** Sending sockets by source address. */
  readonly #senders = new Map<IpAddress, Sender>();
  #receiver: Receiver | undefined;
  readonly #timer: ReturnType<typeof setInterval>;
  #problem = "";
  #closed: Promise<void> | undefined;

  constructor(options: GroupOptions) {
    this.#options = options;
    this.#refresh();
    this.#timer = setInterval(() => this.#refresh(), REFRESH_INTERVAL_MS);
  }

  send(data: Uint8Array): void {
    if (this.#closed !== undefined) return;
    for (const sender of this.#senders.values()) sender.send(data);
    if (
      this.#senders.size === 0 || [...this.#senders.values()].some((sender) => sender.error === undefined)
    ) return;
    const [first] = this.#senders.values();
    const group = formatTransportAddress(this.#options.group);
    this.#tell(
      `no interface can send to multicast group ${group} (${first?.error}): give this machine an address and a ` +
        "route, for example by `ip route add 224.0.0.0/4 dev eth0`, or name registrars with -registrar=ADDRESS:PORT",
    );
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    clearInterval(this.#timer);
    const closing = [...this.#senders.values()].map((sender) => sender.close());
    this.#senders.clear();
    await Promise.all([...closing, this.#receiver?.close()]);
  }

  /** Looks at the interfaces: joins on new ones, and opens and closes sockets. */
  #refresh(): void {
    const { group, sourcePort, hops = MULTICAST_TTL, onDatagram } = this.#options;
    const interfaces = multicastInterfaces(group.address);
    if (this.#receiver === undefined || this.#receiver.broken) {
      void this.#receiver?.close();
      this.#receiver = onDatagram && new Receiver(group, onDatagram, (sentence) => this.#tell(sentence));
    }
    this.#receiver?.update(interfaces);
    if (interfaces.length === 0) {
      this.#tell(
        `no interface has an ${isIpv4(group.address) ? "IPv4" : "IPv6"} address, so multicast group ` +
          `${formatTransportAddress(group)} is out of reach: \`ip link set lo up\` is enough for one machine`,
      );
    }
    if (sourcePort === undefined) return;
    const outside = interfaces.filter((one) => !one.loopback);
    const wanted = new Map((outside.length > 0 ? outside : interfaces).map((one) => [one.address, one]));
    for (const [address, sender] of this.#senders) {
      if (wanted.has(address) && !sender.broken) continue;
      this.#senders.delete(address);
      void sender.close();
    }
    for (const [address, one] of wanted) {
      if (!this.#senders.has(address)) {
        this.#senders.set(address, new Sender(group, one, { sourcePort, hops }));
      }
    }
  }

  #tell(sentence: string): void {
    if (sentence === this.#problem || this.#closed !== undefined) return;
    this.#problem = sentence;
    this.#options.onProblem(sentence);
  }
}

/** A UDP socket whose closing can be awaited, and whose errors do not end the process. */
class DatagramSocket {
  readonly socket: Socket;
  #ready = false;
  #closed: Promise<void> | undefined;

  constructor(address: IpAddress, onError: (error: Error) => void) {
    this.socket = dgram.createSocket({ type: isIpv4(address) ? "udp4" : "udp6", reuseAddr: true });
    this.socket.on("error", onError);
  }

  get ready(): boolean {
    return this.#ready && this.#closed === undefined;
  }

  bind(address: IpAddress, port: number, onReady: () => void): void {
    this.socket.bind({ address, port, exclusive: true }, () => {
      this.#ready = true;
      if (this.#closed === undefined) onReady();
    });
  }

  close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      try {
        this.socket.close(() => resolve());
      } catch { // the bind failed, and the socket closed itself
        resolve();
      }
    });
    return this.#closed;
  }
}

/** Sends to the group through one interface. */
class Sender {
  readonly #group: TransportAddress;
  readonly #socket: DatagramSocket;
  /** Datagrams asked for before the socket was ready: the newest is enough, announces are repeated. */
  #waiting: Uint8Array | undefined;
  /** Why the last datagram did not leave. */
  error: string | undefined;
  /** Whether the socket is of no use any more. */
  broken = false;

  constructor(
    group: TransportAddress,
    one: MulticastInterface,
    { sourcePort, hops }: { readonly sourcePort: number; readonly hops: number },
  ) {
    this.#group = group;
    this.#socket = new DatagramSocket(group.address, (error) => {
      this.error = error.message;
      this.broken = true;
    });
    this.#socket.bind(one.address, sourcePort, () => {
      try {
        this.#socket.socket.setMulticastTTL(hops);
        this.#socket.socket.setMulticastInterface(isIpv4(one.address) ? one.address : `::%${one.name}`);
      } catch (error) {
        this.error = errorText(error);
        this.broken = true;
      }
      if (this.#waiting !== undefined) this.send(this.#waiting);
    });
  }

  send(data: Uint8Array): void {
    if (this.broken) return;
    if (!this.#socket.ready) {
      this.#waiting = data;
      return;
    }
    this.#waiting = undefined;
    const { address, port } = this.#group;
    this.#socket.socket.send(data, port, address, (error) => this.error = error?.message);
  }

  close(): Promise<void> {
    return this.#socket.close();
  }
}

/** Hears the group on all interfaces. */
class Receiver {
  readonly #group: TransportAddress;
  readonly #socket: DatagramSocket;
  readonly #onProblem: (sentence: string) => void;
  readonly #joined = new Set<IpAddress>();
  #interfaces: readonly MulticastInterface[] = [];
  /** Whether the socket could not be had; another attempt may do better. */
  broken = false;

  constructor(
    group: TransportAddress,
    onDatagram: (source: TransportAddress, data: Uint8Array) => void,
    onProblem: (sentence: string) => void,
  ) {
    this.#group = group;
    this.#onProblem = onProblem;
    this.#socket = new DatagramSocket(group.address, (error) => {
      this.broken = true;
      onProblem(
        `multicast group ${formatTransportAddress(group)} cannot be heard (${error.message}): is UDP port ` +
          `${group.port} held by a program that does not share it? \`ss -lunp\` shows it`,
      );
    });
    this.#socket.socket.on("message", (data, from) => {
      const address = parseIpAddress(from.address);
      if (address === undefined || data.length > MAX_DATAGRAM) return;
      onDatagram({ address, port: from.port }, Uint8Array.from(data));
    });
    // Bound to the group's own address, the socket hears nothing else that comes to the port. Windows cannot do that.
    const bindTo = Deno.build.os === "windows" ? (isIpv4(group.address) ? "0.0.0.0" : "::") : group.address;
    this.#socket.bind(bindTo, group.port, () => this.#join());
  }

  update(interfaces: readonly MulticastInterface[]): void {
    this.#interfaces = interfaces;
    // An address that went away took its membership along, so a return of it is to be joined again.
    for (const address of this.#joined) {
      if (!interfaces.some((one) => one.address === address)) this.#joined.delete(address);
    }
    if (this.#socket.ready) this.#join();
  }

  #join(): void {
    let lastError = "";
    for (const { name, address } of this.#interfaces) {
      if (this.#joined.has(address)) continue;
      try {
        this.#socket.socket.addMembership(this.#group.address, isIpv4(address) ? address : `::%${name}`);
        this.#joined.add(address);
      } catch (error) {
        lastError = errorText(error);
      }
    }
    if (this.#joined.size > 0 || lastError === "") return;
    this.#onProblem(
      `no interface can hear multicast group ${formatTransportAddress(this.#group)} (${lastError}): is an ` +
        "interface up that can do multicast? Registrars may be named with -registrar=ADDRESS:PORT",
    );
  }

  close(): Promise<void> {
    return this.#socket.close();
  }
}

function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
