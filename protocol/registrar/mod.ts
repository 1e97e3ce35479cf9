/** The registrar. */
export type { RegistrarLimits, RegistrarOptions, RegistrarTimes, StaticPeer } from "./options.ts";
export { Peer, PeerList } from "./peer_list.ts";
export { RFC_TIMES, RSPLIB_TIMES } from "./presets.ts";
export { MessageTap } from "./message_tap.ts";
export { Registrar } from "./registrar.ts";
export type { RegistrarEffect, RegistrarInput } from "./effects.ts";
export type { MessageReport, PeerDownReason, RegistrarReport, RemovalReason } from "./report.ts";
export type { RegistrarStatistics } from "./statistics.ts";
export type { MinimumScope } from "./usable_addresses.ts";
