// deno-lint-ignore-file no-console -- a command for people
/**
 * The kernel lab: boots user-mode Linux, a kernel with SCTP that is an ordinary program, runs one command inside, and
 * ends with the exit status of that command. The guest's root is the host's own file tree, so every installed program
 * and this checkout are simply there. What the guest writes outside of /run lands in the host's tree.
 *
 *     scripts/kernel-lab [options] [--] COMMAND [ARGUMENT...]
 *     scripts/kernel-lab [options] test [NAME...]
 *
 * Exit status: that of the command; 2 = wrong usage; 124 = time-out; 125 = the lab itself did not work.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { GuestFailure, missingPackages, runGuest } from "./kernel_lab/guest.ts";
import { runKernelTests } from "./kernel_lab/suite.ts";

function readOptions(words: string[]) {
  try {
    return parseArgs({
      args: words,
      strict: true,
      options: {
        memory: { type: "string" },
        timeout: { type: "string", default: "600" },
        netns: { type: "string" },
        tap: { type: "string", multiple: true },
        env: { type: "string", multiple: true },
        help: { type: "boolean" },
      },
    }).values;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const USAGE = `Usage: kernel-lab [options] [--] COMMAND [ARGUMENT...]
       kernel-lab [options] test [NAME...]

Runs COMMAND as root under a kernel with SCTP (user-mode Linux on this machine's files),
or the kernel and interoperation tests (all, or those whose group is named).

  --memory=SIZE      memory of the guest, default 2G
  --timeout=SECONDS  default 600
  --netns=NAME       network namespace of the host that holds the tap devices
  --tap=INTERFACE    a tap device of the host becomes the guest's vec0 (the next vec1, …)
  --env=NAME=VALUE   sets a variable in the guest
`;

/** Only what stands before the command is ours. */
function splitArguments(words: readonly string[]): { own: string[]; command: string[] } {
  const end = words.findIndex((word) => !word.startsWith("--") || word === "--");
  if (end < 0) return { own: [...words], command: [] };
  return { own: words.slice(0, end), command: words.slice(words[end] === "--" ? end + 1 : end) };
}

async function main(): Promise<number> {
  const { own, command } = splitArguments(Deno.args);
  const values = readOptions(own);
  if (typeof values === "string") {
    console.error(`kernel-lab: ${values}`);
    return 2;
  }
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const timeoutSeconds = Number(values.timeout);
  if (command.length === 0 || !(timeoutSeconds > 0)) {
    console.error(USAGE);
    return 2;
  }
  const missing = missingPackages();
  if (missing.length > 0) {
    console.error(`kernel-lab: these Debian packages are missing: ${missing.join(" ")}`);
    return 125;
  }
  if (command[0] === "test") return await runKernelTests(command.slice(1), timeoutSeconds);
  return await runGuest({
    command,
    memory: values.memory,
    timeoutSeconds,
    networkNamespace: values.netns,
    taps: values.tap,
    environment: Object.fromEntries((values.env ?? []).map((pair) => {
      const equals = pair.indexOf("=");
      return equals < 0 ? [pair, ""] : [pair.slice(0, equals), pair.slice(equals + 1)];
    })),
  });
}

try {
  Deno.exitCode = await main();
} catch (error) {
  if (!(error instanceof GuestFailure)) throw error;
  console.error(`kernel-lab: ${error.message}`);
  Deno.exitCode = 125;
}
