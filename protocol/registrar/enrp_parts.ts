import type { ElementEntry, Handlespace } from "../handlespace/mod.ts";
import type { Prng } from "../machine.ts";
import type { Instant, TransportCommand } from "../net.ts";
import type { PoolElement } from "../param/pool_element.ts";
import { Acquaintances } from "./acquaintances.ts";
import type { AssociationRecord } from "./associations.ts";
import { EnrpPost } from "./enrp_post.ts";
import { ForeignElements } from "./foreign_elements.ts";
import { HandleUpdates } from "./handle_updates.ts";
import type { RegistrarTimes, StaticPeer } from "./options.ts";
import { PeerLinks } from "./peer_links.ts";
import type { Peer, PeerList } from "./peer_list.ts";
import { PeerWatch } from "./peer_watch.ts";
import { Presences } from "./presences.ts";
import type { PeerDownReason, RegistrarReport } from "./report.ts";
import { ServerLists } from "./server_lists.ts";
import { StartUp } from "./start_up.ts";
import type { RegistrarStatistics } from "./statistics.ts";
import { TableSource } from "./table_source.ts";
import { TableSync } from "./table_sync.ts";
import { TakeoverService } from "./takeover.ts";

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
 * What the ENRP side of a registrar is made of, and what becomes of a peer that several parts have to do with.
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
 */
export class EnrpParts {
  readonly links: PeerLinks;
  readonly watch: PeerWatch;
  readonly post: EnrpPost;
  readonly acquaintances: Acquaintances;
  readonly presences: Presences;
  readonly startUp: StartUp;
  readonly lists: ServerLists;
  readonly source: TableSource;
  readonly sync: TableSync;
  readonly foreign: ForeignElements;
  readonly updates: HandleUpdates;
  readonly takeover: TakeoverService;
  readonly #context: EnrpContext;

  /** @param context the registrar around it */
  constructor(context: EnrpContext) {
    this.#context = context;
    const { registrarId, peers, execute, report } = context;
    const living = () => this.#living();
    this.watch = new PeerWatch(context);
    this.links = new PeerLinks({
      peers,
      execute,
      greet: (peer, replyRequired) => this.presences.tell(peer, replyRequired),
      lost: (peer, now) => this.#lost(peer, now),
      refused: (peer, now) => this.watch.refuted(peer, now),
    });
    this.post = new EnrpPost(registrarId, this.links, execute, report);
    const parts = { ...context, links: this.links, watch: this.watch, post: this.post, living };
    this.presences = new Presences(parts);
    this.acquaintances = new Acquaintances({
      ...parts,
      replaced: (peer, now) => this.dead(peer, "restarted", now),
    });
    this.lists = new ServerLists({ ...parts, acquaintances: this.acquaintances });
    this.foreign = new ForeignElements({ ...context, lives: (id) => this.#lives(id) });
    this.source = new TableSource(context);
    this.sync = new TableSync({
      ...context,
      foreign: this.foreign,
      request: (peer, ownChildrenOnly) => {
        this.post.send(peer, { type: "handleTableRequest", ...this.post.ids(peer), ownChildrenOnly });
      },
      loaded: (peer, outcome, now) => this.startUp.loaded(peer, outcome, now),
    });
    this.updates = new HandleUpdates({ ...parts, foreign: this.foreign, sync: this.sync });
    this.startUp = new StartUp({
      ...context,
      hasStaticPeers: () => [...peers].some(({ isStatic }) => isStatic),
      candidates: living,
      requestList: (peer) => this.lists.request(peer),
      load: (peer, now) => this.sync.load(peer, now),
      done: (mentor, now) => this.#inService(mentor, now),
    });
    this.takeover = this.#newTakeover();
  }

  #newTakeover(): TakeoverService {
    const { peers, adopt, disown } = this.#context;
    return new TakeoverService({
      ...this.#context,
      send: (peer, message) => this.post.send(peer, message),
      tellPresence: () => this.presences.tellAll(),
      forget: (peer, now) => this.#forget(peer, "taken-over", now),
      watch: (peer, now) => {
        if (peers.has(peer)) this.watch.asked(peer, now);
      },
      adopt: (entry, now) => {
        this.foreign.release(entry);
        adopt(entry, now);
      },
      rehomed: (entry, now) => {
        disown(entry);
        this.foreign.renew(entry, now);
      },
    });
  }

  /** A message of a peer came. */
  heard(peer: Peer, now: Instant): void {
    this.links.proven(peer);
    this.watch.heard(peer, now);
    this.takeover.heard(peer.registrarId);
    this.startUp.heard(now);
  }

  /** A peer is dead: it is taken over if it has elements, and forgotten. */
  dead(peer: Peer, reason: PeerDownReason, now: Instant): void {
    if (this.#context.handlespace.ownedCount(peer.registrarId) === 0) return this.#forget(peer, reason, now);
    this.takeover.begin(peer, now);
  }

  /** An association that ends is no proof, but a reason to ask: by a new one, or to learn that nobody is there. */
  #lost(peer: Peer, now: Instant): void {
    this.sync.lost(peer, now);
    if (this.watch.suspect(peer, now)) this.links.greet(peer, true);
  }

  /** A peer is none any more. A static one may come back, perhaps with another ID. */
  #forget(peer: Peer, reason: PeerDownReason, now: Instant): void {
    const { peers, report } = this.#context;
    const { registrarId } = peer;
    if (peers.find(registrarId) !== peer) return;
    peers.forget(peer); // at first: what follows may tell all peers something
    this.links.drop(peer);
    this.watch.forget(peer);
    this.lists.forget(peer);
    this.sync.forget(peer, now);
    this.takeover.peerGone(peer, now);
    this.startUp.forget(peer, now);
    report({ type: "peerDown", registrarId, reason });
  }

  /** The peers that are known to live. */
  *#living(): IterableIterator<Peer> {
    for (const peer of this.#context.peers.identified()) if (this.watch.lives(peer)) yield peer;
  }

  #lives(registrarId: number): boolean {
    const peer = this.#context.peers.find(registrarId);
    return peer !== undefined && this.watch.lives(peer);
  }

  #inService(mentor: Peer | undefined, now: Instant): void {
    const { report, handlespace, inService } = this.#context;
    report({ type: "inService", mentorId: mentor?.registrarId, elementCount: handlespace.elementCount });
    inService(now);
    this.presences.start(now);
  }
}
