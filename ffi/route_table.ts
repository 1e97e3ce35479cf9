/**
 * The kernel's routing answers without netlink: a throw-away UDP socket that is connected to a destination knows its
 * source address and the path's MTU. Nothing is sent.
 *
 * @module
 */
import type { IpAddress, Route } from "../protocol/net.ts";
import type { LibcLease } from "./libc.ts";
import { AddressFamily, encodeSockaddr, familyOf, readSockaddrAddress } from "./sockaddr.ts";
import { IpOption, Ipv6Option, Protocol, SocketType } from "./structs.ts";

/** How long an answer is believed: a link that went down is to be noticed before the stack has given the path up. */
const FRESH_MS = 1000;

/** Destinations kept; a stranger can make us ask for as many as there are. */
const CACHE_ENTRIES = 4096;

/** The longest packet that the length fields of IP can say. The MTU of the loopback interface is one octet longer. */
const LONGEST_PACKET = 65535;

/** RFC 863; any port but 0 would do. */
const DISCARD_PORT = 9;

interface CachedRoute {
  readonly route: Route | undefined;
  readonly freshUntil: number;
}

/** Asks the kernel for routes and remembers the answers for a second. */
export class RouteTable {
  readonly #libc: LibcLease;
  readonly #cache = new Map<IpAddress, CachedRoute>();

  /** @param libc a lease that outlives the table */
  constructor(libc: LibcLease) {
    this.#libc = libc;
  }

  /** Source address and MTU of packets to a destination; undefined = no route. */
  route(destination: IpAddress): Route | undefined {
    const now = performance.now();
    const cached = this.#cache.get(destination);
    if (cached !== undefined && now < cached.freshUntil) return cached.route;
    if (this.#cache.size >= CACHE_ENTRIES) this.#cache.clear();
    const route = this.#ask(destination);
    this.#cache.set(destination, { route, freshUntil: now + FRESH_MS });
    return route;
  }

  /** Asks anew next time: the kernel has learnt something about the path. */
  forget(destination: IpAddress): void {
    this.#cache.delete(destination);
  }

  /** Asks for all anew: the routes of this host have changed. */
  forgetAll(): void {
    this.#cache.clear();
  }

  #ask(destination: IpAddress): Route | undefined {
    const { socket, connect, close } = this.#libc.symbols;
    const family = familyOf(destination);
    const fd = socket(family, SocketType.datagram | SocketType.closeOnExec, Protocol.udp);
    if (fd < 0) return undefined;
    try {
      const target = encodeSockaddr({ address: destination, port: DISCARD_PORT });
      if (connect(fd, target, target.length) < 0) return undefined;
      return this.#answerOf(fd, family);
    } finally {
      close(fd);
    }
  }

  #answerOf(fd: number, family: AddressFamily): Route | undefined {
    const { getsockname, getsockopt } = this.#libc.symbols;
    const name = new DataView(new ArrayBuffer(28));
    if (getsockname(fd, name, new Uint32Array([28])) < 0) return undefined;
    const source = readSockaddrAddress(name, 0);
    const mtu = new Uint32Array(1);
    const result = family === AddressFamily.inet
      ? getsockopt(fd, Protocol.ip, IpOption.mtu, mtu, new Uint32Array([4]))
      : getsockopt(fd, Protocol.ipv6, Ipv6Option.mtu, mtu, new Uint32Array([4]));
    if (source === undefined || result < 0) return undefined;
    return { source, mtu: Math.min(mtu[0]!, LONGEST_PACKET) };
  }
}
