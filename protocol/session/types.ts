import type {
  AssociationId,
  EndpointOpened,
  NetworkEffect,
  NetworkInput,
  Ppid,
  TransportAddress,
} from "../net.ts";
import type { ElementReport } from "../element/report.ts";
import type { UserReport } from "../user/report.ts";

/**
 * The words of the session layer: what an application says to a session and what it hears of it (RFC 5352 §1.2,
 * reference/rsplib.md §4).
 *
 * A session is one conversation of a pool user with *a pool*. It outlives the associations that carry it: when its
 * pool element dies, the pool user is told, asks for a failover, and the conversation goes on with another element
 * from the newest cookie.
 */

/** Names a session. At a client the caller chooses it, at a host the host does. */
export type SessionId = number;

/** The association that carries a session, for what its transport knows of it. */
export interface SessionAssociation {
  /** The endpoint's name. */
  readonly endpoint: string;
  readonly association: AssociationId;
}

/** What an application hears of its sessions. */
export type SessionEvent =
  | SessionOpened
  | SessionMessage
  | SessionCookie
  /** Client only, once a session: the element gave a cookie. From now on a failover can go on from the newest one. */
  | SessionEventBase<"sessionCookieHeld">
  | SessionFailover
  /**
   * More is queued than the endpoint's send buffer holds: stop sending until `sessionWritable`. It is the association
   * that is blocked: after `sessionFailover` sending may go on without that event.
   */
  | SessionEventBase<"sessionBlocked">
  /** Sending may go on. Only after `sessionBlocked`. */
  | SessionEventBase<"sessionWritable">
  | SessionClosed;

/** What all events of sessions have. */
export interface SessionEventBase<Type extends string> {
  /** Says which event this is. */
  readonly type: Type;
  /** Which session. */
  readonly session: SessionId;
}

/** A session has an association. Comes once a session, before every other event of it. */
export interface SessionOpened extends SessionEventBase<"sessionOpened"> {
  /** The other side's transport addresses. */
  readonly peer: readonly TransportAddress[];
  /** At a host its own pool element's ID; at a client the ID of the element it is connected to. */
  readonly elementId: number;
}

/** One application message. */
export interface SessionMessage extends SessionEventBase<"sessionMessage"> {
  /** The application's payload protocol. */
  readonly ppid: Ppid;
  /** The stream it came by. */
  readonly stream: number;
  /** Owned by the receiver of this event. */
  readonly data: Uint8Array;
}

/** Host only: the pool user sent back a cookie (ASAP_COOKIE_ECHO). Always a session's first message. */
export interface SessionCookie extends SessionEventBase<"sessionCookie"> {
  /** As the pool element sent it. Owned by the receiver of this event. */
  readonly cookie: Uint8Array;
}

/**
 * How a pool user lost its element: `shutdown` = it ended the association in order; `aborted` = it, its host or this side broke
 * the association off, so it says that it does not serve, but is there to say it; `silent` = it does not answer any more.
 * Only a silent one is unreachable in the sense of RFC 5352 §3.5: three reports of that remove an element from its pool
 * (reference/rsplib.md §1.3), and one that is full or restarts must not fall victim to its users.
 */
export type SessionLoss = "shutdown" | "aborted" | "silent";

/**
 * Client only. `necessary`: the association is gone or refused; the session waits for a `failover` or `closeSession`
 * command. `complete`: another association (possibly with the same element) stands; if a cookie was held, it was sent
 * as the first message; otherwise the application has to start over.
 */
export interface SessionFailover extends SessionEventBase<"sessionFailover"> {
  /** See above. */
  readonly state: "necessary" | "complete";
  /** Whether a cookie is held (necessary) or was echoed (complete). */
  readonly hasCookie: boolean;
  /** `necessary`: the element that was lost; `complete`: the new one. */
  readonly elementId: number;
  /** `necessary`: how the element was lost; `complete`: undefined. */
  readonly loss: SessionLoss | undefined;
  /** In words. For people only. */
  readonly reason: string;
}

/** The last event of a session. */
export interface SessionClosed extends SessionEventBase<"sessionClosed"> {
  /** In words. */
  readonly reason: string;
}

/** What an application asks of its sessions. A command for a session that is gone is ignored. */
export type SessionCommand =
  /** Client: resolves the pool and connects, again and again until `sessionOpened` or `closeSession`. */
  | { readonly type: "openSession"; readonly session: SessionId; readonly poolHandle: Uint8Array }
  | FailoverCommand
  | SessionSend
  /** Host: gives the pool user a state to bring back after a failover. RSPLIB wants a multiple of 4 octets. */
  | { readonly type: "sendCookie"; readonly session: SessionId; readonly cookie: Uint8Array }
  | { readonly type: "closeSession"; readonly session: SessionId; readonly how: "shutdown" | "abort" }
  /**
   * Where the endpoint's `manualReceive` is set: the application has taken so many octets of messages, which give the
   * sender room again. The session layer does the same for its own messages.
   */
  | { readonly type: "consumed"; readonly session: SessionId; readonly octets: number }
  /** Host: the load of an adaptive policy, 0–1. A change of at least 0.01 is registered at once. */
  | { readonly type: "setLoad"; readonly load: number };

/** Sends one message, in order. */
export interface SessionSend {
  /** Says which command this is. */
  readonly type: "send";
  /** Which session. */
  readonly session: SessionId;
  /** The application's payload protocol; 11 is the session layer's own. */
  readonly ppid: Ppid;
  /** At least one octet. Belongs to the transport from now on, unless it is `lent`. */
  readonly data: Uint8Array;
  /** The data is needed until the machine's effects are carried out, and no longer. Default false. */
  readonly lent?: boolean;
  /** Octets of the message that go before `data`, such as a header; only where it is `lent`. */
  readonly head?: Uint8Array;
  /** Default 0. One that the association does not have becomes 0. */
  readonly stream?: number;
}

/** Client: leaves the present element, resolves and connects anew until that succeeds or the session is closed. */
export interface FailoverCommand {
  /** Says which command this is. */
  readonly type: "failover";
  /** Which session. */
  readonly session: SessionId;
  /** Whether to tell the registrar that the element does not answer (ASAP_ENDPOINT_UNREACHABLE). */
  readonly reportUnreachable: boolean;
}

/** Starts or ends a machine in order. */
export type LifecycleInput = { readonly type: "start" } | { readonly type: "stop" };

/** What a service host takes. */
export type ServiceHostInput = NetworkInput | EndpointOpened | LifecycleInput | SessionCommand;

/** What a service host asks for. `stopped` is its last effect. */
export type ServiceHostEffect =
  | NetworkEffect
  | SessionEvent
  | { readonly type: "report"; readonly report: ServiceHostReport }
  | { readonly type: "stopped" };

/** Whether an effect of a service host or session client is for the application; the others are for the driver. */
export function isSessionEvent(
  effect: ServiceHostEffect | SessionClientEffect | {
    readonly type: "report";
    readonly report: SessionReport;
  },
): effect is SessionEvent {
  switch (effect.type) {
    case "transport":
    case "datagram":
    case "report":
    case "stopped":
      return false;
    default:
      return true;
  }
}

/** What a session client takes. */
export type SessionClientInput = NetworkInput | EndpointOpened | LifecycleInput | SessionCommand;

/** What a session client asks for. `stopped` is its last effect. */
export type SessionClientEffect =
  | NetworkEffect
  | SessionEvent
  | { readonly type: "report"; readonly report: SessionClientReport }
  | { readonly type: "stopped" };

/** What is worth a log line at either of them. */
export type SessionReport = ServiceHostReport | SessionClientReport;

/** What is worth a log line at a service host. */
export type ServiceHostReport = ElementReport | HostSessionReport;

/** What is worth a log line at a session client. */
export type SessionClientReport = UserReport | ClientSessionReport;

/** Sessions at a service host. */
export type HostSessionReport =
  | {
    readonly type: "sessionUp";
    readonly session: SessionId;
    readonly association: AssociationId;
    readonly peer: readonly TransportAddress[];
    /** Sessions that are up now. */
    readonly sessionCount: number;
  }
  | {
    readonly type: "sessionDown";
    readonly session: SessionId;
    readonly reason: string;
    readonly sessionCount: number;
  }
  /** A new session was turned away because the host is full or about to stop. */
  | {
    readonly type: "sessionRefused";
    readonly peer: readonly TransportAddress[];
    readonly reason: string;
  }
  /** The peer of a session broke the rules of the control channel; the session was aborted. */
  | { readonly type: "sessionViolation"; readonly session: SessionId; readonly reason: string };

/** Sessions at a session client. */
export type ClientSessionReport =
  | {
    readonly type: "sessionConnecting";
    readonly session: SessionId;
    readonly elementId: number;
    readonly peer: readonly TransportAddress[];
  }
  | {
    readonly type: "sessionUp";
    readonly session: SessionId;
    readonly elementId: number;
    readonly peer: readonly TransportAddress[];
  }
  | {
    readonly type: "sessionConnectFailed";
    readonly session: SessionId;
    readonly elementId: number;
    readonly reason: string;
    /** When the next attempt is made, in milliseconds from now. */
    readonly retryMs: number;
  }
  /** The pool cannot be resolved for now; the next attempt is made after `retryMs`. */
  | {
    readonly type: "sessionWaiting";
    readonly session: SessionId;
    readonly poolHandle: Uint8Array;
    readonly reason: string;
    readonly retryMs: number;
  }
  | SessionFailover
  /** The element has named those that may take its place (business card, RFC 5352 §3.9). */
  | {
    readonly type: "sessionCard";
    readonly session: SessionId;
    readonly elementId: number;
    readonly elementIds: readonly number[];
  }
  | { readonly type: "sessionViolation"; readonly session: SessionId; readonly reason: string }
  | { readonly type: "sessionDown"; readonly session: SessionId; readonly reason: string };
