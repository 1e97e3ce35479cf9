import { writeEnrp } from "../enrp/mod.ts";
import type { HandleUpdate } from "../enrp/mod.ts";
import type { ElementEntry, Handlespace } from "../handlespace/mod.ts";
import type { Instant } from "../net.ts";
import type { PoolElement } from "../param/pool_element.ts";
import type { AssociationRecord } from "./associations.ts";
import { type EnrpPost, sourceName } from "./enrp_post.ts";
import type { ForeignElements } from "./foreign_elements.ts";
import type { PeerLinks } from "./peer_links.ts";
import type { Peer, PeerList } from "./peer_list.ts";
import type { RegistrarReport } from "./report.ts";
import type { RegistrarStatistics } from "./statistics.ts";
import type { TableSync } from "./table_sync.ts";
import { betterHome } from "./takeover_suggestion.ts";

/** What updates need of the registrar around them. */
export interface HandleUpdatesContext {
  readonly registrarId: number;
  readonly handlespace: Handlespace;
  readonly peers: PeerList;
  readonly links: PeerLinks;
  readonly post: EnrpPost;
  readonly foreign: ForeignElements;
  readonly sync: TableSync;
  readonly statistics: RegistrarStatistics;
  /** The peers that are known to live. */
  readonly living: () => Iterable<Peer>;
  /** An element as it is seen from here. */
  readonly locate: (record: AssociationRecord, element: PoolElement) => PoolElement;
  /** Whether elements are offered to registrars that suit them better. */
  readonly suggestsTakeovers: boolean;
  /** A peer offers an element to us. */
  readonly offered: (entry: ElementEntry, now: Instant) => void;
  readonly report: (report: RegistrarReport) => void;
}

/**
 * ENRP_HANDLE_UPDATE both ways (RFC 5353 §3.3). An update does not wait for an association: a peer that missed it sees
 * so by the checksum of the presence that it gets first.
 */
export class HandleUpdates {
  readonly #context: HandleUpdatesContext;

  /** @param context the registrar around them */
  constructor(context: HandleUpdatesContext) {
    this.#context = context;
  }

  /** Tells all peers of an element of ours. They all get the same octets: the receiver's ID stays blank (§3.3.1). */
  tell(action: "add" | "delete", entry: ElementEntry): void {
    const { registrarId, peers, links, statistics, suggestsTakeovers } = this.#context;
    // What is another's is told by that one.
    if (entry.homeRegistrarId !== registrarId || peers.size === 0) return;
    const { pool: { poolHandle }, element } = entry;
    const octets = writeEnrp({
      type: "handleUpdate",
      senderId: registrarId,
      receiverId: 0,
      action,
      poolHandle,
      element,
    });
    for (const peer of peers) if (links.sendNow(peer, octets)) statistics.updatesSent++;
    if (action === "add" && suggestsTakeovers) this.#offer(entry);
  }

  /** Takes a peer's update. */
  take(peer: Peer, record: AssociationRecord, message: HandleUpdate, now: Instant): void {
    const { statistics, post } = this.#context;
    statistics.updatesReceived++;
    if (message.element.homeRegistrarId !== peer.registrarId) {
      return post.offence(sourceName(record), "an update of an element that is not the sender's");
    }
    if (message.action === "delete") this.#delete(peer, message);
    else this.#add(peer, record, message, now);
  }

  #add(peer: Peer, record: AssociationRecord, message: HandleUpdate, now: Instant): void {
    const { foreign, sync, post, locate, offered } = this.#context;
    const { poolHandle, element, takeoverSuggested } = message;
    const entry = foreign.take(poolHandle, locate(record, element), now);
    if (entry === undefined) {
      return post.offence(sourceName(record), "an update of an element that cannot be taken");
    }
    sync.told(peer, entry);
    this.#report(peer, message);
    if (takeoverSuggested) offered(entry, now);
  }

  #delete(peer: Peer, message: HandleUpdate): void {
    const { handlespace, foreign } = this.#context;
    const entry = handlespace.find(message.poolHandle, message.element.elementId);
    // Who has moved to another registrar is deleted by the old one, too, perhaps later.
    if (entry === undefined || entry.homeRegistrarId !== peer.registrarId) return;
    foreign.remove(entry, "deleted by its registrar");
    this.#report(peer, message);
  }

  #report({ registrarId }: Peer, { action, poolHandle, element: { elementId } }: HandleUpdate): void {
    this.#context.report({ type: "updated", action, poolHandle, elementId, registrarId });
  }

  /** Offers an element to the peer that suits it best, by one more update, with the T bit. */
  #offer({ pool: { poolHandle }, elementId, element }: ElementEntry): void {
    const { registrarId, links, post, statistics, living } = this.#context;
    const peer = betterHome(elementId, registrarId, living());
    if (peer === undefined) return;
    const octets = writeEnrp({
      type: "handleUpdate",
      ...post.ids(peer),
      action: "add",
      takeoverSuggested: true,
      poolHandle,
      element,
    });
    if (links.sendNow(peer, octets)) statistics.updatesSent++;
  }
}
