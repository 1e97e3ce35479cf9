/** Worlds of applications whose sessions fail over, in virtual time. */
import { calcAppWorkload } from "./calc_app.ts";
import { fractalWorkload } from "./fractal.ts";
import { ledgerWorkload } from "./ledger.ts";
import { pingPongWorkload } from "./ping_pong.ts";
import type { WorkloadMaker } from "./workload.ts";

export { ledgerWorkload } from "./ledger.ts";
export { runSessionWorld } from "./random_session_world.ts";
export type { SessionWorldResult } from "./random_session_world.ts";
export type { Workload, WorkloadContext, WorkloadMaker } from "./workload.ts";

/** The applications that run in such worlds, by name. */
export const WORKLOADS: Readonly<Record<string, WorkloadMaker>> = {
  ledger: ledgerWorkload,
  pingpong: pingPongWorkload,
  calcapp: calcAppWorkload,
  fractal: fractalWorkload,
};
