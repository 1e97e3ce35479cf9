/** Runs few_descriptors.ts, in a process of its own. */
import assert from "node:assert/strict";

const PROGRAM = new URL("few_descriptors.ts", import.meta.url).pathname;
/** Those of Deno itself, and some more. */
const LIMIT = 200;
/** UDP port of this run alone. */
const PORT = 20_000 + Deno.pid % 1900;

/** How many descriptors each failure has left behind, that with one free descriptor first. */
export async function leftDescriptors(what: "driver" | "port" | "kernel"): Promise<readonly number[]> {
  const line = [Deno.execPath(), "run", "--allow-all", "--no-check", "--no-lock", "--cached-only", PROGRAM];
  const { code, stdout, stderr } = await new Deno.Command("sh", {
    args: ["-c", `ulimit -n ${LIMIT}; exec "$@"`, "sh", ...line, what, String(PORT)],
    stdin: "null",
    signal: AbortSignal.timeout(60_000),
  }).output();
  const decoder = new TextDecoder();
  assert.equal(code, 0, decoder.decode(stderr));
  return JSON.parse(decoder.decode(stdout));
}
