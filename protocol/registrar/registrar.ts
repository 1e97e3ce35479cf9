import { writeAsap } from "../asap/mod.ts";
import type { AsapMessage } from "../asap/mod.ts";
import { Handlespace } from "../handlespace/mod.ts";
import type { ElementEntry } from "../handlespace/mod.ts";
import { earliest, Outbox, Prng, TimerQueue } from "../machine.ts";
import type { Machine } from "../machine.ts";
import { formatTransportAddresses, Ppid, transportAddresses } from "../net.ts";
import type {
  AssociationId,
  AssociationUp,
  EndpointOpened,
  Instant,
  MessageReceived,
  NetworkEffect,
  NetworkInput,
  TransportEvent,
} from "../net.ts";
import { downText } from "../user/down_text.ts";
import { OncePerOffender } from "../user/once_per_offender.ts";
import { assert } from "../wire/mod.ts";
import { AsapService } from "./asap_service.ts";
import { AssociationRecord } from "./associations.ts";
import { EnrpService } from "./enrp_service.ts";
import { MembershipTable } from "./membership_table.ts";
import type { RegistrarOptions } from "./options.ts";
import type { RegistrarReport } from "./report.ts";
import { newStatistics } from "./statistics.ts";
import type { RegistrarStatistics } from "./statistics.ts";

/** Announces come at the interval ±12.5 %, so that registrars started together drift apart. */
const ANNOUNCE_JITTER = 0.125;

/** How long associations may take to end in order when the registrar stops; then they are aborted. */
const STOP_LINGER_MS = 1000;

/** What a registrar takes. */
export type RegistrarInput =
  | NetworkInput
  | EndpointOpened
  | { readonly type: "start" }
  | { readonly type: "stop" };

/** What a registrar asks for. `stopped` is its last effect. */
export type RegistrarEffect =
  | NetworkEffect
  | { readonly type: "report"; readonly report: RegistrarReport }
  | { readonly type: "stopped" };

/**
 * A registrar (RFC 5352's and 5353's "ENRP server"): announces itself, keeps the handlespace, serves pool elements and
 * pool users on the endpoint `asap`, hears other registrars on the endpoint `enrp` and the channel `enrp-presence`.
 * Announces leave by the channel `asap-announce`.
 *
 * Theory of operation: an association carries requests, each answered at once. A registered element belongs to the
 * association it came by and goes with it; it also goes when it does not answer a keep-alive, when its registration
 * ends, and when it was reported unreachable too often of late. Nothing that a peer sends makes the registrar throw,
 * wait, or grow beyond its limits.
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
  readonly #announceIntervalMs: number;
  readonly #maxAssociations: number;
  readonly #random: Prng;
  readonly #outbox = new Outbox<RegistrarEffect>();
  readonly #timers = new TimerQueue<"announce" | "linger">();
  readonly #handlespace: Handlespace;
  readonly #members: MembershipTable;
  readonly #statistics = newStatistics();
  readonly #asap: AsapService;
  readonly #enrp: EnrpService;
  readonly #associations = new Map<AssociationId, AssociationRecord>();
  readonly #offenders = new OncePerOffender();
  #asapEndpoint: EndpointOpened | undefined;
  #state: "new" | "running" | "stopping" | "stopped" = "new";

  /**
   * Makes a registrar that does nothing until `start`.
   *
   * @param options what the registrar is
   */
  constructor(options: RegistrarOptions) {
    assert(options.registrarId !== 0, "a registrar has an ID");
    this.#registrarId = options.registrarId;
    this.#announceIntervalMs = options.announceIntervalMs ?? 1000;
    this.#maxAssociations = options.maxAssociations ?? 10_000;
    this.#random = new Prng(options.seed);
    this.#handlespace = new Handlespace(this.#random, options);
    const maxBadReports = options.maxBadReports ?? 3;
    this.#members = new MembershipTable({
      keepAliveIntervalMs: options.keepAliveIntervalMs ?? 5000,
      keepAliveTimeoutMs: options.keepAliveTimeoutMs ?? 5000,
      maxBadReports,
      reportMemoryMs: options.reportMemoryMs ?? 60_000,
    });
    const report = (report: RegistrarReport) => this.#outbox.push({ type: "report", report });
    this.#asap = new AsapService({
      registrarId: options.registrarId,
      handlespace: this.#handlespace,
      members: this.#members,
      statistics: this.#statistics,
      minAddressScope: options.minAddressScope ?? "auto",
      maxResolutionItems: options.maxResolutionItems ?? 3,
      maxElementsPerAssociation: options.maxElementsPerAssociation ?? 128,
      maxBadReports,
      send: (record, message) => this.#send(record, message),
      report,
      changed: () => {}, // no peers yet: EnrpService will send ENRP_HANDLE_UPDATE from here
    });
    this.#enrp = new EnrpService(options.registrarId, report);
  }

  /** What was counted since the start. */
  get statistics(): Readonly<RegistrarStatistics> {
    return this.#statistics;
  }

  /** The handlespace, for displays and tests. Do not change it. */
  get handlespace(): Handlespace {
    return this.#handlespace;
  }

  /** How many associations there are, with elements, users and other registrars. */
  get associationCount(): number {
    return this.#associations.size;
  }

  handle(input: RegistrarInput, now: Instant): void {
    switch (input.type) {
      case "endpointOpened":
        if (input.endpoint === "asap") this.#asapEndpoint = input;
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
        if (input.channel === "enrp-presence") this.#enrp.presence(input.source, input.data);
        return;
    }
  }

  tick(now: Instant): void {
    for (let key = this.#timers.takeDue(now); key !== undefined; key = this.#timers.takeDue(now)) {
      if (key === "announce") this.#announce(now);
      else for (const record of this.#associations.values()) this.#abort(record, "the registrar stops");
    }
    for (let event = this.#members.takeDue(now); event !== undefined; event = this.#members.takeDue(now)) {
      switch (event.type) {
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
    this.#proceed();
  }

  nextTimeout(): Instant | undefined {
    return earliest(this.#timers.next(), this.#members.nextTimeout());
  }

  drain(): RegistrarEffect[] {
    return this.#outbox.drain();
  }

  /**
   * Checks that all structures agree, in O(n log n). For tests and simulations.
   *
   * @throws {InvariantError} when they do not
   */
  checkInvariants(): void {
    this.#handlespace.checkInvariants();
    const entries = new Set<ElementEntry>();
    for (const pool of this.#handlespace.pools()) {
      for (const entry of pool.elements.values()) entries.add(entry);
    }
    this.#members.checkInvariants(entries);
    for (const record of this.#associations.values()) {
      for (const entry of record.entries) {
        assert(this.#members.associationOf(entry) === record, "an association's elements know it");
      }
    }
  }

  #start(now: Instant): void {
    if (this.#state !== "new") return;
    assert(this.#asapEndpoint !== undefined, 'a registrar gets "endpointOpened" of "asap" before "start"');
    this.#state = "running";
    const { addresses, port } = this.#asapEndpoint;
    this.#report({
      type: "started",
      registrarId: this.#registrarId,
      asap: transportAddresses(addresses, port),
    });
    this.#announce(now);
  }

  #stop(now: Instant): void {
    if (this.#state === "stopping" || this.#state === "stopped") return;
    this.#state = "stopping";
    this.#timers.clear("announce");
    this.#timers.set("linger", now + STOP_LINGER_MS);
    for (const { endpoint, association } of this.#associations.values()) {
      this.#outbox.push({ type: "transport", endpoint, command: { type: "shutdown", association } });
    }
    this.#proceed();
  }

  #proceed(): void {
    if (this.#state !== "stopping" || this.#associations.size > 0) return;
    this.#state = "stopped";
    this.#timers.clear("linger");
    this.#outbox.push({ type: "stopped" });
  }

  /**
   * ASAP_SERVER_ANNOUNCE (RFC 5352 §3.6): the datagram's source says where we are. RFC 5352 stretches the interval by
   * the number of other registrars; this one keeps it, as RSPLIB's does, since pool users believe an announce for 5 s
   * (T7-ENRPoutdate) and would forget the registrars of a large scope.
   */
  #announce(now: Instant): void {
    this.#statistics.announces++;
    const data = writeAsap({ type: "serverAnnounce", registrarId: this.#registrarId });
    this.#outbox.push({ type: "datagram", channel: "asap-announce", data });
    const jitter = 1 + ANNOUNCE_JITTER * (2 * this.#random.uniform() - 1);
    this.#timers.set("announce", now + this.#announceIntervalMs * jitter);
  }

  #transportEvent(endpoint: "asap" | "enrp", event: TransportEvent, now: Instant): void {
    if (event.type === "up") return this.#up(endpoint, event);
    const record = this.#associations.get(event.association);
    if (record === undefined) return; // turned away, or gone
    switch (event.type) {
      case "down":
        return this.#down(record, downText(event));
      case "message":
        return this.#message(record, event, now);
      case "restarted":
        // The peer's process began anew on the same addresses and port: its elements are gone.
        for (const entry of [...record.entries]) this.#asap.remove(entry, "association lost");
        return;
      case "blocked":
        // It asks and asks, and takes no answers: what queues for it here must not grow.
        this.#limit(record, "it does not take the answers to its requests");
        return this.#abort(record, "answers are not taken");
      default:
        return;
    }
  }

  #up(endpoint: "asap" | "enrp", up: AssociationUp): void {
    const record = new AssociationRecord(endpoint, up);
    if (this.#state !== "running") return this.#abort(record, "the registrar is not in service");
    if (this.#associations.size >= this.#maxAssociations) {
      this.#statistics.limitsMet++;
      const source = up.peerAddresses[0] ?? "somebody";
      const reason = `more than ${this.#maxAssociations} associations`;
      if (this.#offenders.isFirst(source)) this.#report({ type: "limit", source, reason });
      return this.#abort(record, "too many associations");
    }
    this.#associations.set(record.association, record);
    const peer = transportAddresses(up.peerAddresses, up.peerPort);
    this.#report({ type: "associationUp", association: record.association, endpoint, peer });
  }

  #down(record: AssociationRecord, reason: string): void {
    this.#associations.delete(record.association);
    for (const entry of [...record.entries]) this.#asap.remove(entry, "association lost");
    const { association, endpoint } = record;
    this.#report({ type: "associationDown", association, endpoint, reason });
  }

  /** A keep-alive was not answered: nothing that came by this association can be trusted to live. */
  #dead(record: AssociationRecord): void {
    for (const entry of [...record.entries]) this.#asap.remove(entry, "no answer to a keep-alive");
    this.#abort(record, "no answer to a keep-alive");
  }

  #message(record: AssociationRecord, { ppid, data }: MessageReceived, now: Instant): void {
    if (record.endpoint === "asap" && ppid === Ppid.asap) return this.#asap.message(record, data, now);
    if (record.endpoint === "enrp" && ppid === Ppid.enrp) return this.#enrp.message(record, data);
    this.#statistics.badMessages++;
    if (record.offends("PPID")) {
      const peer = formatTransportAddresses(transportAddresses(record.peerAddresses, record.peerPort));
      const source = `association ${record.association} of ${peer}`;
      this.#report({ type: "offence", source, reason: `payload protocol ${ppid} is not served here` });
    }
    // One registrar protocol at the other's endpoint is a mistake that will not mend itself (RSPLIB aborts it too);
    // other protocols are ignored.
    if (ppid === Ppid.asap || ppid === Ppid.enrp) this.#abort(record, "the wrong one of ASAP and ENRP");
  }

  #limit(record: AssociationRecord, reason: string): void {
    this.#statistics.limitsMet++;
    if (!record.offends("limit")) return;
    this.#report({ type: "limit", source: `association ${record.association}`, reason });
  }

  #abort({ endpoint, association }: AssociationRecord, reason: string): void {
    this.#outbox.push({ type: "transport", endpoint, command: { type: "abort", association, reason } });
  }

  #send({ endpoint, association }: AssociationRecord, message: AsapMessage): void {
    const data = writeAsap(message);
    this.#outbox.push({
      type: "transport",
      endpoint,
      command: { type: "send", association, data, ppid: Ppid.asap },
    });
  }

  #report(report: RegistrarReport): void {
    this.#outbox.push({ type: "report", report });
  }
}
