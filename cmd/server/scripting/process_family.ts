/**
 * The processes of a job.
 *
 * Theory of operation: a job's processes are the descendants of the one that was started. Those that a walk has seen stay
 * known by number and start time when their parent ends and they become another's; those that no walk saw in time are
 * found by a variable of their environment that only this job has, or by their working directory. In a process namespace
 * nothing gets lost: when its first process is killed, the kernel kills the others.
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { pause } from "../../driver/pause.ts";

/** The environment variable that marks the processes of a job. */
export const MARK_VARIABLE = "RSP_JOB";

/** Processes that are looked at; beyond, a job is over any limit anyhow. */
const MAX_MEMBERS = 5000;

/** Times that a sweep asks for all processes: while it looks at some, others may have begun. Few have, after the first. */
const MAX_LISTINGS = 20;

/** Rounds of killing: a process may fork while the others are being killed. */
const MAX_KILL_ROUNDS = 200;

/** Time between two rounds: the kernel needs some to end a process. */
const KILL_ROUND_MS = 10;

/** What a job takes. */
export interface ProcessUsage {
  /** Processes and threads. */
  readonly processes: number;
  readonly memoryBytes: number;
}

/** How the processes of a job are known. */
export interface ProcessMarks {
  /** The first one; undefined = it is no longer known. */
  readonly processId: number | undefined;
  /** Value of {@linkcode MARK_VARIABLE}; undefined = it is no longer known. */
  readonly mark: string | undefined;
  /** Directory in which nobody else works. */
  readonly directory: string;
  /** Whether the first process is alone with its descendants in a namespace, which ends with it. */
  readonly isNamespace: boolean;
}

/** Finds, measures and kills the processes of a job. */
export class ProcessFamily {
  readonly #marks: ProcessMarks;
  /** Start time by process. */
  readonly #known = new Map<number, string>();

  constructor(marks: ProcessMarks) {
    this.#marks = marks;
    const { processId } = marks;
    const startTime = processId === undefined ? undefined : startTimeOf(processId);
    if (processId !== undefined && startTime !== undefined) this.#known.set(processId, startTime);
  }

  /**
   * Looks through all processes of the machine for those that have left their parents, until none is left that has not been
   * looked at: one that goes on in another process would have gone when its turn comes. Not needed in a namespace.
   *
   * @returns how many were not known before
   */
  sweep(): number {
    if (this.#marks.isNamespace) return 0;
    const seen = new Set<number>();
    let found = 0;
    for (let listing = 0; listing < MAX_LISTINGS; listing++) {
      const fresh = allProcesses().filter((processId) => !seen.has(processId));
      if (fresh.length === 0) break;
      for (const processId of fresh) {
        seen.add(processId);
        if (this.#known.has(processId) || !this.#isMarked(processId)) continue;
        const startTime = startTimeOf(processId);
        if (startTime === undefined) continue;
        this.#known.set(processId, startTime);
        found++;
      }
    }
    return found;
  }

  /** What the job takes now. */
  usage(): ProcessUsage {
    let processes = 0, memoryBytes = 0;
    for (const processId of this.#members()) {
      const usage = usageOf(processId);
      processes += usage.processes;
      memoryBytes += usage.memoryBytes;
    }
    return { processes, memoryBytes };
  }

  /** Memory with what processes share counted once: exact, but slow to find out. */
  exactMemoryBytes(): number {
    let bytes = 0;
    for (const processId of this.#members()) bytes += exactMemoryOf(processId);
    return bytes;
  }

  /**
   * Kills them all. The first round is done when the call returns.
   *
   * @returns how many are left: 0, or those that the system does not let end
   */
  async kill(): Promise<number> {
    let left = this.#killOnce();
    for (let round = 1; left > 0 && round < MAX_KILL_ROUNDS; round++) {
      await pause(KILL_ROUND_MS);
      left = this.#killOnce();
    }
    return left;
  }

  #killOnce(): number {
    const found = this.sweep();
    const members = this.#members().filter((processId) => !isZombie(processId));
    // Stopped first, they cannot fork while the others are being killed.
    if (!this.#marks.isNamespace) { for (const processId of members) signal(processId, "SIGSTOP"); }
    for (const processId of members) signal(processId, "SIGKILL");
    return Math.max(found, members.length); // one that has just gone may have left another behind
  }

  /** Those that live, from the first on; descendants of all that are known become known. */
  #members(): number[] {
    const members: number[] = [];
    const waiting = [...this.#known.keys()];
    const seen = new Set(waiting);
    for (let processId = waiting.pop(); processId !== undefined; processId = waiting.pop()) {
      const startTime = startTimeOf(processId);
      const known = this.#known.get(processId);
      if (startTime === undefined || (known !== undefined && known !== startTime)) {
        this.#known.delete(processId); // ended; perhaps another has its number now
        continue;
      }
      this.#known.set(processId, startTime);
      members.push(processId);
      if (members.length >= MAX_MEMBERS) break;
      for (const child of childrenOf(processId)) {
        if (seen.has(child)) continue;
        seen.add(child);
        waiting.push(child);
      }
    }
    return members;
  }

  #isMarked(processId: number): boolean {
    const { mark, directory } = this.#marks;
    if (mark !== undefined && read(`/proc/${processId}/environ`).includes(`${MARK_VARIABLE}=${mark}`)) {
      return true;
    }
    try {
      const place = readlinkSync(`/proc/${processId}/cwd`);
      return place === directory || place.startsWith(`${directory}/`);
    } catch { // it has gone, or is somebody else's
      return false;
    }
  }
}

function signal(processId: number, name: Deno.Signal): void {
  try {
    Deno.kill(processId, name);
  } catch { // it has gone
    return;
  }
}

function allProcesses(): readonly number[] {
  return names("/proc").filter((name) => /^\d+$/.test(name)).map(Number).filter((id) => id !== Deno.pid);
}

function childrenOf(processId: number): readonly number[] {
  const threads = names(`/proc/${processId}/task`);
  const words = threads.flatMap((thread) => {
    return read(`/proc/${processId}/task/${thread}/children`).split(" ");
  });
  return words.filter((word) => word !== "").map(Number);
}

/** Fields of /proc/…/stat behind the name, which may have blanks and parentheses in it. */
function statOf(processId: number): readonly string[] {
  const stat = read(`/proc/${processId}/stat`);
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

/** When a process was started, in whatever unit: with its number, it tells it from all others. undefined = it has gone. */
export function startTimeOf(processId: number): string | undefined {
  return statOf(processId)[19];
}

function isZombie(processId: number): boolean {
  const state = statOf(processId)[0];
  return state === undefined || state === "" || state === "Z" || state === "X";
}

function usageOf(processId: number): ProcessUsage {
  const status = read(`/proc/${processId}/status`);
  const number = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? 0);
  const kibibytes = number("RssAnon") + number("RssShmem") + number("VmSwap");
  return { processes: number("Threads"), memoryBytes: kibibytes * 1024 };
}

function exactMemoryOf(processId: number): number {
  const rollup = read(`/proc/${processId}/smaps_rollup`);
  if (rollup === "") return usageOf(processId).memoryBytes;
  const number = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(rollup)?.[1] ?? 0);
  return (number("Pss_Anon") + number("Pss_Shmem") + number("SwapPss")) * 1024;
}

function read(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch { // the process has gone, or is somebody else's
    return "";
  }
}

function names(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch { // the process has gone
    return [];
  }
}
