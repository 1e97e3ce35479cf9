/** How a job is shown: lines of text with a line of progress below them, or JSON objects. */
import type { Output } from "../command.ts";
import { LogLevel } from "../driver/log.ts";
import type { Log } from "../driver/log.ts";
import { LiveBlock } from "../tui/screen.ts";
import type { LogLine } from "../pool/describe_reports.ts";
import type { JobPlace } from "../../protocol/app/scripting/client_types.ts";
import { showOctets, showRate } from "../pool/show_amounts.ts";
import { showServer } from "./describe.ts";

/** Shortest time between two drawings in a terminal, in milliseconds. */
const FRAME_MS = 100;
/** Between two lines of progress where there is no terminal, in milliseconds. */
const LINE_MS = 5000;

/** Where and how to show a job. */
export interface DisplaySettings {
  readonly stdout: Output;
  readonly log: Log;
  readonly json: boolean;
  readonly quiet: boolean;
  /** Stands before every line; undefined = nothing does. */
  readonly runId: string | undefined;
  /** Milliseconds, monotonic. */
  readonly clock?: () => number;
}

/** How far a transfer is. */
export interface Transfer {
  readonly phase: "uploading" | "downloading";
  readonly bytes: number;
  /** Undefined = it is not known, as of what is downloaded. */
  readonly totalBytes: number | undefined;
}

/** Shows one job. */
export class JobDisplay {
  readonly #settings: DisplaySettings;
  readonly #block: LiveBlock | undefined;
  #server = "";
  #phase: Transfer["phase"] | undefined;
  #phaseAt = 0;
  #shownAt = 0;

  constructor(settings: DisplaySettings) {
    this.#settings = settings;
    const live = settings.stdout.isTerminal && !settings.json && !settings.quiet;
    this.#block = live ? new LiveBlock(settings.stdout) : undefined;
  }

  /** Shows a line. */
  line({ level, text, fields }: LogLine): void {
    const { log, json, quiet, stdout } = this.#settings;
    if (json) return log.write(level, text, { ...this.#runFields(), ...fields });
    if (quiet && level > LogLevel.warning) return;
    const shown = `${this.#prefix()}${text}\n`;
    if (this.#block === undefined) stdout.write(shown);
    else this.#block.print(shown);
  }

  /** The server in the prefix of lines, from now on; undefined = none. */
  at(place: JobPlace | undefined): void {
    this.#server = place?.server ?? "";
    if (place === undefined) this.clear();
  }

  /** A transfer has got further. */
  progress(place: JobPlace, transfer: Transfer): void {
    const now = this.#settings.clock?.() ?? performance.now();
    if (transfer.phase !== this.#phase) {
      this.#phase = transfer.phase;
      this.#phaseAt = this.#shownAt = now;
    }
    const { quiet } = this.#settings;
    if (quiet || now - this.#shownAt < (this.#block === undefined ? LINE_MS : FRAME_MS)) return;
    this.#shownAt = now;
    const { phase, bytes, totalBytes } = transfer;
    const percent = totalBytes === undefined ? undefined : Math.floor(100 * bytes / Math.max(1, totalBytes));
    const of = totalBytes === undefined ? "" : ` of ${showOctets(totalBytes)} (${percent} %)`;
    const text = `${phase} ${showOctets(bytes)}${of}, ${showRate(bytes, now - this.#phaseAt)}, ${
      showServer(place)
    }`;
    if (this.#block !== undefined) return this.#block.draw([`${this.#prefix()}${text}`]);
    const bytesPerSecond = Math.round(1000 * bytes / (now - this.#phaseAt));
    const fields = { event: "progress", phase, bytes, totalBytes, bytesPerSecond };
    this.line({ level: LogLevel.note, text, fields });
  }

  /** The line of progress says nothing any more. */
  clear(): void {
    this.#phase = undefined;
    this.#block?.draw([]);
  }

  #prefix(): string {
    const { runId } = this.#settings;
    if (runId === undefined) return "";
    return this.#server === "" ? `[${runId}] ` : `[${runId}@${this.#server}] `;
  }

  #runFields(): LogLine["fields"] {
    const { runId } = this.#settings;
    return runId === undefined ? {} : { runId };
  }
}
