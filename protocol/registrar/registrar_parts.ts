import { writeAsap } from "../asap/mod.ts";
import type { AsapMessage } from "../asap/mod.ts";
import { Handlespace } from "../handlespace/mod.ts";
import type { ElementEntry } from "../handlespace/mod.ts";
import { Prng } from "../machine.ts";
import { Ppid } from "../net.ts";
import type { Instant, IpAddress } from "../net.ts";
import { assert } from "../wire/mod.ts";
import { Adoption } from "./adoption.ts";
import { Announces } from "./announces.ts";
import { AsapService } from "./asap_service.ts";
import { AssociationTable } from "./association_table.ts";
import type { AssociationRecord } from "./associations.ts";
import { BadReports } from "./bad_reports.ts";
import { Distances } from "./distances.ts";
import { EnrpService } from "./enrp_service.ts";
import { MembershipTable } from "./membership_table.ts";
import { Offences } from "./offences.ts";
import type { RegistrarOptions } from "./options.ts";
import { Outlet } from "./outlet.ts";
import { reachableElement } from "./peer_addresses.ts";
import { PeerList } from "./peer_list.ts";
import { settingsOf } from "./presets.ts";
import type { RegistrarSettings } from "./presets.ts";
import { Probes } from "./probes.ts";
import { Reception } from "./reception.ts";
import type { RegistrarReport, RemovalReason } from "./report.ts";
import { Resolutions } from "./resolutions.ts";
import { newStatistics } from "./statistics.ts";
import type { RegistrarStatistics } from "./statistics.ts";
import { UnreachableReports } from "./unreachable_reports.ts";

/** What most parts need. */
interface Common extends RegistrarSettings {
  readonly random: Prng;
  readonly statistics: RegistrarStatistics;
  readonly report: (report: RegistrarReport) => void;
  readonly abort: (record: AssociationRecord, reason: string) => void;
  readonly connect: (request: number, addresses: readonly IpAddress[], port: number) => void;
  /** An element came, changed or went here: the other registrars have to hear of it. */
  readonly changed: (action: "add" | "delete", entry: ElementEntry) => void;
}

/**
 * What a registrar is made of, and what becomes of an element that several parts have to do with: that depends on whether
 * we are its home ENRP server (RFC 5352 §1.1), or another registrar is.
 */
export class RegistrarParts {
  readonly statistics: RegistrarStatistics = newStatistics();
  readonly outlet: Outlet = new Outlet();
  readonly peers: PeerList = new PeerList();
  readonly handlespace: Handlespace;
  readonly members: MembershipTable;
  readonly badReports: BadReports;
  readonly distances: Distances;
  readonly announces: Announces;
  readonly associations: AssociationTable;
  readonly reception: Reception;
  readonly asap: AsapService;
  readonly adoption: Adoption;
  readonly probes: Probes;
  readonly enrp: EnrpService;
  readonly #common: Common;
  readonly #offences: Offences;

  /** @param options what the registrar is */
  constructor(options: RegistrarOptions) {
    const { outlet, statistics } = this;
    const common = this.#common = {
      ...settingsOf(options),
      random: new Prng(options.seed),
      statistics,
      report: (report) => outlet.report(report),
      abort: (record, reason) => outlet.abort(record, reason),
      connect: (request, addresses, port) => outlet.connect(request, addresses, port),
      changed: (action, entry) => this.enrp.changed(action, entry),
    };
    this.#offences = new Offences(common);
    this.handlespace = new Handlespace(common.random, common);
    // A generator of its own: the policies' choices do not depend on it.
    this.members = new MembershipTable(common, new Prng(options.seed ^ 0x6b656570));
    this.badReports = new BadReports(common.maxBadReports, common.reportMemoryMs);
    this.distances = new Distances({
      ...common,
      handlespace: this.handlespace,
      stepMs: common.distanceStepMs,
      measure: (record) => outlet.measure(record),
    });
    this.announces = new Announces({
      ...common,
      intervalMs: common.announceIntervalMs,
      multicast: (data) => outlet.multicast("asap-announce", data),
    });
    this.associations = new AssociationTable({
      ...common,
      admitsEnrp: (up, count) => this.enrp.admits(up, count),
    });
    this.reception = new Reception({
      serve: (record, ppid, data, now) => this.#serve(record, ppid, data, now),
      consumed: (record, octets) => outlet.consumed(record, octets),
      expel: (record, reason) => this.#offences.expel(record, reason),
    });
    this.asap = this.#newAsap();
    this.adoption = this.#newAdoption();
    this.probes = this.#newProbes();
    this.enrp = this.#newEnrp();
  }

  #newAsap(): AsapService {
    const common = {
      ...this.#common,
      handlespace: this.handlespace,
      offences: this.#offences,
      send: (record: AssociationRecord, message: AsapMessage) => this.#send(record, message),
    };
    return new AsapService({
      ...common,
      members: this.members,
      distances: this.distances,
      resolutions: new Resolutions(common),
      unreachableReports: new UnreachableReports({
        ...common,
        badReports: this.badReports,
        suspect: (entry, now) =>
          this.#isOwn(entry) ? this.asap.suspect(entry, now) : this.probes.begin(entry, now),
        remove: (entry, reason) => this.#remove(entry, reason),
      }),
    });
  }

  #newAdoption(): Adoption {
    return new Adoption({
      ...this.#common,
      members: this.members,
      timeoutMs: this.#common.keepAliveTimeoutMs,
      shutdown: (record) => this.outlet.shutdown(record),
      claim: (entry, record, now) => this.asap.claim(entry, record, now),
      remove: (entry) => this.asap.remove(entry, "no answer to a keep-alive"),
      accept: (entry) => this.#accept(entry),
    });
  }

  #newProbes(): Probes {
    return new Probes({
      ...this.#common,
      timeoutMs: this.#common.keepAliveTimeoutMs,
      ask: (entry, record) => this.asap.probe(entry, record),
      shutdown: (record) => {
        const isThere = this.associations.get(record.association) === record;
        if (isThere && record.entries.size === 0) this.outlet.shutdown(record);
      },
      unreachable: (entry) => {
        if (this.#isThere(entry) && !this.#isOwn(entry)) this.#remove(entry, "no answer to a keep-alive");
      },
    });
  }

  #newEnrp(): EnrpService {
    const { takeoverSuggestion, peers: staticPeers } = this.#common;
    return new EnrpService({
      ...this.#common,
      staticPeers,
      peers: this.peers,
      handlespace: this.handlespace,
      execute: (command) => {
        const record = command.type === "send" ? this.associations.get(command.association) : undefined;
        this.outlet.execute("enrp", this.distances.hasten(record, command));
      },
      multicast: (data) => this.outlet.multicast("enrp-presence", data),
      inService: (now) => this.announces.start(now),
      locate: (record, element) =>
        this.distances.ofPeer(record, reachableElement(element, record.overLoopback)),
      disown: (entry) => this.members.removed(entry),
      adopt: (entry, now) => this.adoption.adopt(entry, now),
      suggestsTakeovers: takeoverSuggestion,
      offered: (entry, now) => {
        if (takeoverSuggestion) this.adoption.offer(entry, now);
      },
    });
  }

  /** @throws {InvariantError} when they do not agree */
  checkInvariants(): void {
    const { handlespace, members, associations } = this;
    handlespace.checkInvariants();
    this.enrp.checkInvariants();
    const entries = new Set<ElementEntry>();
    for (const { elements } of handlespace.pools()) {
      for (const entry of elements.values()) if (this.#isOwn(entry)) entries.add(entry);
    }
    members.checkInvariants(entries);
    for (const record of associations) {
      for (const entry of record.entries) {
        assert(members.associationOf(entry) === record, "an association's elements know it");
      }
    }
    this.reception.checkInvariants(associations);
  }

  /** Whether we are an element's home. */
  #isOwn({ homeRegistrarId }: ElementEntry): boolean {
    return homeRegistrarId === this.#common.registrarId;
  }

  #isThere(entry: ElementEntry): boolean {
    return this.handlespace.find(entry.pool.poolHandle, entry.elementId) === entry;
  }

  /** An element of another registrar that was offered to us is reached: it becomes ours, if it is still to be had. */
  #accept(entry: ElementEntry): boolean {
    if (!this.#isThere(entry) || this.#isOwn(entry)) return false;
    this.handlespace.rehome(entry, this.#common.registrarId);
    this.enrp.changed("add", entry); // before the element hears of it, and leaves its old home
    return true;
  }

  /**
   * Removes an element that did not deregister. Only its home takes it out for all: another registrar's is not offered
   * here until that one lists it again (reference/rsplib.md §3.8).
   */
  #remove(entry: ElementEntry, reason: RemovalReason): void {
    if (this.#isOwn(entry)) return this.asap.remove(entry, reason);
    const { elementId, pool: { poolHandle } } = entry;
    this.statistics.removals++;
    this.enrp.drop(entry);
    this.outlet.report({ type: "removed", poolHandle, elementId, reason });
  }

  /** Leads a message to the side that it is for. */
  #serve(record: AssociationRecord, ppid: Ppid, data: Uint8Array, now: Instant): void {
    if (record.aborted) return; // it waited for its turn
    if (record.endpoint === "asap" && ppid === Ppid.asap) return this.asap.message(record, data, now);
    if (record.endpoint === "enrp" && ppid === Ppid.enrp) return this.enrp.message(record, data, now);
    this.#offences.wrongProtocol(record, ppid);
  }

  #send(record: AssociationRecord, message: AsapMessage): void {
    const { endpoint, association } = record;
    const command = { type: "send", association, data: writeAsap(message), ppid: Ppid.asap } as const;
    this.outlet.execute(endpoint, this.distances.hasten(record, command));
  }
}
