/** Options of `rsp bench`. */
import { transportOptions } from "../common_options.ts";
import type { TransportOptions } from "../common_options.ts";
import { decimal, flag, integer, onOff, OptionError, socket } from "../options.ts";
import type { HostSocket, Option, OptionDetails, OptionValues } from "../options.ts";
import { type AsapOptions, asapOptions } from "./asap_options.ts";
import { MAX_RATE, MAX_SECONDS, MAX_SIZE } from "./control.ts";

/** The port that tsctp, the tool of the SCTP implementers, has used for ever. */
export const DEFAULT_PORT = 5001;
/** Sizes of one call. */
const MAX_SIZES = 32;

const SUFFIXES: Readonly<Record<string, number>> = { "": 1, k: 1e3, m: 1e6, g: 1e9 };
const BINARY_SUFFIXES: Readonly<Record<string, number>> = { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** Reads `64`, `16K`, `1.5M`. @returns NaN when it is no such number */
function scaled(written: string, suffixes: Readonly<Record<string, number>>): number {
  const match = /^(\d+(?:\.\d+)?)([kmg]?)$/i.exec(written);
  return match === null ? Number.NaN : Number(match[1]) * (suffixes[match[2]!.toLowerCase()] ?? Number.NaN);
}

function sizes(
  summary: string,
  details: OptionDetails & { readonly defaultValue: readonly number[] },
): Option<readonly number[]> {
  return {
    ...textShape(summary, details),
    defaultValue: details.defaultValue,
    read(value) {
      const parts = value.split(",");
      if (parts.length > MAX_SIZES) throw new OptionError(`takes ${MAX_SIZES} sizes at most`);
      return parts.map((part) => {
        const size = scaled(part, BINARY_SUFFIXES);
        if (Number.isInteger(size) && size >= 1 && size <= MAX_SIZE) return size;
        throw new OptionError(`must be sizes from 1 to 16M such as 64,1K,16K, not ${JSON.stringify(part)}`);
      });
    },
  };
}

function quantity(summary: string, max: number, details: OptionDetails): Option<number> {
  return {
    ...textShape(summary, details),
    defaultValue: 0,
    read(value) {
      const number = scaled(value, SUFFIXES);
      if (number > 0 && number <= max) return number;
      throw new OptionError(`must be a number such as 500, 20k or 1.5M, not ${JSON.stringify(value)}`);
    },
  };
}

function octets(summary: string, details: OptionDetails): Option<number | undefined> {
  return {
    ...textShape(summary, details),
    defaultValue: undefined,
    read(value) {
      const number = scaled(value, BINARY_SUFFIXES);
      if (Number.isInteger(number) && number >= 4096 && number <= 1024 ** 3) return number;
      throw new OptionError(`must be from 4K to 1G, not ${JSON.stringify(value)}`);
    },
  };
}

/** The parts of an option that do not depend on its value. */
function textShape(summary: string, details: OptionDetails): Omit<Option<never>, "defaultValue" | "read"> {
  const { valueName, defaultText, aliases, variable, group } = details;
  return {
    summary,
    valueName: valueName ?? "n",
    defaultText: defaultText ?? "",
    repeatable: false,
    aliases: aliases ?? [],
    variable,
    group,
  };
}

const run = { group: "Run" } as const;
const association = { group: "Association, of this side" } as const;

/** The options by name. */
export interface BenchOptions extends TransportOptions, AsapOptions {
  readonly listen: Option<boolean>;
  readonly port: Option<number>;
  readonly local: Option<"auto" | HostSocket | undefined>;
  readonly once: Option<boolean>;
  readonly size: Option<readonly number[]>;
  readonly duration: Option<number>;
  readonly count: Option<number | undefined>;
  readonly latency: Option<boolean>;
  readonly reverse: Option<boolean>;
  readonly both: Option<boolean>;
  readonly discard: Option<boolean>;
  readonly parallel: Option<number>;
  readonly streams: Option<number>;
  readonly unordered: Option<boolean>;
  readonly ppid: Option<number>;
  readonly rate: Option<number>;
  readonly bitrate: Option<number>;
  readonly warmup: Option<number>;
  readonly interval: Option<number>;
  readonly sendbuffer: Option<number | undefined>;
  readonly receivebuffer: Option<number | undefined>;
  readonly nodelay: Option<boolean | undefined>;
  readonly sackfrequency: Option<number | undefined>;
  readonly sackdelay: Option<number | undefined>;
  readonly rtomin: Option<number | undefined>;
  readonly json: Option<boolean>;
  readonly [name: string]: Option<unknown>;
}

/** What `rsp bench` can be told. */
export const benchOptions: BenchOptions = {
  listen: flag("Wait for another `rsp bench`; any other sender is counted, too", { aliases: ["s"] }),
  port: integer("SCTP port of the side that listens", {
    min: 1,
    max: 65535,
    defaultValue: DEFAULT_PORT,
    aliases: ["p"],
  }),
  local: socket("Addresses of this side", {
    words: ["auto"],
    defaultValue: "auto",
    defaultText: "all",
    defaultPort: 0,
    valueName: "host[,host…]",
    aliases: ["B"],
  }),
  once: flag("With -listen: end when the first peer has left", { aliases: ["1"] }),
  size: sizes("Octets of a message; several sizes make several runs", {
    ...run,
    defaultValue: [1024],
    defaultText: "1024",
    valueName: "n[,n…]",
    aliases: ["l", "length"],
  }),
  duration: decimal("Length of a run", {
    ...run,
    min: 0.01,
    max: MAX_SECONDS,
    defaultValue: 5,
    valueName: "s",
    aliases: ["t", "time"],
  }),
  count: integer("Ends a run after so many messages of each association, instead of by time", {
    ...run,
    min: 1,
    max: 1e12,
    defaultValue: undefined,
    aliases: ["n"],
  }),
  latency: flag("Ping-pong: each message comes back before the next one goes; tells percentiles", {
    ...run,
    aliases: ["pingpong"],
  }),
  reverse: flag("The side that listens sends", { ...run, aliases: ["R"] }),
  both: flag("Both sides send at the same time", { ...run, aliases: ["bidir"] }),
  discard: flag("Send to any SCTP peer that reads; counts what it acknowledged until SHUTDOWN", run),
  parallel: integer("Associations at the same time", {
    ...run,
    min: 1,
    max: 256,
    defaultValue: 1,
    aliases: ["P"],
  }),
  streams: integer("Streams that messages are spread on", { ...run, min: 1, max: 65535, defaultValue: 1 }),
  unordered: flag("Messages may overtake each other", { ...run, aliases: ["u"] }),
  ppid: integer("Payload protocol identifier of messages", {
    ...run,
    min: 0,
    max: 0xffff_ffff,
    defaultValue: 0,
  }),
  rate: quantity("At most so many messages a second on each association", MAX_RATE, {
    ...run,
    defaultText: "no limit",
    valueName: "n[k|M]",
  }),
  bitrate: quantity("At most so many bits a second on each association", MAX_RATE * 1e3, {
    ...run,
    defaultText: "no limit",
    valueName: "n[k|M|G]",
    aliases: ["b"],
  }),
  warmup: decimal("Sends for so long before it counts", {
    ...run,
    min: 0,
    max: 3600,
    defaultValue: 0,
    valueName: "s",
    aliases: ["O"],
  }),
  interval: decimal("A line of figures every so often; 0 = none", {
    ...run,
    min: 0,
    max: 3600,
    defaultValue: 0,
    valueName: "s",
    aliases: ["i"],
  }),
  sendbuffer: octets("Octets that wait to be sent or acknowledged", {
    ...association,
    valueName: "n[K|M]",
    defaultText: "1M",
  }),
  receivebuffer: octets("Octets of receive buffer: the window that the peer sees", {
    ...association,
    valueName: "n[K|M]",
    defaultText: "1M",
    aliases: ["w"],
  }),
  nodelay: onOff("Small messages leave at once (no Nagle algorithm)", {
    ...association,
    defaultValue: undefined,
    defaultText: "on",
  }),
  sackfrequency: integer("Acknowledge every so many packets", {
    ...association,
    min: 1,
    max: 1000,
    defaultValue: undefined,
    defaultText: "1 on the kernel, else 2",
  }),
  sackdelay: integer("Hold an acknowledgement back for so long at most", {
    ...association,
    min: 0,
    max: 500,
    defaultValue: undefined,
    defaultText: "200",
    valueName: "ms",
  }),
  rtomin: integer("Shortest retransmission time-out", {
    ...association,
    min: 1,
    max: 60_000,
    defaultValue: undefined,
    defaultText: "1000",
    valueName: "ms",
  }),
  json: flag("One JSON object a line instead of text for people"),
  ...asapOptions,
  ...transportOptions,
};

/** Values of {@linkcode benchOptions}. */
export type BenchOptionValues = OptionValues<BenchOptions>;
