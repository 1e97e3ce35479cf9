import { writeAsap } from "../asap/mod.ts";
import type { AsapMessage } from "../asap/mod.ts";
import { DEFAULT_MAX_ELEMENTS, Handlespace } from "../handlespace/mod.ts";
import type { ElementEntry } from "../handlespace/mod.ts";
import { earliest, Prng } from "../machine.ts";
import type { Machine } from "../machine.ts";
import { formatTransportAddresses, Ppid, transportAddresses } from "../net.ts";
import type { AssociationDown, AssociationUp, EndpointOpened, Instant, TransportEvent } from "../net.ts";
import { downText } from "../user/down_text.ts";
import { assert } from "../wire/mod.ts";
import { Adoption } from "./adoption.ts";
import { Announces } from "./announces.ts";
import { AsapService } from "./asap_service.ts";
import { AssociationTable } from "./association_table.ts";
import { AssociationRecord } from "./associations.ts";
import { BadReports } from "./bad_reports.ts";
import { Distances } from "./distances.ts";
import type { RegistrarEffect, RegistrarInput } from "./effects.ts";
import { EnrpService } from "./enrp_service.ts";
import { MembershipTable } from "./membership_table.ts";
import { Offences } from "./offences.ts";
import type { RegistrarOptions } from "./options.ts";
import { Outlet } from "./outlet.ts";
import { reachableElement } from "./peer_addresses.ts";
import { PeerList } from "./peer_list.ts";
import { timesOf } from "./presets.ts";
import { Probes } from "./probes.ts";
import { Reception } from "./reception.ts";
import type { RegistrarReport, RemovalReason } from "./report.ts";
import { Resolutions } from "./resolutions.ts";
import { newStatistics } from "./statistics.ts";
import type { RegistrarStatistics } from "./statistics.ts";
import { UnreachableReports } from "./unreachable_reports.ts";

/** How long associations may take to end in order when the registrar stops; then they are aborted. */
const STOP_LINGER_MS = 1000;

/** Elements that are asked for a sign of life, or removed, in one tick: less than a millisecond of work. */
export const SUPERVISED_PER_TICK = 32;

/**
 * A registrar (RFC 5352's and 5353's "ENRP server"): announces itself, keeps the handlespace, serves pool elements and
 * pool users on the endpoint `asap`, hears other registrars on the endpoint `enrp` and the channel `enrp-presence`.
 * Announces leave by the channel `asap-announce`.
 *
 * Theory of operation: an association carries requests, each answered at once. A registered element belongs to the
 * association it came by and goes with it; it also goes when it does not answer a keep-alive, when its registration
 * ends, and when it was reported unreachable too often of late. What other registrars' elements do is their home's
 * affair: {@linkcode EnrpService} keeps the handlespace equal to theirs, and makes the elements of a dead one ours; the
 * elements are told by {@linkcode Adoption}. Nothing that a peer sends makes the registrar throw, wait, or grow beyond
 * its limits.
 *
 * This class makes the parts, leads inputs and timers to them, and knows whether the registrar runs; what the parts do
 * is theirs.
 *
 *     new --start--> running --stop--> stopping --no association, or time--> stopped
 *
 * @example A registrar announces itself
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const registrar = new Registrar({ registrarId: 0xc2818128, seed: 1 });
 * registrar.handle({ type: "endpointOpened", endpoint: "asap", port: 3863, addresses: ["10.1.1.1"] }, 0);
 * registrar.handle({ type: "start" }, 0);
 * const announce = registrar.drain().find(({ type }) => type === "datagram");
 * assert.ok(announce?.type === "datagram");
 * assert.equal(announce.data.toHex(), "0a000008c2818128");
 * ```
 */
export class Registrar implements Machine<RegistrarInput, RegistrarEffect> {
  readonly #registrarId: number;
  readonly #random: Prng;
  readonly #outlet = new Outlet();
  readonly #handlespace: Handlespace;
  readonly #members: MembershipTable;
  readonly #statistics = newStatistics();
  /** What most parts need. */
  readonly #common = {
    statistics: this.#statistics,
    report: (report: RegistrarReport): void => this.#outlet.report(report),
    abort: (record: AssociationRecord, reason: string): void => this.#outlet.abort(record, reason),
  };
  readonly #asap: AsapService;
  readonly #enrp: EnrpService;
  readonly #distances: Distances;
  readonly #adoption: Adoption;
  readonly #probes: Probes;
  readonly #associations: AssociationTable;
  readonly #offences = new Offences(this.#common);
  readonly #badReports: BadReports;
  readonly #reception: Reception;
  readonly #announces: Announces;
  readonly #peers = new PeerList();
  #asapEndpoint: EndpointOpened | undefined;
  /** When associations that have not ended in order are aborted, once the registrar stops. */
  #lingersUntil: Instant | undefined;
  #state: "new" | "running" | "stopping" | "stopped" = "new";

  /**
   * Makes a registrar that does nothing until `start`.
   *
   * @param options what the registrar is
   */
  constructor(options: RegistrarOptions) {
    assert(options.registrarId !== 0, "a registrar has an ID");
    this.#registrarId = options.registrarId;
    this.#random = new Prng(options.seed);
    this.#handlespace = new Handlespace(this.#random, options);
    this.#members = new MembershipTable({
      keepAliveIntervalMs: options.keepAliveIntervalMs ?? 5000,
      keepAliveTimeoutMs: options.keepAliveTimeoutMs ?? 5000,
      keepAliveJitter: options.keepAliveJitter ?? 0.5,
    }, new Prng(options.seed ^ 0x6b656570)); // of its own: the policies' choices do not depend on it
    this.#badReports = new BadReports(options.maxBadReports ?? 3, options.reportMemoryMs ?? 60_000);
    this.#distances = new Distances({
      handlespace: this.#handlespace,
      stepMs: options.distanceStepMs ?? 50,
      measure: (record) => this.#outlet.measure(record),
      changed: (action, entry) => this.#enrp.changed(action, entry),
    });
    this.#announces = new Announces({
      registrarId: options.registrarId,
      intervalMs: options.announceIntervalMs ?? 1000,
      random: this.#random,
      statistics: this.#statistics,
      multicast: (data) => this.#outlet.multicast("asap-announce", data),
    });
    this.#associations = this.#newAssociations(options);
    this.#reception = new Reception({
      serve: (record, ppid, data, now) => this.#message(record, ppid, data, now),
      consumed: (record, octets) => this.#outlet.consumed(record, octets),
      expel: (record, reason) => this.#offences.expel(record, reason),
    });
    this.#asap = this.#newAsap(options);
    this.#adoption = this.#newAdoption(options);
    this.#probes = this.#newProbes(options);
    this.#enrp = this.#newEnrp(options);
  }

  #newAssociations(options: RegistrarOptions): AssociationTable {
    const maxAssociations = options.maxAssociations ?? 10_000;
    return new AssociationTable({
      ...this.#common,
      maxAssociations,
      maxAssociationsPerHost: options.maxAssociationsPerHost ?? Math.max(1, maxAssociations >> 1),
      admitsEnrp: (up, count) => this.#enrp.admits(up, count),
    });
  }

  #newAsap(options: RegistrarOptions): AsapService {
    const common = {
      ...this.#common,
      registrarId: options.registrarId,
      handlespace: this.#handlespace,
      offences: this.#offences,
      send: (record: AssociationRecord, message: AsapMessage) => this.#send(record, message),
    };
    return new AsapService({
      ...common,
      members: this.#members,
      distances: this.#distances,
      minAddressScope: options.minAddressScope ?? "auto",
      maxElementsPerAssociation: options.maxElementsPerAssociation ?? 128,
      resolutions: new Resolutions({
        ...common,
        maxResolutionItems: options.maxResolutionItems ?? 3,
        maxResolutionRate: options.maxResolutionRate,
      }),
      unreachableReports: new UnreachableReports({
        ...common,
        badReports: this.#badReports,
        maxUnreachableRate: options.maxUnreachableRate,
        suspect: (entry, now) =>
          this.#isOwn(entry) ? this.#asap.suspect(entry, now) : this.#probes.begin(entry, now),
        remove: (entry, reason) => this.#remove(entry, reason),
      }),
      changed: (action, entry) => this.#enrp.changed(action, entry),
    });
  }

  #newAdoption(options: RegistrarOptions): Adoption {
    return new Adoption({
      members: this.#members,
      timeoutMs: options.keepAliveTimeoutMs ?? 5000,
      connect: (request, addresses, port) => this.#outlet.connect(request, addresses, port),
      shutdown: (record) => this.#outlet.shutdown(record),
      claim: (entry, record, now) => this.#asap.claim(entry, record, now),
      remove: (entry) => this.#asap.remove(entry, "no answer to a keep-alive"),
      accept: (entry) => this.#accept(entry),
    });
  }

  #newProbes(options: RegistrarOptions): Probes {
    return new Probes({
      timeoutMs: options.keepAliveTimeoutMs ?? 5000,
      connect: (request, addresses, port) => this.#outlet.connect(request, addresses, port),
      ask: (entry, record) => this.#asap.probe(entry, record),
      shutdown: (record) => {
        const isThere = this.#associations.get(record.association) === record;
        if (isThere && record.entries.size === 0) this.#outlet.shutdown(record);
      },
      unreachable: (entry) => {
        if (this.#isThere(entry) && !this.#isOwn(entry)) this.#remove(entry, "no answer to a keep-alive");
      },
    });
  }

  #newEnrp(options: RegistrarOptions): EnrpService {
    const suggestsTakeovers = options.takeoverSuggestion ?? false;
    return new EnrpService({
      ...this.#common,
      registrarId: options.registrarId,
      times: timesOf(options),
      staticPeers: options.peers ?? [],
      maxPeers: options.maxPeers ?? 128,
      maxElements: options.maxElements ?? DEFAULT_MAX_ELEMENTS,
      maxElementsPerTableResponse: options.maxElementsPerTableResponse ?? 128,
      random: this.#random,
      handlespace: this.#handlespace,
      peers: this.#peers,
      execute: (command) => {
        const record = command.type === "send" ? this.#associations.get(command.association) : undefined;
        this.#outlet.execute("enrp", this.#distances.hasten(record, command));
      },
      multicast: (data) => this.#outlet.multicast("enrp-presence", data),
      inService: (now) => this.#announces.start(now),
      locate: (record, element) =>
        this.#distances.ofPeer(record, reachableElement(element, record.overLoopback)),
      disown: (entry) => this.#members.removed(entry),
      adopt: (entry, now) => this.#adoption.adopt(entry, now),
      suggestsTakeovers,
      offered: (entry, now) => {
        if (suggestsTakeovers) this.#adoption.offer(entry, now);
      },
    });
  }

  /** What was counted since the start. */
  get statistics(): Readonly<RegistrarStatistics> {
    return this.#statistics;
  }

  /** The handlespace, for displays and tests. Do not change it. */
  get handlespace(): Handlespace {
    return this.#handlespace;
  }

  /** The other registrars, for displays and tests. Do not change it. */
  get peers(): PeerList {
    return this.#peers;
  }

  /** Octets of requests that wait for their turn. */
  get waitingOctets(): number {
    return this.#reception.waitingOctets;
  }

  /** How many associations there are, with elements, users and other registrars. */
  get associationCount(): number {
    return this.#associations.size;
  }

  /** How many unreachable reports about an element count now. */
  unreachableReports(entry: ElementEntry, now: Instant): number {
    return this.#badReports.countOf(entry, now);
  }

  handle(input: RegistrarInput, now: Instant): void {
    switch (input.type) {
      case "endpointOpened":
        if (input.endpoint === "asap") this.#asapEndpoint = input;
        else if (input.endpoint === "enrp") this.#enrp.opened(input);
        return;
      case "start":
        return this.#start(now);
      case "stop":
        return this.#stop(now);
      case "transport":
        if (input.endpoint === "asap" || input.endpoint === "enrp") {
          this.#transportEvent(input.endpoint, input.event, now);
        }
        return this.#proceed();
      case "datagram":
        // Our own announces come back on their channel; only presences are of interest.
        if (input.channel === "enrp-presence") this.#enrp.presence(input.source, input.data, now);
        return;
      case "roundTrip": {
        const record = this.#associations.get(input.association);
        if (record !== undefined) this.#distances.measured(record, input.roundTripMs);
        return;
      }
    }
  }

  tick(now: Instant): void {
    if (this.#lingersUntil !== undefined && this.#lingersUntil <= now) {
      this.#lingersUntil = undefined;
      for (const record of this.#associations) this.#outlet.abort(record, "the registrar stops");
    }
    this.#announces.tick(now);
    this.#supervise(now);
    this.#enrp.tick(now);
    this.#adoption.tick(now);
    this.#probes.tick(now);
    this.#reception.tick(now);
    this.#proceed();
  }

  /** Some of those whose time has come; the next ones after what has come in meanwhile. */
  #supervise(now: Instant): void {
    for (let count = 0; count < SUPERVISED_PER_TICK; count++) {
      const event = this.#members.takeDue(now);
      switch (event?.type) {
        case undefined:
          return;
        case "keepAliveDue":
          this.#asap.askForLife(event.entry, event.association, now);
          break;
        case "keepAliveTimeout":
          this.#statistics.keepAliveTimeouts++;
          this.#dead(event.association);
          break;
        case "expired":
          this.#asap.remove(event.entry, "registration expired");
          break;
      }
    }
  }

  nextTimeout(): Instant | undefined {
    return earliest(
      this.#lingersUntil,
      this.#announces.nextTimeout(),
      this.#members.nextTimeout(),
      this.#enrp.nextTimeout(),
      this.#adoption.nextTimeout(),
      this.#probes.nextTimeout(),
      this.#reception.nextTimeout(),
    );
  }

  drain(): RegistrarEffect[] {
    this.#reception.drained();
    return this.#outlet.drain();
  }

  /**
   * Takes the effects so far, in the middle of a batch; `drain` ends it. For who stands between the registrar and its
   * driver, and has to know which input has which effects (see `MessageTap`).
   */
  drainInBatch(): RegistrarEffect[] {
    return this.#outlet.drain();
  }

  /**
   * Checks that all structures agree, in O(n log n). For tests and simulations.
   *
   * @throws {InvariantError} when they do not
   */
  checkInvariants(): void {
    this.#handlespace.checkInvariants();
    this.#enrp.checkInvariants();
    const entries = new Set<ElementEntry>();
    for (const pool of this.#handlespace.pools()) {
      for (const entry of pool.elements.values()) {
        if (this.#isOwn(entry)) entries.add(entry);
      }
    }
    this.#members.checkInvariants(entries);
    for (const record of this.#associations) {
      for (const entry of record.entries) {
        assert(this.#members.associationOf(entry) === record, "an association's elements know it");
      }
    }
    this.#reception.checkInvariants(this.#associations);
  }

  #start(now: Instant): void {
    if (this.#state !== "new") return;
    assert(this.#asapEndpoint !== undefined, 'a registrar gets "endpointOpened" of "asap" before "start"');
    this.#state = "running";
    const { addresses, port } = this.#asapEndpoint;
    this.#outlet.report({
      type: "started",
      registrarId: this.#registrarId,
      asap: transportAddresses(addresses, port),
    });
    this.#enrp.start(now);
  }

  #stop(now: Instant): void {
    if (this.#state === "stopping" || this.#state === "stopped") return;
    this.#state = "stopping";
    this.#announces.stop();
    this.#enrp.stop();
    this.#adoption.stop();
    this.#probes.stop();
    this.#lingersUntil = now + STOP_LINGER_MS;
    for (const record of this.#associations) this.#outlet.shutdown(record);
    this.#proceed();
  }

  #proceed(): void {
    if (this.#state !== "stopping" || this.#associations.size > 0) return;
    this.#state = "stopped";
    this.#lingersUntil = undefined;
    this.#outlet.stopped();
  }

  #transportEvent(endpoint: "asap" | "enrp", event: TransportEvent, now: Instant): void {
    if (event.type === "up") return this.#up(endpoint, event, now);
    const record = this.#associations.get(event.association);
    if (record === undefined) { // turned away, or gone, or it never came up
      if (event.type === "down" && event.request !== undefined) {
        this.#connectFailed(endpoint, event, now);
      }
      return;
    }
    switch (event.type) {
      case "down":
        return this.#down(record, downText(event), now);
      case "message":
        if (!record.aborted) this.#reception.message(record, event, now);
        return;
      case "restarted":
        // The peer's process began anew on the same addresses and port: its elements are gone, and what it asked.
        this.#reception.gone(record);
        for (const entry of [...record.entries]) this.#asap.remove(entry, "association lost");
        if (endpoint === "enrp") this.#enrp.restarted(record, now);
        return;
      case "writable":
        if (endpoint === "enrp") this.#enrp.setBlocked(record, false);
        return this.#reception.writable(record, now);
      case "blocked":
        // A peer is still heard: two that both have much to tell would wait for each other else.
        if (endpoint === "enrp" && this.#enrp.setBlocked(record, true)) return;
        return this.#reception.blocked(record, now);
      default:
        return;
    }
  }

  #connectFailed(endpoint: "asap" | "enrp", event: AssociationDown, now: Instant): void {
    if (endpoint === "enrp") this.#enrp.connectFailed(event, now);
    else if (event.request === undefined) return;
    else if (this.#probes.owns(event.request)) this.#probes.failed(event.request, event);
    else this.#adoption.failed(event.request, now);
  }

  #up(endpoint: "asap" | "enrp", up: AssociationUp, now: Instant): void {
    const record = new AssociationRecord(endpoint, up);
    if (this.#state !== "running") return this.#outlet.abort(record, "the registrar is not in service");
    if (up.peerAddresses.length === 0) return this.#gone(record, up, now);
    if (!this.#associations.add(record, up)) {
      if (endpoint === "asap" && up.request !== undefined) this.#probes.turnedAway(up.request);
      return;
    }
    if (endpoint === "enrp") this.#enrp.up(record, up.request);
    else if (up.request === undefined) return;
    else if (this.#probes.owns(up.request)) this.#probes.up(up.request, record);
    else this.#adoption.up(up.request, record, now);
  }

  /** The kernel has forgotten where the peer is: the association ended before it was told of. */
  #gone(record: AssociationRecord, { association, request }: AssociationUp, now: Instant): void {
    this.#outlet.abort(record, "it is gone already");
    if (request === undefined) return;
    // It was reached: that is no death to probes. An adoption needs the association itself.
    if (record.endpoint === "asap" && this.#probes.owns(request)) return this.#probes.turnedAway(request);
    const down = { type: "down", association, request, reason: "aborted", origin: "peer" } as const;
    this.#connectFailed(record.endpoint, { ...down, cause: undefined }, now);
  }

  #down(record: AssociationRecord, reason: string, now: Instant): void {
    this.#associations.remove(record);
    this.#reception.gone(record);
    for (const entry of [...record.entries]) {
      if (this.#state !== "running") this.#asap.leave(entry);
      else if (!this.#adoption.lost(entry, now)) this.#asap.remove(entry, "association lost");
    }
    const { association, endpoint } = record;
    this.#outlet.report({ type: "associationDown", association, endpoint, reason });
    if (endpoint === "enrp") this.#enrp.down(record, now);
  }

  /** A keep-alive was not answered: nothing that came by this association can be trusted to live. */
  #dead(record: AssociationRecord): void {
    for (const entry of [...record.entries]) this.#asap.remove(entry, "no answer to a keep-alive");
    this.#outlet.abort(record, "no answer to a keep-alive");
  }

  #message(record: AssociationRecord, ppid: Ppid, data: Uint8Array, now: Instant): void {
    if (record.aborted) return; // it waited for its turn
    if (record.endpoint === "asap" && ppid === Ppid.asap) return this.#asap.message(record, data, now);
    if (record.endpoint === "enrp" && ppid === Ppid.enrp) return this.#enrp.message(record, data, now);
    this.#statistics.badMessages++;
    if (record.offends("PPID")) {
      const peer = formatTransportAddresses(transportAddresses(record.peerAddresses, record.peerPort));
      const source = `association ${record.association} of ${peer}`;
      this.#outlet.report({ type: "offence", source, reason: `payload protocol ${ppid} is not served here` });
    }
    // One registrar protocol at the other's endpoint is a mistake that will not mend itself (RSPLIB aborts it too);
    // other protocols are ignored.
    if (ppid === Ppid.asap || ppid === Ppid.enrp) {
      this.#outlet.abort(record, "the wrong one of ASAP and ENRP");
    }
  }

  /** An element of another registrar that was offered to us is reached: it becomes ours, if it is still to be had. */
  #accept(entry: ElementEntry): boolean {
    if (!this.#isThere(entry) || this.#isOwn(entry)) return false;
    this.#handlespace.rehome(entry, this.#registrarId);
    this.#enrp.changed("add", entry); // before the element hears of it, and leaves its old home
    return true;
  }

  /** Whether we are an element's home. */
  #isOwn({ homeRegistrarId }: ElementEntry): boolean {
    return homeRegistrarId === this.#registrarId;
  }

  #isThere(entry: ElementEntry): boolean {
    return this.#handlespace.find(entry.pool.poolHandle, entry.elementId) === entry;
  }

  /**
   * Removes an element that did not deregister. Only its home takes it out for all: another registrar's is not offered
   * here until that one lists it again (reference/rsplib.md §3.8).
   */
  #remove(entry: ElementEntry, reason: RemovalReason): void {
    if (this.#isOwn(entry)) return this.#asap.remove(entry, reason);
    const { elementId, pool: { poolHandle } } = entry;
    this.#statistics.removals++;
    this.#enrp.drop(entry);
    this.#outlet.report({ type: "removed", poolHandle, elementId, reason });
  }

  #send(record: AssociationRecord, message: AsapMessage): void {
    const { endpoint, association } = record;
    const command = { type: "send", association, data: writeAsap(message), ppid: Ppid.asap } as const;
    this.#outlet.execute(endpoint, this.#distances.hasten(record, command));
  }
}
