/** `rsp doctor`: what works on this host, what does not, and what to do about it. */
import { type Command, type Context, defineCommand } from "../command.ts";
import { wantsColour } from "../driver/colour.ts";
import { OptionError, type OptionValues } from "../options.ts";
import type { HostFacts } from "./facts.ts";
import { gatherFacts } from "./gather.ts";
import { type Diagnosis, judge } from "./judge.ts";
import { doctorOptionTable } from "./options.ts";
import { renderReport } from "./render.ts";
import { runCommand } from "./run_command.ts";
import { type Outcome, planTreatment, treat } from "./treatment.ts";

type Options = OptionValues<typeof doctorOptionTable>;

/** `rsp doctor` */
export const command: Command = defineCommand({
  name: "doctor",
  aliases: ["rspdoctor"],
  summary: "Says what works on this host, what does not, and what mends it",
  description: [
    "Looks at what carries SCTP here (the kernel, or the embedded stack over IP or in UDP) and why not the other, at " +
    "multicast, addresses, ports, settings and programs. Every finding is ok, a note, a warning or a problem, most with " +
    "the command that mends it.",
    "Nothing is changed without -fix, save that the kernel may load its SCTP module because it is asked for a socket. " +
    "-fix changes nothing that outlives the next boot, and tells each command and what takes it back.",
  ],
  exitCodes: { 0: "The toolkit can work here", 1: "It cannot, or -fix failed" },
  options: doctorOptionTable,
  examples: [
    { line: "rsp doctor", text: "the whole report" },
    { line: "rsp doctor -quiet -transport=kernel", text: "what keeps kernel SCTP from working" },
    { line: "rsp doctor -fix -dry-run", text: "what -fix would do" },
    { line: "sudo rsp doctor -fix -hbinterval=3000", text: "kernel SCTP as the course wants it" },
    { line: "rsp doctor -json | jq .findings", text: "for programs" },
  ],
  run,
});

async function run(context: Context<Options>): Promise<number> {
  const { options } = context;
  let facts = await gatherFacts();
  let outcomes: Outcome[] = [];
  if (options.fix || options["dry-run"]) {
    checkInterface(facts, options.interface);
    const plan = planTreatment(facts, {
      heartbeatIntervalMs: options.hbinterval,
      exactly: context.given.has("hbinterval"),
      multicastInterface: options.interface,
    });
    outcomes = await treat(plan, options["dry-run"] ? undefined : runCommand);
    if (outcomes.some(({ result }) => result === "done")) facts = await gatherFacts();
  }
  const diagnosis = judge(facts, options);
  const failed = outcomes.some(({ result }) => result === "failed");
  tell(context, diagnosis, outcomes, facts);
  return diagnosis.works && !failed ? 0 : 1;
}

function checkInterface({ interfaces }: HostFacts, name: string | undefined): void {
  if (name === undefined || interfaces.some((one) => one.name === name)) return;
  throw new OptionError(
    `option -interface names ${JSON.stringify(name)}, and there are ${
      interfaces.map((one) => one.name).join(", ")
    }`,
  );
}

function tell(
  { options, stdout, variable }: Context<Options>,
  diagnosis: Diagnosis,
  outcomes: readonly Outcome[],
  facts: HostFacts,
): void {
  if (options.json) {
    const system = { ...facts.system, capabilities: [...facts.system.capabilities] };
    stdout.write(JSON.stringify({ ...diagnosis, actions: outcomes, facts: { ...facts, system } }) + "\n");
    return;
  }
  const color = wantsColour(stdout, variable);
  const columns = Math.max(60, Math.min(stdout.size().columns, 110));
  stdout.write(renderReport(diagnosis, outcomes, { columns, color, quiet: options.quiet }).join("\n") + "\n");
}
