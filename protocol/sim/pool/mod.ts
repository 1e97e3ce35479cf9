/** Worlds of registrars, pool elements and pool users on a network of whole messages in virtual time. */
export { MessageSide } from "./association.ts";
export { boundsOf } from "./bounds.ts";
export type { PoolBounds } from "./bounds.ts";
export { WorldChecker, WorldViolation } from "./checker.ts";
export type { CheckerCounts } from "./checker.ts";
export { CodecChecker } from "./codec_check.ts";
export { convergenceComplaints } from "./convergence.ts";
export { DistributionChecker } from "./distribution.ts";
export { Troublemaker } from "./faults.ts";
export { OpenPort, SimulatedComputer } from "./host.ts";
export { MessageNetwork } from "./network.ts";
export type { NetworkObserver } from "./network.ts";
export { SimulatedProgram } from "./program.ts";
export type { ChannelSetup, PortSetup, ProgramSetup } from "./program.ts";
export { HOUR_WORLD, randomWorldOptions, runRandomWorld } from "./random_world.ts";
export type { RandomWorldResult, RandomWorldSize } from "./random_world.ts";
export { UserHost } from "./user_host.ts";
export type { UserHostEffect, UserHostInput, UserHostOptions } from "./user_host.ts";
export { Ways } from "./ways.ts";
export type { WayConditions } from "./ways.ts";
export { PoolWorld } from "./world.ts";
export type {
  ElementActor,
  PoolWorldOptions,
  RegistrarActor,
  UserActor,
  WorldApplication,
  WorldObserver,
  WorldProgram,
} from "./world.ts";
export { parseScenario, ScenarioError, TRACE_SEPARATOR } from "./scenario.ts";
export type { PoolScenario, ScenarioStep } from "./scenario.ts";
export { SCENARIO_COMMANDS } from "./scenario_commands.ts";
export { runPoolScenario } from "./scenario_run.ts";
export type { ScenarioOutcome } from "./scenario_run.ts";
export { traceDifference } from "./trace_difference.ts";
export { Puppeteer } from "./puppets.ts";
export type { Puppet, PuppeteerInput, PuppeteerOptions } from "./puppets.ts";
export { ScaleWorld } from "./scale_world.ts";
export type { ScaleOptions, ScalePhase } from "./scale_world.ts";
export { runSmallWorld, smallWorld, smallWorldCount } from "./enumeration.ts";
export type { SmallWorldSize } from "./enumeration.ts";
