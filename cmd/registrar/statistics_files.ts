/** The statistics and the scalar file of a registrar, in RSPLIB's form (reference/rsplib.md §6.4). Pure texts. */
import type { RegistrarStatistics } from "../../protocol/registrar/mod.ts";
import { seconds } from "../driver/wall_time.ts";
import type { WallTime } from "../driver/wall_time.ts";

/** What RSPLIB counts, in the order of its files. */
export const COUNTERS = [
  "Registrations",
  "Reregistrations",
  "Deregistrations",
  "Handle Resolutions",
  "Failure Reports",
  "Synchronizations",
  "Handle Updates",
  "Endpoint Keep Alives",
] as const;

/** A counter of RSPLIB's files. */
export type Counter = typeof COUNTERS[number];

/** What is counted, by name. */
export type Counts = Readonly<Record<Counter, number>>;

/** What there is at a moment. */
export interface Levels {
  readonly peers: number;
  readonly pools: number;
  readonly elements: number;
  readonly ownedElements: number;
}

/** CPU times of the process, and how long it runs, in milliseconds. */
export interface ProcessTimes {
  readonly runtimeMs: number;
  readonly userMs: number;
  readonly systemMs: number;
}

/** The first line of a statistics file. As in RSPLIB's, the lines begin with one column more: their number. */
export const STATISTICS_HEADER: string = [
  "AbsTime RelTime Runtime UserTime SystemTime",
  "Peers Pools PoolElements OwnedPoolElements",
  COUNTERS.map((name) => name.replaceAll(" ", "")).join(" "),
].join("   ") + "\n";

/**
 * RSPLIB's way to count: a re-registration is a registration, too; a resolution that fails is one; a synchronisation is
 * a handle table that another registrar asks for; an update is one that comes in.
 */
export function counts(statistics: RegistrarStatistics): Counts {
  return {
    "Registrations": statistics.registrations + statistics.reregistrations,
    "Reregistrations": statistics.reregistrations,
    "Deregistrations": statistics.deregistrations,
    "Handle Resolutions": statistics.resolutions + statistics.resolutionsFailed,
    "Failure Reports": statistics.unreachableReports,
    "Synchronizations": statistics.tablesSent,
    "Handle Updates": statistics.updatesReceived,
    "Endpoint Keep Alives": statistics.keepAlivesSent,
  };
}

/** Two counts together: those of two lives of a registrar. */
export function sumOfCounts(a: Counts, b: Counts): Counts {
  return Object.fromEntries(COUNTERS.map((name) => [name, a[name] + b[name]])) as Record<Counter, number>;
}

/** A line of a statistics file. */
export interface StatisticsLine extends Levels, ProcessTimes {
  /** From 1 on. */
  readonly serial: number;
  readonly now: WallTime;
  readonly startedAt: WallTime;
  readonly counts: Counts;
}

/** A line as text. */
export function statisticsLine(line: StatisticsLine): string {
  const { now, startedAt, runtimeMs, userMs, systemMs } = line;
  return [
    `${String(line.serial).padStart(6, "0")} ${seconds(now)} ${seconds(now - startedAt)}`,
    [runtimeMs, userMs, systemMs].map(seconds).join(" "),
    [line.peers, line.pools, line.elements, line.ownedElements].join(" "),
    COUNTERS.map((name) => line.counts[name]).join(" "),
  ].join("   ") + "\n";
}

/**
 * A scalar file, as the simulator OMNeT++ and its tools read it.
 *
 * @param objectName whose totals these are
 * @param totals since the start
 * @param averages of the levels over time
 */
export function scalarText(objectName: string, totals: Counts, averages: Levels): string {
  const object = `"${objectName.replaceAll('"', "'")}"`;
  const width = Math.max(...COUNTERS.map((name) => name.length));
  const lines = COUNTERS.map((name) => {
    const quoted = `"Registrar Total ${name}"`.padEnd(width + 18);
    return `scalar ${object} ${quoted} ${String(totals[name]).padStart(8)}`;
  });
  const means = [
    ["Pools", averages.pools],
    ["Pool Elements", averages.elements],
    ["Owned Pool Elements", averages.ownedElements],
    ["Peers", averages.peers],
  ] as const;
  for (const [name, value] of means) {
    const quoted = `"Registrar Average Number Of ${name}"`.padEnd(49);
    lines.push(`scalar ${object} ${quoted} ${value.toFixed(6)}`);
  }
  return `run 1 "scenario"\n${lines.join("\n")}\n`;
}
