import type { AssociationId, Instant, IpAddress } from "../net.ts";

/** Another registrar of the operation scope, as this one knows it (RFC 5353 §3.4). */
export class Peer {
  /** 32 bits; 0 = a static peer whose presence has not come yet. */
  registrarId: number;
  /** Where its ENRP is reached. */
  addresses: readonly IpAddress[];
  port: number;
  /** Known from the command line: when it is forgotten, its place is kept for whoever is there next. */
  isStatic: boolean;
  /** The association that messages to it go by; undefined = there is none now. */
  association: AssociationId | undefined = undefined;
  /** When it last gave a sign of life; undefined = never. */
  lastHeardAt: Instant | undefined = undefined;

  constructor(registrarId: number, addresses: readonly IpAddress[], port: number, isStatic: boolean) {
    this.registrarId = registrarId;
    this.addresses = addresses;
    this.port = port;
    this.isStatic = isStatic;
  }
}

/** The other registrars, by ID and by address. */
export class PeerList implements Iterable<Peer> {
  readonly #peers = new Set<Peer>();
  readonly #byId = new Map<number, Peer>();

  /** How many peers there are, those without a known ID included. */
  get size(): number {
    return this.#peers.size;
  }

  [Symbol.iterator](): IterableIterator<Peer> {
    return this.#peers.values();
  }

  /** Whether a peer is one still: who works at it may not know that it was forgotten. */
  has(peer: Peer): boolean {
    return this.#peers.has(peer);
  }

  /** The peers whose ID is known. */
  identified(): IterableIterator<Peer> {
    return this.#byId.values();
  }

  /** The peer of this ID. */
  find(registrarId: number): Peer | undefined {
    return this.#byId.get(registrarId);
  }

  /** The peer with one of these addresses and this port. */
  findByAddress(addresses: readonly IpAddress[], port: number): Peer | undefined {
    for (const peer of this.#peers) {
      if (peer.port === port && peer.addresses.some((address) => addresses.includes(address))) return peer;
    }
    return undefined;
  }

  /** The static peer at one of these addresses and this port whose ID is not known yet. */
  findUnnamed(addresses: readonly IpAddress[], port: number): Peer | undefined {
    for (const peer of this.#peers) {
      const isThere = peer.port === port && peer.addresses.some((address) => addresses.includes(address));
      if (isThere && peer.registrarId === 0) return peer;
    }
    return undefined;
  }

  /** Takes a peer in. */
  add(peer: Peer): void {
    this.#peers.add(peer);
    if (peer.registrarId !== 0) this.#byId.set(peer.registrarId, peer);
  }

  /** The ID of a static peer is known now, or another one than before. */
  identify(peer: Peer, registrarId: number): void {
    this.#byId.delete(peer.registrarId);
    peer.registrarId = registrarId;
    if (registrarId !== 0) this.#byId.set(registrarId, peer);
  }

  /** A peer is none any more. Whoever is at a static one's place is the static peer now: its successor, or nobody yet. */
  forget(peer: Peer): void {
    const { addresses, port, isStatic } = peer;
    this.remove(peer);
    if (!isStatic) return;
    const successor = this.findByAddress(addresses, port);
    if (successor === undefined) return this.add(new Peer(0, addresses, port, true));
    successor.isStatic = true;
    successor.addresses = addresses;
  }

  /** Takes a peer out. */
  remove(peer: Peer): void {
    this.#peers.delete(peer);
    if (this.#byId.get(peer.registrarId) === peer) this.#byId.delete(peer.registrarId);
  }
}
