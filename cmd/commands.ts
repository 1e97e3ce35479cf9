/** The list of commands. Loading is left to those who want one, so that the program starts fast. */
import type { Command } from "./command.ts";

/** Headlines of the program's help, in its order. */
export const COMMAND_GROUPS = {
  pool: "Server pools",
  view: "Looking at pools",
  network: "SCTP and the network",
  program: "This program",
} as const;

/** A command that is not loaded yet. */
export interface CommandEntry {
  readonly name: string;
  /** The same as in the command itself, as is the summary; a test compares them. */
  readonly aliases: readonly string[];
  readonly summary: string;
  /** Which of its names are programs of their own on the course sheet, in RSPLIB or in lksctp-tools: `rsp link` makes them. */
  readonly programs: readonly string[];
  readonly group: keyof typeof COMMAND_GROUPS;
  readonly load: () => Promise<Command>;
}

/** All commands, in the order of the help text. */
export const commandEntries: readonly CommandEntry[] = [
  {
    name: "registrar",
    aliases: ["rspregistrar"],
    summary: "Registrar: knows which servers are in which pool",
    programs: ["registrar", "rspregistrar"],
    group: "pool",
    load: async () => (await import("./registrar/command.ts")).command,
  },
  {
    name: "server",
    aliases: ["rspserver"],
    summary: "Offers services as elements of server pools",
    programs: ["server", "rspserver"],
    group: "pool",
    load: async () => (await import("./server/command.ts")).command,
  },
  {
    name: "pooluser",
    aliases: ["fractalpooluser"],
    summary: "Has fractal images computed by a server pool",
    programs: ["fractalpooluser"],
    group: "pool",
    load: async () => (await import("./pooluser/command.ts")).command,
  },
  {
    name: "terminal",
    aliases: ["rspterminal"],
    summary: "Sends lines to a server pool and shows what comes back",
    programs: ["rspterminal"],
    group: "pool",
    load: async () => (await import("./terminal/command.ts")).command,
  },
  {
    name: "pingpongclient",
    aliases: [],
    summary: "Counts messages and replies of a pool over failovers",
    programs: ["pingpongclient"],
    group: "pool",
    load: async () => (await import("./pingpongclient/command.ts")).command,
  },
  {
    name: "calcappclient",
    aliases: [],
    summary: "Has jobs calculated by a server pool and measures them",
    programs: ["calcappclient"],
    group: "pool",
    load: async () => (await import("./calcappclient/command.ts")).command,
  },
  {
    name: "scriptingclient",
    aliases: [],
    summary: "Has a job run by a server pool",
    programs: ["scriptingclient"],
    group: "pool",
    load: async () => (await import("./scriptingclient/command.ts")).command,
  },
  {
    name: "farm",
    aliases: [],
    summary: "Has a job done for each of many inputs by a server pool",
    programs: [],
    group: "pool",
    load: async () => (await import("./farm/command.ts")).command,
  },
  {
    name: "cspmonitor",
    aliases: [],
    summary: "Shows registrars, elements and users that report their status",
    programs: ["cspmonitor"],
    group: "view",
    load: async () => (await import("./cspmonitor/command.ts")).command,
  },
  {
    name: "hsdump",
    aliases: [],
    summary: "Shows the handlespace and the peers of a registrar",
    programs: ["hsdump"],
    group: "view",
    load: async () => (await import("./hsdump/command.ts")).command,
  },
  {
    name: "wireshark",
    aliases: [],
    summary: "Colours, filters and columns for Wireshark: a profile",
    programs: [],
    group: "view",
    load: async () => (await import("./wireshark/command.ts")).command,
  },
  {
    name: "darn",
    aliases: ["sctp-darn", "sctp_darn"],
    summary: "Sends and receives SCTP messages and shows all that happens",
    programs: ["sctp_darn"],
    group: "network",
    load: async () => (await import("./darn/command.ts")).command,
  },
  {
    name: "bench",
    aliases: [],
    summary: "Measures how fast SCTP is, and how fast registrars answer",
    programs: [],
    group: "network",
    load: async () => (await import("./bench/command.ts")).command,
  },
  {
    name: "doctor",
    aliases: ["rspdoctor"],
    summary: "Says what works on this host, what does not, and what mends it",
    programs: [],
    group: "network",
    load: async () => (await import("./doctor/command.ts")).command,
  },
  {
    name: "simulate",
    aliases: [],
    summary: "Simulates pools and their faults in virtual time",
    programs: [],
    group: "network",
    load: async () => (await import("./simulate/command.ts")).command,
  },
  {
    name: "man",
    aliases: [],
    summary: "Shows manual pages, or installs them",
    programs: [],
    group: "program",
    load: async () => (await import("./man/command.ts")).command,
  },
  {
    name: "link",
    aliases: [],
    summary: "Makes links to the program, named as the sheet and RSPLIB call it",
    programs: [],
    group: "program",
    load: async () => (await import("./link/command.ts")).command,
  },
  {
    name: "service",
    aliases: [],
    summary: "Has a registrar or servers started by systemd",
    programs: [],
    group: "program",
    load: async () => (await import("./service/command.ts")).command,
  },
  {
    name: "completion",
    aliases: [],
    summary: "Makes the shell complete commands and options",
    programs: [],
    group: "program",
    load: async () => (await import("./completion/command.ts")).command,
  },
  {
    name: "help",
    aliases: [],
    summary: "Lists the commands, or tells all about one",
    programs: [],
    group: "program",
    load: async () => (await import("./help/command.ts")).command,
  },
  {
    name: "version",
    aliases: [],
    summary: "Says which build this is, and what it runs on",
    programs: [],
    group: "program",
    load: async () => (await import("./version/command.ts")).command,
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
