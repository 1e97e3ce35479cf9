import type { ElementEntry, Handlespace } from "../handlespace/mod.ts";
import { earliest } from "../machine.ts";
import type { Machine } from "../machine.ts";
import { transportAddresses } from "../net.ts";
import type { AssociationDown, AssociationUp, EndpointOpened, Instant, TransportEvent } from "../net.ts";
import { downText } from "../user/down_text.ts";
import { assert } from "../wire/mod.ts";
import { AssociationRecord } from "./associations.ts";
import type { RegistrarEffect, RegistrarInput } from "./effects.ts";
import type { RegistrarOptions } from "./options.ts";
import type { PeerList } from "./peer_list.ts";
import { RegistrarParts } from "./registrar_parts.ts";
import type { RegistrarStatistics } from "./statistics.ts";

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
 * affair: `EnrpService` keeps the handlespace equal to theirs, and makes the elements of a dead one ours; the elements are
 * told by `Adoption`. Nothing that a peer sends makes the registrar throw, wait, or grow beyond its limits.
 *
 * This class leads inputs and timers to the parts ({@linkcode RegistrarParts}), and knows whether the registrar runs; what
 * the parts do is theirs.
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
  readonly #parts: RegistrarParts;
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
    this.#parts = new RegistrarParts(options);
  }

  /** What was counted since the start. */
  get statistics(): Readonly<RegistrarStatistics> {
    return this.#parts.statistics;
  }

  /** The handlespace, for displays and tests. Do not change it. */
  get handlespace(): Handlespace {
    return this.#parts.handlespace;
  }

  /** The other registrars, for displays and tests. Do not change it. */
  get peers(): PeerList {
    return this.#parts.peers;
  }

  /** Octets of requests that wait for their turn. */
  get waitingOctets(): number {
    return this.#parts.reception.waitingOctets;
  }

  /** How many associations there are, with elements, users and other registrars. */
  get associationCount(): number {
    return this.#parts.associations.size;
  }

  /** How many unreachable reports about an element count now. */
  unreachableReports(entry: ElementEntry, now: Instant): number {
    return this.#parts.badReports.countOf(entry, now);
  }

  handle(input: RegistrarInput, now: Instant): void {
    const { enrp, associations, distances } = this.#parts;
    switch (input.type) {
      case "endpointOpened":
        if (input.endpoint === "asap") this.#asapEndpoint = input;
        else if (input.endpoint === "enrp") enrp.opened(input);
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
        if (input.channel === "enrp-presence") enrp.presence(input.source, input.data, now);
        return;
      case "roundTrip": {
        const record = associations.get(input.association);
        if (record !== undefined) distances.measured(record, input.roundTripMs);
        return;
      }
    }
  }

  tick(now: Instant): void {
    const { outlet, associations, announces, enrp, adoption, probes, reception } = this.#parts;
    if (this.#lingersUntil !== undefined && this.#lingersUntil <= now) {
      this.#lingersUntil = undefined;
      for (const record of associations) outlet.abort(record, "the registrar stops");
    }
    announces.tick(now);
    this.#supervise(now);
    enrp.tick(now);
    adoption.tick(now);
    probes.tick(now);
    reception.tick(now);
    this.#proceed();
  }

  nextTimeout(): Instant | undefined {
    const { announces, members, enrp, adoption, probes, reception } = this.#parts;
    return earliest(
      this.#lingersUntil,
      announces.nextTimeout(),
      members.nextTimeout(),
      enrp.nextTimeout(),
      adoption.nextTimeout(),
      probes.nextTimeout(),
      reception.nextTimeout(),
    );
  }

  drain(): RegistrarEffect[] {
    this.#parts.reception.drained();
    return this.#parts.outlet.drain();
  }

  /**
   * Takes the effects so far, in the middle of a batch; `drain` ends it. For who stands between the registrar and its
   * driver, and has to know which input has which effects (see `MessageTap`).
   */
  drainInBatch(): RegistrarEffect[] {
    return this.#parts.outlet.drain();
  }

  /**
   * Checks that all structures agree, in O(n log n). For tests and simulations.
   *
   * @throws {InvariantError} when they do not
   */
  checkInvariants(): void {
    this.#parts.checkInvariants();
  }

  #start(now: Instant): void {
    if (this.#state !== "new") return;
    assert(this.#asapEndpoint !== undefined, 'a registrar gets "endpointOpened" of "asap" before "start"');
    this.#state = "running";
    const { outlet, enrp } = this.#parts;
    const { addresses, port } = this.#asapEndpoint;
    const registrarId = this.#registrarId;
    outlet.report({ type: "started", registrarId, asap: transportAddresses(addresses, port) });
    enrp.start(now);
  }

  #stop(now: Instant): void {
    if (this.#state === "stopping" || this.#state === "stopped") return;
    this.#state = "stopping";
    const { outlet, associations, announces, enrp, adoption, probes } = this.#parts;
    announces.stop();
    enrp.stop();
    adoption.stop();
    probes.stop();
    this.#lingersUntil = now + STOP_LINGER_MS;
    for (const record of associations) outlet.shutdown(record);
    this.#proceed();
  }

  #proceed(): void {
    const { outlet, associations } = this.#parts;
    if (this.#state !== "stopping" || associations.size > 0) return;
    this.#state = "stopped";
    this.#lingersUntil = undefined;
    outlet.stopped();
  }

  /** Some of those whose time has come; the next ones after what has come in meanwhile. */
  #supervise(now: Instant): void {
    const { members, asap, statistics } = this.#parts;
    for (let count = 0; count < SUPERVISED_PER_TICK; count++) {
      const event = members.takeDue(now);
      switch (event?.type) {
        case undefined:
          return;
        case "keepAliveDue":
          asap.askForLife(event.entry, event.association, now);
          break;
        case "keepAliveTimeout":
          statistics.keepAliveTimeouts++;
          this.#dead(event.association);
          break;
        case "expired":
          asap.remove(event.entry, "registration expired");
          break;
      }
    }
  }

  /** A keep-alive was not answered: nothing that came by this association can be trusted to live. */
  #dead(record: AssociationRecord): void {
    const { asap, outlet } = this.#parts;
    for (const entry of [...record.entries]) asap.remove(entry, "no answer to a keep-alive");
    outlet.abort(record, "no answer to a keep-alive");
  }

  // --------------------------------------------------------------------------------------------------- associations

  #transportEvent(endpoint: "asap" | "enrp", event: TransportEvent, now: Instant): void {
    const { associations, reception, asap, enrp } = this.#parts;
    if (event.type === "up") return this.#up(new AssociationRecord(endpoint, event), event, now);
    const record = associations.get(event.association);
    if (record === undefined) { // turned away, or gone, or it never came up
      if (event.type === "down") this.#connectFailed(endpoint, event, now);
      return;
    }
    switch (event.type) {
      case "down":
        return this.#down(record, downText(event), now);
      case "message":
        if (!record.aborted) reception.message(record, event, now);
        return;
      case "restarted":
        // The peer's process began anew on the same addresses and port: its elements are gone, and what it asked.
        reception.gone(record);
        for (const entry of [...record.entries]) asap.remove(entry, "association lost");
        if (endpoint === "enrp") enrp.restarted(record, now);
        return;
      case "writable":
        if (endpoint === "enrp") enrp.setBlocked(record, false);
        return reception.writable(record, now);
      case "blocked":
        // A peer is still heard: two that both have much to tell would wait for each other else.
        if (endpoint === "enrp" && enrp.setBlocked(record, true)) return;
        return reception.blocked(record, now);
      default:
        return;
    }
  }

  #up(record: AssociationRecord, up: AssociationUp, now: Instant): void {
    const { outlet, associations, enrp, probes, adoption } = this.#parts;
    const { endpoint } = record;
    const { request } = up;
    if (this.#state !== "running") return outlet.abort(record, "the registrar is not in service");
    if (up.peerAddresses.length === 0) return this.#gone(record, up, now);
    if (!associations.add(record, up)) {
      if (endpoint === "asap" && request !== undefined) probes.turnedAway(request);
      return;
    }
    if (endpoint === "enrp") enrp.up(record, request);
    else if (request === undefined) return;
    else if (probes.owns(request)) probes.up(request, record);
    else adoption.up(request, record, now);
  }

  /** The kernel has forgotten where the peer is: the association ended before it was told of. */
  #gone(record: AssociationRecord, { association, request }: AssociationUp, now: Instant): void {
    const { outlet, probes } = this.#parts;
    outlet.abort(record, "it is gone already");
    if (request === undefined) return;
    // It was reached: that is no death to probes. An adoption needs the association itself.
    if (record.endpoint === "asap" && probes.owns(request)) return probes.turnedAway(request);
    const down = { type: "down", association, request, reason: "aborted", origin: "peer" } as const;
    this.#connectFailed(record.endpoint, { ...down, cause: undefined }, now);
  }

  #connectFailed(endpoint: "asap" | "enrp", event: AssociationDown, now: Instant): void {
    const { enrp, probes, adoption } = this.#parts;
    const { request } = event;
    if (request === undefined) return;
    if (endpoint === "enrp") enrp.connectFailed(event, now);
    else if (probes.owns(request)) probes.failed(request, event);
    else adoption.failed(request, now);
  }

  #down(record: AssociationRecord, reason: string, now: Instant): void {
    const { outlet, associations, reception, asap, enrp, adoption } = this.#parts;
    associations.remove(record);
    reception.gone(record);
    for (const entry of [...record.entries]) {
      if (this.#state !== "running") asap.leave(entry);
      else if (!adoption.lost(entry, now)) asap.remove(entry, "association lost");
    }
    const { association, endpoint } = record;
    outlet.report({ type: "associationDown", association, endpoint, reason });
    if (endpoint === "enrp") enrp.down(record, now);
  }
}
