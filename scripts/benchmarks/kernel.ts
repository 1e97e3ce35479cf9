/**
 * The kernel transport against a plain C sender and receiver, iperf3 and netperfmeter, in one boot of the kernel lab.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { missingPackages, runGuest } from "../kernel_lab/guest.ts";
import type { KernelGuestTask } from "./kernel_guest.ts";
import type { Result, Settings } from "./result.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** Boot, and the start of what is measured, in seconds. */
const BOOT_SECONDS = 120;
/** A run and its start: every size is measured so often in a round. */
const RUNS_PER_SIZE = 5;

/** Everything for each size. */
export async function kernel(
  { seconds, sizes, rounds }: Settings,
  emit: (result: Result) => void,
): Promise<void> {
  const missing = missingPackages();
  if (missing.length > 0) throw new Error(`these Debian packages are missing: ${missing.join(" ")}`);
  const folder = await Deno.makeTempDir({ prefix: "rsp-bench-" });
  try {
    const program = `${folder}/sctp_pair`, source = `${ROOT}scripts/benchmarks/sctp_pair.c`;
    await run("cc", "-O2", "-o", program, source);
    await run(
      Deno.execPath(),
      "cache",
      "--quiet",
      "scripts/benchmarks/kernel_guest.ts",
      "scripts/benchmarks/peer_process.ts",
    );
    const task: KernelGuestTask = { program, sizes, seconds, rounds };
    let rest = "";
    const decoder = new TextDecoder();
    const status = await runGuest({
      command: [
        Deno.execPath(),
        ..."run --quiet --allow-all --no-check --cached-only".split(" "),
        "scripts/benchmarks/kernel_guest.ts",
        JSON.stringify(task),
      ],
      directory: ROOT,
      timeoutSeconds: BOOT_SECONDS + sizes.length * rounds * RUNS_PER_SIZE * (seconds + 5),
      onOutput: (octets) => {
        const lines = (rest + decoder.decode(octets, { stream: true })).replaceAll("\r", "").split("\n");
        rest = lines.pop()!;
        for (const line of lines) {
          if (line.startsWith("{")) emit(JSON.parse(line));
          else Deno.stderr.writeSync(new TextEncoder().encode(`guest: ${line}\n`));
        }
      },
    });
    if (status !== 0) throw new Error(`the guest's half ended with status ${status}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function run(program: string, ...words: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args: words, cwd: ROOT }).output();
  if (!success) throw new Error(`${program}: ${new TextDecoder().decode(stderr)}`);
}
