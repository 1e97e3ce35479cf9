/** `rsp wireshark`: the project's profile for Wireshark. */
import { join } from "node:path";
import { defineCommand } from "../command.ts";
import type { Command, Context } from "../command.ts";
import { wantsColour } from "../driver/colour.ts";
import { fileProblem } from "../driver/file_problem.ts";
import { flag, OptionError, text } from "../options.ts";
import type { OptionValues } from "../options.ts";
import { shellWord } from "../shell_word.ts";
import { installProfile, settingsFolder } from "./install.ts";
import { ownProfile } from "./profile.ts";
import { filesOfProfile } from "./profile_files.ts";
import { renderProfile } from "./render.ts";

const wiresharkOptions = {
  install: flag("Install the profile for this person, instead of showing it"),
  force: flag("Write over files of the profile that were changed"),
  profile: text("Name of the profile in Wireshark", { defaultValue: "rsp", valueName: "name" }),
  configdir: text("Wireshark's folder for personal settings", {
    defaultValue: undefined,
    valueName: "DIR",
    defaultText: "as Wireshark",
    variable: "WIRESHARK_CONFIG_DIR",
  }),
  udp: flag("Take UDP ports 30000-32767 for SCTP, too: the embedded stack's own choice"),
  json: flag("Show the profile as one JSON object"),
} as const;

type WiresharkOptionValues = OptionValues<typeof wiresharkOptions>;

/** `rsp wireshark` */
export const command: Command = defineCommand({
  name: "wireshark",
  summary: "Colours, filters and columns for Wireshark: a profile",
  description: [
    "Wireshark dissects ASAP, ENRP, the services' protocols, status reports and SCTP by itself. The profile adds colouring " +
    "rules for every message of them, display filters with names, buttons, and columns that tell associations, streams, " +
    "pool elements and registrars apart; and it takes the UDP ports of registrars that run without kernel SCTP for SCTP.",
    "Without -install its rules and filters are listed, or its files are written to standard output: colorfilters, dfilters, " +
    "dfilter_buttons, preferences, decode_as_entries.",
    "Pool elements and users without kernel SCTP and without privileges draw UDP ports 30000 to 32767. With -udp these are " +
    "dissected, too; but then a system that gives such ports to others is misread.",
  ],
  exitCodes: {
    1: "The profile cannot be installed",
  },
  operands: "[FILE…]",
  options: wiresharkOptions,
  examples: [
    { line: "rsp wireshark", text: "All rules and filters, in their colours" },
    { line: "rsp wireshark -install", text: "Install them; then wireshark -C rsp" },
    { line: "tshark -C rsp --color -i any", text: "The same in the terminal" },
    { line: "rsp wireshark colorfilters >my.rules", text: "One file of it" },
  ],
  run: (context) => Promise.resolve(run(context)),
});

function run(context: Context<WiresharkOptionValues>): number {
  const { options, positionals, stdout, variable } = context;
  if (options.install) return install(context);
  if (options.force) throw new OptionError("-force is for -install");
  if (positionals.length > 0) return print(context);
  const profile = ownProfile();
  if (options.json) {
    stdout.write(`${JSON.stringify(profile, undefined, 2)}\n`);
    return 0;
  }
  stdout.write(renderProfile(profile, wantsColour(stdout, variable)).map((line) => `${line}\n`).join(""));
  return 0;
}

/** Writes files of the profile to standard output. */
function print({ options, positionals, stdout }: Context<WiresharkOptionValues>): number {
  const files = filesOfProfile(options.udp);
  const texts = positionals.map((name) => {
    const text = files.get(name);
    if (text === undefined) {
      throw new OptionError(`has no file ${JSON.stringify(name)}; there are ${[...files.keys()].join(", ")}`);
    }
    return text;
  });
  stdout.write(texts.join(""));
  return 0;
}

function install(context: Context<WiresharkOptionValues>): number {
  const { options, positionals, program, stdout, stderr, variable } = context;
  const { profile, force } = options;
  if (positionals.length > 0) throw new OptionError("-install takes no files: it installs all of them");
  if (options.json) throw new OptionError("-json shows the profile; it does not go with -install");
  if (/[/\\\0]/.test(profile) || profile.startsWith(".")) {
    throw new OptionError(
      "option -profile: must be the name of a folder, without slashes and dots before it",
    );
  }
  const folder = join(settingsFolder(options.configdir, variable), "profiles", profile);
  try {
    const files = filesOfProfile(options.udp);
    const replaceable = filesOfProfile(!options.udp);
    const { written, inTheWay } = installProfile({ folder, files, replaceable, overwrite: force });
    if (inTheWay.length > 0) {
      stderr.write(
        `${program}: ${folder} has a changed ${inTheWay.join(", ")}: nothing is installed. ` +
          "-force writes over it, -profile=name installs beside it\n",
      );
      return 1;
    }
    const what = written.length === 0 ? "was installed already" : "is installed";
    stdout.write(`The profile ${what} in ${folder}\n`);
    stdout.write(
      `wireshark -C ${shellWord(profile)} starts with it, tshark -C ${shellWord(profile)} --color too; `,
    );
    stdout.write("in Wireshark it is in the list at the right end of the bottom line\n");
    return 0;
  } catch (error) {
    stderr.write(`${program}: cannot install into ${folder}: ${fileProblem(error)}\n`);
    return 1;
  }
}
