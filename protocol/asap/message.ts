/**
 * The messages of ASAP (RFC 5352 §2.2) as values. On the wire each is
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |     Type      |     Flags     |        Message Length         |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     :                  Parameters, in a fixed order                 :
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * @module
 */
import type { OperationError } from "../param/operation_error.ts";
import type { PolicyParameter } from "../param/policy.ts";
import type { PoolElement } from "../param/pool_element.ts";
import type { PoolHandle } from "../param/pool_handle.ts";
import type { ServerInformation } from "../param/server_information.ts";
import type { TransportParameter } from "../param/transport.ts";

/** Type field of each message (RFC 5352 §2.2). */
export const AsapType = {
  registration: 0x01,
  deregistration: 0x02,
  registrationResponse: 0x03,
  deregistrationResponse: 0x04,
  handleResolution: 0x05,
  handleResolutionResponse: 0x06,
  endpointKeepAlive: 0x07,
  endpointKeepAliveAck: 0x08,
  endpointUnreachable: 0x09,
  serverAnnounce: 0x0a,
  cookie: 0x0b,
  cookieEcho: 0x0c,
  businessCard: 0x0d,
  error: 0x0e,
} as const;

/** Flags by the messages that have one (RFC 5352 §2.2): all are the lowest bit. */
export const AsapFlag = {
  /** R bit of a registration response. */
  rejected: 0x01,
  /** S bit of a handle resolution. */
  subscribe: 0x01,
  /** A bit of a handle resolution response. */
  acceptUpdates: 0x01,
  /** H bit of an endpoint keep-alive. */
  home: 0x01,
} as const;

/** What all messages of ASAP have. */
export interface AsapBase<Type extends keyof typeof AsapType> {
  /** Which message it is. */
  readonly type: Type;
}

/** What messages about a pool have. */
export interface AboutPool {
  /** Which pool. */
  readonly poolHandle: PoolHandle;
}

/** What messages about one element of a pool have. */
export interface AboutElement extends AboutPool {
  /** PE identifier of the element. */
  readonly elementId: number;
}

/** ASAP_REGISTRATION, PE to registrar (RFC 5352 §2.2.1): joins a pool, or renews or changes the membership. */
export interface Registration extends AsapBase<"registration">, AboutPool {
  /** With home registrar 0 and no ASAP transport. */
  readonly element: PoolElement;
}

/** ASAP_DEREGISTRATION, PE to registrar (RFC 5352 §2.2.2): leaves a pool. */
export interface Deregistration extends AsapBase<"deregistration">, AboutElement {}

/** ASAP_REGISTRATION_RESPONSE, registrar to PE (RFC 5352 §2.2.3). */
export interface RegistrationResponse extends AsapBase<"registrationResponse">, AboutElement {
  /** R bit. */
  readonly rejected: boolean;
  /** Why it was rejected. */
  readonly error?: OperationError | undefined;
}

/** ASAP_DEREGISTRATION_RESPONSE, registrar to PE (RFC 5352 §2.2.4). */
export interface DeregistrationResponse extends AsapBase<"deregistrationResponse">, AboutElement {
  /** Present = it failed. */
  readonly error?: OperationError | undefined;
}

/** ASAP_HANDLE_RESOLUTION, PU to registrar (RFC 5352 §2.2.5). */
export interface HandleResolution extends AsapBase<"handleResolution">, AboutPool {
  /** S bit: asks for updates of the pool as long as the association lives. Absent = no. RSPLIB ignores it. */
  readonly subscribe?: boolean | undefined;
  /**
   * Handle resolution option (parameter 0x803f, draft-dreibholz-rserpool-asap-hropt): elements wanted; 0xffffffff =
   * as many as possible; 0 or absent = the registrar chooses.
   */
  readonly items?: number | undefined;
}

/** ASAP_HANDLE_RESOLUTION_RESPONSE, registrar to PU (RFC 5352 §2.2.6). */
export interface HandleResolutionResponse extends AsapBase<"handleResolutionResponse">, AboutPool {
  /** A bit: the registrar will send updates, as the S bit asked for. Absent = no. */
  readonly acceptUpdates?: boolean | undefined;
  /** The pool's policy. Optional for RFC 5352, but RSPLIB cannot read elements without it: always send it with them. */
  readonly policy?: PolicyParameter | undefined;
  /** In the order in which they were selected. */
  readonly elements: readonly PoolElement[];
  /** Why there are no elements. */
  readonly error?: OperationError | undefined;
}

/** ASAP_ENDPOINT_KEEP_ALIVE, registrar to PE (RFC 5352 §2.2.7). */
export interface EndpointKeepAlive extends AsapBase<"endpointKeepAlive">, AboutPool {
  /** H bit: the sender is the element's home registrar from now on. */
  readonly home: boolean;
  /** The sender. */
  readonly registrarId: number;
  /** RSPLIB's extension, and always sent by it. */
  readonly elementId?: number | undefined;
}

/** ASAP_ENDPOINT_KEEP_ALIVE_ACK, PE to registrar (RFC 5352 §2.2.8). */
export interface EndpointKeepAliveAck extends AsapBase<"endpointKeepAliveAck">, AboutElement {}

/** ASAP_ENDPOINT_UNREACHABLE, PU to registrar (RFC 5352 §2.2.9). */
export interface EndpointUnreachable extends AsapBase<"endpointUnreachable">, AboutElement {}

/**
 * ASAP_SERVER_ANNOUNCE, registrar to everybody by multicast (RFC 5352 §2.2.10). RSPLIB sends the ID alone: the
 * datagram's source address and port are the registrar's SCTP address.
 */
export interface ServerAnnounce extends AsapBase<"serverAnnounce"> {
  /** The sender. */
  readonly registrarId: number;
  /** Where ASAP is served. Absent = where the datagram came from. */
  readonly transports?: readonly TransportParameter[] | undefined;
  /** Not in RFC 5352; RSPLIB tolerates it behind the transports. */
  readonly serverInformation?: ServerInformation | undefined;
}

/** ASAP_COOKIE, PE to PU (RFC 5352 §2.2.11): a session's state, which the PU keeps for the PE's successor. */
export interface Cookie extends AsapBase<"cookie"> {
  /** Opaque octets; for RSPLIB a multiple of four. */
  readonly cookie: Uint8Array;
}

/** ASAP_COOKIE_ECHO, PU to PE (RFC 5352 §2.2.12): the last cookie, to the PE that takes the session over. */
export interface CookieEcho extends AsapBase<"cookieEcho"> {
  /** Opaque octets; for RSPLIB a multiple of four. */
  readonly cookie: Uint8Array;
}

/** ASAP_BUSINESS_CARD, PE or PU to the other (RFC 5352 §2.2.13): the pool that may take the sender's place. */
export interface BusinessCard extends AsapBase<"businessCard">, AboutPool {
  /** Not in RFC 5352; RSPLIB's message has it. */
  readonly policy?: PolicyParameter | undefined;
  /** The elements of that pool. */
  readonly elements: readonly PoolElement[];
}

/** ASAP_ERROR (RFC 5352 §2.2.14): the peer could not use a message. */
export interface AsapError extends AsapBase<"error"> {
  /** What was wrong. */
  readonly error: OperationError;
}

/** Any message of ASAP. */
export type AsapMessage =
  | Registration
  | Deregistration
  | RegistrationResponse
  | DeregistrationResponse
  | HandleResolution
  | HandleResolutionResponse
  | EndpointKeepAlive
  | EndpointKeepAliveAck
  | EndpointUnreachable
  | ServerAnnounce
  | Cookie
  | CookieEcho
  | BusinessCard
  | AsapError;
