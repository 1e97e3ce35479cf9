/** What a terminal shows while a farm works. */
import type { CellSize } from "../tui/half_blocks.ts";
import { showId } from "../../protocol/param/describe.ts";
import type { FarmView, RunningJob, ServerTally } from "./progress.ts";

/** Columns between two others. */
const GAP = "  ";

/** Rows that are not jobs or servers: the summary, the bar, two heads, and the one below where the cursor rests. */
const FIXED_ROWS = 5;

/**
 * The jobs under way with their servers, and how the whole stands.
 *
 * @param view what is known
 * @param instant now, by the same clock
 * @param size the terminal's
 * @returns lines without line feeds, none wider than the terminal, fewer than it has rows
 */
export function renderFarm(view: FarmView, instant: number, size: CellSize): string[] {
  const rows = Math.max(0, size.rows - FIXED_ROWS);
  const serverRows = Math.min(view.servers.length, Math.max(3, Math.floor(rows / 3)), rows);
  const jobs = limited(view.running.map((job) => jobCells(job, instant)), rows - serverRows);
  const servers = limited(view.servers.map((server) => serverCells(server, view.running)), serverRows);
  return [
    summary(view),
    bar(view, size.columns),
    ...columns([["JOB", "TRY", "SERVER", "STATE", "TIME"], ...jobs], size.columns),
    ...(servers.length === 0
      ? []
      : columns([["SERVER", "RUNNING", "DONE", "FAILED", "LOST"], ...servers], size.columns)),
  ].map((line) => cut(line, size.columns));
}

function jobCells({ name, attempt, elementId, server, activity, since }: RunningJob, now: number): string[] {
  return [name, String(attempt), serverText(elementId, server), activity, clock(now - since)];
}

function serverCells(
  { elementId, name, done, failed, lost }: ServerTally,
  running: readonly RunningJob[],
): string[] {
  const here = running.filter((job) => job.elementId === elementId).length;
  return [serverText(elementId, name), String(here), String(done), String(failed), String(lost)];
}

function serverText(elementId: number, name: string): string {
  if (elementId === 0) return "-";
  return name === "" ? showId(elementId) : `${showId(elementId)} ${name}`;
}

/** How the whole stands, in one line. */
export function summary({ counts, elapsedMs, leftMs }: FarmView): string {
  const { done, failed, running, waiting } = counts;
  const total = done + failed + running + waiting;
  const left = leftMs === undefined || running + waiting === 0 ? "" : `, about ${clock(leftMs)} left`;
  return `${done} of ${total} jobs done, ${failed} failed, ${running} running, ${waiting} waiting; ` +
    `${clock(elapsedMs)}${left}`;
}

/** `#` done, `!` failed, `>` running, `.` waiting. */
function bar({ counts }: FarmView, width: number): string {
  const { done, failed, running, waiting } = counts;
  const total = Math.max(1, done + failed + running + waiting);
  const room = Math.max(0, Math.min(width, 80) - 2);
  const upTo = (jobs: number) => Math.round(room * jobs / total);
  const text = "#".repeat(upTo(done)).padEnd(upTo(done + failed), "!").padEnd(
    upTo(done + failed + running),
    ">",
  );
  return `[${text.padEnd(room, ".")}]`;
}

/** At most so many rows; what is left out is counted in the last one. */
function limited(rows: string[][], most: number): string[][] {
  if (rows.length <= most) return rows;
  const shown = rows.slice(0, Math.max(0, most - 1));
  return most <= 0 ? [] : [...shown, [`and ${rows.length - shown.length} more`]];
}

/** Cells in columns. A table that is too wide for its terminal loses room in its first column. */
function columns(rows: readonly (readonly string[])[], width: number): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length);
  }
  const over = widths.reduce((sum, one) => sum + one + GAP.length, -GAP.length) - width;
  if (over > 0) widths[0] = Math.max(8, (widths[0] ?? 0) - over);
  return rows.map((row) =>
    row.map((cell, index) => cut(cell, widths[index]!).padEnd(widths[index]!)).join(GAP).trimEnd()
  );
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}

/** A time as `1:02` or `1:02:03`. */
function clock(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  const two = (value: number) => String(value).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${two(seconds % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
}
