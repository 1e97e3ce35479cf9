/**
 * What an agent of the interoperation tests is told and says, in lines of JSON on its standard input and output. An
 * agent is one SCTP stack in a process and a network namespace of its own; a test tells it each step and waits for what
 * comes of it. Octets are hexadecimal text, messages are told of by their length: see `messageOf`.
 *
 * @module
 */
import type { EndpointOptions, TransportCommand, TransportEvent } from "../../protocol/net.ts";

/** Something the usrsctp agent is to do. `socket` is a name of the test's choice. */
export type UsrsctpOrder =
  | {
    readonly do: "open";
    readonly socket: string;
    /** Own addresses; the first one decides the family. */
    readonly addresses: readonly string[];
    readonly port: number;
    readonly options: readonly UsrsctpOption[];
    readonly listen: boolean;
  }
  | { readonly do: "connect"; readonly socket: string; readonly address: string; readonly port: number }
  | { readonly do: "option"; readonly socket: string; readonly option: UsrsctpOption }
  /** Answered by `option`: the value behind what was given. */
  | { readonly do: "read"; readonly socket: string; readonly option: UsrsctpOption }
  | ({ readonly do: "send"; readonly socket: string } & UsrsctpMessage)
  | { readonly do: "bindx"; readonly socket: string; readonly address: string; readonly add: boolean }
  | { readonly do: "shutdown" | "close"; readonly socket: string };

/** A socket option of level IPPROTO_SCTP. */
export interface UsrsctpOption {
  readonly number: number;
  /** The structure, in hexadecimal. */
  readonly value: string;
}

/** A message that usrsctp is to send. */
export interface UsrsctpMessage {
  readonly length: number;
  readonly stream?: number;
  /** SCTP_UNORDERED and so on. */
  readonly flags?: number;
  readonly reliability?: { readonly policy: number; readonly value: number };
  readonly keyId?: number;
}

/** What the usrsctp agent says. */
export type UsrsctpReport =
  | ReceivedMessage & { readonly type: "message" }
  /** A notification, its numbers by the names of `usrsctp.h` without the prefix. */
  | {
    readonly type: "notice";
    readonly socket: string;
    readonly name: string;
    readonly fields: UsrsctpFields;
  }
  | { readonly type: "option"; readonly socket: string; readonly value: string }
  /** The order was carried out, or with what errno it was not. */
  | { readonly type: "done"; readonly errno: number }
  /** The end of the stream was read. */
  | { readonly type: "ended"; readonly socket: string }
  | { readonly type: "failed"; readonly why: string };

/** Numbers, lists of numbers and addresses of a notification. */
export type UsrsctpFields = Readonly<Record<string, number | string | readonly number[]>>;

/** A whole message, as usrsctp got it. */
export interface ReceivedMessage {
  readonly socket: string;
  readonly length: number;
  /** Whether it is the message of that length. */
  readonly same: boolean;
  readonly stream: number;
  readonly ssn: number;
  readonly tsn: number;
  readonly unordered: boolean;
}

/** Something the agent of the embedded stack is to do. `endpoint` is a name of the test's choice. */
export type EmbeddedOrder =
  | {
    readonly do: "open";
    readonly endpoint: string;
    readonly raw: boolean;
    readonly options: EndpointOptions;
  }
  | { readonly do: "execute"; readonly endpoint: string; readonly command: TransportCommand }
  /** Sends the message of a length; the association is the endpoint's latest. */
  | {
    readonly do: "send";
    readonly endpoint: string;
    readonly length: number;
    readonly fields?: Partial<Extract<TransportCommand, { type: "send" }>>;
  }
  | {
    readonly do: "option";
    readonly endpoint: string;
    readonly name: string;
    readonly value: Readonly<Record<string, unknown>>;
  }
  | {
    readonly do: "addAddress" | "removeAddress" | "setPeerPrimary";
    readonly endpoint: string;
    readonly address: string;
  }
  /** Answered by `status`. */
  | { readonly do: "status"; readonly endpoint: string }
  /** Answered by `chunks`: what passed since it was last asked. */
  | { readonly do: "chunks"; readonly endpoint: string }
  | { readonly do: "close"; readonly endpoint: string };

/** An order's association: the endpoint's latest. */
export const LATEST = 0;

/** What the agent of the embedded stack says. */
export type EmbeddedReport =
  | { readonly type: "event"; readonly endpoint: string; readonly event: EmbeddedEvent }
  | { readonly type: "status"; readonly endpoint: string; readonly status: unknown }
  | { readonly type: "chunks"; readonly endpoint: string; readonly chunks: readonly SeenChunk[] }
  | { readonly type: "done"; readonly problem?: string };

/** A chunk that passed: which way, its type, its flags. */
export type SeenChunk = readonly ["sent" | "received", type: number, flags: number];

/** An event of a type as it was told: data has become a length. */
export type EmbeddedEvent<Type extends TransportEvent["type"] = TransportEvent["type"]> =
  & Omit<Extract<TransportEvent, { readonly type: Type }>, "data">
  & { readonly length?: number; readonly same?: boolean };
