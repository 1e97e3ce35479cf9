import { EnrpType, readEnrp } from "../enrp/mod.ts";
import type { EnrpMessage, HandleTableRequest, Presence } from "../enrp/mod.ts";
import type { ElementEntry } from "../handlespace/mod.ts";
import { earliest } from "../machine.ts";
import { formatTransportAddress } from "../net.ts";
import type { AssociationDown, AssociationUp, EndpointOpened, Instant, TransportAddress } from "../net.ts";
import { errorFor, unrecognizedParameters } from "../param/operation_error.ts";
import type { OperationError } from "../param/operation_error.ts";
import { DecodeError } from "../wire/mod.ts";
import type { AssociationRecord } from "./associations.ts";
import { EnrpParts } from "./enrp_parts.ts";
import type { EnrpContext } from "./enrp_parts.ts";
import { sourceName } from "./enrp_post.ts";
import type { Peer } from "./peer_list.ts";

/** Associations with registrars that are not known yet, and with programs that read the handlespace. */
const MAX_STRANGERS = 64;

/**
 * The registrar's side toward other registrars (RFC 5353): which message, and which event of an association, goes to which
 * part ({@linkcode EnrpParts}).
 *
 * Whoever sends a message of a registrar is a peer from then on (RFC 5353 §3.4.1). Who only asks for the list or a table
 * is answered, and forgotten: a program that reads the handlespace is no registrar.
 */
export class EnrpService {
  readonly #context: EnrpContext;
  readonly #parts: EnrpParts;
  #isOpen = false;
  #running = false;

  /** @param context the registrar around it */
  constructor(context: EnrpContext) {
    this.#context = context;
    this.#parts = new EnrpParts(context);
  }

  /** The endpoint of ENRP is open. */
  opened(endpoint: EndpointOpened): void {
    const { acquaintances, presences } = this.#parts;
    this.#isOpen = true;
    acquaintances.opened(endpoint);
    presences.opened(endpoint);
  }

  /** Starts: looks for a mentor. Without an endpoint there is nobody to be found, and the start is over at once. */
  start(now: Instant): void {
    this.#running = true;
    if (!this.#isOpen) return this.#context.inService(now);
    this.#parts.acquaintances.introduce(this.#context.staticPeers);
    this.#parts.startUp.begin(now);
  }

  /** Stops: nothing is sent any more. The peers find out when they ask us. */
  stop(): void {
    this.#running = false;
    this.#parts.startUp.stop();
    this.#parts.presences.stop();
  }

  /** An element came, changed or went here. */
  changed(action: "add" | "delete", entry: ElementEntry): void {
    this.#parts.foreign.release(entry);
    if (this.#running) this.#parts.updates.tell(action, entry);
  }

  /** Takes out another registrar's element that users do not reach. Its home may tell of it again. */
  drop(entry: ElementEntry): void {
    this.#parts.foreign.release(entry);
    this.#context.handlespace.remove(entry);
  }

  /** Takes a datagram of the presence group. */
  presence(source: TransportAddress, octets: Uint8Array, now: Instant): void {
    const { acquaintances, links, post } = this.#parts;
    if (!this.#running || !this.#isOpen) return;
    let message: EnrpMessage;
    try {
      message = readEnrp(octets);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#context.statistics.badMessages++;
      return post.offence(formatTransportAddress(source), error.message, "unreadable");
    }
    if (message.type !== "presence") return;
    const peer = acquaintances.senderOfDatagram(message, source, now);
    if (peer === undefined) return;
    this.#parts.heard(peer, now);
    if (message.replyRequired) links.greet(peer, false);
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
    return associationCount - this.#parts.links.associationCount < MAX_STRANGERS;
  }

  /** An association is up. */
  up(record: AssociationRecord, request: number | undefined): void {
    this.#parts.links.up(record, request);
  }

  /** An association has ended. */
  down(record: AssociationRecord, now: Instant): void {
    this.#parts.source.end(record.association);
    this.#parts.links.down(record.association, now);
  }

  /** A connect has failed. */
  connectFailed(event: AssociationDown, now: Instant): void {
    this.#parts.links.connectFailed(event, now);
  }

  /**
   * An association takes no more for now, or takes it again.
   *
   * @returns whether that is all right; a stranger who does not take answers should be left
   */
  setBlocked(record: AssociationRecord, blocked: boolean): boolean {
    this.#parts.links.setBlocked(record.association, blocked);
    return this.#parts.links.peerOf(record.association) !== undefined;
  }

  /** The process at the other end began anew: it may be another registrar, or has forgotten everything. */
  restarted(record: AssociationRecord, now: Instant): void {
    const { source, links, sync, lists, watch } = this.#parts;
    source.end(record.association);
    const peer = links.peerOf(record.association);
    if (peer === undefined) return;
    sync.lost(peer, now);
    lists.forget(peer);
    watch.suspect(peer, now);
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
      return this.#parts.post.offence(sourceName(record), "a registrar with our ID");
    }
    this.#dispatch(record, message, now);
    const error = unrecognizedParameters(unrecognized);
    if (error !== undefined && message.type !== "error") this.#sendError(record, message.senderId, error);
  }

  /** Runs what is due. */
  tick(now: Instant): void {
    const { links, presences, watch, sync, startUp, takeover, foreign } = this.#parts;
    if (!this.#running) return;
    links.tick(now);
    presences.tick(now);
    for (let due = watch.takeDue(now); due !== undefined; due = watch.takeDue(now)) {
      if (due.type === "ask") links.greet(due.peer, true);
      else this.#parts.dead(due.peer, due.type, now);
    }
    sync.tick(now);
    startUp.tick(now);
    takeover.tick(now);
    foreign.tick(now);
    links.tick(now); // what has just been asked for
  }

  /** When something is due. */
  nextTimeout(): Instant | undefined {
    const { presences, links, watch, sync, startUp, takeover, foreign } = this.#parts;
    if (!this.#running) return undefined;
    return earliest(
      presences.nextTimeout(),
      links.nextTimeout(),
      watch.nextTimeout(),
      sync.nextTimeout(),
      startUp.nextTimeout(),
      takeover.nextTimeout(),
      foreign.nextTimeout(),
    );
  }

  /** @throws {InvariantError} when the structures disagree */
  checkInvariants(): void {
    if (!this.#running) return;
    this.#parts.links.checkInvariants();
    this.#parts.foreign.checkInvariants();
  }

  // ------------------------------------------------------------------------------------------------------- messages

  #dispatch(record: AssociationRecord, message: EnrpMessage, now: Instant): void {
    const { acquaintances, sync, post, updates, lists, startUp, takeover } = this.#parts;
    if (message.type === "handleTableRequest") return this.#tableRequest(record, message, now);
    if (message.type === "listRequest") return this.#listRequest(record, message.senderId, now);
    if (message.type === "error") return; // whatever it was, it is not mended by another message
    const peer = acquaintances.senderOf(record, message.senderId, now);
    if (peer === undefined) return;
    this.#parts.heard(peer, now);
    switch (message.type) {
      case "presence":
        return this.#presenceOf(peer, record, message, now);
      case "handleTableResponse":
        if (sync.response(peer, record, message, now) === "taken") return;
        return post.offence(sourceName(record), "a handle table that was not asked for");
      case "handleUpdate":
        return updates.take(peer, record, message, now);
      case "listResponse":
        if (lists.take(peer, record, message, now)) startUp.listed(peer, message.rejected, now);
        return;
      case "initTakeover":
        return takeover.initTakeover(peer, message, now);
      case "initTakeoverAck":
        return takeover.acknowledged(peer, message, now);
      case "takeoverServer":
        return takeover.takenOver(peer, message, now);
      default:
        message satisfies never;
    }
  }

  #presenceOf(peer: Peer, record: AssociationRecord, message: Presence, now: Instant): void {
    const { post, presences, startUp, lists, sync } = this.#parts;
    if (message.replyRequired) {
      this.#context.statistics.presencesSent++;
      post.answer(record, presences.message(peer, false, record.overLoopback));
    }
    if (!startUp.isDone) return; // the mentor's list and table come first
    lists.requestOnce(peer);
    sync.audit(peer, message.checksum, now);
  }

  #tableRequest(record: AssociationRecord, message: HandleTableRequest, now: Instant): void {
    const { startUp, post, source } = this.#parts;
    this.#heardOver(record, message.senderId, now);
    // RFC 5353 §3.2.3: whoever has not got the handlespace yet is no mentor. Nor can it say what it owns: with its old ID
    // that may be what the others have of it still (see TableSync), and they would drop what is not in its table.
    if (!startUp.isDone) return post.answer(record, source.reject(message));
    this.#context.statistics.tablesSent++;
    post.answer(record, source.respond(record.association, message, now));
  }

  #listRequest(record: AssociationRecord, senderId: number, now: Instant): void {
    const { lists, startUp } = this.#parts;
    this.#heardOver(record, senderId, now);
    // RFC 5353 §3.2.2.2: whoever is looking for a mentor has no list that could be relied on.
    lists.respond(record, senderId, !startUp.isDone);
  }

  #unreadable(record: AssociationRecord, octets: Uint8Array, decodeError: DecodeError): void {
    this.#context.statistics.badMessages++;
    this.#parts.post.offence(sourceName(record), decodeError.message, "unreadable");
    const error = errorFor(decodeError);
    // An error is never answered by an error: two registrars would go on for ever.
    if (error === "silent" || octets[0] === EnrpType.error) return;
    this.#sendError(record, senderIdOf(octets), error);
  }

  #sendError(record: AssociationRecord, receiverId: number, error: OperationError): void {
    const { registrarId: senderId } = this.#context;
    this.#parts.post.answer(record, { type: "error", senderId, receiverId, error });
  }

  /** A request of a peer that is known is a sign of life; anybody else's makes nobody a peer. */
  #heardOver(record: AssociationRecord, senderId: number, now: Instant): void {
    const peer = this.#parts.links.peerOf(record.association);
    if (peer !== undefined && peer.registrarId === senderId && senderId !== 0) this.#parts.heard(peer, now);
  }
}

/** The sender ID of a message that cannot be read; 0 = there is none. */
function senderIdOf(octets: Uint8Array): number {
  if (octets.length < 8) return 0;
  return new DataView(octets.buffer, octets.byteOffset).getUint32(4);
}
