/** The embedded SCTP stack: RFC 9260 and RFC 6951, pure and deterministic. */
export { encapsulationPort } from "./encapsulation.ts";
export type { StackCounters, StackEnvironment, StackEvent } from "./environment.ts";
export { SctpStack } from "./stack.ts";

// What the stack's own types refer to.
export type {
  AssociationDown,
  AssociationEvent,
  AssociationId,
  AssociationStatus,
  AssociationUp,
  ConnectCommand,
  DownReason,
  EndpointOptions,
  ErrorCause,
  Instant,
  IpAddress,
  MessageReceived,
  PacketError,
  PacketMeta,
  PacketTransmit,
  PathChanged,
  PathState,
  PathStatus,
  Ppid,
  RemoteError,
  Route,
  SendCommand,
  SendFailed,
  TransportCommand,
  TransportEvent,
} from "../net.ts";
