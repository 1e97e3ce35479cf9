/**
 * Option tables: what a command accepts, written once and read by the parser, the help text, the manual page, the shells'
 * completion and the README.
 */
import { formatTransportAddress, parseIpAddress } from "../protocol/net.ts";
import type { IpAddress } from "../protocol/net.ts";

/** One option of a command. Made by {@linkcode flag}, {@linkcode integer} and their sisters. */
export interface Option<Value> {
  /** What it does, in one line without a full stop. */
  readonly summary: string;
  /** How the value is called in help texts, such as `ms`; undefined for a flag, which takes none. */
  readonly valueName: string | undefined;
  /** What holds when the option is not given. */
  readonly defaultValue: Value;
  /** The default in words, where its value does not speak for itself; empty = not worth a word. */
  readonly defaultText: string;
  /** Whether it may be given several times, each one adding to the value. */
  readonly repeatable: boolean;
  /** Other spellings. */
  readonly aliases: readonly string[];
  /** The environment variable that stands in when the option is not given. */
  readonly variable: string | undefined;
  /** What the option means without a value, where it may stand alone: then a value is written behind `=` only. */
  readonly bareValue?: string | undefined;
  /** Values that the shell offers, those that go on with a colon at their end; absent = what the value's name says. */
  readonly words?: readonly string[] | undefined;
  /** Headline that it stands under in help texts. */
  readonly group: string | undefined;
  /**
   * Reads a value as written.
   *
   * @param text empty for a flag
   * @param before the value so far, for repeatable options
   * @throws {OptionError} with a clause that goes behind the option's name
   */
  read(text: string, before: Value): Value;
}

/** A command's options by name. */
export type OptionTable = Readonly<Record<string, Option<unknown>>>;

/** The values that a table of options yields. */
export type OptionValues<Table extends OptionTable> = {
  readonly [Name in keyof Table]: Table[Name] extends Option<infer Value> ? Value : never;
};

/** The command line is wrong. The message is one line for people, without the program's name. */
export class OptionError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "OptionError";
  }
}

/** What every kind of option may say besides its summary. */
export interface OptionDetails {
  readonly valueName?: string;
  readonly defaultText?: string;
  readonly aliases?: readonly string[];
  readonly variable?: string;
  readonly bareValue?: string;
  readonly words?: readonly string[];
  readonly group?: string;
}

interface OptionShape<Value> extends OptionDetails {
  readonly defaultValue: Value;
  readonly repeatable?: boolean;
  readonly read: (text: string, before: Value) => Value;
}

function option<Value>(summary: string, shape: OptionShape<Value>): Option<Value> {
  return {
    summary,
    valueName: shape.valueName,
    defaultValue: shape.defaultValue,
    defaultText: shape.defaultText ??
      (shape.defaultValue === undefined || typeof shape.defaultValue === "boolean"
        ? ""
        : String(shape.defaultValue)),
    repeatable: shape.repeatable ?? false,
    aliases: shape.aliases ?? [],
    variable: shape.variable,
    bareValue: shape.bareValue,
    words: shape.words,
    group: shape.group,
    read: shape.read,
  };
}

/** Present or not: `-quiet`; `--no-quiet` takes it back, as it does where the default is true. */
export function flag(
  summary: string,
  details: OptionDetails & { readonly defaultValue?: boolean } = {},
): Option<boolean> {
  const defaultText = details.defaultValue === true ? "on" : "";
  return option(summary, { defaultText, defaultValue: false, ...details, read: () => true });
}

/** `on` or `off`, as in `-logcolor=on`. */
export function onOff<Default extends boolean | undefined>(
  summary: string,
  details: OptionDetails & { readonly defaultValue: Default },
): Option<boolean | Default> {
  const words = new Map([["on", true], ["yes", true], ["true", true], ["1", true]]);
  for (const word of ["off", "no", "false", "0"]) words.set(word, false);
  return option<boolean | Default>(summary, {
    valueName: "on|off",
    ...details,
    read(text) {
      const value = words.get(text.toLowerCase());
      if (value === undefined) throw new OptionError(`must be on or off, not ${quote(text)}`);
      return value;
    },
  });
}

/** Any text. */
export function text<Default extends string | undefined>(
  summary: string,
  details: OptionDetails & { readonly defaultValue: Default },
): Option<string | Default> {
  return option<string | Default>(summary, {
    valueName: "text",
    ...details,
    read(value) {
      if (value === "") throw new OptionError("must not be empty");
      return value;
    },
  });
}

/** Any texts, one for each time the option is given. */
export function texts(summary: string, details: OptionDetails = {}): Option<readonly string[]> {
  return option<readonly string[]>(summary, {
    valueName: "text",
    defaultText: "",
    ...details,
    defaultValue: [],
    repeatable: true,
    read: (value, before) => [...before, value],
  });
}

/** One of a few words. */
export function choice<const Word extends string>(
  words: readonly Word[],
  summary: string,
  details: OptionDetails & { readonly defaultValue: Word },
): Option<Word> {
  return option<Word>(summary, {
    valueName: words.join("|"),
    words,
    ...details,
    read(value) {
      const word = words.find((candidate) => candidate === value);
      if (word === undefined) throw new OptionError(`must be ${alternatives(words)}, not ${quote(value)}`);
      return word;
    },
  });
}

/** The numbers that an option allows. */
export interface NumberDetails extends OptionDetails {
  readonly min: number;
  readonly max: number;
}

/** A whole number within a range. */
export function integer<Default extends number | undefined>(
  summary: string,
  details: NumberDetails & { readonly defaultValue: Default },
): Option<number | Default> {
  const { min, max } = details;
  return option<number | Default>(summary, {
    valueName: "n",
    ...details,
    read(value) {
      const number = /^[+-]?\d+$/.test(value) ? Number(value) : Number.NaN;
      if (!(number >= min && number <= max)) {
        throw new OptionError(`must be a whole number from ${min} to ${max}, not ${quote(value)}`);
      }
      return number;
    },
  });
}

/** A number within a range, such as `0.5`. */
export function decimal<Default extends number | undefined>(
  summary: string,
  details: NumberDetails & { readonly defaultValue: Default },
): Option<number | Default> {
  const { min, max } = details;
  return option<number | Default>(summary, {
    valueName: "x",
    ...details,
    read(value) {
      const number = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value) ? Number(value) : Number.NaN;
      if (!(number >= min && number <= max)) {
        throw new OptionError(`must be a number from ${min} to ${max}, not ${quote(value)}`);
      }
      return number;
    },
  });
}

/** An ID of 32 bits, decimal or `0x…` (RSPLIB also writes `$…`); undefined = pick one at random. */
export function identifier(summary: string, details: OptionDetails = {}): Option<number | undefined> {
  return option<number | undefined>(summary, {
    valueName: "0x…",
    defaultText: "random",
    ...details,
    defaultValue: undefined,
    read(value) {
      const hexadecimal = /^(?:0x|\$)([0-9a-f]{1,8})$/i.exec(value)?.[1];
      const number = hexadecimal !== undefined
        ? Number.parseInt(hexadecimal, 16)
        : /^\d{1,10}$/.test(value)
        ? Number(value)
        : Number.NaN;
      if (!(number <= 0xffffffff)) {
        throw new OptionError(`must be a number of 32 bits such as 0x1234abcd, not ${quote(value)}`);
      }
      return number === 0 ? undefined : number;
    },
  });
}

/** One or several addresses with one port. */
export interface Socket {
  readonly addresses: readonly IpAddress[];
  /** 0 = none was given and there is no default. */
  readonly port: number;
}

/** One or several hosts, by name or by address, with one port. `cmd/driver/host_names.ts` finds the addresses. */
export interface HostSocket {
  readonly hosts: readonly string[];
  readonly port: number;
}

/** A place: a word such as `auto`, or `host[:port][,host…]`. */
export function socket<const Word extends string>(
  summary: string,
  details: Omit<OptionDetails, "words"> & {
    readonly words: readonly Word[];
    readonly defaultValue: Word | undefined;
    readonly defaultPort: number;
  },
): Option<Word | HostSocket | undefined> {
  const { defaultValue, words } = details;
  return option<Word | HostSocket | undefined>(summary, {
    valueName: [...words, "host[:port]"].join("|"),
    defaultText: defaultValue ?? "",
    ...details,
    read: (value) => words.find((word) => word === value) ?? readHostSocket(value, details.defaultPort),
  });
}

/** Hosts with a port, one group for each time the option is given. */
export function hostSockets(
  summary: string,
  details: OptionDetails & { readonly defaultPort: number },
): Option<readonly HostSocket[]> {
  return option<readonly HostSocket[]>(summary, {
    valueName: "host:port[,host…]",
    defaultText: "",
    ...details,
    defaultValue: [],
    repeatable: true,
    read: (value, before) => [...before, readHostSocket(value, details.defaultPort)],
  });
}

/** A host with a port, by name or by address. */
export function hostSocket(
  summary: string,
  details: OptionDetails & { readonly defaultPort: number },
): Option<HostSocket | undefined> {
  return option<HostSocket | undefined>(summary, {
    valueName: "host[:port]",
    defaultText: "",
    ...details,
    defaultValue: undefined,
    read: (value) => readHostSocket(value, details.defaultPort),
  });
}

/** A name that a host may have (RFC 1123 §2.1); the letter in its last label tells it from a mistyped IPv4 address. */
const HOST_NAME = /^[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?$/i, LAST_LABEL = /[a-z][a-z0-9_-]*\.?$/i;

/**
 * Reads `host[:port]`, `[address][:port]` or `host!port`, where a host is an address or a name; several hosts are separated
 * by commas, and the first port counts. Addresses come out in canonical text.
 *
 * @throws {OptionError} with a clause that goes behind the option's name
 */
export function readHostSocket(value: string, defaultPort: number): HostSocket {
  const hosts: string[] = [];
  let port: number | undefined;
  for (const part of value.split(",")) {
    const match = /^\[([^\]]*)\](?:[:!](\d+))?$/.exec(part) ?? /^([^!:]*)(?:[:!](\d+))?$/.exec(part) ??
      /^([^!]*)(?:!(\d+))?$/.exec(part);
    const written = match?.[1] ?? "";
    const isName = HOST_NAME.test(written) && LAST_LABEL.test(written);
    const host = parseIpAddress(written) ?? (isName ? written : undefined);
    if (match === null || host === undefined) {
      throw new OptionError(`must be an address such as 10.1.0.1:3863 or [fd01::1]:3863, not ${quote(part)}`);
    }
    hosts.push(host);
    if (match[2] === undefined) continue;
    const number = Number(match[2]);
    if (number > 65535) throw new OptionError(`has a port above 65535: ${quote(part)}`);
    port ??= number;
  }
  return { hosts, port: port ?? defaultPort };
}

/** How {@linkcode readHostSocket} would read it. */
export function formatSocket(socket: Socket): string {
  return socket.addresses.map((address) => formatTransportAddress({ address, port: socket.port })).join(",");
}

function alternatives(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

function quote(value: string): string {
  return value === "" ? "nothing" : JSON.stringify(value);
}
