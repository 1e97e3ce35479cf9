/** Who computes what: what a farm's table is made of. Pure; time is an argument. */
import type { ScriptingClientReport } from "../../protocol/app/scripting/client_types.ts";
import type { Instant } from "../../protocol/net.ts";
import { showOctets } from "../pool/show_amounts.ts";
import type { JobCounts, Verdict } from "./schedule.ts";

/** A job under way. */
export interface RunningJob {
  readonly name: string;
  readonly attempt: number;
  /** 0 = none yet. */
  elementId: number;
  /** What the server calls itself. */
  server: string;
  /** What goes on, in words. */
  activity: string;
  /** When that began. */
  since: Instant;
  /** Octets of its package. */
  size: number;
}

/** A server, as far as this farm has met it. */
export interface ServerTally {
  readonly elementId: number;
  name: string;
  done: number;
  failed: number;
  /** How often it was lost in the middle of a job. */
  lost: number;
}

/** All that a table shows. */
export interface FarmView {
  readonly counts: JobCounts;
  readonly running: readonly RunningJob[];
  readonly servers: readonly ServerTally[];
  readonly elapsedMs: number;
  /** A guess; undefined = there is nothing to guess from. */
  readonly leftMs: number | undefined;
}

/** Most servers that are counted: peers choose their IDs. */
const MAX_SERVERS = 10_000;

/** Collects what happens to the jobs of a farm. */
export class FarmProgress {
  readonly #startedAt: Instant;
  readonly #running = new Map<number, RunningJob>();
  readonly #servers = new Map<number, ServerTally>();
  #finished = 0;

  /** @param now when the farm begins */
  constructor(now: Instant) {
    this.#startedAt = now;
  }

  /** An attempt at a job begins. `number` is the job's until it ends. */
  begin(number: number, name: string, attempt: number, now: Instant): void {
    const job = { name, attempt, elementId: 0, server: "", activity: "packing", since: now, size: 0 };
    this.#running.set(number, job);
  }

  /** Something else goes on with a job. */
  turn(number: number, activity: string, now: Instant, size?: number): void {
    const job = this.#running.get(number);
    if (job === undefined) return;
    job.activity = activity;
    job.since = now;
    if (size !== undefined) job.size = size;
  }

  /** Takes a report about a job. */
  report(number: number, report: ScriptingClientReport, now: Instant): void {
    const job = this.#running.get(number);
    if (job === undefined || report.type === "jobDone") return;
    job.elementId = report.elementId;
    job.server = report.server;
    const server = this.#server(job);
    if (report.type === "jobFailover" && server !== undefined) server.lost++;
    if (report.type === "jobProgress") job.activity = transfer(report.phase, report.bytes, job.size);
    else this.turn(number, activityOf(report), now);
  }

  /** An attempt at a job has ended. */
  end(number: number, verdict: Verdict): void {
    const job = this.#running.get(number);
    if (job === undefined) return;
    this.#running.delete(number);
    if (verdict === "unfinished") return;
    this.#finished++;
    const server = this.#server(job);
    if (server === undefined) return;
    if (verdict === "done") server.done++;
    else server.failed++;
  }

  /** How things stand. */
  view(counts: JobCounts, now: Instant): FarmView {
    const elapsedMs = now - this.#startedAt;
    const left = counts.waiting + counts.running;
    return {
      counts,
      running: [...this.#running.values()],
      servers: [...this.#servers.values()],
      elapsedMs,
      leftMs: this.#finished === 0 ? undefined : elapsedMs / this.#finished * left,
    };
  }

  #server({ elementId, server: name }: RunningJob): ServerTally | undefined {
    if (elementId === 0) return undefined;
    let server = this.#servers.get(elementId);
    if (server === undefined) {
      if (this.#servers.size >= MAX_SERVERS) return undefined;
      server = { elementId, name, done: 0, failed: 0, lost: 0 };
      this.#servers.set(elementId, server);
    }
    if (name !== "") server.name = name;
    return server;
  }
}

function activityOf(report: Exclude<ScriptingClientReport, { type: "jobDone" | "jobProgress" }>): string {
  switch (report.type) {
    case "jobReady":
      return "uploading";
    case "jobRefused":
      return "waiting: the server is full";
    case "jobEnvironment":
      return report.uploadNeeded ? "uploading what all jobs need" : "uploading";
    case "jobProcessing":
      return "computing";
    case "jobExited":
      return "downloading";
    case "jobRetried":
    case "jobFailover":
      return "looking for a server";
  }
}

function transfer(phase: "uploading" | "downloading", bytes: number, size: number): string {
  if (phase === "downloading" || size === 0) return `${phase} ${showOctets(bytes)}`;
  return `${phase} ${Math.min(100, Math.floor(100 * bytes / size))} %`;
}
