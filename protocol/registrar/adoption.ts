import type { ElementEntry } from "../handlespace/mod.ts";
import { TimerQueue } from "../machine.ts";
import { transportAddresses } from "../net.ts";
import type { Instant, IpAddress } from "../net.ts";
import { formatTransportAddresses } from "../net.ts";
import type { AssociationRecord } from "./associations.ts";
import type { MembershipTable } from "./membership_table.ts";

/**
 * Elements' hosts that are connected to at a time: a dead registrar may leave thousands of elements, and an SCTP stack
 * has to keep something for each attempt.
 */
export const MAX_PARALLEL_ADOPTIONS = 128;

/** An attempt that failed at once is repeated after this time: the element may be connecting to us just then. */
const RETRY_MS = 1000;

/** What adoptions need of the registrar around them. */
export interface AdoptionContext {
  readonly members: MembershipTable;
  /** An element that is not reached for so long is dead: the time that a keep-alive may take. */
  readonly timeoutMs: number;
  /** Connects from the ASAP endpoint. Answered by {@linkcode Adoption.up} or {@linkcode Adoption.failed}. */
  readonly connect: (request: number, addresses: readonly IpAddress[], port: number) => void;
  /** Ends an association that is not needed. */
  readonly shutdown: (record: AssociationRecord) => void;
  /** Sends a keep-alive with the H bit. */
  readonly claim: (entry: ElementEntry, record: AssociationRecord, now: Instant) => void;
  /** An element that is ours could not be reached. */
  readonly remove: (entry: ElementEntry) => void;
  /**
   * An element that was offered is reached: makes it our own, if it is still to be had, and tells the others.
   *
   * @returns whether it is ours now
   */
  readonly accept: (entry: ElementEntry, now: Instant) => boolean;
}

/** The ASAP endpoint of a process with elements. */
interface Place {
  readonly key: string;
  readonly addresses: readonly IpAddress[];
  readonly port: number;
  /** Elements that are ours already. */
  readonly adopted: Set<ElementEntry>;
  /** Elements that become ours when they are reached. */
  readonly offered: Set<ElementEntry>;
  /** The connect that is under way. */
  request: number | undefined;
  /** When it is given up; undefined = it waits for its turn. */
  deadline: Instant | undefined;
}

/**
 * Makes elements of other registrars our own: connects to the ASAP transport that they registered from, and tells them
 * by a keep-alive with the H bit who their home is (RFC 5352 §2.2.7, RFC 5353 §3.5.2).
 *
 * Elements of one process are reached by one association. Its answer to the keep-alive is awaited by the
 * {@linkcode MembershipTable}, as that of every other. An element that meanwhile came to us by itself, went, or found
 * another home is left alone.
 *
 *     waiting --turn--> connecting --up--> (keep-alives sent)
 *                         |   ^--time--- failed
 *                         \--deadline--> (adopted ones removed, offered ones left)
 */
export class Adoption {
  readonly #context: AdoptionContext;
  readonly #places = new Map<string, Place>();
  readonly #byRequest = new Map<number, Place>();
  /** Places that are connected to, or about to be again. */
  readonly #active = new Set<Place>();
  readonly #waiting = new Set<Place>();
  readonly #timers = new TimerQueue<Place>();
  #lastRequest = 0;

  /** @param context the registrar around it */
  constructor(context: AdoptionContext) {
    this.#context = context;
  }

  /** How many elements' processes are still to be reached. */
  get size(): number {
    return this.#places.size;
  }

  /** An element is ours from now on: it is under supervision, and will be told. */
  adopt(entry: ElementEntry, now: Instant): void {
    this.#context.members.adopted(entry, now);
    // Without an ASAP transport it cannot be told; it finds us by itself, or its registration ends.
    this.#placeOf(entry)?.adopted.add(entry);
    this.#next(now);
  }

  /** An element may become ours: it does when it is reached. */
  offer(entry: ElementEntry, now: Instant): void {
    this.#placeOf(entry)?.offered.add(entry);
    this.#next(now);
  }

  /** A connect succeeded. */
  up(request: number, record: AssociationRecord, now: Instant): void {
    const place = this.#byRequest.get(request);
    this.#byRequest.delete(request);
    if (place !== undefined) {
      this.#end(place);
      this.#tell(place, record, now);
      this.#next(now);
    }
    if (record.entries.size === 0) this.#context.shutdown(record); // it came too late
  }

  /** A connect failed. */
  failed(request: number, now: Instant): void {
    const place = this.#byRequest.get(request);
    if (place === undefined) return;
    this.#byRequest.delete(request);
    place.request = undefined;
    this.#timers.set(place, Math.min(now + RETRY_MS, place.deadline ?? now));
  }

  /**
   * The association of an element is lost.
   *
   * @returns whether the element is connected to once more; otherwise nothing has changed
   */
  lost(entry: ElementEntry, now: Instant): boolean {
    if (!this.#context.members.tryAgain(entry)) return false;
    this.adopt(entry, now);
    return true;
  }

  /** Runs what is due. */
  tick(now: Instant): void {
    for (let place = this.#timers.takeDue(now); place !== undefined; place = this.#timers.takeDue(now)) {
      if (place.deadline !== undefined && now < place.deadline) this.#connect(place, now);
      else this.#giveUp(place);
    }
    this.#next(now);
  }

  /** When something is due. */
  nextTimeout(): Instant | undefined {
    return this.#timers.next();
  }

  /** Forgets everything: the registrar stops. */
  stop(): void {
    for (const place of [...this.#places.values()]) this.#end(place);
  }

  #placeOf({ element: { asapTransport } }: ElementEntry): Place | undefined {
    if (asapTransport?.protocol !== "sctp" || asapTransport.addresses.length === 0) return undefined;
    const { addresses, port } = asapTransport;
    const key = formatTransportAddresses(transportAddresses(addresses, port));
    let place = this.#places.get(key);
    if (place === undefined) {
      place = {
        key,
        addresses,
        port,
        adopted: new Set(),
        offered: new Set(),
        request: undefined,
        deadline: undefined,
      };
      this.#places.set(key, place);
      this.#waiting.add(place);
    }
    return place;
  }

  /** Starts as many as may be under way. */
  #next(now: Instant): void {
    for (const place of this.#waiting) {
      if (this.#active.size >= MAX_PARALLEL_ADOPTIONS) return;
      this.#waiting.delete(place);
      this.#active.add(place);
      place.deadline = now + this.#context.timeoutMs;
      this.#connect(place, now);
    }
  }

  #connect(place: Place, now: Instant): void {
    const { members, connect } = this.#context;
    for (const entry of place.adopted) if (!members.isAdopted(entry)) place.adopted.delete(entry);
    if (place.adopted.size + place.offered.size === 0) return this.#end(place);
    const request = ++this.#lastRequest;
    place.request = request;
    this.#byRequest.set(request, place);
    this.#timers.set(place, place.deadline ?? now);
    connect(request, place.addresses, place.port);
  }

  #tell({ adopted, offered }: Place, record: AssociationRecord, now: Instant): void {
    const { members, accept, claim } = this.#context;
    for (const entry of offered) {
      if (!accept(entry, now)) continue;
      members.adopted(entry, now);
      adopted.add(entry);
    }
    for (const entry of adopted) {
      if (!members.isAdopted(entry)) continue;
      members.reached(entry, record);
      claim(entry, record, now);
    }
  }

  #giveUp(place: Place): void {
    const { members, remove } = this.#context;
    this.#end(place);
    for (const entry of place.adopted) if (members.isAdopted(entry)) remove(entry);
  }

  #end(place: Place): void {
    // A connect cannot be recalled; its association will be ended when it comes up.
    if (place.request !== undefined) this.#byRequest.delete(place.request);
    this.#timers.clear(place);
    this.#active.delete(place);
    this.#waiting.delete(place);
    this.#places.delete(place.key);
  }
}
