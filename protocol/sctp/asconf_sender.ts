/**
 * The requests of this side to change its addresses (RFC 5061 §5.1): one ASCONF at a time, repeated by T4 until its
 * ASCONF-ACK comes.
 *
 * Requests wait until they can be sent. One that undoes another that still waits takes it away, so an interface that
 * comes and goes makes no queue; and a delete that would leave no address waits until there is one to add before it.
 */
import type { Instant, IpAddress } from "../net.ts";
import type { AsconfKind, AsconfRequest, AsconfResponse } from "./asconf_chunk.ts";
import { readAsconfAck, writeAsconf } from "./asconf_chunk.ts";
import type { AssociationParts } from "./association_parts.ts";
import { CauseCode } from "./causes.ts";
import { MAX_ASCONF_REQUESTS } from "./limits.ts";
import type { LocalAddresses } from "./local_addresses.ts";
import { NEVER } from "./path.ts";
import type { Path } from "./path.ts";
import { tsnAdd, tsnDifference } from "./serial.ts";

interface Outstanding {
  readonly serial: number;
  readonly requests: readonly AsconfRequest[];
  readonly chunk: Uint8Array;
  path: Path;
  sends: number;
  sentAt: Instant;
}

/** Something to ask for, as soon as that can be. */
interface Wish {
  readonly kind: AsconfKind;
  readonly address: IpAddress;
}

/** Requests in the order in which they are carried out: an address is added before another goes. */
const ORDER: readonly AsconfKind[] = ["add", "setPrimary", "delete"];

/** Sends the ASCONFs of one association. */
export class AsconfSender {
  /** When T4 expires. */
  dueAt: Instant = NEVER;
  readonly #parts: AssociationParts;
  readonly #addresses: LocalAddresses;
  readonly #sourceTo: (destination: IpAddress, avoid: readonly IpAddress[]) => IpAddress | undefined;
  readonly #onDone: (now: Instant) => void;
  #waiting: Wish[] = [];
  #outstanding: Outstanding | undefined;
  #nextSerial: number;
  #lastCorrelation = 0;
  /** What the peer does not understand, and is not asked for again (A9, F3a, F3b). */
  readonly #refused = new Set<AsconfKind>();

  /**
   * @param initialTsn where the sequence numbers start, too (A2)
   * @param sourceTo a source address for an ASCONF, which may be one that is being added
   * @param onDone the peer has answered: addresses have changed
   */
  constructor(
    parts: AssociationParts,
    addresses: LocalAddresses,
    initialTsn: number,
    sourceTo: (destination: IpAddress, avoid: readonly IpAddress[]) => IpAddress | undefined,
    onDone: (now: Instant) => void,
  ) {
    this.#parts = parts;
    this.#addresses = addresses;
    this.#nextSerial = initialTsn;
    this.#sourceTo = sourceTo;
    this.#onDone = onDone;
  }

  /** Whether there is something that the peer has not answered. */
  get busy(): boolean {
    return this.#outstanding !== undefined;
  }

  /** An address is to be added. */
  add(address: IpAddress): void {
    if (this.#addresses.has(address) || this.#refused.has("add")) return;
    if (this.#cancel("delete", address)) {
      this.#addresses.deleting.delete(address);
      return;
    }
    this.#addresses.adding.add(address);
    this.#waiting.push({ kind: "add", address });
  }

  /** An address is to go. */
  remove(address: IpAddress): void {
    if (!this.#addresses.has(address) || this.#refused.has("delete")) return;
    this.#cancel("setPrimary", address);
    if (this.#cancel("add", address)) {
      this.#addresses.adding.delete(address);
      return;
    }
    this.#addresses.deleting.add(address);
    this.#waiting.push({ kind: "delete", address });
  }

  /** The peer is to send to an address in the first place (§5.4). */
  setPrimary(address: IpAddress): void {
    if (this.#refused.has("setPrimary")) return;
    this.#waiting = this.#waiting.filter(({ kind }) => kind !== "setPrimary");
    this.#waiting.push({ kind: "setPrimary", address });
  }

  #cancel(kind: AsconfKind, address: IpAddress): boolean {
    const index = this.#waiting.findIndex((one) => one.kind === kind && one.address === address);
    if (index >= 0) this.#waiting.splice(index, 1);
    return index >= 0;
  }

  /** Sends the next ASCONF, if there is something to ask for and no other is under way (C1). */
  goOn(now: Instant): void {
    if (
      !this.#parts.association.mayCarryData || this.#outstanding !== undefined || this.#waiting.length === 0
    ) return;
    const requests = this.#takeRequests();
    if (requests.length === 0) return;
    const path = this.#parts.paths.forData();
    const serial = this.#nextSerial;
    const name = this.#addresses.nameFor(path.address, path.source);
    if (name === undefined) return;
    this.#nextSerial = tsnAdd(serial, 1);
    const chunk = writeAsconf(serial, name, requests);
    this.#outstanding = { serial, requests, chunk, path, sends: 0, sentAt: now };
    this.#transmit(this.#outstanding, now);
  }

  #takeRequests(): AsconfRequest[] {
    const taken: AsconfRequest[] = [], left: Wish[] = [];
    const remaining = new Set(this.#addresses.known);
    const sorted = ORDER.flatMap((kind) => this.#waiting.filter((one) => one.kind === kind));
    for (const one of sorted) {
      const { kind, address } = one;
      const last = kind === "delete" && [...remaining].every((other) => other === address); // F5
      if (last || taken.length >= MAX_ASCONF_REQUESTS) {
        left.push(one);
        continue;
      }
      if (kind === "add") remaining.add(address);
      if (kind === "delete") remaining.delete(address);
      this.#lastCorrelation = tsnAdd(this.#lastCorrelation, 1);
      taken.push({ ...one, correlationId: this.#lastCorrelation });
    }
    this.#waiting = left;
    return taken;
  }

  /** The source must not be an address that the ASCONF deletes (F6). */
  #transmit(outstanding: Outstanding, now: Instant): void {
    const { path, chunk, requests } = outstanding;
    outstanding.sends++;
    outstanding.sentAt = now;
    const going = requests.filter(({ kind }) => kind === "delete").map(({ address }) => address);
    const source = this.#sourceTo(path.address, going);
    const { address, encapsulationPort } = path;
    if (source === undefined && going.length > 0) {
      // There is no way now, and the system would choose a source, perhaps one that goes. T4 tries again; data may go on.
      this.#parts.wake();
    } else {
      this.#parts.send(chunk, source === path.source ? path : { address, encapsulationPort, source });
    }
    this.dueAt = now + path.timeout.rtoMs;
    this.#parts.arm(this.dueAt);
  }

  /** T4 (B1–B5). */
  tick(now: Instant): void {
    if (this.dueAt > now) return;
    this.dueAt = NEVER;
    const outstanding = this.#outstanding;
    if (outstanding === undefined) return;
    const { paths } = this.#parts;
    const { path } = outstanding;
    if (paths.list.includes(path) && !this.#parts.unanswered(path)) return;
    outstanding.path = paths.forRetransmission(path);
    if (!paths.list.includes(outstanding.path)) outstanding.path = paths.forData();
    this.#transmit(outstanding, now);
  }

  /**
   * Takes an ASCONF-ACK.
   *
   * @param chunk header and value
   * @throws {DecodeError} when it cannot be read
   */
  acknowledged(chunk: Uint8Array, now: Instant): void {
    const { serial, responses } = readAsconfAck(chunk);
    const outstanding = this.#outstanding;
    if (outstanding?.serial !== serial) {
      if (tsnDifference(serial, this.#nextSerial) >= 0) this.#abort(); // F0: it answers what was never asked
      return;
    }
    this.#outstanding = undefined;
    this.dueAt = NEVER;
    const { path, sends, sentAt, requests } = outstanding;
    if (this.#parts.paths.list.includes(path)) {
      this.#parts.supervision.answered(path);
      if (sends === 1) path.timeout.measured(now - sentAt);
    }
    this.#conclude(requests, responses);
    this.goOn(now);
    this.#onDone(now);
  }

  /** No answer means yes, unless a request before it has failed (A7, A8). */
  #conclude(requests: readonly AsconfRequest[], responses: readonly AsconfResponse[]): void {
    const byId = new Map(responses.map((response) => [response.correlationId, response]));
    let failed = false;
    for (const { kind, address, correlationId } of requests) {
      const response = byId.get(correlationId);
      const done = response === undefined ? !failed : response.cause === undefined;
      if (!done) failed = true;
      if (response?.cause !== undefined) {
        const association = this.#parts.association.id;
        this.#parts.emit({ type: "remoteError", association, cause: response.cause });
        if (response.cause.code === CauseCode.unrecognizedParameters) this.#refuse(kind);
      }
      if (kind === "add") {
        this.#addresses.adding.delete(address);
        if (done) this.#addresses.known.add(address);
      } else if (kind === "delete") {
        this.#addresses.deleting.delete(address);
        if (done) this.#addresses.known.delete(address);
      }
    }
  }

  /** Such a thing is not asked again; without adding and deleting, the peer goes on with the addresses that it knows. */
  #refuse(kind: AsconfKind): void {
    const kinds: readonly AsconfKind[] = kind === "setPrimary" ? [kind] : ["add", "delete"];
    for (const one of kinds) this.#refused.add(one);
    this.#waiting = this.#waiting.filter((one) => !this.#refused.has(one.kind));
    if (kind === "setPrimary") return;
    this.#addresses.adding.clear();
    this.#addresses.deleting.clear();
  }

  /** The peer does not know ASCONF: nothing is asked of it any more (A9). */
  giveUp(): void {
    this.#outstanding = undefined;
    this.dueAt = NEVER;
    this.#refuse("add");
    this.#refuse("setPrimary");
  }

  #abort(): void {
    this.#parts.abort({ code: CauseCode.illegalAsconfAck, info: new Uint8Array(0) });
  }
}
