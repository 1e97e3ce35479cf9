/** Pool member selection policies (RFC 5356). */
export type { Policy, Selectable, Selection } from "./policy.ts";
export { findPolicy, policies } from "./registry.ts";
