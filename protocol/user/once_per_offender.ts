/** How many offenders are remembered; the oldest is forgotten first, and may be told of a second time then. */
export const MAX_OFFENDERS = 256;

/** Says of each offender once that it offended, so that a flood of bad messages makes no flood of reports. */
export class OncePerOffender {
  readonly #seen = new Set<string>();

  /**
   * Whether this is the first offence.
   *
   * @param offender names who did what
   */
  isFirst(offender: string): boolean {
    if (this.#seen.has(offender)) return false;
    if (this.#seen.size >= MAX_OFFENDERS) this.#seen.delete(this.#seen.values().next().value!);
    this.#seen.add(offender);
    return true;
  }
}
