import { readAsap } from "../asap/mod.ts";
import type { AsapMessage, Deregistration, EndpointKeepAliveAck, Registration } from "../asap/mod.ts";
import type { ElementEntry, Handlespace } from "../handlespace/mod.ts";
import { poolKey } from "../handlespace/mod.ts";
import { transportAddresses } from "../net.ts";
import type { Instant } from "../net.ts";
import { describeError, describePolicy } from "../param/describe.ts";
import { CauseCode, errorFor, operationError, unrecognizedParameters } from "../param/operation_error.ts";
import type { OperationError } from "../param/operation_error.ts";
import type { PoolElement } from "../param/pool_element.ts";
import type { PoolHandle } from "../param/pool_handle.ts";
import { MAX_TRANSPORT_ADDRESSES } from "../param/transport.ts";
import { DecodeError } from "../wire/mod.ts";
import type { AssociationRecord } from "./associations.ts";
import type { Distances } from "./distances.ts";
import type { MembershipTable } from "./membership_table.ts";
import type { Offences } from "./offences.ts";
import { isReachable } from "./peer_addresses.ts";
import type { RegistrarReport, RemovalReason } from "./report.ts";
import type { Resolutions } from "./resolutions.ts";
import type { RegistrarStatistics } from "./statistics.ts";
import { usableAddresses } from "./usable_addresses.ts";
import type { MinimumScope } from "./usable_addresses.ts";
import type { UnreachableReports } from "./unreachable_reports.ts";

/** A longer pool handle is answered by an error instead of its echo, which might not fit. */
const MAX_ECHOED_HANDLE = 1024;

/** What the ASAP side needs of the registrar around it. */
export interface AsapContext {
  readonly registrarId: number;
  readonly handlespace: Handlespace;
  readonly members: MembershipTable;
  readonly distances: Distances;
  readonly statistics: RegistrarStatistics;
  readonly minAddressScope: MinimumScope;
  readonly maxElementsPerAssociation: number;
  readonly resolutions: Resolutions;
  readonly unreachableReports: UnreachableReports;
  readonly offences: Offences;
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
      return this.#unreadable(record, error, now);
    }
    this.#dispatch(record, message, now);
    const error = unrecognizedParameters(unrecognized);
    if (error !== undefined) this.#context.send(record, { type: "error", error });
  }

  /** Asks an element for a sign of life (RFC 5352 §2.2.7), with its ID as RSPLIB has it. */
  askForLife(entry: ElementEntry, record: AssociationRecord, now: Instant): void {
    this.#ask(entry, record, false, now);
  }

  /** Asks an element of ours that others do not reach at once (RFC 5352 §3.5), unless it was asked just now. */
  suspect(entry: ElementEntry, now: Instant): void {
    const { members } = this.#context;
    const holder = members.associationOf(entry);
    if (holder !== undefined && members.mayAsk(entry, now)) this.askForLife(entry, holder, now);
  }

  /** Tells an element that its home is here, by the H bit (RFC 5352 §2.2.7), and asks it for a sign of life. */
  claim(entry: ElementEntry, record: AssociationRecord, now: Instant): void {
    this.#ask(entry, record, true, now);
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

  /** Lets an element go that lives, and finds another home: we end. */
  leave(entry: ElementEntry): void {
    this.#takeOut(entry);
  }

  /** Asks an element of another registrar. Its answer, which may go to its home only, is not waited for. */
  probe(entry: ElementEntry, record: AssociationRecord): void {
    this.#sendKeepAlive(entry, record, false);
  }

  #ask(entry: ElementEntry, record: AssociationRecord, home: boolean, now: Instant): void {
    this.#sendKeepAlive(entry, record, home);
    this.#context.members.asked(entry, now);
  }

  #sendKeepAlive(entry: ElementEntry, record: AssociationRecord, home: boolean): void {
    const { statistics, registrarId, send } = this.#context;
    statistics.keepAlivesSent++;
    const { pool: { poolHandle }, elementId } = entry;
    send(record, { type: "endpointKeepAlive", home, registrarId, poolHandle, elementId });
  }

  #dispatch(record: AssociationRecord, message: AsapMessage, now: Instant): void {
    switch (message.type) {
      case "registration":
        return this.#registration(record, message, now);
      case "deregistration":
        return this.#deregistration(record, message, now);
      case "handleResolution":
        if (this.#tooLong(record, message.poolHandle, now)) return;
        return this.#context.resolutions.answer(record, message, now);
      case "endpointKeepAliveAck":
        return this.#keepAliveAck(record, message, now);
      case "endpointUnreachable":
        return this.#context.unreachableReports.take(record, message, now);
      default:
        // A registrar's own messages, the session layer's, errors: no answer is defined, and RSPLIB's clients take an
        // unexpected one for a reason to leave (reference/rsplib.md §0.4).
        return this.#context.offences.badMessage(record, `${message.type} is nothing for a registrar`, now);
    }
  }

  // ------------------------------------------------------------------------------- registration (RFC 5352 §3.1, §3.2)

  #registration(record: AssociationRecord, { poolHandle, element }: Registration, now: Instant): void {
    if (this.#tooLong(record, poolHandle, now)) return;
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
    const { handlespace, members, distances, registrarId, minAddressScope, maxElementsPerAssociation } =
      this.#context;
    const present = handlespace.find(poolHandle, element.elementId);
    const holder = present && members.associationOf(present);
    if (present !== undefined && !mayActFor(present, holder, record)) {
      return { type: "refused", error: operationError(CauseCode.nonUniqueElementId) };
    }
    if (holder !== record && record.entries.size >= maxElementsPerAssociation) {
      this.#context.offences.tellLimit(
        record,
        `more than ${maxElementsPerAssociation} elements over one association`,
      );
      return { type: "refused", error: operationError(CauseCode.lackOfResources) };
    }
    const { userTransport } = element;
    const usable = usableAddresses(userTransport.addresses, record.peerAddresses, minAddressScope);
    const located: PoolElement = {
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
    };
    return handlespace.register(poolHandle, distances.ofRegistration(record, located));
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

  #deregistration(record: AssociationRecord, { poolHandle, elementId }: Deregistration, now: Instant): void {
    if (this.#tooLong(record, poolHandle, now)) return;
    const { handlespace, members, statistics, send, report } = this.#context;
    const entry = handlespace.find(poolHandle, elementId);
    if (entry !== undefined && !mayActFor(entry, members.associationOf(entry), record)) {
      const error = operationError(CauseCode.rejectedForSecurity);
      send(record, { type: "deregistrationResponse", poolHandle, elementId, error });
      return this.#context.offences.badMessage(record, "it deregisters an element of another host", now);
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

  // ------------------------------------------------------------------------------------ life (RFC 5352 §3.4, §3.5)

  #keepAliveAck(
    record: AssociationRecord,
    { poolHandle, elementId }: EndpointKeepAliveAck,
    now: Instant,
  ): void {
    const { handlespace, members, distances, statistics } = this.#context;
    const entry = handlespace.find(poolHandle, elementId);
    // An answer by another association proves nothing about the element's own.
    if (entry === undefined || members.associationOf(entry) !== record) return;
    statistics.keepAliveAcks++;
    members.acknowledged(entry, now);
    distances.refresh(record);
  }

  // ------------------------------------------------------------------------------------------------- bad messages

  #unreadable(record: AssociationRecord, decodeError: DecodeError, now: Instant): void {
    const error = errorFor(decodeError);
    if (error !== "silent") this.#context.send(record, { type: "error", error });
    this.#context.offences.badMessage(record, decodeError.message, now);
  }

  #tooLong(record: AssociationRecord, poolHandle: PoolHandle, now: Instant): boolean {
    if (poolHandle.length <= MAX_ECHOED_HANDLE) return false;
    this.#context.send(record, { type: "error", error: operationError(CauseCode.invalidValues) });
    this.#context.offences.badMessage(record, `a pool handle of ${poolHandle.length} octets`, now);
    return true;
  }
}

/**
 * Whether an association may register or deregister an element that is there: that of the element may, and every other
 * one of its host, since a pool element that lost its association, or its registrar, connects anew before we know of the
 * loss. An element without an association here, because it is another registrar's or was taken over and is not reached
 * yet, is where it is registered; one that names no place that means the same here is anybody's.
 */
function mayActFor(
  { element: { asapTransport, userTransport } }: ElementEntry,
  holder: AssociationRecord | undefined,
  record: AssociationRecord,
): boolean {
  if (holder !== undefined) return holder === record || holder.sharesHost(record);
  const places = [...asapTransport?.addresses ?? [], ...userTransport.addresses]
    .filter((address) => isReachable(address, record.overLoopback));
  return places.length === 0 || places.some((address) => record.peerAddresses.includes(address));
}
