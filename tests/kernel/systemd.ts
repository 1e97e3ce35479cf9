/**
 * A real systemd, which is the first process of a namespace in the guest. It knows the units of one folder only, and has
 * empty folders where it, or what it starts, writes.
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { jitter } from "../jitter.ts";

/** What scripts/build has made; the lab sees to it that it is new. */
const ONE_FILE = fileURLToPath(new URL("../../dist/rsp", import.meta.url));
/** Everything takes some seconds; a guest on a busy machine takes longer. */
const DEADLINE_MS = 90_000;
/** Between two questions to systemd, each of which costs the guest a process. */
const QUESTION_INTERVAL_MS = 300;

/** Targets that units belong to by themselves; nothing of the real ones is wanted here. */
const EMPTY_TARGETS = "sysinit basic shutdown network-online umount local-fs multi-user";

/** Where the program and its units are within the namespace: a checkout may lie where no service may look. */
const PLACE = "/run/rsp-systemd";
const UNITS = `${PLACE}/units`;
const PROGRAM = `${PLACE}/rsp`;

/** Makes the namespace and becomes systemd. */
const BEGIN = `
set -eu
mkdir -p ${UNITS} /sys/fs/cgroup
touch ${PROGRAM}; mount --bind "$1" ${PROGRAM} # first: the checkout may lie in one of those folders
for folder in /var /tmp; do mount -t tmpfs -o mode=1777 none $folder; done
mkdir -p /var/lib /var/cache /var/log /var/tmp
mountpoint -q /sys/fs/cgroup || mount -t cgroup2 none /sys/fs/cgroup
cd ${UNITS}
for name in ${EMPTY_TARGETS}; do printf '[Unit]\\nDefaultDependencies=no\\n' >$name.target; done
cp /lib/systemd/system/modprobe@.service .
export SYSTEMD_UNIT_PATH=${UNITS} container=rsp-test
exec unshare --pid --fork --mount-proc /lib/systemd/systemd --system --unit=multi-user.target --log-target=null \\
  2>/dev/null
`;

interface Output {
  readonly success: boolean;
  readonly text: string;
}

async function output(program: string, line: readonly string[]): Promise<Output> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args: [...line],
    env: { SYSTEMD_COLORS: "0", SYSTEMD_PAGER: "", TERM: "dumb", NO_COLOR: "1" },
    stdin: "null",
    signal: AbortSignal.timeout(DEADLINE_MS),
  }).output();
  const text = new TextDecoder();
  return { success, text: (text.decode(stdout) + text.decode(stderr)).trim() };
}

/** Systemd in namespaces of its own. */
export class Systemd implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  #first = "";

  constructor() {
    this.#process = new Deno.Command("unshare", {
      args: ["--mount", "--propagation=private", "sh", "-c", BEGIN, "sh", ONE_FILE],
      stdin: "null",
      stdout: "null",
      stderr: "inherit",
    }).spawn();
  }

  /** Starts it, and waits until it takes orders. */
  static async start(): Promise<Systemd> {
    const systemd = new Systemd();
    await systemd.until("systemd is there", async () => {
      systemd.#first = (await output("pgrep", ["--parent", String(systemd.#process.pid), "systemd"])).text;
      return systemd.#first !== "" && (await systemd.ask("is-system-running")) !== "offline";
    });
    return systemd;
  }

  /** What a command prints within the namespaces. */
  async run(...line: string[]): Promise<Output> {
    return await output("nsenter", ["--target", this.#first, "--mount", "--pid", ...line]);
  }

  /** Runs this project's program there. */
  async rsp(line: string): Promise<string> {
    const { success, text } = await this.run(PROGRAM, ...line.split(" "));
    assert.ok(success, text);
    return text;
  }

  /** What `systemctl` says. */
  async ask(...line: string[]): Promise<string> {
    return (await this.run("systemctl", ...line)).text;
  }

  /** A property of a unit. */
  async property(unit: string, name: string): Promise<string> {
    return await this.ask("show", unit, "--property", name, "--value");
  }

  /** Waits until something holds. */
  async until(what: string, holds: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + DEADLINE_MS;
    while (!await holds()) {
      assert.ok(performance.now() < deadline, `${what}: not in time`);
      await new Promise((resolve) => setTimeout(resolve, QUESTION_INTERVAL_MS));
    }
    await jitter();
  }

  /** Where its units are. */
  readonly units: string = UNITS;

  /** With the first process of a namespace all others end. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#first !== "") await output("kill", ["-KILL", this.#first]);
    else this.#process.kill("SIGKILL");
    await this.#process.status;
  }
}
