/** The registrar. */
export type { RegistrarLimits, RegistrarOptions } from "./options.ts";
export { Registrar } from "./registrar.ts";
export type { RegistrarEffect, RegistrarInput } from "./registrar.ts";
export type { RegistrarReport, RemovalReason } from "./report.ts";
export type { RegistrarStatistics } from "./statistics.ts";
export type { MinimumScope } from "./usable_addresses.ts";
