import type { ListResponse } from "../enrp/mod.ts";
import type { Instant } from "../net.ts";
import type { Acquaintances } from "./acquaintances.ts";
import type { AssociationRecord } from "./associations.ts";
import { type EnrpPost, sourceName } from "./enrp_post.ts";
import type { Peer } from "./peer_list.ts";

/** Octets that the servers of a list response may take: the rest of 65535 is for what is around them. */
const MAX_LIST_OCTETS = 60_000;

/** Octets of a server information without its addresses; of an address, at most. */
const SERVER_OCTETS = 16, ADDRESS_OCTETS = 20;

/** What lists need of the registrar around them. */
export interface ServerListsContext {
  readonly registrarId: number;
  readonly post: EnrpPost;
  readonly acquaintances: Acquaintances;
  /** The peers that are known to live. */
  readonly living: () => Iterable<Peer>;
}

/** Lists of servers, asked for and answered (RFC 5353 §3.2.2.2). Each peer is asked once, at its first presence. */
export class ServerLists {
  readonly #context: ServerListsContext;
  readonly #asked = new Set<Peer>();

  /** @param context the registrar around them */
  constructor(context: ServerListsContext) {
    this.#context = context;
  }

  /** Asks a peer for its list, whether it was asked before or not. */
  request(peer: Peer): void {
    const { post } = this.#context;
    this.#asked.add(peer);
    post.send(peer, { type: "listRequest", ...post.ids(peer) });
  }

  /** Asks a peer for its list, unless it was asked before. */
  requestOnce(peer: Peer): void {
    if (!this.#asked.has(peer)) this.request(peer);
  }

  /** Answers a request: those that live, since the dead would be passed on for ever else. */
  respond(record: AssociationRecord, receiverId: number, rejected: boolean): void {
    const { registrarId: senderId, post, living } = this.#context;
    const servers: ListResponse["servers"][number][] = [];
    let octets = 0;
    for (const { registrarId, addresses, port } of rejected ? [] : living()) {
      octets += SERVER_OCTETS + ADDRESS_OCTETS * addresses.length;
      if (octets > MAX_LIST_OCTETS) break;
      servers.push({ registrarId, transport: { protocol: "sctp", port, use: "data", addresses } });
    }
    post.answer(record, { type: "listResponse", senderId, receiverId, rejected, servers });
  }

  /** Takes a list. @returns whether it was asked for */
  take(peer: Peer, record: AssociationRecord, message: ListResponse, now: Instant): boolean {
    const { post, acquaintances } = this.#context;
    if (!this.#asked.has(peer)) {
      post.offence(sourceName(record), "a list that was not asked for");
      return false;
    }
    if (message.rejected) this.#asked.delete(peer); // its next presence is a reason to ask again
    else acquaintances.named(message.servers, record, now);
    return true;
  }

  /** A peer is forgotten, or began anew. */
  forget(peer: Peer): void {
    this.#asked.delete(peer);
  }
}
