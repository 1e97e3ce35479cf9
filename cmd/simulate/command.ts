/** `rsp simulate`: worlds of registrars, pool elements and pool users in virtual time. */
import { readFileSync, writeFileSync } from "node:fs";
import {
  parseScenario,
  runPoolScenario,
  runRandomWorld,
  ScenarioError,
  TRACE_SEPARATOR,
  traceDifference,
} from "../../protocol/sim/pool/mod.ts";
import type { PoolScenario, ScenarioOutcome } from "../../protocol/sim/pool/mod.ts";
import { defineCommand } from "../command.ts";
import type { Command, Context } from "../command.ts";
import { fileProblem } from "../driver/file_problem.ts";
import { flag, integer, OptionError } from "../options.ts";
import type { OptionValues } from "../options.ts";

/** The options. */
const simulateOptions = {
  quiet: flag("Show verdicts alone, no trace", { aliases: ["q"] }),
  rewrite: flag("Write each trace into its scenario file, as the expected one"),
  seed: integer("First seed of the random worlds", {
    min: 0,
    max: 0xffff_ffff,
    defaultValue: 1,
    group: "Random worlds",
  }),
  count: integer("How many worlds, with this seed and those behind it", {
    min: 1,
    max: 1_000_000,
    defaultValue: 1,
    group: "Random worlds",
  }),
  registrars: integer("Registrars", { min: 1, max: 100, defaultValue: 5, group: "Random worlds" }),
  elements: integer("Pool elements", { min: 0, max: 10_000, defaultValue: 200, group: "Random worlds" }),
  users: integer("Pool users", { min: 0, max: 1000, defaultValue: 20, group: "Random worlds" }),
  minutes: integer("Virtual time", {
    min: 1,
    max: 10_000,
    defaultValue: 60,
    valueName: "min",
    group: "Random worlds",
  }),
} as const;

/** Their values. */
type SimulateOptionValues = OptionValues<typeof simulateOptions>;

/** The command. */
export const command: Command = defineCommand({
  name: "simulate",
  summary: "Simulates pools and their faults in virtual time",
  description: [
    "The machines are those of the other commands; only the network and the clock are made up, so that an hour takes " +
    "seconds, and the same scenario goes the same way each time. Rules are checked all the time: nothing breaks, " +
    "messages can be read, queues stay within their limits, policies do what they say, nobody long dead is offered.",
    "A scenario is a text file: what the world is made of, what happens when, and what is expected. Behind a line " +
    `${TRACE_SEPARATOR} stands the trace that is expected. A word that it does not know makes it list those that it does.`,
    "Without a file random worlds are run: faults of all kinds, peace, then everything must have settled.",
  ],
  exitCodes: {
    0: "All went as it should",
    1: "Something did not",
  },
  operands: "[FILE…]",
  options: simulateOptions,
  examples: [
    { line: "rsp simulate tests/scenarios/takeover.txt", text: "Show what happens in a scenario" },
    { line: "rsp simulate -quiet tests/scenarios/*.txt", text: "Check all of them" },
    { line: "rsp simulate -seed=7 -registrars=3 -elements=20", text: "A random hour, fault by fault" },
    { line: "rsp simulate -quiet -count=100 -minutes=20", text: "A hundred of them" },
  ],
  run: (context) => Promise.resolve(simulate(context)),
});

function simulate(context: Context<SimulateOptionValues>): number {
  const { positionals, options } = context;
  if (positionals.length === 0) {
    if (options.rewrite) throw new OptionError("-rewrite is for scenario files");
    return simulateRandom(context);
  }
  const failed = positionals.filter((path) => !simulateFile(context, path));
  return failed.length > 0 ? 1 : 0;
}

function simulateRandom({ options, stdout, signal }: Context<SimulateOptionValues>): number {
  const { seed, count, quiet, registrars, elements, users, minutes } = options;
  const size = { registrars, elements, users, durationMs: minutes * 60_000 };
  let failures = 0;
  for (let next = seed; next < seed + count && !signal.aborted; next++) {
    try {
      const result = runRandomWorld(next, size, quiet ? undefined : (line) => stdout.write(`${line}\n`));
      const { faults, settled, takeovers, resolutions, messages } = result;
      stdout.write(
        `seed ${next}: ok, ${faults} faults, settled ${settled} times, ${resolutions} resolutions, ` +
          `${takeovers} takeovers, ${messages} messages\n`,
      );
    } catch (error) {
      failures++;
      stdout.write(`seed ${next}: FAILED ${error instanceof Error ? error.message : String(error)}\n`);
    }
  }
  return failures > 0 ? 1 : 0;
}

/** @returns whether all went as it should */
function simulateFile(
  { program, options, stdout, stderr }: Context<SimulateOptionValues>,
  path: string,
): boolean {
  let text: string;
  let scenario: PoolScenario;
  try {
    text = readFileSync(path, "utf8");
    scenario = parseScenario(text);
  } catch (error) {
    const problem = error instanceof ScenarioError ? error.message : fileProblem(error);
    stderr.write(`${program}: ${path}: ${problem}\n`);
    return false;
  }
  const outcome = runPoolScenario(scenario, options.quiet ? undefined : (line) => stdout.write(`${line}\n`));
  const complaints = [...outcome.complaints];
  if (options.rewrite) complaints.push(...rewrite(path, text, outcome));
  else if (scenario.expectedTrace !== undefined) {
    complaints.push(
      ...[traceDifference(scenario.expectedTrace, outcome.trace)].filter((text) => text !== undefined),
    );
  }
  for (const complaint of complaints) stdout.write(`${path}: ${complaint}\n`);
  stdout.write(`${path}: ${complaints.length === 0 ? "ok" : "FAILED"}\n`);
  return complaints.length === 0;
}

function rewrite(path: string, text: string, { trace }: ScenarioOutcome): string[] {
  const lines = text.split("\n");
  const separator = lines.findIndex((line) => line.trim() === TRACE_SEPARATOR);
  const script = (separator < 0 ? lines : lines.slice(0, separator)).join("\n").trimEnd();
  try {
    writeFileSync(path, `${script}\n\n${TRACE_SEPARATOR}\n${trace.join("\n")}\n`);
    return [];
  } catch (error) {
    return [`cannot be written: ${fileProblem(error)}`];
  }
}
