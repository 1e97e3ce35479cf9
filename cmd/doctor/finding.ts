/** What `rsp doctor` says of a host. */

/** How much a finding matters: a problem keeps the toolkit from working, a warning some of it. */
export type FindingLevel = "ok" | "note" | "warning" | "problem";

/** What a finding is about. */
export type FindingArea = "system" | "transport" | "network" | "ports" | "settings" | "tools";

/** One thing that was found. */
export interface Finding {
  readonly area: FindingArea;
  /** For programs: names the kind of finding, and stays the same from version to version. */
  readonly name: string;
  readonly level: FindingLevel;
  /** For people, with a full stop. */
  readonly sentence: string;
  /** A command line that mends it, to be run as root where it needs to be. */
  readonly mend?: string;
}

/** Findings of one area, written down with little ado. */
export class FindingList {
  readonly #area: FindingArea;
  readonly all: Finding[] = [];

  constructor(area: FindingArea) {
    this.#area = area;
  }

  add(level: FindingLevel, name: string, sentence: string, mend?: string): void {
    this.all.push({ area: this.#area, name, level, sentence, ...(mend !== undefined && { mend }) });
  }
}
