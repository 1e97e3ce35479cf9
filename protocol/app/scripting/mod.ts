/** RSPLIB's scripting service: its messages, and the applications of both sides. */
export { ScriptingClient } from "./client.ts";
export type { ScriptingClientOptions } from "./client.ts";
export type {
  JobFile,
  JobId,
  JobPlace,
  JobResult,
  ScriptingClientEffect,
  ScriptingClientInput,
  ScriptingClientReport,
} from "./client_types.ts";
export { describeJobStatus, JobStatus } from "./job_status.ts";
export {
  MAX_SCRIPTING_DATA,
  MAX_SCRIPTING_INFO,
  NotReadyReason,
  readScripting,
  writeScripting,
} from "./messages.ts";
export type {
  EnvironmentMessage,
  FileMessage,
  KeepAliveAckMessage,
  KeepAliveMessage,
  NotReadyMessage,
  PrintChannel,
  PrintMessage,
  ReadyMessage,
  ScriptingMessage,
  StatusMessage,
} from "./messages.ts";
export { ScriptingServer } from "./server.ts";
export type { ScriptingServerOptions } from "./server.ts";
export type {
  EnvironmentFailure,
  EnvironmentHash,
  JobEnded,
  JobPrinted,
  ScriptingServerEffect,
  ScriptingServerInput,
  ScriptingServerReport,
} from "./types.ts";
