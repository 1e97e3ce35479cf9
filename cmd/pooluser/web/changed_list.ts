/** A list that knows which of its values were set since somebody asked. */
export class ChangedList<Value> {
  #values: Value[] = [];
  readonly #changed = new Set<number>();

  /** All values. */
  get all(): readonly Value[] {
    return this.#values;
  }

  /** A value; undefined = there is none at this index. */
  at(index: number): Value | undefined {
    return this.#values[index];
  }

  /** Sets a value, at most one behind the last. */
  set(index: number, value: Value): void {
    this.#values[index] = value;
    this.#changed.add(index);
  }

  /** Begins anew: nothing has changed. */
  reset(values: readonly Value[]): void {
    this.#values = [...values];
    this.#changed.clear();
  }

  /** Those that were set since the last call, with their indices. */
  take(): (readonly [number, Value])[] {
    const taken = [...this.#changed].map((index) => [index, this.#values[index]!] as const);
    this.#changed.clear();
    return taken;
  }
}
