/** Pools, their elements, and who owns them. */
export { DEFAULT_MAX_ELEMENTS, Handlespace } from "./handlespace.ts";
export type { HandlespaceLimits, HandlespaceOptions, RegisterResult } from "./handlespace.ts";
export type { ElementEntry, ElementPlace, Pool } from "./pool.ts";
export { poolKey } from "./pool_key.ts";
