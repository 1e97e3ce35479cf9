/** The files that a registrar writes about itself: action log, statistics, scalars (reference/rsplib.md §6.4). */
import process from "node:process";
import type { Registrar, RegistrarReport } from "../../protocol/registrar/mod.ts";
import { newStatistics } from "../../protocol/registrar/statistics.ts";
import { openOutputFile } from "../driver/output_file.ts";
import type { OutputFile } from "../driver/output_file.ts";
import { ACTION_LOG_HEADER, ActionLog } from "./action_log.ts";
import type { RegistrarOptionValues } from "./options.ts";
import { counts, scalarText, STATISTICS_HEADER, statisticsLine, sumOfCounts } from "./statistics_files.ts";
import type { Counts, Levels } from "./statistics_files.ts";
import { TimeAverage } from "./time_average.ts";
import { wallTime } from "../driver/wall_time.ts";
import type { WallTime } from "../driver/wall_time.ts";

/** The registrar that the files are about at the moment. */
export interface FilesSubject {
  readonly registrar: Registrar;
  readonly registrarId: number;
  readonly keepAliveTimeoutMs: number;
}

/** The files that the options name. They go on when the registrar of a failure tester ends and another one begins. */
export class RegistrarFiles {
  readonly #options: RegistrarOptionValues;
  readonly #actions: OutputFile | undefined;
  readonly #statistics: OutputFile | undefined;
  readonly #scalars: OutputFile | undefined;
  readonly #startedAt: WallTime = wallTime();
  readonly #averages: Readonly<Record<keyof Levels, TimeAverage>>;
  #subject: FilesSubject | undefined;
  #actionLog: ActionLog | undefined;
  /** What registrars that have ended counted. */
  #before: Counts | undefined;
  #statisticsStartedAt: WallTime | undefined;
  #lineCount = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  /**
   * Opens them, empty.
   *
   * @param onProblem takes a sentence for people when a file cannot be written any more
   * @throws {OptionError} when one cannot be opened
   */
  constructor(options: RegistrarOptionValues, onProblem: (sentence: string) => void) {
    this.#options = options;
    const open = (option: string, path: string | undefined) =>
      path === undefined ? undefined : openOutputFile({ path, option, onProblem });
    this.#actions = open("actionlogfile", options.actionlogfile);
    this.#statistics = open("statsfile", options.statsfile);
    this.#scalars = open("scalar", options.scalar);
    const average = () => new TimeAverage(this.#startedAt);
    this.#averages = { peers: average(), pools: average(), elements: average(), ownedElements: average() };
    this.#actions?.write(ACTION_LOG_HEADER);
    this.#statistics?.write(STATISTICS_HEADER);
  }

  /** Whether messages are to be told by reports. */
  get wantsMessages(): boolean {
    return this.#actions !== undefined;
  }

  /** A registrar begins. */
  begin(subject: FilesSubject): void {
    this.#subject = subject;
    if (this.#actionLog === undefined) this.#actionLog = new ActionLog(subject, this.#startedAt);
    else this.#actionLog.goOnWith(subject);
    if (this.#statistics === undefined) return;
    this.#timer = setInterval(() => this.#writeStatistics(), this.#options.statsinterval);
    this.#writeStatistics();
  }

  /** Takes a report of the registrar. */
  report(report: RegistrarReport): void {
    if (this.#actions === undefined && this.#scalars === undefined) return;
    const now = wallTime();
    const line = this.#actions && this.#actionLog?.line(report, now);
    if (line !== undefined) this.#actions?.write(line);
    // Whatever changes the levels is reported.
    if (this.#scalars !== undefined && report.type !== "message") this.#sample(now);
  }

  /** The registrar ends. */
  end(): void {
    clearInterval(this.#timer);
    if (this.#subject === undefined) return;
    this.#before = this.#totals();
    this.#subject = undefined;
    this.#sample(wallTime());
  }

  /** Writes what is still to be written. Idempotent. */
  async close(): Promise<void> {
    this.end();
    const totals = this.#before;
    this.#before = undefined;
    if (totals !== undefined) this.#scalars?.write(this.#scalarText(totals));
    await Promise.all([this.#actions, this.#statistics, this.#scalars].map((file) => file?.close()));
  }

  #writeStatistics(): void {
    const now = wallTime();
    this.#statisticsStartedAt ??= now;
    const { user, system } = process.cpuUsage();
    this.#statistics?.write(statisticsLine({
      serial: ++this.#lineCount,
      now,
      startedAt: this.#statisticsStartedAt,
      runtimeMs: 1000 * process.uptime(),
      userMs: user / 1000,
      systemMs: system / 1000,
      ...this.#levels(),
      counts: this.#totals(),
    }));
  }

  #scalarText(totals: Counts): string {
    const now = wallTime(), { peers, pools, elements, ownedElements } = this.#averages;
    return scalarText(this.#options.object, totals, {
      peers: peers.until(now),
      pools: pools.until(now),
      elements: elements.until(now),
      ownedElements: ownedElements.until(now),
    });
  }

  #sample(now: WallTime): void {
    const { peers, pools, elements, ownedElements } = this.#levels();
    this.#averages.peers.is(peers, now);
    this.#averages.pools.is(pools, now);
    this.#averages.elements.is(elements, now);
    this.#averages.ownedElements.is(ownedElements, now);
  }

  #levels(): Levels {
    if (this.#subject === undefined) return { peers: 0, pools: 0, elements: 0, ownedElements: 0 };
    const { registrar: { handlespace, peers }, registrarId } = this.#subject;
    return {
      peers: peers.size,
      pools: handlespace.poolCount,
      elements: handlespace.elementCount,
      ownedElements: handlespace.ownedCount(registrarId),
    };
  }

  #totals(): Counts {
    const present = this.#subject && counts(this.#subject.registrar.statistics);
    if (present === undefined) return this.#before ?? NO_COUNTS;
    return this.#before === undefined ? present : sumOfCounts(this.#before, present);
  }
}

const NO_COUNTS: Counts = counts(newStatistics());
