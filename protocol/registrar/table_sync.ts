import type { HandleTableResponse } from "../enrp/message.ts";
import type { ElementEntry, Handlespace } from "../handlespace/mod.ts";
import { TimerQueue } from "../machine.ts";
import type { Instant } from "../net.ts";
import type { PoolElement } from "../param/pool_element.ts";
import type { PoolHandle } from "../param/pool_handle.ts";
import type { AssociationRecord } from "./associations.ts";
import type { ForeignElements } from "./foreign_elements.ts";
import type { Peer } from "./peer_list.ts";
import type { RegistrarReport } from "./report.ts";
import type { RegistrarStatistics } from "./statistics.ts";

/**
 * A table that was taken and whose checksum is still another is asked for again, but not at once: it has something that
 * we cannot take (a full handlespace, a pool with another policy), and would be sent every two seconds for ever.
 */
const MIN_PAUSE_MS = 4000;

/** The longest of these pauses, which double. */
const MAX_PAUSE_MS = 120_000;

/** What synchronising needs of the registrar around it. */
export interface TableSyncContext {
  readonly registrarId: number;
  readonly handlespace: Handlespace;
  readonly foreign: ForeignElements;
  readonly statistics: RegistrarStatistics;
  readonly maxTimeNoResponseMs: number;
  /** A table of more elements is none: it would have no end. */
  readonly maxElements: number;
  /** An element as it is seen from here. */
  readonly locate: (record: AssociationRecord, element: PoolElement) => PoolElement;
  /** Sends a handle table request. */
  readonly request: (peer: Peer, ownChildrenOnly: boolean) => void;
  /** An element that had us as home before we began anew is ours again. */
  readonly adopt: (entry: ElementEntry, now: Instant) => void;
  /** The mentor's table is here, or will not come. */
  readonly loaded: (peer: Peer, outcome: SyncOutcome, now: Instant) => void;
  readonly report: (report: RegistrarReport) => void;
}

/** How a download ends. */
export type SyncOutcome = "done" | "rejected" | "failed";

interface Sync {
  readonly peer: Peer;
  readonly cause: "mentor" | "checksum";
  /** Elements of the peer that we have and that it has not named yet. */
  readonly marked: Set<ElementEntry>;
  elementCount: number;
}

/** How taking a peer's table went of late. */
interface Pause {
  failures: number;
  until: Instant;
}

/**
 * Takes handle tables from peers: everything from the mentor at the start (RFC 5353 §3.2.3), and what a peer owns when
 * the checksum in its presence is not ours of it (§3.6.1, §3.6.3): our elements of the peer are marked, those that it
 * names are unmarked, those that stay marked are dropped.
 *
 * A registrar that begins anew with its old ID, before anybody has missed it, finds its elements in its mentor's table:
 * they are its own again, and are told so as those of a dead registrar are.
 *
 *     idle --mentor, or checksum differs--> asking --response with M--> asking
 *       ^--- response without M, rejected, no response, association lost ---/
 */
export class TableSync {
  readonly #context: TableSyncContext;
  readonly #syncs = new Map<Peer, Sync>();
  readonly #pauses = new Map<Peer, Pause>();
  readonly #timers = new TimerQueue<Peer>();

  /** @param context the registrar around it */
  constructor(context: TableSyncContext) {
    this.#context = context;
  }

  /** Whether a table of this peer is under way. */
  isUnderWay(peer: Peer): boolean {
    return this.#syncs.has(peer);
  }

  /** Takes everything that the mentor knows. */
  load(peer: Peer, now: Instant): void {
    this.#begin({ peer, cause: "mentor", marked: new Set(), elementCount: 0 }, now);
  }

  /** A presence came over an association, behind all updates of its sender: now the checksums must agree. */
  audit(peer: Peer, checksum: number, now: Instant): void {
    const { handlespace } = this.#context;
    const owner = peer.registrarId;
    if (handlespace.checksum(owner) === checksum) return void this.#pauses.delete(peer);
    if (this.#syncs.has(peer) || now < (this.#pauses.get(peer)?.until ?? -Infinity)) return;
    const marked = new Set(handlespace.page(undefined, Infinity, owner));
    this.#begin({ peer, cause: "checksum", marked, elementCount: 0 }, now);
  }

  /** A part of a table came. */
  response(
    peer: Peer,
    record: AssociationRecord,
    response: HandleTableResponse,
    now: Instant,
  ): "taken" | "unasked" {
    const sync = this.#syncs.get(peer);
    if (sync === undefined) return "unasked";
    if (response.rejected) this.#end(sync, "rejected", now);
    else this.#part(sync, record, response, now);
    return "taken";
  }

  /** A peer told of one of its elements by itself: it has it. */
  told(peer: Peer, entry: ElementEntry): void {
    this.#syncs.get(peer)?.marked.delete(entry);
  }

  /** There is no association with the peer any more: what was asked for will not come. */
  lost(peer: Peer, now: Instant): void {
    const sync = this.#syncs.get(peer);
    if (sync !== undefined) this.#end(sync, "failed", now);
  }

  /** A peer is forgotten. */
  forget(peer: Peer, now: Instant): void {
    this.lost(peer, now);
    this.#pauses.delete(peer);
  }

  /** Runs what is due. */
  tick(now: Instant): void {
    for (let peer = this.#timers.takeDue(now); peer !== undefined; peer = this.#timers.takeDue(now)) {
      this.lost(peer, now);
    }
  }

  /** When something is due. */
  nextTimeout(): Instant | undefined {
    return this.#timers.next();
  }

  #begin(sync: Sync, now: Instant): void {
    this.#syncs.set(sync.peer, sync);
    this.#context.statistics.synchronizations++;
    this.#ask(sync, now);
  }

  #ask({ peer, cause }: Sync, now: Instant): void {
    const { maxTimeNoResponseMs, request } = this.#context;
    this.#timers.set(peer, now + maxTimeNoResponseMs);
    request(peer, cause === "checksum");
  }

  #part(sync: Sync, record: AssociationRecord, response: HandleTableResponse, now: Instant): void {
    const { locate } = this.#context;
    const before = sync.elementCount;
    for (const { poolHandle, elements } of response.pools) {
      for (const element of elements) {
        sync.elementCount++;
        this.#take(sync, poolHandle, locate(record, element), now);
      }
    }
    if (!response.more) return this.#end(sync, "done", now);
    // RSPLIB's last part may be empty, but says that it is the last.
    const progress = sync.elementCount > before && sync.elementCount <= this.#context.maxElements;
    if (progress) this.#ask(sync, now);
    else this.#end(sync, "failed", now);
  }

  #take(sync: Sync, poolHandle: PoolHandle, element: PoolElement, now: Instant): void {
    const { registrarId, handlespace, foreign } = this.#context;
    if (sync.cause === "checksum" && element.homeRegistrarId !== sync.peer.registrarId) return;
    const present = handlespace.find(poolHandle, element.elementId);
    // What is registered here now is younger than any table; a registration there would have come as an update.
    if (present?.homeRegistrarId === registrarId) return;
    if (element.homeRegistrarId === registrarId) {
      if (sync.cause === "mentor" && present === undefined) this.#takeBack(poolHandle, element, now);
      return;
    }
    const entry = foreign.take(poolHandle, element, now);
    if (entry !== undefined) sync.marked.delete(entry);
  }

  #takeBack(poolHandle: PoolHandle, element: PoolElement, now: Instant): void {
    const { handlespace, statistics, adopt } = this.#context;
    const result = handlespace.register(poolHandle, element);
    if (result.type === "refused") statistics.limitsMet++;
    else adopt(result.entry, now);
  }

  #end(sync: Sync, outcome: SyncOutcome, now: Instant): void {
    const { peer, cause, marked, elementCount } = sync;
    const { foreign, report, loaded } = this.#context;
    this.#syncs.delete(peer);
    this.#timers.clear(peer);
    if (outcome === "done") {
      let purgedCount = 0;
      for (const entry of marked) {
        if (
          entry.homeRegistrarId !== peer.registrarId || entry.pool.elements.get(entry.elementId) !== entry
        ) {
          continue; // it moved, or went, meanwhile
        }
        foreign.remove(entry, "unknown to its registrar");
        purgedCount++;
      }
      report({ type: "synchronized", registrarId: peer.registrarId, cause, elementCount, purgedCount });
    }
    if (cause === "mentor") return loaded(peer, outcome, now);
    const failures = (this.#pauses.get(peer)?.failures ?? 0) + 1;
    const pauseMs = failures === 1 ? 0 : Math.min(MIN_PAUSE_MS * 2 ** (failures - 2), MAX_PAUSE_MS);
    this.#pauses.set(peer, { failures, until: now + pauseMs });
  }
}
