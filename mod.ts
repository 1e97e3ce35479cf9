/**
 * `rsp`: SCTP and Reliable Server Pooling (RFC 5351-5356) in TypeScript on Deno. This module is the library side of
 * the toolkit: the pure protocol floors, for tests, tools and other programs.
 *
 * @module
 */
export { Outbox, Prng, TimerQueue } from "./protocol/machine.ts";
export type { Machine } from "./protocol/machine.ts";
export {
  addressScope,
  formatIpAddress,
  formatTransportAddress,
  ipAddressOctets,
  isIpv4,
  parseIpAddress,
  Ppid,
  scopeRank,
} from "./protocol/net.ts";
export type {
  AssociationId,
  AssociationStatus,
  Endpoint,
  EndpointOptions,
  Instant,
  IpAddress,
  PathStatus,
  Transport,
  TransportAddress,
  TransportCommand,
  TransportEvent,
} from "./protocol/net.ts";
export {
  assert,
  DecodeError,
  encodeText,
  hexDump,
  Reader,
  showText,
  StateError,
  Writer,
} from "./protocol/wire/mod.ts";
