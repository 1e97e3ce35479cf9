/**
 * Writes the option tables of the README from the option tables of the commands.
 *
 *     deno run --allow-all scripts/readme.ts            # writes them
 *     deno run --allow-all scripts/readme.ts --check    # says whether they are up to date
 */
// deno-lint-ignore-file no-console
import { commandEntries } from "../cmd/commands.ts";
import { USUAL_EXIT_CODES } from "../cmd/command.ts";
import type { Command } from "../cmd/command.ts";
import { optionGroups } from "../cmd/help.ts";

const README = new URL("../README.md", import.meta.url);
const BEGIN = "<!-- options: written by scripts/readme.ts -->", END = "<!-- end of options -->";

function commandSection(command: Command): string {
  const names = [`rsp ${command.name}`, ...command.aliases].map((name) => `\`${name}\``).join(", ");
  const lines = [
    `### ${names}`,
    "",
    `${command.summary}.`,
    "",
    "| Option | Meaning | Default |",
    "| --- | --- | --- |",
  ];
  for (const rows of optionGroups(command.options).values()) {
    for (const { spelling, summary, defaultText } of rows) {
      lines.push(`| \`${spelling.replaceAll("|", "\\|")}\` | ${cell(summary)} | ${cell(defaultText)} |`);
    }
  }
  const codes = Object.entries(command.exitCodes).filter(([code, meaning]) =>
    USUAL_EXIT_CODES[code] !== meaning
  );
  if (codes.length > 0) {
    lines.push("", `Exit codes: ${codes.map(([code, meaning]) => `${code} = ${meaning}`).join("; ")}.`);
  }
  return lines.join("\n");
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

const commands = await Promise.all(commandEntries.map((entry) => entry.load()));
const before = await Deno.readTextFile(README);
const begin = before.indexOf(BEGIN), end = before.indexOf(END);
if (begin < 0 || end < begin) {
  console.error(`readme: README.md lacks the lines "${BEGIN}" and "${END}"`);
  Deno.exit(1);
}
const tables = commands.map(commandSection).join("\n\n");
const after = `${before.slice(0, begin)}${BEGIN}\n\n${tables}\n\n${before.slice(end)}`;
const formatted = await format(after);
if (Deno.args.includes("--check")) {
  if (formatted !== before) {
    console.error("readme: the option tables are out of date; `deno run -A scripts/readme.ts` writes them");
    Deno.exit(1);
  }
} else if (formatted !== before) {
  await Deno.writeTextFile(README, formatted);
}

/** As `deno fmt` would have it, so that the two never disagree. */
async function format(markdown: string): Promise<string> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--quiet", "--ext=md", "-"],
    cwd: new URL("..", import.meta.url),
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  const writing = writer.write(new TextEncoder().encode(markdown)).then(() => writer.close());
  const [{ stdout, success }] = await Promise.all([child.output(), writing]);
  if (!success) throw new Error("deno fmt cannot format the README");
  return new TextDecoder().decode(stdout);
}
