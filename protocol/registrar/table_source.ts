import type { HandleTableRequest, HandleTableResponse, PoolEntry } from "../enrp/message.ts";
import type { ElementEntry, ElementPlace, Handlespace } from "../handlespace/mod.ts";
import type { AssociationId, Instant } from "../net.ts";
import { writePoolElement } from "../param/pool_element.ts";
import type { PoolElement } from "../param/pool_element.ts";
import { Writer } from "../wire/mod.ts";

/** Octets of a response, as RSPLIB has it: one packet. A single element that is larger goes alone. */
const MAX_TABLE_OCTETS = 1400;

/** More elements than these octets hold: none is shorter than 28 octets, and a single one goes alone. */
const MAX_TABLE_ELEMENTS = MAX_TABLE_OCTETS / 28;

/** Common header and both IDs. */
const HEADER_OCTETS = 12;

/** Header of a pool handle parameter. */
const HANDLE_HEADER_OCTETS = 4;

/** What the tables need of the registrar around them. */
export interface TableSourceContext {
  readonly registrarId: number;
  readonly handlespace: Handlespace;
  readonly maxElementsPerTableResponse: number;
  /** A download that pauses for longer is over; the next request begins anew (RFC 5353 §3.2.3). */
  readonly maxTimeNoResponseMs: number;
}

/** A download under way: RFC 5353 §3.2.3 wants its progress kept. */
interface Download {
  readonly ownChildrenOnly: boolean;
  /** The last place told: what changes before it is told by updates. */
  after: ElementPlace;
  usedAt: Instant;
}

/**
 * Answers handle table requests (RFC 5353 §3.2.3, §3.6.3), a part at a time: so many elements, so many octets. A
 * download belongs to its association, and remembers but the place where it stands, so that it costs nothing, survives
 * every change, and ends with its association.
 */
export class TableSource {
  readonly #context: TableSourceContext;
  readonly #downloads = new Map<AssociationId, Download>();

  /** @param context the registrar around it */
  constructor(context: TableSourceContext) {
    this.#context = context;
  }

  /** How many downloads are under way. */
  get size(): number {
    return this.#downloads.size;
  }

  /** The next part of the table for whoever asks over this association. */
  respond(association: AssociationId, request: HandleTableRequest, now: Instant): HandleTableResponse {
    const { registrarId, handlespace, maxElementsPerTableResponse } = this.#context;
    const most = Math.min(maxElementsPerTableResponse, MAX_TABLE_ELEMENTS);
    const { ownChildrenOnly } = request;
    const download = this.#current(association, ownChildrenOnly, now);
    const owner = ownChildrenOnly ? registrarId : undefined;
    const page = handlespace.page(download?.after, most + 1, owner);
    const { pools, count } = fit(page, most);
    const more = count < page.length;
    const last = page[count - 1];
    if (more && last !== undefined) {
      const after = { pool: { key: last.pool.key }, elementId: last.elementId };
      this.#downloads.set(association, { ownChildrenOnly, after, usedAt: now });
    } else {
      this.#downloads.delete(association);
    }
    return {
      type: "handleTableResponse",
      senderId: registrarId,
      receiverId: request.senderId,
      rejected: false,
      more,
      pools,
    };
  }

  /** Refuses to give a table. */
  reject({ senderId: receiverId }: HandleTableRequest): HandleTableResponse {
    const { registrarId: senderId } = this.#context;
    return { type: "handleTableResponse", senderId, receiverId, rejected: true, more: false, pools: [] };
  }

  /** An association has ended, and its download with it. */
  end(association: AssociationId): void {
    this.#downloads.delete(association);
  }

  #current(association: AssociationId, ownChildrenOnly: boolean, now: Instant): Download | undefined {
    const download = this.#downloads.get(association);
    if (download === undefined || download.ownChildrenOnly !== ownChildrenOnly) return undefined;
    return now - download.usedAt > this.#context.maxTimeNoResponseMs ? undefined : download;
  }
}

/** As many elements as fit into a response, by pools. */
function fit(page: readonly ElementEntry[], most: number): { pools: PoolEntry[]; count: number } {
  const pools: { poolHandle: Uint8Array; elements: PoolElement[] }[] = [];
  let octets = HEADER_OCTETS;
  let count = 0;
  let lastPool: ElementEntry["pool"] | undefined;
  const scratch = new Writer();
  for (const { pool, element } of page.slice(0, most)) {
    const before = scratch.length;
    writePoolElement(scratch, element);
    octets += scratch.length - before;
    if (pool !== lastPool) octets += HANDLE_HEADER_OCTETS + (pool.poolHandle.length + 3 & ~3);
    if (octets > MAX_TABLE_OCTETS && count > 0) break;
    if (pool !== lastPool) pools.push({ poolHandle: pool.poolHandle, elements: [] });
    pools[pools.length - 1]?.elements.push(element);
    lastPool = pool;
    count++;
  }
  return { pools, count };
}
