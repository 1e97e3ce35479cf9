import type { ListResponse, Presence } from "../enrp/mod.ts";
import { formatTransportAddress, isLoopback, transportAddresses } from "../net.ts";
import type { EndpointOpened, Instant, IpAddress, TransportAddress } from "../net.ts";
import type { AssociationRecord } from "./associations.ts";
import { type EnrpPost, sourceName } from "./enrp_post.ts";
import type { StaticPeer } from "./options.ts";
import { MAX_PEER_ADDRESSES, reachableAddresses } from "./peer_addresses.ts";
import type { PeerLinks } from "./peer_links.ts";
import { Peer } from "./peer_list.ts";
import type { PeerList } from "./peer_list.ts";
import type { PeerWatch } from "./peer_watch.ts";
import type { RegistrarReport } from "./report.ts";
import type { RegistrarStatistics } from "./statistics.ts";

/** What making acquaintances needs of the registrar around it. */
export interface AcquaintancesContext {
  readonly registrarId: number;
  readonly maxPeers: number;
  readonly peers: PeerList;
  readonly links: PeerLinks;
  readonly watch: PeerWatch;
  readonly post: EnrpPost;
  readonly statistics: RegistrarStatistics;
  readonly report: (report: RegistrarReport) => void;
  /** Another registrar speaks where this one was: it is dead. */
  readonly replaced: (peer: Peer, now: Instant) => void;
}

/**
 * Who is who among registrars (RFC 5353 §3.4.1). A message's sender is what its sender ID says, if that goes with where
 * it comes from: an association's address and port are its peer's, and cannot be forged as a datagram's can. Whoever is
 * heard is a peer from then on, up to a limit, and is asked for a presence.
 */
export class Acquaintances {
  readonly #context: AcquaintancesContext;
  #endpoint: EndpointOpened | undefined;

  /** @param context the registrar around it */
  constructor(context: AcquaintancesContext) {
    this.#context = context;
  }

  /** The endpoint of ENRP is open. */
  opened(endpoint: EndpointOpened): void {
    this.#endpoint = endpoint;
  }

  /** Peers that are known beforehand, but for ourselves. */
  introduce(staticPeers: readonly StaticPeer[]): void {
    const { peers, links } = this.#context;
    for (const { addresses, port } of staticPeers) {
      if (addresses.some((address) => this.#isOwn(address, port))) continue;
      const peer = new Peer(0, addresses.slice(0, MAX_PEER_ADDRESSES), port, true);
      peers.add(peer);
      links.greet(peer, true);
    }
  }

  /** Who sends a message over an association; undefined = one who is not believed. */
  senderOf(record: AssociationRecord, senderId: number, now: Instant): Peer | undefined {
    const { peers, links, post, replaced } = this.#context;
    if (senderId === 0) return void post.offence(sourceName(record), "a message without a sender ID");
    const bound = links.peerOf(record.association);
    if (bound?.registrarId === senderId) return bound;
    if (bound !== undefined && bound.registrarId !== 0) {
      links.release(record.association);
      replaced(bound, now);
    }
    const peer = peers.find(senderId) ?? this.#newcomer(record, senderId);
    if (peer === undefined) return undefined;
    if (peer.association !== undefined && !isAt(peer, record.peerAddresses, record.peerPort)) {
      return void post.offence(sourceName(record), "the ID of a registrar that is elsewhere");
    }
    this.#merge(peer, record);
    links.attach(peer, record);
    return peer;
  }

  /** Who sends a presence to the group; undefined = we ourselves, or one who is not believed, or not yet. */
  senderOfDatagram(message: Presence, source: TransportAddress, now: Instant): Peer | undefined {
    const { registrarId, peers, links, watch, post } = this.#context;
    const { senderId, serverInformation } = message;
    if (senderId === 0) return undefined;
    const port = serverInformation?.transport.port ?? source.port;
    const named = [source.address, ...serverInformation?.transport.addresses ?? []];
    if (senderId === registrarId) {
      if (named.some((address) => this.#isOwn(address, port))) return undefined;
      return void post.offence(formatTransportAddress(source), "another registrar has our ID");
    }
    const known = peers.find(senderId) ?? peers.findByAddress([source.address], port);
    if (known?.registrarId === senderId && isAt(known, named, port)) return known;
    if (known?.registrarId === 0) return this.#identify(known, senderId);
    if (known !== undefined) {
      // Anybody can send a datagram. If the registrar has moved, or has a successor, it does not answer any more.
      watch.suspect(known, now);
      return undefined;
    }
    const addresses = reachableAddresses(placesOf(message, source), isLoopback(source.address))
      .filter((address) => !this.#isOwn(address, port));
    if (addresses.length === 0 || port === 0) return undefined;
    const peer = this.#add(senderId, addresses, port, formatTransportAddress(source));
    if (peer !== undefined) links.greet(peer, true);
    return peer;
  }

  /** Servers that a peer names. It may name the dead: they are peers for as long as they may take to answer. */
  named(servers: ListResponse["servers"], record: AssociationRecord, now: Instant): void {
    const { registrarId: ownId, peers, watch, links } = this.#context;
    for (const { registrarId, transport: { addresses: all, port } } of servers) {
      if (registrarId === 0 || registrarId === ownId || peers.find(registrarId) !== undefined) continue;
      const addresses = reachableAddresses(all, record.overLoopback)
        .filter((address) => !this.#isOwn(address, port));
      if (addresses.length === 0 || peers.findByAddress(addresses, port) !== undefined) continue;
      const peer = this.#add(registrarId, addresses, port, sourceName(record));
      if (peer === undefined) return;
      watch.asked(peer, now);
      links.greet(peer, true);
    }
  }

  /** A static peer that is known by its ID already, by another address, is one peer with that. */
  #merge(peer: Peer, { peerAddresses, peerPort }: AssociationRecord): void {
    const { peers, links } = this.#context;
    const unnamed = peers.findUnnamed(peerAddresses, peerPort);
    if (unnamed === undefined || peer.isStatic) return;
    peer.isStatic = true;
    peer.addresses = unnamed.addresses;
    peer.port = unnamed.port;
    peers.remove(unnamed);
    links.merge(unnamed, peer);
  }

  /** A static peer that tells its ID, or somebody new. */
  #newcomer(record: AssociationRecord, senderId: number): Peer | undefined {
    const { peers, links } = this.#context;
    const { peerAddresses, peerPort } = record;
    const bound = links.peerOf(record.association);
    const unnamed = bound?.registrarId === 0 ? bound : peers.findUnnamed(peerAddresses, peerPort);
    if (unnamed !== undefined) return this.#identify(unnamed, senderId);
    const peer = this.#add(senderId, peerAddresses, peerPort, sourceName(record));
    if (peer !== undefined) links.greet(peer, true);
    return peer;
  }

  #add(registrarId: number, addresses: readonly IpAddress[], port: number, source: string): Peer | undefined {
    const { peers, maxPeers, statistics, post } = this.#context;
    if (peers.size >= maxPeers) {
      statistics.limitsMet++;
      return void post.limit(source, `more than ${maxPeers} registrars`);
    }
    const peer = new Peer(registrarId, addresses.slice(0, MAX_PEER_ADDRESSES), port, false);
    peers.add(peer);
    this.#tell(peer);
    return peer;
  }

  #identify(peer: Peer, registrarId: number): Peer {
    this.#context.peers.identify(peer, registrarId);
    this.#tell(peer);
    return peer;
  }

  #tell({ registrarId, addresses, port }: Peer): void {
    this.#context.report({ type: "peerUp", registrarId, addresses: transportAddresses(addresses, port) });
  }

  #isOwn(address: IpAddress, port: number): boolean {
    return port === this.#endpoint?.port && this.#endpoint.addresses.includes(address);
  }
}

function isAt(peer: Peer, addresses: readonly IpAddress[], port: number): boolean {
  return peer.port === port && peer.addresses.some((address) => addresses.includes(address));
}

/**
 * Where the sender of a presence to the group may be reached: at the datagram's source, as RSPLIB has it, since it names
 * addresses that nobody else reaches, too. A host may however send to groups from an address that its ENRP is not bound
 * to; then those that it names are right.
 */
function placesOf({ serverInformation }: Presence, { address }: TransportAddress): readonly IpAddress[] {
  const named = serverInformation?.transport.addresses ?? [];
  return named.length === 0 || named.includes(address) ? [address] : named;
}
