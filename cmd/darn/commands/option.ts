/** Socket options: those with a command of their own in the original, and all others by `get` and `set`. */
import {
  findSocketOption,
  parseIpAddress,
  SOCKET_OPTION_WORDS,
  SOCKET_OPTIONS,
  socketOption,
} from "../../../protocol/net.ts";
import type {
  Endpoint,
  SocketOptionField,
  SocketOptionName,
  SocketOptionTarget,
  SocketOptionValue,
} from "../../../protocol/net.ts";
import { nearest } from "../../nearest.ts";
import { CommandError } from "../command_error.ts";
import { expectNothingElse, readNumber } from "../command_line.ts";
import type { CommandLine } from "../command_line.ts";
import type { InteractiveCommand } from "../interactive_command.ts";
import { tableLines } from "../render/association.ts";
import { shown } from "../render/shown.ts";
import type { JsonValue } from "../render/shown.ts";
import type { Session } from "../session.ts";
import { namedAssociation } from "./association.ts";

/** Settings that name a target, not a field. */
const TARGET_SETTINGS: readonly string[] = ["assoc", "path", "stream"];

/** Names of the options, for completion. */
function optionNames(): readonly string[] {
  return Object.keys(SOCKET_OPTIONS);
}

function findOption(text: string): SocketOptionName {
  const name = findSocketOption(text);
  if (name !== undefined) return name;
  const near = nearest(text.toLowerCase(), optionNames());
  const hint = near === undefined ? "`options` lists them" : `did you mean ${near}?`;
  throw new CommandError(`there is no socket option ${JSON.stringify(text)}; ${hint}`);
}

/** Whom an option is read from or set for. */
interface Target {
  readonly endpoint: Endpoint;
  readonly target: SocketOptionTarget;
  /** `#1`, `#1 10.1.0.2` or `endpoint`. */
  readonly text: string;
}

/** The current association where the option knows associations, unless the line says otherwise. */
function targetOf(session: Session, line: CommandLine, name: SocketOptionName): Target {
  const number = namedAssociation(line), path = line.settings.get("path");
  const isWhole = line.words.includes("endpoint") || socketOption(name).scope === "endpoint";
  const association = number === undefined && isWhole
    ? undefined
    : number === undefined
    ? session.associations.current
    : session.association(number);
  const streamText = line.settings.get("stream");
  const stream = streamText === undefined ? undefined : readNumber(streamText, "stream=", 0, 65535);
  const more = stream === undefined ? {} : { stream };
  const behind = stream === undefined ? "" : ` stream ${stream}`;
  if (association === undefined) {
    return { endpoint: session.endpoint, target: more, text: `endpoint${behind}` };
  }
  const { endpoint, id } = association;
  const text = `#${association.number}${behind}`;
  if (path === undefined) return { endpoint, target: { ...more, association: id }, text };
  const address = parseIpAddress(path);
  if (address === undefined) throw new CommandError(`path= must be an address, not ${JSON.stringify(path)}`);
  return { endpoint, target: { ...more, association: id, address }, text: `${text} ${address}` };
}

const UNITS: Partial<Record<SocketOptionField, string>> = {
  milliseconds: " ms",
  seconds: " s",
  octets: " octets",
};

/** `initial=3000 ms max=60000 ms min=1000 ms`; a value alone goes without its name. */
export function showOptionValue(name: SocketOptionName, value: SocketOptionValue): string {
  const { fields } = socketOption(name);
  const parts = Object.entries(value).filter(([, one]) => one !== undefined).map(([field, one]) => {
    const text = Array.isArray(one)
      ? one.join(",") || "none"
      : typeof one === "boolean"
      ? (one ? "on" : "off")
      : String(one);
    const unit = typeof one === "number" ? UNITS[fields[field] ?? "number"] ?? "" : "";
    return field === "value" && Object.keys(fields).length === 1
      ? `${text}${unit}`
      : `${field}=${text}${unit}`;
  });
  return parts.join(" ");
}

/** Reads a field's value as people write it. @throws {CommandError} */
export function readOptionField(
  kind: SocketOptionField,
  text: string,
  what: string,
): number | boolean | string | number[] {
  switch (kind) {
    case "boolean": {
      const word = text.toLowerCase();
      if (["1", "on", "yes", "true"].includes(word)) return true;
      if (["0", "off", "no", "false"].includes(word)) return false;
      throw new CommandError(`${what} must be 0 or 1, not ${JSON.stringify(text)}`);
    }
    case "number":
      return readNumber(text, what, 0, Number.MAX_SAFE_INTEGER);
    case "milliseconds":
      return readNumber(text.replace(/ms$/, ""), what, 0, 0xffff_ffff);
    case "seconds":
      return readNumber(text.replace(/s$/, ""), what, 0, 0xffff_ffff);
    case "octets":
      return readNumber(text, what, 0, 0xffff_ffff);
    case "address": {
      const address = parseIpAddress(text);
      if (address === undefined) {
        throw new CommandError(`${what} must be an address, not ${JSON.stringify(text)}`);
      }
      return address;
    }
    case "list":
      return text === "" ? [] : text.split(",").map((part) => readNumber(part, what, 0, 0xffff_ffff));
    case "text":
      return text;
    default:
      return readWord(SOCKET_OPTION_WORDS[kind], text, what);
  }
}

function readWord(words: readonly string[], text: string, what: string): string {
  const word = text.toLowerCase();
  if (words.includes(word)) return word;
  throw new CommandError(`${what} must be one of ${words.join(", ")}, not ${JSON.stringify(text)}`);
}

function readValue(name: SocketOptionName, line: CommandLine, words: readonly string[]): SocketOptionValue {
  const { fields, readOnly = [] } = socketOption(name);
  const names = Object.keys(fields).filter((field) => !readOnly.includes(field));
  const value: Record<string, number | boolean | string | number[]> = {};
  for (const [field, text] of line.settings) {
    if (TARGET_SETTINGS.includes(field)) continue;
    const kind = fields[field];
    if (kind === undefined || !names.includes(field)) {
      throw new CommandError(`${name} has no field ${field}; it has ${names.join(", ")}`);
    }
    value[field] = readOptionField(kind, text, `${name}.${field}`);
  }
  const [word] = words, [only] = names;
  if (word !== undefined && only !== undefined) {
    if (names.length > 1) throw new CommandError(`${name} has several fields: ${names.join("=, ")}=`);
    value[only] = readOptionField(fields[only]!, word, name);
  }
  if (Object.keys(value).length === 0) {
    throw new CommandError(
      `set ${name} wants a value: ${names.map((one) => one === "value" ? "<value>" : `${one}=`).join(" ")}`,
    );
  }
  return value;
}

const get: InteractiveCommand = {
  name: "get",
  aliases: ["getsockopt"],
  usage: " [<option>] [endpoint | assoc=<n>] [path=<address>]",
  summary: "Show a socket option, or all of them",
  group: "Options",
  words: optionNames,
  run({ session }, line) {
    expectNothingElse(line, 2, TARGET_SETTINGS);
    const text = line.words.find((word) => word !== "endpoint");
    if (text !== undefined) {
      showOption(session, line, findOption(text));
      return;
    }
    for (const name of optionNames() as SocketOptionName[]) {
      if (socketOption(name).access === "write") continue;
      try {
        showOption(session, line, name);
      } catch { // not every option can be read here; one that is asked for by name says why
        continue;
      }
    }
  },
};

function showOption(session: Session, line: CommandLine, name: SocketOptionName): void {
  const { endpoint, target, text } = targetOf(session, line, name);
  const value = endpoint.getOption(name, target);
  session.display.say(`${name} (${text}): ${showOptionValue(name, value)}`, {
    event: "option",
    option: name,
    target: text,
    value: value as JsonValue,
  });
}

const set: InteractiveCommand = {
  name: "set",
  aliases: ["setsockopt"],
  usage: " <option> <value> | <field>=<value>... [endpoint | assoc=<n>] [path=<address>]",
  summary: "Set a socket option; fields that are not given keep their values",
  group: "Options",
  details: [
    "Without a target it is set for the current association, or for the endpoint (that is, for associations to come) " +
    "where there is none or the option belongs to the endpoint.",
  ],
  words: () => [
    ...optionNames(),
    ...Object.values(SOCKET_OPTIONS).flatMap(({ fields }) => Object.keys(fields)).map((one) => `${one}=`),
  ],
  run({ session }, line) {
    const words = line.words.filter((word) => word !== "endpoint");
    const [text, ...rest] = words;
    if (text === undefined) throw new CommandError("set wants an option; `options` lists them");
    if (rest.length > 1) {
      throw new CommandError(`set does not know what to do with ${JSON.stringify(rest[1])}`);
    }
    const name = findOption(text);
    const { endpoint, target } = targetOf(session, line, name);
    endpoint.setOption(name, readValue(name, line, rest), target);
  },
};

const options: InteractiveCommand = {
  name: "options",
  usage: " [<part of the name>]",
  summary: "List the socket options with their fields",
  group: "Options",
  words: optionNames,
  run({ session }, line) {
    expectNothingElse(line, 1);
    const part = line.words[0]?.toLowerCase() ?? "";
    const names = (optionNames() as SocketOptionName[]).filter((name) => name.includes(part));
    const rows = names.map((name) => {
      const { fields, access, scope, summary } = socketOption(name);
      return [
        name,
        { read: "get", write: "set", "read-write": "get set" }[access],
        scope,
        Object.keys(fields).join(" "),
        summary,
      ];
    });
    session.display.show(shown(tableLines([["Option", "Access", "Scope", "Fields", "Meaning"], ...rows]), {
      event: "options",
      options: names.map((name) => ({ name, ...socketOption(name) }) as unknown as JsonValue),
    }));
  },
};

/** A command of the original for one option: `sndbuf`, `sndbuf?` and `sndbuf=65536`. */
function ownCommand(name: string, option: string, usage: string, summary: string): InteractiveCommand {
  return {
    name,
    usage: `[=${usage}]`,
    summary,
    group: "Options",
    run({ session }, line) {
      expectNothingElse(line, 1, ["assoc"]);
      const found = findOption(option);
      const { fields } = socketOption(found);
      const field = "value" in fields ? "value" : Object.keys(fields)[0]!;
      const { endpoint, target } = targetOf(session, line, found);
      const [word] = line.words;
      if (word !== undefined && !line.query) {
        endpoint.setOption(found, { [field]: readOptionField(fields[field]!, word, name) }, target);
        return;
      }
      const value = endpoint.getOption(found, target)[field];
      session.display.say(`${name} is ${typeof value === "boolean" ? Number(value) : value}.`, {
        event: name,
        value,
      });
    },
  };
}

const heartbeatInterval: InteractiveCommand = {
  name: "hbinterval",
  usage: "[=<ms>] [path=<address>]",
  summary: "Show or set how often idle paths are probed; 0 = never",
  group: "Options",
  run({ session }, line) {
    expectNothingElse(line, 1, TARGET_SETTINGS);
    const { endpoint, target, text } = targetOf(session, line, "peer_addr_params");
    const [word] = line.words;
    if (word === undefined || line.query) {
      const { hbinterval, heartbeat } = endpoint.getOption("peer_addr_params", target);
      const value = heartbeat === false ? 0 : hbinterval;
      session.display.say(`hbinterval is ${value}.`, { event: "hbinterval", target: text, value });
      return;
    }
    const interval = readNumber(word.replace(/ms$/, ""), "hbinterval", 0, 0xffff_ffff);
    const value = interval === 0 ? { heartbeat: false } : { hbinterval: interval, heartbeat: true };
    endpoint.setOption("peer_addr_params", value, target);
    // Associations to come are to have it too, unless one path was named.
    if (target.association !== undefined && target.address === undefined) {
      session.endpoint.setOption("peer_addr_params", value);
    }
  },
};

/** Commands about socket options. */
export const optionCommands: readonly InteractiveCommand[] = [
  ownCommand("sndbuf", "sndbuf", "<octets>", "Show or set the size of the send buffer"),
  ownCommand("rcvbuf", "rcvbuf", "<octets>", "Show or set the size of the receive buffer"),
  ownCommand(
    "maxseg",
    "maxseg",
    "<octets>",
    "Show or set the most octets of a DATA chunk; 0 = as the path allows",
  ),
  ownCommand(
    "nodelay",
    "nodelay",
    "<0|1>",
    "Show or set whether small messages go at once (no Nagle algorithm)",
  ),
  heartbeatInterval,
  get,
  set,
  options,
];
