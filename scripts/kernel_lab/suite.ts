// deno-lint-ignore-file no-console -- reports to people
/**
 * The kernel half of the test suite: one boot of the guest, and at the same time the host's half of the tests between
 * the embedded stack here and the kernel's there.
 */
import { fileURLToPath } from "node:url";
import { GUEST_TESTS, HOST_TESTS, TAP_CAPTURES, TAP_TEST } from "../../tests/kernel/groups.ts";
import { READY } from "../../tests/kernel/peer_network.ts";
import { runGuest, TIMED_OUT } from "./guest.ts";
import { captureTaps, makeNetwork, removeNetwork, TAPS } from "./network.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** The host's half takes half a minute on a quiet machine; it shall not outlive a guest that hangs, in milliseconds. */
const HOST_LIMIT_MS = 1_800_000;
const SIGNALS = ["SIGINT", "SIGTERM"] as const;
/** Where there is no guest any more, the host's half has so long to end, in milliseconds. */
const HOST_GRACE_MS = 60_000;

/** Groups of tests, with the Debian packages that a group needs on top of the lab's own. */
const GROUPS: { readonly [group: string]: { readonly about: string; readonly programs: readonly string[] } } =
  {
    embedded: { about: "the embedded stack against the kernel's", programs: ["tcpdump", "tshark"] },
    transport: { about: "the transport contract on kernel SCTP", programs: [] },
    exercise: {
      about: "the course sheet's first half with rsp darn, and with sctp_darn on the other side",
      programs: ["sctp_darn", "tcpdump", "tshark"],
    },
    rsplib: {
      about: "our programs against RSPLIB's",
      programs: ["rspregistrar", "rspserver", "rspterminal", "fractalpooluser", "tcpdump", "tshark"],
    },
    registrar: {
      about: "our registrar and RSPLIB's as peers",
      programs: ["rspregistrar", "rspserver", "rspterminal", "hsdump", "cspmonitor", "tcpdump", "tshark"],
    },
    services: {
      about: "every service: RSPLIB's pool users at our servers, and ours at RSPLIB's",
      programs: [
        ...["rspregistrar", "rspserver", "rspterminal", "pingpongclient", "calcappclient", "scriptingclient"],
        ...["tcpdump", "tshark", "gpg", "gpgv", "gpg-agent", "povray"],
      ],
    },
    status: {
      about: "component status: RSPLIB's monitor and ours, each with the other's components",
      programs: [
        ...["rspregistrar", "rspserver", "rspterminal", "fractalpooluser", "pingpongclient", "calcappclient"],
        ...["scriptingclient", "cspmonitor", "tcpdump", "tshark"],
      ],
    },
    systemd: { about: "our units under systemd", programs: ["systemctl"] },
  };
const PACKAGES: { readonly [program: string]: string } = {
  sctp_darn: "lksctp-tools",
  systemctl: "systemd",
  rspregistrar: "rsplib-registrar",
  rspserver: "rsplib-tools",
  rspterminal: "rsplib-tools",
  hsdump: "rsplib-tools",
  cspmonitor: "rsplib-tools",
  fractalpooluser: "rsplib-services",
  pingpongclient: "rsplib-services",
  calcappclient: "rsplib-services",
  scriptingclient: "rsplib-services",
  tcpdump: "tcpdump",
  tshark: "tshark",
  gpg: "gpg",
  gpgv: "gpgv",
  "gpg-agent": "gpg-agent",
  povray: "povray",
};

interface Count {
  passed: number;
  failed: number;
}

/**
 * Runs groups of tests and prints a last line `N passed, N failed`.
 *
 * @param wanted names of groups; none = all
 * @returns 0 when all passed, 1 when not, 2 for an unknown group, 125 when packages are missing
 */
export async function runKernelTests(wanted: readonly string[], timeoutSeconds: number): Promise<number> {
  const groups = wanted.length > 0 ? wanted : Object.keys(GROUPS);
  const unknown = groups.find((group) => !(group in GROUPS));
  if (unknown !== undefined) {
    console.error(`kernel-lab: there is no group ${unknown}; there are ${Object.keys(GROUPS).join(", ")}`);
    return 2;
  }
  const missing = await missingPackages(groups.flatMap((group) => GROUPS[group]!.programs));
  if (missing.length > 0) {
    console.error(`kernel-lab: these Debian packages are missing: ${missing.join(" ")}`);
    return 125;
  }
  if (groups.includes("systemd")) await buildOneFile();
  const folder = await Deno.makeTempDir({ prefix: "kernel-lab-" });
  // As long as somebody listens, a signal does not end this process: it ends what runs, and all is cleaned up.
  const interruption = new AbortController();
  const interrupt = () => interruption.abort();
  for (const signal of SIGNALS) Deno.addSignalListener(signal, interrupt);
  try {
    return await runGroups(groups, folder, timeoutSeconds, interruption.signal);
  } finally {
    for (const signal of SIGNALS) Deno.removeSignalListener(signal, interrupt);
    await Deno.remove(folder, { recursive: true });
  }
}

/** Makes dist/rsp where it is not there, or older than what it is made of. */
async function buildOneFile(): Promise<void> {
  const find = new Deno.Command("find", {
    args: [
      "cmd",
      "ffi",
      "protocol",
      "scripts/packing",
      "-newer",
      "dist/rsp",
      "-name",
      "*.ts",
      "-print",
      "-quit",
    ],
    cwd: ROOT,
    stderr: "null",
  });
  const { success, stdout } = await find.output();
  if (success && stdout.length === 0) return;
  const build = await new Deno.Command("scripts/build", { cwd: ROOT, stdout: "null" }).output();
  if (!build.success) {
    console.error("kernel-lab: scripts/build has failed; the tests of units will do so, too");
  }
}

async function runGroups(
  groups: readonly string[],
  folder: string,
  timeoutSeconds: number,
  interrupted: AbortSignal,
): Promise<number> {
  const config = await writeConfig(folder);
  await fillCache(config);
  const captures = Deno.env.get("RSP_CAPTURES"); // a folder that keeps what the tests captured
  const counts = new Map<string, Count>();
  const network = groups.includes("embedded") ? await makeNetwork() : undefined;
  const guestGone = new AbortController();
  let hostTest: Promise<Count> | undefined;
  const onLine = (line: string) => {
    if (line.includes(READY) && network !== undefined) {
      hostTest ??= runHostTests(network, config, captures ?? folder, guestGone.signal, interrupted);
    } else if (!isSum(line)) console.log(line);
  };
  let status: number;
  try {
    status = await runGuest({
      command: [
        Deno.execPath(),
        "run",
        "--allow-all",
        "--no-check",
        "--no-lock",
        "--cached-only",
        `--config=${config}`,
        "tests/kernel/guest.ts",
        folder,
        config,
        ...groups,
      ],
      directory: ROOT,
      environment: pick("RSP_CAPTURES", "RSP_TEST_JITTER"),
      timeoutSeconds,
      networkNamespace: network,
      taps: network === undefined ? [] : TAPS,
      onOutput: byLine(onLine),
    });
  } finally {
    const hurry = setTimeout(() => guestGone.abort(), HOST_GRACE_MS);
    if (hostTest !== undefined) counts.set("embedded", await hostTest);
    clearTimeout(hurry);
    if (network !== undefined) await removeNetwork(network);
  }
  if (interrupted.aborted) console.log("interrupted");
  if (status === TIMED_OUT) console.log(`the guest did not end within ${timeoutSeconds} s`);
  for (const group of groups) {
    if (group !== "embedded") counts.set(group, countTests(await readResult(`${folder}/${group}`)));
  }
  return judge(groups, counts, status);
}

/** The variables of this process that the tests in the guest know, too. */
function pick(...names: string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value]];
  }));
}

function judge(groups: readonly string[], counts: ReadonlyMap<string, Count>, status: number): number {
  let passed = 0, failed = 0;
  for (const group of groups) {
    const count = counts.get(group) ?? { passed: 0, failed: 1 };
    console.log(`${group}: ${GROUPS[group]!.about}: ${count.passed} of ${count.passed + count.failed}`);
    passed += count.passed;
    failed += count.failed;
  }
  if (failed === 0 && status !== 0) failed = 1;
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

/** The tests of this half are left out by the project's own configuration, since they would fail anywhere else. */
async function writeConfig(folder: string): Promise<string> {
  const config = JSON.parse(await Deno.readTextFile(`${ROOT}/deno.json`));
  const { imports, compilerOptions, test: { exclude: _, ...test } } = config;
  await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify({ imports, compilerOptions, test }));
  return `${folder}/deno.json`;
}

/** The guest has no network: everything it imports is fetched and compiled here. */
async function fillCache(config: string): Promise<void> {
  for (const options of [[`--config=${config}`, "--no-lock"], []]) {
    const files = options.length > 0
      ? ["tests/kernel/guest.ts", ...Object.values(GUEST_TESTS).flat()]
      : ["cmd/main.ts"];
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["cache", "--quiet", "--no-check", ...options, ...files],
      cwd: ROOT,
    }).output();
    if (!success) throw new Error(`deno cache: ${new TextDecoder().decode(stderr)}`);
  }
}

/**
 * The host's half, then what was captured of it.
 *
 * @param captures folder for the captures
 * @param guestGone aborted when there has been no guest to test against for a while
 * @param interrupted aborted when the user does not want to wait
 * @returns counts; never rejects, since nobody waits for it while the guest runs: whatever breaks is a failure
 */
async function runHostTests(
  network: string,
  config: string,
  captures: string,
  guestGone: AbortSignal,
  interrupted: AbortSignal,
): Promise<Count> {
  try {
    const endCapture = await captureTaps(network, captures);
    let live: Count;
    try {
      const limit = AbortSignal.any([guestGone, interrupted, AbortSignal.timeout(HOST_LIMIT_MS)]);
      live = await runHostTest(network, config, HOST_TESTS, limit);
    } finally {
      await endCapture();
    }
    const limit = AbortSignal.any([interrupted, AbortSignal.timeout(HOST_LIMIT_MS)]);
    const afterwards = await runHostTest(network, config, [TAP_TEST], limit, { [TAP_CAPTURES]: captures });
    return { passed: live.passed + afterwards.passed, failed: live.failed + afterwards.failed };
  } catch (error) {
    console.log(`the host's half: ${error instanceof Error ? error.message : error}`);
    return { passed: 0, failed: 1 };
  }
}

async function runHostTest(
  network: string,
  config: string,
  files: readonly string[],
  signal: AbortSignal,
  environment: Record<string, string> = {},
): Promise<Count> {
  const { stdout, stderr, success } = await new Deno.Command("ip", {
    args: [
      ...["netns", "exec", network, Deno.execPath()],
      ...["test", "--allow-all", "--no-check", "--no-lock", `--config=${config}`, ...files],
    ],
    cwd: ROOT,
    env: { NO_COLOR: "1", ...environment },
    stdin: "null",
    signal,
  }).output();
  const text = new TextDecoder().decode(stdout);
  console.log(text.split("\n").filter((line) => !isSum(line)).join("\n"));
  if (!success) console.log(new TextDecoder().decode(stderr));
  if (signal.aborted) {
    console.log(`${files.join(" ")}: ended: it took too long, the guest was gone, or by a signal`);
  }
  return countTests(text);
}

const SUM = /^(?:ok|FAILED) \| (\d+) passed(?: \(\d+ steps?\))? \| (\d+) failed/m;

function isSum(line: string): boolean {
  return SUM.test(line);
}

/** What `deno test` counted; a run without a sum has failed as a whole. */
function countTests(output: string): Count {
  const match = SUM.exec(output);
  return match === null ? { passed: 0, failed: 1 } : { passed: Number(match[1]), failed: Number(match[2]) };
}

async function readResult(file: string): Promise<string> {
  try {
    return await Deno.readTextFile(file);
  } catch {
    return "";
  }
}

async function missingPackages(programs: readonly string[]): Promise<string[]> {
  const missing = new Set<string>();
  for (const program of programs) {
    const { success } = await new Deno.Command("sh", { args: ["-c", `command -v ${program}`] }).output();
    if (!success) missing.add(PACKAGES[program]!);
  }
  return [...missing];
}

/** Cuts octets into lines; the guest's console may add carriage returns. */
function byLine(onLine: (line: string) => void): (octets: Uint8Array) => void {
  const decoder = new TextDecoder();
  let rest = "";
  return (octets) => {
    const lines = (rest + decoder.decode(octets, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line.replaceAll("\r", ""));
  };
}
