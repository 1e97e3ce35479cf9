import { TimerQueue } from "../machine.ts";
import { Ppid } from "../net.ts";
import type { AssociationDown, AssociationId, Instant, TransportCommand } from "../net.ts";
import { assert } from "../wire/mod.ts";
import type { AssociationRecord } from "./associations.ts";
import { MAX_PEER_ADDRESSES } from "./peer_addresses.ts";
import type { Peer, PeerList } from "./peer_list.ts";

/** Messages that wait for an association to one peer: start-up and takeover have a few, updates do not wait. */
export const MAX_WAITING_MESSAGES = 32;

/** How long a peer is left alone after a failure at first; doubled each time. */
const MIN_BACKOFF_MS = 250;

/** The longest of these pauses: a static peer may be off for days, and should be found soon when it comes. */
const MAX_BACKOFF_MS = 10_000;

/** What the links need of the registrar around them. */
export interface PeerLinksContext {
  readonly peers: PeerList;
  /** Gives a command to the endpoint of ENRP. */
  readonly execute: (command: TransportCommand) => void;
  /** An association to a peer is up: the peer is told of us before anything else is sent. */
  readonly greet: (peer: Peer, replyRequired: boolean) => void;
  /** There is no association with this peer any more. */
  readonly lost: (peer: Peer, now: Instant) => void;
  /** The peer's host says that nobody is at the peer's port: the peer is dead. */
  readonly refused: (peer: Peer, now: Instant) => void;
}

/** What stands between us and one peer. */
interface Link {
  readonly peer: Peer;
  /** The associations that are the peer's; messages to it go by `peer.association`, one of them. */
  readonly associations: Set<AssociationId>;
  /** The `request` of a connect under way. */
  request: number | undefined;
  /** Connects that failed, and associations that ended before anything was heard by them. */
  failures: number;
  /** Not before this is another connect worth it. */
  retryAt: Instant;
  /** What is said when an association is up: undefined = nothing; else whether the greeting asks for an answer. */
  greeting: { replyRequired: boolean } | undefined;
  readonly waiting: Uint8Array[];
}

/**
 * The associations between this registrar and its peers (RFC 5353 §3.1): which is whose, set up when there is something
 * to say, with growing pauses when that fails.
 *
 * Either side may set one up, from its own listening endpoint, so that two that do so at once get one association. What
 * is sent before there is one waits, up to a limit; a presence does not wait, but is made when the association is up,
 * with the checksum of then. A peer that does not take what it is sent ("blocked") gets nothing more until it does: it
 * will see by the checksum what it missed.
 */
export class PeerLinks {
  readonly #context: PeerLinksContext;
  readonly #links = new Map<Peer, Link>();
  readonly #owners = new Map<AssociationId, Link>();
  /** Associations that are nobody's yet, or whose peer was forgotten while they were set up. */
  readonly #strangers = new Map<AssociationId, AssociationRecord>();
  readonly #requests = new Map<number, Link>();
  readonly #blocked = new Set<AssociationId>();
  readonly #connects = new TimerQueue<Link>();
  #lastRequest = 0;

  /** @param context the registrar around it */
  constructor(context: PeerLinksContext) {
    this.#context = context;
  }

  /** How many associations belong to peers. */
  get associationCount(): number {
    return this.#owners.size;
  }

  /** Whose association this is, as far as is known. */
  peerOf(association: AssociationId): Peer | undefined {
    return this.#owners.get(association)?.peer;
  }

  /** Whether an association takes no more for now. */
  isBlocked(association: AssociationId): boolean {
    return this.#blocked.has(association);
  }

  /** An association is up: whose it is shows the connect that asked for it, or its address and port. */
  up(record: AssociationRecord, request: number | undefined): void {
    const asked = request === undefined ? undefined : this.#requests.get(request);
    if (asked !== undefined) this.#requestEnded(asked);
    const peer = asked?.peer ?? this.#context.peers.findByAddress(record.peerAddresses, record.peerPort);
    if (peer === undefined) this.#strangers.set(record.association, record);
    else this.attach(peer, record);
  }

  /** An association belongs to a peer. */
  attach(peer: Peer, record: AssociationRecord): void {
    const link = this.#link(peer);
    if (link.associations.has(record.association)) return;
    const before = this.#owners.get(record.association);
    if (before !== undefined) this.#detach(before, record.association);
    this.#strangers.delete(record.association);
    this.#owners.set(record.association, link);
    link.associations.add(record.association);
    if (!peer.isStatic) {
      peer.addresses = record.peerAddresses.slice(0, MAX_PEER_ADDRESSES);
      peer.port = record.peerPort;
    }
    if (peer.association === undefined) this.#use(link, record.association);
  }

  /** An association has ended. */
  down(association: AssociationId, now: Instant): void {
    this.#blocked.delete(association);
    this.#strangers.delete(association);
    const link = this.#owners.get(association);
    if (link === undefined) return;
    this.#detach(link, association);
    if (link.peer.association !== undefined) return;
    link.retryAt = now + backoff(link.failures++);
    this.#context.lost(link.peer, now);
  }

  /** A message of the peer came: the way to it works. */
  proven(peer: Peer): void {
    const link = this.#links.get(peer);
    if (link === undefined || peer.association === undefined) return;
    link.failures = 0;
    link.retryAt = -Infinity;
  }

  /** A connect has failed. */
  connectFailed({ request, reason, origin }: AssociationDown, now: Instant): void {
    const link = request === undefined ? undefined : this.#requests.get(request);
    if (link === undefined) return;
    this.#requestEnded(link);
    if (link.peer.association !== undefined) return; // the peer was faster
    link.retryAt = now + backoff(++link.failures);
    if (link.greeting !== undefined || link.waiting.length > 0) this.#wantAssociation(link);
    if (reason === "refused" && origin === "peer") this.#context.refused(link.peer, now);
  }

  /** The transport takes no more for this association, or takes it again. */
  setBlocked(association: AssociationId, blocked: boolean): void {
    if (blocked) this.#blocked.add(association);
    else if (this.#blocked.delete(association)) {
      const peer = this.peerOf(association);
      if (peer !== undefined) this.#context.greet(peer, false);
    }
  }

  /**
   * Sends if there is an association that takes it.
   *
   * @returns whether it was sent
   */
  sendNow(peer: Peer, octets: Uint8Array): boolean {
    const { association } = peer;
    if (association === undefined || this.#blocked.has(association)) return false;
    this.#context.execute({ type: "send", association, data: octets, ppid: Ppid.enrp });
    return true;
  }

  /** Sends, or lets the message wait for an association. */
  send(peer: Peer, octets: Uint8Array): void {
    if (peer.association !== undefined) return void this.sendNow(peer, octets);
    if (!this.#context.peers.has(peer)) return;
    const link = this.#link(peer);
    if (link.waiting.length >= MAX_WAITING_MESSAGES) link.waiting.shift(); // the newest tell most
    link.waiting.push(octets);
    this.#wantAssociation(link);
  }

  /** Sees to it that the peer hears a presence soon: at once, or when an association is up. */
  greet(peer: Peer, replyRequired: boolean): void {
    if (peer.association !== undefined) return this.#context.greet(peer, replyRequired);
    if (!this.#context.peers.has(peer)) return;
    const link = this.#link(peer);
    link.greeting = { replyRequired: replyRequired || (link.greeting?.replyRequired ?? false) };
    this.#wantAssociation(link);
  }

  /** A peer is forgotten: what it has is ended. */
  drop(peer: Peer): void {
    const link = this.#links.get(peer);
    if (link === undefined) return;
    for (const association of [...link.associations]) {
      this.#detach(link, association);
      this.#context.execute({ type: "abort", association, reason: "no peer any more" });
    }
    this.#requestEnded(link);
    this.#connects.clear(link);
    this.#links.delete(peer);
  }

  /** A peer turns out to be another one: its associations are that one's. */
  merge(from: Peer, to: Peer): void {
    const link = this.#links.get(from);
    if (link === undefined) return;
    const other = this.#link(to);
    const associations = [...link.associations];
    for (const association of associations) {
      this.#detach(link, association);
      this.#owners.set(association, other);
      other.associations.add(association);
    }
    const [first] = associations;
    if (to.association === undefined && first !== undefined) this.#use(other, first);
    for (const octets of link.waiting) this.send(to, octets);
    this.drop(from);
  }

  /** An association is this peer's no more. */
  release(association: AssociationId): void {
    const link = this.#owners.get(association);
    if (link !== undefined) this.#detach(link, association);
  }

  /** Runs what is due. */
  tick(now: Instant): void {
    for (let link = this.#connects.takeDue(now); link !== undefined; link = this.#connects.takeDue(now)) {
      this.#connect(link);
    }
  }

  /** When something is due. */
  nextTimeout(): Instant | undefined {
    return this.#connects.next();
  }

  /** @throws {InvariantError} when associations and peers disagree */
  checkInvariants(): void {
    const { peers } = this.#context;
    for (const [association, { peer, associations }] of this.#owners) {
      assert(peers.has(peer), "only peers own associations");
      assert(associations.has(association), "a peer knows its associations");
      assert(!this.#strangers.has(association), "a peer's association is no stranger's");
    }
    for (const [peer, { associations, waiting }] of this.#links) {
      assert(peers.has(peer), "only peers have links");
      assert((peer.association === undefined) === (associations.size === 0), "a peer's association is used");
      assert(waiting.length <= MAX_WAITING_MESSAGES, "few messages wait");
    }
  }

  /** The next tick connects, unless the last failure is too young. */
  #wantAssociation(link: Link): void {
    if (link.request === undefined) this.#connects.set(link, link.retryAt);
  }

  /** A peer that had none is reached by this association: it is greeted, and told what waits. */
  #use(link: Link, association: AssociationId): void {
    const { peer } = link;
    peer.association = association;
    this.#connects.clear(link);
    const replyRequired = link.greeting?.replyRequired ?? false;
    link.greeting = undefined;
    this.#context.greet(peer, replyRequired);
    for (const octets of link.waiting.splice(0)) this.sendNow(peer, octets);
  }

  #connect(link: Link): void {
    const { peer } = link;
    if (peer.association !== undefined || link.request !== undefined) return;
    // There is but one association between two endpoints (RFC 9260 §1.3): a connect would be refused.
    for (const record of this.#strangers.values()) {
      if (record.peerPort !== peer.port) continue;
      if (peer.addresses.some((address) => record.peerAddresses.includes(address))) {
        return this.attach(peer, record);
      }
    }
    const request = ++this.#lastRequest;
    link.request = request;
    this.#requests.set(request, link);
    this.#context.execute({ type: "connect", request, addresses: peer.addresses, port: peer.port });
  }

  #requestEnded(link: Link): void {
    if (link.request !== undefined) this.#requests.delete(link.request);
    link.request = undefined;
  }

  #detach(link: Link, association: AssociationId): void {
    this.#owners.delete(association);
    link.associations.delete(association);
    if (link.peer.association !== association) return;
    link.peer.association = link.associations.values().next().value;
  }

  #link(peer: Peer): Link {
    let link = this.#links.get(peer);
    if (link === undefined) {
      link = {
        peer,
        associations: new Set(),
        request: undefined,
        failures: 0,
        retryAt: -Infinity,
        greeting: undefined,
        waiting: [],
      };
      this.#links.set(peer, link);
    }
    return link;
  }
}

function backoff(failures: number): number {
  return failures === 0 ? 0 : Math.min(MIN_BACKOFF_MS * 2 ** (failures - 1), MAX_BACKOFF_MS);
}
