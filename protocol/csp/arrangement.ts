import { componentGroupOf } from "./component_id.ts";
import { componentLabel } from "./describe.ts";
import type { Component } from "./monitor.ts";

/** What components of a group can be ordered by. */
export const COMPONENT_ORDERS = [
  "location",
  "id",
  "status",
  "uptime",
  "age",
  "load",
  "associations",
] as const;

/** One of the orders. */
export type ComponentOrder = typeof COMPONENT_ORDERS[number];

/** Which components are shown, and in which order. */
export interface ArrangementOptions {
  readonly order: ComponentOrder;
  /** The other way round. */
  readonly isReversed: boolean;
  /** Only those that have this text somewhere, whatever the case; empty = all. */
  readonly filter: string;
  /** Components of a group that are shown at most; Infinity where nothing is said. */
  readonly limits: ReadonlyMap<number, number>;
}

/** The components of a group. */
export interface ArrangementGroup {
  /** See `ComponentGroup`; a stranger's may be any number of 8 bits. */
  readonly group: number;
  readonly shown: readonly Component[];
  /** How many more there are. */
  readonly hidden: number;
}

/** What is shown. */
export interface Arrangement {
  /** Those with components, in the order of their numbers. */
  readonly groups: readonly ArrangementGroup[];
  /** How many the filter leaves out. */
  readonly filtered: number;
}

/**
 * Puts components in order: by group, by what is wanted, by ID.
 *
 * @param components all that there are
 */
export function arrangeComponents(
  components: Iterable<Component>,
  options: ArrangementOptions,
): Arrangement {
  const { filter, limits, isReversed } = options;
  const wanted = filter.toLowerCase();
  const byGroup = new Map<number, Component[]>();
  let filtered = 0;
  for (const component of components) {
    if (wanted !== "" && !textOf(component).includes(wanted)) {
      filtered++;
      continue;
    }
    const group = componentGroupOf(component.id), members = byGroup.get(group);
    if (members === undefined) byGroup.set(group, [component]);
    else members.push(component);
  }
  const compare = COMPARISONS[options.order], sign = isReversed ? -1 : 1;
  const groups = [...byGroup].sort(([a], [b]) => a - b).map(([group, members]) => {
    members.sort((a, b) => sign * (compare(a, b) || ascending(a.id, b.id)));
    const shown = members.slice(0, limits.get(group));
    return { group, shown, hidden: members.length - shown.length };
  });
  return { groups, filtered };
}

type Comparison = (a: Component, b: Component) => number;

/** Numbers that grow with trouble or work come biggest first, as everybody wants them. */
const COMPARISONS: Readonly<Record<ComponentOrder, Comparison>> = {
  location: (a, b) => ascending(a.report.location, b.report.location),
  id: () => 0,
  status: (a, b) => ascending(a.report.status, b.report.status),
  uptime: (a, b) => ascending(b.report.uptimeUs, a.report.uptimeUs),
  age: (a, b) => ascending(a.reportedAt, b.reportedAt),
  load: (a, b) => ascending(b.report.workload ?? -1, a.report.workload ?? -1),
  associations: (a, b) => ascending(b.associationCount, a.associationCount),
};

function ascending<Value extends string | number | bigint>(a: Value, b: Value): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** What a filter looks at. */
function textOf({ id, report, source }: Component): string {
  return `${componentLabel(id)} ${report.location} ${report.status} ${source.address}`.toLowerCase();
}
