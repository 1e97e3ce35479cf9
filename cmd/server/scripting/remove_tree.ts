/** Removing what a job left. */
import { fileProblem } from "../../driver/file_problem.ts";

/**
 * Removes a directory and all in it. A job may have made directories that nobody may enter, or so many within one another
 * that a function that calls itself for each runs out of its stack; the program rm has learnt that.
 *
 * @throws {Error} whose message is a sentence, when something is left
 */
export async function removeTree(directory: string): Promise<void> {
  if (await run("rm", "-rf", "--", directory)) return;
  await run("chmod", "-R", "u+rwX", "--", directory); // does not follow links
  if (await run("rm", "-rf", "--", directory)) return;
  try {
    await Deno.remove(directory, { recursive: true });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw new Error(`cannot remove ${directory}: ${fileProblem(error)}; remove it by hand`, { cause: error });
  }
}

async function run(program: string, ...args: string[]): Promise<boolean> {
  try {
    const command = new Deno.Command(program, { args, stdin: "null", stdout: "null", stderr: "null" });
    return (await command.output()).success;
  } catch { // there is no such program
    return false;
  }
}
