/** The Aggregate Server Access Protocol's messages (RFC 5352): octets to values and back. */
export { describeAsap } from "./describe.ts";
export { AsapFlag, AsapType } from "./message.ts";
export type {
  AboutElement,
  AboutPool,
  AsapBase,
  AsapError,
  AsapMessage,
  BusinessCard,
  Cookie,
  CookieEcho,
  Deregistration,
  DeregistrationResponse,
  EndpointKeepAlive,
  EndpointKeepAliveAck,
  EndpointUnreachable,
  HandleResolution,
  HandleResolutionResponse,
  Registration,
  RegistrationResponse,
  ServerAnnounce,
} from "./message.ts";
export { readAsap } from "./read.ts";
export { writeAsap } from "./write.ts";
