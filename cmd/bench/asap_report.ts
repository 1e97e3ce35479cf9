/** How the figures of a registrar under load are shown: as lines for people, as JSON objects for programs. */
import type { AsapWork } from "./asap_options.ts";
import type { Histogram } from "./histogram.ts";

/** What a run yielded. */
export interface AsapResult {
  readonly type: "asap";
  readonly work: AsapWork;
  readonly users: number;
  readonly outstanding: number;
  readonly answers: number;
  /** Refusals among them. */
  readonly refused: number;
  readonly seconds: number;
  /** From request to answer. */
  readonly histogram: Histogram;
}

/** A run in the middle. */
export interface AsapInterval {
  readonly type: "asapInterval";
  readonly work: AsapWork;
  readonly users: number;
  /** Since the run began, in seconds. */
  readonly from: number;
  readonly to: number;
  readonly answers: number;
}

/** A line of output. */
export type AsapLine = AsapResult | AsapInterval;

const PERCENTILES = [50, 90, 99, 99.9] as const;

/** Headline of the table. */
export function asapHeadline(): string {
  const percentiles = PERCENTILES.map((percent) => `p${percent} ms`);
  return row("work", ["users", "answers", "refused", "seconds", "per s", "min ms", ...percentiles, "max ms"]);
}

/** A line of the table. */
export function asapTextLine(line: AsapLine): string {
  const { work, users, answers } = line;
  if (line.type === "asapInterval") {
    const { from, to } = line;
    const cells = [users, answers, "", (to - from).toFixed(3), Math.round(answers / (to - from))];
    return `${row(work, cells).trimEnd()}  ${from.toFixed(1)}-${to.toFixed(1)} s\n`;
  }
  const { refused, seconds, histogram } = line;
  const { min, max } = smallAndLarge(histogram);
  const times = [min, ...PERCENTILES.map((percent) => histogram.percentile(percent)), max];
  const counts = [users, answers, refused, seconds.toFixed(3), Math.round(rate(answers, seconds))];
  return row(work, [...counts, ...times.map((milliseconds) => milliseconds.toFixed(3))]);
}

/** The same for programs. */
export function asapJsonLine(line: AsapLine): string {
  if (line.type === "asapInterval") {
    return JSON.stringify({ ...line, answersPerSecond: line.answers / (line.to - line.from) });
  }
  const { histogram, ...rest } = line, { min, max } = smallAndLarge(histogram);
  const rounded = (milliseconds: number) => Math.round(milliseconds * 1e4) / 1e4;
  return JSON.stringify({
    ...rest,
    answersPerSecond: rate(line.answers, line.seconds),
    milliseconds: {
      min: rounded(min),
      mean: rounded(histogram.mean),
      ...Object.fromEntries(PERCENTILES.map((one) => [`p${one}`, rounded(histogram.percentile(one))])),
      max: rounded(max),
    },
  });
}

function smallAndLarge({ count, min, max }: Histogram): { readonly min: number; readonly max: number } {
  return count === 0 ? { min: 0, max: 0 } : { min, max };
}

function rate(answers: number, seconds: number): number {
  return seconds > 0 ? answers / seconds : 0;
}

function row(work: string, cells: readonly (string | number)[]): string {
  return `${work.padEnd(9)}${cells.map((cell) => ` ${String(cell).padStart(8)}`).join("")}\n`;
}
