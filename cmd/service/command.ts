/** `rsp service`: registrars and servers that the system starts. */
import { resolve } from "node:path";
import { defineCommand } from "../command.ts";
import type { Command, Context } from "../command.ts";
import { findCommand } from "../commands.ts";
import { fileProblem } from "../driver/file_problem.ts";
import { flag, OptionError, text } from "../options.ts";
import { parseOptions } from "../parse_options.ts";
import type { OptionValues } from "../options.ts";
import { ownCommandLine, ownProgram } from "../own_program.ts";
import { installUnit, removeUnit, unitPath } from "./install.ts";
import { unitFile } from "./unit.ts";

/** Where administrators put units. */
const SYSTEM_FOLDER = "/etc/systemd/system";
/** Commands that serve until they are ended, and say when they begin. */
const SERVICES: readonly string[] = ["registrar", "server"];
/** A part of a file's name, and of a folder's. */
const UNIT_NAME = /^[a-z0-9][a-z0-9_-]{0,63}$/i;

const serviceOptions = {
  install: text("Put the unit into this folder, instead of showing it", {
    valueName: "DIR",
    bareValue: SYSTEM_FOLDER,
    defaultValue: undefined,
    defaultText: `off; alone ${SYSTEM_FOLDER}`,
  }),
  remove: text("Remove the unit from there", {
    valueName: "DIR",
    bareValue: SYSTEM_FOLDER,
    defaultValue: undefined,
    defaultText: "off; alone as -install",
  }),
  force: flag("With -install: replace a unit that somebody else has written"),
  name: text("Name of the unit, for several services of a kind", {
    valueName: "name",
    defaultValue: undefined,
    defaultText: "rsp-registrar or rsp-server",
  }),
} as const;

type ServiceContext = Context<OptionValues<typeof serviceOptions>>;

/** `rsp service` */
export const command: Command = defineCommand({
  name: "service",
  summary: "Has a registrar or servers started by systemd",
  description: [
    "Writes a unit that runs `rsp registrar` or `rsp server`, with the options behind --, as a user of its own that may do " +
    "little else. Files without a path go into /var/lib and the unit's name. systemd learns when it serves, and starts it " +
    "again when it fails.",
    "The unit holds the path of this program as it is now: put the program where it shall stay first.",
    "With -install nothing is started yet; the commands that do it are shown.",
  ],
  operands: "registrar|server [-- options]",
  options: serviceOptions,
  examples: [
    { line: "rsp service registrar", text: "Show the unit" },
    { line: "rsp service -install registrar -- -cspserver=10.1.0.9", text: "Install it" },
    { line: "rsp service -install server -- -echo -fractal", text: "A server of two services" },
    { line: "rsp service -remove registrar", text: "Take the unit away" },
  ],
  run: (context) => run(context),
});

async function run(context: ServiceContext): Promise<number> {
  const { options, positionals, stdout, variable } = context;
  const [word, ...line] = positionals;
  const served = word === undefined ? undefined : findCommand(word);
  if (served === undefined || !SERVICES.includes(served.name)) {
    throw new OptionError(`wants the name of a command that serves: ${SERVICES.join(" or ")}`);
  }
  if (options.install !== undefined && options.remove !== undefined) {
    throw new OptionError("-install and -remove do not go together");
  }
  if (options.force && options.install === undefined) throw new OptionError("-force is for -install");
  const name = options.name ?? `rsp-${served.name}`;
  if (!UNIT_NAME.test(name)) {
    throw new OptionError("option -name must be letters, digits, hyphens and underscores, 64 at most");
  }
  if (options.remove !== undefined) return remove(context, resolve(options.remove), name);

  const values = checkedOptions(await served.load(), line, variable);
  const own = ownProgram();
  const unit = unitFile({
    name,
    description: `RSerPool ${served.name} (rsp)`,
    page: `rsp-${served.name}`,
    line: [...ownCommandLine(own), served.name, ...line],
    runsJobs: values["scripting"] === true,
  });
  if (own.type === "sources") {
    context.stderr.write(
      `${context.program}: the unit runs the sources at ${own.main}, which the service's user must be able to read; ` +
        "one file made by scripts/build is the better program for it\n",
    );
  }
  if (options.install !== undefined) return install(context, resolve(options.install), name, unit);
  stdout.write(unit);
  return 0;
}

/** Reads the options of the command that is to serve, so that a mistake shows now and not in a log. */
function checkedOptions(
  { name, options, operands }: Command,
  line: readonly string[],
  variable: (name: string) => string | undefined,
): Readonly<Record<string, unknown>> {
  const { values, positionals } = parseOptions(options, line, variable);
  if (positionals.length > 0 && operands === "") {
    throw new OptionError(`rsp ${name} does not know what to do with ${JSON.stringify(positionals[0])}`);
  }
  if (typeof values["daemonpidfile"] === "string") {
    throw new OptionError("keeps its services in the background itself: leave -daemonpidfile out");
  }
  return values;
}

function install(
  { options, program, stdout, stderr }: ServiceContext,
  folder: string,
  name: string,
  unit: string,
): number {
  const path = unitPath(folder, name);
  try {
    const outcome = installUnit(path, unit, options.force);
    if (outcome === "stranger") {
      stderr.write(
        `${program}: ${path} was written by somebody else; -force replaces it, -name takes another name\n`,
      );
      return 1;
    }
    stdout.write(`${path} ${outcome === "kept" ? "was there already" : "written"}\n`);
    stdout.write(
      `systemctl daemon-reload && systemctl enable --now ${name} starts it now and at each boot\n`,
    );
    stdout.write(`systemctl status ${name} and journalctl -u ${name} show how it does\n`);
    return 0;
  } catch (error) {
    stderr.write(`${program}: cannot write ${path}: ${fileProblem(error)}\n`);
    return 1;
  }
}

function remove({ program, stdout, stderr }: ServiceContext, folder: string, name: string): number {
  const path = unitPath(folder, name);
  try {
    const outcome = removeUnit(path);
    if (outcome === "stranger") {
      stderr.write(`${program}: ${path} was written by somebody else, and stays\n`);
      return 1;
    }
    stdout.write(outcome === "absent" ? `There is no ${path}\n` : `${path} removed\n`);
    if (outcome === "removed") {
      stdout.write(`systemctl disable --now ${name}; systemctl daemon-reload ends it\n`);
    }
    return 0;
  } catch (error) {
    stderr.write(`${program}: cannot remove ${path}: ${fileProblem(error)}\n`);
    return 1;
  }
}
