import type { Handlespace } from "../../protocol/handlespace/mod.ts";
import { showId } from "../../protocol/param/describe.ts";
import type { RegistrarStatistics } from "../../protocol/registrar/statistics.ts";
import { showText } from "../../protocol/wire/mod.ts";

/** What of a registrar is measured. */
export interface Measured {
  readonly statistics: Readonly<RegistrarStatistics>;
  readonly handlespace: Handlespace;
  readonly peers: { readonly size: number };
  readonly associationCount: number;
}

/** Who and since when. */
export interface MeasuredProcess {
  readonly registrarId: number;
  readonly version: string;
  /** Wall clock. */
  readonly startedAt: Date;
}

/**
 * Pools with a number of their own. Anybody can found pools, and a series of each for ever is what makes a Prometheus
 * server ill; a lab has a dozen.
 */
export const MAX_POOL_SERIES = 100;

/** What each counter means, for the reader of a dashboard. */
const COUNTERS: Readonly<Record<keyof RegistrarStatistics, string>> = {
  registrations: "New pool elements",
  reregistrations: "Registrations of pool elements that were there",
  registrationsRefused: "Registrations that were refused",
  deregistrations: "Pool elements that left in order",
  resolutions: "Pool handles resolved",
  resolutionsFailed: "Resolutions that gave no element, or were too many",
  keepAlivesSent: "Keep-alives sent to pool elements",
  keepAliveAcks: "Keep-alives that were answered",
  keepAliveTimeouts: "Keep-alives that were not answered",
  unreachableReports: "Reports that a pool element is unreachable",
  removals: "Pool elements that went without deregistration",
  badMessages: "Messages that could not be read or do not belong here",
  limitsMet: "Requests and associations beyond a limit",
  announces: "ASAP announces sent",
  presencesSent: "ENRP presences sent",
  updatesSent: "ENRP handle updates sent",
  updatesReceived: "ENRP handle updates received",
  synchronizations: "Handle tables asked for",
  tablesSent: "Handle table responses sent",
  takeovers: "Takeovers begun",
  takeoversCompleted: "Takeovers completed",
};

/**
 * A registrar's numbers in Prometheus' text format, version 0.0.4.
 *
 * @param registrar the numbers
 * @param process who and since when
 * @returns lines that end with line feeds
 */
export function metricsText(registrar: Measured, process: MeasuredProcess): string {
  const { statistics, handlespace } = registrar;
  const names = Object.keys(COUNTERS) as (keyof RegistrarStatistics)[]; // its type says so
  return [
    ...metric("info", "gauge", "Which registrar it is", [[
      { registrar_id: showId(process.registrarId), version: process.version },
      1,
    ]]),
    ...metric("start_time_seconds", "gauge", "When it was started, in seconds since 1970", [[
      {},
      process.startedAt.getTime() / 1000,
    ]]),
    ...metric("pools", "gauge", "Pools in the handlespace", [[{}, handlespace.poolCount]]),
    ...metric("elements", "gauge", "Pool elements in the handlespace", [[{}, handlespace.elementCount]]),
    ...metric("owned_elements", "gauge", "Pool elements whose home this registrar is", [[
      {},
      handlespace.ownedCount(process.registrarId),
    ]]),
    ...metric("pool_elements", "gauge", "Pool elements by pool", poolSamples(handlespace)),
    ...metric("peers", "gauge", "Other registrars that are known", [[{}, registrar.peers.size]]),
    ...metric("associations", "gauge", "SCTP associations", [[{}, registrar.associationCount]]),
    ...names.flatMap((name) =>
      metric(`${inSnakeCase(name)}_total`, "counter", COUNTERS[name], [[{}, statistics[name]]])
    ),
  ].map((line) => `${line}\n`).join("");
}

type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

function poolSamples(handlespace: Handlespace): Sample[] {
  const samples: Sample[] = [];
  for (const { poolHandle, policy, elements } of handlespace.pools()) {
    if (samples.length === MAX_POOL_SERIES) break;
    samples.push([{ pool: showText(poolHandle), policy: policy.name }, elements.size]);
  }
  return samples;
}

function metric(name: string, type: "gauge" | "counter", help: string, samples: readonly Sample[]): string[] {
  const full = `rsp_registrar_${name}`;
  return [
    `# HELP ${full} ${help}`,
    `# TYPE ${full} ${type}`,
    ...samples.map(([labels, value]) => `${full}${labelText(labels)} ${value}`),
  ];
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

/** Label values escape these three; a pool handle's line feed is `\x0a` already. */
function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

/** "keepAliveAcks" → "keep_alive_acks" */
function inSnakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
