/** RSPLIB's CalcApp service: its messages and the applications of both sides. */
export { CalcAppClient } from "./client.ts";
export type { CalcAppClientOptions } from "./client.ts";
export type { CalcAppClientInput, CalcAppClientReport, JobRecord } from "./client_types.ts";
export type { ArrivalOptions } from "./arrivals.ts";
export { readCalcAppCookie, writeCalcAppCookie } from "./cookie.ts";
export type { CalcAppCookie } from "./cookie.ts";
export { MAX_JOB_SIZE, readCalcApp, writeCalcApp } from "./messages.ts";
export type { CalcAppComplete, CalcAppMessage, CalcAppRequest, CalcAppSignal } from "./messages.ts";
export { CalcAppServer } from "./server.ts";
export type { CalcAppServerOptions, CalcAppServerReport } from "./server_types.ts";
