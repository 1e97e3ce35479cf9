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
