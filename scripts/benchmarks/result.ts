/** What benchmarks are given and what they yield. */

/** One line of results. */
export interface Result {
  /** The benchmark. */
  readonly name: string;
  /** What was measured: the carrier, the direction, the size. */
  readonly what: string;
  readonly figures: Readonly<Record<string, number>>;
  /** The figure that counts, what it is measured against, and how large their ratio is to be at least. */
  readonly target?: Target;
}

/** A goal of the project. */
export interface Target {
  /** Name of the figure. */
  readonly figure: string;
  /** What it is compared with. */
  readonly reference: string;
  readonly referenceValue: number;
  /** The figure is to be so many times the reference. */
  readonly factor: number;
  /** The reference is what the figure must stay below; then the ratio says how many times it is. */
  readonly isLimit?: boolean;
}

/** What the command line says. */
export interface Settings {
  /** Length of one measurement. */
  readonly seconds: number;
  readonly carriers: readonly ("udp" | "raw")[];
  readonly sizes: readonly number[];
  readonly mtus: readonly number[];
  /** Users of a registrar at the same time. */
  readonly users: readonly number[];
  /** Undefined = each benchmark's own number. */
  readonly associations: number | undefined;
  /** What hostile associations do, of the kinds of `hostile_process.ts`; undefined = all. */
  readonly hostilities: readonly string[] | undefined;
  /** Pairs of measurements, in alternation. */
  readonly rounds: number;
}

/** A benchmark. */
export type Bench = (settings: Settings, emit: (result: Result) => void) => Promise<void>;

/** The ratio of a result to its reference; undefined = it has none. */
export function ratioOf({ figures, target }: Result): number | undefined {
  if (target === undefined) return undefined;
  const figure = figures[target.figure] ?? Number.NaN;
  return target.isLimit === true ? target.referenceValue / figure : figure / target.referenceValue;
}

/** The middle one. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

/** A part of sorted values: 0.5 is the median. */
export function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

/** With so many digits behind the point. */
export function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

/** Waits. */
export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
