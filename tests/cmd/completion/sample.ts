/** A command to complete, and the real shells. */
import { defineCommand } from "../../../cmd/command.ts";
import type { Command } from "../../../cmd/command.ts";
import type { CommandEntry } from "../../../cmd/commands.ts";
import { completionModel } from "../../../cmd/completion/model.ts";
import type { CompletionModel } from "../../../cmd/completion/model.ts";
import { choice, flag, hostSocket, integer, text } from "../../../cmd/options.ts";

/** Shells take a second to start at worst; a busy machine takes longer. */
const DEADLINE_MS = 60_000;

function entry(command: Command, programs: readonly string[]): CommandEntry {
  const { name, aliases, summary } = command;
  return { name, aliases, summary, programs, group: "pool", load: () => Promise.resolve(command) };
}

const run = () => Promise.resolve(0);

const sample = defineCommand({
  name: "sample",
  aliases: ["rspsample"],
  summary: "Shows \"quotes\", `ticks`, $HOME, 'more': and \\slashes",
  operands: "[FILE]",
  options: {
    quiet: flag("Says nothing: $(false)"),
    colour: choice(["red", "green", "blue"], "A colour", { defaultValue: "red", aliases: ["c"] }),
    weight: text("How much", {
      valueName: "policy",
      words: ["Even", "Odd:", "Oddest:"],
      defaultValue: undefined,
    }),
    logfile: text("A file", { valueName: "FILE", defaultValue: undefined }),
    "log-folder": text("A folder", { valueName: "DIR", defaultValue: undefined }),
    remote: hostSocket("A host", { defaultPort: 1 }),
    level: integer("A number", { min: 0, max: 9, defaultValue: 3 }),
    watch: choice(["slow", "fast"], "Again and again", { defaultValue: "slow", bareValue: "fast" }),
  },
  run,
});

/** Its -colour is another one, and its -quiet takes a value. */
const other = defineCommand({
  name: "other",
  summary: "Is the other one",
  operands: "bash|fish",
  options: {
    colour: choice(["cyan", "magenta"], "Another colour", { defaultValue: "cyan" }),
    quiet: integer("How quiet", { min: 0, max: 9, defaultValue: 3 }),
  },
  run,
});

const help = defineCommand({ name: "help", summary: "Helps", operands: "[COMMAND]", options: {}, run });

/** Two commands and help for them. */
export const sampleModel: CompletionModel = await completionModel([
  entry(sample, ["sample"]),
  entry(other, []),
  entry(help, []),
]);

/** Runs a program with an input. @returns what it wrote to standard output */
export async function output(program: string, line: readonly string[], input = ""): Promise<string> {
  const process = new Deno.Command(program, {
    args: [...line],
    env: { LC_ALL: "C.UTF-8", TERM: "xterm" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(DEADLINE_MS),
  }).spawn();
  const writer = process.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { stdout, stderr } = await process.output();
  const text = new TextDecoder();
  const complaint = text.decode(stderr);
  if (complaint !== "") throw new Error(`${program}: ${complaint}`);
  return text.decode(stdout);
}

/** Whether a program is installed. */
export async function isThere(program: string): Promise<boolean> {
  return await output(program, ["--version"]).then(() => true, () => false);
}

/** What a shell prints when it reads keys. */
const READY = "rsp-is-ready> ";

/**
 * Types into a shell on a terminal of its own, and sees how it completes.
 *
 * @param shell its command line; it shows {@linkcode prompt}, and Ctrl+O writes the line it has into a file and clears it
 * @param lines what is typed, each before Tab
 * @returns what each line has become
 */
export async function typeLines(
  shell: (files: { readonly settings: string; readonly result: string }) => Promise<string>,
  lines: readonly string[],
): Promise<string[]> {
  const folder = await Deno.makeTempDir({ prefix: "rsp-shell-" });
  try {
    const result = `${folder}/lines`;
    const line = await shell({ settings: folder, result });
    const terminal = new Deno.Command("script", {
      args: ["--quiet", "--return", "--command", line, "/dev/null"],
      env: { LC_ALL: "C.UTF-8", TERM: "xterm", HOME: folder },
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
      signal: AbortSignal.timeout(DEADLINE_MS),
    }).spawn();
    const keys = terminal.stdin.getWriter();
    const encoder = new TextEncoder();
    let screen = "", typed = false;
    for await (const part of terminal.stdout.pipeThrough(new TextDecoderStream())) {
      screen += part;
      if (typed || !screen.includes(READY)) continue;
      typed = true;
      await keys.write(encoder.encode(lines.map((one) => `${one}\t\x0f`).join("") + "\x04"));
    }
    await terminal.status;
    await keys.close().catch(() => {}); // nobody is left to read
    const text = await Deno.readTextFile(result).catch(() => {
      throw new Error(`the shell completed nothing; its screen was ${JSON.stringify(screen)}`);
    });
    return text.split("\n").slice(0, -1);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The prompt of a shell that {@linkcode typeLines} runs; written so that the setting itself does not look like it. */
export const prompt = "rsp-is-''ready> ";

/** What people type, and what it becomes: in every shell the same. */
export const TYPED: readonly (readonly [typed: string, completed: string])[] = [
  ["rsp sa", "rsp sample "],
  ["rsp help oth", "rsp help other "],
  ["rsp sample -q", "rsp sample -quiet "],
  ["rsp sample -log-f", "rsp sample -log-folder="],
  ["rsp sample --lev", "rsp sample --level="],
  ["rsp sample -colour=g", "rsp sample -colour=green "],
  ["rsp sample --colour b", "rsp sample --colour blue "],
  ["rsp sample -c r", "rsp sample -c red "],
  ["rsp other -colour=m", "rsp other -colour=magenta "],
  ["rsp rspsample -colour=r", "rsp rspsample -colour=red "],
  ["rspsample -qu", "rspsample -quiet "],
  ["sample -col", "sample -colour="],
  ["rsp sample -weight=E", "rsp sample -weight=Even "],
  ["rsp sample -weight=O", "rsp sample -weight=Odd"],
  ["rsp sample -weight=Odde", "rsp sample -weight=Oddest:"],
  ["rsp sample -weight=Odd:", "rsp sample -weight=Odd:"],
  ["rsp sample -logfile=/etc/hostn", "rsp sample -logfile=/etc/hostname "],
  ["rsp sample --logfile /etc/hostn", "rsp sample --logfile /etc/hostname "],
  ["rsp sample -log-folder=/et", "rsp sample -log-folder=/etc/"],
  ["rsp sample -quiet /etc/hostn", "rsp sample -quiet /etc/hostname "],
  ["rsp sample -watch=s", "rsp sample -watch=slow "],
  ["rsp sample -watch /etc/hostn", "rsp sample -watch /etc/hostname "],
  ["rsp other fi", "rsp other fish "],
  ["rsp other -quiet fi", "rsp other -quiet fi"],
  ["rsp sample -nonsense=x", "rsp sample -nonsense=x"],
];
