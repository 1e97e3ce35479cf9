import { transportAddresses } from "../net.ts";
import type { AssociationId, AssociationUp, IpAddress } from "../net.ts";
import { OncePerOffender } from "../user/once_per_offender.ts";
import type { AssociationRecord } from "./associations.ts";
import type { RegistrarReport } from "./report.ts";
import type { RegistrarStatistics } from "./statistics.ts";

/** What the table needs of the registrar around it. */
export interface AssociationTableContext {
  /** Most associations with elements and users. */
  readonly maxAssociations: number;
  /** Most associations that one host may set up. */
  readonly maxAssociationsPerHost: number;
  /** Whether there is room for one more association at the endpoint of ENRP, where there are so many. */
  readonly admitsEnrp: (up: AssociationUp, count: number) => boolean;
  readonly statistics: RegistrarStatistics;
  readonly report: (report: RegistrarReport) => void;
  readonly abort: (record: AssociationRecord, reason: string) => void;
}

/** The registrar's associations, with elements, users and other registrars; no more than there is room for. */
export class AssociationTable implements Iterable<AssociationRecord> {
  readonly #context: AssociationTableContext;
  readonly #records = new Map<AssociationId, AssociationRecord>();
  readonly #perHost: AssociationsPerHost;
  readonly #offenders = new OncePerOffender();
  /** How many of them are those of ENRP. */
  #enrpCount = 0;

  /** @param context the registrar around it */
  constructor(context: AssociationTableContext) {
    this.#context = context;
    this.#perHost = new AssociationsPerHost(context.maxAssociationsPerHost);
  }

  /** How many there are. */
  get size(): number {
    return this.#records.size;
  }

  /** The association of that name, if it is there. */
  get(association: AssociationId): AssociationRecord | undefined {
    return this.#records.get(association);
  }

  [Symbol.iterator](): Iterator<AssociationRecord> {
    return this.#records.values();
  }

  /**
   * An association is up: takes it in, or turns it away.
   *
   * @returns whether it was taken in
   */
  add(record: AssociationRecord, up: AssociationUp): boolean {
    const { association, endpoint } = record;
    const obstacle = this.#obstacle(record, up);
    if (obstacle !== undefined) {
      this.#turnAway(record, obstacle);
      return false;
    }
    this.#perHost.add(record);
    this.#records.set(association, record);
    if (endpoint === "enrp") this.#enrpCount++;
    const peer = transportAddresses(up.peerAddresses, up.peerPort);
    this.#context.report({ type: "associationUp", association, endpoint, peer });
    return true;
  }

  /** An association is gone. */
  remove(record: AssociationRecord): void {
    this.#records.delete(record.association);
    if (record.endpoint === "enrp") this.#enrpCount--;
    this.#perHost.remove(record);
  }

  /** Why there is no room; undefined = there is. */
  #obstacle(record: AssociationRecord, up: AssociationUp): string | undefined {
    const { maxAssociations, admitsEnrp } = this.#context;
    const hasRoom = record.endpoint === "enrp"
      ? admitsEnrp(up, this.#enrpCount)
      : this.#records.size - this.#enrpCount < maxAssociations;
    if (!hasRoom) return `too many associations with the endpoint of ${record.endpoint.toUpperCase()}`;
    const isOurs = up.request !== undefined;
    return isOurs || this.#perHost.admits(record) ? undefined : "too many associations of one host";
  }

  /** Told once a host. */
  #turnAway(record: AssociationRecord, reason: string): void {
    const { statistics, report, abort } = this.#context;
    statistics.limitsMet++;
    const source = record.host;
    if (this.#offenders.isFirst(source)) report({ type: "limit", source, reason });
    abort(record, reason);
  }
}

/**
 * How many associations each host has, so that one host cannot take all places. A host is known by the address that its
 * association came from, for others might be made up.
 */
class AssociationsPerHost {
  readonly #limit: number;
  readonly #counts = new Map<IpAddress, number>();

  /** @param limit associations of one host */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Whether one more association of its host is within the limit. */
  admits({ host }: AssociationRecord): boolean {
    return (this.#counts.get(host) ?? 0) < this.#limit;
  }

  /** An association has come. */
  add({ host }: AssociationRecord): void {
    this.#counts.set(host, (this.#counts.get(host) ?? 0) + 1);
  }

  /** An association is gone. */
  remove({ host }: AssociationRecord): void {
    const count = this.#counts.get(host) ?? 0;
    if (count > 1) this.#counts.set(host, count - 1);
    else this.#counts.delete(host);
  }
}
