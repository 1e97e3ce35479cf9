/** The pool user's side of ASAP, without sessions, and how both sides find a registrar. */
export type { HuntOptions } from "./hunt.ts";
export { PoolUser } from "./pool_user.ts";
export type { PoolUserOptions, UserEffect, UserEvent } from "./pool_user.ts";
export type { RegistrarLinkReport, UserReport } from "./report.ts";
export type { RequestOptions } from "./request_queue.ts";
