/** `rsp man`: manual pages. */
import { join, resolve } from "node:path";
import { defineCommand } from "../command.ts";
import type { Command, Context } from "../command.ts";
import { commandEntries, findCommand } from "../commands.ts";
import { fileProblem } from "../driver/file_problem.ts";
import { findProgram, searchPath } from "../driver/programs.ts";
import { commandHelp, programHelp } from "../help.ts";
import { flag, OptionError, text } from "../options.ts";
import type { OptionValues } from "../options.ts";
import { shellWord } from "../shell_word.ts";
import { unknownCommand } from "../unknown_command.ts";
import { installPages, removePages } from "./install.ts";
import type { PageReport } from "./install.ts";
import { manualPages } from "./pages.ts";
import { showPage, showText } from "./show.ts";

/** Where manuals of the system are. */
const SYSTEM_FOLDERS: readonly string[] = ["/usr/local/share/man", "/usr/share/man"];
/** Stands for the usual folder where an option is given without one. */
const USUAL = "usual";

const manOptions = {
  install: text("Install all pages into this folder of manuals, instead of showing one", {
    valueName: "DIR",
    bareValue: USUAL,
    defaultValue: undefined,
    defaultText: "off; alone /usr/local/share/man for root, ~/.local/share/man for others",
  }),
  remove: text("Remove what -install has written there", {
    valueName: "DIR",
    bareValue: USUAL,
    defaultValue: undefined,
    defaultText: "off; alone as -install",
  }),
  force: flag("With -install: replace files that are not this program's, and hide other programs' pages"),
  source: flag("Write the page to standard output as it is, for groff"),
} as const;

type ManContext = Context<OptionValues<typeof manOptions>>;

/** `rsp man` */
export const command: Command = defineCommand({
  name: "man",
  summary: "Shows manual pages, or installs them",
  description: [
    "In a terminal the page is shown by man, or by a pager where there is no man; in a pipe it is plain text.",
    "With -install all pages are put where man finds them: rsp, rsp-registrar and so on, and links to them under the names " +
    "that `rsp link` makes. Names that another program has a page of are left to that program.",
  ],
  operands: "[COMMAND]",
  options: manOptions,
  examples: [
    { line: "rsp man", text: "About the program as a whole" },
    { line: "rsp man rspregistrar", text: "About one command, by any of its names" },
    { line: "rsp man -install", text: "Then man rsp-registrar works, too" },
    { line: "rsp man -source darn | groff -man -Tpdf >darn.pdf", text: "To print it" },
  ],
  run,
});

async function run(context: ManContext): Promise<number> {
  const { options, positionals } = context;
  if (positionals.length > 1) throw new OptionError("shows one page at a time");
  if (options.install !== undefined && options.remove !== undefined) {
    throw new OptionError("-install and -remove do not go together");
  }
  const place = options.install ?? options.remove;
  if (options.force && options.install === undefined) throw new OptionError("-force is for -install");
  if (place === undefined) return await show(context);
  if (positionals.length > 0 || options.source) {
    throw new OptionError("-install and -remove take all pages, and show none");
  }
  return await change(context, place === USUAL ? usualFolder(context) : resolve(place));
}

async function show(
  { options, positionals, program, stdout, stderr, variable }: ManContext,
): Promise<number> {
  const word = (positionals[0] ?? "rsp").replace(/^rsp-/, "");
  const entry = findCommand(word);
  if (entry === undefined && word !== "rsp") {
    stderr.write(unknownCommand(program, word));
    return 2;
  }
  const { columns } = stdout.size();
  const help = async () =>
    entry === undefined
      ? programHelp(commandEntries, columns)
      : commandHelp(await entry.load(), `rsp ${word}`, columns);
  if (!options.source && !stdout.isTerminal) {
    stdout.write(await help());
    return 0;
  }
  const name = entry === undefined ? "rsp" : `rsp-${entry.name}`;
  const page = (await manualPages()).pages.get(name) ?? "";
  if (options.source) stdout.write(page);
  else if (!await showPage(name, page) && !await showText(await help(), variable)) stdout.write(await help());
  return 0;
}

async function change(context: ManContext, folder: string): Promise<number> {
  const { options, program, stderr } = context;
  const pages = await manualPages();
  try {
    const report = options.remove !== undefined ? removePages(pages, folder) : installPages({
      ...pages,
      folder,
      others: SYSTEM_FOLDERS.filter((other) => other !== folder),
      force: options.force,
    });
    return tell(context, folder, report);
  } catch (error) {
    const what = options.remove === undefined ? "install pages into" : "remove pages from";
    stderr.write(`${program}: cannot ${what} ${folder}: ${fileProblem(error)}\n`);
    return 1;
  }
}

function tell(
  { options, program, stdout, stderr, variable }: ManContext,
  folder: string,
  report: PageReport,
): number {
  const { written, kept, removed, inTheWay, left } = report;
  if (inTheWay.length > 0) {
    stderr.write(
      `${program}: nothing is installed, since these are not this program's: ${
        inTheWay.join(" ")
      }; -force replaces them\n`,
    );
    return 1;
  }
  if (options.remove !== undefined) {
    stdout.write(`${folder}: ${removed.length} manual pages removed\n`);
    return 0;
  }
  const already = kept.length === 0 ? "" : `, ${kept.length} were there already`;
  stdout.write(`${folder}: ${written.length} manual pages installed${already}\n`);
  if (left.length > 0) {
    stdout.write(`Left to other programs, which have pages of these names: ${left.join(" ")}\n`);
  }
  stdout.write(`${advice(folder, variable)}\n`);
  return 0;
}

/** How to see a page that was installed. */
function advice(folder: string, variable: (name: string) => string | undefined): string {
  if (findProgram("man", searchPath()) === undefined) {
    return "There is no man on this machine; rsp man shows pages, too";
  }
  // man looks beside the folders of PATH: for ~/.local/bin in ~/.local/share/man.
  const base = /^(.*)\/(?:share\/)?man$/.exec(folder)?.[1];
  const isUsual = SYSTEM_FOLDERS.includes(folder) ||
    (base !== undefined && (variable("PATH") ?? "").split(":").includes(`${base}/bin`));
  return isUsual ? "man rsp shows the first" : `man -M ${shellWord(folder)} rsp shows the first`;
}

function usualFolder({ variable }: ManContext): string {
  if (Deno.uid() === 0) return SYSTEM_FOLDERS[0] ?? "";
  const home = variable("HOME") || undefined;
  const data = variable("XDG_DATA_HOME") || (home === undefined ? undefined : join(home, ".local/share"));
  if (data === undefined) {
    throw new OptionError("wants a folder where there is no home (HOME is not set): -install=DIR");
  }
  return join(data, "man");
}
