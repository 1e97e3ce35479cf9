/**
 * Runs the parts of the test suite, shows what they print, and ends with what failed, once more and in short, and a line
 * `N passed, N failed`. One part comes after the other; those that mostly wait make a second row beside the first.
 *
 *     scripts/test [check] [unit] [docs] [browser] [net] [dist] [interop] [kernel] [registrar] [services]
 */
// deno-lint-ignore-file no-console
import { fileURLToPath } from "node:url";
import { GUEST_TESTS } from "../tests/kernel/groups.ts";
import { listFailures } from "./failures.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** What is to be run. */
export interface Part {
  readonly name: string;
  readonly about: string;
  readonly command: readonly string[];
  /** Far more than the part takes, on a busy machine too; only there so that nothing hangs for ever. */
  readonly limitMinutes: number;
  /** It mostly waits for time-outs of others' programs: it runs beside the other parts and is shown behind them. */
  readonly beside?: boolean;
}

const deno = Deno.execPath();
/** Tests against programs that need kernel SCTP. */
const IN_GUEST: readonly string[] = Object.values(GUEST_TESTS).flat();
/** A folder that is walked with `--ignore` for something in it is walked whole: that takes the place of `exclude` in deno.json. */
const PARTS: readonly Part[] = [
  {
    name: "check",
    about: "format, lint, types, purity, imports, documentation",
    command: [deno, "run", "--allow-all", "--quiet", "scripts/check.ts"],
    limitMinutes: 20,
  },
  {
    name: "unit",
    about: "tests that need neither another kernel nor another network",
    command: [
      deno,
      "test",
      "--allow-all",
      "--quiet",
      "--ignore=tests/browser,tests/dist,tests/net,tests/kernel,tests/interop",
      "tests/",
    ],
    limitMinutes: 45,
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
    limitMinutes: 20,
  },
  {
    name: "browser",
    about: "pages in headless Chromium, with real programs behind them",
    command: [deno, "test", "--allow-all", "--quiet", "--ignore=tests/browser/browser.ts", "tests/browser/"],
    limitMinutes: 45,
  },
  {
    name: "net",
    about: "the three programs on several networks, in namespaces",
    command: [deno, "test", "--allow-all", "--quiet", "tests/net/"],
    limitMinutes: 45,
  },
  {
    name: "dist",
    about: "the one file alone, without Deno and without the sources",
    command: [deno, "test", "--allow-all", "--quiet", "--ignore=tests/dist/room.ts", "tests/dist/"],
    limitMinutes: 45,
  },
  {
    name: "interop",
    about: "the embedded stack against usrsctp, in namespaces",
    command: [
      deno,
      "test",
      "--allow-all",
      "--quiet",
      `--ignore=${IN_GUEST.join(",")}`,
      "tests/interop/",
    ],
    limitMinutes: 15,
  },
  {
    name: "kernel",
    about: "kernel SCTP, the original programs, and systemd, in user-mode Linux",
    command: [
      "scripts/kernel-lab",
      "--timeout=2700",
      "test",
      "embedded",
      "transport",
      "exercise",
      "rsplib",
      "systemd",
    ],
    limitMinutes: 55,
  },
  {
    name: "registrar",
    about: "our registrar and RSPLIB's as peers, in user-mode Linux",
    command: ["scripts/kernel-lab", "--timeout=3600", "test", "registrar"],
    limitMinutes: 70,
    beside: true,
  },
  {
    name: "services",
    about: "our services, pool users and status monitor with RSPLIB's, in user-mode Linux",
    command: ["scripts/kernel-lab", "--timeout=3600", "test", "services", "status"],
    limitMinutes: 70,
    beside: true,
  },
];

/** Tests. */
export interface Count {
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

/** What came of a part. */
export interface Outcome {
  readonly count: Count;
  readonly seconds: number;
  readonly output: string;
}

/** A part that is over its limit has so long to clean up, and what it leaves behind so long to let go of its output. */
const GRACE_MS = 30_000;

/**
 * Runs a part, to its end or to its limit.
 *
 * @param show takes the output as it comes
 * @param graceMs for tests
 */
export async function runPart(
  part: Part,
  show: (output: Uint8Array) => void,
  graceMs: number = GRACE_MS,
): Promise<Outcome> {
  const startedAt = performance.now();
  const [program = "", ...line] = part.command;
  const child = new Deno.Command(program, {
    args: line,
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let output = "";
  const decoder = new TextDecoder(), reader = child.stdout.getReader();
  const take = (chunk: Uint8Array) => {
    show(chunk);
    output += decoder.decode(chunk, { stream: true });
  };
  const read = async () => {
    for (let next = await reader.read(); !next.done; next = await reader.read()) take(next.value);
  };
  const reading = read();
  const limit = setTimeout(() => {
    take(
      new TextEncoder().encode(`\n${part.name} is ended: it takes more than ${part.limitMinutes} minutes\n`),
    );
    end(child, "SIGTERM");
  }, part.limitMinutes * 60_000);
  const last = setTimeout(() => end(child, "SIGKILL"), part.limitMinutes * 60_000 + graceMs);
  const { success } = await child.status;
  clearTimeout(limit);
  clearTimeout(last);
  const letGo = setTimeout(() => void reader.cancel(), graceMs);
  await reading;
  clearTimeout(letGo);
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  return { count: countTests(output, success), seconds, output };
}

function end(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch { // it has just ended by itself
    return;
  }
}

/** Starts the parts that run beside the others: they, too, come one after the other, or they would wait for each other. */
function startBeside(parts: readonly Part[]): ReadonlyMap<Part, Promise<Outcome>> {
  const underWay = new Map<Part, Promise<Outcome>>();
  let last: Promise<unknown> = Promise.resolve();
  for (const part of parts.filter(({ beside }) => beside)) {
    const outcome = last.then(() => runPart(part, () => {}));
    underWay.set(part, outcome);
    last = outcome;
  }
  return underWay;
}

async function main(wanted: readonly string[]): Promise<number> {
  const unknown = wanted.find((name) => !PARTS.some((part) => part.name === name));
  if (unknown !== undefined) {
    console.error(`test: there is no part ${unknown}; there are ${PARTS.map(({ name }) => name).join(" ")}`);
    return 2;
  }
  const parts = PARTS.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
  const underWay = startBeside(parts);
  const results: string[] = [], failures: string[] = [];
  let passed = 0, failed = 0;
  for (const part of parts) {
    console.log(`\n== ${part.name}: ${part.about}`);
    const { count, seconds, output } = await underWay.get(part) ??
      await runPart(part, (chunk) => Deno.stdout.writeSync(chunk));
    if (underWay.has(part)) console.log(output);
    passed += count.passed;
    failed += count.failed;
    results.push(`${part.name.padEnd(9)} ${count.passed} passed, ${count.failed} failed (${seconds} s)`);
    const listed = listFailures(output);
    failures.push(
      ...(count.failed > 0 && listed.length === 0 ? [`${part.name}: … ${output.slice(-500)}`] : listed),
    );
  }
  if (failures.length > 0) console.log(`\n== what failed\n${failures.join("\n\n")}`);
  console.log(`\n== sum\n${results.join("\n")}`);
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
