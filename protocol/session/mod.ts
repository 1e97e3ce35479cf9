/** Both ends of the session layer. */
export { DATA_ENDPOINT, HUNT_ENDPOINT, serviceHostEndpoints, sessionClientEndpoints } from "./endpoints.ts";
export { ServiceHost } from "./service_host.ts";
export type { ServiceHostOptions } from "./service_host.ts";
export { SessionClient } from "./session_client.ts";
export type { SessionClientOptions } from "./session_client.ts";
export { isSessionEvent } from "./types.ts";
export type {
  ClientSessionReport,
  FailoverCommand,
  HostSessionReport,
  LifecycleInput,
  ServiceHostEffect,
  ServiceHostInput,
  ServiceHostReport,
  SessionAssociation,
  SessionClientEffect,
  SessionClientInput,
  SessionClientReport,
  SessionClosed,
  SessionCommand,
  SessionCookie,
  SessionEvent,
  SessionEventBase,
  SessionFailover,
  SessionId,
  SessionLoss,
  SessionMessage,
  SessionOpened,
  SessionReport,
  SessionSend,
} from "./types.ts";
