/**
 * Runs one job: `ssrun` of a work package, as RSPLIB calls it, but within limits.
 *
 * Theory of operation: what the kernel can limit by process, it does (`ulimit`, in the shell that becomes the job): files,
 * memory, core dumps. What belongs to the whole job – memory and number of its processes, room on the disk, time, length of
 * what it writes – is watched from here. Whatever is exceeded first is the job's end, and how the job is reported; all its
 * processes are killed then, and also when `ssrun` ends by itself and has left some behind.
 */
import { fileProblem } from "../../driver/file_problem.ts";
import { pause } from "../../driver/pause.ts";
import { JobStatus } from "../../../protocol/app/scripting/job_status.ts";
import { ConsoleFiles } from "./console_files.ts";
import type { ConsoleHandlers } from "./console_files.ts";
import { diskUsage } from "./disk_usage.ts";
import { showSize } from "./limits.ts";
import type { JobLimits } from "./limits.ts";
import { MARK_VARIABLE, ProcessFamily } from "./process_family.ts";
import type { Sandbox } from "./sandbox.ts";
import type { Workspace } from "./workspace.ts";

/** What is run, where and how. */
export interface JobPlan {
  readonly workspace: Workspace;
  /** Arguments of `ssrun`. */
  readonly args: readonly string[];
  readonly limits: JobLimits;
  readonly sandbox: Sandbox;
  /** Hears what it writes, as it comes. */
  readonly onPrinted: ConsoleHandlers["onPrinted"];
}

/** How a job ended. */
export interface JobOutcome {
  readonly status: JobStatus;
  /** In words, if the status does not say all. */
  readonly reason: string | undefined;
}

/** How often processes are looked at. A job can do little harm in this time, and the look costs little. */
const WATCH_INTERVAL_MS = 200;

/** In which of these looks all processes of the machine are gone through for those that left the job's family. */
const SWEEP_EVERY = 10;

/** Looks at the processes, and those at the disk, take at most this share of the time. */
const LOOK_SHARE = 0.05;

/**
 * The kernel's limits lie above ours: they end a job that exceeds them between two looks, and a job that exceeds ours is
 * there to be looked at, and to be reported as what it is, instead of failing by an error of its own.
 */
const KERNEL_FACTOR = 1.25;

/** The same for files, which stay: any octet too much is seen at the end. */
const FILE_SLACK = 1 << 20;

/** The same for processes, of which small limits are usual. */
const PROCESS_SLACK = 16;

/** `ulimit -f` counts in these. */
const ULIMIT_BLOCK = 512;

/** File that the shell leaves behind right before it becomes the job. */
const STARTED_NAME = ".ssrun-started";

/** When the machine runs out of memory, the job is to go, and not the server. Said outside of the sandbox, where it can be. */
const GOES_FIRST = "{ echo 1000 >/proc/self/oom_score_adj; } 2>/dev/null";

/** Path of programs in jobs: the system's own, not the server's. */
const JOB_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/games";

/** A running job. */
export class Job {
  readonly #plan: JobPlan;
  readonly #child: Deno.ChildProcess;
  readonly #family: ProcessFamily;
  readonly #console: ConsoleFiles;
  #end: JobOutcome | undefined;
  /** Rounds of killing that are under way. */
  #killing: Promise<unknown> = Promise.resolve();
  #looks = 0;
  #nextDiskLook = 0;

  /**
   * Starts it.
   *
   * @throws {Error} whose message is a sentence, when the system does not allow it
   */
  constructor(plan: JobPlan) {
    this.#plan = plan;
    const { workspace, sandbox, limits } = plan;
    const mark = crypto.randomUUID();
    const words = [
      ...["/bin/sh", "-c", `${GOES_FIRST}\nexec "$@"`, "sh", ...sandbox.wrap(workspace)],
      ...["/bin/sh", "-c", shellScript(limits, sandbox), "ssrun", ...plan.args],
    ];
    try {
      this.#child = new Deno.Command(words[0]!, {
        args: words.slice(1),
        cwd: workspace.work,
        clearEnv: true,
        env: jobEnvironment(plan, mark),
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
        detached: true, // a session and a process group of its own
      }).spawn();
    } catch (error) {
      throw new Error(`cannot start the job: ${fileProblem(error)}`, { cause: error });
    }
    this.#family = new ProcessFamily({
      processId: this.#child.pid,
      mark,
      directory: workspace.directory,
      isNamespace: sandbox.kind === "bwrap",
    });
    const { onPrinted } = plan;
    const onFlood = () => {
      const most = showSize(limits.consoleBytes);
      this.#stop(
        JobStatus.consoleLimit,
        `it wrote more than ${most} to its standard output and standard error`,
      );
    };
    this.#console = new ConsoleFiles(workspace, limits.consoleBytes, { onPrinted, onFlood });
  }

  /** Waits for its end. To be called once. */
  async run(): Promise<JobOutcome> {
    const { timeMs } = this.#plan.limits;
    const timer = timeMs === 0 ? undefined : setTimeout(() => {
      this.#stop(JobStatus.timeLimit, `it had not ended after ${timeMs / 1000} s`);
    }, timeMs);
    const watch = new AbortController();
    const watched = this.#watch(watch.signal);
    const copied = this.#console.copy(this.#child.stdout, this.#child.stderr);
    const ended = await this.#child.status;
    clearTimeout(timer);
    watch.abort();
    await watched;
    await this.#family.kill(); // what it left behind
    await this.#console.finish(copied);
    if (this.#end === undefined) await this.#lookAtDisk();
    await this.#killing;
    return this.#end ?? await this.#describe(ended);
  }

  /** Ends it at once. {@linkcode run} resolves soon. */
  kill(): void {
    this.#stop(JobStatus.serverFailure, "it was given up");
  }

  /** Ends it for a reason; the first one counts. */
  #stop(status: JobStatus, reason: string): void {
    this.#end ??= { status, reason };
    this.#killing = Promise.all([this.#killing, this.#family.kill()]);
  }

  async #watch(signal: AbortSignal): Promise<void> {
    let waitMs = WATCH_INTERVAL_MS;
    while (this.#end === undefined && await pause(waitMs, signal)) {
      this.#looks++;
      const begin = performance.now();
      if (this.#looks % SWEEP_EVERY === 0) this.#family.sweep();
      this.#lookAtProcesses();
      const end = performance.now();
      waitMs = Math.max(WATCH_INTERVAL_MS, (end - begin) / LOOK_SHARE);
      if (end >= this.#nextDiskLook) await this.#lookAtDisk(signal);
    }
  }

  #lookAtProcesses(): void {
    const { processes, memoryBytes } = this.#plan.limits;
    const usage = this.#family.usage();
    if (processes > 0 && usage.processes > processes) {
      this.#stop(JobStatus.processLimit, `it had more than ${processes} processes and threads`);
    } else if (memoryBytes > 0 && usage.memoryBytes > memoryBytes) {
      // What processes share is counted for each of them, so that it may be too much by far.
      if (this.#family.exactMemoryBytes() <= memoryBytes) return;
      this.#stop(JobStatus.memoryLimit, `it took more than ${showSize(memoryBytes)} of memory`);
    }
  }

  async #lookAtDisk(signal?: AbortSignal): Promise<void> {
    const { diskBytes } = this.#plan.limits;
    const begin = performance.now();
    const usage = await diskUsage(this.#plan.workspace.directory, signal);
    const end = performance.now();
    this.#nextDiskLook = end + (end - begin) / LOOK_SHARE;
    if (usage.isBeyondCounting) {
      this.#stop(JobStatus.diskLimit, "it made more files or deeper directories than can be counted");
    } else if (diskBytes > 0 && usage.bytes > diskBytes) {
      this.#stop(JobStatus.diskLimit, `its files took more than ${showSize(diskBytes)}`);
    }
  }

  async #describe({ code, signal }: Deno.CommandStatus): Promise<JobOutcome> {
    if (code === 0) return { status: JobStatus.success, reason: undefined };
    if (signal !== null) return { status: code, reason: `it was killed by ${signal}` };
    const said = await this.#sandboxProblem();
    if (said !== undefined) return { status: JobStatus.serverFailure, reason: said };
    return { status: code, reason: undefined };
  }

  /** What bubblewrap says that did not get as far as the job. */
  async #sandboxProblem(): Promise<string | undefined> {
    const { workspace, sandbox } = this.#plan;
    if (sandbox.kind === "none") return undefined;
    try {
      await Deno.lstat(`${workspace.temporary}/${STARTED_NAME}`);
      return undefined;
    } catch { // the shell has not got there, or the job has removed it
      const words = (await Deno.readTextFile(workspace.stderr)).slice(0, 500).trim();
      return words.startsWith("bwrap: ") ? `the sandbox does not work: ${words.slice(7)}` : undefined;
    }
  }
}

/** What the shell does that becomes the job. It is found by its path, so that a script without `#!` runs as well. */
function shellScript({ memoryBytes, diskBytes, processes }: JobLimits, sandbox: Sandbox): string {
  const lines = ["ulimit -c 0"];
  if (diskBytes > 0) lines.push(`ulimit -f ${Math.ceil((diskBytes + FILE_SLACK) / ULIMIT_BLOCK)}`);
  if (memoryBytes > 0) lines.push(`ulimit -d ${Math.ceil(KERNEL_FACTOR * memoryBytes / 1024)}`);
  // Outside of a namespace it would count all processes of the server's user. Shells differ in its letter.
  if (processes > 0 && sandbox.kind === "bwrap") {
    const most = Math.ceil(KERNEL_FACTOR * processes) + PROCESS_SLACK;
    lines.push(`ulimit -u ${most} 2>/dev/null || ulimit -p ${most} 2>/dev/null`);
  }
  lines.push(`: >"$TMPDIR/${STARTED_NAME}"`, 'exec ./ssrun "$@"');
  return lines.join("\n");
}

/** All of the job's environment: nothing of the server's. */
function jobEnvironment({ workspace, sandbox }: JobPlan, mark: string): Record<string, string> {
  return {
    PATH: JOB_PATH,
    HOME: sandbox.jobDirectory(workspace),
    PWD: sandbox.jobDirectory(workspace),
    TMPDIR: sandbox.temporaryDirectory(workspace),
    LANG: "C.UTF-8",
    [MARK_VARIABLE]: mark,
  };
}
