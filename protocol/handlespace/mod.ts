/** Pools, their elements, and who owns them. */
export { Handlespace } from "./handlespace.ts";
export type { HandlespaceLimits, RegisterResult } from "./handlespace.ts";
export type { ElementEntry, ElementPlace, Pool } from "./pool.ts";
export { poolKey } from "./pool_key.ts";
