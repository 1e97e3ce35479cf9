import { EnrpType, readEnrp } from "../enrp/mod.ts";
import type { EnrpMessage, HandleTableRequest, Presence } from "../enrp/mod.ts";
import type { ElementEntry, Handlespace } from "../handlespace/mod.ts";
import { earliest } from "../machine.ts";
import type { Prng } from "../machine.ts";
import { formatTransportAddress } from "../net.ts";
import type {
  AssociationDown,
  AssociationUp,
  EndpointOpened,
  Instant,
  TransportAddress,
  TransportCommand,
} from "../net.ts";
import { errorFor, unrecognizedParameters } from "../param/operation_error.ts";
import type { OperationError } from "../param/operation_error.ts";
import type { PoolElement } from "../param/pool_element.ts";
import { DecodeError } from "../wire/mod.ts";
import { Acquaintances } from "./acquaintances.ts";
import type { AssociationRecord } from "./associations.ts";
import { EnrpPost, sourceName } from "./enrp_post.ts";
import { ForeignElements } from "./foreign_elements.ts";
import { HandleUpdates } from "./handle_updates.ts";
import type { RegistrarTimes, StaticPeer } from "./options.ts";
import { PeerLinks } from "./peer_links.ts";
import { Peer } from "./peer_list.ts";
import type { PeerList } from "./peer_list.ts";
import { PeerWatch } from "./peer_watch.ts";
import { Presences } from "./presences.ts";
import type { PeerDownReason, RegistrarReport } from "./report.ts";
import { ServerLists } from "./server_lists.ts";
import { StartUp } from "./start_up.ts";
import type { RegistrarStatistics } from "./statistics.ts";
import { TableSource } from "./table_source.ts";
import { TableSync } from "./table_sync.ts";
import { TakeoverService } from "./takeover.ts";

/** Associations with registrars that are not known yet, and with programs that read the handlespace. */
const MAX_STRANGERS = 64;

/** What the ENRP side needs of the registrar around it. */
export interface EnrpContext extends RegistrarTimes {
  readonly registrarId: number;
  readonly staticPeers: readonly StaticPeer[];
  readonly maxPeers: number;
  readonly maxElements: number;
  readonly maxElementsPerTableResponse: number;
  readonly random: Prng;
  readonly handlespace: Handlespace;
  readonly peers: PeerList;
  readonly statistics: RegistrarStatistics;
  readonly report: (report: RegistrarReport) => void;
  /** Gives a command to the endpoint of ENRP. */
  readonly execute: (command: TransportCommand) => void;
  /** Sends a datagram to the group of presences. */
  readonly multicast: (data: Uint8Array) => void;
  /** The start is over: announces may begin. */
  readonly inService: (now: Instant) => void;
  /**
   * An element as it is seen from here: by the addresses that mean the same here, and at the distance from its registrar
   * and the way to that one.
   */
  readonly locate: (record: AssociationRecord, element: PoolElement) => PoolElement;
  /** An element that was ours is another registrar's now: its supervision here ends. */
  readonly disown: (entry: ElementEntry) => void;
  /** An element of a dead registrar becomes ours, or one that was ours before we began anew. */
  readonly adopt: (entry: ElementEntry, now: Instant) => void;
  /** A peer offers an element to us (takeover suggestion). */
  readonly offered: (entry: ElementEntry, now: Instant) => void;
  /** Whether our elements are offered to peers that suit them better. */
  readonly suggestsTakeovers: boolean;
}

/**
 * The registrar's side toward other registrars (RFC 5353). This file says which message goes where, and what happens
 * when a peer dies; each part has a file of its own:
 *
 * | part | does |
 * |---|---|
 * | {@linkcode PeerLinks} | associations with peers: set up, lost, blocked |
 * | {@linkcode Acquaintances} | who is who, and becomes a peer |
 * | {@linkcode PeerWatch} | who lives |
 * | {@linkcode Presences} | tells the others that we live |
 * | {@linkcode StartUp} | finds a mentor |
 * | {@linkcode ServerLists} | lists of servers |
 * | {@linkcode TableSource}, {@linkcode TableSync} | gives and takes handle tables |
 * | {@linkcode HandleUpdates}, {@linkcode ForeignElements} | what becomes of elements |
 * | {@linkcode TakeoverService} | takes over dead registrars' elements |
 *
 * Whoever sends a message of a registrar is a peer from then on (RFC 5353 §3.4.1). Who only asks for the list or a table
 * is answered, and forgotten: a program that reads the handlespace is no registrar.
 */
export class EnrpService {
  readonly #context: EnrpContext;
  readonly #links: PeerLinks;
  readonly #watch: PeerWatch;
  readonly #post: EnrpPost;
  readonly #acquaintances: Acquaintances;
  readonly #presences: Presences;
  readonly #startUp: StartUp;
  readonly #lists: ServerLists;
  readonly #source: TableSource;
  readonly #sync: TableSync;
  readonly #foreign: ForeignElements;
  readonly #updates: HandleUpdates;
  readonly #takeover: TakeoverService;
  #isOpen = false;
  #running = false;

  /** @param context the registrar around it */
  constructor(context: EnrpContext) {
    this.#context = context;
    const { registrarId, peers, execute, report } = context;
    const living = () => this.#living();
    this.#watch = new PeerWatch(context);
    this.#links = new PeerLinks({
      peers,
      execute,
      greet: (peer, replyRequired) => this.#presences.tell(peer, replyRequired),
      lost: (peer, now) => this.#lost(peer, now),
      refused: (peer, now) => this.#watch.refuted(peer, now),
    });
    this.#post = new EnrpPost(registrarId, this.#links, execute, report);
    const parts = { ...context, links: this.#links, watch: this.#watch, post: this.#post, living };
    this.#presences = new Presences(parts);
    this.#acquaintances = new Acquaintances({
      ...parts,
      replaced: (peer, now) => this.#dead(peer, "restarted", now),
    });
    this.#lists = new ServerLists({ ...parts, acquaintances: this.#acquaintances });
    this.#foreign = new ForeignElements({ ...context, lives: (id) => this.#lives(id) });
    this.#source = new TableSource(context);
    this.#sync = new TableSync({
      ...context,
      foreign: this.#foreign,
      request: (peer, ownChildrenOnly) => {
        this.#post.send(peer, { type: "handleTableRequest", ...this.#post.ids(peer), ownChildrenOnly });
      },
      loaded: (peer, outcome, now) => this.#startUp.loaded(peer, outcome, now),
    });
    this.#updates = new HandleUpdates({ ...parts, foreign: this.#foreign, sync: this.#sync });
    this.#startUp = new StartUp({
      ...context,
      hasStaticPeers: () => [...peers].some(({ isStatic }) => isStatic),
      candidates: living,
      requestList: (peer) => this.#lists.request(peer),
      load: (peer, now) => this.#sync.load(peer, now),
      done: (mentor, now) => this.#inService(mentor, now),
    });
    this.#takeover = this.#newTakeover();
  }

  /** The endpoint of ENRP is open. */
  opened(endpoint: EndpointOpened): void {
    this.#isOpen = true;
    this.#acquaintances.opened(endpoint);
    this.#presences.opened(endpoint);
  }

  /** Starts: looks for a mentor. Without an endpoint there is nobody to be found, and the start is over at once. */
  start(now: Instant): void {
    this.#running = true;
    if (!this.#isOpen) return this.#context.inService(now);
    this.#acquaintances.introduce(this.#context.staticPeers);
    this.#startUp.begin(now);
  }

  /** Stops: nothing is sent any more. The peers find out when they ask us. */
  stop(): void {
    this.#running = false;
    this.#startUp.stop();
    this.#presences.stop();
  }

  /** An element came, changed or went here. */
  changed(action: "add" | "delete", entry: ElementEntry): void {
    this.#foreign.release(entry);
    if (this.#running) this.#updates.tell(action, entry);
  }

  /** Takes out another registrar's element that users do not reach. Its home may tell of it again. */
  drop(entry: ElementEntry): void {
    this.#foreign.release(entry);
    this.#context.handlespace.remove(entry);
  }

  /** Takes a datagram of the presence group. */
  presence(source: TransportAddress, octets: Uint8Array, now: Instant): void {
    if (!this.#running || !this.#isOpen) return;
    let message: EnrpMessage;
    try {
      message = readEnrp(octets);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#context.statistics.badMessages++;
      return this.#post.offence(formatTransportAddress(source), error.message, "unreadable");
    }
    if (message.type !== "presence") return;
    const peer = this.#acquaintances.senderOfDatagram(message, source, now);
    if (peer === undefined) return;
    this.#heard(peer, now);
    if (message.replyRequired) this.#links.greet(peer, false);
  }

  /**
   * Whether an association is wanted: peers' always are, whatever strangers do, and those of some strangers.
   *
   * @param associationCount how many there are at the endpoint of ENRP
   */
  admits({ peerAddresses, peerPort, request }: AssociationUp, associationCount: number): boolean {
    if (request !== undefined || this.#context.peers.findByAddress(peerAddresses, peerPort) !== undefined) {
      return true;
    }
    return associationCount - this.#links.associationCount < MAX_STRANGERS;
  }

  /** An association is up. */
  up(record: AssociationRecord, request: number | undefined): void {
    this.#links.up(record, request);
  }

  /** An association has ended. */
  down(record: AssociationRecord, now: Instant): void {
    this.#source.end(record.association);
    this.#links.down(record.association, now);
  }

  /** A connect has failed. */
  connectFailed(event: AssociationDown, now: Instant): void {
    this.#links.connectFailed(event, now);
  }

  /**
   * An association takes no more for now, or takes it again.
   *
   * @returns whether that is all right; a stranger who does not take answers should be left
   */
  setBlocked(record: AssociationRecord, blocked: boolean): boolean {
    this.#links.setBlocked(record.association, blocked);
    return this.#links.peerOf(record.association) !== undefined;
  }

  /** The process at the other end began anew: it may be another registrar, or has forgotten everything. */
  restarted(record: AssociationRecord, now: Instant): void {
    this.#source.end(record.association);
    const peer = this.#links.peerOf(record.association);
    if (peer === undefined) return;
    this.#sync.lost(peer, now);
    this.#lists.forget(peer);
    this.#watch.suspect(peer, now);
  }

  /** Takes a message of an association. Never throws on what a peer sent. */
  message(record: AssociationRecord, octets: Uint8Array, now: Instant): void {
    if (!this.#running) return;
    const unrecognized: Uint8Array[] = [];
    let message: EnrpMessage;
    try {
      message = readEnrp(octets, unrecognized);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      return this.#unreadable(record, octets, error);
    }
    if (message.senderId === this.#context.registrarId) {
      return this.#post.offence(sourceName(record), "a registrar with our ID");
    }
    this.#dispatch(record, message, now);
    const error = unrecognizedParameters(unrecognized);
    if (error !== undefined && message.type !== "error") this.#sendError(record, message.senderId, error);
  }

  /** Runs what is due. */
  tick(now: Instant): void {
    if (!this.#running) return;
    this.#links.tick(now);
    this.#presences.tick(now);
    for (let due = this.#watch.takeDue(now); due !== undefined; due = this.#watch.takeDue(now)) {
      if (due.type === "ask") this.#links.greet(due.peer, true);
      else this.#dead(due.peer, due.type, now);
    }
    this.#sync.tick(now);
    this.#startUp.tick(now);
    this.#takeover.tick(now);
    this.#foreign.tick(now);
    this.#links.tick(now); // what has just been asked for
  }

  /** When something is due. */
  nextTimeout(): Instant | undefined {
    if (!this.#running) return undefined;
    return earliest(
      this.#presences.nextTimeout(),
      this.#links.nextTimeout(),
      this.#watch.nextTimeout(),
      this.#sync.nextTimeout(),
      this.#startUp.nextTimeout(),
      this.#takeover.nextTimeout(),
      this.#foreign.nextTimeout(),
    );
  }

  /** @throws {InvariantError} when the structures disagree */
  checkInvariants(): void {
    if (!this.#running) return;
    this.#links.checkInvariants();
    this.#foreign.checkInvariants();
  }

  // ------------------------------------------------------------------------------------------------------- messages

  #dispatch(record: AssociationRecord, message: EnrpMessage, now: Instant): void {
    if (message.type === "handleTableRequest") return this.#tableRequest(record, message, now);
    if (message.type === "listRequest") return this.#listRequest(record, message.senderId, now);
    if (message.type === "error") return; // whatever it was, it is not mended by another message
    const peer = this.#acquaintances.senderOf(record, message.senderId, now);
    if (peer === undefined) return;
    this.#heard(peer, now);
    switch (message.type) {
      case "presence":
        return this.#presenceOf(peer, record, message, now);
      case "handleTableResponse":
        if (this.#sync.response(peer, record, message, now) === "taken") return;
        return this.#post.offence(sourceName(record), "a handle table that was not asked for");
      case "handleUpdate":
        return this.#updates.take(peer, record, message, now);
      case "listResponse":
        if (this.#lists.take(peer, record, message, now)) this.#startUp.listed(peer, message.rejected, now);
        return;
      case "initTakeover":
        return this.#takeover.initTakeover(peer, message, now);
      case "initTakeoverAck":
        return this.#takeover.acknowledged(peer, message, now);
      case "takeoverServer":
        return this.#takeover.takenOver(peer, message, now);
      default:
        message satisfies never;
    }
  }

  #presenceOf(peer: Peer, record: AssociationRecord, message: Presence, now: Instant): void {
    if (message.replyRequired) {
      this.#context.statistics.presencesSent++;
      this.#post.answer(record, this.#presences.message(peer, false, record.overLoopback));
    }
    if (!this.#startUp.isDone) return; // the mentor's list and table come first
    this.#lists.requestOnce(peer);
    this.#sync.audit(peer, message.checksum, now);
  }

  #tableRequest(record: AssociationRecord, message: HandleTableRequest, now: Instant): void {
    this.#heardOver(record, message.senderId, now);
    // RFC 5353 §3.2.3: whoever has not got the handlespace yet is no mentor. Nor can it say what it owns: with its old ID
    // that may be what the others have of it still (see TableSync), and they would drop what is not in its table.
    if (!this.#startUp.isDone) return this.#post.answer(record, this.#source.reject(message));
    this.#context.statistics.tablesSent++;
    this.#post.answer(record, this.#source.respond(record.association, message, now));
  }

  #listRequest(record: AssociationRecord, senderId: number, now: Instant): void {
    this.#heardOver(record, senderId, now);
    // RFC 5353 §3.2.2.2: whoever is looking for a mentor has no list that could be relied on.
    this.#lists.respond(record, senderId, !this.#startUp.isDone);
  }

  #unreadable(record: AssociationRecord, octets: Uint8Array, decodeError: DecodeError): void {
    this.#context.statistics.badMessages++;
    this.#post.offence(sourceName(record), decodeError.message, "unreadable");
    const error = errorFor(decodeError);
    // An error is never answered by an error: two registrars would go on for ever.
    if (error === "silent" || octets[0] === EnrpType.error) return;
    this.#sendError(record, senderIdOf(octets), error);
  }

  #sendError(record: AssociationRecord, receiverId: number, error: OperationError): void {
    this.#post.answer(record, { type: "error", senderId: this.#context.registrarId, receiverId, error });
  }

  // ------------------------------------------------------------------------------------------------ what becomes of peers

  #heard(peer: Peer, now: Instant): void {
    this.#links.proven(peer);
    this.#watch.heard(peer, now);
    this.#takeover.heard(peer.registrarId);
    this.#startUp.heard(now);
  }

  /** A request of a peer that is known is a sign of life; anybody else's makes nobody a peer. */
  #heardOver(record: AssociationRecord, senderId: number, now: Instant): void {
    const peer = this.#links.peerOf(record.association);
    if (peer !== undefined && peer.registrarId === senderId && senderId !== 0) this.#heard(peer, now);
  }

  /** An association that ends is no proof, but a reason to ask: by a new one, or to learn that nobody is there. */
  #lost(peer: Peer, now: Instant): void {
    this.#sync.lost(peer, now);
    if (this.#watch.suspect(peer, now)) this.#links.greet(peer, true);
  }

  #dead(peer: Peer, reason: PeerDownReason, now: Instant): void {
    if (this.#context.handlespace.ownedCount(peer.registrarId) === 0) return this.#forget(peer, reason, now);
    this.#takeover.begin(peer, now);
  }

  /** A peer is none any more. A static one may come back, perhaps with another ID. */
  #forget(peer: Peer, reason: PeerDownReason, now: Instant): void {
    const { peers, report } = this.#context;
    const { registrarId } = peer;
    if (peers.find(registrarId) !== peer) return;
    // Out of the list at first: what follows may tell all peers something.
    peers.remove(peer);
    if (peer.isStatic) this.#keepPlace(peer);
    this.#links.drop(peer);
    this.#watch.forget(peer);
    this.#lists.forget(peer);
    this.#sync.forget(peer, now);
    this.#takeover.peerGone(peer, now);
    this.#startUp.forget(peer, now);
    report({ type: "peerDown", registrarId, reason });
  }

  /** Whoever is at a static peer's place is the static peer now: its successor, or nobody yet. */
  #keepPlace({ addresses, port }: Peer): void {
    const { peers } = this.#context;
    const successor = peers.findByAddress(addresses, port);
    if (successor === undefined) return peers.add(new Peer(0, addresses, port, true));
    successor.isStatic = true;
    successor.addresses = addresses;
  }

  #newTakeover(): TakeoverService {
    const { peers, adopt, disown } = this.#context;
    return new TakeoverService({
      ...this.#context,
      send: (peer, message) => this.#post.send(peer, message),
      tellPresence: () => this.#presences.tellAll(),
      forget: (peer, now) => this.#forget(peer, "taken-over", now),
      watch: (peer, now) => {
        if (peers.has(peer)) this.#watch.asked(peer, now);
      },
      adopt: (entry, now) => {
        this.#foreign.release(entry);
        adopt(entry, now);
      },
      rehomed: (entry, now) => {
        disown(entry);
        this.#foreign.renew(entry, now);
      },
    });
  }

  /** The peers that are known to live. */
  *#living(): IterableIterator<Peer> {
    for (const peer of this.#context.peers.identified()) if (this.#watch.lives(peer)) yield peer;
  }

  #lives(registrarId: number): boolean {
    const peer = this.#context.peers.find(registrarId);
    return peer !== undefined && this.#watch.lives(peer);
  }

  #inService(mentor: Peer | undefined, now: Instant): void {
    const { report, handlespace, inService } = this.#context;
    report({ type: "inService", mentorId: mentor?.registrarId, elementCount: handlespace.elementCount });
    inService(now);
    this.#presences.start(now);
  }
}

/** The sender ID of a message that cannot be read; 0 = there is none. */
function senderIdOf(octets: Uint8Array): number {
  if (octets.length < 8) return 0;
  return new DataView(octets.buffer, octets.byteOffset).getUint32(4);
}
