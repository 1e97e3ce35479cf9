/** A list that keeps the newest values, and knows which of them came since somebody asked. */
export class NewList<Value> {
  readonly #limit: number;
  #values: Value[] = [];
  #new = 0;
  #total = 0;

  /** @param limit how many are kept */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** What is kept, the newest last. */
  get all(): readonly Value[] {
    return this.#values;
  }

  /** How many have come, those that are not kept any more included. */
  get total(): number {
    return this.#total;
  }

  /** Adds a value; when there are too many, the oldest is dropped. */
  add(value: Value): void {
    this.#values.push(value);
    this.#total++;
    this.#new++;
    // Not one by one, which would move all the others each time.
    if (this.#values.length > 2 * this.#limit) this.#values = this.#values.slice(-this.#limit);
  }

  /** Begins anew. */
  reset(): void {
    this.#values = [];
    this.#new = this.#total = 0;
  }

  /** Those that came since the last call, as far as they are kept. */
  take(): Value[] {
    const taken = this.#new === 0 ? [] : this.#values.slice(-Math.min(this.#new, this.#limit));
    this.#new = 0;
    return taken;
  }
}
