/** Lines of `rsp bench`: a table for people, objects for programs. Pure functions. */
import type { DirectionResult, Figures } from "./figures.ts";
import type { Histogram } from "./histogram.ts";

/** A line of results. */
export type ReportLine =
  | {
    readonly type: "result";
    readonly size: number;
    /** Seen from this side. */
    readonly direction: "sent" | "received";
    readonly associations: number;
    readonly result: DirectionResult;
  }
  | {
    readonly type: "latency";
    readonly size: number;
    readonly associations: number;
    readonly figures: Figures;
    readonly histogram: Histogram;
    readonly retransmissions: number | undefined;
  }
  | {
    readonly type: "interval";
    readonly size: number;
    readonly direction: "sent" | "received";
    /** Since the run began, in seconds. */
    readonly from: number;
    readonly to: number;
    readonly messages: number;
    readonly octets: number;
  };

const PERCENTILES = [50, 90, 99, 99.9] as const;

/** Headline of the table of throughput, or of that of latency. */
export function headline(latency: boolean): string {
  return latency
    ? row([
      "length",
      "trips",
      "seconds",
      "trips/s",
      "min µs",
      "p50 µs",
      "p90 µs",
      "p99 µs",
      "p99.9 µs",
      "max µs",
    ])
    : row(["length", "messages", "octets", "seconds", "msg/s", "MB/s", "retrans", "direction"]);
}

/** A line of the table. */
export function textLine(line: ReportLine): string {
  switch (line.type) {
    case "result": {
      const { size, direction, associations, result } = line;
      const figures = result.received ?? result.sent;
      return row([
        ...throughput(size, figures),
        result.retransmissions === undefined ? "-" : String(result.retransmissions),
        direction + (associations > 1 ? ` on ${associations} associations` : ""),
      ]);
    }
    case "latency": {
      const { size, figures, histogram } = line;
      const { count, min, max } = histogram;
      return row([
        String(size),
        String(count),
        figures.seconds.toFixed(3),
        String(Math.round(perSecond(count, figures.seconds))),
        ...[count === 0 ? 0 : min, ...PERCENTILES.map((percent) => histogram.percentile(percent)), max]
          .map((milliseconds) => (milliseconds * 1000).toFixed(1)),
      ]);
    }
    case "interval": {
      const { size, direction, from, to, messages, octets } = line;
      const cells = throughput(size, { messages, octets, seconds: to - from });
      return row([...cells, "", `${direction}, ${from.toFixed(1)}-${to.toFixed(1)} s`]);
    }
  }
}

/** The same for programs, with the figures of both sides. */
export function jsonLine(line: ReportLine): string {
  switch (line.type) {
    case "result": {
      const { result: { sent, received, retransmissions }, ...rest } = line;
      const { messages, octets, seconds } = received ?? sent;
      return JSON.stringify({
        ...rest,
        messages,
        octets,
        seconds,
        messagesPerSecond: perSecond(messages, seconds),
        megabytesPerSecond: perSecond(octets, seconds) / 1e6,
        retransmissions,
        sent,
        received,
      });
    }
    case "latency": {
      const { histogram, figures: { seconds }, ...rest } = line;
      const { count, min, max, mean } = histogram;
      const micro = (milliseconds: number) => Math.round(milliseconds * 1e4) / 10;
      return JSON.stringify({
        ...rest,
        roundTrips: count,
        seconds,
        roundTripsPerSecond: perSecond(count, seconds),
        microseconds: {
          min: count === 0 ? 0 : micro(min),
          mean: micro(mean),
          ...Object.fromEntries(PERCENTILES.map((one) => [`p${one}`, micro(histogram.percentile(one))])),
          max: micro(max),
        },
      });
    }
    case "interval": {
      const seconds = line.to - line.from;
      return JSON.stringify({
        ...line,
        messagesPerSecond: perSecond(line.messages, seconds),
        megabytesPerSecond: perSecond(line.octets, seconds) / 1e6,
      });
    }
  }
}

function throughput(size: number, { messages, octets, seconds }: Figures): string[] {
  return [
    size === 0 ? "-" : String(size),
    String(messages),
    String(octets),
    seconds.toFixed(3),
    String(Math.round(perSecond(messages, seconds))),
    (perSecond(octets, seconds) / 1e6).toFixed(2),
  ];
}

/** Widths of the columns but the last, which flows; of the two tables, the wider of each. */
const WIDTHS = [8, 10, 13, 9, 10, 9, 9] as const;

function row(cells: readonly string[]): string {
  const numeric = cells.slice(0, -1).map((cell, i) => cell.padStart(WIDTHS[i] ?? 9));
  const last = cells.at(-1)!;
  return `${numeric.join(" ")} ${/^[\d.]+$|µs$/.test(last) ? last.padStart(9) : ` ${last}`}\n`;
}

function perSecond(count: number, seconds: number): number {
  return seconds > 0 ? count / seconds : 0;
}
