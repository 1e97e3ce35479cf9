/** The Endpoint Handlespace Redundancy Protocol's messages (RFC 5353): octets to values and back. */
export { describeEnrp } from "./describe.ts";
export { EnrpType } from "./message.ts";
export type {
  EnrpBase,
  EnrpError,
  EnrpMessage,
  HandleTableRequest,
  HandleTableResponse,
  HandleUpdate,
  InitTakeover,
  InitTakeoverAck,
  ListRequest,
  ListResponse,
  PoolEntry,
  Presence,
  TakeoverServer,
} from "./message.ts";
export { readEnrp } from "./read.ts";
export { writeEnrp } from "./write.ts";
