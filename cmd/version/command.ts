/** `rsp version`: which build this is, and what it runs on. */
import { kernelSctpSupport } from "../../ffi/kernel_sctp.ts";
import { buildFacts } from "../build_facts.ts";
import { type Command, type Context, defineCommand } from "../command.ts";
import { flag } from "../options.ts";
import type { OptionValues } from "../options.ts";
import { packed } from "../packed.ts";
import { VERSION } from "../version.ts";
import { describeVersion } from "./describe.ts";
import type { VersionFacts } from "./describe.ts";

const versionOptions = {
  json: flag("One JSON object instead of text for people"),
  licences: flag("The licences of all that is in the program, instead"),
} as const;

/** `rsp version` */
export const command: Command = defineCommand({
  name: "version",
  summary: "Says which build this is, and what it runs on",
  description: [
    "Version, commit and date; how the program was built; Deno, V8 and TypeScript in it; the machine that it is for; and " +
    "what would carry SCTP here. The first line is short, for reports of faults.",
    "Every command tells the same with -version.",
  ],
  options: versionOptions,
  examples: [
    { line: "rsp --version", text: "For people" },
    { line: "rsp version -json", text: "For programs" },
  ],
  run,
});

async function run(context: Context<OptionValues<typeof versionOptions>>): Promise<number> {
  const { options, stdout } = context;
  if (options.licences) return showLicences(context);
  const facts = await gatherFacts();
  stdout.write(options.json ? `${JSON.stringify(facts)}\n` : describeVersion(facts));
  return 0;
}

function showLicences({ program, stdout, stderr }: Context): number {
  const own = packed();
  if (own === undefined) {
    stderr.write(
      `${program}: this runs from its sources: their licence is in the file LICENSE, and packages bring their own\n`,
    );
    return 1;
  }
  stdout.write(own.licences);
  return 0;
}

async function gatherFacts(): Promise<VersionFacts> {
  const { available, reason } = kernelSctpSupport();
  return {
    version: VERSION,
    ...await buildFacts(),
    deno: Deno.version.deno,
    v8: Deno.version.v8,
    typescript: Deno.version.typescript,
    target: Deno.build.target,
    transport: available ? "kernel" : "embedded",
    transportReason: reason,
    licence: "Apache-2.0",
  };
}
