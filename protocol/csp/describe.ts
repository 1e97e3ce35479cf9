import { Ppid } from "../net.ts";
import type { Instant } from "../net.ts";
import { formatTransportAddress } from "../net.ts";
import { ComponentGroup, componentGroupOf, componentObjectOf } from "./component_id.ts";
import type { ComponentId } from "./component_id.ts";
import type { Component } from "./monitor.ts";
import { SCTP_PROTOCOL } from "./report.ts";
import type { ComponentAssociation } from "./report.ts";

/** What components are called, and the digits of their IDs: as RSPLIB's monitor has it (reference/rsplib.md §6.1). */
const GROUPS: ReadonlyMap<number, { readonly name: string; readonly digits: number }> = new Map([
  [ComponentGroup.registrar, { name: "PR", digits: 8 }],
  [ComponentGroup.element, { name: "PE", digits: 8 }],
  [ComponentGroup.user, { name: "PU", digits: 14 }],
]);

/** Of a group that nobody has heard of. */
const STRANGER = { name: "ID", digits: 14 };

/** What is spoken over associations, in the words of RSPLIB's monitor. */
const PPID_NAMES: ReadonlyMap<number, string> = new Map([
  [Ppid.none, "Data"],
  [Ppid.asap, "ASAP"],
  [Ppid.enrp, "ENRP"],
  [Ppid.fractalGenerator, "FractGen"],
  [Ppid.pingPong, "PingPong"],
  [Ppid.calcApp, "CalcApp"],
  [Ppid.scripting, "Scripting"],
]);

/** Protocols over IP by their IANA numbers. */
const PROTOCOL_NAMES: ReadonlyMap<number, string> = new Map([[SCTP_PROTOCOL, "SCTP"], [6, "TCP"], [
  17,
  "UDP",
]]);

const SECOND_US = 1_000_000n;

/** `PR`, `PE`, `PU`, or `ID` for what is none of them. */
export function groupName(group: number): string {
  return (GROUPS.get(group) ?? STRANGER).name;
}

/** Who it is: `PE $000000f1`. */
export function componentLabel(id: ComponentId): string {
  const { name, digits } = GROUPS.get(componentGroupOf(id)) ?? STRANGER;
  return `${name} $${componentObjectOf(id).toString(16).padStart(digits, "0")}`;
}

/**
 * How long a component has been there: `01:02:03`, from 100 hours on `  4d 05h`, and `??:??:??` for what no component lives.
 *
 * @param uptimeUs its time stamp
 * @returns eight characters
 */
export function showUptime(uptimeUs: bigint): string {
  const seconds = uptimeUs / SECOND_US;
  const days = seconds / 86_400n;
  if (days > 999n) return "??:??:??";
  const hours = Number(seconds / 3600n);
  if (hours >= 100) return `${String(days).padStart(3)}d ${two(hours % 24)}h`;
  return `${two(hours)}:${two(Number(seconds / 60n % 60n))}:${two(Number(seconds % 60n))}`;
}

/** A location of at most so many characters; one that was longer ends in three dots, as far as there is room for them. */
export function shortLocation(location: string, length: number): string {
  if (location.length <= length) return location;
  return `${location.slice(0, Math.max(0, length - 3))}...`.slice(0, length);
}

/** How wide the columns of a list are. */
export interface ComponentColumns {
  readonly label: number;
  readonly location: number;
}

/**
 * A component in one line, as RSPLIB's monitor writes it: `PE $000000f1 [pc2: 10.1.0.2] U=00:01:02 l=0.4s A=1 L= 50% "1 Session"`.
 *
 * @param now by the clock of the monitor
 * @param columns how wide label and location are at least
 */
export function describeComponent(
  { id, report, reportedAt, associationCount }: Component,
  now: Instant,
  columns: ComponentColumns,
): string {
  const label = componentLabel(id).padEnd(columns.label);
  const location = `[${shortLocation(report.location, columns.location)}]`.padEnd(columns.location + 2);
  const age = Math.max(0, now - reportedAt) / 1000;
  const load = report.workload === undefined ? "" : ` L=${showLoad(report.workload).padStart(4)}`;
  return `${label} ${location} U=${showUptime(report.uptimeUs)} l=${age.toFixed(1)}s A=${associationCount}` +
    `${load} "${report.status}"`;
}

/** A workload from 0 to 1: `50%`. */
export function showLoad(workload: number): string {
  return `${Math.round(100 * workload)}%`;
}

/** What is spoken over an association: `FractGen/SCTP`. */
export function associationKind({ ppid, protocol }: ComponentAssociation): string {
  return `${ppidName(ppid)}/${protocolName(protocol)}`;
}

/** With whom a component is connected, and by what: `PE $000000f1 FractGen/SCTP     duration=0:00:01`. */
export function describeAssociation(association: ComponentAssociation): string {
  const { receiver, durationUs } = association;
  const text = `${componentLabel(receiver)} ${associationKind(association).padEnd(16)}`;
  return durationUs === undefined ? text.trimEnd() : `${text} duration=${showDuration(durationUs)}`;
}

/** A component for programs. Times are in seconds, IDs in hexadecimal. */
export function componentObject(component: Component, now: Instant): Readonly<Record<string, unknown>> {
  const { id, report, source, reportedAt, associationCount } = component;
  const { workload, associations } = report;
  return {
    id: hexadecimal(id, 16),
    group: groupName(componentGroupOf(id)),
    object: objectText(id),
    location: report.location,
    status: report.status,
    uptime: Number(report.uptimeUs) / 1e6,
    age: Math.round(Math.max(0, now - reportedAt)) / 1000,
    interval: report.intervalUs / 1e6,
    ...(workload === undefined ? {} : { workload: Math.round(10_000 * workload) / 10_000 }),
    source: formatTransportAddress(source),
    associationCount,
    associations: associations.map(associationObject),
  };
}

/** An association for programs. */
export function associationObject(association: ComponentAssociation): Readonly<Record<string, unknown>> {
  const { receiver, durationUs, protocol, ppid } = association;
  return {
    receiver: hexadecimal(receiver, 16),
    group: groupName(componentGroupOf(receiver)),
    object: objectText(receiver),
    protocol: protocolName(protocol),
    ppid,
    ...(durationUs === undefined ? {} : { duration: Number(durationUs) / 1e6 }),
  };
}

function objectText(id: ComponentId): string {
  return hexadecimal(componentObjectOf(id), (GROUPS.get(componentGroupOf(id)) ?? STRANGER).digits);
}

/** What is spoken, in the words of RSPLIB's monitor. */
export function ppidName(ppid: number): string {
  return PPID_NAMES.get(ppid) ?? `$${ppid.toString(16).padStart(8, "0")}`;
}

function protocolName(protocol: number): string {
  return PROTOCOL_NAMES.get(protocol) ?? `$${protocol.toString(16).padStart(4, "0")}`;
}

/** `0:00:01`; there is no longest one. */
function showDuration(durationUs: bigint): string {
  const seconds = durationUs / SECOND_US;
  return `${seconds / 3600n}:${two(Number(seconds / 60n % 60n))}:${two(Number(seconds % 60n))}`;
}

function hexadecimal(value: bigint, digits: number): string {
  return `0x${value.toString(16).padStart(digits, "0")}`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
