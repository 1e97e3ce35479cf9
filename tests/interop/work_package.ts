/** Work for the scripting service, and what must come of it. */
import assert from "node:assert/strict";
import { assertSameOctets } from "../transport/peer.ts";

/**
 * Of several messages, but with the environment less than a receive window: RSPLIB's user fails over about every other
 * time when a larger result comes faster than it reads, from RSPLIB's server as well as from ours.
 */
const INPUT = "All work and no play makes Jack a dull boy.\n".repeat(1000);
/** RSPLIB takes any file for an environment. */
const ENVIRONMENT = "Redrum.\n".repeat(2500);

/** A job waits until this file is there; not for ever, since its test may have failed. */
export function waitFor(file: string): string {
  return `n=0; until [ -e ${file} ] || [ $n -gt 3000 ]; do n=$((n + 1)); sleep 0.1; done`;
}

/**
 * A job that takes a while, and writes its input in capitals and its environment as it is. Its script has no line
 * `#!/bin/sh`, like that of RSPLIB's example.
 *
 * @param pause what it does first, such as `sleep 5`
 * @returns the options for its files
 */
export async function packWork(folder: string, pause: string): Promise<string[]> {
  return await packWorkOf(folder, `${pause}\ntr a-z A-Z <input.txt | cat - "$2" >"$1"\n`);
}

/** That job when its environment comes signed: it takes the signature off, by the keyring that RSPLIB's server tells it. */
export async function packUnwrappingWork(folder: string): Promise<string[]> {
  const unwrap = `gpgv --keyring "$(readlink -f "$3")" --output plain "$2" || exit 1`;
  return await packWorkOf(folder, `${unwrap}\ntr a-z A-Z <input.txt | cat - plain >"$1"\n`);
}

async function packWorkOf(folder: string, script: string): Promise<string[]> {
  const archive = await packScript(folder, script);
  const environment = `${folder}/environment`;
  await Deno.writeTextFile(environment, ENVIRONMENT);
  return [`-input=${archive}`, `-environment=${environment}`];
}

/** A work package with this script. @returns its file */
export async function packScript(folder: string, script: string): Promise<string> {
  const work = await Deno.makeTempDir({ dir: folder });
  await Deno.writeTextFile(`${work}/ssrun`, script, { mode: 0o755 });
  await Deno.writeTextFile(`${work}/input.txt`, INPUT);
  const { success } = await new Deno.Command("tar", { args: ["-C", work, "-czf", `${work}.tar.gz`, "."] })
    .output();
  assert.ok(success);
  return `${work}.tar.gz`;
}

/**
 * The result of that job is in the file, octet by octet.
 *
 * @param environment where the job's environment was, if it was not as it was packed
 */
export async function assertResult(file: string, environment?: string): Promise<void> {
  const rest = environment === undefined
    ? new TextEncoder().encode(ENVIRONMENT)
    : await Deno.readFile(environment);
  const input = new TextEncoder().encode(INPUT.toUpperCase());
  assertSameOctets(await Deno.readFile(file), new Uint8Array([...input, ...rest]));
}
