/** What all applications have in common. */
export { ApplicationMachine } from "./application.ts";
export type {
  Application,
  ApplicationEffect,
  ApplicationInput,
  ApplicationOutlet,
  Sessions,
} from "./application.ts";
export { FailoverPause } from "./failover_pause.ts";
export type { ElementService } from "./failover_pause.ts";
export { ReplyFlow } from "./reply_flow.ts";
export type { ReplyFlowReport } from "./reply_flow.ts";
export { SessionLimit } from "./session_limit.ts";
export type { SessionLimitReport } from "./session_limit.ts";
