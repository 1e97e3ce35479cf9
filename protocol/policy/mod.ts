/** Pool member selection policies (RFC 5356). */
export type { Policy, Selectable, Selection, SelectionState } from "./policy.ts";
export { findPolicy, policies } from "./registry.ts";
