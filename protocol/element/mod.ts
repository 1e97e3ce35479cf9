/** The pool element's side of ASAP, without sessions. */
export { PoolMembership } from "./membership.ts";
export type { MembershipEffect, MembershipOptions, MembershipState } from "./membership.ts";
export type { ElementReport } from "./report.ts";
