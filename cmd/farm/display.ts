/** How a farm is shown: a table that is drawn again and again, or lines, or JSON objects. */
import type { Output } from "../command.ts";
import type { Log } from "../driver/log.ts";
import type { LogLine } from "../pool/describe_reports.ts";
import type { LiveBlock } from "../tui/screen.ts";
import type { FarmView } from "./progress.ts";
import { renderFarm } from "./table.ts";

/** Between two drawings: times in the table are shown in seconds. */
const FRAME_MS = 250;

/** What a display needs. */
export interface FarmDisplayOptions {
  readonly stdout: Output;
  readonly log: Log;
  readonly json: boolean;
  /** Draws the table on stdout, which is a terminal; undefined = no table. */
  readonly block: LiveBlock | undefined;
  /** How things stand. */
  readonly view: () => FarmView;
}

/** Shows a farm. */
export class FarmDisplay implements Disposable {
  readonly #options: FarmDisplayOptions;
  readonly #timer: ReturnType<typeof setInterval> | undefined;

  constructor(options: FarmDisplayOptions) {
    this.#options = options;
    if (options.block !== undefined) this.#timer = setInterval(() => this.#draw(), FRAME_MS);
  }

  /** Something happened to a job. */
  line({ level, text, fields }: LogLine): void {
    const { stdout, log, json, block } = this.#options;
    if (json) log.write(level, text, fields);
    else if (block === undefined) stdout.write(`${text}\n`);
    else block.print(`${text}\n`);
  }

  /** Draws the table for the last time. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    if (this.#timer !== undefined) this.#draw();
    this.#options.block?.finish();
  }

  #draw(): void {
    const { block, stdout, view } = this.#options;
    block?.draw(renderFarm(view(), performance.now(), stdout.size()));
  }
}
