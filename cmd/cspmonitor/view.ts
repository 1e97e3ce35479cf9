/** What a terminal shows of the components. */
import { styleText } from "node:util";
import {
  componentLabel,
  describeAssociation,
  groupName,
  isLate,
  shortLocation,
  showLoad,
  showUptime,
} from "../../protocol/csp/mod.ts";
import type { Arrangement, ArrangementGroup, Component, MonitorStatistics } from "../../protocol/csp/mod.ts";
import type { Instant } from "../../protocol/net.ts";
import type { CellSize } from "../tui/half_blocks.ts";
import { KEY_HELP } from "./settings.ts";
import type { ScrollRange, ViewSettings } from "./settings.ts";

/** What there is to show. */
export interface MonitorView {
  readonly arrangement: Arrangement;
  /** Components by group, whether they are shown or not. */
  readonly totals: ReadonlyMap<number, number>;
  readonly settings: ViewSettings;
  readonly statistics: MonitorStatistics;
  /** By the clock of the monitor. */
  readonly now: Instant;
  /** The same moment for people. */
  readonly time: Date;
  /** What is to be told besides; empty = nothing. */
  readonly notice: string;
  /** What is shown as long as nothing has reported. */
  readonly hint: readonly string[];
  /** Whether keys do something. */
  readonly hasKeys: boolean;
  readonly color: boolean;
}

/** Header, heads of the columns, and the line of keys. */
const FIXED_ROWS = 3;

const GAP = "  ";

/** The status text is worth this much room; columns that leave less are left out. */
const MIN_TEXT = 24;

/** From this load on a component is called busy, as by RSPLIB's monitor. */
const BUSY = 0.9;

type Style = Parameters<typeof styleText>[0];

/** The groups' colours in RSPLIB's monitor. */
const GROUP_STYLES: ReadonlyMap<string, Style> = new Map([
  ["PR", ["bold", "red"]],
  ["PE", ["bold", "blue"]],
  ["PU", ["bold", "green"]],
]);

interface Cell {
  readonly text: string;
  readonly style?: Style | undefined;
}

/** A line, before it is cut to the window. */
type Row = readonly Cell[];

/** How many rows there are, and how many the window has. */
export function scrollRange(view: MonitorView, size: CellSize): ScrollRange {
  const { arrangement: { groups }, settings } = view;
  const rows = groups.reduce((sum, group) => sum + groupHeight(group, settings), 0);
  return { rows, page: Math.max(1, size.rows - FIXED_ROWS) };
}

/**
 * The window: how many there are, the components that fit, and what keys do.
 *
 * @param view what is known
 * @param size the terminal's
 * @returns as many lines as the terminal has rows, none wider than it
 */
export function renderMonitor(view: MonitorView, size: CellSize): string[] {
  const columns = fittedColumns(view, size.columns), { rows, page } = scrollRange(view, size);
  const offset = Math.min(view.settings.offset, Math.max(0, rows - page));
  const body = rows === 0 ? emptyBody(view, size.columns) : [...windowRows(view, columns, offset, page)];
  const lines: Row[] = [
    headline(view),
    [{ text: columns.map(({ head, width }) => head.padEnd(width)).join(GAP), style: "dim" }],
    ...body.slice(0, page),
  ];
  while (lines.length < page + FIXED_ROWS - 1) lines.push([]);
  lines.push(footer(view, { first: offset, page, rows }));
  return lines.slice(0, size.rows).map((row) => paint(row, size.columns, view.color));
}

function headline({ totals, time, settings }: MonitorView): Row {
  const counts = [...totals].sort(([a], [b]) => a - b).map(([group, count]): Cell => {
    const name = groupName(group);
    return { text: `${count} ${name}${count === 1 ? "" : "s"}`, style: GROUP_STYLES.get(name) };
  });
  const head = `${dateText(time)}: Current Component Status -- `;
  return [
    { text: head },
    ...(counts.length === 0 ? [{ text: "nobody" }] : separated(counts)),
    ...(settings.isPaused ? [{ text: GAP }, { text: " PAUSED ", style: "inverse" as const }] : []),
  ];
}

function separated(cells: readonly Cell[]): Cell[] {
  return cells.flatMap((cell, index) => index === 0 ? [cell] : [{ text: ", " }, cell]);
}

/** Local date and time to the second. */
export function dateText(time: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())} ` +
    `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
}

interface Column {
  readonly head: string;
  readonly width: number;
  readonly cell: (component: Component, now: Instant) => Cell;
}

/** The columns that there is room for. */
function fittedColumns({ arrangement, settings }: MonitorView, width: number): Column[] {
  let label = "COMPONENT".length, location = "LOCATION".length;
  for (const { shown } of arrangement.groups) {
    for (const { id, report } of shown) {
      label = Math.max(label, componentLabel(id).length);
      location = Math.max(location, report.location.length);
    }
  }
  const figures = [...FIGURES];
  const room = () =>
    width - label - figures.reduce((sum, one) => sum + GAP.length + one.width, 2 * GAP.length);
  while (figures.length > 0 && room() < MIN_TEXT) figures.shift();
  const texts = Math.max(2, room());
  location = Math.min(location, settings.maxLocation, Math.max(Math.floor(texts / 2), texts - MIN_STATUS));
  return [
    { head: "COMPONENT", width: label, cell: labelCell },
    {
      head: "LOCATION".slice(0, location),
      width: location,
      cell: ({ report }) => ({ text: shortLocation(report.location, location) }),
    },
    ...figures.toReversed(),
    {
      head: "STATUS",
      width: Math.max(0, texts - location),
      cell: ({ report }) => ({ text: report.status }),
    },
  ];
}

/** Most texts of status are not longer, and a location is cut before they are. */
const MIN_STATUS = 30;

/** The columns of numbers from right to left; the narrower the window, the more of the first ones are left out. */
const FIGURES: readonly Column[] = [
  {
    head: "LOAD",
    width: 4,
    cell: ({ report: { workload } }) => ({
      text: workload === undefined ? "" : showLoad(workload).padStart(4),
      style: workload !== undefined && workload >= BUSY ? "inverse" : undefined,
    }),
  },
  {
    head: "ASSOC",
    width: 5,
    cell: ({ associationCount }) => ({ text: String(associationCount).padStart(5) }),
  },
  {
    head: "   AGE",
    width: 6,
    cell: (component, now) => {
      const ageMs = Math.max(0, now - component.reportedAt);
      return {
        text: `${(ageMs / 1000).toFixed(1)}s`.padStart(6),
        style: isLate(component, now) ? "yellow" : undefined,
      };
    },
  },
  { head: "  UPTIME", width: 8, cell: ({ report }) => ({ text: showUptime(report.uptimeUs) }) },
];

function labelCell({ id }: Component): Cell {
  const text = componentLabel(id);
  return { text, style: GROUP_STYLES.get(text.slice(0, 2)) };
}

/** Rows of a component: its own, and those of its associations. */
function componentHeight({ report, associationCount }: Component, settings: ViewSettings): number {
  if (!settings.hasAssociations) return 1;
  const kept = report.associations.length;
  return 1 + kept + (associationCount > kept ? 1 : 0);
}

function groupHeight({ shown, hidden }: ArrangementGroup, settings: ViewSettings): number {
  const rows = shown.reduce((sum, component) => sum + componentHeight(component, settings), 0);
  return rows + (hidden > 0 ? 1 : 0);
}

/** The rows within the window; those outside are counted, not made. */
function* windowRows(
  { arrangement, settings, now }: MonitorView,
  columns: readonly Column[],
  offset: number,
  page: number,
): Generator<Row> {
  let at = 0;
  const isSeen = (height = 1) => at + height > offset && at < offset + page;
  for (const { group, shown, hidden } of arrangement.groups) {
    for (const component of shown) {
      const height = componentHeight(component, settings);
      if (isSeen(height)) {
        const rows = componentRows(component, columns, settings, now);
        yield* rows.slice(Math.max(0, offset - at));
      }
      at += height;
    }
    if (hidden === 0) continue;
    if (isSeen()) yield [hiddenCell(group, hidden)];
    at++;
  }
}

function componentRows(
  component: Component,
  columns: readonly Column[],
  { hasAssociations }: ViewSettings,
  now: Instant,
): Row[] {
  const row = columns.flatMap(({ cell, width }, index): Cell[] => {
    const { text, style } = cell(component, now);
    const padded = { text: shortened(text, width).padEnd(width), style };
    return index === 0 ? [padded] : [{ text: GAP }, padded];
  });
  if (!hasAssociations) return [row];
  const { report: { associations }, associationCount } = component,
    more = associationCount - associations.length;
  return [
    row,
    ...associations.map((association) => [{ text: `   -> ${describeAssociation(association)}` }]),
    ...(more > 0 ? [[{ text: `   -> (${more} further associations)` }]] : []),
  ];
}

/** In RSPLIB's words. */
export function hiddenText(group: number, hidden: number): string {
  return `(${hidden} further ${groupName(group)}${hidden === 1 ? " has" : "s have"} been hidden)`;
}

function hiddenCell(group: number, hidden: number): Cell {
  return { text: hiddenText(group, hidden), style: "inverse" };
}

function emptyBody({ totals, hint, settings }: MonitorView, width: number): Row[] {
  const isEmpty = totals.size === 0;
  const sentences = isEmpty ? hint : [`Nothing has ${JSON.stringify(settings.filter)} in it.`];
  return [[], ...sentences.flatMap((text) => wrapped(text, width)).map((text) => [{ text }])];
}

/** A sentence in as many lines as it takes. What is set off by spaces is a command: that is no sentence, and stays whole. */
function wrapped(text: string, width: number): string[] {
  if (text.startsWith(" ")) return [text];
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (longer.length <= width) line = longer;
    else {
      if (line !== "") lines.push(line);
      line = word;
    }
  }
  return [...lines, line];
}

interface Place {
  readonly first: number;
  readonly page: number;
  readonly rows: number;
}

/** The last line: the filter that is typed, or what is to be told, or the keys. */
function footer(view: MonitorView, { first, page, rows }: Place): Row {
  const { settings, notice, statistics, hasKeys, arrangement } = view;
  if (settings.isTyping) return [{ text: `filter: ${settings.filter}_` }];
  const parts: string[] = [];
  if (rows > page) parts.push(`rows ${first + 1}-${Math.min(rows, first + page)} of ${rows}`);
  if (arrangement.filtered > 0) parts.push(`filter "${settings.filter}" leaves out ${arrangement.filtered}`);
  const order = `${settings.order}${settings.isReversed ? " reversed" : ""}`;
  if (order !== "location") parts.push(`sorted by ${order}`);
  const refused = statistics.malformed + statistics.conflicting + statistics.overflowing;
  if (refused > 0) parts.push(`${refused} datagram${refused === 1 ? "" : "s"} refused`);
  if (notice !== "") parts.push(notice);
  parts.push(hasKeys ? KEY_HELP : "Ctrl+C ends");
  return [{ text: parts.join(" | "), style: "dim" }];
}

function shortened(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`.slice(0, width);
}

/** Cells as a line, cut to a width; styles go on when it is cut already. */
function paint(row: Row, width: number, color: boolean): string {
  let line = "", room = width;
  for (const { text, style } of row) {
    if (room <= 0) break;
    const cut = shortened(text, room);
    room -= cut.length;
    line += color && style !== undefined ? styleText(style, cut, { validateStream: false }) : cut;
  }
  return color ? line : line.trimEnd();
}
