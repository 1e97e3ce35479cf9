/**
 * Our registrar against RSPLIB's, side by side in one boot of the kernel lab, under the load of `rsp bench -asap`.
 *
 * @module
 */
import { runInGuest } from "./in_guest.ts";
import { REGISTRAR_WORKS, type RegistrarGuestTask } from "./registrar_guest.ts";
import type { Result, Settings } from "./result.ts";

/** Boot, and the start of what is measured, in seconds. */
const BOOT_SECONDS = 120;
/** What a run takes besides its length: its associations come and go. */
const SECONDS_AROUND = 10;
/** A slice ends when the last answers are there. */
const PATIENCE = 2;
/** Of each registrar, to warm up. */
const WARM_UP_ROUNDS = 3;

/** Every work with every number of users. */
export async function registrar(
  { seconds, users, rounds }: Settings,
  emit: (result: Result) => void,
): Promise<void> {
  const task: RegistrarGuestTask = { users, seconds, rounds };
  const runs = REGISTRAR_WORKS.length * users.length * 2;
  await runInGuest({
    script: "scripts/benchmarks/registrar_guest.ts",
    task,
    files: ["cmd/main.ts"],
    timeoutSeconds: BOOT_SECONDS + runs * ((rounds + WARM_UP_ROUNDS) * seconds * PATIENCE + SECONDS_AROUND),
  }, emit);
}
