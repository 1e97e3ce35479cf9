/** `rsp link`: the program under the names of the course sheet and of RSPLIB. */
import { join, resolve } from "node:path";
import { defineCommand } from "../command.ts";
import type { Command, Context } from "../command.ts";
import { fileProblem } from "../driver/file_problem.ts";
import { findProgram } from "../driver/programs.ts";
import { flag, OptionError } from "../options.ts";
import type { OptionValues } from "../options.ts";
import { ownPath, ownProgram } from "../own_program.ts";
import { shellWord } from "../shell_word.ts";
import { makeLinks, removeLinks } from "./links.ts";
import type { LinkReport } from "./links.ts";
import { wantedNames } from "./names.ts";
import { shellScripts } from "./scripts.ts";

const linkOptions = {
  scripts: flag("Write the scripts povray-distribute and run-povray-for-files there, too"),
  force: flag("Replace what other programs have under these names; folders stay"),
  remove: flag("Remove the links to this program again"),
  json: flag("One JSON object instead of text for people"),
} as const;

type LinkContext = Context<OptionValues<typeof linkOptions>>;

/** `rsp link` */
export const command: Command = defineCommand({
  name: "link",
  summary: "Makes links to the program, named as the sheet and RSPLIB call it",
  description: [
    "A link that is named like a command is that command: registrar, server, fractalpooluser, cspmonitor, scriptingclient " +
    "and sctp_darn as on the course sheet, rspregistrar, rspserver, rspterminal, hsdump, pingpongclient and calcappclient " +
    "as in RSPLIB, and rsp itself. With names behind the folder only these are made, of any command.",
    "Nothing is made when another program has one of the names there; -force replaces it. Where the program runs from its " +
    "sources, rsp is a small script and the others are links to it.",
  ],
  operands: "DIR [COMMAND…]",
  options: linkOptions,
  examples: [
    { line: "rsp link ~/bin", text: "All names, for oneself" },
    { line: "rsp link /usr/local/bin registrar server", text: "Two of them, for everybody" },
    { line: "rsp link ~/bin -scripts", text: "And the scripts that render with POV-Ray" },
    { line: "rsp link ~/bin -remove", text: "None any more" },
  ],
  run: (context) => Promise.resolve(run(context)),
});

function run(context: LinkContext): number {
  const { options, positionals, program, stderr } = context;
  const [given, ...names] = positionals;
  if (given === undefined) throw new OptionError("wants a folder for the links, such as ~/bin");
  if (options.remove && options.force) throw new OptionError("-force is for making links, not for -remove");
  const folder = resolve(given);
  const takesScripts = options.scripts || (options.remove && names.length === 0);
  const scripts = takesScripts ? shellScripts : new Map<string, string>();
  const plan = { folder, program: ownProgram(), names: wantedNames(names), scripts };
  try {
    const report = options.remove ? removeLinks(plan) : makeLinks(plan, options.force);
    return tell(context, folder, report);
  } catch (error) {
    const what = options.remove ? "remove links from" : "make links in";
    stderr.write(`${program}: cannot ${what} ${folder}: ${fileProblem(error)}\n`);
    return 1;
  }
}

function tell(context: LinkContext, folder: string, report: LinkReport): number {
  const { options, stdout, stderr, program } = context;
  const { made, kept, removed, strangers } = report;
  const own = ownPath(ownProgram());
  const refused = !options.remove && strangers.length > 0;
  if (options.json) {
    stdout.write(`${JSON.stringify({ folder, program: own, ...report })}\n`);
  } else if (refused) {
    const list = strangers.map(({ name, what }) => `${name} is ${what}`).join(", ");
    stderr.write(
      `${program}: nothing is made in ${folder}, where ${list}: -force replaces files and links, ` +
        `and names behind the folder choose others\n`,
    );
  } else if (options.remove) {
    const what = removed.length === 0
      ? `there is no link to ${own}`
      : `${removed.join(" ")} removed, made for ${own}`;
    stdout.write(`${folder}: ${what}\n`);
  } else {
    if (made.length > 0) stdout.write(`${folder}: made ${made.join(" ")}, for ${own}\n`);
    if (kept.length > 0) stdout.write(`${folder}: ${kept.join(" ")} stood there already\n`);
    adviseOnPath(context, folder, [...made, ...kept]);
  }
  return refused ? 1 : 0;
}

/** Says when the shell would not find the links, or would find others of their names before them. */
function adviseOnPath({ stdout, variable }: LinkContext, folder: string, names: readonly string[]): void {
  const path = variable("PATH") ?? "";
  if (!path.split(":").some((one) => one !== "" && resolve(one) === folder)) {
    stdout.write(`The shell finds them after: export PATH=${shellWord(folder)}:"$PATH"\n`);
    return;
  }
  const others = names.map((name) => findProgram(name, path)).filter((found, index) =>
    found !== undefined && resolve(found) !== join(folder, names[index] ?? "")
  );
  if (others.length > 0) stdout.write(`In PATH others come before them: ${others.join(" ")}\n`);
}
