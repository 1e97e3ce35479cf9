import { readAsap } from "../asap/mod.ts";
import type {
  AsapMessage,
  Deregistration,
  EndpointKeepAliveAck,
  EndpointUnreachable,
  HandleResolution,
  Registration,
} from "../asap/mod.ts";
import type { ElementEntry, Handlespace } from "../handlespace/mod.ts";
import { poolKey } from "../handlespace/mod.ts";
import { isLoopback, transportAddresses } from "../net.ts";
import type { Instant } from "../net.ts";
import { describeError, describePolicy } from "../param/describe.ts";
import { CauseCode, errorFor, operationError, unrecognizedParameters } from "../param/operation_error.ts";
import type { OperationError } from "../param/operation_error.ts";
import type { PoolElement } from "../param/pool_element.ts";
import type { PoolHandle } from "../param/pool_handle.ts";
import { MAX_TRANSPORT_ADDRESSES } from "../param/transport.ts";
import { DecodeError } from "../wire/mod.ts";
import type { AssociationRecord } from "./associations.ts";
import type { MembershipTable } from "./membership_table.ts";
import type { RegistrarReport, RemovalReason } from "./report.ts";
import type { RegistrarStatistics } from "./statistics.ts";
import { usableAddresses } from "./usable_addresses.ts";
import type { MinimumScope } from "./usable_addresses.ts";

/** Most elements in a resolution response, whatever is asked for: RSPLIB's bound too (reference/rsplib.md §3.8). */
export const MAX_RESOLUTION_ITEMS = 128;

/** Octets that the elements of a response may take: the rest of 65535 is for the other parameters. */
const MAX_RESPONSE_OCTETS = 60_000;

/** A longer pool handle is answered by an error instead of its echo, which might not fit. */
const MAX_ECHOED_HANDLE = 1024;

/** What the ASAP side needs of the registrar around it. */
export interface AsapContext {
  readonly registrarId: number;
  readonly handlespace: Handlespace;
  readonly members: MembershipTable;
  readonly statistics: RegistrarStatistics;
  readonly minAddressScope: MinimumScope;
  readonly maxResolutionItems: number;
  readonly maxElementsPerAssociation: number;
  readonly maxBadReports: number;
  readonly send: (record: AssociationRecord, message: AsapMessage) => void;
  readonly report: (report: RegistrarReport) => void;
  /** An element changed: the other registrars have to hear of it (ENRP_HANDLE_UPDATE). */
  readonly changed: (action: "add" | "delete", entry: ElementEntry) => void;
}

/** The registrar's side toward pool elements and pool users (RFC 5352 §3). */
export class AsapService {
  readonly #context: AsapContext;

  /** @param context the registrar around it */
  constructor(context: AsapContext) {
    this.#context = context;
  }

  /** Takes a message of an association. Never throws on what a peer sent. */
  message(record: AssociationRecord, octets: Uint8Array, now: Instant): void {
    const unrecognized: Uint8Array[] = [];
    let message: AsapMessage;
    try {
      message = readAsap(octets, unrecognized);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      return this.#unreadable(record, error);
    }
    this.#dispatch(record, message, now);
    const error = unrecognizedParameters(unrecognized);
    if (error !== undefined) this.#context.send(record, { type: "error", error });
  }

  /** Asks an element for a sign of life (RFC 5352 §2.2.7), with its ID as RSPLIB has it. */
  askForLife(entry: ElementEntry, record: AssociationRecord, now: Instant): void {
    const { members, statistics, registrarId, send } = this.#context;
    statistics.keepAlivesSent++;
    const { pool: { poolHandle }, elementId } = entry;
    send(record, { type: "endpointKeepAlive", home: false, registrarId, poolHandle, elementId });
    members.asked(entry, now);
  }

  /** Removes an element that did not deregister. */
  remove(entry: ElementEntry, reason: RemovalReason): void {
    const { members, statistics, send, report } = this.#context;
    const { elementId, pool: { poolHandle } } = entry;
    const record = members.associationOf(entry);
    statistics.removals++;
    this.#takeOut(entry);
    if (reason === "registration expired" && record !== undefined) {
      // So that the element knows (RFC 5352 §3.2). One that lives nevertheless registers again, RSPLIB's after it has
      // set up another association.
      send(record, { type: "deregistrationResponse", poolHandle, elementId });
    }
    report({ type: "removed", poolHandle, elementId, reason });
  }

  #dispatch(record: AssociationRecord, message: AsapMessage, now: Instant): void {
    switch (message.type) {
      case "registration":
        return this.#registration(record, message, now);
      case "deregistration":
        return this.#deregistration(record, message);
      case "handleResolution":
        return this.#resolution(record, message);
      case "endpointKeepAliveAck":
        return this.#keepAliveAck(record, message, now);
      case "endpointUnreachable":
        return this.#unreachable(record, message, now);
      default:
        // A registrar's own messages, the session layer's, errors: no answer is defined, and RSPLIB's clients take an
        // unexpected one for a reason to leave (reference/rsplib.md §0.4).
        return this.#offence(record, `${message.type} is nothing for a registrar`);
    }
  }

  // ------------------------------------------------------------------------------- registration (RFC 5352 §3.1, §3.2)

  #registration(record: AssociationRecord, { poolHandle, element }: Registration, now: Instant): void {
    if (this.#tooLong(record, poolHandle)) return;
    const { elementId } = element;
    const result = this.#register(record, poolHandle, element);
    if (result.type === "refused") return this.#refuse(record, poolHandle, elementId, result.error);
    const { entry } = result;
    const { members, statistics, send, report, changed } = this.#context;
    members.registered(entry, record, now);
    const again = result.type === "updated";
    if (again) statistics.reregistrations++;
    else statistics.registrations++;
    send(record, { type: "registrationResponse", rejected: false, poolHandle, elementId });
    const { addresses, port } = entry.element.userTransport;
    report({
      type: "registered",
      poolHandle,
      elementId,
      association: record.association,
      addresses: transportAddresses(addresses, port),
      policy: describePolicy(entry.policy),
      again,
    });
    changed("add", entry);
  }

  #register(
    record: AssociationRecord,
    poolHandle: PoolHandle,
    element: PoolElement,
  ): ReturnType<Handlespace["register"]> {
    const { handlespace, members, registrarId, minAddressScope, maxElementsPerAssociation } = this.#context;
    const present = handlespace.find(poolHandle, element.elementId);
    const holder = present && members.associationOf(present);
    if (holder !== undefined && !mayActFor(holder, record)) {
      return { type: "refused", error: operationError(CauseCode.nonUniqueElementId) };
    }
    if (holder !== record && record.entries.size >= maxElementsPerAssociation) {
      this.#limit(record, `more than ${maxElementsPerAssociation} elements over one association`);
      return { type: "refused", error: operationError(CauseCode.lackOfResources) };
    }
    const { userTransport } = element;
    const usable = usableAddresses(userTransport.addresses, record.peerAddresses, minAddressScope);
    return handlespace.register(poolHandle, {
      ...element,
      homeRegistrarId: registrarId,
      userTransport: userTransport.protocol === "opaque"
        ? userTransport
        : { ...userTransport, addresses: usable },
      asapTransport: {
        protocol: "sctp",
        port: record.peerPort,
        use: "data",
        addresses: record.peerAddresses.slice(0, MAX_TRANSPORT_ADDRESSES),
      },
    });
  }

  #refuse(record: AssociationRecord, poolHandle: PoolHandle, elementId: number, error: OperationError): void {
    const { statistics, send, report } = this.#context;
    statistics.registrationsRefused++;
    send(record, { type: "registrationResponse", rejected: true, poolHandle, elementId, error });
    const causeCode = error[0]?.code ?? 0;
    if (causeCode === CauseCode.lackOfResources) statistics.limitsMet++;
    if (!record.offends(`refused ${causeCode} ${poolKey(poolHandle)}`)) return;
    const { association } = record;
    report({ type: "refused", poolHandle, elementId, association, causeCode, reason: describeError(error) });
  }

  #deregistration(record: AssociationRecord, { poolHandle, elementId }: Deregistration): void {
    if (this.#tooLong(record, poolHandle)) return;
    const { handlespace, members, statistics, send, report } = this.#context;
    const entry = handlespace.find(poolHandle, elementId);
    const holder = entry && members.associationOf(entry);
    if (holder !== undefined && !mayActFor(holder, record)) {
      const error = operationError(CauseCode.rejectedForSecurity);
      send(record, { type: "deregistrationResponse", poolHandle, elementId, error });
      return this.#offence(record, "it deregisters an element of another host");
    }
    // What is not there is as good as deregistered: the element may repeat itself after a lost association.
    send(record, { type: "deregistrationResponse", poolHandle, elementId });
    if (entry === undefined) return;
    statistics.deregistrations++;
    this.#takeOut(entry);
    report({ type: "deregistered", poolHandle, elementId, association: record.association });
  }

  #takeOut(entry: ElementEntry): void {
    const { handlespace, members, changed } = this.#context;
    members.removed(entry);
    handlespace.remove(entry);
    changed("delete", entry);
  }

  // ------------------------------------------------------------------------------------- resolution (RFC 5352 §3.3)

  #resolution(record: AssociationRecord, { poolHandle, items }: HandleResolution): void {
    if (this.#tooLong(record, poolHandle)) return;
    const { handlespace, statistics, send, report, maxResolutionItems } = this.#context;
    // The S bit asks for updates of the pool; like RSPLIB's registrar this one grants none (no A bit).
    const count = Math.min(items || maxResolutionItems, MAX_RESOLUTION_ITEMS);
    const elements = this.#presentable(record, handlespace.select(poolHandle, count) ?? []);
    const { association } = record;
    const first = elements[0];
    if (first === undefined) {
      statistics.resolutionsFailed++;
      const error = operationError(CauseCode.unknownPoolHandle);
      send(record, { type: "handleResolutionResponse", poolHandle, elements, error });
      if (record.offends(`unknown ${poolKey(poolHandle)}`)) {
        report({ type: "poolUnknown", poolHandle, association });
      }
      return;
    }
    statistics.resolutions++;
    // RSPLIB's clients cannot do without the policy (reference/rsplib.md §0.3).
    send(record, { type: "handleResolutionResponse", poolHandle, policy: first.policy, elements });
    report({
      type: "resolved",
      poolHandle,
      association,
      elementIds: elements.map(({ elementId }) => elementId),
    });
  }

  /** The elements as this pool user may see them, as many as fit into a message. */
  #presentable(record: AssociationRecord, entries: readonly ElementEntry[]): PoolElement[] {
    const elements: PoolElement[] = [];
    let octetCount = 0;
    for (const { element } of entries) {
      const { asapTransport: _, ...shown } = element;
      const { userTransport } = shown;
      // To a user on another host, a loopback address would be itself.
      const addresses = record.overLoopback
        ? userTransport.addresses
        : userTransport.addresses.filter((address) => !isLoopback(address));
      if (userTransport.protocol !== "opaque" && addresses.length === 0) continue;
      octetCount += 80 + 20 * addresses.length; // parameters around them, and the longest address parameters
      if (octetCount > MAX_RESPONSE_OCTETS) break;
      elements.push(
        addresses.length === userTransport.addresses.length
          ? shown
          : { ...shown, userTransport: { ...userTransport, addresses } as typeof userTransport },
      );
    }
    return elements;
  }

  // ------------------------------------------------------------------------------------ life (RFC 5352 §3.4, §3.5)

  #keepAliveAck(
    record: AssociationRecord,
    { poolHandle, elementId }: EndpointKeepAliveAck,
    now: Instant,
  ): void {
    const { handlespace, members, statistics } = this.#context;
    const entry = handlespace.find(poolHandle, elementId);
    // An answer by another association proves nothing about the element's own.
    if (entry === undefined || members.associationOf(entry) !== record) return;
    statistics.keepAliveAcks++;
    members.acknowledged(entry, now);
  }

  #unreachable(
    record: AssociationRecord,
    { poolHandle, elementId }: EndpointUnreachable,
    now: Instant,
  ): void {
    const { handlespace, members, statistics, report, maxBadReports: limit } = this.#context;
    statistics.unreachableReports++;
    const entry = handlespace.find(poolHandle, elementId);
    const holder = entry && members.associationOf(entry);
    if (entry === undefined || holder === undefined) return; // gone already
    const { count, ask } = members.reported(entry, now);
    report({ type: "unreachable", poolHandle, elementId, association: record.association, count, limit });
    if (count >= limit) this.remove(entry, "reported unreachable");
    // One report may be a path's fault: the element itself is asked at once (RFC 5353 §3.3).
    else if (ask) this.askForLife(entry, holder, now);
  }

  // ------------------------------------------------------------------------------------------------- bad messages

  #unreadable(record: AssociationRecord, decodeError: DecodeError): void {
    const error = errorFor(decodeError);
    if (error !== "silent") this.#context.send(record, { type: "error", error });
    this.#offence(record, decodeError.message);
  }

  #tooLong(record: AssociationRecord, poolHandle: PoolHandle): boolean {
    if (poolHandle.length <= MAX_ECHOED_HANDLE) return false;
    this.#context.send(record, { type: "error", error: operationError(CauseCode.invalidValues) });
    this.#offence(record, `a pool handle of ${poolHandle.length} octets`);
    return true;
  }

  #offence(record: AssociationRecord, reason: string): void {
    const { statistics, report } = this.#context;
    statistics.badMessages++;
    if (record.offends("bad message")) {
      report({ type: "offence", source: `association ${record.association}`, reason });
    }
  }

  #limit(record: AssociationRecord, reason: string): void {
    if (!record.offends("limit")) return;
    this.#context.report({ type: "limit", source: `association ${record.association}`, reason });
  }
}

/**
 * Whether an association may register or deregister an element that came by another one: the same host may, since a
 * pool element that lost its association connects anew before we know of the loss.
 */
function mayActFor(holder: AssociationRecord, record: AssociationRecord): boolean {
  return holder === record || holder.sharesHost(record);
}
