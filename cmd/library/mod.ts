/** Pools for programs: sessions, elements and a registrar as objects that run, with promises and `await using`. */
export { ElementSession } from "./element_session.ts";
export type { ElementSessionEvent, PoolCookie } from "./element_session.ts";
export type { PoolMessageEvent } from "./conversation.ts";
export { PoolClient } from "./pool_client.ts";
export type { PoolClientOptions } from "./pool_client.ts";
export { PoolElement } from "./pool_element.ts";
export type { PoolElementOptions, PoolService } from "./pool_element.ts";
export { PoolError } from "./pool_error.ts";
export type { PoolErrorReason } from "./pool_error.ts";
export { PoolMessage } from "./pool_message.ts";
export type { SendOptions } from "./pool_message.ts";
export type { PoolLogEntry, PoolOptions } from "./pool_options.ts";
export { PoolRegistrar } from "./pool_registrar.ts";
export type { PoolRegistrarOptions } from "./pool_registrar.ts";
export { PoolSession } from "./pool_session.ts";
export type { PoolSessionEvent, RequestMessageOptions } from "./pool_session.ts";
export type { EncapsulationChoice, TransportChoice } from "../common_options.ts";
export type { PoolFailover, PoolSessionOptions } from "./session_life.ts";
