import type { HandleTableResponse } from "../enrp/mod.ts";
import { Handlespace } from "../handlespace/mod.ts";
import type { Prng } from "../machine.ts";
import { describeError } from "../param/describe.ts";
import type { ReaderReport } from "./reader_report.ts";

/**
 * Parts of a handle table without a new element before the table is given up: elements that change while it is read
 * come twice, but a registrar that always promises more must not keep the reader for ever.
 */
export const MAX_IDLE_PARTS = 16;

/** A handle table as it grows, part by part (RFC 5353 §2.3). */
export class GrowingTable {
  /** What has come so far. Its limits are those of any handlespace. */
  readonly handlespace: Handlespace;
  #idleParts = 0;

  /** @param random chance for the policies, of which nothing is shown */
  constructor(random: Prng) {
    this.handlespace = new Handlespace(random);
  }

  /**
   * Takes a part in.
   *
   * @param report hears of elements that cannot be shown
   * @returns why nothing more is taken; undefined = all is well
   */
  take({ pools }: HandleTableResponse, report: (report: ReaderReport) => void): string | undefined {
    const before = this.handlespace.elementCount;
    let count = 0;
    for (const { poolHandle, elements } of pools) {
      for (const element of elements) {
        count++;
        const result = this.handlespace.register(poolHandle, element);
        if (result.type !== "refused") continue;
        const { elementId } = element;
        report({ type: "refused", poolHandle, elementId, reason: describeError(result.error) });
      }
    }
    const { poolCount, elementCount } = this.handlespace;
    const soFar = { poolsSoFar: poolCount, elementsSoFar: elementCount };
    report({ type: "part", poolCount: pools.length, elementCount: count, ...soFar });
    this.#idleParts = elementCount === before ? this.#idleParts + 1 : 0;
    return this.#idleParts < MAX_IDLE_PARTS
      ? undefined
      : `it promised more elements ${MAX_IDLE_PARTS} times, and none came`;
  }
}
