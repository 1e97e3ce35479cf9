/**
 * The kernel transport against a plain C sender and receiver, iperf3 and netperfmeter, in one boot of the kernel lab.
 *
 * @module
 */
import { ROOT, run, runInGuest } from "./in_guest.ts";
import type { KernelGuestTask } from "./kernel_guest.ts";
import type { Result, Settings } from "./result.ts";

/** Boot, and the start of what is measured, in seconds. */
const BOOT_SECONDS = 120;
/** A run and its start: every size is measured so often in a round. */
const RUNS_PER_SIZE = 5;

/** Everything for each size. */
export async function kernel(
  { seconds, sizes, rounds }: Settings,
  emit: (result: Result) => void,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "rsp-bench-" });
  try {
    const program = `${folder}/sctp_pair`, source = `${ROOT}scripts/benchmarks/sctp_pair.c`;
    await run("cc", "-O2", "-o", program, source);
    const task: KernelGuestTask = { program, sizes, seconds, rounds };
    await runInGuest({
      script: "scripts/benchmarks/kernel_guest.ts",
      task,
      files: ["scripts/benchmarks/peer_process.ts"],
      timeoutSeconds: BOOT_SECONDS + sizes.length * rounds * RUNS_PER_SIZE * (seconds + 5),
    }, emit);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
