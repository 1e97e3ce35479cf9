/**
 * Runs the parts of the test suite one after the other, shows what they print, and ends with a line `N passed, N failed`.
 *
 *     scripts/test [check] [unit] [docs] [net] [interop] [kernel]
 */
// deno-lint-ignore-file no-console
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

interface Part {
  readonly name: string;
  readonly about: string;
  readonly command: readonly string[];
  /** Far more than the part takes; only there so that nothing hangs for ever. */
  readonly limitMinutes: number;
}

const deno = Deno.execPath();
/** A folder that is walked with `--ignore` is walked whole: that option takes the place of `exclude` in deno.json. */
const PARTS: readonly Part[] = [
  {
    name: "check",
    about: "format, lint, types, purity, imports, documentation",
    command: [deno, "run", "--allow-all", "--quiet", "scripts/check.ts"],
    limitMinutes: 5,
  },
  {
    name: "unit",
    about: "tests that need neither another kernel nor another network",
    command: [
      deno,
      "test",
      "--allow-all",
      "--quiet",
      "--ignore=tests/net,tests/kernel,tests/interop",
      "tests/",
    ],
    limitMinutes: 12,
  },
  {
    name: "docs",
    about: "examples in documentation comments and in the README",
    command: [
      deno,
      "test",
      "--doc",
      "--allow-all",
      "--quiet",
      "mod.ts",
      "README.md",
      "protocol",
      "ffi",
      "cmd",
    ],
    limitMinutes: 4,
  },
  {
    name: "net",
    about: "the three programs on several networks, in namespaces",
    command: [deno, "test", "--allow-all", "--quiet", "tests/net/"],
    limitMinutes: 8,
  },
  {
    name: "interop",
    about: "the embedded stack against usrsctp, in namespaces",
    command: [
      deno,
      "test",
      "--allow-all",
      "--quiet",
      "--ignore=tests/interop/rsplib_test.ts",
      "tests/interop/",
    ],
    limitMinutes: 3,
  },
  {
    name: "kernel",
    about: "kernel SCTP and the original programs, in user-mode Linux",
    command: ["scripts/kernel-lab", "--timeout=900", "test"],
    limitMinutes: 16,
  },
];

interface Count {
  readonly passed: number;
  readonly failed: number;
}

/**
 * Reads the sums of a part: the last plain line `N passed, N failed` where there is one, as this project's own scripts end
 * with, or else all sums of `deno test`.
 */
export function countTests(output: string, success: boolean): Count {
  const plain = [...output.matchAll(/^(\d+) passed, (\d+) failed$/gm)].slice(-1);
  const sums = plain.length > 0
    ? plain
    : output.matchAll(/^(?:ok|FAILED) \| (\d+) passed(?: \(\d+ steps?\))? \| (\d+) failed/gm);
  let passed = 0, failed = 0;
  for (const sum of sums) {
    passed += Number(sum[1]);
    failed += Number(sum[2]);
  }
  // A part that broke before it could count, or that counted nothing, has failed as a whole.
  if (failed === 0 && (!success || passed === 0)) failed = 1;
  return { passed, failed };
}

async function run(part: Part): Promise<Count> {
  const [program = "", ...line] = part.command;
  const child = new Deno.Command(program, {
    args: line,
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
    signal: AbortSignal.timeout(part.limitMinutes * 60_000),
  }).spawn();
  let output = "";
  const decoder = new TextDecoder();
  for await (const chunk of child.stdout) {
    Deno.stdout.writeSync(chunk);
    output += decoder.decode(chunk, { stream: true });
  }
  const { success } = await child.status;
  return countTests(output, success);
}

async function main(wanted: readonly string[]): Promise<number> {
  const unknown = wanted.find((name) => !PARTS.some((part) => part.name === name));
  if (unknown !== undefined) {
    console.error(`test: there is no part ${unknown}; there are ${PARTS.map(({ name }) => name).join(" ")}`);
    return 2;
  }
  const results: string[] = [];
  let passed = 0, failed = 0;
  for (const part of PARTS.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
    console.log(`\n== ${part.name}: ${part.about}`);
    const startedAt = performance.now();
    const count = await run(part);
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    passed += count.passed;
    failed += count.failed;
    results.push(`${part.name.padEnd(8)} ${count.passed} passed, ${count.failed} failed (${seconds} s)`);
  }
  console.log(`\n== sum\n${results.join("\n")}`);
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
