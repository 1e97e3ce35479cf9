/** An agent of the interoperation tests, as a test sees it; see `agent_protocol.ts`. Every wait has a limit. */
import { TextLineStream } from "./text_lines.ts";
import { within } from "./program.ts";
import { jitter } from "../jitter.ts";

/**
 * Far more than anything takes here, in milliseconds: the start of an agent on a busy machine, and usrsctp's time-outs, which
 * double from what a round trip took while a side stood still.
 */
const PATIENCE_MS = 180_000;

/** See the module's description. */
export class Agent<Order, Report extends { readonly type: string }> {
  readonly #name: string;
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<void>;
  /** What nobody has waited for yet, oldest first. */
  readonly #reports: Report[] = [];
  #wake: PromiseWithResolvers<void> = Promise.withResolvers();

  /** Starts one in a network namespace. */
  constructor(name: string, namespace: string, script: string, ...line: string[]) {
    this.#name = name;
    const path = new URL(script, import.meta.url).pathname;
    this.#child = new Deno.Command("ip", {
      args: ["netns", "exec", namespace, Deno.execPath(), "run", "--no-check", "--allow-all", path, ...line],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#reading = this.#read();
  }

  /** Gives an order and waits until it is carried out. @returns how that went */
  async order(order: Order): Promise<Extract<Report, { type: "done" }>> {
    return (await this.orders([order]))[0]!; // one for each
  }

  /**
   * Gives orders together, so that they are carried out one right after the other, however busy the machine is, and waits
   * for that. @returns how each went
   */
  async orders(orders: readonly Order[]): Promise<Extract<Report, { type: "done" }>[]> {
    const lines = orders.map((order) => `${JSON.stringify(order)}\n`).join("");
    await this.#input.write(new TextEncoder().encode(lines));
    const isDone = (report: Report): report is Extract<Report, { type: "done" }> => report.type === "done";
    const done: Extract<Report, { type: "done" }>[] = [];
    for (const order of orders) done.push(await this.sees(isDone, `the end of ${JSON.stringify(order)}`));
    return done;
  }

  /** Takes the oldest report that matches, or waits for it. */
  async sees<Wanted extends Report>(
    matches: ((report: Report) => report is Wanted) | ((report: Report) => boolean),
    what: string,
  ): Promise<Wanted> {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const at = this.#reports.findIndex(matches);
      if (at >= 0) {
        const [report] = this.#reports.splice(at, 1);
        await jitter();
        return report as Wanted;
      }
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) {
        const rest = this.#reports.slice(-12).map((report) => JSON.stringify(report)).join("\n");
        throw new Error(`${this.#name} does not see ${what}. What it saw besides:\n${rest}`);
      }
      await within(leftMs, this.#wake.promise);
    }
  }

  /** Takes all reports so far that match. */
  take(matches: (report: Report) => boolean): Report[] {
    const taken = this.#reports.filter(matches);
    const rest = this.#reports.filter((report) => !matches(report));
    this.#reports.splice(0, this.#reports.length, ...rest);
    return taken;
  }

  /** Ends it at once, without a chance to say good-bye. */
  async kill(): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // it has ended
    }
    await this.#child.status;
    await this.#reading;
    await this.#input.abort().catch(() => {}); // the pipe has broken
  }

  async #read(): Promise<void> {
    const lines = this.#child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
    for await (const line of lines) {
      this.#reports.push(JSON.parse(line));
      const { resolve } = this.#wake;
      this.#wake = Promise.withResolvers();
      resolve();
    }
  }
}
