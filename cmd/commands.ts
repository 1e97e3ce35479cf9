/** The list of commands. Loading is left to those who want one, so that the program starts fast. */
import type { Command } from "./command.ts";

/** A command that is not loaded yet. */
export interface CommandEntry {
  readonly name: string;
  /** The same as in the command itself; a test compares them. */
  readonly aliases: readonly string[];
  readonly load: () => Promise<Command>;
}

/** All commands, in the order of the help text. */
export const commandEntries: readonly CommandEntry[] = [
  {
    name: "registrar",
    aliases: ["rspregistrar"],
    load: async () => (await import("./registrar/command.ts")).command,
  },
  {
    name: "server",
    aliases: ["rspserver"],
    load: async () => (await import("./server/command.ts")).command,
  },
  {
    name: "pooluser",
    aliases: ["fractalpooluser"],
    load: async () => (await import("./pooluser/command.ts")).command,
  },
  {
    name: "terminal",
    aliases: ["rspterminal"],
    load: async () => (await import("./terminal/command.ts")).command,
  },
  {
    name: "pingpongclient",
    aliases: [],
    load: async () => (await import("./pingpongclient/command.ts")).command,
  },
  {
    name: "calcappclient",
    aliases: [],
    load: async () => (await import("./calcappclient/command.ts")).command,
  },
  {
    name: "scriptingclient",
    aliases: [],
    load: async () => (await import("./scriptingclient/command.ts")).command,
  },
  {
    name: "farm",
    aliases: [],
    load: async () => (await import("./farm/command.ts")).command,
  },
  {
    name: "cspmonitor",
    aliases: [],
    load: async () => (await import("./cspmonitor/command.ts")).command,
  },
  {
    name: "hsdump",
    aliases: [],
    load: async () => (await import("./hsdump/command.ts")).command,
  },
  {
    name: "darn",
    aliases: ["sctp-darn", "sctp_darn"],
    load: async () => (await import("./darn/command.ts")).command,
  },
  {
    name: "doctor",
    aliases: ["rspdoctor"],
    load: async () => (await import("./doctor/command.ts")).command,
  },
  {
    name: "wireshark",
    aliases: [],
    load: async () => (await import("./wireshark/command.ts")).command,
  },
  {
    name: "bench",
    aliases: [],
    load: async () => (await import("./bench/command.ts")).command,
  },
  {
    name: "simulate",
    aliases: [],
    load: async () => (await import("./simulate/command.ts")).command,
  },
  {
    name: "completion",
    aliases: [],
    load: async () => (await import("./completion/command.ts")).command,
  },
];

/** Finds a command by its name or by an alias. */
export function findCommand(name: string): CommandEntry | undefined {
  return commandEntries.find((entry) => entry.name === name || entry.aliases.includes(name));
}

/** What `rsp pooluser` is when it is asked for one of these services: a command of its own. */
const POOL_USERS: Readonly<Record<string, string>> = {
  pingpong: "pingpongclient",
  calcapp: "calcappclient",
  scripting: "scriptingclient",
  terminal: "terminal",
};

/**
 * The command line that says the same by the name of the command that does it; undefined = it is said already.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(findVariant("pooluser", ["-pingpong", "-interval=100"]), ["pingpongclient", "-interval=100"]);
 * assert.equal(findVariant("pooluser", ["-fractal"]), undefined);
 * ```
 */
export function findVariant(name: string, line: readonly string[]): string[] | undefined {
  if (name !== "pooluser") return undefined;
  for (const [index, word] of line.entries()) {
    if (word === "--") return undefined;
    const command = POOL_USERS[word.replace(/^--?/, "")];
    if (command !== undefined && word.startsWith("-")) return [command, ...line.toSpliced(index, 1)];
  }
  return undefined;
}
