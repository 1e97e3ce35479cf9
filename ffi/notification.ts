/**
 * Notifications of the kernel's SCTP (RFC 6458 §6.1) read from the octets that recvmsg() delivers, and what they mean as
 * events of a transport. The layouts are those of Linux; its departures from RFC 6458 are noted where they matter.
 *
 * @module
 */
import type {
  AuthenticationChanged,
  ErrorCause,
  IpAddress,
  PathChanged,
  Ppid,
  ReconfigurationOutcome,
  StreamsReset,
} from "../protocol/net.ts";
import { AssociationChange, NotificationType, SOCKADDR_STORAGE_BYTES } from "./kernel_abi.ts";
import { readSockaddrAddress } from "./sockaddr.ts";

/** A notification; `kernelId` is the kernel's association ID, which may be 0 where Linux forgets it. */
export type KernelNotification =
  | AssociationChangeNotification
  | {
    readonly type: "pathChange";
    readonly kernelId: number;
    readonly address: IpAddress;
    readonly change: PathChanged["change"];
  }
  | { readonly type: "remoteError"; readonly kernelId: number; readonly cause: ErrorCause }
  | SendFailedNotification
  | { readonly type: "peerShutdown"; readonly kernelId: number }
  /** The rest of a message that was delivered in part will never come. */
  | { readonly type: "partialDeliveryAborted"; readonly kernelId: number; readonly stream: number }
  | { readonly type: "adaptation"; readonly kernelId: number; readonly indication: number }
  | {
    readonly type: "authentication";
    readonly kernelId: number;
    readonly indication: AuthenticationChanged["indication"];
    readonly keyId: number;
  }
  | { readonly type: "senderDry"; readonly kernelId: number }
  | {
    readonly type: "streamsReset";
    readonly kernelId: number;
    readonly direction: StreamsReset["direction"];
    readonly streams: readonly number[];
    readonly outcome: ReconfigurationOutcome;
  }
  | {
    readonly type: "associationReset";
    readonly kernelId: number;
    readonly localTsn: number;
    readonly peerTsn: number;
    readonly outcome: ReconfigurationOutcome;
  }
  /** Linux says how many were added, not (RFC 6525 §6.1.3) how many there are. */
  | { readonly type: "streamsAdded"; readonly kernelId: number; readonly outcome: ReconfigurationOutcome }
  | { readonly type: "other"; readonly number: number };

/** An association came up or ended (struct sctp_assoc_change). */
export interface AssociationChangeNotification {
  readonly type: "associationChange";
  readonly kernelId: number;
  readonly state: keyof typeof AssociationChange;
  /** sac_error: the code of an error cause; 0 = none. */
  readonly errorCode: number;
  /** sac_info: the error causes of the peer's ABORT, as they were received; empty when there were none. */
  readonly causes: Uint8Array;
  readonly outboundStreams: number;
  readonly inboundStreams: number;
}

/** One DATA chunk (Linux tells of each fragment on its own) that was not acknowledged (sctp_send_failed_event). */
export interface SendFailedNotification {
  readonly type: "sendFailed";
  readonly kernelId: number;
  readonly stream: number;
  readonly ppid: Ppid;
  /** snd_context of the message the chunk belongs to. */
  readonly context: number;
  /** Whether the chunk was transmitted at least once. */
  readonly sent: boolean;
  /** Whether it is the first chunk of its message. */
  readonly begins: boolean;
  /** Whether it is the last chunk of its message. */
  readonly ends: boolean;
  readonly data: Uint8Array;
}

const ASSOCIATION_STATES: ReadonlyMap<number, keyof typeof AssociationChange> = new Map(
  Object.entries(AssociationChange).map((
    [name, number],
  ) => [number, name as keyof typeof AssociationChange]),
);

/** spc_state in Linux's numbers. */
const PATH_CHANGES: ReadonlyMap<number, PathChanged["change"]> = new Map([
  [0, "available"],
  [1, "unreachable"],
  [2, "removed"],
  [3, "added"],
  [4, "made-primary"],
  [5, "confirmed"],
  [6, "potentially-failed"], // only where it is exposed
]);

/** ssf_flags: SCTP_DATA_SENT */
const DATA_SENT = 1;
/** Bits of a DATA chunk's flags, which Linux puts into snd_flags of what failed. */
const CHUNK_ENDS = 1, CHUNK_BEGINS = 2;
/** auth_indication */
const AUTHENTICATION_INDICATIONS = ["new-key", "free-key", "no-authentication"] as const;
/** Flags of the notifications of RFC 6525. */
const RESET_INCOMING = 1, RESET_DENIED = 4, RESET_FAILED = 8;
const DATA_CHUNK_FAILED_BYTES = 32;

/**
 * Reads one notification.
 *
 * @param octets one whole notification; borrowed: what is kept of it is copied
 * @returns `other` for a type that is not known, or that is shorter than its structure
 *
 * @example SHUTDOWN_EVENT of association 3
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const octets = Uint8Array.fromHex("05800000" + "0c000000" + "03000000");
 * assert.deepEqual(readNotification(octets), { type: "peerShutdown", kernelId: 3 });
 * ```
 */
export function readNotification(octets: Uint8Array): KernelNotification {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  if (octets.length < 8) return { type: "other", number: 0 };
  const number = view.getUint16(0, true);
  switch (number) {
    case NotificationType.associationChange:
      if (octets.length >= 20) return readAssociationChange(octets, view);
      break;
    case NotificationType.peerAddressChange:
      return readPathChange(octets, view) ?? { type: "other", number };
    case NotificationType.remoteError:
      if (octets.length >= 16) return readRemoteError(octets, view);
      break;
    case NotificationType.sendFailedEvent:
      if (octets.length >= DATA_CHUNK_FAILED_BYTES) return readSendFailed(octets, view);
      break;
    case NotificationType.shutdown:
      if (octets.length >= 12) return { type: "peerShutdown", kernelId: view.getInt32(8, true) };
      break;
    case NotificationType.partialDelivery:
      if (octets.length < 24) break;
      return {
        type: "partialDeliveryAborted",
        kernelId: view.getInt32(12, true),
        stream: view.getUint32(16, true),
      };
    case NotificationType.adaptation:
      if (octets.length < 16) break;
      return { type: "adaptation", kernelId: view.getInt32(12, true), indication: view.getUint32(8, true) };
    case NotificationType.authentication:
      if (octets.length >= 20) return readAuthentication(view) ?? { type: "other", number };
      break;
    case NotificationType.senderDry:
      if (octets.length >= 12) return { type: "senderDry", kernelId: view.getInt32(8, true) };
      break;
    case NotificationType.streamReset:
      if (octets.length >= 12) return readStreamReset(octets, view);
      break;
    case NotificationType.associationReset:
      if (octets.length < 20) break;
      return {
        type: "associationReset",
        kernelId: view.getInt32(8, true),
        // Linux has the two the other way round than RFC 6525 §6.1.2.
        localTsn: view.getUint32(16, true),
        peerTsn: view.getUint32(12, true),
        outcome: outcomeOf(view),
      };
    case NotificationType.streamChange:
      if (octets.length < 16) break;
      return { type: "streamsAdded", kernelId: view.getInt32(8, true), outcome: outcomeOf(view) };
  }
  return { type: "other", number };
}

function outcomeOf(view: DataView): ReconfigurationOutcome {
  const flags = view.getUint16(2, true);
  if ((flags & RESET_DENIED) !== 0) return "denied";
  return (flags & RESET_FAILED) !== 0 ? "failed" : "performed";
}

function readAuthentication(view: DataView): KernelNotification | undefined {
  const indication = AUTHENTICATION_INDICATIONS[view.getUint32(12, true)];
  if (indication === undefined) return undefined;
  const keyId = view.getUint16(8, true);
  return { type: "authentication", kernelId: view.getInt32(16, true), indication, keyId };
}

function readStreamReset(octets: Uint8Array, view: DataView): KernelNotification {
  const streams: number[] = [];
  for (let at = 12; at + 2 <= octets.length; at += 2) streams.push(view.getUint16(at, true));
  return {
    type: "streamsReset",
    kernelId: view.getInt32(8, true),
    direction: (view.getUint16(2, true) & RESET_INCOMING) !== 0 ? "incoming" : "outgoing",
    streams,
    outcome: outcomeOf(view),
  };
}

function readAssociationChange(octets: Uint8Array, view: DataView): KernelNotification {
  const state = ASSOCIATION_STATES.get(view.getUint16(8, true));
  if (state === undefined) return { type: "other", number: NotificationType.associationChange };
  return {
    type: "associationChange",
    kernelId: view.getInt32(16, true),
    state,
    errorCode: view.getUint16(10), // network order, unlike its neighbours
    outboundStreams: view.getUint16(12, true),
    inboundStreams: view.getUint16(14, true),
    causes: octets.slice(20),
  };
}

function readPathChange(octets: Uint8Array, view: DataView): KernelNotification | undefined {
  const stateAt = 8 + SOCKADDR_STORAGE_BYTES;
  if (octets.length < stateAt + 12) return undefined;
  const address = readSockaddrAddress(view, 8);
  const change = PATH_CHANGES.get(view.getInt32(stateAt, true));
  if (address === undefined || change === undefined) return undefined;
  return { type: "pathChange", kernelId: view.getInt32(stateAt + 8, true), address, change };
}

function readRemoteError(octets: Uint8Array, view: DataView): KernelNotification {
  return {
    type: "remoteError",
    kernelId: view.getInt32(12, true),
    cause: { code: view.getUint16(8), info: octets.slice(16) },
  };
}

function readSendFailed(octets: Uint8Array, view: DataView): KernelNotification {
  return {
    type: "sendFailed",
    sent: (view.getUint16(2, true) & DATA_SENT) !== 0,
    stream: view.getUint16(12, true),
    begins: (view.getUint16(14, true) & CHUNK_BEGINS) !== 0,
    ends: (view.getUint16(14, true) & CHUNK_ENDS) !== 0,
    ppid: view.getUint32(16), // as it was given: network order
    context: view.getUint32(20, true),
    kernelId: view.getInt32(28, true),
    data: octets.slice(DATA_CHUNK_FAILED_BYTES),
  };
}

/**
 * The first error cause of an ABORT.
 *
 * @param notification what came with COMM_LOST or CANT_STR_ASSOC
 * @returns undefined when the ABORT had none
 */
export function firstCause(notification: AssociationChangeNotification): ErrorCause | undefined {
  const { causes, errorCode } = notification;
  if (causes.length >= 4) {
    const code = causes[0]! << 8 | causes[1]!;
    const length = causes[2]! << 8 | causes[3]!;
    if (length >= 4 && length <= causes.length) return { code, info: causes.slice(4, length) };
  }
  return errorCode === 0 ? undefined : { code: errorCode, info: new Uint8Array(0) };
}
